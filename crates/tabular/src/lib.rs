//! What a table is: CSV and Parquet in, Parquet out, facts and content hash.
//!
//! [`TabularReader`] is the [`TableReader`](artstore_core::backend::TableReader) of artstore. It understands Parquet, which is
//! stored as it is, and CSV, which is stored as Parquet. Of each it says which columns it has, how many rows, which times
//! it covers, and its content hash `ch1`, which is the same however a file spells the table (`docs/formats/content-hash.md`).
//!
//! | module | does |
//! |---|---|
//! | `ch1` | the content hash, from record batches |
//! | `facts` | all facts of a table, from record batches |
//! | `parquet` | Parquet that came from anywhere: checks, limits, columns side by side |
//! | `csv` | CSV: finds out types, converts |
//! | `parquet_out` | Parquet with fixed, recorded settings |
//! | `cancel` | ends blocking work for which nobody waits any more |
//!
//! # Hostile sources
//! Sources come from anywhere. What the Parquet library would trust (lengths, counts, depths) is checked before it sees
//! it, see [`limits`]; where it panics nevertheless, the panic is caught and becomes an error of kind
//! [`Invalid`](artstore_core::ErrorKind::Invalid). The panic hook runs before that and prints by default; it runs on threads whose name is
//! [`THREAD_NAME`], so a program that wants silence installs a hook that says nothing on those. This crate installs none:
//! the hook is the program's.

mod cancel;
mod ch1;
mod csv;
mod error;
mod facts;
pub mod limits;
mod parquet;
mod parquet_out;
mod reader;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use artstore_core::Result;
use artstore_core::digest::ContentHash;
use artstore_core::table::TableRules;

pub use reader::{THREAD_NAME, TabularReader};

/// The content hash `ch1` of a table with this schema and these rows, in batches of any size; `None` if it has a column whose
/// type has none. It is computed on the calling thread.
///
/// # Errors
/// [`Invalid`](artstore_core::ErrorKind::Invalid) if `rules` name a column that the table does not have or cannot be sorted by,
/// or if it is too large to be sorted.
pub fn content_hash<'a>(
    schema: &Schema,
    batches: impl IntoIterator<Item = &'a RecordBatch>,
    rules: &TableRules,
) -> Result<Option<ContentHash>> {
    let mut hasher = ch1::TableHasher::new(schema, rules)?;
    for batch in batches {
        hasher.update(batch)?;
    }
    hasher.finish()
}
