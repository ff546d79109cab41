//! A catalog that is observed.

use std::collections::BTreeSet;
use std::sync::Arc;

use artstore_core::artifact::{Artifact, DedupScope};
use artstore_core::backend::{
    ArtifactCatalog, ArtifactChange, ArtifactCommit, ArtifactCommits, ArtifactEventRow,
    ArtifactProbe, ArtifactQuery, CatalogHead, Examination, LockPermit,
};
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{Relation, Walk, WalkLimits};
use artstore_core::maintenance::ArtifactCounts;
use artstore_core::{Error, Result};
use async_trait::async_trait;

use super::{Call, Next, Observer};

/// Passes every call on, and asks an [`Observer`] before and after each commit and rebuild, and once more for each kind of
/// event in a commit: `catalog.before-commit-of-superseded`.
#[derive(Debug)]
pub struct ObservedCatalog {
    inner: Arc<dyn ArtifactCatalog>,
    observer: Arc<dyn Observer>,
}

impl ObservedCatalog {
    /// Observes the users of `inner`.
    pub fn new(inner: Arc<dyn ArtifactCatalog>, observer: Arc<dyn Observer>) -> Self {
        Self { inner, observer }
    }
}

impl ObservedCatalog {
    /// Commits cannot be pretended: a counter would have to be made up.
    fn ask(&self, verb: &str) -> Result<()> {
        let call = Call {
            area: "catalog",
            verb,
            path: None,
        };
        match self.observer.before(&call) {
            Next::Proceed | Next::Pretend => Ok(()),
            Next::Fail(_) => Err(Error::unavailable("made to fail").with("call", call)),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ArtifactCatalog for ObservedCatalog {
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
        let kinds = event_kinds(&commit);
        self.ask("before-commit")?;
        for kind in &kinds {
            self.ask(&format!("before-commit-of-{kind}"))?;
        }
        let applied = self.inner.apply(permit, commit).await;
        for kind in &kinds {
            self.ask(&format!("after-commit-of-{kind}"))?;
        }
        self.ask("after-commit")?;
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
        self.ask("before-rebuild")?;
        let rebuilt = self.inner.rebuild(permit, head, commits).await;
        self.ask("after-rebuild")?;
        rebuilt
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// The kinds of the events that a commit records, each once.
fn event_kinds(commit: &ArtifactCommit) -> BTreeSet<String> {
    let kinds = commit.changes.iter().filter_map(|change| match change {
        ArtifactChange::Record(row) => Some(row.event.kind.clone()),
        _ => None,
    });
    kinds.collect()
}
