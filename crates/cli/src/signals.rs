//! Signals that ask the program to end.

use std::time::Duration;

use artstore_core::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// How long a program that was asked to end waits for what it has begun.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

const INTERRUPT: u8 = 2;
const TERMINATE: u8 = 15;

/// Listens to SIGINT and SIGTERM.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn new() -> Result<Self> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Error::unavailable("signals cannot be listened to").caused_by(error)
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> Failure {
        tokio::select! {
            _ = self.interrupt.recv() => Failure::Signal(INTERRUPT),
            _ = self.terminate.recv() => Failure::Signal(TERMINATE),
        }
    }
}
