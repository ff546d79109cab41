//! What the backends in memory refuse although real ones may let it pass.

use std::time::Duration;

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
