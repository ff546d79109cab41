use std::sync::Arc;

use artstore_context::Context;
use artstore_core::backend::NoProgress;
use artstore_core::format::{CatalogUrls, StoreDocument};
use artstore_core::ports::{ArtifactStorePort, ArtifactTypeRegistry};
use artstore_engine::{CatalogSet, Engine, EngineParts, EngineSettings};
use artstore_example_daily_report::{DailyReport, register_types};
use artstore_tabular::TabularReader;
use artstore_testkit::environment::{ManualClock, SequentialIds};
use artstore_testkit::memory::{MemoryArtifactCatalog, MemoryLock, MemoryStore};
use artstore_testkit::samples;

/// A store that a test has for itself.
pub(crate) struct World {
    pub(crate) store: Arc<dyn ArtifactStorePort>,
    types: Arc<dyn ArtifactTypeRegistry>,
    place: Place,
}

/// Where the store is.
enum Place {
    Disk(Context, tempfile::TempDir),
    Memory(Engine),
}

impl World {
    /// A real store, as a program has it.
    pub(crate) async fn on_disk() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let context = Context::builder()
            .root(directory.path().join("store"))
            .build()
            .unwrap();
        Self {
            store: context.artifact_store_or_init().await.unwrap(),
            types: context.artifact_types().await.unwrap(),
            place: Place::Disk(context, directory),
        }
    }

    /// Backends in memory, stricter than real ones, behind the same engine.
    pub(crate) fn in_memory() -> Self {
        let files = Arc::new(MemoryStore::new());
        let parts = EngineParts {
            store: StoreDocument::new(
                samples::store_id(),
                samples::time(0),
                CatalogUrls::default(),
            ),
            blobs: files.clone(),
            publications: files,
            lock: Arc::new(MemoryLock::new()),
            catalogs: CatalogSet {
                artifacts: Arc::new(MemoryArtifactCatalog::missing()),
            },
            tables: Arc::new(TabularReader::new()),
            clock: Arc::new(ManualClock::default()),
            ids: Arc::new(SequentialIds::default()),
            progress: Arc::new(NoProgress),
        };
        let engine = Engine::new(parts, EngineSettings::default());
        Self {
            store: engine.artifact_store(),
            types: engine.artifact_types(),
            place: Place::Memory(engine),
        }
    }

    /// The pipeline over this store.
    pub(crate) async fn pipeline(&self) -> DailyReport {
        register_types(&*self.types).await.unwrap();
        DailyReport::new(Arc::clone(&self.store))
    }

    /// Finishes what was begun, and removes the store.
    pub(crate) async fn close(self) {
        match self.place {
            Place::Disk(context, directory) => {
                context.close().await;
                directory.close().unwrap();
            }
            Place::Memory(engine) => engine.close().await,
        }
    }
}
