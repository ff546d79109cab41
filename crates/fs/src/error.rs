//! From [`io::Error`] to artstore's error: the only place where that is decided.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::Path;

use artstore_core::path::RelPath;
use artstore_core::{Error, Result};
use tokio::task::JoinError;

use crate::vfs::{Vfs, display_path};

/// An error of `operation` on `path` below the root.
pub(crate) fn below(
    vfs: &dyn Vfs,
    operation: &'static str,
    path: Option<&RelPath>,
    error: io::Error,
) -> Error {
    let shown = display_path(vfs, path);
    if error.kind() == ErrorKind::NotFound && root_is_gone(vfs) {
        return root_vanished(vfs).caused_by(error);
    }
    of_kind(&error)
        .with("operation", operation)
        .with("path", shown.display())
        .caused_by(error)
}

/// `Ok(None)` for a name that does not exist while the root does.
pub(crate) fn missing_is_none<T>(
    vfs: &dyn Vfs,
    operation: &'static str,
    path: Option<&RelPath>,
    result: io::Result<T>,
) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound && !root_is_gone(vfs) => Ok(None),
        Err(error) => Err(below(vfs, operation, path, error)),
    }
}

/// An error of `operation` on a source at `path`, which is the caller's.
pub(crate) fn source(operation: &'static str, path: &Path, error: io::Error) -> Error {
    let found = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            Error::not_found("there is no source file at this path")
        }
        ErrorKind::IsADirectory | ErrorKind::InvalidInput => {
            Error::invalid("the source is not a regular file")
        }
        kind if kind == loop_kind() => {
            Error::invalid("the path of the source is a circle of symbolic links")
        }
        ErrorKind::PermissionDenied => Error::unavailable("the source may not be accessed")
            .hint("give this user permission for the source and its directories"),
        _ => of_kind(&error),
    };
    found
        .with("operation", operation)
        .with("path", path.display())
        .caused_by(error)
}

/// The source changed under the reader.
pub(crate) fn source_changed(path: &Path) -> Error {
    Error::conflict("the source changed while it was read")
        .with("path", path.display())
        .hint("publish a file only after its writer has closed it")
}

/// A staged file that is not there.
pub(crate) fn not_staged(vfs: &dyn Vfs, path: &RelPath) -> Error {
    Error::not_found("there is no staged file at this path")
        .with("path", display_path(vfs, Some(path)).display())
}

/// The place that a root is not.
pub(crate) fn root_vanished(vfs: &dyn Vfs) -> Error {
    Error::unavailable("the store's root has vanished")
        .with("path", vfs.root().display())
        .hint("mount or restore the directory and open the store again")
}

/// A closure on a blocking thread did not come back.
pub(crate) fn not_run(error: JoinError) -> Error {
    if error.is_cancelled() {
        return Error::unavailable("the runtime is shutting down").caused_by(error);
    }
    Error::internal("file work panicked").caused_by(error)
}

/// The caller of long work was dropped; nobody sees this error.
pub(crate) fn abandoned(path: &Path) -> Error {
    Error::unavailable("the caller did not wait for the end").with("path", path.display())
}

/// The system gave no thread.
pub(crate) fn no_thread(error: io::Error) -> Error {
    Error::unavailable("no thread could be started")
        .hint("raise the limit of threads or memory of this process")
        .caused_by(error)
}

/// A thread of a pipeline panicked.
pub(crate) fn thread_lost(what: impl Display) -> Error {
    Error::internal("a thread that moves bytes panicked").with("work", what)
}

fn of_kind(error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::unavailable("a file or directory of the store is missing"),
        ErrorKind::AlreadyExists => Error::conflict("the name is taken already"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::unavailable("there is no space left")
                .hint("free some space (or raise the quota or file size limit) and try again")
        }
        ErrorKind::ReadOnlyFilesystem => Error::unavailable("the filesystem is read-only")
            .hint("mount it writable and try again"),
        ErrorKind::PermissionDenied => Error::unavailable("permission denied")
            .hint("give this user permission to read and write the store's root"),
        ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::InvalidInput => {
            Error::corrupt("something else is where the store expects a file or directory")
                .hint("symbolic links and special files below a store's root are refused")
        }
        kind if kind == loop_kind() => Error::corrupt("a symbolic link below the store's root")
            .hint("symbolic links below a store's root are refused"),
        _ => Error::unavailable("the filesystem reported an error"),
    }
}

/// The kind of `ELOOP`, which cannot be named on a stable compiler.
fn loop_kind() -> ErrorKind {
    io::Error::from(rustix::io::Errno::LOOP).kind()
}

fn root_is_gone(vfs: &dyn Vfs) -> bool {
    matches!(vfs.read_directory(None), Err(error) if error.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use artstore_core::ErrorKind as Kind;
    use rustix::io::Errno;

    use super::*;
    use crate::RealVfs;

    #[test]
    fn kinds_say_what_to_do_next() {
        let directory = tempfile::tempdir().unwrap();
        let vfs = RealVfs::new(directory.path().to_owned());
        for (errno, kind, hinted) in [
            (Errno::NOENT, Kind::Unavailable, false),
            (Errno::EXIST, Kind::Conflict, false),
            (Errno::NOSPC, Kind::Unavailable, true),
            (Errno::DQUOT, Kind::Unavailable, true),
            (Errno::FBIG, Kind::Unavailable, true),
            (Errno::ROFS, Kind::Unavailable, true),
            (Errno::ACCESS, Kind::Unavailable, true),
            (Errno::LOOP, Kind::Corrupt, true),
            (Errno::NOTDIR, Kind::Corrupt, true),
            (Errno::IO, Kind::Unavailable, false),
            (Errno::MFILE, Kind::Unavailable, false),
        ] {
            let path = RelPath::new("a/b").unwrap();
            let error = below(&vfs, "open", Some(&path), errno.into());
            assert_eq!(error.kind(), kind, "{errno:?}");
            assert_eq!(error.hint_text().is_some(), hinted, "{errno:?}");
            assert!(error.context_value("path").unwrap().ends_with("a/b"));
        }
    }

    #[test]
    fn a_vanished_root_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let vfs = RealVfs::new(root.clone());
        assert_eq!(vfs.read_directory(None).unwrap(), []);
        std::fs::remove_dir(&root).unwrap();
        let missing = missing_is_none::<()>(&vfs, "open", None, Err(Errno::NOENT.into()));
        let error = missing.unwrap_err();
        assert_eq!(error.message(), "the store's root has vanished");
        assert_eq!(error.kind(), Kind::Unavailable);
    }
}
