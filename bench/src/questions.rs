//! What is asked of a population: the same questions of every side, in the same order.

use anyhow::{Result, bail};
use artstore_core::id::ArtifactId;
use artstore_core::lineage::Relation;

use crate::figure::{CLOSURE, DEPTH_5, DOWNSTREAM_5};
use crate::population::{Population, graph};
use crate::random::{self, Sequence};

/// Artifacts that are asked for in one operation: one alone takes too little to be timed.
const IDS: u64 = 100;

const SEED_IDS: u64 = 300;
const SEED_WALKS: u64 = 301;

/// A walk with no limit of nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalkQuestion {
    pub(crate) start: ArtifactId,
    pub(crate) relation: Relation,
    pub(crate) depth: Option<u32>,
}

/// Random ids.
pub(crate) fn ids(population: Population, n: usize) -> impl Iterator<Item = ArtifactId> {
    let first = n as u64 * IDS;
    (first..first + IDS).map(move |place| {
        let draw = random::at(SEED_IDS, place);
        population.id(draw % population.artifacts)
    })
}

/// A walk from a random artifact: as deep as asked for from the middle layers, everything from the last one.
pub(crate) fn walk(population: Population, case: &str, n: usize) -> Result<WalkQuestion> {
    let mut random = Sequence::new(random::at(SEED_WALKS, n as u64));
    let (relation, depth, layer) = match case {
        DEPTH_5 => (
            Relation::Inputs,
            Some(5),
            5 + random.below(graph::LAYERS - 5),
        ),
        DOWNSTREAM_5 => (
            Relation::Downstream,
            Some(5),
            random.below(graph::LAYERS - 5),
        ),
        CLOSURE => (Relation::Inputs, None, graph::LAYERS - 1),
        _ => bail!("no walk is called `{case}`"),
    };
    Ok(WalkQuestion {
        start: population.id(graph::derived(population, layer, &mut random)),
        relation,
        depth,
    })
}
