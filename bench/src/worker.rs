//! One process of a measurement.
//!
//! It reads its [`Task`] as one line of JSON, opens its contender, says that it is ready, waits for a line so that all
//! processes begin together, and prints a [`Tally`] as one line of JSON.

use std::io::{BufRead as _, stdin};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use crate::contender::{self, Contender, Figure, Syncs, World};
use crate::process;

/// What a worker says when it may be started.
pub(crate) const READY: &str = "ready";

/// What a worker is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) figure: Figure,
    pub(crate) contender: String,
    pub(crate) world: World,
    pub(crate) publishers: usize,
    pub(crate) seconds: f64,
}

/// What a worker has done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// How long each unit took.
    pub(crate) microseconds: Vec<u64>,
    /// How long the publisher worked that worked longest, preparations left out.
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) peak_resident_bytes: Option<u64>,
    pub(crate) syncs: Syncs,
}

/// Runs as a worker.
pub(crate) fn run() -> Result<()> {
    let mut lines = stdin().lock().lines();
    let mut next = || {
        let line = lines.next().context("the parent is gone")?;
        line.context("cannot read from the parent")
    };
    let task: Task = serde_json::from_str(&next()?).context("cannot understand the task")?;
    let entry = contender::find(task.figure, &task.contender)?;
    let contender = (entry.open)(&task.world)?;
    println!("{READY}");
    next()?;
    let tally = work(contender.as_ref(), &task)?;
    println!("{}", serde_json::to_string(&tally)?);
    Ok(())
}

fn work(contender: &dyn Contender, task: &Task) -> Result<Tally> {
    let cpu_before = process::cpu_seconds();
    let syncs_before = contender.syncs();
    let first = task.world.process * task.publishers;
    let publishers = first..first + task.publishers;
    let limit = Duration::try_from_secs_f64(task.seconds).context("--seconds is no duration")?;
    let units = thread::scope(|scope| {
        let threads: Vec<_> = publishers
            .map(|publisher| scope.spawn(move || publish_until(limit, contender, publisher)))
            .collect();
        let units = threads.into_iter().map(|thread| {
            let outcome = thread.join();
            outcome.map_err(|_| anyhow!("a publisher panicked"))?
        });
        units.collect::<Result<Vec<Vec<Duration>>>>()
    })?;
    let cpu_seconds = process::cpu_seconds()
        .zip(cpu_before)
        .map(|(after, before)| after - before);
    let syncs = contender.syncs();
    Ok(Tally {
        seconds: units
            .iter()
            .map(|units| units.iter().sum::<Duration>().as_secs_f64())
            .fold(0.0, f64::max),
        microseconds: units
            .iter()
            .flatten()
            .map(|unit| u64::try_from(unit.as_micros()).unwrap_or(u64::MAX))
            .collect(),
        cpu_seconds,
        peak_resident_bytes: process::peak_resident_bytes(),
        syncs: Syncs {
            fsync: syncs.fsync - syncs_before.fsync,
            fdatasync: syncs.fdatasync - syncs_before.fdatasync,
        },
    })
}

/// How long each unit took, at least one.
fn publish_until(
    limit: Duration,
    contender: &dyn Contender,
    publisher: usize,
) -> Result<Vec<Duration>> {
    let mut units = Vec::new();
    let mut worked = Duration::ZERO;
    while units.is_empty() || worked < limit {
        let n = units.len();
        contender.prepare(publisher, n)?;
        let start = Instant::now();
        contender.publish(publisher, n)?;
        let unit = start.elapsed();
        worked += unit;
        units.push(unit);
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<(usize, usize)>>);

    impl Contender for Recorder {
        fn prepare(&self, _publisher: usize, _n: usize) -> Result<()> {
            Ok(())
        }

        fn publish(&self, publisher: usize, n: usize) -> Result<()> {
            self.0.lock().unwrap().push((publisher, n));
            Ok(())
        }

        fn syncs(&self) -> Syncs {
            Syncs {
                fsync: 10 + self.0.lock().unwrap().len() as u64,
                fdatasync: 0,
            }
        }
    }

    #[test]
    fn publishers_are_numbered_across_processes_and_syncs_counted_from_the_start() {
        let recorder = Recorder::default();
        let task = Task {
            figure: Figure::Publish,
            contender: String::new(),
            world: World {
                directory: PathBuf::new(),
                source: PathBuf::new(),
                process: 2,
            },
            publishers: 3,
            seconds: 0.0,
        };

        let tally = work(&recorder, &task).unwrap();

        let mut units = recorder.0.into_inner().unwrap();
        units.sort_unstable();
        assert_eq!(units, [(6, 0), (7, 0), (8, 0)]);
        assert_eq!(tally.microseconds.len(), 3);
        assert_eq!(tally.syncs.fsync, 3);
    }
}
