//! Validated text: artifact types, logical keys, operation ids.
//!
//! They are kept byte for byte as given; only their size and control characters are restricted. File names made
//! from them go through [`crate::path::file_name_component`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $what:literal, at most $limit:literal bytes;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(String);

            impl $name {
                /// The greatest length in bytes of UTF-8.
                pub const MAX_BYTES: usize = $limit;

                /// Checks and takes `text`.
                ///
                /// # Errors
                /// [`Invalid`](crate::ErrorKind::Invalid) if it is empty, too long or holds a control character.
                pub fn new(text: impl Into<String>) -> Result<Self> {
                    let text = text.into();
                    check_text(&text, $what, Self::MAX_BYTES)?;
                    Ok(Self(text))
                }

                /// The text.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!(stringify!($name), "({:?})"), self.0)
                }
            }

            impl FromStr for $name {
                type Err = Error;

                fn from_str(text: &str) -> Result<Self> {
                    Self::new(text)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(&self.0)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
                }
            }
        )*
    };
}

texts! {
    /// What sort of thing an artifact is (`alerts_v1`). Part of its identity.
    ArtifactType = "artifact type", at most 200 bytes;
    /// What an artifact is about (`day=2025-05-01/chain=solana`). Part of its identity.
    LogicalKey = "logical key", at most 1024 bytes;
    /// Identifies one change, so that repeating it has no further effect. Unique in its domain.
    OpId = "operation id", at most 200 bytes;
}

/// Checks that `text` is not empty, has at most `limit` bytes and no control character.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid), naming `what` and the limit.
pub fn check_text(text: &str, what: &str, limit: usize) -> Result<()> {
    if text.is_empty() {
        return Err(Error::invalid(format!("the {what} is empty")));
    }
    if text.len() > limit {
        return Err(Error::invalid(format!("the {what} is too long"))
            .with("bytes", text.len())
            .with("limit", limit));
    }
    // Most texts are ASCII, and every row of a long list comes through here.
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_plain {
        return Ok(());
    }
    if let Some(character) = text.chars().find(|character| character.is_control()) {
        return Err(
            Error::invalid(format!("the {what} holds a control character"))
                .with("character", character.escape_unicode())
                .with("given", text.escape_debug()),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_script_is_allowed_and_kept() {
        for text in [
            "day=2025-05-01/chain=solana",
            "日本語",
            "שלום",
            "🦀",
            "a b",
            "../x",
            "e\u{301}",
        ] {
            assert_eq!(LogicalKey::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn empty_long_and_control_are_refused() {
        for (text, message) in [
            (String::new(), "the logical key is empty"),
            ("x".repeat(1025), "the logical key is too long"),
            ("a\0b".into(), "the logical key holds a control character"),
            ("a\nb".into(), "the logical key holds a control character"),
        ] {
            assert_eq!(LogicalKey::new(text).unwrap_err().message(), message);
        }
    }
}
