//! Named threads whose panics become errors.

use std::thread::{Builder, Scope, ScopedJoinHandle};

use artstore_core::{Error, Result};

use crate::THREAD_NAME;

/// Runs `work` on a thread of its own.
pub(super) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    Builder::new()
        .name(THREAD_NAME.to_owned())
        .spawn_scoped(scope, work)
        .map_err(|error| Error::unavailable("no thread could be started").caused_by(error))
}

/// What `worker` returns.
pub(super) fn join<T>(worker: ScopedJoinHandle<'_, T>) -> Result<T> {
    worker
        .join()
        .map_err(|_panic| Error::internal("a thread that reads or writes a table panicked"))
}
