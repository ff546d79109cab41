//! Reports of maintenance.

use std::fmt;

use crate::id::StoreId;
use crate::path::RelPath;
use crate::time::Timestamp;

/// Something in a store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where.
    pub path: RelPath,
    /// What was done about it, or what is known of it.
    pub detail: String,
}

/// What is wrong with a file of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A record or event cannot be read or does not have its own digest. It is left where it is.
    DamagedRecord,
    /// A record whose bytes are missing or have another size. It is moved to quarantine.
    RecordWithoutBytes,
    /// Bytes that no record names. They are moved to quarantine.
    BytesWithoutRecord,
    /// A publication that was interrupted before it happened. Its files went back or to quarantine.
    InterruptedPublication,
    /// A row whose record is missing. The row stays until the catalog is rebuilt.
    RowWithoutRecord,
    /// An event about an artifact that has no record.
    EventWithoutRecord,
    /// A record that claims an operation which another record claims too. It is left where it is and gets no row.
    OperationClaimedTwice,
}

impl FaultKind {
    /// The word in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DamagedRecord => "damaged_record",
            Self::RecordWithoutBytes => "record_without_bytes",
            Self::BytesWithoutRecord => "bytes_without_record",
            Self::InterruptedPublication => "interrupted_publication",
            Self::RowWithoutRecord => "row_without_record",
            Self::EventWithoutRecord => "event_without_record",
            Self::OperationClaimedTwice => "operation_claimed_twice",
        }
    }

    /// Whether committed content may be missing, as opposed to remains of something that never happened.
    pub const fn is_damage(self) -> bool {
        !matches!(
            self,
            Self::InterruptedPublication | Self::BytesWithoutRecord
        )
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What settling did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettleReport {
    /// When it began, where it was asked for.
    pub started: Option<Timestamp>,
    /// When it ended, where it was asked for.
    pub finished: Option<Timestamp>,
    /// Records that were compared with the rows.
    pub checked: u64,
    /// Intents that were found and dealt with.
    pub intents: u64,
    /// Whether all records were compared with the rows.
    pub compared_all: bool,
    /// Records and events that were found without a row and got one.
    pub adopted: u64,
    /// Files left in staging by dead processes that were removed.
    pub swept: u64,
    /// What was found wrong.
    pub faults: Vec<Fault>,
}

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildReport {
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Records that were read.
    pub records: u64,
    /// Events that were read.
    pub events: u64,
    /// Where the former database was put, if there was one.
    pub moved_aside: Option<String>,
    /// What was found wrong.
    pub faults: Vec<Fault>,
}

/// The state of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// The store.
    pub store_id: StoreId,
    /// When it was initialised.
    pub created_at: Timestamp,
    /// How many artifacts there are, by status.
    pub artifacts: ArtifactCounts,
    /// Intents of publications that are under way or were interrupted.
    pub pending: u64,
    /// SHA-256 of the canonical dump, where asked for.
    pub dump_digest: Option<crate::digest::Digest>,
}

/// How many artifacts there are, by status, and how large they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArtifactCounts {
    /// Active artifacts.
    pub active: u64,
    /// Superseded artifacts.
    pub superseded: u64,
    /// Tombstoned artifacts.
    pub tombstoned: u64,
    /// Sizes of all stored files together in bytes.
    pub bytes: u64,
}

impl ArtifactCounts {
    /// Artifacts of any status.
    pub const fn total(&self) -> u64 {
        self.active + self.superseded + self.tombstoned
    }
}

/// Whether to compute the digest of the canonical dump, which reads the whole catalog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StatusDetail {
    /// Counts only.
    #[default]
    Counts,
    /// Counts and the digest of the canonical dump.
    Digest,
}
