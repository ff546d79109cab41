//! The JSON operations: one request, one answer, for programs in any language.
//!
//! Requests have snake_case keys (camelCase inside `filter`), answers camelCase ones. The whole protocol is told in
//! `docs/guides/json-ops.md`. This module neither reads nor writes: its caller brings bytes and a store.
//!
//! ```
//! use std::path::Path;
//!
//! use artstore_core::ports::ArtifactStorePort;
//! use artstore_wire::ops::{OpsRequest, to_pretty_text};
//!
//! async fn answer(store: &dyn ArtifactStorePort, root: &Path, request: &[u8]) -> String {
//!     let result = match OpsRequest::parse(request) {
//!         Ok(request) => request.perform(store, root).await,
//!         Err(error) => error.into_answer(),
//!     };
//!     to_pretty_text(&result.unwrap_or_else(|error| error.document()))
//! }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `request` | [`OpsRequest`]: what is asked |
//! | `perform` | what is answered |
//! | `error` | [`OpsError`], and the one table from kinds of errors to class names |
//! | `line` | [`OpsLine`]: many requests over one connection |
//! | `publish` | [`PublishLine`]: requests to publish, in operations and in batches |
//! | `table` | [`TableOptions`]: whether and how a file is published as a table |
//! | `filter` | filters and pages of lists |
//! | `document` | artifacts as the operations tell them |
//! | `fields` | the fields of a request, each read and checked |
//! | `text` | JSON in ASCII |

mod document;
mod error;
mod fields;
mod filter;
mod line;
mod perform;
mod publish;
mod request;
mod table;
mod text;

pub use error::OpsError;
pub use line::OpsLine;
pub use publish::PublishLine;
pub use request::OpsRequest;
pub use table::{OptionNames, SourceFormat, TableOptions};
pub use text::{to_compact_text, to_pretty_text};

/// The greatest size of a request in bytes.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;
