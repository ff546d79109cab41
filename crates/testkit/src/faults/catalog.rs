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

use super::Faults;

/// A catalog whose calls fail as [`Faults`] say. Methods are named as in the trait.
#[derive(Debug)]
pub struct FaultyArtifactCatalog {
    inner: Arc<dyn ArtifactCatalog>,
    faults: Faults,
}

impl FaultyArtifactCatalog {
    /// `inner` with these faults.
    pub fn new(inner: Arc<dyn ArtifactCatalog>, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ArtifactCatalog for FaultyArtifactCatalog {
    async fn head(&self) -> Result<CatalogHead> {
        let call = self.faults.enter("head")?;
        call.with(self.inner.head().await)
    }

    fn epoch(&self) -> u64 {
        self.inner.epoch()
    }

    async fn examine(&self, probes: Vec<ArtifactProbe>) -> Result<Examination> {
        let call = self.faults.enter("examine")?;
        call.with(self.inner.examine(probes).await)
    }

    async fn apply(&self, permit: &LockPermit, commit: ArtifactCommit) -> Result<u64> {
        let call = self.faults.enter("apply")?;
        call.with(self.inner.apply(permit, commit).await)
    }

    async fn get(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>> {
        let call = self.faults.enter("get")?;
        call.with(self.inner.get(ids).await)
    }

    async fn list(&self, query: &ArtifactQuery) -> Result<Vec<Artifact>> {
        let call = self.faults.enter("list")?;
        call.with(self.inner.list(query).await)
    }

    async fn may_have_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> Result<bool> {
        let call = self.faults.enter("may_have_active_of_size")?;
        call.with(self.inner.may_have_active_of_size(scope, size_bytes).await)
    }

    async fn walk(
        &self,
        start: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Result<Option<Walk>> {
        let call = self.faults.enter("walk")?;
        call.with(self.inner.walk(start, relation, limits).await)
    }

    async fn scan(&self, after: Option<ArtifactId>, limit: u32) -> Result<Vec<Artifact>> {
        let call = self.faults.enter("scan")?;
        call.with(self.inner.scan(after, limit).await)
    }

    async fn scan_events(&self, after: u64, limit: u32) -> Result<Vec<ArtifactEventRow>> {
        let call = self.faults.enter("scan_events")?;
        call.with(self.inner.scan_events(after, limit).await)
    }

    async fn counts(&self) -> Result<ArtifactCounts> {
        let call = self.faults.enter("counts")?;
        call.with(self.inner.counts().await)
    }

    async fn rebuild(
        &self,
        permit: &LockPermit,
        head: CatalogHead,
        commits: ArtifactCommits,
    ) -> Result<Option<String>> {
        let call = self.faults.enter("rebuild")?;
        call.with(self.inner.rebuild(permit, head, commits).await)
    }

    async fn close(&self) {
        // Closing cannot fail; it is counted.
        let _ = self.faults.enter("close");
        self.inner.close().await;
    }
}

/// A catalog that counts calls.
#[derive(Debug)]
pub struct CountingArtifactCatalog {
    inner: FaultyArtifactCatalog,
    calls: Faults,
}

impl CountingArtifactCatalog {
    /// Counts the calls of `inner`.
    pub fn new(inner: Arc<dyn ArtifactCatalog>) -> Self {
        let calls = Faults::new();
        Self {
            inner: FaultyArtifactCatalog::new(inner, calls.clone()),
            calls,
        }
    }

    /// How many times `method` was called.
    pub fn calls(&self, method: &str) -> u64 {
        self.calls.calls(method)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ArtifactCatalog for CountingArtifactCatalog {
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
        self.inner.apply(permit, commit).await
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
        self.inner.rebuild(permit, head, commits).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
