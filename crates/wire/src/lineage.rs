//! What artifacts were made from and what was made from them; what replaced what.

use std::collections::HashSet;
use std::path::Path;

use artstore_core::id::ArtifactId;
use artstore_core::lineage::{ArtifactLineage, LineageEdge, LineageNode, Supersession};
use serde::{Deserialize, Serialize};

use crate::ArtifactDocument;

/// What an artifact was made from, or what was made from it.
///
/// Artifacts come nearest first, each once. Edges are `[from, to]` the way data flows, from an input to what was made
/// from it, in both documents; each pair comes once, and the `inputs` of its second artifact tell the roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineageDocument {
    /// The artifact that was asked about.
    pub artifact_id: ArtifactId,
    /// The greatest number of steps to any of the artifacts.
    pub depth: u32,
    /// Whether the limit left something out.
    pub truncated: bool,
    /// The artifacts that were reached: in a lineage the inputs, in a downstream what was made from the artifact.
    pub inputs: Vec<LineageNodeDocument>,
    /// Pairs of an input and what was made from it.
    pub edges: Vec<(ArtifactId, ArtifactId)>,
    /// Ids that were reached and whose records are lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<ArtifactId>,
}

/// An artifact of a lineage: all that is known of it, and how it was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineageNodeDocument {
    /// The artifact.
    #[serde(flatten)]
    pub artifact: ArtifactDocument,
    /// In how few steps it was reached.
    pub depth: u32,
    /// The role of the input in the first step that reached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl LineageDocument {
    /// The document of `lineage`, in the store whose root is at the absolute path `root`.
    pub fn new(lineage: ArtifactLineage, root: &Path) -> Self {
        let node = |node: LineageNode| LineageNodeDocument {
            artifact: ArtifactDocument::new(node.artifact, root),
            depth: node.depth,
            role: node.role,
        };
        Self {
            artifact_id: lineage.artifact.id,
            depth: lineage.depth,
            truncated: lineage.truncated,
            inputs: lineage.nodes.into_iter().map(node).collect(),
            edges: pairs(&lineage.edges),
            missing: lineage.missing,
        }
    }
}

/// The ends of the edges, without the repetitions that several roles make.
pub(crate) fn pairs(edges: &[LineageEdge]) -> Vec<(ArtifactId, ArtifactId)> {
    let mut seen = HashSet::new();
    edges
        .iter()
        .map(|edge| (edge.input, edge.output))
        .filter(|pair| seen.insert(*pair))
        .collect()
}

/// What an artifact replaced and what replaced it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SupersessionDocument {
    /// The artifact that was asked about.
    pub artifact_id: ArtifactId,
    /// What it replaced, directly or by way of others: nearest first.
    pub predecessors: Vec<ArtifactDocument>,
    /// What replaced it, one after the other.
    pub successors: Vec<ArtifactDocument>,
    /// Ids that were reached and whose records are lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<ArtifactId>,
    /// Whether the limit left something out.
    pub truncated: bool,
}

impl SupersessionDocument {
    /// The document of `supersession`, in the store whose root is at the absolute path `root`.
    pub fn new(supersession: Supersession, root: &Path) -> Self {
        let documents = |artifacts: Vec<_>| {
            let artifacts = artifacts.into_iter();
            artifacts
                .map(|artifact| ArtifactDocument::new(artifact, root))
                .collect()
        };
        Self {
            artifact_id: supersession.artifact.id,
            predecessors: documents(supersession.predecessors),
            successors: documents(supersession.successors),
            missing: supersession.missing,
            truncated: supersession.truncated,
        }
    }
}
