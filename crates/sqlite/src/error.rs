//! The one place where failures of SQLite become artstore's error.

use std::path::Path;

use artstore_core::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// Why work on a connection failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A statement failed.
    Sqlite(rusqlite::Error),
    /// The transaction could not be committed.
    Commit(rusqlite::Error),
    /// Something that needs no mapping.
    Known(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

impl Failure {
    /// Whether the connection may be in a state that is better left by opening another one.
    pub(crate) fn spoils_connection(&self) -> bool {
        let code = match self {
            Self::Commit(_) => return true,
            Self::Known(_) => return false,
            Self::Sqlite(error) => error.sqlite_error_code(),
        };
        matches!(
            code,
            Some(
                ErrorCode::SystemIoFailure
                    | ErrorCode::DiskFull
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
                    | ErrorCode::FileLockingProtocolFailed
                    | ErrorCode::OutOfMemory
            )
        )
    }

    /// Artstore's error for this failure of `operation` on the database at `path`.
    pub(crate) fn into_error(self, operation: &'static str, path: &Path) -> Error {
        let error = match self {
            Self::Known(error) => {
                let has_path = error.context_value("catalog").is_some();
                return if has_path {
                    error
                } else {
                    error.with("catalog", path.display())
                };
            }
            Self::Sqlite(error) | Self::Commit(error) => from_sqlite(error),
        };
        error
            .with("operation", operation)
            .with("catalog", path.display())
    }
}

fn from_sqlite(error: rusqlite::Error) -> Error {
    let public = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => from_code(failure.code),
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::QueryReturnedNoRows => {
            damaged("the catalog holds something that artstore never writes")
        }
        _ => Error::internal("the catalog was used wrongly"),
    };
    public.caused_by(error)
}

fn from_code(code: ErrorCode) -> Error {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SchemaChanged => {
            Error::busy("the catalog is locked by others").hint("try again")
        }
        ErrorCode::DiskFull => Error::unavailable("the disk is full")
            .hint("free some space on the disk of the catalog, then try again"),
        ErrorCode::SystemIoFailure => Error::unavailable("the catalog cannot be read or written")
            .hint("check the disk of the catalog: its space, its health"),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            Error::unavailable("the catalog cannot be written")
                .hint("check the permissions of the catalog and of its directory")
        }
        ErrorCode::CannotOpen => Error::unavailable("the catalog cannot be opened")
            .hint("check the permissions of the catalog and of its directory"),
        ErrorCode::DatabaseCorrupt => damaged("the catalog is damaged"),
        ErrorCode::NotADatabase => damaged("the catalog is not a database"),
        ErrorCode::ConstraintViolation => {
            Error::conflict("the change contradicts a row of the catalog")
        }
        ErrorCode::OutOfMemory => Error::unavailable("there is not enough memory for the catalog"),
        ErrorCode::TooBig => Error::invalid("a value is too large for the catalog"),
        _ => Error::internal("a statement of the catalog failed"),
    }
}

/// A catalog that only making it anew can mend.
pub(crate) fn damaged(message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, message)
        .hint("run `artstore admin rebuild` to make the catalog anew from the records")
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn check(code: i32, kind: ErrorKind, spoils: bool) {
        let failure = || rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        assert_eq!(
            Failure::from(failure()).spoils_connection(),
            spoils,
            "{code}"
        );
        let error =
            Failure::from(failure()).into_error("list artifacts", Path::new("/s/catalog.sqlite"));
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.context_value("operation"), Some("list artifacts"));
        assert_eq!(error.context_value("catalog"), Some("/s/catalog.sqlite"));
        assert!(Failure::Commit(failure()).spoils_connection());
    }

    #[test]
    fn codes_become_kinds() {
        check(ffi::SQLITE_BUSY, ErrorKind::Busy, false);
        check(ffi::SQLITE_BUSY_SNAPSHOT, ErrorKind::Busy, false);
        check(ffi::SQLITE_FULL, ErrorKind::Unavailable, true);
        check(ffi::SQLITE_IOERR_FSYNC, ErrorKind::Unavailable, true);
        check(ffi::SQLITE_CORRUPT, ErrorKind::Corrupt, true);
        check(ffi::SQLITE_NOTADB, ErrorKind::Corrupt, true);
        check(ffi::SQLITE_READONLY, ErrorKind::Unavailable, true);
        check(ffi::SQLITE_READONLY_DBMOVED, ErrorKind::Unavailable, true);
        check(ffi::SQLITE_CANTOPEN, ErrorKind::Unavailable, true);
        check(ffi::SQLITE_CONSTRAINT_UNIQUE, ErrorKind::Conflict, false);
        check(ffi::SQLITE_ERROR, ErrorKind::Internal, false);
    }
}
