//! CSV: finds out what the types of its columns are, and writes it as Parquet.
//!
//! The rules are those of `docs/formats/csv.md`. They decide what a table is, so they are written here and depend on no
//! library but the tokenizer `csv-core`. The source is read twice: [`inspect`] tokenises all of it and settles the types,
//! [`convert`] tokenises it again and makes record batches of it.
//!
//! | module | does |
//! |---|---|
//! | `source` | reads the bytes, hashes them, checks that they are UTF-8 |
//! | `records` | bytes to records of fields |
//! | `value` | what the text of one field says |
//! | `infer` | the type of a column from all its fields |
//! | `scan` | the first reading |
//! | `inspect`, `convert` | the two entrances |
//! | `columns` | fields to Arrow arrays |
//! | `fault` | what is wrong, and in which line |
//! | `worker` | named threads whose panics become errors |

mod columns;
mod convert;
mod fault;
mod infer;
mod inspect;
mod records;
mod scan;
mod source;
mod value;
mod worker;

#[cfg(test)]
mod tests;

pub(crate) use convert::convert;
pub(crate) use inspect::inspect;

/// How many bytes are read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// How many pieces wait between two threads.
const QUEUE: usize = 2;
