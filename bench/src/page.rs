//! The page of benchmarks, made from results.

mod notes;
mod number;

use std::fmt::Write as _;

use crate::compare::{Comparison, median};
use crate::effort::effort_for;
use crate::figure::{Figure, LINES};
use crate::goals::{GROUPS, Goal};
use crate::judge::{Judgement, Quantity, Scale, Wanted, is_told_by_operation, turn_of};
use crate::measure::Measurement;
use crate::store::size::{EDGES, TABLES, TAGS};
use crate::suite::{Results, is_about};
use number::{bytes, count, plain, scaled, time};

/// Everything that is not made: what floors are and how figures come about.
const TEMPLATE: &str = include_str!("../page.md");

/// Of a line of text.
const WIDTH: usize = 150;

/// The whole page.
pub(crate) fn page(results: &Results) -> String {
    TEMPLATE
        .replace("{machine}", &results.machine.describe())
        .replace("{summary}", &summary(results))
        .replace("{tables}", tables(results).trim_end())
}

/// The table of each group, followed by the notes on its figures.
pub(crate) fn tables(results: &Results) -> String {
    let mut text = String::new();
    for (title, goals) in GROUPS {
        let _ = write!(text, "## {title}\n\n{}", table(goals, results));
        for note in notes_of(goals) {
            let _ = write!(text, "\n{}\n", wrapped(note));
        }
        text.push('\n');
    }
    text
}

fn summary(results: &Results) -> String {
    let goals = GROUPS.iter().flat_map(|(_, goals)| goals.iter());
    let wanted: Vec<&Goal> = goals
        .filter(|goal| goal.wanted != Wanted::Nothing)
        .collect();
    let judged = wanted.iter().map(|goal| judge(goal, results));
    let judged: Vec<Option<Judgement>> = judged.map(|found| Some(found?.1)).collect();
    let missed = judged.iter().flatten().filter(|one| one.is_missed).count();
    let unknown = judged.iter().filter(|one| one.is_none()).count();
    let mut text = format!("Of {} figures that are wanted, {missed} ", wanted.len());
    text.push_str(if missed == 1 {
        "is missed"
    } else {
        "are missed"
    });
    if unknown > 0 {
        let _ = write!(text, " and {unknown} not measured");
    }
    text + "."
}

fn table(goals: &[Goal], results: &Results) -> String {
    let mut text = "| work | wanted | reached | counters |\n|---|---|---|---|\n".to_owned();
    let mut counted: Vec<(&Comparison, &str)> = Vec::new();
    for goal in goals {
        let (reached, counters) = match judge(goal, results) {
            None => ("**not measured**".to_owned(), String::new()),
            Some((comparison, judgement)) => {
                let side = goal.quantity.side();
                let is_new = |known: &(&Comparison, &str)| {
                    !std::ptr::eq(known.0, comparison) || known.1 != side
                };
                let counters = if counted.iter().all(is_new) {
                    counted.push((comparison, side));
                    counters(comparison, side)
                } else {
                    String::new()
                };
                (reached(goal.quantity, comparison, judgement), counters)
            }
        };
        let work = work(goal, results);
        let wanted = wanted(goal);
        let _ = writeln!(text, "| {work} | {wanted} | {reached} | {counters} |");
    }
    text
}

fn notes_of(goals: &[Goal]) -> Vec<&'static str> {
    let mut figures: Vec<Figure> = goals.iter().map(|goal| goal.figure).collect();
    figures.dedup();
    let notes = figures.into_iter().map(notes::note);
    notes.filter(|note| !note.is_empty()).collect()
}

/// In lines of the usual width.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let width = lines.last().map_or(0, |line| line.chars().count());
        if width + 1 + word.chars().count() > WIDTH {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

fn judge<'a>(goal: &Goal, results: &'a Results) -> Option<(&'a Comparison, Judgement)> {
    let comparison = find(goal, results)?;
    let judgement = Judgement::of(goal.quantity, goal.wanted, comparison)?;
    Some((comparison, judgement))
}

fn find<'a>(goal: &Goal, results: &'a Results) -> Option<&'a Comparison> {
    let comparisons = results.figures.get(&goal.figure)?.iter();
    comparisons
        .into_iter()
        .find(|comparison| is_about(comparison, goal))
}

fn work(goal: &Goal, results: &Results) -> String {
    let sizes = find(goal, results)
        .map_or_else(|| effort_for(goal.figure, false).sizes, |found| found.sizes);
    goal.work
        .replace("{all}", &count(sizes.artifacts))
        .replace("{tenth}", &count(sizes.artifacts / 10))
        .replace("{hundredth}", &count(sizes.artifacts / 100))
        .replace("{size}", &bytes((sizes.mebibytes << 20) as f64))
}

fn wanted(goal: &Goal) -> String {
    let scale = goal.quantity.scale();
    // What is wanted is a round number.
    let shown = |value: f64| match scale {
        Scale::Ratio | Scale::Plain => value.to_string(),
        Scale::Times => format!("{value} times"),
        Scale::Rate | Scale::Time | Scale::Mebibytes => scaled(scale, value).replace(".0 ", " "),
    };
    match goal.wanted {
        Wanted::AtLeast(least) => format!("at least {}", shown(least)),
        Wanted::AtMost(most) => format!("at most {}", shown(most)),
        Wanted::Nothing => String::new(),
    }
}

/// What was reached with its spread, and the absolute figures behind it.
fn reached(quantity: Quantity, comparison: &Comparison, judgement: Judgement) -> String {
    let scale = quantity.scale();
    let value = judgement.value;
    let shown = scaled(scale, value.median);
    let mut text = if judgement.is_missed {
        format!("**{shown}**")
    } else {
        shown.clone()
    };
    let ends = [value.min, value.max].map(|end| scaled(scale, end));
    if ends.iter().any(|end| *end != shown) {
        let unit = match scale {
            Scale::Times => " times",
            Scale::Rate => " a second",
            _ => "",
        };
        let [min, max] = ends.map(|end| end.trim_end_matches(unit).to_owned());
        let _ = write!(text, " ({min} .. {max})");
    }
    if let Some(absolute) = absolute(quantity, comparison) {
        let _ = write!(text, ": {absolute}");
    }
    text
}

fn absolute(quantity: Quantity, comparison: &Comparison) -> Option<String> {
    let others = quantity.others();
    let shown = |side: &str| match quantity {
        Quantity::Times(..) => {
            let milliseconds = median_of(comparison, side, |turn| {
                Some(turn.seconds * 1e3 / pieces(comparison.figure, turn))
            });
            milliseconds.map(time)
        }
        _ => median_of(comparison, side, |turn| Some(turn.rate)).map(plain),
    };
    if others.is_empty() {
        if !matches!(quantity, Quantity::Median(_)) {
            return None;
        }
        let p99 = median_of(comparison, quantity.side(), |turn| {
            Some(turn.latency_ms.p99)
        });
        return Some(format!("in the 99th percentile {}", time(p99?)));
    }
    let floors: Option<Vec<String>> = others.iter().map(|other| shown(other)).collect();
    let text = format!(
        "{} against {}",
        shown(quantity.side())?,
        floors?.join(" and ")
    );
    Some(match quantity {
        Quantity::Times(..) => text,
        _ => format!("{text} {}", comparison.unit),
    })
}

/// What a side used, for each unit, or for each operation where the unit is a part of one.
fn counters(comparison: &Comparison, side: &str) -> String {
    if comparison.figure == Figure::Size {
        return facts(comparison, side);
    }
    let each = |value: fn(&Measurement) -> Option<f64>| {
        median_of(comparison, side, |turn| {
            Some(value(turn)? / pieces(comparison.figure, turn))
        })
    };
    let mut parts = Vec::new();
    let syncs = each(|turn| Some((turn.syncs.fsync + turn.syncs.fdatasync) as f64));
    if let Some(syncs) = syncs.filter(|syncs| *syncs > 0.0) {
        parts.push(format!("{} syncs", plain(syncs)));
    }
    // The clock is coarse: it may not have moved.
    if let Some(seconds) = each(|turn| turn.cpu_seconds).filter(|seconds| *seconds > 0.0) {
        parts.push(format!("{} CPU", time(seconds * 1e3)));
    }
    let written = each(|turn| turn.written_bytes.map(|bytes| bytes as f64));
    if let Some(written) = written.filter(|bytes| *bytes >= 1024.0) {
        parts.push(format!("{} written", bytes(written)));
    }
    let peak = median_of(comparison, side, |turn| {
        turn.peak_resident_bytes.map(|bytes| bytes as f64)
    });
    // What programs use that end at once is not counted.
    let is_counted = comparison.figure != Figure::CommandLine || comparison.case == LINES;
    if let Some(peak) = peak.filter(|_| is_counted) {
        parts.push(format!("{} resident", bytes(peak)));
    }
    parts.join(", ")
}

fn facts(comparison: &Comparison, side: &str) -> String {
    let fact = |name: &str| median_of(comparison, side, |turn| turn.facts.get(name).copied());
    let (Some(edges), Some(tags), Some(tables)) = (fact(EDGES), fact(TAGS), fact(TABLES)) else {
        return String::new();
    };
    format!(
        "{} inputs and {} tags each, {} % tables",
        plain(edges),
        plain(tags),
        plain(tables)
    )
}

/// In how many pieces a turn is told.
fn pieces(figure: Figure, turn: &Measurement) -> f64 {
    if is_told_by_operation(figure) {
        turn.operations as f64
    } else {
        turn.units
    }
}

fn median_of(
    comparison: &Comparison,
    side: &str,
    value: impl Fn(&Measurement) -> Option<f64>,
) -> Option<f64> {
    let turns = comparison.pairs.iter();
    let values = turns.map(|pair| value(turn_of(comparison, pair, side)?));
    let mut values: Vec<f64> = values.collect::<Option<_>>()?;
    values.sort_by(f64::total_cmp);
    (!values.is_empty()).then(|| median(&values))
}

#[cfg(test)]
mod tests;
