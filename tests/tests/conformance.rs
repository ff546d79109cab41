//! The conformance suites of bytes, publications, roots and locks on the filesystem.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a harness of tests asserts"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use artstore_context::UuidV7Ids;
use artstore_core::backend::{
    BlobStore as _, DomainLock, IdSource, Publication, PublicationLog as _, StoreRoot,
};
use artstore_core::path::RelPath;
use artstore_core::{Domain, Result};
use artstore_fs::vfs::Vfs;
use artstore_fs::{FsLock, FsStore, RealVfs};
use artstore_testkit::conformance::blobs::{OpenStore, StoreCapabilities, StoreHarness};
use artstore_testkit::conformance::lock::{LockCapabilities, LockHarness};
use artstore_testkit::conformance::root::RootHarness;
use artstore_testkit::memory::Interruption;
use artstore_testkit::samples;
use artstore_tests::observed::vfs::ObservedVfs;
use artstore_tests::observed::{Call, Next, Observer};
use async_trait::async_trait;
use bytes::Bytes;
use tempfile::TempDir;

struct FsHarness {
    directory: TempDir,
    sources: TempDir,
    boots: Arc<AtomicU16>,
}

impl FsHarness {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            sources: tempfile::tempdir().unwrap(),
            boots: Arc::default(),
        }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    fn vfs(&self) -> Arc<dyn Vfs> {
        Arc::new(RealVfs::new(self.root()))
    }

    /// A store whose root exists, over what `wrap` makes of the filesystem.
    fn store(&self, wrap: impl FnOnce(Arc<dyn Vfs>) -> Arc<dyn Vfs>) -> Arc<FsStore> {
        std::fs::create_dir_all(self.root()).unwrap();
        let ids: Arc<dyn IdSource> = Arc::new(UuidV7Ids::default());
        FsStore::new(wrap(self.vfs()), ids)
    }
}

/// Lets a publication come as far as an interruption says, then fails everything: what is left is what a killed
/// process leaves.
#[derive(Debug)]
struct Death {
    interruption: Interruption,
    names: BTreeSet<RelPath>,
    markers: BTreeSet<RelPath>,
    given: AtomicUsize,
    is_dead: AtomicBool,
}

impl Death {
    fn new(interruption: Interruption, publication: &Publication) -> Self {
        let items = &publication.items;
        Self {
            interruption,
            names: items.iter().flat_map(|item| item.final_names()).collect(),
            markers: items
                .iter()
                .filter_map(|item| item.final_names().pop())
                .collect(),
            given: AtomicUsize::new(0),
            is_dead: AtomicBool::new(false),
        }
    }

    fn dies_before(&self, call: &Call<'_>, gives_name: bool) -> bool {
        match self.interruption {
            Interruption::BeforeNames => gives_name,
            // The directory is synced when all names are given.
            Interruption::BeforeMarkers | Interruption::AfterMarkers => {
                call.verb == "sync" && self.given.load(Ordering::SeqCst) == self.names.len()
            }
        }
    }
}

impl Observer for Death {
    fn before(&self, call: &Call<'_>) -> Next {
        let gives_name = matches!(call.verb, "rename" | "adopt")
            && call.path.is_some_and(|path| self.names.contains(path));
        if self.dies_before(call, gives_name) {
            self.is_dead.store(true, Ordering::SeqCst);
        }
        if self.is_dead.load(Ordering::SeqCst) {
            return Next::Fail(std::io::ErrorKind::Other);
        }
        if !gives_name {
            return Next::Proceed;
        }
        self.given.fetch_add(1, Ordering::SeqCst);
        let is_marker = call.path.is_some_and(|path| self.markers.contains(path));
        match self.interruption {
            Interruption::BeforeMarkers if is_marker => Next::Pretend,
            _ => Next::Proceed,
        }
    }
}

/// Lets everything happen.
#[derive(Debug)]
struct Unobserved;

impl Observer for Unobserved {
    fn before(&self, _call: &Call<'_>) -> Next {
        Next::Proceed
    }
}

#[async_trait]
impl StoreHarness for FsHarness {
    async fn open(&self) -> OpenStore {
        let store = self.store(|vfs| vfs);
        OpenStore {
            blobs: Arc::clone(&store) as _,
            log: store,
        }
    }

    fn capabilities(&self) -> StoreCapabilities {
        StoreCapabilities::ALL
    }

    fn sources(&self) -> &Path {
        self.sources.path()
    }

    async fn place_link(&self, path: &RelPath, target: &Path) -> Result<()> {
        let link = self.root().join(path);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, link).unwrap();
        Ok(())
    }

    async fn publish_and_die(
        &self,
        publication: Publication,
        interruption: Interruption,
    ) -> Result<()> {
        let death = Arc::new(Death::new(interruption, &publication));
        let dying = self.store(|vfs| Arc::new(ObservedVfs::new(vfs, death.clone())));
        let _ = dying.publish(&samples::permit(), publication).await;
        assert!(death.is_dead.load(Ordering::SeqCst), "it came to its end");
        Ok(())
    }

    async fn leave_torn_intent(&self) -> Result<()> {
        let directory = self.root().join("intents/artifacts");
        std::fs::create_dir_all(&directory).unwrap();
        let name = format!("{}.json", samples::publication_id(99));
        std::fs::write(directory.join(name), "{\"format\": \"arts").unwrap();
        Ok(())
    }

    async fn leave_staged_file(&self) -> Result<()> {
        let dying = self.store(|vfs| vfs);
        let document = Bytes::from_static(b"left");
        dying
            .stage_document(samples::staging_id(1 << 40), document)
            .await?;
        drop(dying);
        Ok(())
    }
}

#[async_trait]
impl RootHarness for FsHarness {
    async fn open(&self) -> Arc<dyn StoreRoot> {
        let ids: Arc<dyn IdSource> = Arc::new(UuidV7Ids::default());
        FsStore::new(self.vfs(), ids)
    }

    async fn place_file(&self, name: &str) {
        std::fs::create_dir_all(self.root()).unwrap();
        std::fs::write(self.root().join(name), "foreign").unwrap();
    }
}

#[async_trait]
impl LockHarness for FsHarness {
    async fn open(&self) -> Arc<dyn DomainLock> {
        std::fs::create_dir_all(self.root()).unwrap();
        let vfs = ObservedVfs::new(self.vfs(), Arc::new(Unobserved));
        FsLock::new(Arc::new(vfs.booted(Arc::clone(&self.boots))))
    }

    fn capabilities(&self) -> LockCapabilities {
        LockCapabilities::ALL
    }

    async fn reboot(&self) -> Result<()> {
        self.boots.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn die_holding(&self, domain: Domain) -> Result<()> {
        // What the death of a process does to a lock is to close its file. Real deaths are the kill harness's.
        let dying = FsLock::new(self.vfs());
        drop(
            dying
                .acquire(domain, Duration::from_secs(60))
                .await
                .expect("it is free"),
        );
        Ok(())
    }
}

mod blobs {
    artstore_testkit::blob_store_conformance!(super::FsHarness::new());
}

mod publication {
    artstore_testkit::publication_log_conformance!(super::FsHarness::new());
}

mod root {
    artstore_testkit::store_root_conformance!(super::FsHarness::new());
}

mod lock {
    artstore_testkit::domain_lock_conformance!(super::FsHarness::new());
}
