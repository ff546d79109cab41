//! Measures artstore against what the machine itself can do.
//!
//! Every figure is a comparison: a *floor*, which makes the same system calls grouped in the same way and nothing else,
//! and the store. Both are [contenders](contender::Contender); they run in turns on the same disk, and the figure is the
//! median of the ratios, because the speed of a disk differs more from minute to minute than the two do.
//!
//! ```text
//! cargo run --release -p artstore-bench -- publish --pairs 5
//! cargo run --release -p artstore-bench -- processes --processes 64
//! cargo run --release -p artstore-bench -- big
//! cargo run --release -p artstore-bench -- adopt --json
//! cargo run --release -p artstore-bench -- page --artifacts 1000000 --cases tag,key
//! ```
//!
//! [`figure`] says what can be measured, [`contender`] is the seam and [`entries`] the table of contenders, `floor` and
//! `store` their two sorts; [`source`] makes what they read, [`population`] a catalog of a million artifacts among it;
//! [`measure`], [`parent`] and [`worker`] are the two ends of one measurement, [`compare`] makes the pairs, and [`report`] is
//! what is printed.
//!
//! `suite`, in the place of a figure, measures everything and writes `docs/benchmarks.md`: [`goals`] is the table of its rows with
//! what is wanted, [`effort`] how much time each figure gets, [`judge`] what was reached, [`page`] how that is written, beside a
//! description of the [`machine`].

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to its terminal"
)]

mod columns;
mod compare;
mod contender;
mod csv;
mod effort;
mod entries;
mod figure;
mod floor;
mod goals;
mod judge;
mod machine;
mod measure;
mod page;
mod parent;
mod place;
mod population;
mod process;
mod questions;
mod random;
mod report;
mod source;
mod store;
mod suite;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::compare::Comparison;
use crate::contender::Load;
use crate::figure::Figure;
use crate::measure::{Bench, Plan};
use crate::source::Sizes;

/// The program that users start.
const BINARY: &str = "artstore";

/// Measures artstore against what the machine itself can do.
#[derive(Parser)]
struct Arguments {
    /// What is measured
    figure: Figure,

    /// How many times all sides run, in an order that is reversed every time
    #[arg(long, default_value_t = 5)]
    pairs: usize,

    /// How long one measurement goes on; a unit that has begun is finished
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,

    /// Publishers in one process; one comparison for each number (figure `publish`)
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16, 64])]
    publishers: Vec<usize>,

    /// Processes with one publisher each; one comparison for each number (figure `processes`)
    #[arg(long, value_delimiter = ',', default_values_t = [16, 64])]
    processes: Vec<usize>,

    /// Size of the file (figures `big`, `adopt`, `duplicate` and `table`)
    #[arg(long, default_value_t = 1024)]
    mebibytes: u64,

    /// Artifacts in the catalog or among the files that are read
    #[arg(long, default_value_t = 1_000_000)]
    artifacts: u64,

    /// Which of the figure's cases are measured; all if left out
    #[arg(long, value_delimiter = ',')]
    cases: Vec<String>,

    /// Who is compared, the one that the ratios are about last; all that are known if left out
    #[arg(long, value_delimiter = ',')]
    sides: Vec<String>,

    /// The program `artstore` (figure `command-line`); the one beside this program if left out
    #[arg(long)]
    binary: Option<PathBuf>,

    /// An existing directory on the disk to be measured; that of this program if left out
    #[arg(long)]
    directory: Option<PathBuf>,

    /// Leave everything that was written, so that its removal does not slow the next run down; remove it yourself
    #[arg(long)]
    keep: bool,

    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some(parent::WORKER) => worker::run(),
        Some(suite::SUITE) => suite::run(std::env::args().skip(2)),
        _ => run(&Arguments::parse()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.pairs > 0, "--pairs must be at least 1");
    let directory = match &arguments.directory {
        Some(directory) => directory.clone(),
        None => place::beside_this_program("")?,
    };
    let plans = plans(arguments)?;
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => place::beside_this_program(BINARY)?,
    };
    let mut bench = Bench::new(&directory, binary)?;
    if arguments.keep {
        eprintln!("everything stays in {}", bench.keep().display());
    }
    let mut comparisons: Vec<Comparison> = Vec::new();
    for plan in plans {
        let sides = entries::sides(plan.figure, plan.case, &arguments.sides)?;
        let comparison = compare::run(&bench, &plan, &sides)?;
        if !arguments.json {
            println!("{}", report::markdown(&comparison));
        }
        comparisons.push(comparison);
    }
    if !arguments.keep {
        bench.remove_large_sources()?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&comparisons)?);
    }
    Ok(())
}

/// One for each comparison.
fn plans(arguments: &Arguments) -> Result<Vec<Plan>> {
    let known = arguments.figure.cases();
    for case in &arguments.cases {
        ensure!(
            known.contains(&case.as_str()),
            "no case `{case}` of this figure; known are: {}",
            known.join("; ")
        );
    }
    let is_chosen = |case: &&str| {
        arguments.cases.is_empty() || arguments.cases.iter().any(|chosen| chosen == case)
    };
    let loads = loads(arguments);
    let cases = known.into_iter().filter(is_chosen);
    let plans = cases.flat_map(|case| {
        loads.iter().map(move |&load| Plan {
            figure: arguments.figure,
            case,
            load,
            sizes: Sizes {
                mebibytes: arguments.mebibytes,
                artifacts: arguments.artifacts,
            },
            pairs: arguments.pairs,
            seconds: arguments.seconds,
        })
    });
    Ok(plans.collect())
}

fn loads(arguments: &Arguments) -> Vec<Load> {
    match arguments.figure {
        Figure::Publish => {
            let counts = arguments.publishers.iter();
            counts.map(|count| Load::publishers(*count)).collect()
        }
        Figure::Processes => {
            let counts = arguments.processes.iter();
            counts.map(|count| Load::processes(*count)).collect()
        }
        _ => vec![Load::ONE],
    }
}
