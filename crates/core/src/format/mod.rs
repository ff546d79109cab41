//! The JSON documents on disk.
//!
//! Every document is UTF-8 JSON with two-space indent, keys in a fixed order and a final newline. It names its
//! `format` and `format_version`, and ends with `record_digest`: the SHA-256 of the document's own bytes with the 64
//! digits of that digest replaced by zeros, so that damage to the truth itself is visible ([`document`]).
//!
//! Readers accept every older version and refuse a newer one by name. Where a document is rewritten, keys that this
//! version does not know are kept.

pub mod artifact_record;
pub mod document;
pub mod event;
pub mod intent;
pub mod store_document;
pub mod type_document;

pub use artifact_record::ArtifactRecord;
pub use event::{ArtifactEvent, ArtifactEventChange};
pub use intent::{Intent, IntentItem};
pub use store_document::{CatalogUrls, StoreDocument};
pub use type_document::TypeDocument;
