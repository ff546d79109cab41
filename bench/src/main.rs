//! Measures artstore against what the machine itself can do.
//!
//! Every figure is a comparison: a *floor*, which makes the same system calls grouped in the same way and nothing else,
//! and the store. Both are [contenders](contender::Contender); they run in turns on the same disk, and the figure is the
//! median of the ratios, because the speed of a disk differs more from minute to minute than the two do.
//!
//! ```text
//! cargo run --release -p artstore-bench -- publish --pairs 5
//! cargo run --release -p artstore-bench -- publish --processes
//! cargo run --release -p artstore-bench -- big
//! cargo run --release -p artstore-bench -- adopt --json
//! ```
//!
//! [`contender`] is the seam and the table of contenders, `floor` the floors, [`measure`] and [`worker`] the two ends of
//! one measurement, [`compare`] the pairs, and [`report`] what is printed.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to its terminal"
)]

mod compare;
mod contender;
mod floor;
mod measure;
mod place;
mod process;
mod report;
mod store;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;

use crate::compare::{Comparison, Plan};
use crate::contender::Figure;
use crate::measure::{Bench, Load};

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

    /// Processes with one publisher each, instead of publishers in one process (figure `publish`)
    #[arg(long, num_args = 0..=1, default_missing_value = "16", conflicts_with = "publishers")]
    processes: Option<usize>,

    /// Size of the file (figures `big` and `adopt`)
    #[arg(long, default_value_t = 1024)]
    mebibytes: u64,

    /// Who is compared, the one that the ratios are about last; all that are known if left out
    #[arg(long, value_delimiter = ',')]
    sides: Vec<String>,

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
    let outcome = if std::env::args().nth(1).as_deref() == Some(measure::WORKER) {
        worker::run()
    } else {
        run(&Arguments::parse())
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
        None => directory_of_this_program()?,
    };
    let mut bench = Bench::new(&directory, arguments.figure, arguments.mebibytes)?;
    if arguments.keep {
        eprintln!("everything stays in {}", bench.keep().display());
    }
    let sides = contender::sides(arguments.figure, &arguments.sides)?;
    let mut comparisons: Vec<Comparison> = Vec::new();
    for load in loads(arguments) {
        let plan = Plan {
            figure: arguments.figure,
            load,
            pairs: arguments.pairs,
            seconds: arguments.seconds,
        };
        let comparison = compare::run(&bench, &plan, &sides)?;
        if !arguments.json {
            println!("{}", report::markdown(&comparison));
        }
        comparisons.push(comparison);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&comparisons)?);
    }
    Ok(())
}

fn loads(arguments: &Arguments) -> Vec<Load> {
    let one = Load {
        processes: 1,
        publishers: 1,
    };
    match (arguments.figure, arguments.processes) {
        (Figure::Publish, Some(processes)) => vec![Load { processes, ..one }],
        (Figure::Publish, None) => {
            let counts = arguments.publishers.iter();
            counts
                .map(|&publishers| Load { publishers, ..one })
                .collect()
        }
        (Figure::Big | Figure::Adopt | Figure::Duplicate, _) => vec![one],
    }
}

/// Where programs are built is a disk; the directory for temporary files is often memory.
fn directory_of_this_program() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let directory = program.parent().context("this program has no directory")?;
    Ok(directory.to_path_buf())
}
