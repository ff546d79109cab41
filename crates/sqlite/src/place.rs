//! What lies at the catalog's path now, and how often it was replaced.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use artstore_core::{Error, Result};

use crate::error::damaged;

/// Which file it is, whatever its name.
///
/// Numbers of deleted files are given out again, so the time of birth is compared too where the filesystem knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
    born: Option<SystemTime>,
}

/// Which database it is: the file and its write-ahead log, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DatabaseIdentity {
    pub(crate) file: FileIdentity,
    pub(crate) log: Option<FileIdentity>,
}

/// The place of one database.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    log_path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    file: Option<FileIdentity>,
    epoch: u64,
}

impl Place {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            log_path: with_suffix(&path, "-wal"),
            path,
            seen: Mutex::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How often the database was found replaced.
    pub(crate) fn epoch(&self) -> u64 {
        self.seen().epoch
    }

    /// Which database lies here now.
    pub(crate) fn find(&self) -> Result<DatabaseIdentity> {
        let Some((file, is_file)) = identify(&self.path)? else {
            return Err(Error::catalog_missing(self.path.display()));
        };
        if !is_file {
            return Err(damaged("the catalog is not a file").with("catalog", self.path.display()));
        }
        let log = identify(&self.log_path)?.map(|(log, _)| log);
        Ok(DatabaseIdentity { file, log })
    }

    /// A connection was opened on `file`. Returns the epoch that it belongs to.
    pub(crate) fn opened(&self, file: FileIdentity) -> u64 {
        let mut seen = self.seen();
        if seen.file.is_some_and(|former| former != file) {
            seen.epoch += 1;
        }
        seen.file = Some(file);
        seen.epoch
    }

    /// A connection that was opened in `epoch` found that `file` is here now instead of what it was opened on. Of several
    /// that find the same the first one counts.
    pub(crate) fn found_replaced(&self, epoch: u64, file: FileIdentity) {
        let mut seen = self.seen();
        if seen.epoch == epoch {
            seen.epoch += 1;
            seen.file = Some(file);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `path` with `suffix` after its last character.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn identify(path: &Path) -> Result<Option<(FileIdentity, bool)>> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::unavailable("the catalog cannot be reached")
                .with("path", path.display())
                .hint("check the permissions of the catalog's directory")
                .caused_by(error));
        }
    };
    let identity = FileIdentity {
        device: metadata.dev(),
        inode: metadata.ino(),
        born: metadata.created().ok(),
    };
    Ok(Some((identity, metadata.is_file())))
}
