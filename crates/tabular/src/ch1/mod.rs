//! The content hash `ch1` of tables, as `docs/formats/content-hash.md` specifies it.
//!
//! | module | does |
//! |---|---|
//! | `column` | digests one column of any type |
//! | `leaf`, `decimal`, `short_decimal` | canonical forms of values |
//! | `encoded` | takes dictionaries and runs off values |
//! | `rows` | which slots take part |
//! | `sort` | puts rows in the order of sort keys |
//! | `stream` | feeds digests in bulk |
//! | `types` | types in the words of the content hash |

mod column;
mod decimal;
mod encoded;
mod leaf;
mod rows;
mod short_decimal;
mod sort;
mod stream;
#[cfg(test)]
mod tests;
mod types;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::table::TableRules;
use artstore_core::{Error, Result};
use sha2::{Digest as _, Sha256};

pub(crate) use column::ColumnHasher;
pub(crate) use encoded::decoded;
pub(crate) use sort::Sorter;
pub(crate) use stream::Scratch;
pub(crate) use types::{INT96_KEY, Instant, Int96, type_name, type_words};

use crate::facts::Plan;

/// Computes the content hash of a table from its batches, in file order, with all columns of its schema.
pub(crate) struct TableHasher {
    plan: Plan,
    way: Way,
    rows: u64,
    scratch: Scratch,
}

enum Way {
    /// A column has no content hash, and so the table has none.
    Nothing,
    /// As the rows come.
    Stream(Vec<ColumnHasher>),
    /// In the order of sort keys.
    Sort(Sorter),
}

impl TableHasher {
    /// A hasher that has seen no rows.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if `rules` name a column that `schema` does not have or that cannot be
    /// sorted by, or if a column is nested too deeply.
    pub(crate) fn new(schema: &Schema, rules: &TableRules) -> Result<Self> {
        Self::with_plan(schema, Plan::new(schema, rules)?)
    }

    /// As [`Self::new`], with columns that are known already.
    pub(crate) fn with_plan(schema: &Schema, plan: Plan) -> Result<Self> {
        let hashers = column_hashers(schema, &plan)?;
        let way = match hashers {
            None => Way::Nothing,
            Some(hashers) if plan.sort_keys.is_empty() => Way::Stream(hashers),
            Some(hashers) => Way::Sort(Sorter::new(schema, &plan, hashers)?),
        };
        Ok(Self {
            plan,
            way,
            rows: 0,
            scratch: Scratch::new(),
        })
    }

    /// Adds the rows of `batch`.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if a value has no canonical form or there is too much to be sorted.
    pub(crate) fn update(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        match &mut self.way {
            Way::Nothing => Ok(()),
            Way::Stream(hashers) => {
                for (hasher, &column) in hashers.iter_mut().zip(&self.plan.canonical) {
                    let array = batch.columns().get(column).ok_or_else(missing_column)?;
                    hasher.update(array, &mut self.scratch)?;
                }
                Ok(())
            }
            Way::Sort(sorter) => sorter.update(batch.columns(), batch.num_rows()),
        }
    }

    /// The hash of all rows; `None` if the table has a column whose type has none.
    ///
    /// # Errors
    /// As [`Self::update`].
    pub(crate) fn finish(mut self) -> Result<Option<ContentHash>> {
        let hashers = match self.way {
            Way::Nothing => return Ok(None),
            Way::Stream(hashers) => hashers,
            Way::Sort(sorter) => sorter.finish(&mut self.scratch)?,
        };
        let digests: Vec<[u8; 32]> = hashers.into_iter().map(ColumnHasher::finish).collect();
        let names = self.plan.canonical_names.iter().map(String::as_str);
        Ok(Some(table_hash(self.rows, names.zip(digests))))
    }
}

/// A hasher for each canonical column; `None` if one has no content hash.
pub(crate) fn column_hashers(schema: &Schema, plan: &Plan) -> Result<Option<Vec<ColumnHasher>>> {
    let mut hashers = Vec::with_capacity(plan.canonical.len());
    for &column in &plan.canonical {
        match ColumnHasher::new(schema.field(column))? {
            Some(hasher) => hashers.push(hasher),
            None => return Ok(None),
        }
    }
    Ok(Some(hashers))
}

/// The content hash of a table with these columns.
pub(crate) fn table_hash<'a>(
    rows: u64,
    columns: impl ExactSizeIterator<Item = (&'a str, [u8; 32])>,
) -> ContentHash {
    let mut digest = Sha256::new();
    digest.update(b"artstore.ch1.table\n");
    digest.update((columns.len() as u64).to_le_bytes());
    digest.update(rows.to_le_bytes());
    for (name, column) in columns {
        column::update_text(&mut digest, name);
        digest.update(column);
    }
    ContentHash {
        algorithm: HashAlgorithm::Ch1,
        digest: Digest::from_bytes(digest.finalize().into()),
    }
}

fn missing_column() -> Error {
    Error::internal("a batch has fewer columns than its table")
}
