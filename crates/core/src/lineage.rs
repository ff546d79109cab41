//! What artifacts were made from and what was made from them: walking from one artifact to others.

use std::collections::HashSet;
use std::hash::Hash;

use crate::artifact::Artifact;
use crate::error::{Error, Result};
use crate::id::ArtifactId;

/// From an artifact to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// To what it was made from.
    Inputs,
    /// To what was made from it.
    Downstream,
    /// To the artifact that replaced it.
    SupersededBy,
    /// To the artifacts that it replaced.
    Supersedes,
}

/// How far a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkLimits {
    /// The greatest number of steps from the start; no limit if `None`.
    pub depth: Option<u32>,
    /// The greatest number of artifacts, the start not counted. At most [`Self::STEPS_PER_NODE`] times as many steps are
    /// taken.
    pub nodes: usize,
}

impl WalkLimits {
    /// The number of artifacts where none is given.
    pub const DEFAULT_NODES: usize = 10_000;
    /// The greatest number of artifacts that a caller may ask for.
    pub const MAX_NODES: usize = 100_000;

    /// How many steps are taken for each artifact that is allowed.
    pub const STEPS_PER_NODE: usize = 16;

    /// Every artifact up to `nodes` of them, at most `depth` steps away.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) unless `nodes` is between 1 and [`Self::MAX_NODES`] and `depth` at least 1.
    pub fn new(depth: Option<u32>, nodes: usize) -> Result<Self> {
        if !(1..=Self::MAX_NODES).contains(&nodes) {
            return Err(Error::invalid("the node limit is out of range")
                .with("limit", nodes)
                .with("allowed", format_args!("1 to {}", Self::MAX_NODES)));
        }
        if depth == Some(0) {
            return Err(Error::invalid("the depth must be at least 1"));
        }
        Ok(Self { depth, nodes })
    }

    /// No limit at all: for decisions, not for answers.
    pub const UNLIMITED: Self = Self {
        depth: None,
        nodes: usize::MAX,
    };
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self {
            depth: None,
            nodes: Self::DEFAULT_NODES,
        }
    }
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk<N = ArtifactId> {
    /// Everything reached but the start: nearest first, each once.
    pub nodes: Vec<WalkNode<N>>,
    /// Every step from the start and from the nodes above the greatest depth, in the order in which they were taken; where
    /// the walk is truncated, those taken until then.
    pub steps: Vec<WalkStep<N>>,
    /// Whether the walk ended early because there are more nodes or steps than allowed.
    pub truncated: bool,
}

/// Something that a walk reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkNode<N = ArtifactId> {
    /// What was reached.
    pub id: N,
    /// In how few steps.
    pub depth: u32,
}

/// A step of a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkStep<N = ArtifactId> {
    /// Where it begins, seen from the start.
    pub from: N,
    /// Where it ends.
    pub to: N,
    /// What the input was used as, whichever end it is.
    pub role: Option<String>,
}

/// Walks level by level, seeing each node once, however many ways lead to it.
///
/// `neighbours` adds to its last argument where one step leads from a node, always in the same order; more than the number
/// that it is given are of no use. It may name a node several times (with several roles).
///
/// # Errors
/// Those of `neighbours`.
pub fn walk<N, E>(
    start: N,
    limits: WalkLimits,
    mut neighbours: impl FnMut(N, usize, &mut Vec<(N, Option<String>)>) -> Result<(), E>,
) -> Result<Walk<N>, E>
where
    N: Copy + Eq + Hash,
{
    let mut walk = Walk {
        nodes: Vec::new(),
        steps: Vec::new(),
        truncated: false,
    };
    let most_steps = limits.nodes.saturating_mul(WalkLimits::STEPS_PER_NODE);
    let mut seen = HashSet::from([start]);
    let mut level = vec![start];
    let mut depth = 0;
    let mut found = Vec::new();
    while !level.is_empty() && limits.depth.is_none_or(|limit| depth < limit) {
        depth += 1;
        let mut next_level = Vec::new();
        for from in level {
            // One more than allowed shows that there are more.
            let useful = (most_steps - walk.steps.len()).saturating_add(1);
            neighbours(from, useful, &mut found)?;
            for (to, role) in found.drain(..) {
                let is_new = !seen.contains(&to);
                let has_room = !is_new || walk.nodes.len() < limits.nodes;
                if !has_room || walk.steps.len() == most_steps {
                    walk.truncated = true;
                    return Ok(walk);
                }
                if is_new {
                    seen.insert(to);
                    next_level.push(to);
                    walk.nodes.push(WalkNode { id: to, depth });
                }
                walk.steps.push(WalkStep { from, to, role });
            }
        }
        level = next_level;
    }
    Ok(walk)
}

/// What an artifact was made from, or what was made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactLineage {
    /// The artifact that was asked about.
    pub artifact: Artifact,
    /// The artifacts reached, nearest first, each once.
    pub nodes: Vec<LineageNode>,
    /// Every use of an input that was met on the way: all those between the artifact and these, except between two of the
    /// greatest depth that was asked for, and after the limit.
    pub edges: Vec<LineageEdge>,
    /// Ids that were reached and have no row: their records are lost.
    pub missing: Vec<ArtifactId>,
    /// The greatest number of steps to any of the artifacts reached; 0 if there are none.
    pub depth: u32,
    /// Whether the limit left something out.
    pub truncated: bool,
}

/// An artifact of a lineage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineageNode {
    /// The artifact.
    pub artifact: Artifact,
    /// In how few steps it was reached.
    pub depth: u32,
    /// The role of the input in the first step that reached it.
    pub role: Option<String>,
}

/// An input and what was made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineageEdge {
    /// The input.
    pub input: ArtifactId,
    /// What was made from it.
    pub output: ArtifactId,
    /// What the input was used as.
    pub role: Option<String>,
}

/// What an artifact replaced and what replaced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supersession {
    /// The artifact that was asked about.
    pub artifact: Artifact,
    /// What it replaced, directly or by way of others: nearest first.
    pub predecessors: Vec<Artifact>,
    /// What replaced it, one after the other; the last one is in force now, unless it is tombstoned.
    pub successors: Vec<Artifact>,
    /// Ids that were reached and have no row: their records are lost.
    pub missing: Vec<ArtifactId>,
    /// Whether the limit left something out.
    pub truncated: bool,
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn found(edges: &[(u32, u32)], start: u32, limits: WalkLimits) -> Walk<u32> {
        let walked: Result<_, Infallible> = walk(start, limits, |node, useful, found| {
            let next = edges.iter().filter(|(from, _)| *from == node);
            found.extend(next.map(|(_, to)| (*to, None)).take(useful));
            Ok(())
        });
        let Ok(walk) = walked;
        walk
    }

    fn ids(walk: &Walk<u32>) -> Vec<(u32, u32)> {
        walk.nodes
            .iter()
            .map(|node| (node.id, node.depth))
            .collect()
    }

    #[test]
    fn each_node_is_seen_once_at_its_least_depth() {
        let edges = [(1, 2), (1, 3), (2, 3), (3, 4), (2, 4), (4, 1)];
        let walk = found(&edges, 1, WalkLimits::default());
        assert_eq!(ids(&walk), [(2, 1), (3, 1), (4, 2)]);
        assert_eq!(walk.steps.len(), edges.len());
        assert!(!walk.truncated);
    }

    #[test]
    fn two_to_the_thirtieth_ways_are_walked_at_once() {
        let mut edges = Vec::new();
        for level in 0..30 {
            for side in [1, 2] {
                edges.push((level * 3, level * 3 + side));
                edges.push((level * 3 + side, level * 3 + 3));
            }
        }
        let walk = found(&edges, 0, WalkLimits::default());
        assert_eq!((walk.nodes.len(), walk.steps.len()), (90, 120));
    }

    #[test]
    fn depth_and_number_are_limited() {
        let edges = [(1, 2), (2, 3), (3, 4), (1, 5)];
        let shallow = found(&edges, 1, WalkLimits::new(Some(2), 10).unwrap());
        assert_eq!(ids(&shallow), [(2, 1), (5, 1), (3, 2)]);
        assert!(!shallow.truncated);
        let few = found(&edges, 1, WalkLimits::new(None, 2).unwrap());
        assert_eq!(ids(&few), [(2, 1), (5, 1)]);
        assert!(few.truncated);
        assert!(few.steps.iter().all(|step| step.to != 3));
        let dense: Vec<(u32, u32)> = (0..40).map(|number| (1, number % 2 + 2)).collect();
        let few_steps = found(&dense, 1, WalkLimits::new(None, 2).unwrap());
        assert!(few_steps.truncated);
        assert_eq!(few_steps.steps.len(), 2 * WalkLimits::STEPS_PER_NODE);
        assert!(WalkLimits::new(None, 0).is_err());
        assert!(WalkLimits::new(Some(0), 1).is_err());
    }
}
