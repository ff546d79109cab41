//! Renaming without replacing.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, RenameFlags, linkat, renameat_with, unlinkat};
use rustix::io::{Errno, Result};

/// A name in a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    directory: BorrowedFd<'a>,
    name: &'a Path,
}

impl<'a> Name<'a> {
    pub(super) fn new(directory: BorrowedFd<'a>, name: &'a Path) -> Self {
        Self { directory, name }
    }

    /// An ordinary path.
    pub(super) fn ordinary(path: &'a Path) -> Self {
        Self {
            directory: CWD,
            name: path,
        }
    }
}

/// Renames `from` to `to`, which must not exist.
pub(super) fn rename_new(from: Name<'_>, to: Name<'_>) -> Result<()> {
    let renamed = renameat_with(
        from.directory,
        from.name,
        to.directory,
        to.name,
        RenameFlags::NOREPLACE,
    );
    match renamed {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_and_unlink(from, to),
        result => result,
    }
}

/// The same for filesystems that cannot: for a moment the file has both names.
pub(super) fn link_and_unlink(from: Name<'_>, to: Name<'_>) -> Result<()> {
    linkat(
        from.directory,
        from.name,
        to.directory,
        to.name,
        AtFlags::empty(),
    )?;
    unlinkat(from.directory, from.name, AtFlags::empty()).inspect_err(|_| {
        // An error means that nothing happened, as far as that is in our power.
        let _ = unlinkat(to.directory, to.name, AtFlags::empty());
    })
}
