//! The sources of a publish: which files of the caller can be one, and whether they are still the same.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use artstore_core::{Error, Result};

use crate::error;
use crate::vfs::{FileKind, Vfs, VfsMetadata};

/// The size of the regular file at `path`.
pub(crate) fn size(vfs: &dyn Vfs, path: &Path) -> Result<u64> {
    let found = vfs
        .source_metadata(path)
        .map_err(|error| error::source("inspect", path, error))?;
    check_regular(path, &found)?;
    Ok(found.size)
}

/// Text that tells whether a file was written to or exchanged.
pub(crate) fn fingerprint(metadata: &VfsMetadata) -> String {
    let modified = metadata
        .modified
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let (filesystem, number) = metadata.identity;
    format!(
        "{}:{}.{:09}:{filesystem}:{number}",
        metadata.size,
        modified.as_secs(),
        modified.subsec_nanos(),
    )
}

/// Checks that a file that waits to be adopted is still the one that was hashed.
pub(crate) fn check_fingerprint(
    path: &Path,
    found: &VfsMetadata,
    expected: Option<&str>,
) -> Result<()> {
    if Some(fingerprint(found).as_str()) == expected {
        return Ok(());
    }
    Err(Error::conflict("the file changed before it was adopted")
        .with("path", path.display())
        .hint("publish a file only after its writer has closed it"))
}

/// The absolute path of a file that may be adopted.
///
/// # Errors
/// `Invalid` if it may not.
pub(crate) fn adoptable(vfs: &dyn Vfs, given: &Path) -> Result<PathBuf> {
    let path =
        std::path::absolute(given).map_err(|error| error::source("inspect", given, error))?;
    let refuse = |why: &str| Err(refusal(&path, why));
    if path.to_str().is_none() {
        return refuse("its path is not UTF-8");
    }
    // The trait follows links, so this one look at the caller's path is taken beside it.
    let is_link = std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
    if is_link {
        return refuse("it is a symbolic link");
    }
    let found = vfs
        .source_metadata(&path)
        .map_err(|error| error::source("inspect", &path, error))?;
    check_regular(&path, &found)?;
    check_adoptable(&path, &found)?;
    if lies_below(&path, vfs.root()) {
        return refuse("it lies inside the store");
    }
    let root = vfs
        .source_metadata(vfs.root())
        .map_err(|error| error::below(vfs, "inspect", None, error))?;
    if root.identity.0 != found.identity.0 {
        return refuse("it is on another filesystem than the store");
    }
    Ok(path)
}

/// Checks what may change between staging and publishing.
pub(crate) fn check_adoptable(path: &Path, found: &VfsMetadata) -> Result<()> {
    if found.links > 1 {
        return Err(refusal(path, "it has other hard links"));
    }
    Ok(())
}

fn check_regular(path: &Path, found: &VfsMetadata) -> Result<()> {
    match found.kind {
        FileKind::File => Ok(()),
        FileKind::Directory => Err(error::source(
            "inspect",
            path,
            ErrorKind::IsADirectory.into(),
        )),
        FileKind::Other => Err(error::source(
            "inspect",
            path,
            ErrorKind::InvalidInput.into(),
        )),
    }
}

fn refusal(path: &Path, why: &str) -> Error {
    Error::invalid(format!("the file cannot be adopted: {why}"))
        .with("path", path.display())
        .hint("publish it as a copy instead")
}

fn lies_below(path: &Path, root: &Path) -> bool {
    let resolved = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    path.starts_with(root) || resolved(path).starts_with(resolved(root))
}
