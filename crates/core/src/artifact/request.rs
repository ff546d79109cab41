//! What a publish asks for and what becomes of it.

use std::path::PathBuf;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Artifact, ArtifactInput, ArtifactKind, DedupMode, DedupScope};
use crate::key::{ArtifactType, LogicalKey, OpId};
use crate::table::TableFormat;
use crate::tags::Tags;

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
