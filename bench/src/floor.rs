//! The floors: what must be done at the least, by the shortest code that does it.

mod committer;
pub(crate) mod disk;
pub(crate) mod probe;
pub(crate) mod program;
pub(crate) mod publish;
pub(crate) mod records;
pub(crate) mod rows;
pub(crate) mod sha256;
pub(crate) mod statements;
pub(crate) mod table;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

use crate::contender::Syncs;

/// The set-up of a floor that needs none.
pub(crate) fn nothing(_directory: &Path) -> Result<()> {
    Ok(())
}

/// Forces data to the disk, and counts how often.
#[derive(Debug, Default)]
struct Syncer {
    fsync: AtomicU64,
    fdatasync: AtomicU64,
    commits: AtomicU64,
}

impl Syncer {
    /// fsync.
    fn all(&self, file: &File) -> io::Result<()> {
        self.fsync.fetch_add(1, Ordering::Relaxed);
        file.sync_all()
    }

    /// fdatasync.
    fn data(&self, file: &File) -> io::Result<()> {
        self.fdatasync.fetch_add(1, Ordering::Relaxed);
        file.sync_data()
    }

    /// fdatasync of what stands for a database.
    fn commit(&self, file: &File) -> io::Result<()> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.data(file)
    }

    fn count(&self) -> Syncs {
        Syncs {
            fsync: self.fsync.load(Ordering::Relaxed),
            fdatasync: self.fdatasync.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
        }
    }
}
