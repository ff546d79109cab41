//! The engine over backends in memory.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test asserts"
)]

mod batches;
mod lineage;
mod publishing;
mod recovery;
mod streams;
mod support;
mod tables;
mod text_tables;
