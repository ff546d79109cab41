//! Paths relative to a store's root, and the one function that makes a file name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization as _;

use crate::error::{Error, Result};

/// The greatest length of one component of a path in bytes, as on every usual filesystem.
pub const MAX_COMPONENT_BYTES: usize = 255;

/// The greatest length of a relative path in bytes.
pub const MAX_PATH_BYTES: usize = 2048;

/// A path relative to a store's root: normal components joined by `/`, UTF-8.
///
/// It can neither be absolute nor climb: there is no empty component, no `.`, no `..` and no NUL. It says nothing
/// about symbolic links, which are refused where files are opened.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(String);

impl RelPath {
    /// Checks and takes `path`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it is empty, absolute, too long, or has a component that is not normal.
    pub fn new(path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        let refuse = |why: &str| {
            Err(
                Error::invalid(format!("not a path inside the store: {why}"))
                    .with("given", path.escape_debug()),
            )
        };
        if path.len() > MAX_PATH_BYTES {
            return refuse("too long");
        }
        for component in path.split('/') {
            match component {
                "" => return refuse("empty or absolute"),
                "." | ".." => return refuse("`.` or `..`"),
                _ if component.len() > MAX_COMPONENT_BYTES => return refuse("a name is too long"),
                _ if component.contains('\0') => return refuse("it holds NUL"),
                _ => {}
            }
        }
        Ok(Self(path))
    }

    /// This path with one more component.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if `component` is not a normal component.
    pub fn join(&self, component: &str) -> Result<Self> {
        Self::new(format!("{}/{component}", self.0))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path without its last component; `None` directly below the root.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The components from the root down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether this path is `directory` or lies below it.
    pub fn starts_with(&self, directory: &Self) -> bool {
        self.0
            .strip_prefix(&directory.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelPath({:?})", self.0)
    }
}

impl AsRef<std::path::Path> for RelPath {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

impl FromStr for RelPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl Serialize for RelPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Makes one component of a path from any text: the only place where names for the disk are made.
///
/// The result is never empty, in Unicode normal form C, at most `max_bytes` long (cut at a character boundary), and
/// safe on every usual filesystem: separators, characters that Windows reserves, control and invisible formatting
/// characters become `_`, as do leading dots; trailing dots and spaces go; device names of Windows (`con`, `nul`,
/// `com1` ...) get a `_` at their end. Different texts may give the same name: names are decoration, ids are identity.
///
/// `max_bytes` is at least 8 and at most [`MAX_COMPONENT_BYTES`]; other values are clamped.
pub fn file_name_component(text: &str, max_bytes: usize) -> String {
    let max_bytes = max_bytes.clamp(8, MAX_COMPONENT_BYTES);
    let mut name = String::new();
    for character in text.nfc() {
        let dot_first = character == '.' && name.is_empty();
        let character = if is_unsafe(character) || dot_first {
            '_'
        } else {
            character
        };
        // One byte is kept for the suffix of a reserved name.
        if name.len() + character.len_utf8() >= max_bytes {
            break;
        }
        name.push(character);
    }
    name.truncate(name.trim_end_matches(['.', ' ']).len());
    if name.is_empty() {
        name.push('_');
    }
    if is_device_name(&name) {
        name.push('_');
    }
    name
}

fn is_unsafe(character: char) -> bool {
    let formatting = matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    character.is_control()
        || formatting
        || matches!(
            character,
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'
        )
}

fn is_device_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_components_make_a_path() {
        for wrong in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "../a",
            "a/../b",
            "./a",
            "a/.",
            "a\0b",
        ] {
            assert!(RelPath::new(wrong).is_err(), "{wrong:?}");
        }
        assert!(RelPath::new("x".repeat(256)).is_err());
        assert!(RelPath::new("x/".repeat(2000) + "x").is_err());
        for right in ["a", "a/b", ".hidden", "a b/…", "C:\\x"] {
            assert_eq!(RelPath::new(right).unwrap().as_str(), right);
        }
    }

    #[test]
    fn paths_know_their_parts() {
        let path = RelPath::new("a/b/c").unwrap();
        assert_eq!(path.file_name(), "c");
        assert_eq!(path.parent().unwrap().as_str(), "a/b");
        assert_eq!(RelPath::new("a").unwrap().parent(), None);
        assert!(path.starts_with(&RelPath::new("a/b").unwrap()));
        assert!(!path.starts_with(&RelPath::new("a/bc").unwrap()));
        assert!(
            !RelPath::new("ab/c")
                .unwrap()
                .starts_with(&RelPath::new("a").unwrap())
        );
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(file_name_component(text, 255), expected, "{text:?}");
    }

    #[test]
    fn names_are_safe_on_every_filesystem() {
        check("day=2025-05-01/chain=solana", "day=2025-05-01_chain=solana");
        check("../../etc/passwd", "_._.._etc_passwd");
        check("..", "_");
        check("", "_");
        check(".hidden", "_hidden");
        check("trailing. . ", "trailing");
        check("a\0b\nc\u{202e}d", "a_b_c_d");
        check("con", "con_");
        check("NUL.txt", "NUL.txt_");
        check("com0", "com0");
        check("e\u{301}", "\u{e9}");
        check("日本語", "日本語");
    }

    #[test]
    fn names_are_cut_at_a_character_boundary() {
        let name = file_name_component(&"語".repeat(200), 100);
        assert!(name.len() <= 100 && name.chars().all(|character| character == '語'));
        assert!(file_name_component(&"x".repeat(1000), 255).len() <= 255);
        assert!(file_name_component("x", 0).len() <= 8);
    }
}
