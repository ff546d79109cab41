//! What the backends in memory refuse although real ones may let it pass.

use std::time::Duration;

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{
    ArtifactCatalog as _, ArtifactChange, ArtifactCommit, BlobStore as _, CatalogHead,
    DomainLock as _, Publication, PublicationItem, PublicationLog as _,
};
use artstore_core::format::IntentItem;
use artstore_core::{Domain, ErrorKind};
use artstore_testkit::memory::{MemoryArtifactCatalog, MemoryLock, MemoryStore};
use artstore_testkit::samples;
use bytes::Bytes;
use futures_util::stream;

#[tokio::test]
async fn a_catalog_refuses_what_contradicts_itself() {
    let catalog = MemoryArtifactCatalog::empty(samples::store_id());
    let mut same_path = samples::artifact(2);
    same_path.data_path = samples::artifact(1).data_path;
    let put = |number| ArtifactChange::Put(Box::new(samples::artifact(number)));
    let record =
        |number| ArtifactChange::Record(samples::event_row(1, samples::artifact_id(number)));
    for changes in [
        vec![put(1), record(2)],
        vec![put(1), ArtifactChange::Put(Box::new(same_path))],
    ] {
        let commit = ArtifactCommit { changes };
        let error = catalog.apply(&samples::permit(), commit).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert_eq!(catalog.counts().await.unwrap().total(), 0);
    }
    let changes = vec![record(1), put(1)];
    let commit = ArtifactCommit { changes };
    catalog
        .apply(&samples::permit(), commit.clone())
        .await
        .unwrap();
    let behind: CatalogHead = samples::empty_head();
    let commits = Box::pin(stream::iter([Ok(commit)]));
    catalog
        .rebuild(&samples::permit(), behind, commits)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_catalog_refuses_improper_lists() {
    let catalog = MemoryArtifactCatalog::empty(samples::store_id());
    let mut twice = samples::artifact(1);
    twice.inputs = vec![samples::input(5, Some("a")), samples::input(5, Some("a"))];
    let mut descending = samples::artifact(2);
    descending.supersedes = [4, 3].map(samples::artifact_id).to_vec();
    let mut repeated = samples::artifact(3);
    repeated.supersedes = [4, 4].map(samples::artifact_id).to_vec();
    for artifact in [twice, descending, repeated] {
        let changes = vec![ArtifactChange::Put(Box::new(artifact))];
        let commit = ArtifactCommit { changes };
        let error = catalog.apply(&samples::permit(), commit).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
    assert_eq!(catalog.head().await.unwrap().commits, 0);
}

#[tokio::test]
async fn a_source_replaced_by_equal_bytes_or_an_equal_time_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let (source, other) = (directory.path().join("a"), directory.path().join("b"));
    std::fs::write(&source, "same").unwrap();
    std::fs::write(&other, "same").unwrap();
    let modified = std::fs::metadata(&source).unwrap().modified().unwrap();
    let store = MemoryStore::new();
    let named = ArtifactSource::File(source.clone());
    let opened = store.open_source(&named).await.unwrap();
    opened.check_unchanged().unwrap();

    // Other bytes of the same number at the same time.
    std::fs::write(&source, "else").unwrap();
    let file = std::fs::File::options().write(true).open(&source).unwrap();
    file.set_modified(modified).unwrap();
    let error = opened.check_unchanged().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    std::fs::write(&source, "same").unwrap();
    file.set_modified(modified).unwrap();
    opened.check_unchanged().unwrap();

    std::fs::rename(&other, &source).unwrap();
    let error = opened.check_unchanged().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_staged_file_is_opened_as_it_was_staged() {
    let store = MemoryStore::new();
    let staged = store.stage_document(samples::staging_id(1), Bytes::from_static(b"{}"));
    let staged = staged.await.unwrap();
    let mut forged = staged.clone();
    forged.fingerprint = None;
    let error = store.open_staged(&forged).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let opened = store.open_staged(&staged).await.unwrap();
    opened.check_unchanged().unwrap();
    store.discard(vec![staged]).await;
    let error = opened.check_unchanged().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn the_dead_leave_what_they_were_writing() {
    let store = MemoryStore::new();
    let dying = store.another_process();
    let mut writer = dying.begin_staging(samples::staging_id(1)).await.unwrap();
    dying
        .begin_staging(samples::staging_id(1))
        .await
        .unwrap_err();
    writer.write_all(b"half").unwrap();
    dying.die();
    drop(writer);
    assert_eq!(store.files().len(), 1);
    let report = store.sweep_staging(&samples::permit()).await.unwrap();
    assert_eq!((report.removed, store.files().len()), (1, 0));
}

#[tokio::test]
async fn a_put_document_outlives_a_crash() {
    let (store, permit) = (MemoryStore::new(), samples::permit());
    let (name, link) = (samples::path("types/a.json"), samples::path("types/b.json"));
    let document = Bytes::from_static(b"{}");
    let put = store.put_document(&permit, &name, document.clone());
    put.await.unwrap();
    store.plant_link(&link);
    let error = store.put_document(&permit, &link, document.clone()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Corrupt);
    let copy = store.clone_state();
    store.remove(&name);
    assert_eq!(copy.read_document(&name).await.unwrap(), Some(document));
}

#[tokio::test]
async fn a_store_refuses_what_it_did_not_stage_or_intend() {
    let (store, permit) = (MemoryStore::new(), samples::permit());
    let staged = store.stage_document(samples::staging_id(1), Bytes::from_static(b"{}"));
    let staged = staged.await.unwrap();
    let mut forged = staged.clone();
    forged.fingerprint = None;
    let again = store.stage_document(samples::staging_id(1), Bytes::from_static(b"{}"));
    again.await.unwrap_err();
    let publication = Publication {
        id: samples::publication_id(1),
        domain: Domain::Artifacts,
        items: vec![PublicationItem {
            op_id: samples::op_id("forged"),
            files: vec![(forged, samples::path("artifacts/x"))],
            document: None,
        }],
    };
    let results = store.publish(&permit, publication.clone()).await.unwrap();
    results[0].as_ref().unwrap_err();
    store.publish(&permit, publication).await.unwrap_err();
    let unknown = IntentItem {
        op_id: samples::op_id("unknown"),
        before: Vec::new(),
        marker: samples::path("artifacts/y"),
        adopted_from: None,
    };
    store.settle_item(&permit, &unknown).await.unwrap_err();
    let missing = samples::path("artifacts/z.json");
    let replaced = store.replace_document(&permit, &missing, Bytes::from_static(b"{}"));
    replaced.await.unwrap_err();
}

#[tokio::test]
async fn a_lock_takes_notes_from_its_holder_only() {
    let lock = MemoryLock::new();
    let held = lock
        .acquire(Domain::Artifacts, Duration::ZERO)
        .await
        .unwrap();
    lock.leave_commits(&samples::permit(), 7).await.unwrap_err();
    lock.leave_commits(&held.permit, 8).await.unwrap();
    assert_eq!(lock.last_commits(Domain::Artifacts).await.unwrap(), Some(8));
}

#[tokio::test]
async fn a_copy_of_a_crashed_store_goes_its_own_way() {
    let store = MemoryStore::new();
    let path = samples::path("artifacts/x");
    store.plant(&path, "before");
    let left = store.stage_document(samples::staging_id(1), Bytes::from_static(b"{}"));
    left.await.unwrap();
    let copy = store.clone_state();
    store.remove(&path);
    assert_eq!(
        copy.files().get(&path),
        Some(&Bytes::from_static(b"before"))
    );
    let report = copy.sweep_staging(&samples::permit()).await.unwrap();
    assert_eq!((report.removed, report.living_owners), (1, 0));
    assert_eq!(
        store
            .sweep_staging(&samples::permit())
            .await
            .unwrap()
            .removed,
        0
    );
}
