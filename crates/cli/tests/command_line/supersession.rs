//! supersede, tombstone, history.

use serde_json::{Value, json};

use crate::world::{NOBODY, World, text_of};

fn ids(items: &Value) -> Vec<&str> {
    let items = items.as_array().unwrap().iter();
    items.map(|item| text_of(item, "artifactId")).collect()
}

#[test]
fn supersede_replaces() {
    let world = World::new();
    let old = world.publish("k", "old");
    let new = world.publish("k", "new");
    let document = world.json(&["supersede", &new, &old]);
    assert_eq!(document["artifactId"], json!(old));
    assert_eq!(document["status"], "superseded");
    assert_eq!(document["supersededBy"], json!(new));
    let successor = world.json(&["get", &new]);
    assert_eq!(
        (&successor["status"], &successor["supersedes"]),
        (&json!("active"), &json!([old]))
    );
    let text = world.ok(&["get", &new]);
    assert!(text.contains(&format!("\nsupersedes: {old}\n")), "{text}");
    let text = world.ok(&["supersede", &new, &old]);
    assert!(text.contains("\nstatus: superseded\n"), "{text}");
    assert!(
        text.contains(&format!("\nsuperseded by: {new}\n")),
        "{text}"
    );
    assert_eq!(world.json(&["supersede", &new, &old]), document);
    assert_eq!(
        ids(&world.json(&["list", "--status", "superseded"])["items"]),
        [&old]
    );
}

#[test]
fn what_is_superseded_is_no_duplicate_any_more() {
    let world = World::new();
    let old = world.publish("k", "old");
    let new = world.publish("k", "new");
    world.ok(&["supersede", &new, &old]);
    let again = world.publish("k", "old");
    assert_ne!(again, old);
    // The newest active one comes first, then the others.
    world.ok(&["supersede", &new, &again]);
    let found = world.json(&["find", "note", "k"]);
    assert_eq!(ids(&found["items"]), [&new, &again, &old]);
    let first = world.json(&["find", "note", "k", "--limit", "2"]);
    let second = world.json(&[
        "find",
        "note",
        "k",
        "--limit",
        "2",
        "--after",
        text_of(&first, "next"),
    ]);
    assert_eq!(
        (ids(&first["items"]), ids(&second["items"])),
        (vec![new.as_str(), &again], vec![old.as_str()])
    );
}

#[test]
fn supersede_refuses() {
    let world = World::new();
    let [a, b, c, gone] = ["a", "b", "c", "gone"].map(|content| world.publish("k", content));
    world.write("other.txt", "x");
    let other = world.json(&["publish", "other.txt", "--type", "other", "--key", "k"]);
    let other = text_of(&other, "artifactId");
    world.ok(&["supersede", &b, &a]);
    world.ok(&["tombstone", &gone, "--reason", "wrong"]);
    let digest = || text_of(&world.json(&["status", "--digest"]), "dumpDigest").to_owned();
    let before = digest();
    let conflict = |new: &str, old: &str| {
        world.fails(&["supersede", new, old], 4, "conflict", "");
    };
    conflict(&c, &c);
    conflict(other, &c);
    conflict(&c, &a);
    conflict(&a, &b);
    conflict(&gone, &c);
    conflict(&c, &gone);
    world.fails(&["supersede", NOBODY, &c], 3, "not_found", "");
    world.fails(&["supersede", &c, NOBODY], 3, "not_found", "");
    world.fails(
        &["supersede", &c],
        2,
        "invalid",
        "the following required arguments were not provided",
    );
    assert_eq!(digest(), before);
}

#[test]
fn supersede_is_done_once_by_operation() {
    let world = World::new();
    let [a, b, c] = ["a", "b", "c"].map(|content| world.publish("k", content));
    let first = world.json(&["supersede", &b, &a, "--op-id", "op-1"]);
    assert_eq!(world.json(&["supersede", &b, &a, "--op-id", "op-1"]), first);
    world.fails(&["supersede", &c, &b, "--op-id", "op-1"], 4, "conflict", "");
}

#[test]
fn tombstone_withdraws() {
    let world = World::new();
    let id = world.publish("k", "hello");
    let tombstone = |reason| ["tombstone", &id, "--reason", reason, "--op-id", "op-1"];
    let document = world.json(&tombstone("a source was wrong"));
    assert_eq!(document["artifactId"], json!(id));
    assert_eq!(document["status"], "tombstoned");
    assert_eq!(document["tombstoneReason"], "a source was wrong");
    assert_eq!(world.json(&tombstone("a source was wrong")), document);
    let text = world.ok(&["tombstone", &id, "--reason", "another reason"]);
    assert!(
        text.contains("\ntombstone reason: a source was wrong\n"),
        "{text}"
    );
    // Its bytes stay, and it is answered to nobody as a duplicate.
    assert_eq!(world.ok(&["cat", &id]), "hello");
    assert_ne!(world.publish("k", "hello"), id);

    world.fails(&["tombstone", NOBODY, "--reason", "x"], 3, "not_found", "");
    world.fails(
        &["tombstone", &id],
        2,
        "invalid",
        "the following required arguments were not provided",
    );
    for reason in ["", "a\nb"] {
        world.fails(&["tombstone", &id, "--reason", reason], 2, "invalid", "");
    }
}

#[test]
fn history_tells_what_replaced_what() {
    let world = World::new();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|content| world.publish("k", content));
    world.ok(&["supersede", &c, &a]);
    world.ok(&["supersede", &c, &b]);
    world.ok(&["supersede", &d, &c]);
    let document = world.json(&["history", &c]);
    assert_eq!(
        (&document["artifactId"], &document["truncated"]),
        (&json!(c), &json!(false))
    );
    assert_eq!(ids(&document["successors"]), [&d]);
    let mut predecessors = ids(&document["predecessors"]);
    predecessors.sort_unstable();
    let mut expected = [a.as_str(), &b];
    expected.sort_unstable();
    assert_eq!(predecessors, expected);
    assert_eq!(document["successors"][0], world.json(&["get", &d]));

    let from_a = world.json(&["history", &a]);
    assert_eq!(
        (ids(&from_a["successors"]), ids(&from_a["predecessors"])),
        (vec![c.as_str(), &d], vec![])
    );
    let text = world.ok(&["history", &c]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].trim_start().starts_with("ID "), "{text}");
    assert!(
        lines[1]
            .trim_start()
            .starts_with(&format!("{d}  k    active")),
        "{text}"
    );
    assert!(
        lines[2].starts_with(&format!("*  {c}  k    superseded")),
        "{text}"
    );
    assert!(
        lines[2].ends_with(&d) && lines[3].ends_with(&c) && lines[4].ends_with(&c),
        "{text}"
    );
    world.fails(&["history", NOBODY], 3, "not_found", "");
}
