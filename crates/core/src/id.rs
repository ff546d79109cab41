//! Ids: UUIDv7 newtypes, written in lower case with hyphens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(Uuid);

            impl $name {
                /// The id with this value.
                pub const fn from_uuid(value: Uuid) -> Self {
                    Self(value)
                }

                /// The id's value.
                pub const fn as_uuid(&self) -> Uuid {
                    self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.as_hyphenated().fmt(f)
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
                }
            }

            impl FromStr for $name {
                type Err = Error;

                fn from_str(text: &str) -> Result<Self, Error> {
                    parse(text, $what).map(Self)
                }
            }
        )*
    };
}

ids! {
    /// Identifies an artifact.
    ArtifactId = "artifact id";
    /// Identifies a store: the directory tree below one root, wherever it is moved.
    StoreId = "store id";
    /// Identifies a run.
    RunId = "run id";
    /// Identifies an event.
    EventId = "event id";
    /// Identifies one publication: the work of one pass of a committer, and its intent file.
    PublicationId = "publication id";
    /// Identifies one staged thing until it gets its final name.
    StagingId = "staging id";
}

fn parse(text: &str, what: &str) -> Result<Uuid, Error> {
    let invalid = || {
        Error::invalid(format!("not a valid {what}"))
            .with("given", text.escape_debug())
            .hint("an id looks like 01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11")
    };
    if text.len() != 36 {
        return Err(invalid());
    }
    Uuid::try_parse(text).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_one_form_only() {
        let text = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11";
        let id: ArtifactId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for wrong in ["", "x", "01932c077f3e7cc29a523f1a3e9f4b11", "../etc/passwd"] {
            let error = wrong.parse::<ArtifactId>().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid, "{wrong}");
        }
    }
}
