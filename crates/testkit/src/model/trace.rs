//! Whether a store traces what a model traces: what artifacts were made from and for, what replaced what.

use std::convert::Infallible;

use artstore_core::artifact::Artifact;
use artstore_core::lineage::{ArtifactLineage, LineageEdge, Relation, Walk, WalkLimits, walk};
use artstore_core::ports::ArtifactStorePort;
use artstore_core::{ErrorKind, Result};

use super::{ModelInput, StoreModel, unknown_id};

pub(super) async fn check_all(model: &StoreModel, store: &dyn ArtifactStorePort) {
    for position in 0..model.len() {
        for limits in [
            WalkLimits::default(),
            limits(Some(1), 100),
            limits(Some(2), 2),
            limits(None, 3),
        ] {
            model.check_lineage(store, position, limits).await;
        }
        model.check_supersession(store, position).await;
    }
    let (unknown, limits) = (unknown_id(), WalkLimits::default());
    expect_not_found(store.get_lineage(unknown, limits).await);
    expect_not_found(store.get_downstream(unknown, limits).await);
    expect_not_found(store.get_supersession(unknown).await);
}

fn limits(depth: Option<u32>, nodes: usize) -> WalkLimits {
    WalkLimits { depth, nodes }
}

fn expect_not_found<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.expect_err("what does not exist has no lineage");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

impl StoreModel {
    async fn check_lineage(
        &self,
        store: &dyn ArtifactStorePort,
        position: usize,
        limits: WalkLimits,
    ) {
        let id = self.id_or_unknown(position);
        let lineage = store.get_lineage(id, limits).await.unwrap();
        let expected = self.walk(position, Relation::Inputs, limits);
        self.check_traced(position, &lineage, &expected, |from, to| (to, from));
        let downstream = store.get_downstream(id, limits).await.unwrap();
        let expected = self.walk(position, Relation::Downstream, limits);
        self.check_traced(position, &downstream, &expected, |from, to| (from, to));
    }

    /// `as_edge` makes input and output of the two ends of a step.
    fn check_traced(
        &self,
        position: usize,
        found: &ArtifactLineage,
        expected: &Walk<usize>,
        as_edge: impl Fn(usize, usize) -> (usize, usize),
    ) {
        let name = format!("from artifact {position}");
        self.check_artifact(position, &found.artifact);
        assert_eq!(found.nodes.len(), expected.nodes.len(), "{name}");
        for (node, wanted) in found.nodes.iter().zip(&expected.nodes) {
            self.check_artifact(wanted.id, &node.artifact);
            assert_eq!(node.depth, wanted.depth, "{name}");
            let mut steps = expected.steps.iter();
            let first = steps.find(|step| step.to == wanted.id);
            let first = first.expect("a step leads to every node");
            let mut ways = expected.steps.iter();
            let is_role = ways.any(|step| {
                (step.from, step.to) == (first.from, first.to) && step.role == node.role
            });
            assert!(is_role, "{name}: {node:?} is of the first step to it");
        }
        let edges = expected.steps.iter().map(|step| {
            let (input, output) = as_edge(step.from, step.to);
            LineageEdge {
                input: self.id_or_unknown(input),
                output: self.id_or_unknown(output),
                role: step.role.clone(),
            }
        });
        assert_eq!(
            in_order(found.edges.clone()),
            in_order(edges.collect()),
            "{name}"
        );
        assert_eq!(found.missing, [], "{name}");
        let depth = expected.nodes.iter().map(|node| node.depth).max();
        assert_eq!(found.depth, depth.unwrap_or(0), "{name}");
        assert_eq!(found.truncated, expected.truncated, "{name}");
    }

    async fn check_supersession(&self, store: &dyn ArtifactStorePort, position: usize) {
        let id = self.id_or_unknown(position);
        let found = store.get_supersession(id).await.unwrap();
        self.check_artifact(position, &found.artifact);
        for (relation, found) in [
            (Relation::Supersedes, &found.predecessors),
            (Relation::SupersededBy, &found.successors),
        ] {
            let expected = self.walk(position, relation, WalkLimits::default());
            self.check_all_of(&expected, found);
        }
        assert_eq!(found.missing, []);
        assert!(!found.truncated);
    }

    fn check_all_of(&self, expected: &Walk<usize>, found: &[Artifact]) {
        assert_eq!(found.len(), expected.nodes.len());
        for (node, found) in expected.nodes.iter().zip(found) {
            self.check_artifact(node.id, found);
        }
    }

    fn walk(&self, start: usize, relation: Relation, limits: WalkLimits) -> Walk<usize> {
        let walked: Result<_, Infallible> = walk(start, limits, |from, _, found| {
            found.extend(self.neighbours(from, relation));
            Ok(())
        });
        let Ok(walked) = walked;
        walked
    }

    /// Inputs in their order, everything else in ascending order of the ids.
    fn neighbours(&self, from: usize, relation: Relation) -> Vec<ModelInput> {
        let artifact = &self.artifacts[from];
        let mut found: Vec<ModelInput> = match relation {
            Relation::Inputs => return artifact.inputs.clone(),
            Relation::Downstream => (0..self.len())
                .flat_map(|output| {
                    let uses = self.artifacts[output].inputs.iter();
                    let uses = uses.filter(|(input, _)| *input == from);
                    uses.map(move |(_, role)| (output, role.clone()))
                })
                .collect(),
            Relation::SupersededBy => artifact
                .superseded_by
                .map(|by| (by, None))
                .into_iter()
                .collect(),
            Relation::Supersedes => artifact.supersedes.iter().map(|old| (*old, None)).collect(),
        };
        found.sort_by_key(|(other, _)| self.id(*other));
        found
    }
}

fn in_order(mut edges: Vec<LineageEdge>) -> Vec<LineageEdge> {
    edges.sort_by(|a, b| {
        let key = |edge: &LineageEdge| (edge.input, edge.output, edge.role.clone());
        key(a).cmp(&key(b))
    });
    edges
}
