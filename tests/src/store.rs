//! A store on the local filesystem with SQLite, whose parts a test can wrap.

use std::path::Path;
use std::sync::Arc;

use artstore_context::{SystemClock, UuidV7Ids};
use artstore_core::Result;
use artstore_core::backend::{ArtifactCatalog, DomainLock, IdSource, NoProgress, TableReader};
use artstore_core::format::CatalogUrls;
use artstore_core::ports::{ArtifactStorePort, ArtifactTypeRegistry, Maintenance};
use artstore_engine::{CatalogSet, Engine, EngineParts, EngineSettings};
use artstore_fs::vfs::Vfs;
use artstore_fs::{FsLock, FsStore, RealVfs};
use artstore_sqlite::{SqliteArtifactCatalog, SqliteSettings};
use artstore_tabular::TabularReader;

use crate::observed::Observer;
use crate::observed::catalog::ObservedCatalog;
use crate::observed::tables::ObservedTables;
use crate::observed::vfs::ObservedVfs;

/// An engine on real files and a real database.
#[derive(Debug)]
pub struct LocalStore {
    engine: Engine,
}

/// Puts something around a part.
pub type Around<T> = Box<dyn FnOnce(Arc<T>) -> Arc<T>>;

/// What a test may put around the parts of a [`LocalStore`].
pub struct Wrapping {
    /// Around the filesystem.
    pub vfs: Around<dyn Vfs>,
    /// Around the lock.
    pub lock: Around<dyn DomainLock>,
    /// Around the catalog.
    pub catalog: Around<dyn ArtifactCatalog>,
    /// Around what reads tables.
    pub tables: Around<dyn TableReader>,
    /// How the engine behaves.
    pub settings: EngineSettings,
}

impl Default for Wrapping {
    fn default() -> Self {
        Self {
            vfs: Box::new(|vfs| vfs),
            lock: Box::new(|lock| lock),
            catalog: Box::new(|catalog| catalog),
            tables: Box::new(|tables| tables),
            settings: EngineSettings {
                actor: "tester".to_owned(),
                ..EngineSettings::default()
            },
        }
    }
}

impl Wrapping {
    /// `observer` is told of everything that changes the store.
    pub fn observed_by(observer: Arc<dyn Observer>) -> Self {
        let around_vfs = Arc::clone(&observer);
        let around_catalog = Arc::clone(&observer);
        let around_tables = observer;
        Self {
            vfs: Box::new(|vfs| Arc::new(ObservedVfs::new(vfs, around_vfs))),
            catalog: Box::new(|catalog| Arc::new(ObservedCatalog::new(catalog, around_catalog))),
            tables: Box::new(|tables| Arc::new(ObservedTables::new(tables, around_tables))),
            ..Self::default()
        }
    }
}

impl LocalStore {
    /// Opens the store at `root`, which becomes one if it is none.
    ///
    /// # Errors
    /// As [`artstore_engine::initialize`].
    pub async fn open(root: &Path) -> Result<Self> {
        Self::open_wrapped(root, Wrapping::default()).await
    }

    /// Opens the store with `observer` told of everything that changes it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_observed(root: &Path, observer: Arc<dyn Observer>) -> Result<Self> {
        Self::open_wrapped(root, Wrapping::observed_by(observer)).await
    }

    /// Opens the store with what `wrapping` puts around its parts.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_wrapped(root: &Path, wrapping: Wrapping) -> Result<Self> {
        let vfs = (wrapping.vfs)(Arc::new(RealVfs::new(root.to_owned())));
        let ids: Arc<dyn IdSource> = Arc::new(UuidV7Ids::default());
        let clock = Arc::new(SystemClock);
        let files = FsStore::new(Arc::clone(&vfs), Arc::clone(&ids));
        let urls = CatalogUrls::default();
        let store = artstore_engine::initialize(&*files, &*clock, &*ids, urls).await?;
        let path = root.join("catalog.sqlite");
        let catalog = SqliteArtifactCatalog::new(path, SqliteSettings::default());
        let parts = EngineParts {
            store,
            blobs: files.clone(),
            publications: files,
            lock: (wrapping.lock)(FsLock::new(vfs)),
            catalogs: CatalogSet {
                artifacts: (wrapping.catalog)(Arc::new(catalog)),
            },
            tables: (wrapping.tables)(Arc::new(TabularReader::new())),
            clock,
            ids,
            progress: Arc::new(NoProgress),
        };
        Ok(Self {
            engine: Engine::new(parts, wrapping.settings),
        })
    }

    /// The port of artifacts.
    pub fn artifacts(&self) -> Arc<dyn ArtifactStorePort> {
        self.engine.artifact_store()
    }

    /// The port of artifact types.
    pub fn types(&self) -> Arc<dyn ArtifactTypeRegistry> {
        self.engine.artifact_types()
    }

    /// The port of maintenance.
    pub fn maintenance(&self) -> Arc<dyn Maintenance> {
        self.engine.maintenance()
    }

    /// Waits until every change has ended, and closes the catalog.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}
