use std::io;
use std::path::Path;

use artstore_core::{Error, ErrorKind};

/// A file or directory of the catalog could not be read or written.
pub(crate) fn failed(operation: &'static str, path: &Path, error: io::Error) -> Error {
    Error::unavailable("the catalog cannot be read or written")
        .with("operation", operation)
        .with("path", path.display())
        .hint("check the space and the permissions of the catalog's directory")
        .caused_by(error)
}

/// What lies at the catalog's place is no journal, or not a whole one: only making it anew can mend it.
pub(crate) fn damaged(message: &str, path: &Path) -> Error {
    Error::new(ErrorKind::Corrupt, message)
        .with("catalog", path.display())
        .hint("rebuild the catalog from the records")
}
