//! The engine over backends in memory.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test asserts"
)]

mod publishing;
mod recovery;
mod support;
