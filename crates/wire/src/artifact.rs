//! Artifacts, and what became of a publish.

use std::path::Path;

use artstore_core::artifact::{
    Artifact, ArtifactInput, ArtifactKind, ArtifactStatus, DedupMode, PublishArtifactResult,
};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::id::{ArtifactId, RunId};
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::path_text;

/// An artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactDocument {
    /// Its identity.
    pub artifact_id: ArtifactId,
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
    /// The stored file of either kind, absolute.
    pub path_parquet: String,
    /// The record beside it, absolute.
    pub path_sidecar: String,
    /// SHA-256 of the stored bytes.
    pub file_hash: Digest,
    /// Identity of the content.
    pub content_hash: ContentHash,
    /// Size of the stored file in bytes.
    pub size_bytes: u64,
    /// Number of rows of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
    /// Earliest time in a table's timestamp column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ts: Option<Timestamp>,
    /// Latest time in a table's timestamp column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ts: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its tags: each key with its values.
    pub tags: Tags,
    /// What it was made from.
    pub inputs: Vec<InputDocument>,
    /// The artifact that replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<ArtifactId>,
    /// The artifacts that it replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<ArtifactId>,
    /// Why it was tombstoned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tombstone_reason: Option<String>,
    /// The run that published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

/// An artifact that another one was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputDocument {
    /// The input.
    pub artifact_id: ArtifactId,
    /// What it was used as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl From<ArtifactInput> for InputDocument {
    fn from(input: ArtifactInput) -> Self {
        Self {
            artifact_id: input.id,
            role: input.role,
        }
    }
}

impl ArtifactDocument {
    /// The document of `artifact`, in the store whose root is at the absolute path `root`.
    pub fn new(artifact: Artifact, root: &Path) -> Self {
        Self {
            artifact_id: artifact.id,
            artifact_type: artifact.artifact_type,
            schema_version: artifact.schema_version,
            logical_key: artifact.logical_key,
            kind: artifact.kind,
            status: artifact.status,
            path_parquet: path_text(&root.join(&artifact.data_path)),
            path_sidecar: path_text(&root.join(&artifact.record_path)),
            file_hash: artifact.file_hash,
            content_hash: artifact.content_hash,
            size_bytes: artifact.size_bytes,
            row_count: artifact.row_count,
            min_ts: artifact.min_timestamp,
            max_ts: artifact.max_timestamp,
            created_at: artifact.created_at,
            tags: artifact.tags,
            inputs: artifact.inputs.into_iter().map(Into::into).collect(),
            superseded_by: artifact.superseded_by,
            supersedes: artifact.supersedes,
            tombstone_reason: artifact.tombstone_reason,
            run_id: artifact.run_id,
        }
    }
}

/// What became of a publish.
///
/// A new artifact is told by `artifactId` and its paths, a duplicate by `existingArtifactId` and how it was recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishDocument {
    /// Always true: a failure is an error document.
    pub success: bool,
    /// Whether an artifact with the same content was there.
    pub deduped: bool,
    /// How the duplicate was recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DedupMode>,
    /// The artifact that was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_artifact_id: Option<ArtifactId>,
    /// The new artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_id: Option<ArtifactId>,
    /// The new artifact's stored file, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_parquet: Option<String>,
    /// The new artifact's record, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_sidecar: Option<String>,
    /// The request's inputs that were merged into the artifact that was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_inputs: Vec<InputDocument>,
    /// The request's inputs that were left out: they were made from the artifact that was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_inputs: Vec<InputDocument>,
    /// The request's tags that were merged into the artifact that was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_tags: Option<Tags>,
}

impl PublishDocument {
    /// The document of `result`, in the store whose root is at the absolute path `root`.
    pub fn new(result: &PublishArtifactResult, root: &Path) -> Self {
        let empty = Self {
            success: true,
            deduped: result.is_duplicate(),
            mode: None,
            existing_artifact_id: None,
            artifact_id: None,
            path_parquet: None,
            path_sidecar: None,
            merged_inputs: Vec::new(),
            skipped_inputs: Vec::new(),
            merged_tags: None,
        };
        match result {
            PublishArtifactResult::Published(artifact) => Self {
                artifact_id: Some(artifact.id),
                path_parquet: Some(path_text(&root.join(&artifact.data_path))),
                path_sidecar: Some(path_text(&root.join(&artifact.record_path))),
                ..empty
            },
            PublishArtifactResult::Duplicate {
                existing,
                mode,
                merged,
            } => Self {
                mode: Some(*mode),
                existing_artifact_id: Some(existing.id),
                merged_inputs: input_documents(&merged.inputs),
                skipped_inputs: input_documents(&merged.skipped_inputs),
                merged_tags: (!merged.tags.is_empty()).then(|| merged.tags.clone()),
                ..empty
            },
        }
    }
}

fn input_documents(inputs: &[ArtifactInput]) -> Vec<InputDocument> {
    inputs.iter().cloned().map(Into::into).collect()
}

/// An artifact's bytes were copied to a file outside the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportDocument {
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// The file that was made, absolute.
    pub path: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its bytes.
    pub file_hash: Digest,
}

impl ExportDocument {
    /// The document of `artifact`, copied to the absolute path `path`.
    pub fn new(artifact: &Artifact, path: &Path) -> Self {
        Self {
            artifact_id: artifact.id,
            path: path_text(path),
            size_bytes: artifact.size_bytes,
            file_hash: artifact.file_hash,
        }
    }
}
