//! What every `ArtifactCatalog` promises.

mod apply;
mod conditions;
mod duplicates;
mod examine;
mod life;
mod list;
mod rebuild;
mod rows;
mod walk;
mod walk_limits;
mod walk_rows;

use std::sync::Arc;

use artstore_core::Result;
use artstore_core::artifact::{Artifact, DedupScope};
use artstore_core::backend::{
    ArtifactCatalog, ArtifactChange, ArtifactCommit, ArtifactProbe, CatalogHead,
};
use artstore_core::key::OpId;
use async_trait::async_trait;
use futures_util::stream;

pub use apply::*;
pub use conditions::*;
pub use duplicates::*;
use examine::operations;
pub use examine::*;
pub use life::*;
pub use list::*;
pub use rebuild::*;
pub use rows::*;
pub use walk::*;
pub use walk_limits::*;
pub use walk_rows::*;

use super::Capability;
use crate::samples;

/// One place where a catalog's database can lie. It is empty at first: the suite makes the database with `rebuild`.
#[async_trait]
pub trait CatalogHarness: Send + Sync {
    /// Another instance over the place, as another process would have.
    async fn open(&self) -> Arc<dyn ArtifactCatalog>;

    /// What the harness can bring about.
    fn capabilities(&self) -> CatalogCapabilities;

    /// Removes the database while instances are open.
    ///
    /// # Errors
    /// [`Unsupported`](artstore_core::ErrorKind::Unsupported) where it cannot.
    async fn delete_database(&self) -> Result<()>;

    /// Keeps a whole copy of the database as it is now.
    ///
    /// # Errors
    /// As [`Self::delete_database`].
    async fn keep_copy(&self) -> Result<()>;

    /// Puts the copy in the place of the database while instances are open.
    ///
    /// # Errors
    /// As [`Self::delete_database`].
    async fn put_copy_back(&self) -> Result<()>;

    /// Puts something in the place of the database that is not one, while instances are open.
    ///
    /// # Errors
    /// As [`Self::delete_database`].
    async fn damage_database(&self) -> Result<()>;

    /// Makes the database one of a later schema.
    ///
    /// # Errors
    /// As [`Self::delete_database`].
    async fn make_database_newer(&self) -> Result<()>;
}

/// What a [`CatalogHarness`] can bring about.
#[derive(Debug, Clone, Copy)]
pub struct CatalogCapabilities {
    /// [`CatalogHarness::delete_database`].
    pub deletion: Capability,
    /// [`CatalogHarness::keep_copy`] and [`CatalogHarness::put_copy_back`].
    pub replacement: Capability,
    /// [`CatalogHarness::damage_database`].
    pub damage: Capability,
    /// [`CatalogHarness::make_database_newer`].
    pub newer_schema: Capability,
    /// The catalog refuses a commit in which two changes claim one operation. What lacks it must accept such a commit,
    /// and nothing shows then that a failing commit changes nothing.
    pub refuses_reused_operations: Capability,
}

impl CatalogCapabilities {
    /// Everything.
    pub const ALL: Self = Self {
        deletion: Capability::Present,
        replacement: Capability::Present,
        damage: Capability::Present,
        newer_schema: Capability::Present,
        refuses_reused_operations: Capability::Present,
    };
}

/// An instance over a new, empty database.
async fn created(harness: &dyn CatalogHarness) -> Arc<dyn ArtifactCatalog> {
    let catalog = harness.open().await;
    fill(&*catalog, samples::empty_head(), Vec::new()).await;
    catalog
}

/// An instance over a new database with these artifacts.
async fn created_with(
    harness: &dyn CatalogHarness,
    artifacts: &[Artifact],
) -> Arc<dyn ArtifactCatalog> {
    let catalog = created(harness).await;
    put_all(&*catalog, artifacts).await;
    catalog
}

async fn put_all(catalog: &dyn ArtifactCatalog, artifacts: &[Artifact]) {
    let changes = artifacts.iter().map(put).collect();
    apply(catalog, changes).await;
}

async fn apply(catalog: &dyn ArtifactCatalog, changes: Vec<ArtifactChange>) -> u64 {
    let commit = ArtifactCommit { changes };
    catalog
        .apply(&samples::permit(), commit)
        .await
        .expect("a commit that contradicts nothing succeeds")
}

async fn fill(
    catalog: &dyn ArtifactCatalog,
    head: CatalogHead,
    commits: Vec<ArtifactCommit>,
) -> Option<String> {
    let commits = Box::pin(stream::iter(commits.into_iter().map(Ok)));
    catalog
        .rebuild(&samples::permit(), head, commits)
        .await
        .expect("a rebuild succeeds")
}

fn put(artifact: &Artifact) -> ArtifactChange {
    ArtifactChange::Put(Box::new(artifact.clone()))
}

fn scope_of(artifact: &Artifact) -> DedupScope {
    DedupScope {
        kind: artifact.kind,
        artifact_type: artifact.artifact_type.clone(),
        schema_version: artifact.schema_version,
        logical_key: artifact.logical_key.clone(),
    }
}

/// The probe that publishing the bytes of `artifact` once more would make.
fn publish_probe(artifact: &Artifact) -> ArtifactProbe {
    publish_probe_as(samples::op_id("never done"), artifact)
}

fn publish_probe_as(op_id: OpId, artifact: &Artifact) -> ArtifactProbe {
    ArtifactProbe::Publish {
        op_id,
        scope: scope_of(artifact),
        file_hash: artifact.file_hash,
        content_hash: None,
        inputs: Vec::new(),
    }
}

/// Everything that a catalog holds.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    head: CatalogHead,
    artifacts: Vec<Artifact>,
    events: Vec<artstore_core::backend::ArtifactEventRow>,
}

async fn contents(catalog: &dyn ArtifactCatalog) -> Contents {
    Contents {
        head: catalog.head().await.unwrap(),
        artifacts: catalog.scan(None, 100_000).await.unwrap(),
        events: catalog.scan_events(0, 100_000).await.unwrap(),
    }
}
