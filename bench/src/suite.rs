//! Everything that the page tells, figure by figure: what `cargo xtask bench` starts.
//!
//! What was measured is kept in a file, and written after every figure: one figure alone can be measured again, and an
//! error costs no other one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use serde::{Deserialize, Serialize};

use crate::compare::{self, Comparison};
use crate::effort::{Effort, effort_for};
use crate::figure::Figure;
use crate::goals::{GROUPS, Goal};
use crate::machine::Machine;
use crate::measure::{Bench, Plan};
use crate::{BINARY, entries, page, place, report};

/// The first argument that leads here.
pub(crate) const SUITE: &str = "suite";

/// Measures everything that the page of benchmarks tells, and writes it.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is measured; everything if left out
    figures: Vec<Figure>,

    /// Small sizes and short turns, to see that everything works; nothing is kept
    #[arg(long)]
    quick: bool,

    /// Measure nothing, and write the page from what is kept
    #[arg(long, conflicts_with_all = ["quick", "figures"])]
    render: bool,

    /// Where results are kept
    #[arg(long)]
    results: PathBuf,

    /// The page that is written
    #[arg(long)]
    page: PathBuf,

    /// The program `artstore`; the one beside this program if left out
    #[arg(long)]
    binary: Option<PathBuf>,

    /// An existing directory on the disk to be measured; that of this program if left out
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// What was measured on one machine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) figures: BTreeMap<Figure, Vec<Comparison>>,
}

impl Results {
    /// What was kept of this machine.
    fn load(path: &Path, machine: Machine) -> Self {
        let empty = Self {
            machine,
            figures: BTreeMap::new(),
        };
        let Ok(kept) = fs::read(path) else {
            return empty;
        };
        match serde_json::from_slice::<Self>(&kept) {
            Ok(kept) if kept.machine == empty.machine => kept,
            Ok(_) => {
                eprintln!("warning: what was kept is of another machine and is dropped");
                empty
            }
            Err(error) => {
                eprintln!("warning: what was kept cannot be read and is dropped: {error}");
                empty
            }
        }
    }

    fn save(&self, path: &Path) -> Result<()> {
        let unwritten = || format!("cannot write {}", path.display());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(unwritten)?;
        }
        // A reader never sees half of it.
        let staged = path.with_extension("new");
        fs::write(&staged, serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::rename(&staged, path))
            .with_context(unwritten)
    }
}

/// Runs with the arguments that come after the first one.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> Result<()> {
    let arguments = Arguments::parse_from(std::iter::once(SUITE.to_owned()).chain(arguments));
    let directory = match &arguments.directory {
        Some(directory) => directory.clone(),
        None => place::beside_this_program("")?,
    };
    let machine = Machine::of(&directory);
    let mut results = Results::load(&arguments.results, machine);
    if arguments.render {
        return write_page(&results, &arguments.page);
    }
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => place::beside_this_program(BINARY)?,
    };
    let bench = Bench::new(&directory, binary)?;
    if arguments.quick {
        results.figures.clear();
    }
    let failed = measure(&bench, &arguments, &mut results)?;
    if arguments.quick {
        println!("{}", page::tables(&results));
    } else {
        write_page(&results, &arguments.page)?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("not measured: {failed:?}")
}

/// Returns the figures that could not be measured.
fn measure(bench: &Bench, arguments: &Arguments, results: &mut Results) -> Result<Vec<Figure>> {
    let mut failed = Vec::new();
    for figure in figures() {
        if !arguments.figures.is_empty() && !arguments.figures.contains(&figure) {
            continue;
        }
        let start = Instant::now();
        let effort = effort_for(figure, arguments.quick);
        match measure_figure(bench, figure, effort) {
            Ok(comparisons) => {
                results.figures.insert(figure, comparisons);
            }
            Err(error) => {
                eprintln!("error: {}: {error:#}", figure.title());
                results.figures.remove(&figure);
                failed.push(figure);
            }
        }
        bench.remove_large_sources()?;
        if !arguments.quick {
            results.save(&arguments.results)?;
        }
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("{} took {seconds:.0} s", figure.title());
    }
    Ok(failed)
}

fn measure_figure(bench: &Bench, figure: Figure, effort: Effort) -> Result<Vec<Comparison>> {
    let mut comparisons: Vec<Comparison> = Vec::new();
    for goal in goals_of(figure) {
        if comparisons.iter().any(|done| is_about(done, goal)) {
            continue;
        }
        let plan = Plan {
            figure,
            case: goal.case,
            load: goal.load,
            sizes: effort.sizes,
            pairs: effort.pairs,
            seconds: effort.seconds,
        };
        let sides = entries::sides(figure, goal.case, effort.sides)?;
        let comparison = compare::run(bench, &plan, &sides)?;
        println!("{}", report::markdown(&comparison));
        comparisons.push(comparison);
    }
    Ok(comparisons)
}

/// In the order of the page, each once.
fn figures() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (_, goals) in GROUPS {
        for goal in *goals {
            if !figures.contains(&goal.figure) {
                figures.push(goal.figure);
            }
        }
    }
    figures
}

fn goals_of(figure: Figure) -> impl Iterator<Item = &'static Goal> {
    let goals = GROUPS.iter().flat_map(|(_, goals)| goals.iter());
    goals.filter(move |goal| goal.figure == figure)
}

/// Whether a row of the page is about this comparison.
pub(crate) fn is_about(comparison: &Comparison, goal: &Goal) -> bool {
    comparison.figure == goal.figure && comparison.case == goal.case && comparison.load == goal.load
}

fn write_page(results: &Results, path: &Path) -> Result<()> {
    fs::write(path, page::page(results)).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::sample;
    use crate::report::sample_comparison;

    #[test]
    fn what_was_kept_is_read_again_on_the_same_machine_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/results.json");
        let machine = Machine::of(directory.path());
        let mut results = Results::load(&path, machine.clone());
        assert!(results.figures.is_empty());
        let pairs = vec![vec![sample(2.0), sample(1.0)]];
        let comparison = sample_comparison(Figure::CommandLine, &["floor", "artstore"], pairs);
        results
            .figures
            .insert(Figure::CommandLine, vec![comparison]);
        results.save(&path).unwrap();

        let kept = Results::load(&path, machine);
        let comparison = &kept.figures[&Figure::CommandLine][0];
        assert_eq!(comparison.sides, ["floor", "artstore"]);
        assert_eq!(comparison.pairs[0].measurements[0].rate, 2.0);

        let elsewhere = Path::new("/proc/no such place");
        let other = Results::load(&path, Machine::of(elsewhere));
        assert!(other.figures.is_empty());
        fs::write(&path, "{").unwrap();
        let machine = Machine::of(directory.path());
        assert!(Results::load(&path, machine).figures.is_empty());
    }

    #[test]
    fn every_figure_is_measured_once_with_sides_that_its_rows_name() {
        let figures = figures();
        for figure in &figures {
            for is_quick in [false, true] {
                let effort = effort_for(*figure, is_quick);
                for goal in goals_of(*figure) {
                    let mut names = goal.quantity.others();
                    names.push(goal.quantity.side());
                    let is_there =
                        |name: &&str| effort.sides.is_empty() || effort.sides.contains(name);
                    assert!(names.iter().all(is_there), "{goal:?}");
                }
            }
        }
        let first = |figure| figures.iter().position(|other| *other == figure);
        assert_eq!(first(Figure::Publish), Some(0));
        assert_eq!(first(Figure::Rebuild), Some(figures.len() - 1));
    }
}
