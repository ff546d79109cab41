//! Where a catalog is: `<scheme>:<place>`.

use std::fmt;
use std::path::{Path, PathBuf};

use artstore_core::path::RelPath;
use artstore_core::{Error, Result};

use crate::backends::known_schemes;

/// The scheme of SQLite catalogs.
pub(crate) const SQLITE: &str = "sqlite";

/// Where a catalog is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogUrl {
    /// What kind of catalog it is: one of the known schemes.
    pub(crate) scheme: &'static str,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Below the root of the store, and so moved with it.
    Inside(RelPath),
    /// Somewhere else.
    Absolute(PathBuf),
}

impl CatalogUrl {
    /// Reads `<scheme>:<path>`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let invalid = |message: &str| {
            Error::invalid(message)
                .with("catalog", text.escape_debug())
                .hint("write a catalog as sqlite:<path>, relative to the store's root or absolute")
        };
        let (scheme, path) = text
            .split_once(':')
            .ok_or_else(|| invalid("the catalog has no scheme"))?;
        let scheme = known_schemes()
            .find(|known| *known == scheme)
            .ok_or_else(|| {
                let known: Vec<_> = known_schemes().collect();
                invalid("unknown kind of catalog").with("known", known.join(", "))
            })?;
        if path.is_empty() {
            return Err(invalid("the catalog has no path"));
        }
        // `sqlite://x` looks like a host to some and like a path to others.
        if path.starts_with("//") {
            return Err(invalid("the catalog's path begins with two slashes"));
        }
        let place = if path.starts_with('/') {
            Place::Absolute(PathBuf::from(path))
        } else {
            Place::Inside(RelPath::new(path)?)
        };
        Ok(Self { scheme, place })
    }

    /// The same place seen from `root`: relative if it is inside, so that the store can be moved.
    pub(crate) fn seen_from(self, root: &Path) -> Self {
        let inside = match &self.place {
            Place::Inside(_) => None,
            Place::Absolute(path) => resolve_directory(path)
                .strip_prefix(root)
                .ok()
                .and_then(Path::to_str)
                .and_then(|path| RelPath::new(path).ok()),
        };
        match inside {
            Some(path) => Self {
                place: Place::Inside(path),
                ..self
            },
            None => self,
        }
    }

    /// The path of the database, for a store at `root`.
    pub(crate) fn path(&self, root: &Path) -> PathBuf {
        match &self.place {
            Place::Inside(path) => root.join(path),
            Place::Absolute(path) => path.clone(),
        }
    }
}

impl fmt::Display for CatalogUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Inside(path) => write!(f, "{}:{path}", self.scheme),
            Place::Absolute(path) => write!(f, "{}:{}", self.scheme, path.display()),
        }
    }
}

/// `path` with the symbolic links of its directory resolved, where that exists.
fn resolve_directory(path: &Path) -> PathBuf {
    let resolved = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    resolved().unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let url = CatalogUrl::parse(text)
            .unwrap()
            .seen_from(Path::new("/data/store"));
        assert_eq!(url.to_string(), expected, "{text}");
    }

    #[test]
    fn places_inside_the_root_are_relative() {
        check("sqlite:catalog.sqlite", "sqlite:catalog.sqlite");
        check("sqlite:db/a b.sqlite", "sqlite:db/a b.sqlite");
        check("sqlite:/data/store/x.sqlite", "sqlite:x.sqlite");
        check(
            "sqlite:/data/store2/x.sqlite",
            "sqlite:/data/store2/x.sqlite",
        );
    }

    #[test]
    fn relative_places_are_seen_from_the_root() {
        let path = |text: &str| CatalogUrl::parse(text).unwrap().path(Path::new("/r"));
        assert_eq!(path("sqlite:a/b"), Path::new("/r/a/b"));
        assert_eq!(path("sqlite:/a/b"), Path::new("/a/b"));
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, message) in [
            ("catalog.sqlite", "the catalog has no scheme"),
            ("sqlite:", "the catalog has no path"),
            ("sqlite:///a", "the catalog's path begins with two slashes"),
            ("sqlite:../a", "not a path inside the store: `.` or `..`"),
            ("oracle:x", "unknown kind of catalog"),
        ] {
            assert_eq!(
                CatalogUrl::parse(text).unwrap_err().message(),
                message,
                "{text}"
            );
        }
        let error = CatalogUrl::parse("oracle:x").unwrap_err();
        assert_eq!(error.context_value("known"), Some("sqlite"));
    }
}
