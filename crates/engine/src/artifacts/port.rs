//! The [`ArtifactStorePort`] over the backend traits.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};

use artstore_core::artifact::{
    Artifact, ArtifactFilter, PublishArtifactRequest, PublishArtifactResult,
};
use artstore_core::backend::ArtifactQuery;
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::page::{Cursor, Page, PageRequest};
use artstore_core::ports::{ArtifactReader, ArtifactStorePort, ByteRange};
use artstore_core::tags::TagChange;
use artstore_core::{Error, Result};
use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::decide::not_found;
use super::request;
use super::rules::{ArtifactOutcome, ArtifactRules, ArtifactTask, ArtifactWork};
use crate::committer::Committer;
use crate::engine::{EngineParts, EngineSettings};
use crate::protocol::Protocol;

/// How many large sources are staged at a time.
const LARGE_PREPARATIONS: u32 = 8;

/// Implements the port of artifacts.
pub(crate) struct ArtifactEngine {
    /// For work that outlives the call.
    pub(super) me: Weak<Self>,
    pub(super) preparations: Arc<Semaphore>,
    /// Large sources take long: they wait for each other and for nobody else.
    pub(super) large_preparations: Semaphore,
    pub(crate) parts: Arc<EngineParts>,
    pub(super) settings: EngineSettings,
    pub(super) committer: Committer<ArtifactRules>,
    /// The epoch of the catalog that was found to be the last one committed to, plus one; 0 if none was.
    pub(super) agreed_epoch: AtomicU64,
}

impl ArtifactEngine {
    pub(crate) fn new(parts: Arc<EngineParts>, settings: EngineSettings) -> Arc<Self> {
        let rules = ArtifactRules::new(Arc::clone(&parts), settings.actor.clone());
        let protocol = Protocol {
            rules: Arc::new(rules),
            publications: Arc::clone(&parts.publications),
            lock: Arc::clone(&parts.lock),
            ids: Arc::clone(&parts.ids),
            clock: Arc::clone(&parts.clock),
            patience: settings.patience,
        };
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            preparations: Arc::new(Semaphore::new(settings.preparations.max(1))),
            large_preparations: Semaphore::new(LARGE_PREPARATIONS as usize),
            committer: Committer::new(protocol, &settings),
            parts,
            settings,
            agreed_epoch: AtomicU64::new(0),
        })
    }

    pub(crate) fn protocol(&self) -> &Protocol<ArtifactRules> {
        self.committer.protocol()
    }

    /// Waits until everything that was begun has ended, also for callers who have gone away, and closes the catalog.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(self.settings.preparations.max(1)).unwrap_or(u32::MAX);
        // It is never closed, so that this cannot fail.
        let _ = self.preparations.acquire_many(all).await;
        let _ = self
            .large_preparations
            .acquire_many(LARGE_PREPARATIONS)
            .await;
        self.committer.idle().await;
        self.parts.blobs.close().await;
        self.parts.catalogs.artifacts.close().await;
    }

    async fn page(
        &self,
        mut query: ArtifactQuery,
        request: &PageRequest,
    ) -> Result<Page<Artifact>> {
        // One more than asked for tells whether there is a next page.
        query.limit = request.limit() + 1;
        query.after = request.cursor();
        let catalog = &self.parts.catalogs.artifacts;
        let mut items = self.query(|| catalog.list(&query)).await?;
        let has_next = items.len() > request.limit() as usize;
        items.truncate(request.limit() as usize);
        let next = items.last().filter(|_| has_next).map(|last| Cursor {
            created_at: last.created_at,
            id: last.id,
        });
        Ok(Page { items, next })
    }
}

impl fmt::Debug for ArtifactEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactEngine")
            .field("store", &self.parts.store.store_id)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ArtifactStorePort for ArtifactEngine {
    #[tracing::instrument(level = "debug", skip_all, err(level = "debug"), fields(artifact_type = %request.artifact_type, logical_key = %request.logical_key))]
    async fn publish_artifact(
        &self,
        request: PublishArtifactRequest,
    ) -> Result<PublishArtifactResult> {
        self.publish(Arc::new(request)).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn get_artifact(&self, id: ArtifactId) -> Result<Artifact> {
        let found = self.get_artifacts(&[id]).await?;
        found
            .into_iter()
            .flatten()
            .next()
            .ok_or_else(|| not_found(id))
    }

    #[tracing::instrument(level = "debug", skip_all, err(level = "debug"), fields(count = ids.len()))]
    async fn get_artifacts(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>> {
        let catalog = &self.parts.catalogs.artifacts;
        self.query(|| catalog.get(ids)).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn list_artifacts(
        &self,
        filter: &ArtifactFilter,
        page: &PageRequest,
    ) -> Result<Page<Artifact>> {
        let query = ArtifactQuery {
            filter: filter.clone(),
            logical_key: None,
            after: None,
            limit: 0,
        };
        self.page(query, page).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn find_by_logical_key(
        &self,
        artifact_type: &ArtifactType,
        logical_key: &LogicalKey,
        page: &PageRequest,
    ) -> Result<Page<Artifact>> {
        let query = ArtifactQuery {
            filter: ArtifactFilter {
                artifact_type: Some(artifact_type.clone()),
                ..ArtifactFilter::default()
            },
            logical_key: Some(logical_key.clone()),
            after: None,
            limit: 0,
        };
        self.page(query, page).await
    }

    #[tracing::instrument(level = "debug", skip(self, change), err(level = "debug"))]
    async fn tag(
        &self,
        id: ArtifactId,
        change: TagChange,
        op_id: Option<OpId>,
    ) -> Result<Artifact> {
        let request_digest = request::of_tag(id, &change)?;
        let op_id = match op_id {
            Some(op_id) => op_id,
            None => self.new_op_id()?,
        };
        let work = ArtifactWork {
            op_id,
            request_digest,
            task: ArtifactTask::Tag(id, change),
        };
        match self.committer.submit(work).await? {
            ArtifactOutcome::Tagged(artifact) => Ok(artifact),
            _ => Err(Error::internal("a change of tags had another outcome").with("artifact", id)),
        }
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn open(&self, id: ArtifactId, range: Option<ByteRange>) -> Result<ArtifactReader> {
        let artifact = self.get_artifact(id).await?;
        self.open_verified(artifact, range).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn local_path(&self, id: ArtifactId) -> Result<PathBuf> {
        let artifact = self.get_artifact(id).await?;
        self.parts
            .blobs
            .local_path(&artifact.data_path)
            .ok_or_else(|| Error::unsupported("the store's bytes are not on a local filesystem"))
    }

    async fn is_available(&self) -> bool {
        let catalog = &self.parts.catalogs.artifacts;
        self.query(|| catalog.head()).await.is_ok()
    }
}
