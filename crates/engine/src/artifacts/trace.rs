//! Lineage, downstream and supersession.

use std::collections::HashMap;

use artstore_core::artifact::Artifact;
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{
    ArtifactLineage, LineageEdge, LineageNode, Relation, Supersession, Walk, WalkLimits,
};
use artstore_core::{Error, Result};

use super::decide::not_found;
use super::port::ArtifactEngine;

/// A walk with the artifacts that it reached.
struct Trace {
    start: Artifact,
    walk: Walk,
    reached: HashMap<ArtifactId, Artifact>,
}

impl ArtifactEngine {
    pub(super) async fn lineage(
        &self,
        id: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Result<ArtifactLineage> {
        let Trace {
            start,
            walk,
            mut reached,
        } = self.trace(id, relation, limits).await?;
        let mut roles = HashMap::new();
        for step in &walk.steps {
            roles.entry(step.to).or_insert_with(|| step.role.clone());
        }
        let mut nodes = Vec::with_capacity(walk.nodes.len());
        let mut missing = Vec::new();
        for node in &walk.nodes {
            match reached.remove(&node.id) {
                Some(artifact) => nodes.push(LineageNode {
                    artifact,
                    depth: node.depth,
                    role: roles.remove(&node.id).flatten(),
                }),
                None => missing.push(node.id),
            }
        }
        let edges = walk.steps.into_iter().map(|step| match relation {
            Relation::Downstream => LineageEdge {
                input: step.from,
                output: step.to,
                role: step.role,
            },
            _ => LineageEdge {
                input: step.to,
                output: step.from,
                role: step.role,
            },
        });
        Ok(ArtifactLineage {
            artifact: start,
            nodes,
            edges: edges.collect(),
            missing,
            depth: walk.nodes.last().map_or(0, |node| node.depth),
            truncated: walk.truncated,
        })
    }

    pub(super) async fn supersession(&self, id: ArtifactId) -> Result<Supersession> {
        let limits = WalkLimits::default();
        let before = self.trace(id, Relation::Supersedes, limits).await?;
        let after = self.trace(id, Relation::SupersededBy, limits).await?;
        let mut missing = Vec::new();
        Ok(Supersession {
            truncated: before.walk.truncated || after.walk.truncated,
            artifact: after.start.clone(),
            predecessors: before.into_reached(&mut missing),
            successors: after.into_reached(&mut missing),
            missing,
        })
    }

    async fn trace(&self, id: ArtifactId, relation: Relation, limits: WalkLimits) -> Result<Trace> {
        let catalog = &self.parts.catalogs.artifacts;
        let (walk, rows) = self
            .query(|| async {
                let Some(walk) = catalog.walk(id, relation, limits).await? else {
                    return Err(not_found(id));
                };
                let reached = walk.nodes.iter().map(|node| node.id);
                let ids: Vec<ArtifactId> = std::iter::once(id).chain(reached).collect();
                let rows = catalog.get(&ids).await?;
                Ok((walk, rows))
            })
            .await?;
        let mut reached: HashMap<ArtifactId, Artifact> = rows
            .into_iter()
            .flatten()
            .map(|artifact| (artifact.id, artifact))
            .collect();
        let start = reached.remove(&id).ok_or_else(|| {
            Error::unavailable("the catalog was exchanged while it was read").with("id", id)
        })?;
        Ok(Trace {
            start,
            walk,
            reached,
        })
    }
}

impl Trace {
    /// The artifacts in the order in which they were reached; adds those without a row to `missing`.
    fn into_reached(mut self, missing: &mut Vec<ArtifactId>) -> Vec<Artifact> {
        let mut artifacts = Vec::with_capacity(self.walk.nodes.len());
        for node in &self.walk.nodes {
            match self.reached.remove(&node.id) {
                Some(artifact) => artifacts.push(artifact),
                None => missing.push(node.id),
            }
        }
        artifacts
    }
}
