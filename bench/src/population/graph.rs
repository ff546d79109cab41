//! Who was made from whom: layers of artifacts, each made from random ones of the layer before.
//!
//! Of five artifacts in a row the last two were made from others. Time is cut into as many layers as there are; those in
//! the first layer were made from any that were made from nothing. A walk from the last layer takes two and a half times
//! as many steps with every layer, until it has met nearly everything that a layer holds.

use crate::population::Population;
use crate::random::{self, Sequence};

pub(crate) const LAYERS: u64 = 12;

/// Artifacts in a row: ...
const GROUP: u64 = 5;
/// ... so many of them are made from nothing, ...
const SOURCES: u64 = 3;
/// ... and so many from others.
const DERIVED: u64 = GROUP - SOURCES;

const MAX_INPUTS: u64 = 4;

const SEED: u64 = 100;

/// The fewest artifacts that have all layers, with enough in each to choose from.
pub(crate) const FEWEST: u64 = LAYERS * GROUP * MAX_INPUTS;

/// What artifact `number` was made from.
pub(super) fn inputs(population: Population, number: u64) -> Vec<u64> {
    if number % GROUP < SOURCES {
        return Vec::new();
    }
    let mut random = Sequence::new(random::at(SEED, number));
    let before = layer_of(population, number).checked_sub(1);
    let count = 1 + random.below(MAX_INPUTS);
    let mut inputs = Vec::new();
    while (inputs.len() as u64) < count {
        let input = match before {
            Some(layer) => derived(population, layer, &mut random),
            None => random.below(groups(population)) * GROUP + random.below(SOURCES),
        };
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    }
    inputs
}

/// A random artifact of a layer.
pub(crate) fn derived(population: Population, layer: u64, random: &mut Sequence) -> u64 {
    let group = layer * groups(population) + random.below(groups(population));
    group * GROUP + SOURCES + random.below(DERIVED)
}

fn layer_of(population: Population, number: u64) -> u64 {
    // What is left over belongs to the last layer.
    (number / GROUP / groups(population)).min(LAYERS - 1)
}

/// In each layer.
fn groups(population: Population) -> u64 {
    population.artifacts / GROUP / LAYERS
}
