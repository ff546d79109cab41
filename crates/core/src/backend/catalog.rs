use std::fmt::Debug;
use std::pin::Pin;

use async_trait::async_trait;
use futures_core::Stream;

use super::LockPermit;
use crate::artifact::{Artifact, ArtifactFilter, ArtifactStatus, DedupMode, DedupScope};
use crate::digest::{ContentHash, Digest};
use crate::error::Result;
use crate::id::{ArtifactId, StoreId};
use crate::key::{LogicalKey, OpId};
use crate::lineage::{Relation, Walk, WalkLimits};
use crate::maintenance::ArtifactCounts;
use crate::page::Cursor;
use crate::time::Timestamp;

/// Rows about artifacts and their events: an index that can be deleted.
///
/// A catalog stores what it is told and decides nothing. Every query and [`Self::apply`] sees the database that lies at
/// the catalog's place at the time of the call: one that was deleted is answered with
/// [`catalog_missing`](crate::Error::catalog_missing) and never created by a query; one that was replaced is opened anew.
///
/// # Errors
/// Every method may fail with [`Busy`](crate::ErrorKind::Busy) (locked by others for too long),
/// [`Unavailable`](crate::ErrorKind::Unavailable) (missing, forbidden, disk full), [`Corrupt`](crate::ErrorKind::Corrupt) (not a
/// database, damaged) and [`Unsupported`](crate::ErrorKind::Unsupported) (a newer schema).
#[async_trait]
pub trait ArtifactCatalog: Debug + Send + Sync + 'static {
    /// The catalog's identity and counters.
    async fn head(&self) -> Result<CatalogHead>;

    /// Raised whenever this instance found the database replaced and opened it anew.
    fn epoch(&self) -> u64;

    /// Answers what deciding about changes needs, all of it from one state of the database. Answers are in the order of
    /// the probes.
    async fn examine(&self, probes: Vec<ArtifactProbe>) -> Result<Examination>;

    /// Makes all changes of `commit` in one transaction, raises the commit counter by one (or further, where a change asks
    /// for it) and returns it. On an error
    /// nothing was changed, or [`CommitUnknown`](crate::ErrorKind::CommitUnknown) is not distinguished from it: the caller
    /// looks again.
    ///
    /// # Durability
    /// When it returns, the rows survive a power loss.
    async fn apply(&self, permit: &LockPermit, commit: ArtifactCommit) -> Result<u64>;

    /// The artifacts `ids` in the order asked for, `None` for each without a row.
    async fn get(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>>;

    /// At most `query.limit` artifacts that match, newest first by (`created_at`, `id`).
    async fn list(&self, query: &ArtifactQuery) -> Result<Vec<Artifact>>;

    /// Whether an active artifact of this scope may have this size: the cheap test before a source is read twice. A no is
    /// certain; a yes may also say that there are too many to look through.
    async fn may_have_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> Result<bool>;

    /// What the artifact `start` leads to by `relation`, see [`walk`](crate::lineage::walk), all of it from one state of the
    /// database; `None` if `start` has no row. A neighbour without a row is reached and leads nowhere by the relations that
    /// rows tell. Inputs come in their order, everything else in ascending order of the id, several uses of one input in the
    /// order of its uses.
    async fn walk(
        &self,
        start: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Result<Option<Walk>>;

    /// At most `limit` artifacts with an id greater than `after`, in ascending order of the id.
    async fn scan(&self, after: Option<ArtifactId>, limit: u32) -> Result<Vec<Artifact>>;

    /// At most `limit` events with a sequence greater than `after`, in ascending order of the sequence.
    async fn scan_events(&self, after: u64, limit: u32) -> Result<Vec<ArtifactEventRow>>;

    /// How many artifacts there are.
    async fn counts(&self) -> Result<ArtifactCounts>;

    /// Makes the catalog anew: its rows are exactly those of `commits` afterwards, its head is `head`. A database that was
    /// there is replaced, and kept under another name if it could not be read, has a newer schema or is another store's; that name is
    /// returned. Until the new one is complete the former one stays in its place. Also makes a catalog where there is none.
    ///
    /// # Durability
    /// When it returns, the rows survive a power loss. If it is interrupted, the former database is there, or none.
    async fn rebuild(
        &self,
        permit: &LockPermit,
        head: CatalogHead,
        commits: ArtifactCommits,
    ) -> Result<Option<String>>;

    /// Closes every connection after finishing what was begun. Later calls open them again.
    async fn close(&self);
}

/// The chunks of a rebuild.
pub type ArtifactCommits = Pin<Box<dyn Stream<Item = Result<ArtifactCommit>> + Send>>;

/// A catalog's identity and counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogHead {
    /// The store that the catalog indexes.
    pub store_id: StoreId,
    /// How many times [`ArtifactCatalog::apply`] has committed.
    pub commits: u64,
    /// The greatest event sequence; 0 if there is none.
    pub last_event: u64,
}

/// A question that deciding about a change asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactProbe {
    /// Was this operation done already, is there an active artifact in this scope with this file hash, or else with this
    /// content hash (of several, the first by (`created_at`, `id`)), and which of these inputs have no row?
    Publish {
        /// The operation.
        op_id: OpId,
        /// Where duplicates are looked for.
        scope: DedupScope,
        /// SHA-256 of the bytes.
        file_hash: Digest,
        /// The content hash, where it is known and another than that of the bytes.
        content_hash: Option<ContentHash>,
        /// What the artifact was made from.
        inputs: Vec<ArtifactId>,
    },
    /// Was this operation done already, and what are the artifacts like that it is about?
    Change {
        /// The operation.
        op_id: OpId,
        /// The artifacts.
        ids: Vec<ArtifactId>,
    },
    /// Was this operation done already, and which of these inputs have no row?
    Operation {
        /// The operation.
        op_id: OpId,
        /// What an artifact was made from.
        inputs: Vec<ArtifactId>,
    },
}

/// The answers of one examination.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The head at that time.
    pub head: CatalogHead,
    /// One answer per probe.
    pub answers: Vec<ProbeAnswer>,
}

/// The answer to one probe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// What the operation did, if it was done already.
    pub operation: Option<Operation>,
    /// Of a publish: the duplicate.
    pub duplicate: Option<Duplicate>,
    /// Of a publish and an operation: the inputs without a row, in the order asked for, each once.
    pub missing_inputs: Vec<ArtifactId>,
    /// Of a change: the artifacts in the order asked for, `None` for each without a row.
    pub artifacts: Vec<Option<Artifact>>,
}

/// An active artifact with the same content in the same scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The artifact.
    pub artifact: Artifact,
    /// What is the same.
    pub mode: DedupMode,
}

/// An operation that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Digest of its request.
    pub request_digest: Digest,
    /// The artifact that it created or changed.
    pub artifact_id: ArtifactId,
    /// The event that it made; none for a creation.
    pub event: Option<EventRef>,
}

/// Which event, with what its path is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRef {
    /// Its sequence.
    pub sequence: u64,
    /// Its kind.
    pub kind: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Changes of one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactCommit {
    /// The changes, in order.
    pub changes: Vec<ArtifactChange>,
}

/// A change of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactChange {
    /// The artifact is like this now; whatever was known of it before is replaced.
    Put(Box<Artifact>),
    /// This event happened. One with the same sequence is replaced, and the head's `last_event` is raised to it.
    Record(ArtifactEventRow),
    /// The commit counter is at least this after the commit. Not part of a rebuild.
    RaiseCommits(u64),
}

/// An event as the catalog knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactEventRow {
    /// Which event.
    pub event: EventRef,
    /// The artifact that it changed.
    pub artifact_id: ArtifactId,
    /// The operation that made it. No other event and no creation has the same.
    pub op_id: OpId,
    /// Digest of its request.
    pub request_digest: Digest,
}

/// Which artifacts to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactQuery {
    /// The conditions.
    pub filter: ArtifactFilter,
    /// Only exactly this logical key.
    pub logical_key: Option<LogicalKey>,
    /// Only artifacts of another status.
    pub excluded_status: Option<ArtifactStatus>,
    /// Only what comes after this place.
    pub after: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
}
