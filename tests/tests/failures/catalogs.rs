//! Catalogs that are newer, another store's, locked or damaged.

use std::io::ErrorKind as IoKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use artstore_core::ErrorKind;
use artstore_core::artifact::ArtifactInput;
use artstore_core::backend::ArtifactCatalog;
use artstore_core::tags::Tags;
use artstore_sqlite::{SqliteArtifactCatalog, SqliteSettings};
use artstore_testkit::samples;
use artstore_tests::store::{LocalStore, Wrapping};
use artstore_tests::trial::script::Script;
use artstore_tests::trial::{Trial, dump, find, read, request};

use crate::{assert_hint, check_clean, files, refused};

/// A closed store with `count` artifacts, and its dump.
async fn filled(count: usize) -> (Trial, String) {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    for number in 0..count {
        let name = format!("{number}");
        port.publish_artifact(request(&name, &name, &name))
            .await
            .unwrap();
    }
    let dump = dump(&*store.maintenance()).await.unwrap();
    store.close().await;
    (trial, dump)
}

#[tokio::test]
async fn a_newer_store_is_refused_by_its_version() {
    let (trial, _) = filled(1).await;
    let path = trial.root().join("artstore.json");
    let document = std::fs::read_to_string(&path).unwrap();
    let newer = document.replacen("\"format_version\": 1", "\"format_version\": 2", 1);
    assert_ne!(newer, document);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, newer).unwrap();
    let before = files(&trial.root());
    let opened = LocalStore::open(&trial.root()).await;
    let error = refused(opened, ErrorKind::Unsupported);
    assert!(error.hint_text().is_some(), "{error:?}");
    assert_eq!(files(&trial.root()), before);
    std::fs::write(&path, document).unwrap();
    check_clean(&trial.root()).await;
}

#[tokio::test]
async fn the_catalog_of_another_store_is_refused_and_can_be_removed() {
    let (trial, dump_before) = filled(3).await;
    let (other, _) = filled(2).await;
    trial.delete_catalog();
    std::fs::copy(other.catalog(), trial.catalog()).unwrap();
    let before = files(&trial.root());
    let store = trial.open().await;
    let port = store.artifacts();
    let error = refused(find(&*port, "1").await, ErrorKind::Conflict);
    assert_hint(&error, "remove the catalog");
    let published = port.publish_artifact(request("new", "new", "new")).await;
    let error = refused(published, ErrorKind::Conflict);
    assert_hint(&error, "remove the catalog");
    store.close().await;
    assert_eq!(files(&trial.root()), before);
    trial.delete_catalog();
    assert_eq!(dump(&*store.maintenance()).await.unwrap(), dump_before);
    store.close().await;
    drop((port, store));
    check_clean(&trial.root()).await;
}

#[tokio::test]
async fn a_locked_database_leaves_the_outcome_to_a_repetition() {
    let (trial, _) = filled(1).await;
    let path = trial.catalog();
    let impatient = SqliteSettings {
        busy_timeout: Duration::from_millis(30),
        ..SqliteSettings::default()
    };
    let wrapping = Wrapping {
        catalog: Box::new(move |_| {
            Arc::new(SqliteArtifactCatalog::new(path, impatient)) as Arc<dyn ArtifactCatalog>
        }),
        ..Wrapping::default()
    };
    let store = LocalStore::open_wrapped(&trial.root(), wrapping)
        .await
        .unwrap();
    let port = store.artifacts();
    let intruder = rusqlite::Connection::open(trial.catalog()).unwrap();
    intruder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(find(&*port, "0").await.unwrap().len(), 1, "readers go on");
    let error = port
        .publish_artifact(request("k", "k", "op"))
        .await
        .unwrap_err();
    match error.kind() {
        ErrorKind::Busy => {}
        kind => {
            assert_eq!(kind, ErrorKind::CommitUnknown, "{error:?}");
            assert_hint(&error, "repeat the call with operation id op");
        }
    }
    intruder.execute_batch("ROLLBACK").unwrap();
    drop(intruder);
    let result = port
        .publish_artifact(request("k", "k", "op"))
        .await
        .unwrap();
    assert!(!result.is_duplicate());
    assert_eq!(find(&*port, "k").await.unwrap().len(), 1);
    store.close().await;
    assert_eq!(trial.files_in("artifacts").len(), 4);
    drop((port, store));
    check_clean(&trial.root()).await;
}

type Damage = fn(&Path);

fn garbage_in_the_middle(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    assert!(bytes.len() > 3 * 4096);
    for (position, byte) in bytes.iter_mut().enumerate().skip(4096) {
        *byte = (position % 251) as u8;
    }
    std::fs::write(path, bytes).unwrap();
}

fn garbage_at_the_start(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[..1000].fill(0x5a);
    std::fs::write(path, bytes).unwrap();
}

fn truncated(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(2 * 4096 + 100).unwrap();
}

fn empty(path: &Path) {
    std::fs::write(path, "").unwrap();
}

fn text(path: &Path) {
    std::fs::write(path, "this was a database once\n".repeat(500)).unwrap();
}

fn directory(path: &Path) {
    std::fs::remove_file(path).unwrap();
    std::fs::create_dir(path).unwrap();
}

#[tokio::test]
async fn a_damaged_database_is_said_and_rebuilt_to_the_same_dump() {
    let damages: [(&str, Damage); 6] = [
        ("garbage in the middle", garbage_in_the_middle),
        ("garbage at the start", garbage_at_the_start),
        ("truncated", truncated),
        ("empty", empty),
        ("text", text),
        ("directory", directory),
    ];
    for (name, damage) in damages {
        let (trial, dump_before) = filled(30).await;
        damage(&trial.catalog());
        let before = files(&trial.root());
        let store = trial.open().await;
        let error = refused(dump(&*store.maintenance()).await, ErrorKind::Corrupt);
        assert_hint(&error, "rebuild");
        let shown = trial.catalog().display().to_string();
        assert_eq!(
            error.context_value("catalog"),
            Some(shown.as_str()),
            "{name}: {error:?}"
        );
        let port = store.artifacts();
        let published = port.publish_artifact(request("new", "new", "op")).await;
        refused(published, ErrorKind::Corrupt);
        store.close().await;
        assert_eq!(files(&trial.root()), before, "{name}");
        let report = store.maintenance().rebuild().await;
        let report = report.expect(name);
        assert_eq!((report.records, report.faults), (30, Vec::new()), "{name}");
        let aside = report.moved_aside.expect("the damaged one was kept");
        assert!(Path::new(&aside).exists(), "{name}: {aside}");
        assert_eq!(
            dump(&*store.maintenance()).await.unwrap(),
            dump_before,
            "{name}"
        );
        let result = port
            .publish_artifact(request("new", "new", "op"))
            .await
            .unwrap();
        assert_eq!(read(&*port, result.artifact().id).await.unwrap(), "new");
        store.close().await;
        drop((port, store));
        check_clean(&trial.root()).await;
    }
}

/// What a change under way rests on may be missing from the catalog that is put back: older events come first.
#[tokio::test]
async fn a_change_under_way_and_an_older_catalog_lose_nothing() {
    for kind in ["superseded", "tombstoned"] {
        let trial = Trial::new();
        let script = Arc::new(Script::new());
        let store = LocalStore::open_observed(&trial.root(), script.clone()).await;
        let store = store.unwrap();
        let port = store.artifacts();
        let old = port.publish_artifact(request("old", "old", "old")).await;
        let old = old.unwrap().artifact().id;
        let new = port.publish_artifact(request("new", "new", "new")).await;
        let new = new.unwrap().artifact().id;
        store.close().await;
        let kept = trial.beside("kept.sqlite");
        std::fs::copy(trial.catalog(), &kept).unwrap();
        let mut merged = request("old", "old", "merged");
        merged.tags = Tags::try_from([("kept", "yes")]).unwrap();
        merged.inputs = vec![ArtifactInput::new(new)];
        assert!(port.publish_artifact(merged).await.unwrap().is_duplicate());
        script.fail(&format!("catalog.before-commit-of-{kind}"), IoKind::Other);
        let change = async || match kind {
            "superseded" => port.supersede(new, old, Some(samples::op_id("op"))).await,
            _ => {
                port.tombstone(old, "wrong", Some(samples::op_id("op")))
                    .await
            }
        };
        refused(change().await, ErrorKind::CommitUnknown);
        store.close().await;
        script.heal();
        trial.delete_catalog();
        std::fs::copy(&kept, trial.catalog()).unwrap();
        let changed = change().await.unwrap();
        assert!(changed.tags.contains("kept", "yes"), "{changed:?}");
        assert_eq!(changed.inputs, [ArtifactInput::new(new)], "{kind}");
        assert_eq!((changed.revision, changed.last_event), (3, 2));
        store.close().await;
        drop((port, store));
        check_clean(&trial.root()).await;
    }
}
