//! The one place where failures of the libraries become artstore's error.

use arrow_schema::{ArrowError, DataType};
use artstore_core::{Error, Result};

/// An array that is not of the type that the schema gave: a bug.
pub(crate) fn wrong_array(expected: &str, found: &DataType) -> Error {
    Error::internal("a batch does not fit the schema of its table")
        .with("expected", expected)
        .with("found", found)
}

/// A computation on arrays that this crate made itself failed.
pub(crate) fn computation(error: ArrowError) -> Error {
    match error {
        ArrowError::OffsetOverflowError(_) | ArrowError::MemoryError(_) => {
            Error::invalid("a batch of the table is too large").caused_by(error)
        }
        other => Error::internal("a computation on the table failed").caused_by(other),
    }
}

/// Turns the libraries' results into artstore's.
pub(crate) trait OrComputation<T> {
    /// Fails as [`computation`].
    fn or_computation(self) -> Result<T>;
}

impl<T> OrComputation<T> for Result<T, ArrowError> {
    fn or_computation(self) -> Result<T> {
        self.map_err(computation)
    }
}

/// The bytes are not a table.
pub(crate) fn not_readable() -> Error {
    Error::invalid("not a readable Parquet file").hint(AS_A_FILE)
}

/// A library refused the bytes.
pub(crate) fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    not_readable().caused_by(error)
}

/// The file does what is not supported.
pub(crate) fn unsupported(what: impl Into<String>) -> Error {
    Error::unsupported(what).hint(AS_A_FILE)
}

/// The file is above a limit.
pub(crate) fn above_limit(what: impl Into<String>, limit: u64, actual: u64) -> Error {
    Error::invalid(what)
        .with("limit", limit)
        .with("found", actual)
        .hint(AS_A_FILE)
}

const AS_A_FILE: &str = "publish it as a file instead of a table";

/// Runs `work`, which uses a library on bytes that it may not be prepared for.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(not_readable()))
}
