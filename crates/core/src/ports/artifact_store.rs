use std::fmt::{self, Debug};
use std::path::PathBuf;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use crate::artifact::{Artifact, ArtifactFilter, PublishArtifactRequest, PublishArtifactResult};
use crate::error::Result;
use crate::id::ArtifactId;
use crate::key::{ArtifactType, LogicalKey, OpId};
use crate::lineage::{ArtifactLineage, Supersession, WalkLimits};
use crate::page::{Page, PageRequest};
use crate::tags::TagChange;

/// Keeps immutable artifacts: publishes them, finds them, traces them, replaces and withdraws them, reads them verified.
///
/// ```
/// use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
/// use artstore_core::key::{ArtifactType, LogicalKey};
/// use artstore_core::ports::ArtifactStorePort;
///
/// async fn keep(store: &dyn ArtifactStorePort) -> artstore_core::Result<()> {
///     let request = PublishArtifactRequest::file(
///         ArtifactType::new("daily_report")?,
///         LogicalKey::new("day=2026-11-20")?,
///         ArtifactSource::File("report.html".into()),
///     );
///     let result = store.publish_artifact(request).await?;
///     println!("{}", result.artifact().id);
///     Ok(())
/// }
/// ```
///
/// # Durability
/// What a returned `Ok` reports survives the death of the process and loss of power at any moment.
///
/// # Concurrency
/// Any number of tasks, threads and processes may use one store. A call that was dropped before it returned may or may
/// not take effect, but never in part.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ArtifactStorePort: Debug + Send + Sync + 'static {
    /// Publishes bytes or a table as an artifact, or answers the active artifact of the same kind, type, schema version
    /// and logical key with the same content: the same stored bytes, or else, of a table, the same content hash. New tags
    /// and inputs of a duplicate are merged into it, except for inputs that were made from it; everything else about it
    /// stays. A table's type may be registered ([`ArtifactTypeRegistry`](super::ArtifactTypeRegistry)).
    ///
    /// Repeating a call with the same `op_id` gives the outcome of the first. A duplicate that brings nothing new changes
    /// nothing, and so its operation is not remembered.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound): the source or an input does not exist.
    /// * [`Invalid`](crate::ErrorKind::Invalid): the source is not a regular file, not a table or cannot be adopted, it
    ///   lacks a column that its type requires, or a limit is exceeded. Nothing is written.
    /// * [`Conflict`](crate::ErrorKind::Conflict): the source changed while it was read, or the `op_id` was used for
    ///   another request.
    /// * [`Busy`](crate::ErrorKind::Busy): too many others wait, or the domain's lock was not free in time.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable): no space, no permission, no store.
    /// * [`CommitUnknown`](crate::ErrorKind::CommitUnknown): repeat with the same `op_id`.
    ///
    /// After any error but the last nothing was published.
    async fn publish_artifact(
        &self,
        request: PublishArtifactRequest,
    ) -> Result<PublishArtifactResult>;

    /// Publishes many artifacts, each as [`publish_artifact`](Self::publish_artifact) does, and gives one result for each
    /// request, in the order of the requests. Syncs and commits are shared, which makes it several times faster than one
    /// call after the other; how many requests share them is the store's affair.
    ///
    /// It is not one change: each result stands for itself, and a failed request keeps none of the others back. Of requests
    /// with the same content in the same scope the first that succeeds is published and later ones are duplicates of it.
    ///
    /// # Concurrency
    /// Other callers are served in between, however many requests there are. If the call is dropped, each request may or
    /// may not have taken effect, none in part.
    async fn publish_artifacts(
        &self,
        requests: Vec<PublishArtifactRequest>,
    ) -> Vec<Result<PublishArtifactResult>>;

    /// The artifact `id`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is none.
    async fn get_artifact(&self, id: ArtifactId) -> Result<Artifact>;

    /// The artifacts `ids` in the order asked for, `None` for each that does not exist.
    ///
    /// # Errors
    /// Only such that concern the whole store.
    async fn get_artifacts(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>>;

    /// Artifacts that match `filter`, newest first by (`created_at`, `id`).
    ///
    /// # Errors
    /// Only such that concern the whole store.
    async fn list_artifacts(
        &self,
        filter: &ArtifactFilter,
        page: &PageRequest,
    ) -> Result<Page<Artifact>>;

    /// Artifacts of every status with this type and exactly this logical key: the active ones, newest first, then the
    /// others, newest first. One that is replaced or withdrawn between two pages may be on both.
    ///
    /// # Errors
    /// Only such that concern the whole store.
    async fn find_by_logical_key(
        &self,
        artifact_type: &ArtifactType,
        logical_key: &LogicalKey,
        page: &PageRequest,
    ) -> Result<Page<Artifact>>;

    /// What the artifact `id` was made from, and what that was made from, as far as `limits` go: nearest first, each
    /// artifact once, at its least depth.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such artifact.
    async fn get_lineage(&self, id: ArtifactId, limits: WalkLimits) -> Result<ArtifactLineage>;

    /// What was made from the artifact `id`, and what was made from that, like [`get_lineage`](Self::get_lineage).
    ///
    /// # Errors
    /// As [`get_lineage`](Self::get_lineage).
    async fn get_downstream(&self, id: ArtifactId, limits: WalkLimits) -> Result<ArtifactLineage>;

    /// What the artifact `id` replaced and what replaced it.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such artifact.
    async fn get_supersession(&self, id: ArtifactId) -> Result<Supersession>;

    /// Replaces the active artifact `old` by the active artifact `new` of the same type, and returns `old` as it is then.
    /// One artifact may replace several. Asking again for what is so already writes nothing, also when `old` was tombstoned
    /// since.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound): one of them does not exist.
    /// * [`Conflict`](crate::ErrorKind::Conflict): they are the same, their types differ, `old` is tombstoned or replaced by
    ///   another one, or `new` is tombstoned or replaced itself. Therefore no chain ever closes.
    /// * Otherwise as [`publish_artifact`](Self::publish_artifact).
    async fn supersede(
        &self,
        new: ArtifactId,
        old: ArtifactId,
        op_id: Option<OpId>,
    ) -> Result<Artifact>;

    /// Withdraws the artifact `id`, active or replaced, and returns it as it is then. It is never answered as a duplicate
    /// any more; its record, bytes and lineage stay. One that is withdrawn already stays as it is.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound): there is no such artifact.
    /// * [`Invalid`](crate::ErrorKind::Invalid): the reason is empty, longer than 1,000 bytes or holds a control character.
    /// * Otherwise as [`publish_artifact`](Self::publish_artifact).
    async fn tombstone(
        &self,
        id: ArtifactId,
        reason: &str,
        op_id: Option<OpId>,
    ) -> Result<Artifact>;

    /// Changes the tags of the artifact `id` and returns it as it is then. A change with no effect writes nothing.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such artifact; otherwise as
    /// [`publish_artifact`](Self::publish_artifact).
    async fn tag(&self, id: ArtifactId, change: TagChange, op_id: Option<OpId>)
    -> Result<Artifact>;

    /// The bytes of the artifact `id`, or a range of them, verified: all bytes are read and hashed whatever the range,
    /// and if the digest is wrong the stream's last item is a [`Corrupt`](crate::ErrorKind::Corrupt) error.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such artifact, [`Corrupt`](crate::ErrorKind::Corrupt) if its
    /// file is missing or has another size, [`Invalid`](crate::ErrorKind::Invalid) if the range starts behind the end.
    async fn open(&self, id: ArtifactId, range: Option<ByteRange>) -> Result<ArtifactReader>;

    /// Where the stored file of the artifact `id` can be opened on this machine. It must not be changed.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such artifact, [`Unsupported`](crate::ErrorKind::Unsupported) if
    /// the store's bytes are not on a local filesystem.
    async fn local_path(&self, id: ArtifactId) -> Result<PathBuf>;

    /// Whether the store answers: its root and catalog can be read. A fresh store is available.
    async fn is_available(&self) -> bool;
}

/// Some of an artifact's bytes: from `offset`, at most `length` if given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte, counted from 0.
    pub offset: u64,
    /// How many bytes at most.
    pub length: Option<u64>,
}

/// The bytes of an artifact as a stream of pieces.
pub struct ArtifactReader {
    /// The artifact.
    pub artifact: Artifact,
    /// How many bytes the stream gives in all.
    pub length: u64,
    /// The pieces; the last item is an error if the stored bytes do not have the recorded digest.
    pub bytes: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
}

impl Debug for ArtifactReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactReader")
            .field("artifact", &self.artifact.id)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
