//! An engine over backends in memory, whose parts a test can get at.

use std::sync::Arc;
use std::time::Duration;

use artstore_core::artifact::{Artifact, PublishArtifactRequest, PublishArtifactResult};
use artstore_core::backend::NoProgress;
use artstore_core::format::document::Document;
use artstore_core::format::{CatalogUrls, StoreDocument};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::maintenance::StatusDetail;
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, Maintenance};
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{Error, Result};
use artstore_engine::{CatalogSet, Engine, EngineParts, EngineSettings};
use artstore_testkit::environment::{ManualClock, SequentialIds};
use artstore_testkit::faults::{Faults, FaultyArtifactCatalog, FaultyStore};
use artstore_testkit::memory::{MemoryArtifactCatalog, MemoryLock, MemoryStore};
use artstore_testkit::samples;
use bytes::Bytes;
use futures_util::TryStreamExt as _;

use crate::text_tables::TextTables;

pub(crate) struct World {
    pub(crate) files: Arc<MemoryStore>,
    pub(crate) catalog: Arc<MemoryArtifactCatalog>,
    pub(crate) lock: Arc<MemoryLock>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ids: Arc<SequentialIds>,
    pub(crate) faults: Faults,
    pub(crate) engine: Engine,
}

impl World {
    /// A new store, whose catalog is missing as after `init`.
    pub(crate) fn new() -> Self {
        Self::with(
            Arc::new(MemoryStore::new()),
            Arc::new(MemoryArtifactCatalog::missing()),
            Arc::new(MemoryLock::new()),
            Arc::new(SequentialIds::starting_at(1000)),
            patient(),
        )
    }

    /// A new store, used with these settings.
    pub(crate) fn with_settings(settings: EngineSettings) -> Self {
        Self::with(
            Arc::new(MemoryStore::new()),
            Arc::new(MemoryArtifactCatalog::missing()),
            Arc::new(MemoryLock::new()),
            Arc::new(SequentialIds::starting_at(1000)),
            settings,
        )
    }

    /// Another living process, which does not wait long for anything.
    pub(crate) fn impatient_process(&self) -> Self {
        Self::with(
            Arc::new(self.files.another_process()),
            Arc::new(self.catalog.instance()),
            Arc::new(self.lock.instance()),
            Arc::clone(&self.ids),
            EngineSettings {
                patience: Duration::from_millis(20),
                ..patient()
            },
        )
    }

    /// Another process on the same store, after the first one has died.
    pub(crate) fn after_death(&self) -> Self {
        self.files.die();
        self.another_process()
    }

    /// Another living process on the same store.
    pub(crate) fn another_process(&self) -> Self {
        Self::with(
            Arc::new(self.files.another_process()),
            Arc::new(self.catalog.instance()),
            Arc::new(self.lock.instance()),
            Arc::clone(&self.ids),
            patient(),
        )
    }

    fn with(
        files: Arc<MemoryStore>,
        catalog: Arc<MemoryArtifactCatalog>,
        lock: Arc<MemoryLock>,
        ids: Arc<SequentialIds>,
        settings: EngineSettings,
    ) -> Self {
        let faults = Faults::new();
        let store = Arc::new(FaultyStore::new(
            files.clone(),
            files.clone(),
            faults.clone(),
        ));
        let faulty_catalog = FaultyArtifactCatalog::new(catalog.clone(), faults.clone());
        let clock = Arc::new(ManualClock::at(samples::time(0)));
        let parts = EngineParts {
            store: StoreDocument::new(
                samples::store_id(),
                samples::time(0),
                CatalogUrls::default(),
            ),
            blobs: store.clone(),
            publications: store,
            lock: lock.clone(),
            catalogs: CatalogSet {
                artifacts: Arc::new(faulty_catalog),
            },
            tables: Arc::new(TextTables),
            clock: clock.clone(),
            ids: ids.clone(),
            progress: Arc::new(NoProgress),
        };
        Self {
            files,
            catalog,
            lock,
            clock,
            ids,
            faults,
            engine: Engine::new(parts, settings),
        }
    }

    pub(crate) fn port(&self) -> Arc<dyn ArtifactStorePort> {
        self.engine.artifact_store()
    }

    pub(crate) fn maintenance(&self) -> Arc<dyn Maintenance> {
        self.engine.maintenance()
    }

    pub(crate) async fn publish(&self, key: &str, content: &str) -> Result<PublishArtifactResult> {
        self.port().publish_artifact(request(key, content)).await
    }

    /// Publishes and expects a new artifact.
    pub(crate) async fn published(&self, key: &str, content: &str) -> Artifact {
        match self.publish(key, content).await.unwrap() {
            PublishArtifactResult::Published(artifact) => artifact,
            duplicate => panic!("expected a new artifact, not {duplicate:?}"),
        }
    }

    pub(crate) async fn tag(&self, id: ArtifactId, key: &str, value: &str) -> Result<Artifact> {
        self.port().tag(id, adding(key, value), None).await
    }

    /// The only artifact with this key.
    pub(crate) async fn find(&self, key: &str) -> Artifact {
        let artifact_type = request(key, "").artifact_type;
        let found = self
            .port()
            .find_by_logical_key(
                &artifact_type,
                &key.parse().unwrap(),
                &PageRequest::default(),
            )
            .await
            .unwrap();
        assert_eq!(found.items.len(), 1);
        found.items.into_iter().next().unwrap()
    }

    /// The document at `path`.
    pub(crate) fn document(&self, path: &str) -> serde_json::Value {
        serde_json::from_slice(&self.files.files()[&samples::path(path)]).unwrap()
    }

    /// Damages the file at `path`.
    pub(crate) fn overwrite(&self, path: &str, content: &str) {
        self.files.plant(&samples::path(path), content.to_owned());
    }

    pub(crate) async fn bytes(&self, id: ArtifactId) -> Result<Bytes> {
        let reader = self.port().open(id, None).await?;
        let pieces: Vec<Bytes> = reader.bytes.try_collect().await?;
        Ok(pieces.concat().into())
    }

    pub(crate) async fn dump(&self) -> String {
        self.dump_result().await.unwrap()
    }

    pub(crate) async fn dump_result(&self) -> Result<String> {
        let lines = self.maintenance().canonical_dump().await?;
        let lines: Vec<Bytes> = lines.try_collect().await?;
        Ok(String::from_utf8(lines.concat()).unwrap())
    }

    pub(crate) async fn digest(&self) -> String {
        let status = self
            .maintenance()
            .status(StatusDetail::Digest)
            .await
            .unwrap();
        status.dump_digest.unwrap().to_string()
    }

    /// Waits until leaders have come to their end: callers are answered before intents are removed.
    pub(crate) async fn quiet(&self) {
        self.engine.close().await;
    }

    /// Files below `directory`.
    pub(crate) fn files_in(&self, directory: &str) -> Vec<String> {
        let directory = samples::path(directory);
        let files = self.files.files();
        let below = files.keys().filter(|path| path.starts_with(&directory));
        below.map(ToString::to_string).collect()
    }
}

pub(crate) fn patient() -> EngineSettings {
    EngineSettings {
        actor: "tester".to_owned(),
        patience: Duration::from_secs(60),
        ..EngineSettings::default()
    }
}

pub(crate) fn request(key: &str, content: &str) -> PublishArtifactRequest {
    samples::request(key, content.to_owned())
}

pub(crate) fn with_op(mut request: PublishArtifactRequest, op_id: &str) -> PublishArtifactRequest {
    request.op_id = Some(op(op_id));
    request
}

pub(crate) fn op(text: &str) -> OpId {
    OpId::new(text).unwrap()
}

pub(crate) fn adding(key: &str, value: &str) -> TagChange {
    TagChange {
        add: Tags::try_from([(key, value)]).unwrap(),
        remove: Vec::new(),
    }
}

pub(crate) fn error_of<T: std::fmt::Debug>(result: Result<T>) -> Error {
    result.expect_err("an error is expected")
}

/// The document with a key that this version does not know.
pub(crate) fn with_key(document: &Bytes, key: &str, value: &str) -> Bytes {
    let parsed: serde_json::Value = serde_json::from_slice(document).unwrap();
    let format = parsed["format"].as_str().unwrap();
    let mut document = Document::parse(document, format, u64::MAX).unwrap();
    document
        .set_all(&serde_json::json!({ key: value }))
        .unwrap();
    document.into_bytes().unwrap()
}
