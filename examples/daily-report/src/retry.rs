use std::time::Duration;

use artstore_core::key::OpId;
use artstore_core::{Error, ErrorKind, Result};
use uuid::Uuid;

/// How often a change is attempted, and how long it waits in between.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The greatest number of attempts, the first one included.
    pub attempts: u32,
    /// The time before the second attempt; it doubles from one to the next.
    pub first_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_pause: Duration::from_millis(200),
        }
    }
}

impl Patience {
    /// Makes one change, in several attempts if need be. All of them carry the same operation id, so that the change
    /// happens once, whichever of them it was that succeeded.
    pub(crate) async fn run<T>(&self, change: impl AsyncFn(OpId) -> Result<T>) -> Result<T> {
        let op_id = new_op_id()?;
        let mut pauses = self.pauses();
        loop {
            let error = match change(op_id.clone()).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            match pauses.next() {
                Some(pause) if is_worth_repeating(&error) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }

    /// The pauses between the attempts.
    pub(crate) fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        let first = self.first_pause;
        (0..self.attempts.saturating_sub(1))
            .map(move |turn| first.saturating_mul(1 << turn.min(16)))
    }
}

/// What the caller does next is told by the kind of an error, never by its text.
pub(crate) fn is_worth_repeating(error: &Error) -> bool {
    match error.kind() {
        // Somebody else was faster: later it is our turn.
        ErrorKind::Busy => true,
        // It may have happened: the same operation id makes the store answer what came of it.
        ErrorKind::CommitUnknown => true,
        // The request is wrong, the state is another one, or somebody has to mend something first.
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Invalid
        | ErrorKind::Unsupported
        | ErrorKind::Corrupt
        | ErrorKind::Unavailable
        | ErrorKind::Internal => false,
    }
}

/// A new operation id: one for each change, the same for all of its attempts.
pub(crate) fn new_op_id() -> Result<OpId> {
    OpId::new(format!("daily-report-{}", Uuid::now_v7()))
}
