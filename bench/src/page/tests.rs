use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::contender::{Facts, Load, Syncs};
use crate::figure::ONE_BY_ONE;
use crate::machine::Machine;
use crate::measure::sample;
use crate::report::sample_comparison;
use crate::store::size::BYTES;

fn results(figure: Figure, comparisons: Vec<Comparison>) -> Results {
    Results {
        machine: Machine::of(Path::new("/")),
        figures: BTreeMap::from([(figure, comparisons)]),
    }
}

fn publish() -> Comparison {
    let store = |rate| Measurement {
        operations: 100,
        units: 100.0,
        cpu_seconds: Some(0.06),
        peak_resident_bytes: Some(9 << 20),
        written_bytes: Some(100 * 12 * 1024),
        syncs: Syncs {
            fsync: 100,
            fdatasync: 300,
            commits: 100,
        },
        ..sample(rate)
    };
    let pairs = vec![
        vec![sample(5000.0), store(2500.0)],
        vec![sample(5000.0), store(4000.0)],
        vec![sample(5000.0), store(2000.0)],
    ];
    sample_comparison(Figure::Publish, &["floor", "artstore"], pairs)
}

/// The row of the page that begins so.
fn row(results: &Results, work: &str) -> String {
    let page = page(results);
    let start = format!("| {work} |");
    let row = page.lines().find(|line| line.starts_with(&start));
    row.unwrap_or_else(|| panic!("no row {work}")).to_owned()
}

#[test]
fn a_row_tells_what_was_reached_and_what_it_took() {
    let results = results(Figure::Publish, vec![publish()]);
    assert_eq!(
        row(&results, "publish 8 KiB, 1 publisher"),
        "| publish 8 KiB, 1 publisher | at least 0.6 | **0.50** (0.40 .. 0.80): 2,500 against 5,000 publishes/s \
         | 4.00 syncs, 0.60 ms CPU, 12 KiB written, 9 MiB resident |"
    );
}

#[test]
fn what_was_not_measured_is_said() {
    let results = results(Figure::Publish, vec![publish()]);
    assert_eq!(
        row(&results, "4 publishers"),
        "| 4 publishers | at least 0.65 | **not measured** |  |"
    );
    assert!(page(&results).contains("1 is missed and "));
}

#[test]
fn a_spread_has_no_unit_and_is_left_out_where_there_is_none() {
    let turns = |rates: &[f64]| {
        let pairs = rates
            .iter()
            .map(|rate| vec![sample(1.0), sample(1.0), sample(*rate)]);
        let sides = ["statement", "statements", "artstore"];
        let comparison = sample_comparison(Figure::Stream, &sides, pairs.collect());
        row(&results(Figure::Stream, vec![comparison]), "stream all 1 M")
    };
    let start = "| stream all 1 M | at least 300,000 a second |";
    assert_eq!(
        turns(&[250_000.0, 350_000.0, 400_000.0]),
        format!("{start} 350,000 a second (250,000 .. 400,000) |  |")
    );
    assert_eq!(
        turns(&[299_999.0, 299_999.0]),
        format!("{start} **299,999 a second** |  |")
    );
}

#[test]
fn loads_and_cases_are_not_mixed_up() {
    let mut other = publish();
    other.load = Load::publishers(4);
    other.pairs.truncate(1);
    let results = results(Figure::Publish, vec![publish(), other]);
    let row = row(&results, "4 publishers");
    assert!(row.contains("| **0.50**: 2,500 against"), "{row}");
}

#[test]
fn counters_are_told_once_for_each_side_of_a_comparison() {
    let turns = [20.0, 10.0, 15.0, 12.0, 8.0].map(sample).to_vec();
    let sides = [
        "statement",
        "statements",
        "catalog in place",
        "catalog",
        "artstore",
    ];
    let mut comparison = sample_comparison(Figure::Get, &sides, vec![turns]);
    comparison.case = ONE_BY_ONE.to_owned();
    for turn in &mut comparison.pairs[0].measurements {
        turn.cpu_seconds = Some(0.4);
    }
    let results = results(Figure::Get, vec![comparison]);
    let first = row(&results, "get one by one, against the statement");
    assert!(first.ends_with("| 50 ms CPU |"), "{first}");
    let second = row(&results, "the same, against the statements with the inputs");
    assert!(
        second.ends_with("|  | 0.80: 8.00 against 10.0 artifacts/s |  |"),
        "{second}"
    );
}

#[test]
fn the_size_of_a_catalog_is_told_with_what_it_holds() {
    let mut store = sample(1.0);
    store.facts = Facts::from([
        (BYTES.to_owned(), 444.4),
        (EDGES.to_owned(), 1.0),
        (TAGS.to_owned(), 2.33),
        (TABLES.to_owned(), 50.1),
    ]);
    let comparison = sample_comparison(
        Figure::Size,
        &["grown", "artstore"],
        vec![vec![sample(1.0), store]],
    );
    let results = results(Figure::Size, vec![comparison]);
    assert_eq!(
        row(&results, "bytes of the catalog for each artifact"),
        "| bytes of the catalog for each artifact | at most 450 | 444 | 1.00 inputs and 2.33 tags each, 50.1 % tables |"
    );
}

#[test]
fn text_is_wrapped_between_words() {
    let text = "word ".repeat(40) + "end";
    let lines = wrapped(&text);
    let widths: Vec<usize> = lines.lines().map(str::len).collect();
    assert_eq!(widths, [149, 53]);
    assert!(lines.ends_with("word end"));
}

#[test]
fn the_page_is_whole() {
    let results = results(Figure::Publish, Vec::new());
    let page = page(&results);
    assert!(!page.contains('{') && !page.contains('}'), "{page}");
    for (title, goals) in GROUPS {
        assert!(page.contains(&format!("\n## {title}\n")));
        for goal in *goals {
            assert!(page.contains(&wrapped(notes::note(goal.figure))));
        }
    }
}
