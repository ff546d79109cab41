//! The root directory, opened once and recognised again.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{Mode, OFlags};

use super::file::metadata_of;
use crate::vfs::FileKind;

/// An open root directory.
#[derive(Debug)]
pub(super) struct OpenRoot {
    directory: OwnedFd,
    identity: (u64, u64),
}

impl AsFd for OpenRoot {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// The root's path and, once it was needed, the directory itself.
///
/// The directory that was opened first stays the root, because locks and staged files belong to it. Nothing is locked,
/// listed or read any more when its path is gone or names another directory: these look first ([`Self::check`]), and every
/// change is made under a lock.
#[derive(Debug)]
pub(super) struct HeldRoot {
    path: PathBuf,
    open: RwLock<Option<Arc<OpenRoot>>>,
}

impl HeldRoot {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: RwLock::new(None),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The root as it was opened first.
    pub(super) fn get(&self) -> io::Result<Arc<OpenRoot>> {
        let known = self
            .open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        known.map_or_else(|| self.open(), Ok)
    }

    /// Fails with `NotFound` unless the path still names the root.
    pub(super) fn check(&self) -> io::Result<()> {
        let known = self.get()?;
        let now = metadata_of(&rustix::fs::stat(&self.path)?);
        if now.identity == known.identity {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the root was replaced by another directory",
        ))
    }

    fn open(&self) -> io::Result<Arc<OpenRoot>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(&self.path, flags, Mode::empty())?;
        let identity = metadata_of(&rustix::fs::fstat(&directory)?).identity;
        let opened = Arc::new(OpenRoot {
            directory,
            identity,
        });
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(open.get_or_insert(opened)))
    }

    /// Creates the root with its missing parents; the directory that is there afterwards is the root.
    pub(super) fn create(&self) -> io::Result<()> {
        let mut missing: Vec<&Path> = Vec::new();
        for ancestor in self
            .path
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty())
        {
            match std::fs::metadata(ancestor) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(ancestor),
                Err(error) => return Err(error),
            }
        }
        for directory in missing.iter().rev() {
            create_durably(directory)?;
        }
        if missing.is_empty() {
            self.check_is_directory()?;
            // Another process may have made it a moment ago; a parent that cannot be opened is not ours to sync.
            let _ = sync_parent(&self.path);
        }
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    fn check_is_directory(&self) -> io::Result<()> {
        let found = metadata_of(&rustix::fs::stat(&self.path)?);
        if found.kind == FileKind::Directory {
            return Ok(());
        }
        Err(io::ErrorKind::NotADirectory.into())
    }
}

fn create_durably(directory: &Path) -> io::Result<()> {
    match std::fs::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_parent(directory)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}
