//! The directory of a store, made absolute.

use std::path::{Component, Path, PathBuf, absolute};

use artstore_core::{Error, Result};

/// The absolute path of `root`, its symbolic links resolved once, so that all paths told to users are the same whatever
/// name the store was reached by. Of a root that does not exist yet, its directories that do exist are resolved. Why a
/// root cannot be reached is told by whoever opens it.
pub(crate) fn resolve_root(root: &Path) -> Result<PathBuf> {
    let whole = absolute(root).map_err(|error| {
        Error::unavailable("the root cannot be made absolute")
            .with("root", root.display())
            .caused_by(error)
    })?;
    for directory in whole.ancestors() {
        let Ok(resolved) = directory.canonicalize() else {
            continue;
        };
        let rest = whole.strip_prefix(directory).unwrap_or(Path::new(""));
        if rest.as_os_str().is_empty() {
            return Ok(resolved);
        }
        // What `..` means behind a directory that does not exist is anybody's guess.
        if rest.components().any(|part| part == Component::ParentDir) {
            break;
        }
        return Ok(resolved.join(rest));
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved_once() {
        let directory = tempfile::tempdir().unwrap();
        let real = directory.path().canonicalize().unwrap().join("real");
        std::fs::create_dir(&real).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(resolve_root(&link).unwrap(), real);
        assert_eq!(
            resolve_root(&link.join("new/store")).unwrap(),
            real.join("new/store")
        );
        assert_eq!(resolve_root(&link.join("../real")).unwrap(), real);
    }

    #[test]
    fn what_cannot_be_resolved_is_left_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let below = file.path().join("store");
        assert!(resolve_root(&below).unwrap().ends_with("store"));
        let odd = Path::new("/nowhere/../store");
        assert_eq!(resolve_root(odd).unwrap(), odd);
    }
}
