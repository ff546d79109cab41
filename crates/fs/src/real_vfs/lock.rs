//! File locks (`flock`): of an open file, so that two openings in one process exclude each other as well.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;

use artstore_core::path::RelPath;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::RealVfs;
use super::file::{RealFile, metadata_of};
use crate::vfs::{LockWait, Vfs as _, VfsLock};

/// The greatest size of a lock file's content that is read.
const MAX_CONTENT_BYTES: usize = 1024;

/// A held lock.
#[derive(Debug)]
struct RealLock(File);

pub(super) fn lock(
    vfs: &RealVfs,
    path: &RelPath,
    wait: LockWait,
) -> io::Result<Option<Box<dyn VfsLock>>> {
    vfs.root.check()?;
    loop {
        let file = open_lock_file(vfs, path)?;
        if !obtain(&file, wait)? {
            return Ok(None);
        }
        let lock = RealLock(file);
        if names(vfs, path, &lock.0)? {
            return Ok(Some(Box::new(lock)));
        }
        // The name was removed or given to another file while this one was waited for.
    }
}

fn obtain(file: &File, wait: LockWait) -> io::Result<bool> {
    loop {
        let result = match wait {
            LockWait::Block => file.lock(),
            LockWait::Try => match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(false),
                Err(TryLockError::Error(error)) => Err(error),
                Ok(()) => Ok(()),
            },
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(|()| true),
        }
    }
}

fn open_lock_file(vfs: &RealVfs, path: &RelPath) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK;
    let mode = Mode::from_raw_mode(0o666);
    let opened = match vfs.open_below(path, flags, mode) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_parents(vfs, path)?;
            vfs.open_below(path, flags, mode)?
        }
        result => result?,
    };
    Ok(RealFile::regular(opened)?.into_file())
}

fn create_parents(vfs: &RealVfs, path: &RelPath) -> io::Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    match vfs.create_directory(&parent) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && parent.parent().is_some() => {
            create_parents(vfs, &parent)?;
            match vfs.create_directory(&parent) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                result => result,
            }
        }
        result => result,
    }
}

/// Whether `path` names `file`. Links above it do not matter here: what it names is compared with what is open.
pub(super) fn names(vfs: &RealVfs, path: &RelPath, file: &File) -> io::Result<bool> {
    let locked = metadata_of(&rustix::fs::fstat(file)?);
    let root = vfs.root.get()?;
    match rustix::fs::statat(root.as_fd(), path.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(named) => Ok(metadata_of(&named).identity == locked.identity),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl VfsLock for RealLock {
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut content = vec![0; MAX_CONTENT_BYTES];
        let mut length = 0;
        while let Some(rest) = content.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, length as u64) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        content.truncate(length);
        Ok(content)
    }

    fn write(&self, data: &[u8]) -> io::Result<()> {
        self.0.write_all_at(data, 0)
    }
}

impl Drop for RealLock {
    fn drop(&mut self) {
        // Closing alone would leave it held by a child process that was just forked.
        let _ = self.0.unlock();
    }
}
