//! What was lost or could not be moved.

use std::collections::BTreeSet;
use std::io::ErrorKind as IoKind;
use std::sync::Arc;

use artstore_core::ErrorKind;
use artstore_core::artifact::ArtifactInput;
use artstore_testkit::samples;
use artstore_tests::kill::history::check_store;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::store::LocalStore;
use artstore_tests::trial::script::Script;
use artstore_tests::trial::{Trial, dump, find, read, request};

use crate::{publish, refused, spelled};

/// File names were made from the key with its separators replaced and a few digits of the content hash. Two keys with
/// the same table in other bytes had one name, and the second publish overwrote the files of the first.
#[tokio::test]
async fn keys_that_differ_only_in_separators_never_overwrite_each_other() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let rows = rows(1, 5);
    let keys = ["a/b", "a_b", "a b", "a\\b"];
    let spellings = [
        Spelling::Csv,
        Spelling::Plain,
        Spelling::Snappy,
        Spelling::Zstandard,
    ];
    let mut published = Vec::new();
    for (key, spelling) in keys.into_iter().zip(spellings) {
        published.push(publish(&*port, spelled(key, spelling, &rows)).await);
        let mut hinted = spelled(&format!("{key} with a hint"), spelling, &rows);
        hinted.filename_hint = Some("the same hint".to_owned());
        published.push(publish(&*port, hinted).await);
    }
    let hashes: BTreeSet<_> = published.iter().map(|one| one.content_hash).collect();
    assert_eq!(hashes.len(), 1, "they are one table");
    let files: BTreeSet<_> = published.iter().map(|one| one.data_path.as_str()).collect();
    assert_eq!(files.len(), published.len());
    for artifact in &published {
        let bytes = read(&*port, artifact.id).await.unwrap();
        assert_eq!(
            artstore_core::digest::Digest::of(&bytes),
            artifact.file_hash
        );
        assert_eq!(
            crate::record_of(&trial, artifact).into_artifact(),
            *artifact
        );
    }
    store.close().await;
}

/// Files were moved to their places before the row was written, unsynced, and nothing ever looked after them: an error in
/// between left files without a row for ever.
#[tokio::test]
async fn a_publish_that_ends_in_the_middle_leaves_nothing_half_done() {
    let calls = [
        "staged-data.sync",
        "data.rename",
        "record.rename",
        "catalog.before-commit",
    ];
    for call in calls {
        let trial = Trial::new();
        let script = Arc::new(Script::new());
        let store = LocalStore::open_observed(&trial.root(), script.clone()).await;
        let store = store.unwrap();
        let port = store.artifacts();
        publish(&*port, request("earlier", "earlier", "earlier")).await;
        let mut table = spelled("table", Spelling::Csv, &rows(1, 5));
        table.op_id = Some(samples::op_id("table"));
        script.fail(call, IoKind::Other);
        port.publish_artifact(table.clone()).await.unwrap_err();
        store.close().await;
        script.heal();
        drop((port, store));
        let store = trial.open().await;
        let report = store.maintenance().settle().await.unwrap();
        assert!(report.faults.iter().all(|fault| !fault.kind.is_damage()));
        let port = store.artifacts();
        let is_there = !find(&*port, "table").await.unwrap().is_empty();
        let files = trial.files_in("artifacts").len();
        assert_eq!(files, if is_there { 4 } else { 2 }, "{call}");
        publish(&*port, table).await;
        store.close().await;
        drop((port, store));
        let store = trial.open().await;
        check_store(&*store.maintenance(), &trial.root())
            .await
            .unwrap();
        store.close().await;
    }
}

/// An unknown input was only noticed by the database, when the files were in their places already.
#[tokio::test]
async fn an_input_that_does_not_exist_is_refused_before_anything_is_written() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let mut table = spelled("table", Spelling::Csv, &rows(1, 5));
    table.inputs = vec![ArtifactInput::new(samples::artifact_id(7))];
    let error = refused(port.publish_artifact(table).await, ErrorKind::NotFound);
    let missing = samples::artifact_id(7).to_string();
    assert_eq!(error.context_value("missing"), Some(missing.as_str()));
    store.close().await;
    for directory in ["artifacts", "staging", "intents", "quarantine"] {
        assert_eq!(trial.files_in(directory), Vec::<String>::new());
    }
}

/// Looking for a duplicate and inserting were two steps. The second of two publishers of the same bytes failed, after it
/// had put its own record in the place of the first one's; and equal tables were inserted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn publishers_of_the_same_table_at_the_same_time_get_the_same_artifact() {
    let trial = Trial::new();
    let stores = [trial.open().await, trial.open().await];
    let rows = rows(1, 20);
    let mut tasks = Vec::new();
    for number in 0..20 {
        let port = stores[number % 2].artifacts();
        let spelling = Spelling::ALL[number % Spelling::ALL.len()];
        let request = spelled("shared", spelling, &rows);
        tasks.push(tokio::spawn(async move {
            port.publish_artifact(request).await.unwrap()
        }));
    }
    let mut ids = BTreeSet::new();
    let mut new = 0;
    for task in tasks {
        let result = task.await.unwrap();
        new += usize::from(!result.is_duplicate());
        ids.insert(result.artifact().id);
    }
    assert_eq!((new, ids.len()), (1, 1));
    let port = stores[0].artifacts();
    let [artifact] = &find(&*port, "shared").await.unwrap()[..] else {
        panic!("there is more than one");
    };
    assert_eq!(
        crate::record_of(&trial, artifact).into_artifact(),
        *artifact
    );
    for store in &stores {
        store.close().await;
    }
}

/// Rows and records held absolute paths, so that a store could not be moved.
#[tokio::test]
async fn a_store_works_wherever_it_is_moved() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let table = publish(&*port, spelled("table", Spelling::Csv, &rows(1, 5))).await;
    let before = read(&*port, table.id).await.unwrap();
    let dump_before = dump(&*store.maintenance()).await.unwrap();
    store.close().await;
    drop((port, store));
    let directory = trial.root().display().to_string();
    for name in trial.files_in("artifacts") {
        let bytes = std::fs::read(trial.root().join("artifacts").join(name)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(&directory));
    }
    let moved = trial.beside("moved");
    std::fs::rename(trial.root(), &moved).unwrap();
    let store = LocalStore::open(&moved).await.unwrap();
    let port = store.artifacts();
    assert_eq!(port.get_artifact(table.id).await.unwrap(), table);
    assert_eq!(read(&*port, table.id).await.unwrap(), before);
    assert!(port.local_path(table.id).await.unwrap().starts_with(&moved));
    assert_eq!(dump(&*store.maintenance()).await.unwrap(), dump_before);
    store.close().await;
}
