//! Parts in, ports out.

use std::sync::Arc;
use std::time::Duration;

use artstore_core::backend::{
    ArtifactCatalog, BlobStore, Clock, DomainLock, IdSource, Progress, PublicationLog, TableReader,
};
use artstore_core::format::StoreDocument;
use artstore_core::ports::{ArtifactStorePort, ArtifactTypeRegistry, Maintenance};

use crate::artifacts::ArtifactEngine;
use crate::maintenance::MaintenanceEngine;

/// One catalog per domain. Several domains may share a database.
#[derive(Debug, Clone)]
pub struct CatalogSet {
    /// The catalog of artifacts.
    pub artifacts: Arc<dyn ArtifactCatalog>,
}

/// What an engine is made of.
#[derive(Debug, Clone)]
pub struct EngineParts {
    /// Which store it is, from [`crate::load`] or [`crate::initialize`].
    pub store: StoreDocument,
    /// Bytes and documents.
    pub blobs: Arc<dyn BlobStore>,
    /// Publications and their intents; usually the same object as `blobs`.
    pub publications: Arc<dyn PublicationLog>,
    /// One writer per domain.
    pub lock: Arc<dyn DomainLock>,
    /// Rows.
    pub catalogs: CatalogSet,
    /// What a table is.
    pub tables: Arc<dyn TableReader>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// Is told how long work goes on.
    pub progress: Arc<dyn Progress>,
}

/// How an engine behaves.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Who makes the changes; kept in records and events.
    pub actor: String,
    /// How long a change waits for a place in the queue, and the queue's leader for the lock, before it is `Busy`.
    pub patience: Duration,
    /// How many changes of a domain may wait at a time.
    pub queue_length: usize,
    /// How many publishes are prepared (probed, hashed, staged) at a time, each on a blocking thread.
    pub preparations: usize,
    /// How many changes one pass of a leader takes at most.
    pub batch_length: usize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            actor: "unknown".to_owned(),
            patience: Duration::from_secs(30),
            queue_length: 1024,
            preparations: 64,
            batch_length: 64,
        }
    }
}

/// Implements the ports over backends.
///
/// It must be made and used inside a tokio runtime. Several engines, in one process or many, may work on one store.
#[derive(Debug, Clone)]
pub struct Engine {
    artifacts: Arc<ArtifactEngine>,
    maintenance: Arc<MaintenanceEngine>,
}

impl Engine {
    /// An engine of these parts. Nothing is opened or read before the first call of a port.
    pub fn new(parts: EngineParts, settings: EngineSettings) -> Self {
        let artifacts = ArtifactEngine::new(Arc::new(parts), settings);
        let maintenance = Arc::new(MaintenanceEngine::new(Arc::clone(&artifacts)));
        Self {
            artifacts,
            maintenance,
        }
    }

    /// The artifacts of the store.
    pub fn artifact_store(&self) -> Arc<dyn ArtifactStorePort> {
        Arc::clone(&self.artifacts) as Arc<dyn ArtifactStorePort>
    }

    /// What is registered about artifact types.
    pub fn artifact_types(&self) -> Arc<dyn ArtifactTypeRegistry> {
        Arc::clone(&self.artifacts.types) as Arc<dyn ArtifactTypeRegistry>
    }

    /// The maintenance of the store.
    pub fn maintenance(&self) -> Arc<dyn Maintenance> {
        Arc::clone(&self.maintenance) as Arc<dyn Maintenance>
    }

    /// Waits until every change that was begun has ended, gives up the staging area and closes the catalogs. The ports can
    /// be used afterwards, which opens them again.
    pub async fn close(&self) {
        self.artifacts.close().await;
    }
}
