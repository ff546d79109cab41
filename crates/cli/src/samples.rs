//! Lineages to draw.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use artstore_core::artifact::{Artifact, ArtifactKind, ArtifactStatus};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::lineage::{ArtifactLineage, LineageEdge, LineageNode, WalkLimits, walk};
use artstore_core::path::RelPath;
use artstore_core::tags::Tags;

pub(crate) fn id(number: u32) -> ArtifactId {
    format!("01932c07-7f3e-7cc2-9a52-{number:012}")
        .parse()
        .unwrap()
}

pub(crate) fn artifact(number: u32) -> Artifact {
    let digest = Digest::from_bytes([1; 32]);
    Artifact {
        id: id(number),
        artifact_type: ArtifactType::new("step").unwrap(),
        schema_version: 1,
        logical_key: LogicalKey::new(format!("key {number}")).unwrap(),
        kind: ArtifactKind::File,
        status: ArtifactStatus::Active,
        data_path: RelPath::new("artifacts/a.txt").unwrap(),
        record_path: RelPath::new("artifacts/a.json").unwrap(),
        file_hash: digest,
        content_hash: digest.into(),
        size_bytes: 3,
        row_count: None,
        min_timestamp: None,
        max_timestamp: None,
        created_at: "2026-11-20T09:30:00Z".parse().unwrap(),
        tags: Tags::new(),
        inputs: Vec::new(),
        superseded_by: None,
        supersedes: Vec::new(),
        tombstone_reason: None,
        run_id: None,
        op_id: OpId::new("op").unwrap(),
        request_digest: digest,
        revision: 1,
        last_event: 0,
    }
}

/// What artifact 0 was made from, where `uses` are outputs, their inputs and the roles of these.
pub(crate) fn lineage(uses: &[(u32, u32, &str)], limits: WalkLimits) -> ArtifactLineage {
    let mut by_output: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for (output, input, role) in uses {
        let role = (!role.is_empty()).then(|| (*role).to_owned());
        by_output.entry(*output).or_default().push((*input, role));
    }
    let walked: Result<_, Infallible> = walk(0, limits, |node, _useful, found| {
        found.extend(by_output.get(&node).into_iter().flatten().cloned());
        Ok(())
    });
    let Ok(walked) = walked;
    let mut roles = HashMap::new();
    for step in &walked.steps {
        roles.entry(step.to).or_insert_with(|| step.role.clone());
    }
    let nodes = walked.nodes.iter().map(|node| LineageNode {
        artifact: artifact(node.id),
        depth: node.depth,
        role: roles[&node.id].clone(),
    });
    let edges = walked.steps.iter().map(|step| LineageEdge {
        input: id(step.to),
        output: id(step.from),
        role: step.role.clone(),
    });
    ArtifactLineage {
        artifact: artifact(0),
        nodes: nodes.collect(),
        edges: edges.collect(),
        missing: Vec::new(),
        depth: walked.nodes.last().map_or(0, |node| node.depth),
        truncated: walked.truncated,
    }
}
