use std::collections::BTreeSet;

use clap::ValueEnum as _;

use super::*;
use crate::entries;
use crate::figure::{GET, LINES, ONE_BY_ONE, OPS};
use crate::judge::Quantity::{CommitsPerThousand, Fact, Median, PeakMemory, Rate, Share, WorstP99};
use crate::judge::Wanted::{AtLeast, AtMost};
use crate::store::size::BYTES;

fn all() -> impl Iterator<Item = &'static Goal> {
    GROUPS.iter().flat_map(|(_, goals)| goals.iter())
}

#[test]
fn every_case_of_every_figure_has_a_row() {
    for figure in Figure::value_variants() {
        for case in figure.cases() {
            let has_row = all().any(|goal| goal.figure == *figure && goal.case == case);
            assert!(has_row, "{figure:?} {case}");
        }
    }
}

#[test]
fn every_row_names_cases_and_sides_that_there_are() {
    for goal in all() {
        assert!(goal.figure.cases().contains(&goal.case), "{goal:?}");
        let mut names = goal.quantity.others();
        names.push(goal.quantity.side());
        for name in names {
            let found = entries::find(goal.figure, goal.case, name);
            assert!(found.is_ok(), "{goal:?}: {name}");
        }
    }
}

#[test]
fn rows_of_one_comparison_stand_together() {
    let mut ended = BTreeSet::new();
    let mut last = String::new();
    for goal in all() {
        let comparison = format!("{:?} {} {:?}", goal.figure, goal.case, goal.load);
        if comparison != last {
            assert!(ended.insert(comparison.clone()), "{comparison} comes again");
            last = comparison;
        }
    }
}

#[test]
fn the_figures_of_the_store_are_asked_for() {
    let wanted = |figure, case: &str, quantity| {
        let goal = all()
            .find(|goal| goal.figure == figure && goal.case == case && goal.quantity == quantity);
        goal.unwrap().wanted
    };
    let batch = Share(STORE, "one by one");
    assert_eq!(wanted(Figure::Batch, "", batch), AtLeast(3.0));
    let commits = CommitsPerThousand(STORE);
    assert_eq!(wanted(Figure::Batch, "", commits), AtMost(20.0));
    assert_eq!(
        wanted(Figure::Processes, "", WorstP99(STORE)),
        AtMost(500.0)
    );
    let get = Share(STORE, "statement");
    assert_eq!(wanted(Figure::Get, ONE_BY_ONE, get), AtLeast(0.3));
    let rate = Rate(STORE);
    assert_eq!(wanted(Figure::Stream, "", rate), AtLeast(300_000.0));
    assert_eq!(wanted(Figure::Stream, "", PeakMemory(STORE)), AtMost(64.0));
    assert_eq!(wanted(Figure::Open, "", Median(STORE)), AtMost(20.0));
    assert_eq!(
        wanted(Figure::CommandLine, GET, Median(STORE)),
        AtMost(20.0)
    );
    assert_eq!(
        wanted(Figure::CommandLine, OPS, Median(STORE)),
        AtMost(20.0)
    );
    assert_eq!(wanted(Figure::CommandLine, LINES, rate), AtLeast(10_000.0));
    assert_eq!(wanted(Figure::Rebuild, "", rate), AtLeast(5000.0));
    assert_eq!(wanted(Figure::Size, "", Fact(STORE, BYTES)), AtMost(450.0));
}
