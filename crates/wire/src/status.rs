//! The state of a store.

use std::path::Path;

use artstore_core::digest::Digest;
use artstore_core::id::StoreId;
use artstore_core::maintenance::{ArtifactCounts, StoreStatus};
use artstore_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::path_text;

/// The state of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusDocument {
    /// The store.
    pub store_id: StoreId,
    /// Where it is, absolute.
    pub root: String,
    /// When it was initialised.
    pub created_at: Timestamp,
    /// How many things it holds.
    pub counts: CountsDocument,
    /// Sizes of all stored files together in bytes.
    pub bytes: u64,
    /// Publications that are under way or were interrupted.
    pub pending: u64,
    /// Whether its root and catalog can be read.
    pub healthy: bool,
    /// SHA-256 of the canonical dump, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dump_digest: Option<Digest>,
}

/// How many things a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountsDocument {
    /// Artifacts.
    pub artifacts: ArtifactCountsDocument,
}

/// How many artifacts there are, by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactCountsDocument {
    /// Active artifacts.
    pub active: u64,
    /// Superseded artifacts.
    pub superseded: u64,
    /// Tombstoned artifacts.
    pub tombstoned: u64,
}

impl From<ArtifactCounts> for ArtifactCountsDocument {
    fn from(counts: ArtifactCounts) -> Self {
        Self {
            active: counts.active,
            superseded: counts.superseded,
            tombstoned: counts.tombstoned,
        }
    }
}

/// Whether a store answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Its root and catalog can be read.
    Healthy,
    /// They cannot.
    Unhealthy,
}

impl StatusDocument {
    /// The document of `status`, for the store whose root is at the absolute path `root`.
    pub fn new(status: &StoreStatus, root: &Path, health: Health) -> Self {
        Self {
            store_id: status.store_id,
            root: path_text(root),
            created_at: status.created_at,
            counts: CountsDocument {
                artifacts: status.artifacts.into(),
            },
            bytes: status.artifacts.bytes,
            pending: status.pending,
            healthy: health == Health::Healthy,
            dump_digest: status.dump_digest,
        }
    }
}
