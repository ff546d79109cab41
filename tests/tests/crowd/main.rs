//! Many publishes in one call, many writers on one store, callers who wait in vain, go away, or close the store.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test asserts, and says how much it did"
)]

mod batches;
mod cancellation;
mod fairness;
mod processes;
mod queues;
mod shutdown;
mod support;
mod tasks;
