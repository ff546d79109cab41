//! One request, one answer.

use serde_json::{Value, json};

use crate::co_process::run_with;
use crate::world::{NOBODY, World, text_of};

#[test]
fn an_answer_is_indented_ascii_without_line_break() {
    let world = World::new();
    let id = world.publish_with("schlüssel 🦀", "x", &["--tag", "k=é"]);
    let text = world
        .ops(&json!({"operation": "get_artifact", "artifact_id": id}))
        .ok();
    assert!(
        text.starts_with("{\n  \"artifactId\": \"") && text.ends_with("\n}"),
        "{text}"
    );
    assert!(
        text.is_ascii() && text.contains(r#""schl\u00fcssel \ud83e\udd80""#),
        "{text}"
    );
    let artifact: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(artifact["tags"], json!({"k": "é"}));
    for absent in ["rowCount", "minTs", "maxTs"] {
        assert_eq!(artifact.get(absent), Some(&Value::Null));
    }
}

#[test]
fn an_error_is_on_standard_error_alone_with_status_1() {
    let world = World::new();
    world.ok(&["init"]);
    let error = world.refused(&json!({"operation": "get_artifact", "artifact_id": NOBODY}));
    let expected = json!({
        "error": format!("Artifact not found: {NOBODY}"),
        "type": "ValueError",
        "operation": "get_artifact",
        "code": "not_found",
        "context": {"id": NOBODY},
    });
    assert_eq!(error, expected);
    let error = world.refused(&json!({"operation": "get_artifact"}));
    assert_eq!(error["error"], "Missing required field: 'artifact_id'");
    let broken = run_with(world.command(&["ops"]), b"{").failed(1);
    let broken: Value = serde_json::from_str(&broken).unwrap();
    assert_eq!(
        (&broken["type"], &broken["operation"]),
        (&json!("JSONDecodeError"), &json!("unknown"))
    );
}

#[test]
fn a_source_that_is_not_there_is_a_file_not_found() {
    let world = World::new();
    let error = world.refused(&json!({
        "operation": "publish_artifact", "artifact_type": "t", "logical_key": "k", "data_path": "/no/file.bin",
    }));
    assert_eq!(
        (&error["type"], &error["code"]),
        (&json!("FileNotFoundError"), &json!("not_found"))
    );
    assert_eq!(error["context"]["path"], "/no/file.bin");
}

#[test]
fn reading_makes_no_store_and_a_mistake_neither() {
    let world = World::new();
    for request in [
        json!({"operation": "get_artifact", "artifact_id": NOBODY}),
        json!({"operation": "list_artifacts"}),
        json!({"operation": "supersede", "new_artifact_id": NOBODY, "old_artifact_id": NOBODY}),
        json!({"operation": "tag", "artifact_id": NOBODY}),
    ] {
        let error = world.refused(&request);
        assert_eq!(
            (&error["code"], &error["type"]),
            (&json!("unavailable"), &json!("FileNotFoundError"))
        );
        assert!(text_of(&error, "error").starts_with("there is no store at "));
    }
    world.refused(&json!({"operation": "publish_artifact", "artifact_type": "t"}));
    assert!(!world.root().exists());
}

#[test]
fn a_request_for_another_store_is_not_answered_from_this_one() {
    let world = World::new();
    let id = world.publish("k", "x");
    std::os::unix::fs::symlink(world.root(), world.path("link")).unwrap();
    std::fs::create_dir(world.path("other")).unwrap();
    let request = |root: &str| json!({"operation": "get_artifact", "artifact_id": id, "artifacts_root": root});
    for same in [
        "store",
        "./store/",
        "link",
        "other/../store",
        world.root().to_str().unwrap(),
    ] {
        assert_eq!(world.asked(&request(same))["artifactId"], id, "{same}");
    }
    for other in ["other", "nowhere", "/", "store/artifacts"] {
        let error = world.refused(&request(other));
        assert_eq!(
            (&error["code"], &error["type"]),
            (&json!("invalid"), &json!("ValueError"))
        );
        let root = world.root();
        assert_eq!(
            error["context"],
            json!({"artifacts_root": other, "root": root}),
            "{other}"
        );
    }
    let publish = json!({
        "operation": "publish_artifact", "artifact_type": "t", "logical_key": "k",
        "data_path": "source.txt", "artifacts_root": "elsewhere",
    });
    assert_eq!(world.refused(&publish)["code"], "invalid");
    assert!(!world.path("elsewhere").exists());
    for odd in [
        json!({"operation": "health_check", "artifacts_root": "other"}),
        json!({"operation": "health_check", "x": 1}),
    ] {
        let error = world.refused(&odd);
        assert_eq!(
            (&error["operation"], &error["code"]),
            (&json!("health_check"), &json!("invalid"))
        );
    }
}

#[test]
fn a_request_over_the_limit_is_refused_by_its_size() {
    let world = World::new();
    let request = format!("{{\"operation\": \"{}\"}}", "x".repeat(16 * 1024 * 1024));
    let error = run_with(world.command(&["ops"]), request.as_bytes()).failed(1);
    let error: Value = serde_json::from_str(&error).unwrap();
    let expected = json!({
        "error": "the request is too long (limit: 16777216 bytes)",
        "type": "ValueError",
        "operation": "unknown",
        "code": "invalid",
        "context": {"limit": "16777216 bytes"},
    });
    assert_eq!(error, expected);
}

#[test]
fn a_batch_of_publishes_answers_in_order() {
    let world = World::new();
    world.write("a.txt", "a");
    let item = |key: &str, path: &str| json!({"artifact_type": "t", "logical_key": key, "data_path": path});
    let answers = world.asked(&json!({
        "operation": "publish_artifacts_batch",
        "requests": [item("k", "a.txt"), item("k", "missing.txt"), {"logical_key": "k"}, item("k", "a.txt")],
    }));
    let id = text_of(&answers[0], "artifactId");
    assert_eq!(
        (&answers[1]["success"], &answers[1]["code"]),
        (&json!(false), &json!("not_found"))
    );
    assert_eq!(
        answers[2]["error"],
        "Missing required field: 'requests[2].artifact_type'"
    );
    assert_eq!(answers[3]["existingArtifactId"], id);
    let ids = json!([NOBODY, id, "x", id]);
    let found = world.asked(&json!({"operation": "get_artifacts_batch", "artifact_ids": ids}));
    assert_eq!((&found[0], &found[2]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&found[1]["artifactId"], &found[3]),
        (&json!(id), &found[1])
    );
}
