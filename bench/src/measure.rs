//! One measurement: processes of this program that begin together in a fresh directory.
//!
//! Even one publisher has a process of its own, so that peak memory and processor time are those of one measurement. Only
//! sides that do nothing but read share a process, see [`Figure::shares_a_process`].

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::contender::{Entry, Facts, Load, Syncs, World};
use crate::figure::{Figure, Source};
use crate::parent::Worker;
use crate::place;
use crate::source::{self, Sizes};
use crate::worker::{Tally, Task, TaskSide};

/// How a comparison is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) figure: Figure,
    /// One of the figure's.
    pub(crate) case: &'static str,
    pub(crate) load: Load,
    pub(crate) sizes: Sizes,
    pub(crate) pairs: usize,
    pub(crate) seconds: f64,
}

/// A place to measure in. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Bench {
    directory: TempDir,
    binary: PathBuf,
}

/// Takes turns of the sides of a comparison.
pub(crate) enum Turns<'a> {
    /// Each in processes and in a directory of its own.
    Apart(&'a Bench, &'a Plan, &'a [&'a Entry]),
    /// All in one process.
    Together(Figure, Worker),
}

/// How names of sources begin that are removed when they are not needed any more.
const LARGE: [&str; 4] = [
    "source-blocks",
    "source-csv",
    "source-parquet",
    "source-files",
];

/// What one side did in one turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) operations: usize,
    /// In the figure's unit.
    pub(crate) units: f64,
    pub(crate) seconds: f64,
    /// Units per second.
    pub(crate) rate: f64,
    pub(crate) latency_ms: Latency,
    /// Of the process where it is greatest.
    pub(crate) worst_p99_ms: f64,
    /// Of all processes; nothing where the system does not tell.
    pub(crate) cpu_seconds: Option<f64>,
    /// Of the largest process.
    pub(crate) peak_resident_bytes: Option<u64>,
    /// To the disk, by all processes.
    pub(crate) written_bytes: Option<u64>,
    pub(crate) syncs: Syncs,
    /// Of the first process.
    pub(crate) facts: Facts,
}

/// How long single operations took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Bench {
    /// Prepares a place below `directory`, to measure this program `artstore`.
    pub(crate) fn new(directory: &Path, binary: PathBuf) -> Result<Self> {
        Ok(Self {
            directory: place::spread(directory)?,
            binary,
        })
    }

    /// Leaves everything in place when dropped, and says where that is.
    pub(crate) fn keep(&mut self) -> &Path {
        self.directory.disable_cleanup(true);
        self.directory.path()
    }

    /// Makes what the comparison reads, as far as it is not there yet.
    pub(crate) fn provide(&self, plan: &Plan, sides: &[&Entry]) -> Result<()> {
        for entry in sides {
            let (source, sizes) = reads(plan, entry);
            source::provide(&self.source(plan, entry), source, sizes)?;
        }
        Ok(())
    }

    /// Removes what comparisons have read, except for stores without files: they are needed most often, and small.
    pub(crate) fn remove_large_sources(&self) -> Result<()> {
        let root = self.directory.path();
        let unlisted = || format!("cannot list {}", root.display());
        for found in fs::read_dir(root).with_context(unlisted)? {
            let path = found.with_context(unlisted)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !LARGE.iter().any(|large| name.starts_with(large)) {
                continue;
            }
            place::remove(&path)?;
        }
        Ok(())
    }

    /// Gets ready to measure `sides`.
    pub(crate) fn turns<'a>(&'a self, plan: &'a Plan, sides: &'a [&'a Entry]) -> Result<Turns<'a>> {
        if !plan.figure.shares_a_process() {
            return Ok(Turns::Apart(self, plan, sides));
        }
        let directory = place::fresh(self.directory.path())?;
        let mut worker = Worker::start(&self.task(plan, sides, &directory, 0, Load::ONE))?;
        worker.wait_until_ready()?;
        Ok(Turns::Together(plan.figure, worker))
    }

    fn source(&self, plan: &Plan, entry: &Entry) -> PathBuf {
        let (source, sizes) = reads(plan, entry);
        self.directory.path().join(source::name(source, sizes))
    }

    fn task(
        &self,
        plan: &Plan,
        sides: &[&Entry],
        directory: &Path,
        process: usize,
        load: Load,
    ) -> Task {
        let side = |entry: &&Entry| TaskSide {
            name: entry.name.to_owned(),
            world: World {
                directory: directory.to_path_buf(),
                source: self.source(plan, entry),
                artifacts: reads(plan, entry).1.artifacts,
                case: plan.case.to_owned(),
                binary: self.binary.clone(),
                process,
            },
        };
        Task {
            figure: plan.figure,
            sides: sides.iter().map(side).collect(),
            publishers: load.publishers,
            seconds: plan.seconds,
        }
    }

    fn measure_apart(&self, plan: &Plan, entry: &Entry) -> Result<Measurement> {
        let world = place::fresh(self.directory.path())?;
        (entry.set_up)(&world)?;
        // What the last measurement left in memory must not be written back during this one.
        rustix::fs::sync();
        let load = entry.load.unwrap_or(plan.load);
        let workers = (0..load.processes)
            .map(|process| Worker::start(&self.task(plan, &[entry], &world, process, load)));
        let mut workers: Vec<Worker> = workers.collect::<Result<_>>()?;
        for worker in &mut workers {
            worker.wait_until_ready()?;
        }
        for worker in &mut workers {
            worker.begin(0)?;
        }
        let tallies = workers.iter_mut().map(Worker::tally);
        let tallies: Vec<Tally> = tallies.collect::<Result<_>>()?;
        for worker in workers {
            worker.finish()?;
        }
        if plan.figure.leaves_large_files() {
            fs::remove_dir_all(&world)
                .with_context(|| format!("cannot remove {}", world.display()))?;
        }
        Ok(Measurement::new(&tallies, plan.figure))
    }
}

/// What a side reads, and how large that is.
fn reads(plan: &Plan, entry: &Entry) -> (Source, Sizes) {
    let source = entry
        .source
        .unwrap_or_else(|| plan.figure.source(plan.case));
    (source, plan.sizes.divided(entry.divisor))
}

impl Turns<'_> {
    /// Lets one of the sides work for some seconds.
    pub(crate) fn measure(&mut self, side: usize) -> Result<Measurement> {
        match self {
            Self::Apart(bench, plan, sides) => bench.measure_apart(plan, sides[side]),
            Self::Together(figure, worker) => {
                worker.begin(side)?;
                Ok(Measurement::new(&[worker.tally()?], *figure))
            }
        }
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Apart(..) => Ok(()),
            Self::Together(_, worker) => worker.finish(),
        }
    }
}

impl Measurement {
    fn new(tallies: &[Tally], figure: Figure) -> Self {
        let mut latencies: Vec<u64> = tallies
            .iter()
            .flat_map(|tally| tally.microseconds.iter().copied())
            .collect();
        latencies.sort_unstable();
        let operations = latencies.len();
        let seconds = tallies
            .iter()
            .map(|tally| tally.seconds)
            .fold(0.0, f64::max);
        let amount: u64 = tallies.iter().map(|tally| tally.amount).sum();
        let units = amount as f64 / figure.unit().amount as f64;
        Self {
            operations,
            units,
            seconds,
            rate: units / seconds,
            latency_ms: Latency::of_sorted(&latencies),
            worst_p99_ms: tallies.iter().map(p99_of).fold(0.0, f64::max),
            cpu_seconds: tallies.iter().map(|tally| tally.cpu_seconds).sum(),
            peak_resident_bytes: tallies
                .iter()
                .filter_map(|tally| tally.peak_resident_bytes)
                .max(),
            written_bytes: tallies.iter().map(|tally| tally.written_bytes).sum(),
            syncs: Syncs {
                fsync: tallies.iter().map(|tally| tally.syncs.fsync).sum(),
                fdatasync: tallies.iter().map(|tally| tally.syncs.fdatasync).sum(),
                commits: tallies.iter().map(|tally| tally.syncs.commits).sum(),
            },
            facts: tallies
                .first()
                .map(|tally| tally.facts.clone())
                .unwrap_or_default(),
        }
    }
}

fn p99_of(tally: &Tally) -> f64 {
    let mut microseconds = tally.microseconds.clone();
    microseconds.sort_unstable();
    Latency::of_sorted(&microseconds).p99
}

impl Latency {
    fn of_sorted(microseconds: &[u64]) -> Self {
        let last = microseconds.len().saturating_sub(1);
        let at = |index: usize| {
            microseconds
                .get(index)
                .map_or(0.0, |&value| value as f64 / 1000.0)
        };
        Self {
            median: at(last / 2),
            p99: at(last * 99 / 100),
            max: at(last),
        }
    }
}

/// Of a turn with one operation at this rate.
#[cfg(test)]
pub(crate) fn sample(rate: f64) -> Measurement {
    Measurement {
        operations: 1,
        units: rate,
        seconds: 1.0,
        rate,
        latency_ms: Latency {
            median: 1000.0 / rate,
            p99: 1000.0 / rate,
            max: 1000.0 / rate,
        },
        worst_p99_ms: 1000.0 / rate,
        cpu_seconds: None,
        peak_resident_bytes: None,
        written_bytes: None,
        syncs: Syncs::default(),
        facts: Facts::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(microseconds: &[u64], seconds: f64) -> Tally {
        Tally {
            microseconds: microseconds.to_vec(),
            amount: (microseconds.len() as u64 * 4) << 20,
            seconds,
            cpu_seconds: Some(0.5),
            peak_resident_bytes: Some(microseconds.len() as u64),
            written_bytes: Some(4096),
            syncs: Syncs {
                fsync: 1,
                fdatasync: 2,
                commits: 1,
            },
            facts: Facts::from([("edges".to_owned(), microseconds.len() as f64)]),
        }
    }

    #[test]
    fn the_worst_process_is_not_hidden_by_the_others() {
        let quick = tally(&[1000; 1000], 1.0);
        let slow = tally(&[900_000], 1.0);

        let measurement = Measurement::new(&[quick, slow], Figure::Publish);

        assert_eq!(measurement.latency_ms.p99, 1.0);
        assert_eq!(measurement.worst_p99_ms, 900.0);
    }

    #[test]
    fn processes_add_up_over_the_longest_of_them() {
        let tallies = [tally(&[1000, 3000], 2.0), tally(&[2000, 4000, 5000], 2.5)];

        let measurement = Measurement::new(&tallies, Figure::Big);

        assert_eq!(measurement.operations, 5);
        assert!((measurement.rate - 8.0).abs() < 1e-9);
        let latency = Latency {
            median: 3.0,
            p99: 4.0,
            max: 5.0,
        };
        assert_eq!(measurement.latency_ms, latency);
        assert_eq!(measurement.cpu_seconds, Some(1.0));
        assert_eq!(measurement.peak_resident_bytes, Some(3));
        assert_eq!(measurement.written_bytes, Some(8192));
        assert_eq!(measurement.syncs.fdatasync, 4);
        assert_eq!(measurement.syncs.commits, 2);
        assert_eq!(measurement.facts["edges"], 2.0);
    }
}
