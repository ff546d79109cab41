//! Decorators that fail or count the calls of a backend, and a lock that does not lock.
//!
//! Every decorator forwards every method by name: a method added to a trait must be forwarded here too.

mod catalog;
mod io;
mod lock;
mod plan;
mod store;

pub use catalog::{CountingArtifactCatalog, FaultyArtifactCatalog};
pub use lock::NoLock;
pub use plan::{FaultTime, Faults};
pub use store::FaultyStore;
