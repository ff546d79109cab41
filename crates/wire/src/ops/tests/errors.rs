use artstore_core::{Error, ErrorKind};

use super::*;

async fn check(request: &str, operation: &str, class: &str, said: &str) {
    let error = match OpsRequest::parse(request.as_bytes()) {
        Ok(_) => panic!("{request} is wrong"),
        Err(error) => error.document(),
    };
    assert_eq!(
        (&error["operation"], &error["type"], &error["code"]),
        (&json!(operation), &json!(class), &json!("invalid")),
        "{request}"
    );
    let told = error["error"].as_str().unwrap();
    assert!(told.starts_with(said), "{request}: {told}");
}

#[tokio::test]
async fn requests_that_are_not_understood_say_why() {
    let json_error = "the request is not JSON: ";
    check("", "unknown", "JSONDecodeError", json_error).await;
    check("{\"operation\":", "unknown", "JSONDecodeError", json_error).await;
    check("{} {}", "unknown", "JSONDecodeError", json_error).await;
    check(
        "[1]",
        "unknown",
        "TypeError",
        "a request is a JSON object, not a list",
    )
    .await;
    check(
        "{}",
        "unknown",
        "KeyError",
        "Missing required field: 'operation'",
    )
    .await;
    check(
        "{\"operation\":7}",
        "unknown",
        "TypeError",
        "the field 'operation' must be a text",
    )
    .await;
    check(
        "{\"operation\":\"fly\"}",
        "fly",
        "ValueError",
        "Unknown operation: fly (known: get_artifact,",
    )
    .await;
    let deep = format!("{{\"operation\":{}", "[".repeat(100_000));
    check(&deep, "unknown", "JSONDecodeError", json_error).await;
}

#[tokio::test]
async fn fields_that_are_missing_unknown_or_wrong_are_named() {
    let get = "get_artifact";
    check(
        r#"{"operation":"get_artifact"}"#,
        get,
        "KeyError",
        "Missing required field: 'artifact_id'",
    )
    .await;
    check(
        r#"{"operation":"get_artifact","artifactId":"x"}"#,
        get,
        "ValueError",
        "Unknown field: 'artifactId' (field: artifactId, known: operation, artifacts_root, manifest_db, manifest_sql, artifact_id)",
    )
    .await;
    check(
        r#"{"operation":"get_artifact","artifact_id":["x"]}"#,
        get,
        "TypeError",
        "the field 'artifact_id' must be a text, not a list",
    )
    .await;
    for operation in [
        "get_lineage",
        "get_downstream",
        "get_supersession",
        "tombstone",
        "tag",
    ] {
        let request = json!({"operation": operation}).to_string();
        check(
            &request,
            operation,
            "KeyError",
            "Missing required field: 'artifact_id'",
        )
        .await;
    }
    check(
        r#"{"operation":"supersede"}"#,
        "supersede",
        "KeyError",
        "Missing required field: 'new_artifact_id'",
    )
    .await;
    check(
        r#"{"operation":"get_artifact","artifacts_root":3}"#,
        get,
        "TypeError",
        "the field 'artifacts_root'",
    )
    .await;
}

#[test]
fn every_kind_of_error_has_a_class_of_python() {
    let classes = ErrorKind::ALL.map(|kind| {
        let error = OpsError::new(
            "get_artifact",
            Error::new(kind, "m").with("n", "v").hint("h"),
        );
        let document = error.document();
        assert_eq!(document["error"], "m (n: v)");
        assert_eq!(document["hint"], "h");
        assert_eq!(document["context"], json!({"n": "v"}));
        assert_eq!(document["code"], crate::answer_of(kind).code);
        let keys: Vec<_> = document.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys,
            ["error", "type", "operation", "code", "hint", "context"]
        );
        document["type"].as_str().unwrap().to_owned()
    });
    let expected = [
        "ValueError",
        "FileExistsError",
        "RuntimeError",
        "ValueError",
        "NotImplementedError",
        "OSError",
        "TimeoutError",
        "OSError",
        "TimeoutError",
        "RuntimeError",
    ];
    assert_eq!(classes, expected);
}

#[test]
fn a_store_that_is_not_there_is_not_an_artifact_that_is_not_there() {
    let error = Error::not_found("there is no store at /x").hint("make one");
    let told = OpsError::without_store("get_artifact", error).document();
    let expected = json!({
        "error": "there is no store at /x",
        "type": "FileNotFoundError",
        "operation": "get_artifact",
        "code": "unavailable",
        "hint": "make one",
    });
    assert_eq!(told, expected);
}

#[test]
fn a_request_for_another_store_is_told_both_roots() {
    let request =
        br#"{"operation":"get_artifacts_batch","artifact_ids":[],"artifacts_root":"/other"}"#;
    let request = OpsRequest::parse(request).unwrap();
    assert_eq!(request.artifacts_root(), Some("/other"));
    assert!(!request.makes_store());
    let told = request.other_store(Path::new(ROOT)).document();
    assert_eq!(
        told["context"],
        json!({"artifacts_root": "/other", "root": ROOT})
    );
}

#[test]
fn answers_are_ascii() {
    let value = json!({"k": "é\u{7f}🦀\n\"\\"});
    assert_eq!(
        to_compact_text(&value),
        r#"{"k":"\u00e9\u007f\ud83e\udd80\n\"\\"}"#
    );
    assert_eq!(
        to_pretty_text(&value),
        "{\n  \"k\": \"\\u00e9\\u007f\\ud83e\\udd80\\n\\\"\\\\\"\n}"
    );
    assert_eq!(to_pretty_text(&json!([])), "[]");
    assert_eq!(
        serde_json::from_str::<Value>(&to_compact_text(&value)).unwrap(),
        value
    );
}

#[test]
fn a_line_has_any_id_and_its_answer_has_the_same() {
    for id in [json!(7), json!("é"), json!([1, {"a": null}]), json!(null)] {
        let line = OpsLine::parse(
            json!({"operation": "get_artifact", "id": id})
                .to_string()
                .as_bytes(),
        );
        assert_eq!(line.id, id);
        let answer = OpsLine::answer(line.id, line.request.map(|_| Value::Null));
        assert!(answer.is_ascii() && answer.ends_with("}\n"));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((&answer["id"], &answer["type"]), (&id, &json!("KeyError")));
    }
    let answer = OpsLine::answer(json!(1), Ok(json!({"available": true})));
    assert_eq!(answer, "{\"id\":1,\"result\":{\"available\":true}}\n");
    let odd = OpsLine::parse(b"nonsense");
    let answer: Value =
        serde_json::from_str(&OpsLine::answer(odd.id, odd.request.map(|_| Value::Null))).unwrap();
    assert_eq!(
        (&answer["id"], &answer["operation"]),
        (&Value::Null, &json!("unknown"))
    );
}

#[test]
fn a_health_check_in_a_line_fails_only_if_it_is_wrong() {
    let line = OpsLine::parse(br#"{"operation":"health_check","id":3,"x":1}"#);
    let answer = OpsLine::answer(line.id, line.request.map(|_| Value::Null));
    assert!(
        answer.starts_with(r#"{"id":3,"error":"Unknown field: 'x'"#),
        "{answer}"
    );
    let error = Error::unavailable("the disk is gone");
    let answer = OpsLine::answer(
        json!(4),
        Err(OpsError::without_store("health_check", error)),
    );
    assert_eq!(
        answer,
        "{\"id\":4,\"result\":{\"available\":false,\"error\":\"the disk is gone\",\"type\":\"OSError\"}}\n"
    );
}
