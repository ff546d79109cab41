//! What is asked of a population: the same questions of every side, in the same order.

use anyhow::{Result, bail};
use artstore_core::artifact::{ArtifactKind, DedupScope};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::lineage::Relation;
use uuid::Uuid;

use crate::figure::{AT_ONCE, CLOSURE, DEPTH_5, DOWNSTREAM_5};
use crate::population::{Population, digest, graph, uuid};
use crate::random::{self, Sequence};

/// What is asked for in one operation: one thing alone takes too little to be timed.
const EACH: u64 = 100;

/// How many ask at once, and how much each of them.
pub(crate) const ASKERS: usize = 64;
const EACH_ASKER: u64 = 10;

const SEED_IDS: u64 = 300;
const SEED_WALKS: u64 = 301;
const SEED_PROBES: u64 = 302;
const SEED_KEYS: u64 = 303;

/// A walk with no limit of nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalkQuestion {
    pub(crate) start: ArtifactId,
    pub(crate) relation: Relation,
    pub(crate) depth: Option<u32>,
}

/// What a publish of something new asks: new content under the key of another artifact.
#[derive(Clone, Debug)]
pub(crate) struct ProbeQuestion {
    pub(crate) op_id: Uuid,
    pub(crate) scope: DedupScope,
    pub(crate) size_bytes: u64,
    pub(crate) file_hash: Digest,
    /// Of a table.
    pub(crate) content_digest: Option<Digest>,
}

/// Random ids.
pub(crate) fn ids(
    population: Population,
    case: &str,
    n: usize,
) -> impl Iterator<Item = ArtifactId> + use<> {
    let count = match case {
        AT_ONCE => ASKERS as u64 * EACH_ASKER,
        _ => EACH,
    };
    let first = n as u64 * count;
    (first..first + count).map(move |place| {
        let draw = random::at(SEED_IDS, place);
        population.id(draw % population.artifacts)
    })
}

/// Type and key of random artifacts.
pub(crate) fn keys(population: Population, n: usize) -> impl Iterator<Item = Result<DedupScope>> {
    let first = n as u64 * EACH;
    (first..first + EACH).map(move |place| {
        let draw = random::at(SEED_KEYS, place);
        population.scope(draw % population.artifacts)
    })
}

/// New content.
pub(crate) fn probes(
    population: Population,
    n: usize,
) -> impl Iterator<Item = Result<ProbeQuestion>> {
    let first = n as u64 * EACH;
    (first..first + EACH).map(move |place| {
        let mut random = Sequence::new(random::at(SEED_PROBES, place));
        let scope = population.scope(random.below(population.artifacts))?;
        let is_table = scope.kind == ArtifactKind::Table;
        Ok(ProbeQuestion {
            op_id: uuid(random.next(), population.artifacts),
            scope,
            // More than any artifact has.
            size_bytes: 1 << 40,
            file_hash: digest(&mut random),
            content_digest: is_table.then(|| digest(&mut random)),
        })
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
