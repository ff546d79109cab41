//! publish, get, list, find, tag.

use std::process::Command;

use serde_json::{Value, json};

use crate::world::{NOBODY, World, answer, text_of};

#[test]
fn publish_tells_the_new_artifact() {
    let world = World::new();
    world.write("a.html", "hello");
    let arguments = ["publish", "a.html", "--type", "report", "--key", "day=1"];
    let document = world.json(&arguments);
    assert_eq!(
        (&document["success"], &document["deduped"]),
        (&json!(true), &json!(false))
    );
    let id = text_of(&document, "artifactId");
    let file = text_of(&document, "pathParquet");
    assert!(file.starts_with(world.root().to_str().unwrap()), "{file}");
    assert!(file.ends_with(&format!("/day=1__{id}.html")), "{file}");
    assert_eq!(std::fs::read(file).unwrap(), b"hello");
    assert!(world.path("a.html").exists());
    assert_eq!(document.as_object().unwrap().len(), 5);
}

#[test]
fn publish_in_text() {
    let world = World::new();
    world.write("a.html", "hello");
    let arguments = ["publish", "a.html", "--type", "report", "--key", "day=1"];
    let text = world.ok(&arguments);
    let artifact = &world.json(&["list"])["items"][0];
    let (id, file) = (
        text_of(artifact, "artifactId"),
        text_of(artifact, "pathParquet"),
    );
    let record = text_of(artifact, "pathSidecar");
    assert_eq!(
        text,
        format!("published: {id}\nfile: {file}\nrecord: {record}\n")
    );

    let again = world.ok(&[&arguments[..], &["--tag", "a=1"]].concat());
    let expected = format!("duplicate of: {id}\nrecognised by: file_hash\nmerged tags: a=1\n");
    assert_eq!(again, expected);
}

#[test]
fn publish_tells_the_duplicate() {
    let world = World::new();
    let id = world.publish("k", "hello");
    let arguments = ["publish", "source.txt", "--type", "note", "--key", "k"];
    assert_eq!(
        world.json(&arguments),
        json!({"success": true, "deduped": true, "mode": "file_hash", "existingArtifactId": id})
    );
    let tagged = [&arguments[..], &["--tag", "a=1"]].concat();
    assert_eq!(world.json(&tagged)["mergedTags"], json!({"a": ["1"]}));
    let other_version = [&arguments[..], &["--schema-version", "2"]].concat();
    assert_eq!(world.json(&other_version)["deduped"], false);
}

#[test]
fn publish_keeps_what_it_is_told() {
    let world = World::new();
    world.write("a.txt", "hello");
    let document = world.json(&[
        "publish",
        "a.txt",
        "--type",
        "t",
        "--key",
        "k",
        "--schema-version",
        "3",
        "--tag",
        "env=prod",
        "--tag",
        "env=test",
        "--tag",
        "empty=",
        "--param",
        "window={\"days\": 7}",
        "--param",
        "text=\"x\"",
        "--writer",
        "etl@1.2",
        "--hint",
        "Nice name",
        "--git-commit",
        "abc",
        "--git-dirty",
        "--op-id",
        "op-1",
    ]);
    let record = std::fs::read_to_string(text_of(&document, "pathSidecar")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["schema_version"], 3);
    assert_eq!(
        record["tags"],
        json!({"empty": [""], "env": ["prod", "test"]})
    );
    let provenance = &record["provenance"];
    assert_eq!(
        provenance["params"],
        json!({"window": {"days": 7}, "text": "x"})
    );
    assert_eq!(
        provenance["writer"],
        json!({"name": "etl", "version": "1.2"})
    );
    assert_eq!(provenance["git"], json!({"commit": "abc", "dirty": true}));
    assert_eq!(record["op_id"], "op-1");
    assert!(text_of(&document, "pathParquet").contains("/Nice name__"));
}

#[test]
fn publish_asks_git_where_it_can() {
    let world = World::new();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=t", "-c", "user.email=t@localhost"])
            .args(arguments)
            .current_dir(world.path("."))
            .env("HOME", world.path("."))
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let state = |key: &str| {
        let arguments = ["publish", "a.txt", "--type", "t", "--key", key];
        let record = text_of(&world.json(&arguments), "pathSidecar").to_owned();
        let record: Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
        record["provenance"]["git"].clone()
    };
    world.write("a.txt", "hello");
    assert_eq!(state("no repository"), Value::Null);
    if !git(&["init", "--quiet"]) {
        return;
    }
    assert_eq!(state("no commit"), Value::Null);
    assert!(git(&["add", "a.txt"]) && git(&["commit", "--quiet", "--message", "one"]));
    let clean = state("clean");
    assert_eq!(clean["dirty"], false);
    assert_eq!(text_of(&clean, "commit").len(), 40);
    world.write("a.txt", "changed");
    assert_eq!(state("dirty")["dirty"], true);

    let mut command = world.command(&["--json", "publish", "a.txt", "--type", "t", "--key", "x"]);
    answer(command.env("PATH", "/nowhere")).ok();
}

#[test]
fn publish_adopts() {
    let world = World::new();
    world.write("a.txt", "hello");
    let arguments = ["publish", "a.txt", "--type", "t", "--key", "k", "--adopt"];
    let document = world.json(&arguments);
    assert!(!world.path("a.txt").exists());
    assert_eq!(
        std::fs::read(text_of(&document, "pathParquet")).unwrap(),
        b"hello"
    );
}

#[test]
fn publish_refuses_what_is_no_file() {
    let world = World::new();
    world.json(&["init"]);
    let publish = |path: &str, status, code: &str, message: &str| {
        let arguments = ["publish", path, "--type", "t", "--key", "k"];
        world.fails(&arguments, status, code, message);
    };
    publish(
        "missing.txt",
        3,
        "not_found",
        "there is no source file at this path",
    );
    std::fs::create_dir(world.path("directory")).unwrap();
    publish(
        "directory",
        2,
        "invalid",
        "the source is not a regular file",
    );
    publish(
        "/dev/null",
        2,
        "invalid",
        "the source is not a regular file",
    );
    assert_eq!(world.json(&["list"]), json!({"items": []}));
}

#[test]
fn publish_refuses_wrong_values() {
    let world = World::new();
    world.write("a.txt", "hello");
    let wrong = |option: &str, value: &str, message: &str| {
        let arguments = [
            "publish", "a.txt", "--type", "t", "--key", "k", option, value,
        ];
        world.fails(&arguments, 2, "invalid", message);
    };
    wrong(
        "--tag",
        "novalue",
        "invalid value 'novalue' for '--tag <K=V>': a tag is written key=value",
    );
    wrong(
        "--param",
        "a=text",
        "invalid value 'a=text' for '--param <K=JSON>'",
    );
    wrong("--schema-version", "-1", "");
    wrong("--tag", "=v", "the tag key is empty");
    let long = "x".repeat(1025);
    let arguments = ["publish", "a.txt", "--type", "t", "--key", &long];
    world.fails(&arguments, 2, "invalid", "invalid value");
    let arguments = [
        "publish",
        "a.txt",
        "--type",
        "t",
        "--key",
        "k",
        "--git-dirty",
    ];
    world.fails(
        &arguments,
        2,
        "invalid",
        "the following required arguments were not provided",
    );
    assert!(!world.root().exists());
}

#[test]
fn an_operation_id_is_used_once() {
    let world = World::new();
    world.write("a.txt", "hello");
    let with_key = |key| {
        [
            "publish", "a.txt", "--type", "t", "--key", key, "--op-id", "op-1",
        ]
    };
    let first = world.json(&with_key("k"));
    assert_eq!(world.json(&with_key("k")), first);
    world.fails(&with_key("other"), 4, "conflict", "");
}

#[test]
fn get_shows_one() {
    let world = World::new();
    let id = world.publish("day=1", "hello\n");
    world.ok(&["tag", &id, "env=prod", "env=test"]);
    let document = world.json(&["get", &id]);
    assert_eq!(document["artifactId"], json!(id));
    assert_eq!(document["tags"], json!({"env": ["prod", "test"]}));
    let of = |key| text_of(&document, key);
    let hash = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    let expected = format!(
        "id: {id}\ntype: note\nschema version: 1\nkey: day=1\nkind: file\nstatus: active\nfile: {}\nrecord: {}\n\
         file hash: {hash}\ncontent hash: {hash}\nbytes: 6\ncreated: {}\ntags: env=prod, env=test\n",
        of("pathParquet"),
        of("pathSidecar"),
        of("createdAt"),
    );
    assert_eq!(world.ok(&["get", &id]), expected);
}

#[test]
fn get_says_what_is_missing() {
    let world = World::new();
    let id = world.publish("k", "hello");
    world.fails(&["get", NOBODY], 3, "not_found", "");
    let batch = world.json(&["get", NOBODY, &id, &id]);
    let found: Vec<_> = batch["items"].as_array().unwrap().iter().collect();
    assert!(found[0].is_null());
    assert_eq!(found[1]["artifactId"], json!(id));
    assert_eq!(found[1], found[2]);
    let text = world.ok(&["get", NOBODY, &id]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("ID "), "{text}");
    assert_eq!(lines[1], format!("{NOBODY}  (not found)"));
    assert!(lines[2].starts_with(&format!("{id}  note")), "{text}");
    world.fails(
        &["get", "x"],
        2,
        "invalid",
        "invalid value 'x' for '<ID>...': not a valid artifact id",
    );
    world.fails(
        &["get"],
        2,
        "invalid",
        "the following required arguments were not provided",
    );
}

#[test]
fn list_pages_newest_first() {
    let world = World::new();
    let ids: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|key| world.publish(key, key))
        .collect();
    let first = world.json(&["list", "--limit", "2"]);
    let second = world.json(&["list", "--limit", "2", "--after", text_of(&first, "next")]);
    assert!(second.get("next").is_none());
    let listed: Vec<_> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|item| text_of(item, "artifactId").to_owned())
        .collect();
    assert_eq!(listed, ids.into_iter().rev().collect::<Vec<_>>());
    let text = world.ok(&["list", "--limit", "1"]);
    let lines: Vec<_> = text.lines().collect();
    let newest = &first["items"][0];
    assert_eq!(
        lines[0],
        "ID                                    TYPE  KEY  STATUS  BYTES  CREATED"
    );
    let id = text_of(newest, "artifactId");
    assert_eq!(
        lines[1],
        format!(
            "{id}  note  c    active  1      {}",
            text_of(newest, "createdAt")
        )
    );
    assert!(lines[3].starts_with("more: --after "), "{text}");
    world.fails(
        &["list", "--limit", "0"],
        2,
        "invalid",
        "the page limit is out of range",
    );
    world.fails(
        &["list", "--after", "x"],
        2,
        "invalid",
        "invalid value 'x' for '--after <CURSOR>': not a valid page cursor",
    );
}

#[test]
fn list_filters() {
    let world = World::new();
    let one = world.publish("day=1/x", "one");
    let two = world.publish("day=2/x", "two");
    world.ok(&["tag", &one, "env=prod", "tier=1"]);
    world.ok(&["tag", &two, "env=prod"]);
    let created = text_of(&world.json(&["get", &two]), "createdAt").to_owned();
    let check = |arguments: &[&str], expected: &[&String]| {
        let page = world.json(&[&["list"], arguments].concat());
        let items = page["items"].as_array().unwrap();
        let listed: Vec<_> = items
            .iter()
            .map(|item| text_of(item, "artifactId"))
            .collect();
        assert_eq!(listed, expected, "{arguments:?}");
    };
    check(&["--type", "note"], &[&two, &one]);
    check(&["--type", "other"], &[]);
    check(&["--status", "active"], &[&two, &one]);
    check(&["--status", "tombstoned"], &[]);
    check(&["--tag", "env=prod"], &[&two, &one]);
    check(&["--tag", "env=prod", "--tag", "tier=1"], &[&one]);
    check(&["--key-prefix", "day=1"], &[&one]);
    check(&["--created-after", &created], &[&two]);
    check(&["--created-before", "2000-01-01"], &[]);
    assert_eq!(world.ok(&["list", "--type", "other"]), "no artifacts\n");
    world.fails(
        &["list", "--status", "gone"],
        2,
        "invalid",
        "invalid value 'gone' for '--status <STATUS>'",
    );
    world.fails(
        &["list", "--created-after", "now"],
        2,
        "invalid",
        "invalid value 'now' for '--created-after <TIME>': not a valid time",
    );
}

#[test]
fn find_asks_for_the_whole_key() {
    let world = World::new();
    let one = world.publish("day=1", "one");
    let again = world.publish("day=1", "another");
    world.publish("day=11", "other");
    let found = world.json(&["find", "note", "day=1"]);
    let items = found["items"].as_array().unwrap();
    let ids: Vec<_> = items
        .iter()
        .map(|item| text_of(item, "artifactId"))
        .collect();
    assert_eq!(ids, [again.as_str(), &one]);
    assert_eq!(world.json(&["find", "note", "day"]), json!({"items": []}));
    assert_eq!(world.ok(&["find", "note", "day"]), "no artifacts\n");
}

#[test]
fn tag_changes_tags() {
    let world = World::new();
    let id = world.publish("k", "hello");
    let tags =
        |arguments: &[&str]| world.json(&[&["tag", &id], arguments].concat())["tags"].clone();
    assert_eq!(
        tags(&["a=1", "a=2", "b=x=y"]),
        json!({"a": ["1", "2"], "b": ["x=y"]})
    );
    assert_eq!(
        tags(&["--remove", "a=1", "--remove", "b"]),
        json!({"a": ["2"]})
    );
    assert_eq!(tags(&["a=3", "--remove", "a"]), json!({"a": ["3"]}));
    let once = ["c=1", "--op-id", "op-1"];
    assert_eq!(tags(&once), tags(&once));
    world.fails(
        &["tag", &id],
        2,
        "invalid",
        "the following required arguments were not provided",
    );
    world.fails(&["tag", NOBODY, "a=1"], 3, "not_found", "");
    world.fails(
        &["tag", &id, "a"],
        2,
        "invalid",
        "invalid value 'a' for '[K=V]...': a tag is written key=value",
    );
}
