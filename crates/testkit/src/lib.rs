//! What tests of artstore need: backends in memory that are stricter than real ones, faults on demand, and the
//! conformance suites that every backend passes.
//!
//! | module | holds |
//! |---|---|
//! | [`memory`] | [`MemoryArtifactCatalog`](memory::MemoryArtifactCatalog), [`MemoryStore`](memory::MemoryStore), [`MemoryLock`](memory::MemoryLock) |
//! | [`faults`] | decorators that fail or count calls, and a lock that does not lock |
//! | [`environment`] | a clock that is set by hand, ids that count up |
//! | [`samples`] | artifacts, events, requests and permits to test with |
//! | [`conformance`] | one function per promise of a backend trait, and one macro per trait that makes tests of them |
//! | [`model`] | what an artifact store should answer, as a plain map |
//!
//! The suites are the whole specification of a backend: a backend edits no test, it hands a harness to a macro.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test kit asserts"
)]

pub mod conformance;
pub mod environment;
pub mod faults;
pub mod memory;
pub mod model;
pub mod samples;
