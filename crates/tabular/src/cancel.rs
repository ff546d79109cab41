//! Ends blocking work for which nobody waits any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use artstore_core::{Error, Result};

/// Whether somebody still waits for the work. Clones share the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not set.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets the flag when it is dropped.
    pub(crate) fn guard(&self) -> CancelGuard {
        CancelGuard(self.clone())
    }

    /// Asks all work that checks this flag to end.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Is called once per batch.
    ///
    /// # Errors
    /// [`Unavailable`](artstore_core::ErrorKind::Unavailable) if nobody waits any more.
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::unavailable("nobody waits any more"));
        }
        Ok(())
    }
}

/// Lives as long as somebody waits.
#[derive(Debug)]
pub(crate) struct CancelGuard(Cancel);

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_guard_ends_the_work() {
        let cancel = Cancel::new();
        let seen_by_the_work = cancel.clone();
        let guard = cancel.guard();
        assert!(seen_by_the_work.check().is_ok());
        drop(guard);
        assert!(seen_by_the_work.check().is_err());
    }
}
