//! One process of a measurement.
//!
//! It reads its [`Task`] as one line of JSON, opens its contender, says that it is ready, and then waits for lines, so that
//! all processes begin together. Each line names a contender, which takes its turn; a [`Tally`] is printed as one line
//! of JSON.
//!
//! Several contenders are opened for their turns only: all SQLite connections of a process share one page cache, and what
//! one that is idle leaves to the others is a matter of chance.

use std::io::{BufRead as _, stdin};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use crate::contender::{Contender, Facts, Syncs, World};
use crate::figure::Figure;
use crate::process::Process;
use crate::{entries, process};

/// What a worker says when it may be started.
pub(crate) const READY: &str = "ready";

/// What a worker is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) figure: Figure,
    /// Who takes turns.
    pub(crate) sides: Vec<TaskSide>,
    pub(crate) publishers: usize,
    pub(crate) seconds: f64,
}

/// A contender and where it works.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskSide {
    pub(crate) name: String,
    pub(crate) world: World,
}

/// What a worker has done in one turn.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// How long each piece of work took.
    pub(crate) microseconds: Vec<u64>,
    /// How much it was in all.
    pub(crate) amount: u64,
    /// How long the publisher worked that worked longest, preparations left out.
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) peak_resident_bytes: Option<u64>,
    /// Preparations are not left out.
    pub(crate) written_bytes: Option<u64>,
    pub(crate) syncs: Syncs,
    pub(crate) facts: Facts,
}

/// What one publisher has done.
#[derive(Debug, Default)]
struct Share {
    durations: Vec<Duration>,
    amount: u64,
}

/// Runs as a worker.
pub(crate) fn run() -> Result<()> {
    let mut lines = stdin().lock().lines();
    let task = lines.next().context("the parent is gone")?;
    let task = task.context("cannot read from the parent")?;
    let task: Task = serde_json::from_str(&task).context("cannot understand the task")?;
    let open = |side: &TaskSide| {
        let entry = entries::find(task.figure, &side.world.case, &side.name)?;
        (entry.open)(&side.world)
    };
    let alone = match &task.sides[..] {
        [side] => Some(open(side)?),
        _ => None,
    };
    println!("{READY}");
    for line in lines {
        let turn: usize = line.context("cannot read from the parent")?.parse()?;
        let side = task.sides.get(turn).context("nobody has this number")?;
        let tally = match &alone {
            Some(contender) => work(contender.as_ref(), &side.world, &task)?,
            None => work(open(side)?.as_ref(), &side.world, &task)?,
        };
        println!("{}", serde_json::to_string(&tally)?);
    }
    Ok(())
}

fn work(contender: &dyn Contender, world: &World, task: &Task) -> Result<Tally> {
    process::forget_peak();
    let companion = contender.companion().map(Process::Other);
    let counted = || [Some(Process::This), companion].into_iter().flatten();
    let cpu_seconds = || counted().map(Process::cpu_seconds).sum::<Option<f64>>();
    let written_bytes = || counted().map(Process::written_bytes).sum::<Option<u64>>();
    let (cpu_before, written_before) = (cpu_seconds(), written_bytes());
    let syncs_before = contender.syncs();
    let first = world.process * task.publishers;
    let publishers = first..first + task.publishers;
    let limit = Duration::try_from_secs_f64(task.seconds).context("--seconds is no duration")?;
    let shares = thread::scope(|scope| {
        let threads: Vec<_> = publishers
            .map(|publisher| scope.spawn(move || work_until(limit, contender, publisher)))
            .collect();
        let shares = threads.into_iter().map(|thread| {
            let outcome = thread.join();
            outcome.map_err(|_| anyhow!("a publisher panicked"))?
        });
        shares.collect::<Result<Vec<Share>>>()
    })?;
    let syncs = contender.syncs();
    Ok(Tally {
        seconds: shares
            .iter()
            .map(|share| share.durations.iter().sum::<Duration>().as_secs_f64())
            .fold(0.0, f64::max),
        microseconds: shares
            .iter()
            .flat_map(|share| &share.durations)
            .map(|duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
            .collect(),
        amount: shares.iter().map(|share| share.amount).sum(),
        cpu_seconds: cpu_seconds()
            .zip(cpu_before)
            .map(|(after, before)| after - before),
        peak_resident_bytes: companion.unwrap_or(Process::This).peak_resident_bytes(),
        written_bytes: written_bytes()
            .zip(written_before)
            .map(|(after, before)| after - before),
        syncs: Syncs {
            fsync: syncs.fsync - syncs_before.fsync,
            fdatasync: syncs.fdatasync - syncs_before.fdatasync,
            commits: syncs.commits - syncs_before.commits,
        },
        facts: contender.facts()?,
    })
}

/// At least one piece of work.
fn work_until(limit: Duration, contender: &dyn Contender, publisher: usize) -> Result<Share> {
    let mut share = Share::default();
    let mut worked = Duration::ZERO;
    while share.durations.is_empty() || worked < limit {
        let n = share.durations.len();
        contender.prepare(publisher, n)?;
        let start = Instant::now();
        share.amount += contender.work(publisher, n)?;
        let duration = start.elapsed();
        worked += duration;
        share.durations.push(duration);
    }
    Ok(share)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<(usize, usize)>>);

    impl Contender for Recorder {
        fn work(&self, publisher: usize, n: usize) -> Result<u64> {
            self.0.lock().unwrap().push((publisher, n));
            Ok(5)
        }

        fn syncs(&self) -> Syncs {
            Syncs {
                fsync: 10 + self.0.lock().unwrap().len() as u64,
                ..Syncs::default()
            }
        }
    }

    #[test]
    fn publishers_are_numbered_across_processes_and_syncs_counted_from_the_start() {
        let recorder = Recorder::default();
        let task = Task {
            figure: Figure::Publish,
            sides: Vec::new(),
            publishers: 3,
            seconds: 0.0,
        };

        let world = World {
            process: 2,
            ..World::at(Path::new(""))
        };

        let tally = work(&recorder, &world, &task).unwrap();

        let mut units = recorder.0.into_inner().unwrap();
        units.sort_unstable();
        assert_eq!(units, [(6, 0), (7, 0), (8, 0)]);
        assert_eq!(tally.microseconds.len(), 3);
        assert_eq!(tally.amount, 15);
        assert_eq!(tally.syncs.fsync, 3);
    }
}
