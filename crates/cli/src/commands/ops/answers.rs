//! Answers on their way out.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use artstore_core::Error;
use tokio::sync::oneshot;

use super::gate::Gate;
use crate::failure::Failure;
use crate::output::unwritable;

/// Writes answers on a thread of its own: whatever is ready in one piece, as soon as the piece before is written.
#[derive(Debug)]
pub(super) struct Answers {
    ready: Arc<Ready>,
    end: oneshot::Receiver<io::Result<()>>,
}

#[derive(Debug, Default)]
struct Ready {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    count: usize,
    is_last: bool,
}

/// Where answers are put.
#[derive(Debug, Clone)]
pub(super) struct AnswerSink(Arc<Ready>);

impl Answers {
    /// Begins to write to `file`. Whoever has been answered leaves `gate`.
    pub(super) fn start(file: Arc<File>, gate: Arc<Gate>) -> Result<Self, Error> {
        let ready = Arc::new(Ready::default());
        let (ended, end) = oneshot::channel();
        let source = Arc::clone(&ready);
        thread::Builder::new()
            .name("artstore-answers".to_owned())
            .spawn(move || {
                // Nobody is left to tell if the command has been given up.
                let _ = ended.send(source.write_to(&file, &gate));
            })
            .map_err(no_thread)?;
        Ok(Self { ready, end })
    }

    /// Where answers are put.
    pub(super) fn sink(&self) -> AnswerSink {
        AnswerSink(Arc::clone(&self.ready))
    }

    /// Waits until answers cannot be written any more, and tells why.
    pub(super) async fn broken(&mut self) -> Failure {
        match self.end().await {
            Ok(()) => Error::internal("the answers ended by themselves").into(),
            Err(failure) => failure,
        }
    }

    /// Waits until every answer is written.
    pub(super) async fn finish(&mut self) -> Result<(), Failure> {
        self.ready.lock().is_last = true;
        self.ready.changed.notify_one();
        self.end().await
    }

    async fn end(&mut self) -> Result<(), Failure> {
        match (&mut self.end).await {
            Ok(written) => written.map_err(unwritable),
            Err(error) => Err(Error::internal("writing was given up")
                .caused_by(error)
                .into()),
        }
    }
}

impl AnswerSink {
    /// Puts an answer, a line with its end.
    pub(super) fn put(&self, line: &str) {
        let mut state = self.0.lock();
        state.lines.extend_from_slice(line.as_bytes());
        state.count += 1;
        drop(state);
        self.0.changed.notify_one();
    }
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut file: &File, gate: &Gate) -> io::Result<()> {
        let mut lines = Vec::new();
        loop {
            let waiting = |state: &mut State| state.count == 0 && !state.is_last;
            let state = self.changed.wait_while(self.lock(), waiting);
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            if state.count == 0 {
                return Ok(());
            }
            std::mem::swap(&mut state.lines, &mut lines);
            let count = std::mem::take(&mut state.count);
            drop(state);
            file.write_all(&lines)?;
            lines.clear();
            gate.leave(count);
        }
    }
}

/// What it means that a thread cannot be started.
pub(super) fn no_thread(error: io::Error) -> Error {
    Error::unavailable("the program cannot start a thread")
        .with("problem", &error)
        .caused_by(error)
}
