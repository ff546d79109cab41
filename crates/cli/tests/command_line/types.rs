//! type register, list, show, and publishing tables of registered types.

use serde_json::{Value, json};

use crate::world::{World, text_of};

fn register(world: &World, options: &[&str]) -> Value {
    world.json(&[&["type", "register", "prices"], options].concat())
}

fn publish(world: &World, name: &str) -> Value {
    world.json(&["publish", name, "--type", "prices", "--key", "k"])
}

#[test]
fn a_type_is_registered_and_shown() {
    let world = World::new();
    let options = [
        "--require",
        "symbol",
        "--canonical",
        "ts",
        "--canonical",
        "price",
        "--sort",
        "ts",
        "--timestamp",
        "ts",
    ];
    let document = register(&world, &options);
    let of = |key| document[key].clone();
    assert_eq!(
        document,
        json!({
            "artifactType": "prices",
            "requiredColumns": ["symbol"],
            "canonicalColumns": ["ts", "price"],
            "sortKeys": ["ts"],
            "timestampColumn": "ts",
            "revision": 1,
            "createdAt": of("createdAt"),
            "updatedAt": of("updatedAt"),
            "actor": of("actor"),
        })
    );
    assert!(of("createdAt").is_string() && of("actor").is_string());
    assert_eq!(register(&world, &options), document);
    assert_eq!(world.json(&["type", "show", "prices"]), document);
    assert_eq!(world.json(&["type", "list"]), json!({"items": [document]}));
    let expected = format!(
        "type: prices\nrequired column: symbol\ncanonical column: ts\ncanonical column: price\nsort key: ts\n\
         timestamp column: ts\nrevision: 1\ncreated: {}\nupdated: {}\nactor: {}\n",
        text_of(&document, "createdAt"),
        text_of(&document, "updatedAt"),
        text_of(&document, "actor"),
    );
    assert_eq!(world.ok(&["type", "show", "prices"]), expected);
    let text = world.ok(&["type", "list"]);
    assert!(
        text.starts_with("TYPE    REVISION  REQUIRED  SORTED BY  TIMES IN  UPDATED\nprices  1 "),
        "{text}"
    );
}

#[test]
fn a_definition_is_replaced_only_when_told() {
    let world = World::new();
    let first = register(&world, &["--require", "ts"]);
    let other = ["type", "register", "prices", "--require", "price"];
    world.fails(&other, 4, "conflict", "");
    assert_eq!(world.json(&["type", "show", "prices"]), first);
    let second = world.json(&[&other[..], &["--replace"]].concat());
    assert_eq!(
        (&second["revision"], &second["requiredColumns"]),
        (&json!(2), &json!(["price"]))
    );
    assert_eq!(second["createdAt"], first["createdAt"]);
    assert!(second.get("timestampColumn").is_none());
}

#[test]
fn what_is_not_registered_is_not_found() {
    let world = World::new();
    world.json(&["init"]);
    assert_eq!(world.json(&["type", "list"]), json!({"items": []}));
    assert_eq!(world.ok(&["type", "list"]), "no registered types\n");
    world.fails(
        &["type", "show", "prices"],
        3,
        "not_found",
        "the artifact type is not registered",
    );
}

#[test]
fn contradictory_definitions_are_refused() {
    let world = World::new();
    let refused = |options: &[&str], message: &str| {
        let arguments = [&["type", "register", "prices"], options].concat();
        world.fails(&arguments, 2, "invalid", message);
    };
    refused(
        &["--require", "a", "--require", "a"],
        "the required columns name a column twice",
    );
    refused(
        &["--canonical", "a", "--sort", "b"],
        "a sort key is not a canonical column",
    );
    refused(&["--timestamp", ""], "the column name is empty");
    assert!(!world.root().exists());
}

#[test]
fn a_missing_column_is_refused_before_anything_is_written() {
    let world = World::new();
    register(&world, &["--require", "price", "--require", "volume"]);
    world.write("prices.csv", "ts,price\n2026-11-01,1.5\n");
    let digest = || text_of(&world.json(&["status", "--digest"]), "dumpDigest").to_owned();
    let before = (digest(), world.listing());
    let arguments = ["publish", "prices.csv", "--type", "prices", "--key", "k"];
    world.fails(&arguments, 2, "invalid", "");
    let said = world.run(&arguments).failed(2);
    assert!(said.contains("volume"), "{said}");
    assert_eq!((digest(), world.listing()), before);
    // What is no table is not concerned.
    world.json(&[&arguments[..], &["--as", "file"]].concat());
}

#[test]
fn rows_are_sorted_and_columns_chosen_as_registered() {
    let world = World::new();
    register(
        &world,
        &[
            "--canonical",
            "id",
            "--canonical",
            "price",
            "--sort",
            "id",
            "--timestamp",
            "seen",
        ],
    );
    world.write(
        "a.csv",
        "id,price,made,seen\n1,1.5,2020-01-01,2026-11-01\n2,2.5,2020-01-01,2026-11-02\n",
    );
    world.write(
        "b.csv",
        "price,id,made,seen\n2.5,2,2020-01-01,2026-12-02\n1.5,1,2020-01-01,2026-12-01\n",
    );
    let first = publish(&world, "a.csv");
    let id = text_of(&first, "artifactId");
    let artifact = world.json(&["get", id]);
    assert_eq!(artifact["minTs"], "2026-11-01T00:00:00.000Z");
    assert_eq!(artifact["maxTs"], "2026-11-02T00:00:00.000Z");
    assert_eq!(
        publish(&world, "b.csv"),
        json!({"success": true, "deduped": true, "mode": "content_hash", "existingArtifactId": id})
    );
}
