//! Backends in memory, stricter than real ones: what a real backend may let pass, these refuse.

mod catalog;
mod lock;
mod publication;
mod queries;
mod reading;
mod rows;
mod source;
mod store;
mod writer;

pub use catalog::{CatalogCopy, MemoryArtifactCatalog};
pub use lock::MemoryLock;
pub use publication::Interruption;
pub use store::MemoryStore;
