//! `artstore.intent`: what a publication under way is about to name.
//!
//! An intent is written before the first final name appears and removed after the rows are committed. It is
//! synced only where a file is adopted: a killed process leaves the page cache intact, and after a power loss everything
//! is compared anyway. It
//! names paths only; rows always come from records and events, which are the truth.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::domain::Domain;
use crate::error::Result;
use crate::id::PublicationId;
use crate::key::OpId;
use crate::path::RelPath;

/// The name of the format.
pub const FORMAT: &str = "artstore.intent";
/// The version that is written.
pub const VERSION: u64 = 1;

/// What one pass of a committer is about to name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    format: String,
    format_version: u64,
    /// The publication.
    pub id: PublicationId,
    /// The domain.
    pub domain: Domain,
    /// Its items, each decided by itself.
    pub items: Vec<IntentItem>,
}

/// What one operation is about to name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentItem {
    /// The operation.
    pub op_id: OpId,
    /// Final names that appear before the marker.
    pub before: Vec<RelPath>,
    /// The record or event: the operation happened exactly if this name exists.
    pub marker: RelPath,
    /// The user's path from which the first name of `before` is taken, where a file is adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_from: Option<String>,
}

impl Intent {
    /// An intent of `items`.
    pub fn new(id: PublicationId, domain: Domain, items: Vec<IntentItem>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: VERSION,
            id,
            domain,
            items,
        }
    }

    /// The document's bytes.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it would be too large.
    pub fn to_bytes(&self) -> Result<Bytes> {
        Document::of(self)?.into_bytes()
    }

    /// Reads an intent.
    ///
    /// # Errors
    /// As [`Document::parse`]. A torn intent is one whose publication had not begun to name anything.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Document::parse(bytes, FORMAT, VERSION)?.to_typed()
    }
}
