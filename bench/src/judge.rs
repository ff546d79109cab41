//! What is looked at in a comparison, what is wanted of it, and whether that was reached.

use crate::compare::{Comparison, Pair, Ratio};
use crate::figure::Figure;
use crate::measure::Measurement;

/// What is looked at. The first side is the one that is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quantity {
    /// The rate of one side over that of another one.
    Share(&'static str, &'static str),
    /// The rate of one side over that of the slowest of others.
    ShareOfSlowest(&'static str, &'static [&'static str]),
    /// How often the time of one side is that of another one.
    Times(&'static str, &'static str),
    /// Units a second.
    Rate(&'static str),
    /// Half of all operations take no longer.
    Median(&'static str),
    /// For one unit.
    TimeEach(&'static str),
    /// Of a process, 99 in a hundred operations take no longer; of the process where that is longest.
    WorstP99(&'static str),
    /// Resident at once, of the largest process.
    PeakMemory(&'static str),
    /// Of a database, for a thousand units.
    CommitsPerThousand(&'static str),
    /// What a side tells of itself.
    Fact(&'static str, &'static str),
}

/// What is wanted, in the unit that the quantity is shown in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
    /// It is there to be compared.
    Nothing,
}

/// A quantity of all pairs of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) value: Ratio,
    pub(crate) is_missed: bool,
}

/// How a quantity is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Ratio,
    Times,
    Rate,
    /// Milliseconds.
    Time,
    Mebibytes,
    Plain,
}

impl Quantity {
    /// The side that is judged.
    pub(crate) fn side(self) -> &'static str {
        match self {
            Self::Share(side, _)
            | Self::ShareOfSlowest(side, _)
            | Self::Times(side, _)
            | Self::Rate(side)
            | Self::Median(side)
            | Self::TimeEach(side)
            | Self::WorstP99(side)
            | Self::PeakMemory(side)
            | Self::CommitsPerThousand(side)
            | Self::Fact(side, _) => side,
        }
    }

    /// What it is compared with.
    pub(crate) fn others(self) -> Vec<&'static str> {
        match self {
            Self::Share(_, other) | Self::Times(_, other) => vec![other],
            Self::ShareOfSlowest(_, others) => others.to_vec(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn scale(self) -> Scale {
        match self {
            Self::Share(..) | Self::ShareOfSlowest(..) => Scale::Ratio,
            Self::Times(..) => Scale::Times,
            Self::Rate(_) => Scale::Rate,
            Self::Median(_) | Self::TimeEach(_) | Self::WorstP99(_) => Scale::Time,
            Self::PeakMemory(_) => Scale::Mebibytes,
            Self::CommitsPerThousand(_) | Self::Fact(..) => Scale::Plain,
        }
    }

    fn of(self, comparison: &Comparison, pair: &Pair) -> Option<f64> {
        let turn = |side: &str| turn_of(comparison, pair, side);
        let own = turn(self.side())?;
        let value = match self {
            Self::Share(_, other) => own.rate / turn(other)?.rate,
            Self::ShareOfSlowest(_, others) => {
                let rates: Option<Vec<f64>> = others
                    .iter()
                    .map(|other| turn(other).map(|turn| turn.rate))
                    .collect();
                own.rate / rates?.into_iter().fold(f64::INFINITY, f64::min)
            }
            Self::Times(_, other) => turn(other)?.rate / own.rate,
            Self::Rate(_) => own.rate,
            Self::Median(_) => own.latency_ms.median,
            Self::TimeEach(_) => own.seconds * 1e3 / own.units,
            Self::WorstP99(_) => own.worst_p99_ms,
            Self::PeakMemory(_) => own.peak_resident_bytes? as f64 / f64::from(1 << 20),
            Self::CommitsPerThousand(_) => own.syncs.commits as f64 * 1e3 / own.units,
            Self::Fact(_, name) => *own.facts.get(name)?,
        };
        Some(value)
    }
}

impl Wanted {
    fn is_missed_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value < least,
            Self::AtMost(most) => value > most,
            Self::Nothing => false,
        }
    }
}

impl Judgement {
    /// Nothing if the comparison has no such side, or if the side does not tell it.
    pub(crate) fn of(quantity: Quantity, wanted: Wanted, comparison: &Comparison) -> Option<Self> {
        let pairs = comparison.pairs.iter();
        let values: Option<Vec<f64>> = pairs.map(|pair| quantity.of(comparison, pair)).collect();
        let values = values.filter(|values| !values.is_empty())?;
        let value = Ratio::new(values);
        Some(Self {
            value,
            is_missed: wanted.is_missed_by(value.median),
        })
    }
}

/// What a side did in a pair.
pub(crate) fn turn_of<'a>(
    comparison: &Comparison,
    pair: &'a Pair,
    side: &str,
) -> Option<&'a Measurement> {
    let position = comparison.sides.iter().position(|name| name == side)?;
    pair.measurements.get(position)
}

/// Whether a figure is best told for whole operations: its unit is a part of what is done.
pub(crate) fn is_told_by_operation(figure: Figure) -> bool {
    figure.unit().amount > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::Facts;
    use crate::measure::sample;
    use crate::report::sample_comparison;

    fn comparison() -> Comparison {
        // Rates of the floor, of another floor, and of the store.
        let pair = |rates: [f64; 3]| rates.map(sample).to_vec();
        let mut comparison = sample_comparison(
            Figure::Publish,
            &["floor", "disk", "artstore"],
            vec![
                pair([100.0, 50.0, 40.0]),
                pair([100.0, 80.0, 60.0]),
                pair([100.0, 40.0, 50.0]),
            ],
        );
        for pair in &mut comparison.pairs {
            pair.measurements[2].syncs.commits = 2;
            pair.measurements[2].facts = Facts::from([("bytes".to_owned(), 444.0)]);
        }
        comparison
    }

    fn value(quantity: Quantity) -> Option<Ratio> {
        let judgement = Judgement::of(quantity, Wanted::Nothing, &comparison());
        judgement.map(|judgement| judgement.value)
    }

    #[test]
    fn quantities_are_those_of_the_named_sides() {
        let median = |quantity| value(quantity).unwrap().median;
        let shares = value(Quantity::Share("artstore", "floor")).unwrap();
        assert_eq!((shares.median, shares.min, shares.max), (0.5, 0.4, 0.6));
        let slowest = Quantity::ShareOfSlowest("artstore", &["floor", "disk"]);
        assert_eq!(median(slowest), 0.8);
        assert_eq!(median(Quantity::Times("artstore", "floor")), 2.0);
        assert_eq!(median(Quantity::Rate("artstore")), 50.0);
        assert_eq!(median(Quantity::Median("artstore")), 20.0);
        assert_eq!(median(Quantity::TimeEach("artstore")), 20.0);
        assert_eq!(median(Quantity::WorstP99("artstore")), 20.0);
        assert_eq!(median(Quantity::CommitsPerThousand("artstore")), 40.0);
        assert_eq!(median(Quantity::Fact("artstore", "bytes")), 444.0);
    }

    #[test]
    fn what_is_not_known_is_not_judged() {
        assert_eq!(value(Quantity::PeakMemory("artstore")), None);
        assert_eq!(value(Quantity::Fact("floor", "bytes")), None);
        assert_eq!(value(Quantity::Share("artstore", "tape")), None);
    }

    #[test]
    fn the_median_decides() {
        let is_missed = |wanted| {
            let share = Quantity::Share("artstore", "floor");
            Judgement::of(share, wanted, &comparison())
                .unwrap()
                .is_missed
        };
        assert!(!is_missed(Wanted::AtLeast(0.5)));
        assert!(is_missed(Wanted::AtLeast(0.51)));
        assert!(!is_missed(Wanted::AtMost(0.5)));
        assert!(is_missed(Wanted::AtMost(0.49)));
        assert!(!is_missed(Wanted::Nothing));
    }
}
