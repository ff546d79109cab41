//! A worker as its parent sees it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::worker::{READY, Tally, Task};

/// The first argument of a process that is a worker.
pub(crate) const WORKER: &str = "--worker";

/// A worker. Killed if it is dropped before it has finished.
pub(crate) struct Worker {
    child: Child,
    /// The worker ends when it is closed.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it, which goes on after this.
    pub(crate) fn start(task: &Task) -> Result<Self> {
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
            input: Some(input),
            output: BufReader::new(output),
        };
        worker.say(&serde_json::to_string(task)?)?;
        Ok(worker)
    }

    pub(crate) fn wait_until_ready(&mut self) -> Result<()> {
        let answer = self.hear()?;
        ensure!(answer == READY, "a worker did not get ready");
        Ok(())
    }

    /// Lets the contender with this number take its turn.
    pub(crate) fn begin(&mut self, turn: usize) -> Result<()> {
        self.say(&turn.to_string())
    }

    /// Waits until the turn has ended.
    pub(crate) fn tally(&mut self) -> Result<Tally> {
        let answer = self.hear()?;
        serde_json::from_str(&answer).context("a worker has failed")
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.input = None;
        let status = self.child.wait().context("cannot wait for a worker")?;
        ensure!(status.success(), "a worker ended with {status}");
        Ok(())
    }

    fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("a worker has ended")?;
        writeln!(input, "{line}").context("cannot write to a worker")
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
