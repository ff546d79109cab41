//! Decorators fail and count what they are told to, and a lock that does not lock is noticed.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{
    ArtifactCatalog, ArtifactChange, ArtifactCommit, BlobStore as _, DomainLock, NoProgress,
    Publication, PublicationItem, PublicationLog as _,
};
use artstore_core::lineage::{Relation, WalkLimits};
use artstore_core::{Domain, Error, ErrorKind, Result};
use artstore_testkit::conformance::Capability;
use artstore_testkit::conformance::lock::{
    LockCapabilities, LockHarness, one_permit_exists_at_a_time,
};
use artstore_testkit::faults::{
    CountingArtifactCatalog, FaultTime, Faults, FaultyArtifactCatalog, FaultyStore, NoLock,
};
use artstore_testkit::memory::{MemoryArtifactCatalog, MemoryStore};
use artstore_testkit::samples;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};

fn catalog() -> Arc<dyn ArtifactCatalog> {
    Arc::new(MemoryArtifactCatalog::empty(samples::store_id()))
}

fn one_artifact(number: u64) -> ArtifactCommit {
    let artifact = Box::new(samples::artifact(number));
    ArtifactCommit {
        changes: vec![ArtifactChange::Put(artifact)],
    }
}

#[tokio::test]
async fn the_nth_call_fails_before_or_after_its_work() {
    let (inner, faults, permit) = (catalog(), Faults::new(), samples::permit());
    let faulty = FaultyArtifactCatalog::new(Arc::clone(&inner), faults.clone());
    faulty.apply(&permit, one_artifact(1)).await.unwrap();
    faults.fail("apply", 1, FaultTime::Before, ErrorKind::Busy);
    faults.fail("apply", 3, FaultTime::After, ErrorKind::Unavailable);
    let error = faulty.apply(&permit, one_artifact(2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(inner.head().await.unwrap().commits, 1);
    assert_eq!(faulty.apply(&permit, one_artifact(3)).await.unwrap(), 2);
    let error = faulty.apply(&permit, one_artifact(4)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(inner.head().await.unwrap().commits, 3);
    assert_eq!((faults.calls("apply"), faults.outstanding()), (4, 0));
}

#[tokio::test]
async fn after_death_nothing_is_done() {
    let (inner, faults, permit) = (catalog(), Faults::new(), samples::permit());
    let faulty = FaultyArtifactCatalog::new(Arc::clone(&inner), faults.clone());
    faults.die("apply", 2, FaultTime::After);
    faulty.apply(&permit, one_artifact(1)).await.unwrap();
    faulty.apply(&permit, one_artifact(2)).await.unwrap_err();
    faulty.apply(&permit, one_artifact(3)).await.unwrap_err();
    faulty.head().await.unwrap_err();
    assert_eq!(inner.head().await.unwrap().commits, 2);
}

#[tokio::test]
async fn calls_are_counted_by_method() {
    let counting = CountingArtifactCatalog::new(catalog());
    counting.head().await.unwrap();
    counting.scan(None, 1).await.unwrap();
    counting.scan(None, 1).await.unwrap();
    assert_eq!((counting.calls("head"), counting.calls("scan")), (1, 2));
    assert_eq!(counting.calls("apply"), 0);
}

#[tokio::test]
async fn a_publication_that_fails_afterwards_is_unknown() {
    let (_, faults, faulty) = faulty_store();
    let event = samples::path("events/1.json");
    let publication = Publication {
        id: samples::publication_id(1),
        domain: Domain::Artifacts,
        items: vec![PublicationItem {
            op_id: samples::op_id("one"),
            files: Vec::new(),
            document: Some((event.clone(), Bytes::from_static(b"{}"))),
        }],
    };
    faults.fail("publish", 1, FaultTime::Before, ErrorKind::Unavailable);
    faults.fail("publish", 2, FaultTime::After, ErrorKind::Unavailable);
    faults.fail("list", 1, FaultTime::Before, ErrorKind::Corrupt);
    let permit = samples::permit();
    faulty
        .publish(&permit, publication.clone())
        .await
        .unwrap_err();
    assert_eq!(faulty.size(&event).await.unwrap(), None);
    let results = faulty.publish(&permit, publication).await.unwrap();
    assert_eq!(
        results[0].as_ref().unwrap_err().kind(),
        ErrorKind::CommitUnknown
    );
    assert_eq!(faulty.size(&event).await.unwrap(), Some(2));
    let listed = faulty.list(&samples::path("events")).next().await.unwrap();
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Corrupt);
}

fn faulty_store() -> (Arc<MemoryStore>, Faults, FaultyStore) {
    let (store, faults) = (Arc::new(MemoryStore::new()), Faults::new());
    let faulty = FaultyStore::new(
        Arc::clone(&store) as _,
        Arc::clone(&store) as _,
        faults.clone(),
    );
    (store, faults, faulty)
}

#[tokio::test]
async fn walks_are_counted_and_fail() {
    let (inner, faults, permit) = (catalog(), Faults::new(), samples::permit());
    inner.apply(&permit, one_artifact(1)).await.unwrap();
    let counting = Arc::new(CountingArtifactCatalog::new(inner));
    let faulty = FaultyArtifactCatalog::new(Arc::clone(&counting) as _, faults.clone());
    faults.fail("walk", 2, FaultTime::Before, ErrorKind::Busy);
    let (start, limits) = (samples::artifact_id(1), WalkLimits::default());
    let walk = || faulty.walk(start, Relation::Inputs, limits);
    assert!(walk().await.unwrap().is_some());
    assert_eq!(walk().await.unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!((counting.calls("walk"), faults.calls("walk")), (1, 2));
}

#[tokio::test]
async fn reads_of_opened_files_fail_when_told() {
    let (_, faults, faulty) = faulty_store();
    let source = ArtifactSource::Bytes(Bytes::from_static(b"0123456789"));
    faults.fail("open_source", 1, FaultTime::Before, ErrorKind::Unavailable);
    faults.fail("open_staged", 1, FaultTime::After, ErrorKind::Unavailable);
    faults.fail(
        "read_exact_at",
        2,
        FaultTime::Before,
        ErrorKind::Unavailable,
    );
    faults.fail("read_exact_at", 3, FaultTime::After, ErrorKind::Conflict);
    faults.fail("check_unchanged", 2, FaultTime::Before, ErrorKind::Conflict);
    faulty.open_source(&source).await.unwrap_err();
    let opened = faulty.open_source(&source).await.unwrap();
    let staged = faulty.stage(samples::staging_id(1), &source, Arc::new(NoProgress));
    let staged = staged.await.unwrap().file;
    faulty.open_staged(&staged).await.unwrap_err();
    let reopened = faulty.open_staged(&staged).await.unwrap();
    let mut buffer = [0; 3];
    opened.read_exact_at(4, &mut buffer).unwrap();
    assert_eq!((&buffer, reopened.size()), (b"456", 10));
    let error = opened.read_exact_at(0, &mut buffer).unwrap_err();
    assert_eq!((error.kind(), &buffer), (ErrorKind::Unavailable, b"456"));
    let error = reopened.read_exact_at(0, &mut buffer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    opened.check_unchanged().unwrap();
    assert_eq!(
        reopened.check_unchanged().unwrap_err().kind(),
        ErrorKind::Conflict
    );
    reopened.check_unchanged().unwrap();
    assert_eq!(
        (faults.calls("read_exact_at"), faults.outstanding()),
        (3, 0)
    );
}

#[tokio::test]
async fn a_staging_writer_that_failed_writes_no_more_and_leaves_nothing() {
    let (store, faults, faulty) = faulty_store();
    for (number, method, nth, time) in [
        (1, "begin_staging", 1, FaultTime::Before),
        (2, "write_all", 1, FaultTime::Before),
        (3, "write_all", 2, FaultTime::After),
        (4, "finish_staging", 1, FaultTime::Before),
        (5, "finish_staging", 1, FaultTime::After),
    ] {
        faults.fail(method, nth, time, ErrorKind::Unavailable);
        let writer = faulty.begin_staging(samples::staging_id(number)).await;
        let result = writer.and_then(|mut writer| {
            let written = writer
                .write_all(b"one")
                .and_then(|()| writer.write_all(b"two"));
            if written.is_err() {
                assert!(store.files().is_empty(), "nothing is left of {method}");
                writer.write_all(b"more").unwrap_err();
            }
            writer.finish()
        });
        assert_eq!(
            result.unwrap_err().kind(),
            ErrorKind::Unavailable,
            "{method}"
        );
        assert!(store.files().is_empty(), "nothing is left of {method}");
        assert_eq!(faults.outstanding(), 0);
    }
    let mut writer = faulty.begin_staging(samples::staging_id(9)).await.unwrap();
    writer.write_all(b"whole").unwrap();
    assert_eq!(writer.finish().unwrap().facts.size_bytes, 5);
}

#[tokio::test]
async fn documents_are_put_before_or_not_at_all() {
    let (_, faults, faulty) = faulty_store();
    faults.fail("put_document", 1, FaultTime::Before, ErrorKind::Unavailable);
    faults.fail("put_document", 2, FaultTime::After, ErrorKind::Unavailable);
    let (name, permit) = (samples::path("types/a.json"), samples::permit());
    let put = || faulty.put_document(&permit, &name, Bytes::from_static(b"{}"));
    put().await.unwrap_err();
    assert_eq!(faulty.size(&name).await.unwrap(), None);
    put().await.unwrap_err();
    assert_eq!(faulty.size(&name).await.unwrap(), Some(2));
    put().await.unwrap();
    assert_eq!(faults.calls("put_document"), 3);
}

struct NoLockHarness(NoLock);

#[async_trait]
impl LockHarness for NoLockHarness {
    async fn open(&self) -> Arc<dyn DomainLock> {
        Arc::new(self.0.instance())
    }

    fn capabilities(&self) -> LockCapabilities {
        LockCapabilities {
            reboot: Capability::Lacking,
            death: Capability::Lacking,
        }
    }

    async fn reboot(&self) -> Result<()> {
        Err(Error::unsupported("it never forgets"))
    }

    async fn die_holding(&self, _domain: Domain) -> Result<()> {
        Err(Error::unsupported("nothing is held"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_does_not_lock_is_noticed() {
    let harness = NoLockHarness(NoLock::new());
    let outcome = AssertUnwindSafe(one_permit_exists_at_a_time(&harness))
        .catch_unwind()
        .await;
    assert!(outcome.is_err());
}
