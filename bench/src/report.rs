//! A comparison as Markdown.

use std::fmt::Display;

use crate::compare::{Comparison, median};
use crate::figure::Figure;
use crate::measure::Measurement;

/// A heading, the pairs with their ratios, and what each side used.
pub(crate) fn markdown(comparison: &Comparison) -> String {
    let mut lines = vec![format!("### {}", title(comparison)), String::new()];
    lines.extend(pairs(comparison));
    lines.push(String::new());
    lines.extend(costs(comparison));
    lines.push(String::new());
    lines.extend(facts(comparison));
    lines.join("\n")
}

fn title(comparison: &Comparison) -> String {
    let load = comparison.load;
    let title = comparison.figure.title();
    match (comparison.figure, comparison.case.as_str()) {
        (Figure::Publish | Figure::Processes, _) => format!(
            "{title}: {} x {}",
            count(load.processes, "process", "processes"),
            count(load.publishers, "publisher", "publishers")
        ),
        (_, "") => title.to_owned(),
        (_, case) => format!("{title}: {case}"),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{number} {noun}")
}

fn pairs(comparison: &Comparison) -> Vec<String> {
    let sides = &comparison.sides;
    let floors = &sides[..sides.len() - 1];
    let contender = &sides[sides.len() - 1];
    let mut header = vec!["pair".to_owned(), "order".to_owned()];
    header.extend(
        sides
            .iter()
            .map(|side| format!("{side}, {}", comparison.unit)),
    );
    header.extend(floors.iter().map(|floor| format!("{contender} / {floor}")));
    let mut lines = vec![row(&header), row(&vec!["---"; header.len()])];
    for (index, pair) in comparison.pairs.iter().enumerate() {
        let order: Vec<&str> = pair
            .order
            .iter()
            .map(|&side| sides[side].as_str())
            .collect();
        let mut cells = vec![(index + 1).to_string(), order.join(" ")];
        cells.extend(
            pair.measurements
                .iter()
                .map(|turn| format!("{:.1}", turn.rate)),
        );
        cells.extend(pair.ratios.iter().map(|ratio| format!("{ratio:.3}")));
        lines.push(row(&cells));
    }
    let mut cells = vec!["**median**".to_owned(), "(min .. max)".to_owned()];
    cells.extend(
        (0..sides.len()).map(|side| median_of(comparison, side, 1, |turn| Some(turn.rate))),
    );
    cells.extend(comparison.ratios.iter().map(|ratio| {
        format!(
            "**{:.3}** ({:.3} .. {:.3})",
            ratio.median, ratio.min, ratio.max
        )
    }));
    lines.push(row(&cells));
    lines
}

/// Medians over the pairs. An operation is what was timed alone, of several units where one is too short.
fn costs(comparison: &Comparison) -> Vec<String> {
    let header = [
        "side".to_owned(),
        "median ms".to_owned(),
        "p99 ms".to_owned(),
        "max ms".to_owned(),
        "worst process's p99 ms".to_owned(),
        format!("µs per {}", comparison.figure.unit().one),
        "fsync each".to_owned(),
        "fdatasync each".to_owned(),
        "commits each".to_owned(),
        "CPU ms each".to_owned(),
        "written MiB each".to_owned(),
        "peak RSS MiB".to_owned(),
    ];
    let mut lines = vec![row(&header), row(&["---"; 12])];
    for (side, name) in comparison.sides.iter().enumerate() {
        let cell = |digits, value: fn(&Measurement) -> Option<f64>| {
            median_of(comparison, side, digits, value)
        };
        lines.push(row(&[
            name.clone(),
            cell(3, |turn| Some(turn.latency_ms.median)),
            cell(3, |turn| Some(turn.latency_ms.p99)),
            cell(3, |turn| Some(turn.latency_ms.max)),
            cell(3, |turn| Some(turn.worst_p99_ms)),
            cell(2, |turn| Some(turn.seconds * 1e6 / turn.units)),
            cell(3, |turn| each(turn, turn.syncs.fsync as f64)),
            cell(3, |turn| each(turn, turn.syncs.fdatasync as f64)),
            cell(3, |turn| each(turn, turn.syncs.commits as f64)),
            cell(3, |turn| each(turn, turn.cpu_seconds? * 1000.0)),
            cell(3, |turn| each(turn, mebibytes(turn.written_bytes?))),
            cell(1, |turn| Some(mebibytes(turn.peak_resident_bytes?))),
        ]));
    }
    lines
}

/// What sides told of themselves in the last pair.
fn facts(comparison: &Comparison) -> Vec<String> {
    let last = comparison.pairs.last();
    let turns = last.map_or(&[][..], |pair| &pair.measurements);
    let told = comparison.sides.iter().zip(turns);
    let mut lines: Vec<String> = told
        .flat_map(|(side, turn)| {
            let facts = turn.facts.iter();
            facts.map(move |(name, value)| format!("* {side}: {name} {value:.1}"))
        })
        .collect();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

fn each(turn: &Measurement, total: f64) -> Option<f64> {
    Some(total / turn.operations as f64)
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn median_of(
    comparison: &Comparison,
    side: usize,
    digits: usize,
    value: impl Fn(&Measurement) -> Option<f64>,
) -> String {
    let turns = comparison.pairs.iter().map(|pair| &pair.measurements[side]);
    let Some(mut values) = turns.map(value).collect::<Option<Vec<f64>>>() else {
        return "unknown".to_owned();
    };
    values.sort_by(f64::total_cmp);
    format!("{:.digits$}", median(&values))
}

fn row(cells: &[impl Display]) -> String {
    let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
    format!("| {} |", cells.join(" | "))
}

/// Of these turns of the sides, pair by pair.
#[cfg(test)]
pub(crate) fn sample_comparison(
    figure: Figure,
    sides: &[&str],
    pairs: Vec<Vec<Measurement>>,
) -> Comparison {
    use crate::compare::{Pair, Ratio};

    let pairs = pairs.into_iter().map(|measurements| {
        let rates = measurements.iter().map(|turn| turn.rate);
        let rates: Vec<f64> = rates.collect();
        Pair {
            order: (0..sides.len()).collect(),
            ratios: rates[..rates.len() - 1]
                .iter()
                .map(|floor| rates[rates.len() - 1] / floor)
                .collect(),
            measurements,
        }
    });
    let pairs: Vec<Pair> = pairs.collect();
    Comparison {
        figure,
        case: String::new(),
        unit: figure.unit().rate.to_owned(),
        load: crate::contender::Load::ONE,
        sizes: crate::source::Sizes {
            mebibytes: 1024,
            artifacts: 1_000_000,
        },
        sides: sides.iter().map(|side| (*side).to_owned()).collect(),
        ratios: (0..sides.len() - 1)
            .map(|floor| Ratio::new(pairs.iter().map(|pair| pair.ratios[floor]).collect()))
            .collect(),
        pairs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::{Load, Syncs};
    use crate::measure::{Latency, sample};

    fn turn(rate: f64) -> Measurement {
        Measurement {
            operations: 4,
            units: 4.0,
            latency_ms: Latency {
                median: 1.5,
                p99: 2.0,
                max: 3.0,
            },
            worst_p99_ms: 2.5,
            cpu_seconds: Some(0.004),
            written_bytes: Some(6 << 20),
            syncs: Syncs {
                fsync: 2,
                fdatasync: 12,
                commits: 4,
            },
            ..sample(rate)
        }
    }

    #[test]
    fn a_comparison_is_two_tables() {
        let mut comparison = sample_comparison(
            Figure::Publish,
            &["floor", "artstore"],
            vec![vec![turn(100.0), turn(75.0)]],
        );
        comparison.load = Load::publishers(4);
        comparison.pairs[0].order = vec![1, 0];
        let expected = "\
### publish: 1 process x 4 publishers

| pair | order | floor, publishes/s | artstore, publishes/s | artstore / floor |
| --- | --- | --- | --- | --- |
| 1 | artstore floor | 100.0 | 75.0 | 0.750 |
| **median** | (min .. max) | 100.0 | 75.0 | **0.750** (0.750 .. 0.750) |

| side | median ms | p99 ms | max ms | worst process's p99 ms | µs per publish | fsync each | fdatasync each | commits each | CPU ms each | written MiB each | peak RSS MiB |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| floor | 1.500 | 2.000 | 3.000 | 2.500 | 250000.00 | 0.500 | 3.000 | 1.000 | 1.000 | 1.500 | unknown |
| artstore | 1.500 | 2.000 | 3.000 | 2.500 | 250000.00 | 0.500 | 3.000 | 1.000 | 1.000 | 1.500 | unknown |
";
        assert_eq!(markdown(&comparison), expected);
    }
}
