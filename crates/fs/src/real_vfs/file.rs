//! Open files, and what is known of them.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Stat};

use crate::vfs::{FileKind, VfsFile, VfsMetadata};

/// An open regular file.
#[derive(Debug)]
pub(super) struct RealFile(File);

impl RealFile {
    pub(super) fn new(file: impl Into<File>) -> Self {
        Self(file.into())
    }

    /// Takes `file` only if it is a regular one.
    pub(super) fn regular(file: impl Into<File>) -> io::Result<Self> {
        let file = file.into();
        match metadata_of(&rustix::fs::fstat(&file)?).kind {
            FileKind::File => Ok(Self(file)),
            FileKind::Directory => Err(io::ErrorKind::IsADirectory.into()),
            FileKind::Other => Err(not_regular()),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }

    pub(super) fn into_file(self) -> File {
        self.0
    }
}

impl VfsFile for RealFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        loop {
            match self.0.read_at(buffer, position) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.0.write_all(data)
    }

    #[cfg(target_os = "linux")]
    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;

        if bytes == 0 {
            return Ok(());
        }
        match fallocate(&self.0, FallocateFlags::KEEP_SIZE, 0, bytes) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn reserve(&mut self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    /// `fdatasync` on Linux, which covers changes of the size; `F_FULLFSYNC` on macOS.
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write_back_handle(&self) -> io::Result<Option<Box<dyn VfsFile>>> {
        Ok(Some(Box::new(Self(self.0.try_clone()?))))
    }

    fn metadata(&self) -> io::Result<VfsMetadata> {
        Ok(metadata_of(&rustix::fs::fstat(&self.0)?))
    }
}

pub(super) fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

pub(super) fn metadata_of(stat: &Stat) -> VfsMetadata {
    VfsMetadata {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
        size: number(stat.st_size),
        links: number(stat.st_nlink),
        identity: (number(stat.st_dev), number(stat.st_ino)),
        modified: time_of(number(stat.st_mtime), number(stat.st_mtime_nsec)),
    }
}

pub(super) fn kind_of(file_type: FileType) -> FileKind {
    match file_type {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        _ => FileKind::Other,
    }
}

/// The fields of `stat` have other widths on other systems.
fn number(value: impl TryInto<u64>) -> u64 {
    value.try_into().unwrap_or_default()
}

fn time_of(seconds: u64, nanoseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
}
