//! Every effect of this crate on a filesystem, as one small trait.
//!
//! Whatever the adapter does to a disk goes through [`Vfs`], so that a test can fail, reorder or lose any of it. The
//! trait is synchronous; callers run it where blocking is allowed.
//!
//! Paths below the root are [`RelPath`]s and never follow a symbolic link, not even in their last component. Paths
//! outside the root are given by a local caller (sources of a publish) and are ordinary paths.

use std::ffi::OsString;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use artstore_core::path::RelPath;

/// A filesystem with a root. `None` as a directory means the root itself.
///
/// Errors are plain [`io::Error`]s; their kinds decide: `NotFound`, `AlreadyExists`, `StorageFull`,
/// `PermissionDenied`, `ReadOnlyFilesystem`, and `CrossesDevices` where a file cannot be renamed. A component that is a
/// symbolic link gives [`io::ErrorKind::FilesystemLoop`] or `NotADirectory`.
pub trait Vfs: Debug + Send + Sync + 'static {
    /// Creates a file that does not exist, with `mode` less the umask. Not durable before [`VfsFile::sync`] and, as a name,
    /// before [`Self::sync_directory`].
    fn create(&self, path: &RelPath, mode: u32) -> io::Result<Box<dyn VfsFile>>;

    /// Opens a regular file for reading.
    fn open(&self, path: &RelPath) -> io::Result<Box<dyn VfsFile>>;

    /// What is at `path`, links not followed.
    fn metadata(&self, path: &RelPath) -> io::Result<VfsMetadata>;

    /// Gives a file another name that must not exist.
    fn rename_new(&self, from: &RelPath, to: &RelPath) -> io::Result<()>;

    /// Gives a file another name, replacing what has it.
    fn rename_over(&self, from: &RelPath, to: &RelPath) -> io::Result<()>;

    /// Removes a file's name.
    fn remove_file(&self, path: &RelPath) -> io::Result<()>;

    /// Takes write permission away from a file, for everybody.
    fn make_read_only(&self, path: &RelPath) -> io::Result<()>;

    /// Creates one directory.
    fn create_directory(&self, path: &RelPath) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_directory(&self, path: &RelPath) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: Option<&RelPath>) -> io::Result<()>;

    /// The entries of a directory, in no particular order, without `.` and `..`.
    fn read_directory(&self, path: Option<&RelPath>) -> io::Result<Vec<VfsEntry>>;

    /// Locks the file at `path`, creating it if needed, against every other lock of it in any process. With
    /// [`LockWait::Try`] gives `None` if it is taken. The lock is of the file that has the name when it is returned.
    fn lock(&self, path: &RelPath, wait: LockWait) -> io::Result<Option<Box<dyn VfsLock>>>;

    /// Opens a regular file outside the root for reading; symbolic links are followed.
    fn open_source(&self, path: &Path) -> io::Result<Box<dyn VfsFile>>;

    /// What is at `path` outside the root; symbolic links are followed.
    fn source_metadata(&self, path: &Path) -> io::Result<VfsMetadata>;

    /// Moves a file from outside the root to a name below it that must not exist.
    fn adopt(&self, from: &Path, to: &RelPath) -> io::Result<()>;

    /// Moves a file from below the root to a name outside it that must not exist.
    fn give_back(&self, from: &RelPath, to: &Path) -> io::Result<()>;

    /// Creates the root with its missing parents, durably. Does nothing if it exists.
    fn create_root(&self) -> io::Result<()>;

    /// Where the root is.
    fn root(&self) -> &Path;

    /// What kind of filesystem the root is on.
    fn filesystem(&self) -> io::Result<FilesystemKind>;

    /// Tells one start of the machine from another.
    fn boot_id(&self) -> io::Result<String>;
}

/// An open file.
pub trait VfsFile: Debug + Send + Sync {
    /// Reads some bytes from the present position; 0 at the end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Reads some bytes at `position`; 0 at the end. Neither uses nor moves the present position, so that several threads
    /// may read at once.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;

    /// Appends all of `data`.
    fn write_all(&mut self, data: &[u8]) -> io::Result<()>;

    /// Reserves space for `bytes` bytes, so that a full disk is told early. May do nothing.
    fn reserve(&mut self, bytes: u64) -> io::Result<()>;

    /// Makes the file's bytes and size durable. After an error it is never called again for this file.
    fn sync(&mut self) -> io::Result<()>;

    /// A second handle that can only sync, for starting to write back early while writing goes on; `None` where that
    /// makes no sense.
    fn write_back_handle(&self) -> io::Result<Option<Box<dyn VfsFile>>>;

    /// What is known of the file.
    fn metadata(&self) -> io::Result<VfsMetadata>;
}

/// A held lock of a file; dropping it frees the lock.
pub trait VfsLock: Debug + Send + Sync {
    /// The file's whole content.
    fn read(&self) -> io::Result<Vec<u8>>;

    /// Replaces the file's content from its start by `data`, which always has the same length. Not synced.
    fn write(&self, data: &[u8]) -> io::Result<()>;
}

/// Whether to wait for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// Wait until it is free.
    Block,
    /// Do not wait.
    Try,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Anything else: symbolic links, sockets, devices.
    Other,
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VfsEntry {
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: FileKind,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VfsMetadata {
    /// What it is.
    pub kind: FileKind,
    /// Size in bytes.
    pub size: u64,
    /// Number of names.
    pub links: u64,
    /// Filesystem and number: the file's identity.
    pub identity: (u64, u64),
    /// When it was last written.
    pub modified: SystemTime,
}

/// What kind of filesystem something is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesystemKind {
    /// One whose locks and syncs can be trusted.
    Local,
    /// A network filesystem, with its name.
    Network(String),
}

/// A root as a path, for messages.
pub fn display_path(vfs: &dyn Vfs, path: Option<&RelPath>) -> PathBuf {
    path.map_or_else(|| vfs.root().to_owned(), |path| vfs.root().join(path))
}
