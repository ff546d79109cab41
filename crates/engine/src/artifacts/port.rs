//! The [`ArtifactStorePort`] over the backend traits.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};

use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactStatus, PublishArtifactRequest, PublishArtifactResult,
};
use artstore_core::backend::ArtifactQuery;
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId, check_text};
use artstore_core::lineage::{ArtifactLineage, Relation, Supersession, WalkLimits};
use artstore_core::page::{Cursor, ListPart, Page, PageRequest};
use artstore_core::ports::{ArtifactReader, ArtifactStorePort, ByteRange};
use artstore_core::tags::TagChange;
use artstore_core::{Error, Result};
use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::decide::not_found;
use super::request;
use super::rules::{ArtifactOutcome, ArtifactRules, ArtifactTask, ArtifactWork};
use super::types::TypeRegistry;
use crate::activity::{Activities, to_its_end};
use crate::committer::Committer;
use crate::engine::{EngineParts, EngineSettings};
use crate::protocol::Protocol;

/// The greatest length in bytes of the reason of a tombstone.
const MAX_REASON_BYTES: usize = 1000;

/// How many large sources are staged at a time.
pub(super) const LARGE_PREPARATIONS: usize = 8;

/// Implements the port of artifacts.
pub(crate) struct ArtifactEngine {
    /// For work that outlives the call.
    pub(super) me: Weak<Self>,
    pub(super) preparations: Arc<Semaphore>,
    pub(super) activities: Arc<Activities>,
    /// Large sources take long: they wait for each other and for nobody else.
    pub(super) large_preparations: Arc<Semaphore>,
    pub(crate) parts: Arc<EngineParts>,
    pub(crate) types: Arc<TypeRegistry>,
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
        let (actor, patience) = (settings.actor.clone(), settings.patience);
        let preparations = Arc::new(Semaphore::new(settings.preparations.max(1)));
        let places = Arc::clone(&preparations);
        let activities = Arc::new(Activities::new());
        let under_way = Arc::clone(&activities);
        let types = TypeRegistry::new(Arc::clone(&parts), places, under_way, actor, patience);
        Arc::new_cyclic(|me| Self {
            types: Arc::new(types),
            me: Weak::clone(me),
            preparations,
            activities,
            large_preparations: Arc::new(Semaphore::new(LARGE_PREPARATIONS)),
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
        self.activities.ended().await;
        self.committer.idle().await;
        self.parts.blobs.close().await;
        self.parts.catalogs.artifacts.close().await;
    }

    /// Does long `work`, each step of which blocks, to its end.
    pub(crate) async fn do_to_its_end<T, F>(
        &self,
        work: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let this = self.this()?;
        to_its_end(self.activities.begin(), work(this)).await
    }

    /// This engine, for work that outlives the call.
    pub(super) fn this(&self) -> Result<Arc<Self>> {
        let dropped = || Error::unavailable("the store was dropped");
        self.me.upgrade().ok_or_else(dropped)
    }

    async fn page(&self, query: ArtifactQuery, request: &PageRequest) -> Result<Page<Artifact>> {
        let part = Part::of(query, ListPart::First);
        self.page_of(&[part], request).await
    }

    /// A page of a list that has several parts, one after the other.
    async fn page_of(&self, parts: &[Part], request: &PageRequest) -> Result<Page<Artifact>> {
        let limit = request.limit() as usize;
        let cursor = request.cursor();
        let begun = cursor.map_or(ListPart::First, |cursor| cursor.part);
        if parts.iter().all(|part| part.name != begun) {
            return Err(Error::invalid("the cursor is of another list")
                .hint("pass the `next` of the page before, to the same question"));
        }
        let mut found: Vec<Artifact> = Vec::new();
        let mut starts: Vec<(usize, ListPart)> = Vec::new();
        for part in parts.iter().filter(|part| part.name >= begun) {
            // One more than asked for tells whether there is a next page.
            let wanted = limit + 1 - found.len();
            let mut query = part.query.clone();
            query.limit = u32::try_from(wanted).unwrap_or(u32::MAX);
            query.after = cursor.filter(|cursor| cursor.part == part.name);
            let catalog = &self.parts.catalogs.artifacts;
            let mut rows = self.query(|| catalog.list(&query)).await?;
            if !found.is_empty() {
                // What is replaced between two queries would be in both parts.
                let seen: HashSet<_> = found.iter().map(|artifact| artifact.id).collect();
                rows.retain(|artifact| !seen.contains(&artifact.id));
            }
            starts.push((found.len(), part.name));
            found.append(&mut rows);
            if found.len() > limit {
                break;
            }
        }
        let has_next = found.len() > limit;
        found.truncate(limit);
        let of_last = starts.iter().rev().find(|(start, _)| *start < found.len());
        let next = found
            .last()
            .zip(of_last)
            .filter(|_| has_next)
            .map(|(last, (_, part))| Cursor {
                created_at: last.created_at,
                id: last.id,
                part: *part,
            });
        Ok(Page { items: found, next })
    }

    /// A change that is not a publish.
    async fn change(
        &self,
        request_digest: Digest,
        op_id: Option<OpId>,
        task: ArtifactTask,
    ) -> Result<Artifact> {
        let _activity = self.activities.begin();
        let op_id = match op_id {
            Some(op_id) => op_id,
            None => self.new_op_id()?,
        };
        let work = ArtifactWork {
            op_id,
            request_digest,
            task,
        };
        match self.committer.submit(work).await? {
            ArtifactOutcome::Changed(artifact) => Ok(artifact),
            _ => Err(Error::internal("a change had the outcome of a publish")),
        }
    }
}

/// A part of a list.
struct Part {
    name: ListPart,
    query: ArtifactQuery,
}

impl Part {
    fn of(query: ArtifactQuery, name: ListPart) -> Self {
        Self { name, query }
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
        self.publish(request).await
    }

    #[tracing::instrument(level = "debug", skip_all, fields(count = requests.len()))]
    async fn publish_artifacts(
        &self,
        requests: Vec<PublishArtifactRequest>,
    ) -> Vec<Result<PublishArtifactResult>> {
        self.publish_all(requests).await
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
            excluded_status: None,
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
        let every = ArtifactQuery {
            filter: ArtifactFilter {
                artifact_type: Some(artifact_type.clone()),
                ..ArtifactFilter::default()
            },
            logical_key: Some(logical_key.clone()),
            excluded_status: None,
            after: None,
            limit: 0,
        };
        let mut active = every.clone();
        active.filter.status = Some(ArtifactStatus::Active);
        let others = ArtifactQuery {
            excluded_status: Some(ArtifactStatus::Active),
            ..every
        };
        let parts = [
            Part::of(active, ListPart::First),
            Part::of(others, ListPart::Inactive),
        ];
        self.page_of(&parts, page).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn get_lineage(&self, id: ArtifactId, limits: WalkLimits) -> Result<ArtifactLineage> {
        self.lineage(id, Relation::Inputs, limits).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn get_downstream(&self, id: ArtifactId, limits: WalkLimits) -> Result<ArtifactLineage> {
        self.lineage(id, Relation::Downstream, limits).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn get_supersession(&self, id: ArtifactId) -> Result<Supersession> {
        self.supersession(id).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn supersede(
        &self,
        new: ArtifactId,
        old: ArtifactId,
        op_id: Option<OpId>,
    ) -> Result<Artifact> {
        let request_digest = request::of_supersede(new, old)?;
        let task = ArtifactTask::Supersede { new, old };
        self.change(request_digest, op_id, task).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn tombstone(
        &self,
        id: ArtifactId,
        reason: &str,
        op_id: Option<OpId>,
    ) -> Result<Artifact> {
        check_text(reason, "reason", MAX_REASON_BYTES)?;
        let request_digest = request::of_tombstone(id, reason)?;
        let reason = reason.to_owned();
        let task = ArtifactTask::Tombstone { id, reason };
        self.change(request_digest, op_id, task).await
    }

    #[tracing::instrument(level = "debug", skip(self, change), err(level = "debug"))]
    async fn tag(
        &self,
        id: ArtifactId,
        change: TagChange,
        op_id: Option<OpId>,
    ) -> Result<Artifact> {
        let request_digest = request::of_tag(id, &change)?;
        let task = ArtifactTask::Tag(id, change);
        self.change(request_digest, op_id, task).await
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
