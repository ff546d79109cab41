//! A store over a model: the real engine and the real filesystem adapter on a disk and a catalog in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use artstore_core::backend::{
    ArtifactCatalog, LockPermit, NoProgress, Publication, PublicationLog, SettledItem, SweepReport,
};
use artstore_core::format::{ArtifactRecord, CatalogUrls, Intent, IntentItem};
use artstore_core::id::PublicationId;
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, Result};
use artstore_engine::{CatalogSet, Engine, EngineParts, EngineSettings};
use artstore_fs::vfs::Vfs;
use artstore_fs::{FsLock, FsStore};
use artstore_tabular::TabularReader;
use artstore_testkit::environment::{ManualClock, SequentialIds};
use artstore_testkit::memory::{CatalogCopy, MemoryArtifactCatalog};
use async_trait::async_trait;
use bytes::Bytes;

use super::recorder::{RecordedCatalog, Recorder};
use crate::model_fs::{DurableImage, Lie, ModelVfs};

/// A step of the protocol that is left out or put in the wrong place, to see that it is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The filesystem leaves something out.
    Lie(Lie),
    /// Rows are committed before anything has its final name.
    RowsBeforeNames,
    /// Records are not brought up to their rows.
    NoDerivation,
    /// The record of what replaces another artifact is not brought up to its row.
    HalfDerivation,
    /// The names of documents that are put over others are not synced.
    UnsyncedPut,
}

/// A machine with a disk and a catalog, on which stores are opened one after the other.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) vfs: ModelVfs,
    pub(super) catalog: MemoryArtifactCatalog,
    mutant: Option<Mutant>,
    /// Tells the ids of one opening from those of another.
    openings: AtomicU64,
}

impl Machine {
    /// A machine without a store.
    pub(super) fn new(mutant: Option<Mutant>) -> Self {
        Self::of(ModelVfs::new(), MemoryArtifactCatalog::missing(), mutant, 0)
    }

    /// A machine after its `crashes`th crash.
    pub(super) fn after_crash(
        image: DurableImage,
        boot_id: &str,
        catalog: Option<&CatalogCopy>,
        mutant: Option<Mutant>,
        crashes: u64,
    ) -> Self {
        let place = MemoryArtifactCatalog::missing();
        if let Some(copy) = catalog {
            place.restore(copy);
        }
        let vfs = ModelVfs::from_image(image, boot_id);
        Self::of(vfs, place, mutant, crashes)
    }

    fn of(
        vfs: ModelVfs,
        catalog: MemoryArtifactCatalog,
        mutant: Option<Mutant>,
        crashes: u64,
    ) -> Self {
        if let Some(Mutant::Lie(lie)) = mutant {
            vfs.set_lies([lie].into());
        }
        Self {
            vfs,
            catalog,
            mutant,
            openings: AtomicU64::new(crashes << 8),
        }
    }

    /// Opens the store, making it first where there is none.
    pub(super) async fn open(&self, recorder: Option<&Arc<Recorder>>) -> Result<Engine> {
        let opening = self.openings.fetch_add(1, Ordering::SeqCst);
        let ids = Arc::new(SequentialIds::starting_at((opening << 32) + 1));
        let clock = Arc::new(ManualClock::default());
        clock.advance(Duration::from_secs(opening));
        let vfs: Arc<dyn Vfs> = Arc::new(self.vfs.clone());
        let backend = FsStore::new(Arc::clone(&vfs), ids.clone());
        let store = artstore_engine::initialize(
            backend.as_ref(),
            clock.as_ref(),
            ids.as_ref(),
            CatalogUrls::default(),
        )
        .await?;
        let artifacts: Arc<dyn ArtifactCatalog> = match recorder {
            Some(recorder) => Arc::new(RecordedCatalog {
                inner: self.catalog.instance(),
                vfs: self.vfs.clone(),
                recorder: Arc::clone(recorder),
            }),
            None => Arc::new(self.catalog.instance()),
        };
        let publications: Arc<dyn PublicationLog> = match self.mutant {
            Some(Mutant::Lie(_)) | None => backend.clone(),
            Some(mutant) => Arc::new(MutantLog::new(backend.clone(), mutant)),
        };
        let parts = EngineParts {
            store,
            blobs: backend.clone(),
            publications,
            lock: FsLock::new(vfs),
            catalogs: CatalogSet { artifacts },
            tables: Arc::new(TabularReader::new()),
            clock,
            ids,
            progress: Arc::new(NoProgress),
        };
        let settings = EngineSettings {
            actor: "explorer".to_owned(),
            patience: Duration::from_secs(5),
            ..EngineSettings::default()
        };
        Ok(Engine::new(parts, settings))
    }
}

/// A publication log that does not do what it should.
#[derive(Debug)]
struct MutantLog {
    inner: Arc<dyn PublicationLog>,
    mutant: Mutant,
    put_off: Mutex<BTreeMap<PublicationId, Publication>>,
}

impl MutantLog {
    fn new(inner: Arc<dyn PublicationLog>, mutant: Mutant) -> Self {
        Self {
            inner,
            mutant,
            put_off: Mutex::default(),
        }
    }

    fn take(&self, id: PublicationId) -> Option<Publication> {
        let mut put_off = self.put_off.lock().unwrap_or_else(PoisonError::into_inner);
        put_off.remove(&id)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl PublicationLog for MutantLog {
    async fn publish(
        &self,
        permit: &LockPermit,
        publication: Publication,
    ) -> Result<Vec<Result<()>>> {
        if self.mutant != Mutant::RowsBeforeNames {
            return self.inner.publish(permit, publication).await;
        }
        let results = publication.items.iter().map(|_| Ok(())).collect();
        let mut put_off = self.put_off.lock().unwrap_or_else(PoisonError::into_inner);
        put_off.insert(publication.id, publication);
        Ok(results)
    }

    async fn replace_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()> {
        let is_left_out = match self.mutant {
            Mutant::NoDerivation => true,
            Mutant::HalfDerivation => replaces_another(path, &document)?,
            _ => false,
        };
        if is_left_out {
            return Ok(());
        }
        self.inner.replace_document(permit, path, document).await
    }

    async fn put_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()> {
        // Replacing does all that putting does but make and sync directories.
        if self.mutant == Mutant::UnsyncedPut {
            let replaced = self.inner.replace_document(permit, path, document.clone());
            if replaced.await.is_ok() {
                return Ok(());
            }
        }
        self.inner.put_document(permit, path, document).await
    }

    async fn finish(&self, permit: &LockPermit, publication: PublicationId) -> Result<()> {
        if let Some(late) = self.take(publication) {
            let results = self.inner.publish(permit, late).await?;
            results.into_iter().collect::<Result<Vec<()>, Error>>()?;
        }
        self.inner.finish(permit, publication).await
    }

    async fn intents(&self, permit: &LockPermit) -> Result<Vec<Intent>> {
        self.inner.intents(permit).await
    }

    async fn pending(&self, domain: Domain) -> Result<u64> {
        self.inner.pending(domain).await
    }

    async fn settle_item(&self, permit: &LockPermit, item: &IntentItem) -> Result<SettledItem> {
        self.inner.settle_item(permit, item).await
    }

    async fn quarantine(&self, permit: &LockPermit, path: &RelPath) -> Result<RelPath> {
        self.inner.quarantine(permit, path).await
    }

    async fn sweep_staging(&self, permit: &LockPermit) -> Result<SweepReport> {
        self.inner.sweep_staging(permit).await
    }
}

/// Whether this is the record of an artifact that has replaced others.
fn replaces_another(path: &RelPath, document: &[u8]) -> Result<bool> {
    let record = ArtifactRecord::parse(document, path)?;
    Ok(!record.supersedes.is_empty())
}
