//! Artifacts: immutable tables and files, found by id or by (type, logical key).

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::{ContentHash, Digest};
use crate::error::{Error, Result};
use crate::id::{ArtifactId, RunId};
use crate::key::{ArtifactType, LogicalKey, OpId};
use crate::path::RelPath;
use crate::tags::Tags;
use crate::time::Timestamp;

mod request;

pub use request::{
    ArtifactSource, GitState, Merged, PublishArtifactRequest, PublishArtifactResult, Writer,
};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            pub enum $name {
                $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
            }

            impl $name {
                /// Every value.
                pub const ALL: &'static [Self] = &[$(Self::$variant),*];

                /// The word in documents and on the command line.
                pub const fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word,)*
                    }
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(self.as_str())
                }
            }

            impl FromStr for $name {
                type Err = Error;

                fn from_str(text: &str) -> Result<Self> {
                    Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                        let known: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                        Error::invalid(concat!("not a valid ", $what))
                            .with("given", text.escape_debug())
                            .with("known", known.join(", "))
                    })
                }
            }
        )*
    };
}

words! {
    /// What an artifact holds.
    ArtifactKind = "artifact kind" {
        /// A table, stored as Parquet.
        Table = "table",
        /// Any bytes.
        File = "file",
    }
    /// Where an artifact stands.
    ArtifactStatus = "artifact status" {
        /// In use. Only active artifacts are answered as duplicates.
        Active = "active",
        /// Replaced by another artifact.
        Superseded = "superseded",
        /// Withdrawn.
        Tombstoned = "tombstoned",
    }
    /// How a duplicate was recognised.
    DedupMode = "deduplication mode" {
        /// The stored bytes are the same.
        FileHash = "file_hash",
        /// The table says the same, in other bytes.
        ContentHash = "content_hash",
    }
}

/// An artifact as the catalog knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its identity.
    pub id: ArtifactId,
    /// What sort of thing it is.
    pub artifact_type: ArtifactType,
    /// The version of the type's schema.
    pub schema_version: u32,
    /// What it is about.
    pub logical_key: LogicalKey,
    /// Table or file.
    pub kind: ArtifactKind,
    /// Active, superseded or tombstoned.
    pub status: ArtifactStatus,
    /// The stored file, relative to the root.
    pub data_path: RelPath,
    /// The record (sidecar) beside it, relative to the root.
    pub record_path: RelPath,
    /// SHA-256 of the stored bytes.
    pub file_hash: Digest,
    /// Identity of the content: of a file the same digest, of a table its `ch1`.
    pub content_hash: ContentHash,
    /// Size of the stored file in bytes.
    pub size_bytes: u64,
    /// Number of rows of a table.
    pub row_count: Option<u64>,
    /// Earliest time in a table's timestamp column.
    pub min_timestamp: Option<Timestamp>,
    /// Latest time in a table's timestamp column.
    pub max_timestamp: Option<Timestamp>,
    /// When it was staged. Lists follow (`created_at`, `id`).
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
    /// What it was made from, without repetition: in the order given, later ones behind.
    pub inputs: Vec<ArtifactInput>,
    /// The artifact that replaced it.
    pub superseded_by: Option<ArtifactId>,
    /// The artifacts that it replaced, in ascending order of their ids.
    pub supersedes: Vec<ArtifactId>,
    /// Why it was tombstoned.
    pub tombstone_reason: Option<String>,
    /// The run that published it.
    pub run_id: Option<RunId>,
    /// The operation that created it.
    pub op_id: OpId,
    /// Digest of the request that created it.
    pub request_digest: Digest,
    /// 1 at creation, one more with every change.
    pub revision: u64,
    /// Sequence of the last event included; 0 if there was none.
    pub last_event: u64,
}

/// An artifact that another one was made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ArtifactInput {
    /// The input.
    pub id: ArtifactId,
    /// What it was used as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl Artifact {
    /// The greatest number of artifacts that one artifact replaces.
    pub const MAX_SUPERSEDES: usize = 10_000;
}

impl ArtifactInput {
    /// The greatest number of inputs of an artifact.
    pub const MAX_COUNT: usize = 10_000;
    /// The greatest length of a role in bytes.
    pub const MAX_ROLE_BYTES: usize = 200;

    /// An input without role.
    pub fn new(id: ArtifactId) -> Self {
        Self { id, role: None }
    }
}

/// Those of `given` that are not among `known`, in their order and each once.
pub fn new_inputs(known: &[ArtifactInput], given: &[ArtifactInput]) -> Vec<ArtifactInput> {
    let mut seen: HashSet<&ArtifactInput> = known.iter().collect();
    given
        .iter()
        .filter(|input| seen.insert(input))
        .cloned()
        .collect()
}

/// Who may be answered as a duplicate of whom: artifacts of the same kind, type, schema version and logical key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupScope {
    /// Table or file.
    pub kind: ArtifactKind,
    /// What sort of thing it is.
    pub artifact_type: ArtifactType,
    /// The version of the type's schema.
    pub schema_version: u32,
    /// What it is about.
    pub logical_key: LogicalKey,
}

/// Which artifacts to list. Conditions are joined by AND; the default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactFilter {
    /// Only this type.
    pub artifact_type: Option<ArtifactType>,
    /// Only this status.
    pub status: Option<ArtifactStatus>,
    /// Only artifacts with all these tags.
    pub tags: Tags,
    /// Only keys that start with this text, compared byte for byte.
    pub key_prefix: Option<String>,
    /// Only artifacts created at this time or later.
    pub created_from: Option<Timestamp>,
    /// Only artifacts created before this time.
    pub created_before: Option<Timestamp>,
    /// Only tables whose times overlap with this span.
    pub overlaps: Option<TimeSpan>,
}

/// The times from `from` on and before `before`; either end may be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeSpan {
    /// The first of them.
    pub from: Option<Timestamp>,
    /// The first that is not among them any more.
    pub before: Option<Timestamp>,
}

impl TimeSpan {
    /// A span with both ends.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it would be empty.
    pub fn new(from: Option<Timestamp>, before: Option<Timestamp>) -> Result<Self> {
        if let (Some(from), Some(before)) = (from, before)
            && from >= before
        {
            return Err(Error::invalid("the time span is empty")
                .with("from", from)
                .with("before", before));
        }
        Ok(Self { from, before })
    }

    /// Whether a table with these earliest and latest times overlaps with the span.
    pub fn overlaps(&self, earliest: Timestamp, latest: Timestamp) -> bool {
        self.from.is_none_or(|from| latest >= from)
            && self.before.is_none_or(|before| earliest < before)
    }
}

impl FromStr for TimeSpan {
    type Err = Error;

    /// Reads `FROM..BEFORE`, where either may be missing.
    fn from_str(text: &str) -> Result<Self> {
        let (from, before) = text.split_once("..").ok_or_else(|| {
            Error::invalid("not a valid time span")
                .with("given", text.escape_debug())
                .hint("write a time span as 2026-11-01..2026-12-01; either end may be missing")
        })?;
        let end = |text: &str| (!text.is_empty()).then(|| text.parse()).transpose();
        Self::new(end(from)?, end(before)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_half_open() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let span: TimeSpan = "2026-11-01..2026-12-01".parse().unwrap();
        let check = |earliest, latest, expected| {
            assert_eq!(span.overlaps(time(earliest), time(latest)), expected);
        };
        check("2026-10-01", "2026-11-01", true);
        check("2026-10-01", "2026-10-31T23:59:59.999Z", false);
        check("2026-11-30T23:59:59.999Z", "2027-01-01", true);
        check("2026-12-01", "2027-01-01", false);
        check("2020-01-01", "2030-01-01", true);
        assert_eq!("..".parse::<TimeSpan>().unwrap(), TimeSpan::default());
        for wrong in ["", "2026-11-01", "2026-11-01..2026-11-01", "x.."] {
            assert!(wrong.parse::<TimeSpan>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for status in ArtifactStatus::ALL {
            assert_eq!(status.as_str().parse::<ArtifactStatus>().unwrap(), *status);
        }
        let error = "gone".parse::<ArtifactStatus>().unwrap_err();
        assert_eq!(
            error.context_value("known"),
            Some("active, superseded, tombstoned")
        );
    }
}
