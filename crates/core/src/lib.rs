//! Domain types, errors, ports, backend traits and persisted formats of artstore.
//!
//! This crate does no I/O, starts no task and knows no SQL. It has two rings of traits:
//!
//! * [`ports`] is what applications see and mock: [`ports::ArtifactStorePort`],
//!   [`ports::ArtifactTypeRegistry`], [`ports::Maintenance`].
//! * [`backend`] is what the author of a storage backend writes: [`backend::ArtifactCatalog`] (rows),
//!   [`backend::BlobStore`] and [`backend::PublicationLog`] (bytes, records, intents), [`backend::DomainLock`],
//!   [`backend::TableReader`].
//!
//! `artstore-engine` implements every port once over the backend traits, so that a rule is written once
//! and a backend is only storage.
//!
//! | module | holds |
//! |---|---|
//! | [`artifact`] | artifacts, filters, publish requests and results |
//! | [`backend`] | traits that backends implement |
//! | [`digest`] | SHA-256 digests and content hashes with their algorithm prefix |
//! | [`error`] | the one public error |
//! | [`mod@format`] | the JSON documents on disk |
//! | [`id`] | ids (UUIDv7) |
//! | [`key`] | validated text: artifact types, logical keys, operation ids |
//! | [`layout`] | where things lie below a store's root |
//! | [`lineage`] | walking from an artifact to others |
//! | [`page`] | keyset pages |
//! | [`path`] | paths relative to a root, and the one function that makes a file name |
//! | [`ports`] | traits that applications use |
//! | [`registry`] | registered artifact types |
//! | [`table`] | tables: formats, schemas, facts |
//! | [`tags`] | tags and changes to them |
//! | [`time`] | UTC timestamps with millisecond precision |

pub mod artifact;
pub mod backend;
pub mod digest;
pub mod domain;
pub mod error;
pub mod format;
pub mod id;
pub mod key;
pub mod layout;
pub mod lineage;
pub mod maintenance;
pub mod page;
pub mod path;
pub mod ports;
pub mod registry;
pub mod table;
pub mod tags;
pub mod time;

pub use domain::Domain;
pub use error::{Error, ErrorKind, Result};
