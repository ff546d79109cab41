//! The rules of artstore: every port implemented once over the backend traits of `artstore-core`.
//!
//! A rule (what is a duplicate, which numbers come next, what to do with the remains of a killed process) is written
//! here and nowhere else; backends only store. All changes of a domain go through one protocol:
//!
//! stage · lock · settle · decide · intend · publish · commit · derive · answer
//!
//! | module | holds |
//! |---|---|
//! | `root` | making a place a store, and reading what it is |
//! | `engine` | [`Engine`]: parts in, ports out |
//! | `committer` | the queue of a domain and its leader |
//! | `protocol` | one pass of a leader, step by step |
//! | `settle` | what a leader does with the remains of others before it decides |
//! | `staged` | staged files that are discarded unless they are published |
//! | `artifacts` | the rules of the artifacts domain |
//! | `maintenance` | the [`Maintenance`](artstore_core::ports::Maintenance) port |

mod activity;
mod artifacts;
mod committer;
mod engine;
mod maintenance;
mod protocol;
mod root;
mod settle;
mod staged;

pub use engine::{CatalogSet, Engine, EngineParts, EngineSettings};
pub use root::{initialize, load};
