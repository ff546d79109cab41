//! The conformance suite of catalogs on SQLite.

#![expect(clippy::unwrap_used, reason = "a harness of tests asserts")]

use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::backend::ArtifactCatalog;
use artstore_sqlite::{SqliteArtifactCatalog, SqliteSettings};
use artstore_testkit::conformance::catalog::{CatalogCapabilities, CatalogHarness};
use async_trait::async_trait;
use tempfile::TempDir;

struct SqliteHarness {
    directory: TempDir,
}

impl SqliteHarness {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn database(&self) -> PathBuf {
        self.directory.path().join("catalog.sqlite")
    }

    fn copy(&self) -> PathBuf {
        self.directory.path().join("copy.sqlite")
    }

    /// The database with the files that SQLite keeps beside it.
    fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.database().into_os_string();
            path.push(suffix);
            let _ = std::fs::remove_file(path);
        }
    }
}

#[async_trait]
impl CatalogHarness for SqliteHarness {
    async fn open(&self) -> Arc<dyn ArtifactCatalog> {
        let settings = SqliteSettings::default();
        Arc::new(SqliteArtifactCatalog::new(self.database(), settings))
    }

    fn capabilities(&self) -> CatalogCapabilities {
        CatalogCapabilities::ALL
    }

    async fn delete_database(&self) -> Result<()> {
        self.remove();
        Ok(())
    }

    async fn keep_copy(&self) -> Result<()> {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        let target = self.copy().to_str().unwrap().to_owned();
        connection.execute("VACUUM INTO ?1", [target]).unwrap();
        Ok(())
    }

    async fn put_copy_back(&self) -> Result<()> {
        // Copied beside and renamed: the file under the name is another one, as after restoring a backup.
        let beside = self.directory.path().join("beside.sqlite");
        std::fs::copy(self.copy(), &beside).unwrap();
        self.remove();
        std::fs::rename(beside, self.database()).unwrap();
        Ok(())
    }

    async fn damage_database(&self) -> Result<()> {
        self.remove();
        std::fs::write(self.database(), "this is not a database ".repeat(400)).unwrap();
        Ok(())
    }

    async fn make_database_newer(&self) -> Result<()> {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        connection
            .pragma_update(None, "user_version", 1000)
            .unwrap();
        Ok(())
    }
}

artstore_testkit::artifact_catalog_conformance!(SqliteHarness::new());
