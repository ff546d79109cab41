//! A catalog of one's own: rows in ordered maps in memory, commits in one append-only file.
//!
//! It shows what a backend of one's own is made of, and passes the whole conformance suite of `artstore-testkit`
//! (`tests/conformance.rs`). Like every backend it is only storage: it keeps what it is told, and decides nothing. It is
//! meant to be read, and good for some ten thousand artifacts; what a catalog for a million adds is an index for each
//! condition of a list, a snapshot that shortens the way to the rows, and readers that do not wait for each other.
//!
//! | module | holds |
//! |---|---|
//! | `catalog` | [`JournalArtifactCatalog`]: the trait, each method a line or two over the rest |
//! | `journal` | the file: what lies there now, its new lines, appending |
//! | `rebuild` | making it anew beside the former one |
//! | `line` | what a line says, and how it is known to be whole |
//! | `rows` | what all lines come to: ordered maps, and what a commit must not contradict |
//! | `queries` | questions to the rows |
//! | `thread` | where blocking work runs |
//! | `error` | the failures of files as artstore's errors |

mod catalog;
mod error;
mod journal;
mod line;
mod queries;
mod rebuild;
mod rows;
mod thread;

pub use catalog::JournalArtifactCatalog;
