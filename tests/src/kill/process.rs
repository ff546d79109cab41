//! The binary `crash-worker` as a child process.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::history::{Acknowledged, History};
use super::mutant::Mutant;
use super::point::KillPlan;

/// What a worker does.
#[derive(Debug, Clone)]
pub struct WorkerPlan {
    /// The store's root.
    pub root: PathBuf,
    /// Its operations.
    pub history: History,
    /// The first step.
    pub first: u64,
    /// How many steps.
    pub count: u64,
    /// How many publishes it gives to the store in one call at most.
    pub group: u64,
    /// When it is killed.
    pub kill: KillPlan,
}

/// What was heard of a worker.
#[derive(Debug, Default)]
pub struct Heard {
    /// The step that it began last, or the first of those that it began together.
    pub tried: Option<u64>,
    /// The step after all that it began.
    pub end: u64,
    /// Steps that it was told to have succeeded.
    pub acknowledged: Acknowledged,
    /// Whether it came to its end.
    pub finished: bool,
    /// How often each point was reached, if it came to its end.
    pub points: BTreeMap<String, u64>,
    /// Errors that it was told.
    pub errors: Vec<String>,
}

impl WorkerPlan {
    /// Starts the worker.
    ///
    /// # Errors
    /// That the program cannot be started.
    pub fn start(&self, program: &Path) -> std::io::Result<Child> {
        self.start_mutant(program, Mutant::None)
    }

    /// Starts a worker that leaves something out.
    ///
    /// # Errors
    /// That the program cannot be started.
    pub fn start_mutant(&self, program: &Path, mutant: Mutant) -> std::io::Result<Child> {
        Command::new(program)
            .arg(&self.root)
            .arg(&self.history.sources)
            .args([
                self.history.worker.to_string(),
                self.history.seed.to_string(),
                self.first.to_string(),
                self.count.to_string(),
                self.group.to_string(),
                self.kill.to_string(),
                mutant.to_string(),
            ])
            .stdout(Stdio::piped())
            .spawn()
    }

    /// Starts the worker and listens to it until it ends.
    ///
    /// # Errors
    /// That the program cannot be started or waited for.
    pub fn run(&self, program: &Path) -> std::io::Result<Heard> {
        listen(self.start(program)?)
    }
}

/// Listens to a worker until it ends. What it said before it was killed is in the pipe, which outlives it.
///
/// # Errors
/// That it cannot be waited for.
pub fn listen(worker: Child) -> std::io::Result<Heard> {
    listen_and(worker, |_| {})
}

/// Listens to a worker until it ends, and does something at every line.
///
/// # Errors
/// That it cannot be waited for.
pub fn listen_and(mut worker: Child, mut at_line: impl FnMut(&str)) -> std::io::Result<Heard> {
    let mut heard = Heard::default();
    if let Some(output) = worker.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            heard.note(&line);
            at_line(&line);
        }
    }
    worker.wait()?;
    Ok(heard)
}

impl Heard {
    fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["TRY", first, end] => {
                self.tried = first.parse().ok();
                self.end = end.parse().unwrap_or(0);
            }
            ["ACK", number, told] => {
                if let Ok(number) = number.parse() {
                    self.acknowledged.insert(number, (*told).to_owned());
                }
            }
            ["POINT", name, times] => {
                self.points
                    .insert((*name).to_owned(), times.parse().unwrap_or(0));
            }
            ["DONE"] => self.finished = true,
            _ => self.errors.push(line.to_owned()),
        }
    }
}
