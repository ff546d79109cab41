//! What artifacts were made from and what was made from them; what replaced what.

use std::collections::HashSet;
use std::path::Path;

use artstore_core::id::ArtifactId;
use artstore_core::lineage::{ArtifactLineage, LineageEdge, LineageNode, Supersession};
use serde::{Deserialize, Serialize};

use crate::ArtifactDocument;

/// What an artifact was made from (`inputs`), or what was made from it (`downstream`): always one of the two.
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
    /// What it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<LineageNodeDocument>>,
    /// What was made from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downstream: Option<Vec<LineageNodeDocument>>,
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
    /// What the artifact was made from, in the store whose root is at the absolute path `root`.
    pub fn of_inputs(lineage: ArtifactLineage, root: &Path) -> Self {
        let (nodes, rest) = Self::parts(lineage, root);
        Self {
            inputs: Some(nodes),
            ..rest
        }
    }

    /// What was made from the artifact, in the store whose root is at the absolute path `root`.
    pub fn of_downstream(lineage: ArtifactLineage, root: &Path) -> Self {
        let (nodes, rest) = Self::parts(lineage, root);
        Self {
            downstream: Some(nodes),
            ..rest
        }
    }

    fn parts(lineage: ArtifactLineage, root: &Path) -> (Vec<LineageNodeDocument>, Self) {
        let node = |node: LineageNode| LineageNodeDocument {
            artifact: ArtifactDocument::new(node.artifact, root),
            depth: node.depth,
            role: node.role,
        };
        let rest = Self {
            artifact_id: lineage.artifact.id,
            depth: lineage.depth,
            truncated: lineage.truncated,
            inputs: None,
            downstream: None,
            edges: pairs(&lineage.edges),
            missing: lineage.missing,
        };
        (lineage.nodes.into_iter().map(node).collect(), rest)
    }
}

/// The ends of the edges, without the repetitions that several roles make.
fn pairs(edges: &[LineageEdge]) -> Vec<(ArtifactId, ArtifactId)> {
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
            truncated: supersession.truncated,
        }
    }
}
