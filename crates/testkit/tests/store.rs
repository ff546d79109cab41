//! The conformance suites of bytes, publications and roots on the store in memory.

#![expect(clippy::unwrap_used, reason = "a harness of tests asserts")]

use std::path::Path;
use std::sync::Arc;

use artstore_core::backend::{BlobStore as _, Publication, PublicationLog as _, StoreRoot};
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};
use artstore_testkit::conformance::blobs::{OpenStore, StoreCapabilities, StoreHarness};
use artstore_testkit::conformance::root::RootHarness;
use artstore_testkit::memory::{Interruption, MemoryStore};
use artstore_testkit::samples;
use async_trait::async_trait;
use bytes::Bytes;
use tempfile::TempDir;

struct MemoryHarness {
    store: MemoryStore,
    sources: TempDir,
}

impl MemoryHarness {
    fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            sources: tempfile::tempdir().unwrap(),
        }
    }
}

#[async_trait]
impl StoreHarness for MemoryHarness {
    async fn open(&self) -> OpenStore {
        let store = Arc::new(self.store.another_process());
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

    async fn place_link(&self, path: &RelPath, _target: &Path) -> Result<()> {
        self.store.plant_link(path);
        Ok(())
    }

    async fn publish_and_die(
        &self,
        publication: Publication,
        interruption: Interruption,
    ) -> Result<()> {
        let dying = self.store.another_process();
        dying.interrupt_next_publication(interruption);
        let results = dying.publish(&samples::permit(), publication).await?;
        dying.die();
        let is_unknown = |result: &Result<()>| {
            result
                .as_ref()
                .is_err_and(|error| error.kind() == artstore_core::ErrorKind::CommitUnknown)
        };
        match results.iter().all(is_unknown) {
            true => Ok(()),
            false => Err(Error::internal("the publication was not interrupted")),
        }
    }

    async fn leave_torn_intent(&self) -> Result<()> {
        self.store.plant(
            &samples::path("intents/artifacts/torn.json"),
            "{\"format\": \"arts",
        );
        Ok(())
    }

    async fn leave_staged_file(&self) -> Result<()> {
        let dying = self.store.another_process();
        let document = Bytes::from_static(b"left");
        dying
            .stage_document(samples::staging_id(1 << 40), document)
            .await?;
        dying.die();
        Ok(())
    }
}

#[async_trait]
impl RootHarness for MemoryHarness {
    async fn open(&self) -> Arc<dyn StoreRoot> {
        Arc::new(self.store.another_process())
    }

    async fn place_file(&self, name: &str) {
        self.store.plant(&samples::path(name), "foreign");
    }
}

mod blobs {
    artstore_testkit::blob_store_conformance!(super::MemoryHarness::new());
}

mod publication {
    artstore_testkit::publication_log_conformance!(super::MemoryHarness::new());
}

mod root {
    artstore_testkit::store_root_conformance!(super::MemoryHarness::new());
}
