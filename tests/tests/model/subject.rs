//! Stores that actions are done to: over memory, and on the disk.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::backend::NoProgress;
use artstore_core::format::{CatalogUrls, StoreDocument};
use artstore_core::ports::{ArtifactStorePort, Maintenance};
use artstore_engine::{CatalogSet, Engine, EngineParts, EngineSettings};
use artstore_tabular::TabularReader;
use artstore_testkit::environment::{ManualClock, SequentialIds};
use artstore_testkit::memory::{CatalogCopy, MemoryArtifactCatalog, MemoryLock, MemoryStore};
use artstore_testkit::samples;
use artstore_tests::store::LocalStore;
use artstore_tests::trial::Trial;

/// A store that the actions can be done to.
pub(crate) trait Subject {
    fn port(&self) -> Arc<dyn ArtifactStorePort>;
    fn maintenance(&self) -> Arc<dyn Maintenance>;
    fn reopen(&mut self) -> impl Future<Output = ()>;
    fn delete_catalog(&mut self);
    fn keep_catalog(&mut self, place: u8) -> impl Future<Output = ()>;
    fn put_back_catalog(&mut self, place: u8) -> impl Future<Output = ()>;
}

pub(crate) struct InMemory {
    files: Arc<MemoryStore>,
    catalog: Arc<MemoryArtifactCatalog>,
    lock: Arc<MemoryLock>,
    clock: Arc<ManualClock>,
    ids: Arc<SequentialIds>,
    kept: BTreeMap<u8, CatalogCopy>,
    engine: Engine,
}

impl InMemory {
    pub(crate) fn new() -> Self {
        Self::over(
            Arc::new(MemoryStore::new()),
            Arc::new(MemoryArtifactCatalog::missing()),
            Arc::new(MemoryLock::new()),
            Arc::new(ManualClock::at(samples::time(0))),
            Arc::new(SequentialIds::starting_at(1000)),
        )
    }

    fn over(
        files: Arc<MemoryStore>,
        catalog: Arc<MemoryArtifactCatalog>,
        lock: Arc<MemoryLock>,
        clock: Arc<ManualClock>,
        ids: Arc<SequentialIds>,
    ) -> Self {
        let urls = CatalogUrls::default();
        let parts = EngineParts {
            store: StoreDocument::new(samples::store_id(), samples::time(0), urls),
            blobs: files.clone(),
            publications: files.clone(),
            lock: lock.clone(),
            catalogs: CatalogSet {
                artifacts: catalog.clone(),
            },
            tables: Arc::new(TabularReader::new()),
            clock: clock.clone(),
            ids: ids.clone(),
            progress: Arc::new(NoProgress),
        };
        let engine = Engine::new(parts, EngineSettings::default());
        Self {
            files,
            catalog,
            lock,
            clock,
            ids,
            kept: BTreeMap::new(),
            engine,
        }
    }
}

impl Subject for InMemory {
    fn port(&self) -> Arc<dyn ArtifactStorePort> {
        self.clock.advance(std::time::Duration::from_millis(1));
        self.engine.artifact_store()
    }

    fn maintenance(&self) -> Arc<dyn Maintenance> {
        self.engine.maintenance()
    }

    async fn reopen(&mut self) {
        self.engine.close().await;
        self.files.die();
        let opened = Self::over(
            Arc::new(self.files.another_process()),
            Arc::new(self.catalog.instance()),
            Arc::new(self.lock.instance()),
            Arc::clone(&self.clock),
            Arc::clone(&self.ids),
        );
        let kept = std::mem::take(&mut self.kept);
        *self = Self { kept, ..opened };
    }

    fn delete_catalog(&mut self) {
        self.catalog.delete();
    }

    async fn keep_catalog(&mut self, place: u8) {
        self.engine.close().await;
        self.kept.insert(place, self.catalog.snapshot());
    }

    async fn put_back_catalog(&mut self, place: u8) {
        if let Some(kept) = self.kept.get(&place) {
            self.engine.close().await;
            self.catalog.restore(kept);
        }
    }
}

pub(crate) struct OnDisk {
    pub(crate) trial: Trial,
    pub(crate) store: LocalStore,
}

impl OnDisk {
    pub(crate) async fn new() -> Self {
        let trial = Trial::new();
        let store = trial.open().await;
        Self { trial, store }
    }

    fn kept(&self, place: u8) -> PathBuf {
        self.trial.beside(&format!("kept-{place}.sqlite"))
    }
}

impl Subject for OnDisk {
    fn port(&self) -> Arc<dyn ArtifactStorePort> {
        self.store.artifacts()
    }

    fn maintenance(&self) -> Arc<dyn Maintenance> {
        self.store.maintenance()
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = self.trial.open().await;
    }

    fn delete_catalog(&mut self) {
        self.trial.delete_catalog();
    }

    async fn keep_catalog(&mut self, place: u8) {
        // Closing copies the log into the database, so that one file is all of it.
        self.store.close().await;
        let _ = std::fs::copy(self.trial.catalog(), self.kept(place));
    }

    async fn put_back_catalog(&mut self, place: u8) {
        if self.kept(place).exists() {
            self.store.close().await;
            self.trial.delete_catalog();
            std::fs::copy(self.kept(place), self.trial.catalog()).unwrap();
        }
    }
}
