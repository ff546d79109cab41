//! `artstore ops` as a client sees it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::world::{Answer, World};

/// Runs `command` with this standard input to its end.
pub(crate) fn run_with(mut command: Command, input: &[u8]) -> Answer {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A program that fails may leave its input unread.
    let writing = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    Answer(output)
}

impl World {
    /// Runs one operation.
    pub(crate) fn ops(&self, request: &Value) -> Answer {
        run_with(self.command(&["ops"]), request.to_string().as_bytes())
    }

    /// The answer of an operation that must succeed.
    pub(crate) fn asked(&self, request: &Value) -> Value {
        serde_json::from_str(&self.ops(request).ok()).unwrap()
    }

    /// Keeps every change waiting for as long as the file is open.
    pub(crate) fn hold_lock(&self) -> File {
        let lock = self.root().join("locks/artifacts.lock");
        let lock = File::options().write(true).open(lock).unwrap();
        lock.lock().unwrap();
        lock
    }

    /// The error of an operation that must fail.
    pub(crate) fn refused(&self, request: &Value) -> Value {
        serde_json::from_str(&self.ops(request).failed(1)).unwrap()
    }
}

/// A co-process.
pub(crate) struct CoProcess {
    pub(crate) child: Child,
    pub(crate) requests: Option<ChildStdin>,
    pub(crate) answers: Option<BufReader<ChildStdout>>,
}

impl CoProcess {
    pub(crate) fn start(world: &World, options: &[&str]) -> Self {
        let mut child = world
            .command(&[&["ops", "--lines"], options].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            requests: child.stdin.take(),
            answers: child.stdout.take().map(BufReader::new),
            child,
        }
    }

    pub(crate) fn send(&mut self, line: impl ToString) {
        let line = line.to_string() + "\n";
        let requests = self.requests.as_mut().unwrap();
        requests.write_all(line.as_bytes()).unwrap();
    }

    /// The next answer; `None` at their end.
    pub(crate) fn receive(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.answers.as_mut().unwrap().read_line(&mut line);
        (read.unwrap() > 0).then(|| {
            assert!(line.is_ascii() && line.ends_with('\n'), "{line:?}");
            serde_json::from_str(&line).unwrap()
        })
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end, and that nothing was said on standard error.
    pub(crate) fn wait(mut self) -> ExitStatus {
        drop(self.requests.take());
        let _unread = self.answers.take();
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        output.status
    }
}
