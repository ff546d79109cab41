//! Every behaviour that a suite has is in its macro: a function that nobody calls checks nothing.

#![expect(clippy::unwrap_used, reason = "a test of text asserts")]

use std::collections::BTreeSet;

const MACROS: &str = include_str!("../src/conformance/macros.rs");

fn check(macro_name: &str, suite: &[&str]) {
    let start = MACROS.find(&format!("macro_rules! {macro_name} ")).unwrap();
    let list = MACROS[start..].split_once('[').unwrap().1;
    let listed = list.split_once(']').unwrap().0;
    let listed: Vec<_> = listed.split(',').map(str::trim).collect();
    let listed: BTreeSet<_> = listed.into_iter().filter(|name| !name.is_empty()).collect();
    let written: BTreeSet<_> = suite
        .iter()
        .flat_map(|source| source.split("\npub async fn ").skip(1))
        .map(|function| function.split_once('(').unwrap().0)
        .collect();
    assert!(written.len() > 5, "{macro_name} has behaviours");
    assert_eq!(listed, written, "{macro_name}");
}

#[test]
fn every_behaviour_is_in_its_macro() {
    check(
        "artifact_catalog_conformance",
        &[
            include_str!("../src/conformance/catalog/apply.rs"),
            include_str!("../src/conformance/catalog/conditions.rs"),
            include_str!("../src/conformance/catalog/duplicates.rs"),
            include_str!("../src/conformance/catalog/examine.rs"),
            include_str!("../src/conformance/catalog/life.rs"),
            include_str!("../src/conformance/catalog/list.rs"),
            include_str!("../src/conformance/catalog/rebuild.rs"),
            include_str!("../src/conformance/catalog/rows.rs"),
            include_str!("../src/conformance/catalog/walk.rs"),
            include_str!("../src/conformance/catalog/walk_limits.rs"),
            include_str!("../src/conformance/catalog/walk_rows.rs"),
        ],
    );
    check(
        "blob_store_conformance",
        &[
            include_str!("../src/conformance/blobs/random.rs"),
            include_str!("../src/conformance/blobs/reading.rs"),
            include_str!("../src/conformance/blobs/staging.rs"),
            include_str!("../src/conformance/blobs/writing.rs"),
        ],
    );
    check(
        "publication_log_conformance",
        &[
            include_str!("../src/conformance/publication/keep.rs"),
            include_str!("../src/conformance/publication/publish.rs"),
            include_str!("../src/conformance/publication/put.rs"),
            include_str!("../src/conformance/publication/settle.rs"),
        ],
    );
    let root = include_str!("../src/conformance/root.rs");
    check("store_root_conformance", &[root]);
    let lock = include_str!("../src/conformance/lock.rs");
    check("domain_lock_conformance", &[lock]);
}
