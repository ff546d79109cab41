//! The published vectors of the content hash.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a harness of tests asserts"
)]

mod support;

use artstore_core::table::TableRules;
use bytes::Bytes;

#[test]
fn the_published_vectors_are_met() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let expected = std::fs::read_to_string(format!("{directory}/expected.txt")).unwrap();
    assert_eq!(expected.lines().count(), 10);
    for line in expected.lines() {
        let (expected, name) = line.split_once("  ").unwrap();
        let file = Bytes::from(std::fs::read(format!("{directory}/{name}")).unwrap());
        let facts = support::describe(&file, &TableRules::default()).unwrap();
        assert_eq!(facts.content_hash.unwrap().to_string(), expected, "{name}");
        assert_eq!(support::inspect(&file).unwrap(), facts.schema);
    }
}
