//! Keeps what is there at every moment at which a process may die.
//!
//! A process that is stopped at a call has exactly the effects of the calls before it. So one undisturbed run, with a
//! copy of the disk and the catalog before every call that changes something, gives every crash point at once. Two
//! more moments count: the middle of a write, and the time between the effect of a commit and its return.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use artstore_core::Result;
use artstore_core::artifact::{Artifact, DedupScope};
use artstore_core::backend::{
    ArtifactCatalog, ArtifactCommit, ArtifactCommits, ArtifactEventRow, ArtifactProbe,
    ArtifactQuery, CatalogHead, Examination, LockPermit,
};
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{Relation, Walk, WalkLimits};
use artstore_core::maintenance::ArtifactCounts;
use artstore_testkit::memory::{CatalogCopy, MemoryArtifactCatalog};
use async_trait::async_trait;

use crate::model_fs::{Call, Disk, ModelVfs, Observer};

/// A moment at which a process may die.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// What it is doing.
    pub(super) label: String,
    pub(super) disk: Disk,
    pub(super) catalog: CatalogCopy,
    /// How many operations were answered before.
    pub(super) answered: usize,
}

/// Records moments.
#[derive(Debug)]
pub(super) struct Recorder {
    notes: Mutex<Notes>,
}

#[derive(Debug)]
struct Notes {
    moments: Vec<Moment>,
    catalog: CatalogCopy,
    answered: usize,
}

impl Recorder {
    pub(super) fn new(catalog: CatalogCopy, answered: usize) -> Arc<Self> {
        Arc::new(Self {
            notes: Mutex::new(Notes {
                moments: Vec::new(),
                catalog,
                answered,
            }),
        })
    }

    /// An operation was answered.
    pub(super) fn note_answer(&self) {
        self.notes().answered += 1;
    }

    /// The moments until now; later ones are recorded anew.
    pub(super) fn take(&self) -> Vec<Moment> {
        std::mem::take(&mut self.notes().moments)
    }

    pub(super) fn note(&self, label: String, disk: Disk) {
        let mut notes = self.notes();
        let moment = Moment {
            label,
            disk,
            catalog: notes.catalog.clone(),
            answered: notes.answered,
        };
        notes.moments.push(moment);
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Recorder {
    fn before(&self, call: &Call, disk: &Disk) {
        let label = format!(
            "before call {}, {:?} {}",
            call.number, call.kind, call.subject
        );
        self.note(label, disk.clone());
    }

    fn within(&self, call: &Call, disk: &Disk) {
        let label = format!(
            "within call {}, {:?} {}",
            call.number, call.kind, call.subject
        );
        self.note(label, disk.clone());
    }
}

/// A catalog whose commits are moments, too.
#[derive(Debug)]
pub(super) struct RecordedCatalog {
    pub(super) inner: MemoryArtifactCatalog,
    pub(super) vfs: ModelVfs,
    pub(super) recorder: Arc<Recorder>,
}

impl RecordedCatalog {
    fn note_before(&self, what: &str) {
        self.recorder
            .note(format!("before {what}"), self.vfs.disk());
    }

    fn note_after(&self, what: &str) {
        self.recorder.notes().catalog = self.inner.snapshot();
        self.recorder
            .note(format!("{what} took effect"), self.vfs.disk());
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ArtifactCatalog for RecordedCatalog {
    async fn head(&self) -> Result<CatalogHead> {
        self.inner.head().await
    }

    fn epoch(&self) -> u64 {
        self.inner.epoch()
    }

    async fn examine(&self, probes: Vec<ArtifactProbe>) -> Result<Examination> {
        self.inner.examine(probes).await
    }

    async fn apply(&self, permit: &LockPermit, commit: ArtifactCommit) -> Result<u64> {
        self.note_before("a commit");
        let applied = self.inner.apply(permit, commit).await;
        self.note_after("a commit");
        applied
    }

    async fn get(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>> {
        self.inner.get(ids).await
    }

    async fn list(&self, query: &ArtifactQuery) -> Result<Vec<Artifact>> {
        self.inner.list(query).await
    }

    async fn may_have_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> Result<bool> {
        self.inner.may_have_active_of_size(scope, size_bytes).await
    }

    async fn walk(
        &self,
        start: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Result<Option<Walk>> {
        self.inner.walk(start, relation, limits).await
    }

    async fn scan(&self, after: Option<ArtifactId>, limit: u32) -> Result<Vec<Artifact>> {
        self.inner.scan(after, limit).await
    }

    async fn scan_events(&self, after: u64, limit: u32) -> Result<Vec<ArtifactEventRow>> {
        self.inner.scan_events(after, limit).await
    }

    async fn counts(&self) -> Result<ArtifactCounts> {
        self.inner.counts().await
    }

    async fn rebuild(
        &self,
        permit: &LockPermit,
        head: CatalogHead,
        commits: ArtifactCommits,
    ) -> Result<Option<String>> {
        self.note_before("a rebuild");
        let rebuilt = self.inner.rebuild(permit, head, commits).await;
        self.note_after("a rebuild");
        rebuilt
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
