//! The domains of a store.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of a store with records, events, a sequence, a lock and a catalog of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// Immutable tables and files.
    Artifacts,
}

impl Domain {
    /// The name in paths and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Artifacts => "artifacts",
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
