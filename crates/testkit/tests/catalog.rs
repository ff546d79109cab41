//! The conformance suite of catalogs on the one in memory.

#![expect(clippy::unwrap_used, reason = "a harness of tests asserts")]

use std::sync::{Arc, Mutex};

use artstore_core::Result;
use artstore_core::backend::ArtifactCatalog;
use artstore_testkit::conformance::catalog::{CatalogCapabilities, CatalogHarness};
use artstore_testkit::memory::{CatalogCopy, MemoryArtifactCatalog};
use async_trait::async_trait;

struct MemoryHarness {
    place: MemoryArtifactCatalog,
    copy: Mutex<Option<CatalogCopy>>,
}

impl MemoryHarness {
    fn new() -> Self {
        Self {
            place: MemoryArtifactCatalog::missing(),
            copy: Mutex::default(),
        }
    }
}

#[async_trait]
impl CatalogHarness for MemoryHarness {
    async fn open(&self) -> Arc<dyn ArtifactCatalog> {
        Arc::new(self.place.instance())
    }

    fn capabilities(&self) -> CatalogCapabilities {
        CatalogCapabilities::ALL
    }

    async fn delete_database(&self) -> Result<()> {
        self.place.delete();
        Ok(())
    }

    async fn keep_copy(&self) -> Result<()> {
        *self.copy.lock().unwrap() = Some(self.place.snapshot());
        Ok(())
    }

    async fn put_copy_back(&self) -> Result<()> {
        let copy = self.copy.lock().unwrap();
        self.place.restore(copy.as_ref().unwrap());
        Ok(())
    }

    async fn damage_database(&self) -> Result<()> {
        self.place.damage();
        Ok(())
    }

    async fn make_database_newer(&self) -> Result<()> {
        self.place.make_newer();
        Ok(())
    }
}

artstore_testkit::artifact_catalog_conformance!(MemoryHarness::new());
