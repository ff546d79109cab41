//! `artstore.json`: what makes a directory a store.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::error::Result;
use crate::id::StoreId;
use crate::time::Timestamp;

/// The name of the format.
pub const FORMAT: &str = "artstore.store";
/// The version that is written: of this document and of the layout below the root.
pub const VERSION: u64 = 1;

/// The identity of a store and where its catalogs are. Written once, at `init`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreDocument {
    format: String,
    format_version: u64,
    /// The store.
    pub store_id: StoreId,
    /// When it was initialised.
    pub created_at: Timestamp,
    /// Where the catalog of each domain is.
    pub catalogs: CatalogUrls,
}

/// Where the catalog of each domain is: `sqlite:<path>`, relative to the root or absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogUrls {
    /// The catalog of artifacts.
    pub artifacts: String,
}

impl Default for CatalogUrls {
    fn default() -> Self {
        Self {
            artifacts: "sqlite:catalog.sqlite".to_owned(),
        }
    }
}

impl StoreDocument {
    /// The document of a new store.
    pub fn new(store_id: StoreId, created_at: Timestamp, catalogs: CatalogUrls) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: VERSION,
            store_id,
            created_at,
            catalogs,
        }
    }

    /// The document's bytes.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it would be too large.
    pub fn to_bytes(&self) -> Result<Bytes> {
        Document::of(self)?.into_bytes()
    }

    /// Reads `artstore.json`.
    ///
    /// # Errors
    /// As [`Document::parse`]; a newer store is [`Unsupported`](crate::ErrorKind::Unsupported).
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Document::parse(bytes, FORMAT, VERSION)?.to_typed()
    }
}
