//! Whatever goes wrong gives one typed error that says what and what to do, leaves nothing half-made, and loses nothing.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test asserts, and says what it cannot do"
)]

mod catalogs;
mod disks;
mod names;
mod roots;
mod sources;
mod tables;
mod types;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use artstore_core::{Error, ErrorKind, Result};
use artstore_tests::kill::history::check_store;
use artstore_tests::store::LocalStore;
use artstore_tests::trial::files_below;

/// The error of a call that had to fail, and that it is of this kind and says where.
fn refused<T: Debug>(result: Result<T>, kind: ErrorKind) -> Error {
    let error = result.expect_err("this must fail");
    assert_eq!(error.kind(), kind, "{error:?}");
    error
}

/// Asserts that the hint says `words`.
fn assert_hint(error: &Error, words: &str) {
    let hint = error.hint_text().unwrap_or_default();
    assert!(hint.contains(words), "{error:?}");
}

/// Every file of a store but the catalog's and those of locks, with its bytes.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    files_below(root)
        .into_iter()
        .filter(|name| !name.starts_with("catalog.sqlite"))
        .map(|name| {
            let bytes = std::fs::read(root.join(&name)).expect("a file is readable");
            (name, bytes)
        })
        .collect()
}

/// Settles and rebuilds by a store of its own, which has staged nothing.
async fn check_clean(root: &Path) {
    let store = LocalStore::open(root).await.unwrap();
    check_store(&*store.maintenance(), root).await.unwrap();
    store.close().await;
}
