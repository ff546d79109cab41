//! The JSON documents that artstore speaks to the outside.
//!
//! Keys are camelCase, times RFC 3339 in UTC, hashes carry their algorithm as a prefix, paths are absolute, and what is
//! absent is left out. Scripts depend on these documents: keys are added, never renamed.
//!
//! | module | holds |
//! |---|---|
//! | [`artifact`] | [`ArtifactDocument`], [`PublishDocument`], [`ExportDocument`] |
//! | [`artifact_type`] | [`TypeDocument`] |
//! | [`error`] | [`ErrorDocument`], and the one table from a kind of error to its code, exit status and HTTP status |
//! | [`lineage`] | [`LineageDocument`], [`SupersessionDocument`] |
//! | [`list`] | [`ListDocument`], [`BatchDocument`] |
//! | [`ops`] | the JSON operations: requests, and how they are performed on a store |
//! | [`report`] | [`SettleDocument`], [`RebuildDocument`] |
//! | [`status`] | [`StatusDocument`] |

pub mod artifact;
pub mod artifact_type;
pub mod error;
pub mod lineage;
pub mod list;
pub mod ops;
pub mod report;
pub mod status;

pub use artifact::{ArtifactDocument, ExportDocument, PublishDocument};
pub use artifact_type::TypeDocument;
pub use error::{ErrorAnswer, ErrorDocument, answer_of};
pub use lineage::{LineageDocument, SupersessionDocument};
pub use list::{BatchDocument, ListDocument};
pub use report::{RebuildDocument, SettleDocument};
pub use status::StatusDocument;

/// An absolute path as text. Bytes that are not UTF-8 cannot be said in JSON and become U+FFFD.
fn path_text(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
