//! One measurement: processes of this program that begin together in a fresh directory.
//!
//! Even one publisher has a process of its own, so that peak memory and processor time are those of one measurement. Only
//! sides that do nothing but read share a process, see [`Figure::shares_a_process`].

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use tempfile::TempDir;

use crate::contender::{Entry, Syncs, World};
use crate::figure::Figure;
use crate::parent::Worker;
use crate::place;
use crate::source::{self, Sizes};
use crate::worker::{Tally, Task};

/// How many work at once.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Load {
    pub(crate) processes: usize,
    /// In each process.
    pub(crate) publishers: usize,
}

/// How a comparison is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) figure: Figure,
    /// One of the figure's.
    pub(crate) case: &'static str,
    pub(crate) load: Load,
    pub(crate) pairs: usize,
    pub(crate) seconds: f64,
}

/// A place to measure in. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Bench {
    directory: TempDir,
    sizes: Sizes,
}

/// Takes turns of the sides of a comparison.
pub(crate) enum Turns<'a> {
    /// Each in processes and in a directory of its own.
    Apart(&'a Bench, &'a Plan, &'a [&'a Entry]),
    /// All in one process.
    Together(Figure, Worker),
}

/// What one side did in one turn.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measurement {
    pub(crate) operations: usize,
    /// In the figure's unit.
    pub(crate) units: f64,
    pub(crate) seconds: f64,
    /// Units per second.
    pub(crate) rate: f64,
    pub(crate) latency_ms: Latency,
    /// Of all processes; nothing where the system does not tell.
    pub(crate) cpu_seconds: Option<f64>,
    /// Of the largest process.
    pub(crate) peak_resident_bytes: Option<u64>,
    /// To the disk, by all processes.
    pub(crate) written_bytes: Option<u64>,
    pub(crate) syncs: Syncs,
}

/// How long single operations took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Latency {
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Bench {
    /// Prepares a place below `directory`, where what is read is of these sizes.
    pub(crate) fn new(directory: &Path, sizes: Sizes) -> Result<Self> {
        Ok(Self {
            directory: place::spread(directory)?,
            sizes,
        })
    }

    /// Leaves everything in place when dropped, and says where that is.
    pub(crate) fn keep(&mut self) -> &Path {
        self.directory.disable_cleanup(true);
        self.directory.path()
    }

    /// Makes what the comparison reads, if it is not there yet.
    pub(crate) fn provide(&self, plan: &Plan) -> Result<()> {
        source::provide(
            &self.source(plan),
            plan.figure.source(plan.case),
            self.sizes,
        )
    }

    /// Gets ready to measure `sides`.
    pub(crate) fn turns<'a>(&'a self, plan: &'a Plan, sides: &'a [&'a Entry]) -> Result<Turns<'a>> {
        if !plan.figure.shares_a_process() {
            return Ok(Turns::Apart(self, plan, sides));
        }
        let directory = place::fresh(self.directory.path())?;
        let mut worker = Worker::start(&self.task(plan, sides, &directory, 0))?;
        worker.wait_until_ready()?;
        Ok(Turns::Together(plan.figure, worker))
    }

    fn source(&self, plan: &Plan) -> PathBuf {
        let source = plan.figure.source(plan.case);
        let name = format!("{source:?}").to_lowercase();
        self.directory.path().join(format!("source-{name}"))
    }

    fn task(&self, plan: &Plan, sides: &[&Entry], directory: &Path, process: usize) -> Task {
        Task {
            figure: plan.figure,
            contenders: sides.iter().map(|entry| entry.name.to_owned()).collect(),
            world: World {
                directory: directory.to_path_buf(),
                source: self.source(plan),
                artifacts: self.sizes.artifacts,
                case: plan.case.to_owned(),
                process,
            },
            publishers: plan.load.publishers,
            seconds: plan.seconds,
        }
    }

    fn measure_apart(&self, plan: &Plan, entry: &Entry) -> Result<Measurement> {
        let world = place::fresh(self.directory.path())?;
        (entry.set_up)(&world)?;
        // What the last measurement left in memory must not be written back during this one.
        rustix::fs::sync();
        let processes = 0..plan.load.processes;
        let workers = processes.map(|process| {
            let task = self.task(plan, &[entry], &world, process);
            Worker::start(&task)
        });
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
            cpu_seconds: tallies.iter().map(|tally| tally.cpu_seconds).sum(),
            peak_resident_bytes: tallies
                .iter()
                .filter_map(|tally| tally.peak_resident_bytes)
                .max(),
            written_bytes: tallies.iter().map(|tally| tally.written_bytes).sum(),
            syncs: Syncs {
                fsync: tallies.iter().map(|tally| tally.syncs.fsync).sum(),
                fdatasync: tallies.iter().map(|tally| tally.syncs.fdatasync).sum(),
            },
        }
    }
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
            },
        }
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
    }
}
