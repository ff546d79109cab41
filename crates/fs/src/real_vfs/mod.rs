//! The filesystem of the machine.

mod file;
mod held_root;
mod lock;
mod machine;
mod rename;
mod resolve;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use artstore_core::path::RelPath;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RawMode};

use self::file::{RealFile, kind_of, metadata_of, not_regular};
use self::held_root::{HeldRoot, OpenRoot};
use self::rename::Name;
use self::resolve::Resolver;
use crate::vfs::{
    FileKind, FilesystemKind, LockWait, Vfs, VfsEntry, VfsFile, VfsLock, VfsMetadata,
};

/// The filesystem of the machine below a root directory.
///
/// Below the root no symbolic link is ever followed: the kernel resolves paths beneath the open root directory
/// (`openat2`), or they are walked component by component where it cannot. The root's own path may contain symbolic
/// links. Locks are `flock`s, syncs are `fdatasync` and `fsync` on Linux and `F_FULLFSYNC` on macOS.
///
/// The root directory is opened when it is first needed and stays the root: if its path is gone or names another
/// directory later, everything fails with `NotFound` until [`Vfs::create_root`] is called.
#[derive(Debug)]
pub struct RealVfs {
    root: HeldRoot,
    resolver: Resolver,
    boot_id: OnceLock<String>,
}

impl RealVfs {
    /// The filesystem below `root`, which need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self::with_resolver(root, Resolver::Kernel)
    }

    fn with_resolver(root: PathBuf, resolver: Resolver) -> Self {
        Self {
            root: HeldRoot::new(root),
            resolver,
            boot_id: OnceLock::new(),
        }
    }

    fn open_below(&self, path: &RelPath, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let root = self.root.get()?;
        Ok(self
            .resolver
            .open(root.as_fd(), path.as_str(), flags, mode)?)
    }

    fn open_directory(&self, path: Option<&RelPath>) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        if let Some(path) = path {
            return self.open_below(path, flags, Mode::empty());
        }
        let root = self.root.get()?;
        Ok(rustix::fs::openat(
            root.as_fd(),
            ".",
            flags | OFlags::CLOEXEC,
            Mode::empty(),
        )?)
    }

    /// The directory that holds the name `path`.
    fn parent_of(&self, path: &RelPath) -> io::Result<Parent> {
        let root = self.root.get()?;
        match path.parent() {
            None => Ok(Parent::Root(root)),
            Some(parent) => Ok(Parent::Below(
                self.resolver
                    .open_directory(root.as_fd(), parent.as_str())?,
            )),
        }
    }
}

/// An open directory that holds a name.
enum Parent {
    Root(Arc<OpenRoot>),
    Below(OwnedFd),
}

impl Parent {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(root) => root.as_fd(),
            Self::Below(directory) => directory.as_fd(),
        }
    }

    fn name<'a>(&'a self, path: &'a RelPath) -> Name<'a> {
        Name::new(self.as_fd(), Path::new(path.file_name()))
    }
}

impl Vfs for RealVfs {
    fn create(&self, path: &RelPath, mode: u32) -> io::Result<Box<dyn VfsFile>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let created = self.open_below(path, flags, mode_of(mode))?;
        Ok(Box::new(RealFile::new(created)))
    }

    fn open(&self, path: &RelPath) -> io::Result<Box<dyn VfsFile>> {
        self.root.check()?;
        // Without NONBLOCK opening a FIFO would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let opened = self.open_below(path, flags, Mode::empty())?;
        Ok(Box::new(RealFile::regular(opened)?))
    }

    fn metadata(&self, path: &RelPath) -> io::Result<VfsMetadata> {
        let parent = self.parent_of(path)?;
        let stat = rustix::fs::statat(parent.as_fd(), path.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(metadata_of(&stat))
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> io::Result<()> {
        let (from_parent, to_parent) = (self.parent_of(from)?, self.parent_of(to)?);
        Ok(rename::rename_new(
            from_parent.name(from),
            to_parent.name(to),
        )?)
    }

    fn rename_over(&self, from: &RelPath, to: &RelPath) -> io::Result<()> {
        let (from_parent, to_parent) = (self.parent_of(from)?, self.parent_of(to)?);
        Ok(rustix::fs::renameat(
            from_parent.as_fd(),
            from.file_name(),
            to_parent.as_fd(),
            to.file_name(),
        )?)
    }

    fn remove_file(&self, path: &RelPath) -> io::Result<()> {
        let parent = self.parent_of(path)?;
        Ok(rustix::fs::unlinkat(
            parent.as_fd(),
            path.file_name(),
            AtFlags::empty(),
        )?)
    }

    fn make_read_only(&self, path: &RelPath) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let file = RealFile::regular(self.open_below(path, flags, Mode::empty())?)?;
        let stat = rustix::fs::fstat(file.file())?;
        let writing = Mode::WUSR | Mode::WGRP | Mode::WOTH;
        let mode = Mode::from_raw_mode(stat.st_mode) & Mode::from_raw_mode(0o7777);
        if mode.intersects(writing) {
            rustix::fs::fchmod(file.file(), mode & !writing)?;
        }
        Ok(())
    }

    fn create_directory(&self, path: &RelPath) -> io::Result<()> {
        let parent = self.parent_of(path)?;
        Ok(rustix::fs::mkdirat(
            parent.as_fd(),
            path.file_name(),
            Mode::from_raw_mode(0o777),
        )?)
    }

    fn remove_directory(&self, path: &RelPath) -> io::Result<()> {
        let parent = self.parent_of(path)?;
        Ok(rustix::fs::unlinkat(
            parent.as_fd(),
            path.file_name(),
            AtFlags::REMOVEDIR,
        )?)
    }

    fn sync_directory(&self, path: Option<&RelPath>) -> io::Result<()> {
        File::from(self.open_directory(path)?).sync_all()
    }

    fn read_directory(&self, path: Option<&RelPath>) -> io::Result<Vec<VfsEntry>> {
        self.root.check()?;
        let mut directory = Dir::new(self.open_directory(path)?)?;
        let mut entries = Vec::new();
        while let Some(entry) = directory.read() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => kind_by_asking(directory.fd()?, name)?,
                known => Some(kind_of(known)),
            };
            entries.extend(kind.map(|kind| VfsEntry {
                name: name.to_owned(),
                kind,
            }));
        }
        Ok(entries)
    }

    fn lock(&self, path: &RelPath, wait: LockWait) -> io::Result<Option<Box<dyn VfsLock>>> {
        lock::lock(self, path, wait)
    }

    fn open_source(&self, path: &Path) -> io::Result<Box<dyn VfsFile>> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Box::new(RealFile::regular(opened)?))
    }

    fn source_metadata(&self, path: &Path) -> io::Result<VfsMetadata> {
        Ok(metadata_of(&rustix::fs::stat(path)?))
    }

    fn adopt(&self, from: &Path, to: &RelPath) -> io::Result<()> {
        if metadata_of(&rustix::fs::lstat(from)?).kind != FileKind::File {
            return Err(not_regular());
        }
        let parent = self.parent_of(to)?;
        Ok(rename::rename_new(Name::ordinary(from), parent.name(to))?)
    }

    fn give_back(&self, from: &RelPath, to: &Path) -> io::Result<()> {
        let parent = self.parent_of(from)?;
        Ok(rename::rename_new(parent.name(from), Name::ordinary(to))?)
    }

    fn create_root(&self) -> io::Result<()> {
        self.root.create()
    }

    fn root(&self) -> &Path {
        self.root.path()
    }

    /// Of a root that does not exist: of the nearest directory above it that does.
    fn filesystem(&self) -> io::Result<FilesystemKind> {
        let mut error = io::Error::from(io::ErrorKind::NotFound);
        for path in self.root().ancestors() {
            let path = Some(path)
                .filter(|path| !path.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            match File::open(path) {
                Ok(directory) => return machine::filesystem_of(directory.as_fd()),
                Err(found) if found.kind() == io::ErrorKind::NotFound => error = found,
                Err(found) => return Err(found),
            }
        }
        Err(error)
    }

    fn boot_id(&self) -> io::Result<String> {
        if let Some(known) = self.boot_id.get() {
            return Ok(known.clone());
        }
        let found = machine::boot_id()?;
        Ok(self.boot_id.get_or_init(|| found).clone())
    }
}

/// The type of modes is narrower on some systems.
fn mode_of(mode: impl TryInto<RawMode>) -> Mode {
    Mode::from_raw_mode(mode.try_into().unwrap_or_default())
}

/// Some filesystems do not tell kinds in listings. `None` if the name is gone meanwhile.
fn kind_by_asking(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<FileKind>> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(metadata_of(&stat).kind)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
