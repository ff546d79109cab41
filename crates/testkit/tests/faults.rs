//! Decorators fail and count what they are told to, and a lock that does not lock is noticed.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use artstore_core::backend::{
    ArtifactCatalog, ArtifactChange, ArtifactCommit, BlobStore as _, DomainLock, Publication,
    PublicationItem, PublicationLog as _,
};
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
    let (store, faults) = (Arc::new(MemoryStore::new()), Faults::new());
    let faulty = FaultyStore::new(
        Arc::clone(&store) as _,
        Arc::clone(&store) as _,
        faults.clone(),
    );
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
