//! `publish --batch`.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::co_process::run_with;
use crate::world::{Answer, NOBODY, World, text_of};

fn item(key: &str, path: &str) -> Value {
    json!({"artifactType": "t", "logicalKey": key, "dataPath": path})
}

fn lines(items: &[Value]) -> String {
    items.iter().map(|item| item.to_string() + "\n").collect()
}

/// One answer a line.
fn answers(answer: &Answer) -> Vec<Value> {
    let text = String::from_utf8(answer.0.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_line_is_published_and_answered_in_its_place() {
    let world = World::new();
    world.write("a.txt", "a");
    world.write("b.csv", "n\n1\n");
    let all = json!({
        "artifactType": "t", "schemaVersion": 3, "logicalKey": "b", "dataPath": "b.csv",
        "tags": {"env": ["prod", "test"], "x": "1"}, "writerName": "w", "writerVersion": "1",
        "gitCommit": "c", "gitDirty": true, "params": {"days": 7}, "filenameHint": "hint", "as": "table",
        "columns": {"n": "float"}, "opId": "op-1",
    });
    world.write(
        "batch.jsonl",
        lines(&[item("a", "a.txt"), all, item("a", "a.txt")]),
    );
    for json in [&[][..], &["--json"]] {
        let answer = world.run(&[json, &["publish", "--batch", "batch.jsonl"]].concat());
        assert_eq!((answer.status(), answer.stderr()), (0, String::new()));
        let told = answers(&answer);
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|told| told["success"] == true));
        assert_eq!(told[2]["deduped"], true);
    }
    let found = world.json(&["find", "t", "b"]);
    let artifact = &found["items"][0];
    assert_eq!(
        (&artifact["schemaVersion"], &artifact["kind"]),
        (&json!(3), &json!("table"))
    );
    assert_eq!(
        artifact["tags"],
        json!({"env": ["prod", "test"], "x": ["1"]})
    );
    assert!(text_of(artifact, "pathParquet").contains("/hint__"));
    assert_eq!(world.json(&["status"])["counts"]["artifacts"]["active"], 2);
}

#[test]
fn a_failed_item_keeps_no_other_back_and_the_first_gives_the_status() {
    let world = World::new();
    world.write("a.txt", "a");
    let text = [
        lines(&[item("first", "a.txt")]),
        "\n".into(),
        lines(&[item("second", "missing.txt")]),
        "{\"artifactType\": \"t\", \"logicalkey\": \"k\"}\n".into(),
        "nonsense\n".into(),
        lines(&[
            json!({"artifactType": "t", "logicalKey": "k", "dataPath": "a.txt", "inputArtifactIds": [NOBODY]}),
        ]),
        lines(&[item("last", "a.txt")]).trim_end().into(),
    ];
    let answer = run_with(
        world.command(&["publish", "--batch", "-"]),
        text.concat().as_bytes(),
    );
    assert_eq!((answer.status(), answer.stderr()), (3, String::new()));
    let told = answers(&answer);
    let codes: Vec<_> = told
        .iter()
        .map(|told| told["error"]["code"].as_str().unwrap_or("done"))
        .collect();
    assert_eq!(
        codes,
        [
            "done",
            "not_found",
            "invalid",
            "invalid",
            "not_found",
            "done"
        ]
    );
    let numbers: Vec<_> = told[1..5]
        .iter()
        .map(|told| text_of(&told["error"]["context"], "line"))
        .collect();
    assert_eq!(numbers, ["3", "4", "5", "6"]);
    assert_eq!(told[2]["error"]["message"], "Unknown field: 'logicalkey'");
    assert_eq!(world.json(&["status"])["counts"]["artifacts"]["active"], 2);
    let invalid = run_with(world.command(&["publish", "--batch", "-"]), b"{}\n");
    assert_eq!(invalid.status(), 2);
}

#[test]
fn more_than_one_call_takes_is_published_in_order() {
    let world = World::new();
    for number in 0..5 {
        world.write(&format!("{number}.txt"), format!("{number}"));
    }
    let items: Vec<_> = (0..1100)
        .map(|n| item(&format!("k{}", n % 3), &format!("{}.txt", n % 5)))
        .collect();
    let answer = run_with(
        world.command(&["publish", "--batch", "-"]),
        lines(&items).as_bytes(),
    );
    assert_eq!((answer.status(), answer.stderr()), (0, String::new()));
    let told = answers(&answer);
    assert_eq!(told.len(), 1100);
    for (number, told) in told.iter().enumerate() {
        assert_eq!(told["deduped"], number >= 15, "{number}");
        let first = &answers(&answer)[number % 15]["artifactId"];
        assert!(number < 15 || &told["existingArtifactId"] == first);
    }
}

#[test]
fn a_batch_that_cannot_be_read_is_one_error() {
    let world = World::new();
    world.fails(
        &["publish", "--batch", "none.jsonl"],
        3,
        "not_found",
        "there is no batch file at this path",
    );
    world.fails(
        &["publish", "--batch", "."],
        6,
        "unavailable",
        "the batch file cannot be read",
    );
    let conflict = "the argument '--batch <FILE>' cannot be used with";
    for more in [
        &["a.txt"][..],
        &["--key", "k"],
        &["--adopt"],
        &["--schema-version", "2"],
        &["--format", "csv"],
    ] {
        world.fails(
            &[&["publish", "--batch", "-"], more].concat(),
            2,
            "invalid",
            conflict,
        );
    }
    world.fails(
        &["publish", "--type", "t"],
        2,
        "invalid",
        "the following required arguments",
    );
    assert!(!world.root().exists());
    assert_eq!(
        run_with(world.command(&["publish", "--batch", "-"]), b"\n\n").ok(),
        ""
    );
}

#[test]
fn what_nobody_reads_is_published_all_the_same() {
    let world = World::new();
    world.write("a.txt", "a");
    world.write("b.txt", "b");
    for (first, status) in [("missing.txt", 3), ("a.txt", 0)] {
        // More than one call, and more answers of the first one than a pipe holds.
        let last = format!("after {first}");
        let mut items = vec![item("k", first)];
        items.extend((0..1000).map(|_| item("k", "a.txt")));
        items.push(item(&last, "b.txt"));
        world.write("batch.jsonl", lines(&items));
        let mut child = world
            .command(&["publish", "--batch", "batch.jsonl"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        let found = world.json(&["find", "t", &last]);
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{last}");
    }
}
