//! Opening what lies below a directory without ever following a symbolic link.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, Result};

/// How often the kernel is asked again when a rename elsewhere disturbed it.
const ATTEMPTS: usize = 64;

/// How paths are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolver {
    /// By the kernel in one call (`openat2`), where it can.
    Kernel,
    /// Component by component.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "chosen by tests; elsewhere the fallback of `Kernel`"
        )
    )]
    Walk,
}

impl Resolver {
    /// Opens `path`, whose components are normal, below `directory`.
    pub(super) fn open(
        self,
        directory: BorrowedFd<'_>,
        path: &str,
        flags: OFlags,
        mode: Mode,
    ) -> Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        if self == Self::Kernel
            && let Some(opened) = open_by_kernel(directory, path, flags, mode)?
        {
            return Ok(opened);
        }
        open_by_walking(directory, path, flags, mode)
    }

    /// Opens the directory at `path` for use as the base of further calls only.
    pub(super) fn open_directory(self, directory: BorrowedFd<'_>, path: &str) -> Result<OwnedFd> {
        self.open(directory, path, base_flags(), Mode::empty())
    }
}

/// Flags of a directory that is only a base: it need not be readable where the system allows that.
fn base_flags() -> OFlags {
    #[cfg(target_os = "linux")]
    let access = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    let access = OFlags::RDONLY;
    access | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW
}

/// `None` where the kernel or its sandbox does not have `openat2`.
#[cfg(target_os = "linux")]
fn open_by_kernel(
    directory: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> Result<Option<OwnedFd>> {
    use rustix::fs::{ResolveFlags, openat2};

    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..ATTEMPTS {
        match openat2(directory, path, flags, mode, resolve) {
            Ok(opened) => return Ok(Some(opened)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::NOSYS | Errno::PERM) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Err(Errno::AGAIN)
}

#[cfg(not(target_os = "linux"))]
fn open_by_kernel(
    _directory: BorrowedFd<'_>,
    _path: &str,
    _flags: OFlags,
    _mode: Mode,
) -> Result<Option<OwnedFd>> {
    Ok(None)
}

fn open_by_walking(
    directory: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd> {
    let Some((parents, name)) = path.rsplit_once('/') else {
        return open_one(directory, path, flags, mode);
    };
    let mut base: Option<OwnedFd> = None;
    for component in parents.split('/') {
        let from = base
            .as_ref()
            .map_or(directory, |base| std::os::fd::AsFd::as_fd(base));
        base = Some(open_one(from, component, base_flags(), Mode::empty())?);
    }
    let from = base
        .as_ref()
        .map_or(directory, |base| std::os::fd::AsFd::as_fd(base));
    open_one(from, name, flags, mode)
}

fn open_one(directory: BorrowedFd<'_>, name: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
    for _ in 0..ATTEMPTS {
        match rustix::fs::openat(directory, name, flags, mode) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
    Err(Errno::INTR)
}
