//! Pairs: all sides in turn, then all of them in reverse, and so on (A B, B A, A B, ...).
//!
//! A disk that slowly gets slower costs each side as much as the other.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::contender::{Entry, Load};
use crate::figure::Figure;
use crate::measure::{Bench, Measurement, Plan};
use crate::source::Sizes;

/// The last side against each of the others.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Comparison {
    pub(crate) figure: Figure,
    pub(crate) case: String,
    pub(crate) unit: String,
    pub(crate) load: Load,
    pub(crate) sizes: Sizes,
    pub(crate) sides: Vec<String>,
    pub(crate) pairs: Vec<Pair>,
    /// One for each side but the last.
    pub(crate) ratios: Vec<Ratio>,
}

/// One turn of every side.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pair {
    /// Which side came when.
    pub(crate) order: Vec<usize>,
    /// In the order of the sides.
    pub(crate) measurements: Vec<Measurement>,
    /// Rate of the last side divided by that of each other one.
    pub(crate) ratios: Vec<f64>,
}

/// The ratios of all pairs together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// Measures every pair.
pub(crate) fn run(bench: &Bench, plan: &Plan, sides: &[&Entry]) -> Result<Comparison> {
    bench.provide(plan, sides)?;
    let mut turns = bench.turns(plan, sides)?;
    let mut pairs = Vec::new();
    for index in 0..plan.pairs {
        let order = order(index, sides.len());
        pairs.push(measure_pair(order, |side| turns.measure(side))?);
    }
    turns.finish()?;
    let ratios = (0..sides.len() - 1)
        .map(|floor| Ratio::new(pairs.iter().map(|pair| pair.ratios[floor]).collect()))
        .collect();
    Ok(Comparison {
        figure: plan.figure,
        case: plan.case.to_owned(),
        unit: plan.figure.unit().rate.to_owned(),
        load: plan.load,
        sizes: plan.sizes,
        sides: sides.iter().map(|entry| entry.name.to_owned()).collect(),
        pairs,
        ratios,
    })
}

fn order(pair: usize, sides: usize) -> Vec<usize> {
    let forward = 0..sides;
    if pair.is_multiple_of(2) {
        forward.collect()
    } else {
        forward.rev().collect()
    }
}

fn measure_pair(
    order: Vec<usize>,
    mut measure: impl FnMut(usize) -> Result<Measurement>,
) -> Result<Pair> {
    let mut turns = Vec::new();
    for &side in &order {
        turns.push((side, measure(side)?));
    }
    turns.sort_by_key(|(side, _)| *side);
    let measurements: Vec<Measurement> = turns.into_iter().map(|(_, turn)| turn).collect();
    let rates: Vec<f64> = measurements.iter().map(|turn| turn.rate).collect();
    let ratios = match rates.split_last() {
        Some((contender, floors)) => floors.iter().map(|floor| contender / floor).collect(),
        None => Vec::new(),
    };
    Ok(Pair {
        order,
        measurements,
        ratios,
    })
}

impl Ratio {
    /// Of at least one pair.
    pub(crate) fn new(mut ratios: Vec<f64>) -> Self {
        ratios.sort_by(f64::total_cmp);
        Self {
            median: median(&ratios),
            min: ratios[0],
            max: ratios[ratios.len() - 1],
        }
    }
}

/// The middle of sorted values, or the mean of the two in the middle.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::sample;

    #[test]
    fn every_other_pair_runs_in_reverse() {
        let orders: Vec<_> = (0..4).map(|pair| order(pair, 2)).collect();
        assert_eq!(orders, [[0, 1], [1, 0], [0, 1], [1, 0]]);
    }

    #[test]
    fn the_last_side_is_compared_whatever_the_order() {
        for pair_order in [vec![0, 1, 2], vec![2, 1, 0]] {
            let rates = [100.0, 200.0, 50.0];
            let pair = measure_pair(pair_order, |side| Ok(sample(rates[side]))).unwrap();
            assert_eq!(pair.ratios, [0.5, 0.25]);
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_its_pairs() {
        let odd = Ratio::new(vec![0.9, 0.1, 0.5]);
        assert_eq!((odd.median, odd.min, odd.max), (0.5, 0.1, 0.9));
        let even = Ratio::new(vec![1.0, 0.5, 0.25, 0.75]);
        assert_eq!((even.median, even.min, even.max), (0.625, 0.25, 1.0));
    }
}
