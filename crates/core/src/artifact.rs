//! Artifacts: immutable tables and files, found by id or by (type, logical key).

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::digest::{ContentHash, Digest};
use crate::error::{Error, Result};
use crate::id::{ArtifactId, RunId};
use crate::key::{ArtifactType, LogicalKey, OpId};
use crate::path::RelPath;
use crate::table::TableFormat;
use crate::tags::Tags;
use crate::time::Timestamp;

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

/// The bytes to publish.
#[derive(Debug, Clone)]
pub enum ArtifactSource {
    /// Copy the file at this path; it stays where it is.
    File(PathBuf),
    /// Take over the file at this path: it is moved into the store when it is published, and stays where it is when
    /// it turns out to be a duplicate. It must be on the store's filesystem, have no other hard link, and must not be
    /// written to any more.
    AdoptFile(PathBuf),
    /// These bytes.
    Bytes(Bytes),
}

/// Who wrote an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// Name of the program or step.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The state of the source code that wrote an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitState {
    /// The commit that was checked out.
    pub commit: String,
    /// Whether there were uncommitted changes.
    pub dirty: bool,
}

/// A request to publish an artifact.
///
/// Made with [`PublishArtifactRequest::file`] or [`PublishArtifactRequest::table`] and filled in field by field.
#[derive(Debug, Clone)]
pub struct PublishArtifactRequest {
    /// What sort of thing it is.
    pub artifact_type: ArtifactType,
    /// The version of the type's schema; 1 by default.
    pub schema_version: u32,
    /// What it is about.
    pub logical_key: LogicalKey,
    /// The bytes.
    pub source: ArtifactSource,
    /// How the bytes are read as a table; `None` publishes them as a file.
    pub table: Option<TableFormat>,
    /// What it was made from. On a duplicate, new ones are merged into the existing artifact.
    pub inputs: Vec<ArtifactInput>,
    /// Tags. On a duplicate, new ones are merged into the existing artifact.
    pub tags: Tags,
    /// Who wrote it.
    pub writer: Option<Writer>,
    /// The state of the source code that wrote it.
    pub git: Option<GitState>,
    /// Parameters of the writer, kept in the record only.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// Text for the file's name; the logical key by default.
    pub filename_hint: Option<String>,
    /// Identifies this publish, so that repeating it has no further effect; made up if not given.
    pub op_id: Option<OpId>,
}

impl PublishArtifactRequest {
    /// The greatest size of `params` as JSON in bytes.
    pub const MAX_PARAMS_BYTES: usize = 256 * 1024;

    /// A request to publish a table as an artifact of kind [`ArtifactKind::Table`], stored as Parquet.
    pub fn table(
        artifact_type: ArtifactType,
        logical_key: LogicalKey,
        source: ArtifactSource,
        format: TableFormat,
    ) -> Self {
        Self {
            table: Some(format),
            ..Self::file(artifact_type, logical_key, source)
        }
    }

    /// A request to publish bytes as an artifact of kind [`ArtifactKind::File`].
    pub fn file(
        artifact_type: ArtifactType,
        logical_key: LogicalKey,
        source: ArtifactSource,
    ) -> Self {
        Self {
            artifact_type,
            schema_version: 1,
            logical_key,
            source,
            table: None,
            inputs: Vec::new(),
            tags: Tags::new(),
            writer: None,
            git: None,
            params: serde_json::Map::new(),
            filename_hint: None,
            op_id: None,
        }
    }

    /// What the artifact will be.
    pub fn kind(&self) -> ArtifactKind {
        match self.table {
            Some(_) => ArtifactKind::Table,
            None => ArtifactKind::File,
        }
    }

    /// The scope in which duplicates are looked for.
    pub fn dedup_scope(&self) -> DedupScope {
        DedupScope {
            kind: self.kind(),
            artifact_type: self.artifact_type.clone(),
            schema_version: self.schema_version,
            logical_key: self.logical_key.clone(),
        }
    }
}

/// What became of a publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishArtifactResult {
    /// A new artifact.
    Published(Artifact),
    /// An active artifact in the same scope has the same content.
    Duplicate {
        /// The artifact that was there, as it is now.
        existing: Artifact,
        /// How it was recognised.
        mode: DedupMode,
        /// What of the request was new to it.
        merged: Merged,
    },
}

/// What of a publish was new to the artifact that was there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// Tags that are merged.
    pub tags: Tags,
    /// Inputs that are merged.
    pub inputs: Vec<ArtifactInput>,
    /// Inputs that are left out: they were made from the artifact, so that it would be made from itself.
    pub skipped_inputs: Vec<ArtifactInput>,
}

impl PublishArtifactResult {
    /// The artifact that now stands for the request: the new one, or the one that was there.
    pub fn artifact(&self) -> &Artifact {
        match self {
            Self::Published(artifact) => artifact,
            Self::Duplicate { existing, .. } => existing,
        }
    }

    /// Whether an existing artifact was answered.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. })
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
