//! The conformance suite of catalogs on journals.

#![expect(clippy::unwrap_used, reason = "a test asserts")]

use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::backend::ArtifactCatalog;
use artstore_example_journal_catalog::JournalArtifactCatalog;
use artstore_testkit::conformance::catalog::{CatalogCapabilities, CatalogHarness};
use async_trait::async_trait;

struct JournalHarness {
    directory: tempfile::TempDir,
}

impl JournalHarness {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn journal(&self) -> PathBuf {
        self.directory.path().join("catalog.journal")
    }

    fn copy(&self) -> PathBuf {
        self.directory.path().join("copy")
    }
}

#[async_trait]
impl CatalogHarness for JournalHarness {
    async fn open(&self) -> Arc<dyn ArtifactCatalog> {
        Arc::new(JournalArtifactCatalog::new(self.journal()))
    }

    fn capabilities(&self) -> CatalogCapabilities {
        CatalogCapabilities::ALL
    }

    async fn delete_database(&self) -> Result<()> {
        std::fs::remove_file(self.journal()).unwrap();
        Ok(())
    }

    async fn keep_copy(&self) -> Result<()> {
        std::fs::copy(self.journal(), self.copy()).unwrap();
        Ok(())
    }

    async fn put_copy_back(&self) -> Result<()> {
        // Copied beside and renamed: another file under the name, as after restoring a backup.
        let beside = self.directory.path().join("beside");
        std::fs::copy(self.copy(), &beside).unwrap();
        std::fs::rename(beside, self.journal()).unwrap();
        Ok(())
    }

    async fn damage_database(&self) -> Result<()> {
        std::fs::write(self.journal(), "this is not a journal\n".repeat(400)).unwrap();
        Ok(())
    }

    async fn make_database_newer(&self) -> Result<()> {
        let text = std::fs::read_to_string(self.journal()).unwrap();
        let newer = text.replacen("\"version\":1", "\"version\":2", 1);
        std::fs::write(self.journal(), newer).unwrap();
        Ok(())
    }
}

artstore_testkit::artifact_catalog_conformance!(JournalHarness::new());
