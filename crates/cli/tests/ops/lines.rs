//! Many requests over one co-process.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::co_process::{CoProcess, run_with};
use crate::world::{NOBODY, World, text_of};

fn publish(world: &World, number: usize) -> Value {
    let path = world.write(&format!("{number}.txt"), format!("content {number}"));
    json!({
        "operation": "publish_artifact", "id": number, "artifact_type": "t",
        "logical_key": format!("k{number}"), "data_path": path,
    })
}

#[test]
fn every_request_is_answered_with_its_id() {
    let world = World::new();
    let mut store = CoProcess::start(&world, &[]);
    let count = 200;
    for number in 0..count {
        store.send(publish(&world, number));
    }
    let mut published = BTreeMap::new();
    while published.len() < count {
        let answer = store.receive().unwrap();
        let id = text_of(&answer["result"], "artifactId").to_owned();
        assert_eq!(published.insert(answer["id"].as_u64().unwrap(), id), None);
    }
    for (number, id) in &published {
        store.send(json!({"id": {"n": number}, "operation": "get_artifact", "artifact_id": id}));
        let answer = store.receive().unwrap();
        assert_eq!(answer["id"], json!({"n": number}));
        assert_eq!(answer["result"]["logicalKey"], format!("k{number}"));
    }
    assert!(store.wait().success());
}

#[test]
fn an_answer_does_not_wait_for_a_slower_one() {
    let world = World::new();
    world.publish("before", "x");
    let lock = world.hold_lock();
    let mut store = CoProcess::start(&world, &[]);
    store.send(publish(&world, 1));
    store.send(json!({"operation": "list_artifacts", "id": "quick"}));
    assert_eq!(store.receive().unwrap()["id"], "quick");
    drop(lock);
    assert_eq!(store.receive().unwrap()["id"], 1);
    assert!(store.wait().success());
}

#[test]
fn wrong_lines_are_answered_and_the_others_too() {
    let world = World::new();
    world.ok(&["init"]);
    let mut store = CoProcess::start(&world, &["--concurrency", "1"]);
    for line in [
        "nonsense",
        "",
        "   \r",
        "[1]",
        r#"{"id": 1, "operation": "fly"}"#,
        r#"{"id": 2, "operation": "get_artifact"}"#,
        r#"{"id": 3, "operation": "get_artifact", "artifact_id": "x"}"#,
        r#"{"operation": "health_check"}"#,
        r#"{"id": null, "operation": "health_check", "artifacts_root": "elsewhere"}"#,
    ] {
        store.send(line);
    }
    store.send("x".repeat(16 * 1024 * 1024 + 1));
    store.send(r#"{"id": "last", "operation": "list_artifacts"}"#);
    let told: Vec<_> = std::iter::from_fn(|| {
        let answer = store.receive().filter(|answer| answer["id"] != "last")?;
        let operation = answer["operation"]
            .as_str()
            .unwrap_or("answered")
            .to_owned();
        let class = answer["type"].as_str().unwrap_or_default().to_owned();
        Some((answer["id"].clone(), operation, class))
    })
    .collect();
    let expected = [
        (json!(null), "unknown", "JSONDecodeError"),
        (json!(null), "unknown", "TypeError"),
        (json!(1), "fly", "ValueError"),
        (json!(2), "get_artifact", "KeyError"),
        (json!(3), "get_artifact", "ValueError"),
        (json!(null), "answered", ""),
        (json!(null), "health_check", "ValueError"),
        (json!(null), "unknown", "ValueError"),
    ];
    let expected =
        expected.map(|(id, operation, class)| (id, operation.to_owned(), class.to_owned()));
    assert_eq!(told, expected);
    assert!(store.wait().success());
}

#[test]
fn the_end_of_the_input_ends_after_the_last_answer() {
    let world = World::new();
    let requests: String = (0..50)
        .map(|number| publish(&world, number).to_string() + "\n")
        .collect();
    let answers = run_with(
        world.command(&["ops", "--lines"]),
        requests.trim_end().as_bytes(),
    )
    .ok();
    let ids: BTreeSet<u64> = answers
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["id"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(ids, (0..50).collect());
    assert_eq!(world.json(&["status"])["counts"]["artifacts"]["active"], 50);
    assert_eq!(run_with(world.command(&["ops", "--lines"]), b"").ok(), "");
}

#[test]
fn a_store_that_comes_later_is_found() {
    let world = World::new();
    let mut store = CoProcess::start(&world, &[]);
    store.send(json!({"id": 1, "operation": "get_artifact", "artifact_id": NOBODY}));
    assert_eq!(store.receive().unwrap()["code"], "unavailable");
    assert!(!world.root().exists());
    let id = world.publish("k", "x");
    store.send(json!({"id": 2, "operation": "get_artifact", "artifact_id": id}));
    assert_eq!(store.receive().unwrap()["result"]["artifactId"], id);
    assert!(store.wait().success());
}

#[test]
fn no_more_than_the_given_number_are_under_way() {
    let world = World::new();
    world.publish("before", "x");
    let lock = world.hold_lock();
    let mut store = CoProcess::start(&world, &["--concurrency", "2"]);
    store.send(publish(&world, 1));
    store.send(publish(&world, 2));
    store.send(json!({"operation": "list_artifacts", "id": "third"}));
    // Time enough for an answer that must not come yet.
    world.ok(&["list"]);
    drop(lock);
    let first = store.receive().unwrap()["id"].clone();
    assert!(first == 1 || first == 2, "{first}");
    let others: Vec<_> = std::iter::from_fn(|| Some(store.receive()?["id"].clone()))
        .take(2)
        .collect();
    assert!(others.contains(&json!("third")), "{others:?}");
    assert!(store.wait().success());
}

#[test]
fn far_more_requests_than_are_under_way_are_all_answered() {
    use std::io::Write as _;

    let world = World::new();
    let ids: Vec<_> = (0..100).map(|_| NOBODY).collect();
    let request =
        json!({"operation": "get_artifacts_batch", "artifact_ids": ids}).to_string() + "\n";
    let mut store = CoProcess::start(&world, &["--concurrency", "2"]);
    let mut requests = store.requests.take().unwrap();
    // Far more than pipes and buffers hold: the writer comes to its end only because answers are read.
    let count = 2000;
    let writing = std::thread::spawn(move || {
        for _ in 0..count {
            requests.write_all(request.as_bytes()).unwrap();
        }
    });
    let answers = std::iter::from_fn(|| store.receive()).count();
    writing.join().unwrap();
    assert_eq!(answers, count);
    assert!(store.wait().success());
}

#[test]
fn a_signal_lets_what_was_begun_come_to_its_end() {
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let world = World::new();
        world.ok(&["init"]);
        let mut store = CoProcess::start(&world, &["--concurrency", "32"]);
        for number in 0..32 {
            store.send(publish(&world, number));
        }
        // The first answer shows that the others are under way.
        let mut answered = BTreeSet::from([store.receive().unwrap()["id"].as_u64().unwrap()]);
        store.signal(signal);
        while let Some(answer) = store.receive() {
            assert!(answer["result"]["success"].as_bool().unwrap(), "{answer}");
            assert!(answered.insert(answer["id"].as_u64().unwrap()));
        }
        let input = store.requests.take();
        assert_eq!(store.wait().code(), Some(status));
        drop(input);
        let after = world.json(&["status"]);
        assert_eq!(
            (&after["pending"], &after["healthy"]),
            (&json!(0), &json!(true))
        );
        assert_eq!(after["counts"]["artifacts"]["active"], answered.len());
        assert!(
            world
                .ok(&["admin", "settle"])
                .contains("0 intents, 0 adopted, 0 files swept, no faults")
        );
    }
}

#[test]
fn an_idle_co_process_ends_at_a_signal() {
    let world = World::new();
    let mut store = CoProcess::start(&world, &[]);
    store.send(json!({"operation": "health_check"}));
    store.receive().unwrap();
    store.signal("TERM");
    assert_eq!(store.receive(), None);
    let input = store.requests.take();
    assert_eq!(store.wait().code(), Some(143));
    drop(input);
}

#[test]
fn a_reader_that_goes_ends_it_quietly() {
    let world = World::new();
    world.ok(&["init"]);
    let mut store = CoProcess::start(&world, &[]);
    store.send(json!({"operation": "health_check"}));
    store.receive().unwrap();
    drop(store.answers.take());
    store.send(publish(&world, 1));
    let input = store.requests.take();
    assert_eq!(store.wait().code(), Some(0));
    drop(input);
    assert_eq!(world.json(&["status"])["pending"], 0);
}

#[test]
fn options_belong_to_lines() {
    let world = World::new();
    world.fails(
        &["ops", "--concurrency", "2"],
        2,
        "invalid",
        "the following required arguments",
    );
    world.fails(
        &["ops", "--lines", "--concurrency", "0"],
        2,
        "invalid",
        "invalid value '0'",
    );
}
