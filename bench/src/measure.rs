//! One measurement: processes of this program that begin together in a fresh directory.
//!
//! Even one publisher has a process of its own, so that peak memory and processor time are those of one measurement.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tempfile::TempDir;

use crate::contender::{Entry, Figure, Syncs, World};
use crate::floor::disk::write_blocks;
use crate::place;
use crate::worker::{READY, Tally, Task};

/// The first argument of a process that is a worker.
pub(crate) const WORKER: &str = "--worker";

/// How many work at once.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Load {
    pub(crate) processes: usize,
    /// In each process.
    pub(crate) publishers: usize,
}

/// A place to measure in. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Bench {
    directory: TempDir,
    /// What one unit of work counts in the rate: 1, or the size of the file.
    units: u64,
}

/// What one side did in one turn.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measurement {
    pub(crate) operations: usize,
    pub(crate) seconds: f64,
    /// Operations per second, or MiB per second.
    pub(crate) rate: f64,
    pub(crate) latency_ms: Latency,
    /// Of all processes; nothing where the system does not tell.
    pub(crate) cpu_seconds: Option<f64>,
    /// Of the largest process.
    pub(crate) peak_resident_bytes: Option<u64>,
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
    /// Prepares a place below `directory`, with the big file if the figure needs it.
    pub(crate) fn new(directory: &Path, figure: Figure, mebibytes: u64) -> Result<Self> {
        let directory = place::spread(directory)?;
        let bench = Self {
            units: match figure {
                Figure::Publish => 1,
                Figure::Big | Figure::Adopt | Figure::Duplicate => mebibytes,
            },
            directory,
        };
        if figure != Figure::Publish {
            ensure!(mebibytes > 0, "--mebibytes must be at least 1");
            let source = bench.source();
            write_blocks(&source, mebibytes)
                .and_then(|file| file.sync_all())
                .with_context(|| format!("cannot write {}", source.display()))?;
        }
        Ok(bench)
    }

    /// Leaves everything in place when dropped, and says where that is.
    pub(crate) fn keep(&mut self) -> &Path {
        self.directory.disable_cleanup(true);
        self.directory.path()
    }

    /// Lets `entry` work for some seconds.
    pub(crate) fn measure(&self, entry: &Entry, load: Load, seconds: f64) -> Result<Measurement> {
        let world = place::fresh(self.directory.path())?;
        (entry.set_up)(&world)?;
        // What the last measurement left in memory must not be written back during this one.
        rustix::fs::sync();
        let tallies = self.run_workers(entry, &world, load, seconds)?;
        if entry.figure != Figure::Publish {
            fs::remove_dir_all(&world)
                .with_context(|| format!("cannot remove {}", world.display()))?;
        }
        Ok(Measurement::new(&tallies, self.units))
    }

    fn source(&self) -> PathBuf {
        self.directory.path().join("source")
    }

    fn run_workers(
        &self,
        entry: &Entry,
        directory: &Path,
        load: Load,
        seconds: f64,
    ) -> Result<Vec<Tally>> {
        let mut workers = Vec::new();
        for process in 0..load.processes {
            workers.push(Worker::start(&Task {
                figure: entry.figure,
                contender: entry.name.to_owned(),
                world: World {
                    directory: directory.to_path_buf(),
                    source: self.source(),
                    process,
                },
                publishers: load.publishers,
                seconds,
            })?);
        }
        for worker in &mut workers {
            worker.wait_until_ready()?;
        }
        for worker in &mut workers {
            worker.begin()?;
        }
        workers.into_iter().map(Worker::finish).collect()
    }
}

impl Measurement {
    fn new(tallies: &[Tally], units: u64) -> Self {
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
        Self {
            operations,
            seconds,
            rate: operations as f64 * units as f64 / seconds,
            latency_ms: Latency::of_sorted(&latencies),
            cpu_seconds: tallies.iter().map(|tally| tally.cpu_seconds).sum(),
            peak_resident_bytes: tallies
                .iter()
                .filter_map(|tally| tally.peak_resident_bytes)
                .max(),
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

/// A worker as its parent sees it. Killed if it is dropped before it has finished.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(task: &Task) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut child = Command::new(program)
            .arg(WORKER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a worker")?;
        let input = child.stdin.take().context("a worker has no input")?;
        let output = child.stdout.take().context("a worker has no output")?;
        let mut worker = Self {
            child,
            input,
            output: BufReader::new(output),
        };
        worker.say(&serde_json::to_string(task)?)?;
        Ok(worker)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let answer = self.hear()?;
        ensure!(answer == READY, "a worker did not get ready");
        Ok(())
    }

    fn begin(&mut self) -> Result<()> {
        self.say("begin")
    }

    fn finish(mut self) -> Result<Tally> {
        let answer = self.hear()?;
        let status = self.child.wait().context("cannot wait for a worker")?;
        ensure!(status.success(), "a worker ended with {status}");
        serde_json::from_str(&answer).context("cannot understand a worker")
    }

    fn say(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}").context("cannot write to a worker")
    }

    fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .context("cannot read from a worker")?;
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail on a worker that has finished, which is most often the case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(microseconds: &[u64], seconds: f64) -> Tally {
        Tally {
            microseconds: microseconds.to_vec(),
            seconds,
            cpu_seconds: Some(0.5),
            peak_resident_bytes: Some(microseconds.len() as u64),
            syncs: Syncs {
                fsync: 1,
                fdatasync: 2,
            },
        }
    }

    #[test]
    fn processes_add_up_over_the_longest_of_them() {
        let tallies = [tally(&[1000, 3000], 2.0), tally(&[2000, 4000, 5000], 2.5)];

        let measurement = Measurement::new(&tallies, 4);

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
        assert_eq!(measurement.syncs.fdatasync, 4);
    }
}
