//! Artifacts as the operations tell them.

use std::collections::BTreeMap;
use std::path::Path;

use artstore_core::artifact::{Artifact, ArtifactKind, ArtifactStatus};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::id::{ArtifactId, RunId};
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::lineage::{ArtifactLineage, LineageNode, Supersession, WalkLimits};
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use serde::Serialize;

use crate::ArtifactDocument;
use crate::artifact::InputDocument;
use crate::lineage::pairs;

/// An artifact: first the keys that earlier programs know, always all of them, then the others.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpsArtifact {
    artifact_id: ArtifactId,
    artifact_type: ArtifactType,
    schema_version: u32,
    logical_key: LogicalKey,
    status: ArtifactStatus,
    path_parquet: String,
    path_sidecar: String,
    file_hash: Digest,
    content_hash: ContentHash,
    row_count: Option<u64>,
    min_ts: Option<Timestamp>,
    max_ts: Option<Timestamp>,
    created_at: Timestamp,
    kind: ArtifactKind,
    size_bytes: u64,
    tags: BTreeMap<String, TagValue>,
    inputs: Vec<InputDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<ArtifactId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    supersedes: Vec<ArtifactId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tombstone_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TagValue {
    One(String),
    Several(Vec<String>),
}

impl OpsArtifact {
    pub(super) fn new(artifact: Artifact, root: &Path) -> Self {
        let document = ArtifactDocument::new(artifact, root);
        Self {
            artifact_id: document.artifact_id,
            artifact_type: document.artifact_type,
            schema_version: document.schema_version,
            logical_key: document.logical_key,
            status: document.status,
            path_parquet: document.path_parquet,
            path_sidecar: document.path_sidecar,
            file_hash: document.file_hash,
            content_hash: document.content_hash,
            row_count: document.row_count,
            min_ts: document.min_ts,
            max_ts: document.max_ts,
            created_at: document.created_at,
            kind: document.kind,
            size_bytes: document.size_bytes,
            tags: tag_values(document.tags),
            inputs: document.inputs,
            superseded_by: document.superseded_by,
            supersedes: document.supersedes,
            tombstone_reason: document.tombstone_reason,
            run_id: document.run_id,
        }
    }

    pub(super) fn list(artifacts: impl IntoIterator<Item = Artifact>, root: &Path) -> Vec<Self> {
        let artifacts = artifacts.into_iter();
        artifacts
            .map(|artifact| Self::new(artifact, root))
            .collect()
    }
}

fn tag_values(tags: Tags) -> BTreeMap<String, TagValue> {
    let groups: BTreeMap<_, _> = tags.into();
    groups
        .into_iter()
        .map(|(key, values)| {
            let mut values = Vec::from_iter(values);
            let value = match values.pop() {
                Some(only) if values.is_empty() => TagValue::One(only),
                last => {
                    values.extend(last);
                    TagValue::Several(values)
                }
            };
            (key, value)
        })
        .collect()
}

/// What an artifact was made from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpsLineage {
    artifact_id: ArtifactId,
    inputs: Vec<OpsLineageNode>,
    depth: u32,
    truncated: bool,
    edges: Vec<(ArtifactId, ArtifactId)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<ArtifactId>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OpsLineageNode {
    #[serde(flatten)]
    artifact: OpsArtifact,
    depth: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

impl OpsLineage {
    pub(super) fn new(lineage: ArtifactLineage, limits: WalkLimits, root: &Path) -> Self {
        let node = |node: LineageNode| OpsLineageNode {
            artifact: OpsArtifact::new(node.artifact, root),
            depth: node.depth,
            role: node.role,
        };
        Self {
            artifact_id: lineage.artifact.id,
            inputs: lineage.nodes.into_iter().map(node).collect(),
            // How far was looked, as earlier programs know it, also where nothing was found.
            depth: limits.depth.unwrap_or(lineage.depth),
            truncated: lineage.truncated,
            edges: pairs(&lineage.edges),
            missing: lineage.missing,
        }
    }
}

/// What an artifact replaced and what replaced it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpsSupersession {
    artifact_id: ArtifactId,
    predecessors: Vec<OpsArtifact>,
    successors: Vec<OpsArtifact>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<ArtifactId>,
    truncated: bool,
}

impl OpsSupersession {
    pub(super) fn new(supersession: Supersession, root: &Path) -> Self {
        Self {
            artifact_id: supersession.artifact.id,
            predecessors: OpsArtifact::list(supersession.predecessors, root),
            successors: OpsArtifact::list(supersession.successors, root),
            missing: supersession.missing,
            truncated: supersession.truncated,
        }
    }
}
