use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::artifact::{Artifact, DedupScope};
use artstore_core::backend::{
    ArtifactCatalog, ArtifactCommit, ArtifactCommits, ArtifactEventRow, ArtifactProbe,
    ArtifactQuery, CatalogHead, Examination, LockPermit,
};
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{Relation, Walk, WalkLimits};
use artstore_core::maintenance::ArtifactCounts;
use async_trait::async_trait;

use crate::journal::Journal;
use crate::rebuild::rebuild;
use crate::rows::Rows;
use crate::thread::on_thread;

/// The catalog of artifacts in one journal.
///
/// Every commit is a line of JSON, synced before it is answered; the rows are what all lines come to, and are kept in
/// memory. The file grows with every change; a rebuild makes it as short as it can be.
///
/// # Concurrency
/// Any number of instances and processes may use the same journal; each call first reads the lines that others appended.
/// Another one may see a commit before it is synced, and a power loss may then take it back: the store adds it again from
/// its record.
#[derive(Debug)]
pub struct JournalArtifactCatalog {
    journal: Arc<Journal>,
}

impl JournalArtifactCatalog {
    /// A catalog in the journal at `path`. Nothing is opened or created yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let journal = Arc::new(Journal::new(path.into()));
        Self { journal }
    }

    /// Asks one state of the rows.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Rows) -> T + Send + 'static,
    ) -> Result<T> {
        let journal = Arc::clone(&self.journal);
        on_thread(move || journal.ask(question)).await
    }
}

#[async_trait]
impl ArtifactCatalog for JournalArtifactCatalog {
    async fn head(&self) -> Result<CatalogHead> {
        self.ask(|rows| rows.head).await
    }

    fn epoch(&self) -> u64 {
        self.journal.epoch()
    }

    async fn examine(&self, probes: Vec<ArtifactProbe>) -> Result<Examination> {
        self.ask(move |rows| rows.examine(&probes)).await
    }

    async fn apply(&self, permit: &LockPermit, commit: ArtifactCommit) -> Result<u64> {
        let (journal, held) = (Arc::clone(&self.journal), permit.clone());
        on_thread(move || {
            // The lock is not free before the line is written, even if the caller goes away.
            let _held = held;
            journal.append(commit)
        })
        .await
    }

    async fn get(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>> {
        let ids = ids.to_vec();
        self.ask(move |rows| rows.get(&ids)).await
    }

    async fn list(&self, query: &ArtifactQuery) -> Result<Vec<Artifact>> {
        let query = query.clone();
        self.ask(move |rows| rows.list(&query)).await
    }

    async fn may_have_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> Result<bool> {
        let scope = scope.clone();
        self.ask(move |rows| rows.may_have_active_of_size(&scope, size_bytes))
            .await
    }

    async fn walk(
        &self,
        start: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Result<Option<Walk>> {
        self.ask(move |rows| rows.walk(start, relation, limits))
            .await
    }

    async fn scan(&self, after: Option<ArtifactId>, limit: u32) -> Result<Vec<Artifact>> {
        self.ask(move |rows| rows.scan(after, limit)).await
    }

    async fn scan_events(&self, after: u64, limit: u32) -> Result<Vec<ArtifactEventRow>> {
        self.ask(move |rows| rows.scan_events(after, limit)).await
    }

    async fn counts(&self) -> Result<ArtifactCounts> {
        self.ask(|rows| rows.counts).await
    }

    async fn rebuild(
        &self,
        permit: &LockPermit,
        head: CatalogHead,
        commits: ArtifactCommits,
    ) -> Result<Option<String>> {
        rebuild(Arc::clone(&self.journal), permit.clone(), head, commits).await
    }

    async fn close(&self) {
        let journal = Arc::clone(&self.journal);
        // Waits for the call that is under way. It fails only where the runtime is shutting down.
        let _ = on_thread(move || {
            journal.close();
            Ok(())
        })
        .await;
    }
}
