//! Roots that vanish, cannot be written, or lie on a network.

use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::ErrorKind;
use artstore_core::artifact::ArtifactSource;
use artstore_core::id::ArtifactId;
use artstore_core::registry::{TypeDefinition, TypeRegistration};
use artstore_core::tags::{TagChange, Tags};
use artstore_testkit::samples;
use artstore_tests::observed::vfs::ObservedVfs;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::store::{LocalStore, Wrapping};
use artstore_tests::trial::filesystem::SmallFilesystem;
use artstore_tests::trial::script::Script;
use artstore_tests::trial::{Trial, delete_catalog, dump, find, read, request};

use crate::{assert_hint, check_clean, files, refused};

#[tokio::test]
async fn a_root_that_vanishes_is_said_and_nothing_is_made_in_its_place() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let kept = port.publish_artifact(request("kept", "kept", "kept")).await;
    let kept = kept.unwrap().artifact().id;
    let away = trial.beside("away");
    std::fs::rename(trial.root(), &away).unwrap();
    for _ in 0..2 {
        let published = port.publish_artifact(request("k", "k", "op")).await;
        let error = refused(published, ErrorKind::Unavailable);
        assert_hint(&error, "restore the directory");
        refused(read(&*port, kept).await, ErrorKind::Unavailable);
        let page = artstore_core::page::PageRequest::default();
        let listed = port.list_artifacts(&Default::default(), &page).await;
        refused(listed, ErrorKind::Unavailable);
        refused(store.maintenance().rebuild().await, ErrorKind::Unavailable);
        assert!(!port.is_available().await);
    }
    assert!(!trial.root().exists());
    // Another directory in its place is not the store either, and stays as it is.
    std::fs::create_dir(trial.root()).unwrap();
    let published = port.publish_artifact(request("k", "k", "op")).await;
    refused(published, ErrorKind::Unavailable);
    refused(store.maintenance().rebuild().await, ErrorKind::Unavailable);
    let made = std::fs::read_dir(trial.root()).unwrap();
    let made: Vec<_> = made.map(|entry| entry.unwrap().file_name()).collect();
    assert!(made.is_empty(), "{made:?}");
    std::fs::remove_dir(trial.root()).unwrap();
    // Back in its place everything is as it was.
    std::fs::rename(&away, trial.root()).unwrap();
    assert_eq!(read(&*port, kept).await.unwrap(), "kept");
    let result = port
        .publish_artifact(request("k", "k", "op"))
        .await
        .unwrap();
    assert!(!result.is_duplicate());
    store.close().await;
    drop((port, store));
    check_clean(&trial.root()).await;
}

#[tokio::test]
async fn a_root_on_a_network_filesystem_is_refused() {
    let trial = Trial::new();
    let wrapping = Wrapping {
        vfs: Box::new(|vfs| {
            Arc::new(ObservedVfs::new(vfs, Arc::new(Script::new())).on_network("nfs4"))
        }),
        ..Wrapping::default()
    };
    let opened = LocalStore::open_wrapped(&trial.root(), wrapping).await;
    let error = refused(opened, ErrorKind::Unsupported);
    assert_eq!(error.context_value("filesystem"), Some("nfs4"));
    assert_hint(&error, "local disk");
    let made = std::fs::read_dir(trial.root()).map_or(0, Iterator::count);
    assert_eq!(made, 0, "nothing is made there");
}

/// A filesystem with a store that was closed cleanly, its artifact and its dump; `None` where it cannot be made.
async fn closed_on_a_filesystem() -> Option<(SmallFilesystem, PathBuf, ArtifactId, String)> {
    let filesystem = match SmallFilesystem::mount(16 << 20) {
        Ok(filesystem) => filesystem,
        Err(reason) => {
            eprintln!("SKIPPED: {reason}");
            return None;
        }
    };
    let root = filesystem.path().join("store");
    let store = LocalStore::open(&root).await.unwrap();
    let port = store.artifacts();
    let kept = port.publish_artifact(request("kept", "kept", "kept")).await;
    let kept = kept.unwrap().artifact().id;
    let better = request("better", "better", "better");
    port.publish_artifact(better).await.unwrap();
    let dump_before = dump(&*store.maintenance()).await.unwrap();
    store.close().await;
    Some((filesystem, root, kept, dump_before))
}

#[tokio::test]
async fn a_read_only_root_is_read_after_a_clean_close() {
    let Some((filesystem, root, kept, dump_before)) = closed_on_a_filesystem().await else {
        return;
    };
    filesystem.make_read_only().unwrap();
    let store = LocalStore::open(&root).await.unwrap();
    let port = store.artifacts();
    assert_eq!(read(&*port, kept).await.unwrap(), "kept");
    assert_eq!(find(&*port, "kept").await.unwrap().len(), 1);
    assert_eq!(dump(&*store.maintenance()).await.unwrap(), dump_before);
    store.close().await;
}

#[tokio::test]
async fn a_read_only_root_is_not_written() {
    let Some((filesystem, root, kept, _)) = closed_on_a_filesystem().await else {
        return;
    };
    let before = files(&root);
    filesystem.make_read_only().unwrap();
    let store = LocalStore::open(&root).await.unwrap();
    let port = store.artifacts();
    let change = TagChange {
        add: Tags::try_from([("a", "b")]).unwrap(),
        remove: Vec::new(),
    };
    let mut table = request("t", "", "table");
    table.table = Some(Spelling::Csv.format());
    table.source = ArtifactSource::Bytes(Spelling::Csv.of(&rows(1, 3)));
    let definition = TypeDefinition::new(samples::artifact_type("t"));
    let types = store.types();
    let registered = types.register_type(definition, TypeRegistration::KeepExisting);
    let registered = registered.await;
    let better = find(&*port, "better").await.unwrap()[0].id;
    for error in [
        refused(
            port.publish_artifact(request("k", "k", "op")).await,
            ErrorKind::Unavailable,
        ),
        refused(port.tag(kept, change, None).await, ErrorKind::Unavailable),
        refused(port.publish_artifact(table).await, ErrorKind::Unavailable),
        refused(
            port.tombstone(kept, "wrong", None).await,
            ErrorKind::Unavailable,
        ),
        refused(
            port.supersede(better, kept, None).await,
            ErrorKind::Unavailable,
        ),
        refused(registered, ErrorKind::Unavailable),
        refused(store.maintenance().rebuild().await, ErrorKind::Unavailable),
        refused(store.maintenance().settle().await, ErrorKind::Unavailable),
    ] {
        assert!(error.hint_text().is_some(), "{error:?}");
    }
    store.close().await;
    drop((port, store));
    assert_eq!(files(&root), before);
    filesystem.make_writable().unwrap();
    check_clean(&root).await;
}

#[tokio::test]
async fn a_missing_catalog_on_a_read_only_root_is_said() {
    let Some((filesystem, root, _, dump_before)) = closed_on_a_filesystem().await else {
        return;
    };
    delete_catalog(&root);
    filesystem.make_read_only().unwrap();
    let store = LocalStore::open(&root).await.unwrap();
    let found = find(&*store.artifacts(), "kept").await;
    let error = refused(found, ErrorKind::Unavailable);
    assert!(error.hint_text().is_some(), "{error:?}");
    store.close().await;
    filesystem.make_writable().unwrap();
    assert_eq!(dump(&*store.maintenance()).await.unwrap(), dump_before);
    store.close().await;
    drop(store);
    check_clean(&root).await;
}
