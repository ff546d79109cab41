//! What the author of a storage backend writes.
//!
//! A backend is only storage: every rule (what is a duplicate, which change is legal, what to do after a crash) lives in
//! `artstore-engine`. Each sentence in the documentation of a trait's method is a promise that the conformance suite of
//! `artstore-testkit` checks; a backend that passes the suite works.
//!
//! | trait | keeps |
//! |---|---|
//! | [`ArtifactCatalog`] | rows: an index over records and events that can be deleted |
//! | [`BlobStore`] | bytes and documents: staging, reading, listing |
//! | [`PublicationLog`] | the step from staged to final names, and the intents that make it recoverable |
//! | [`StoreRoot`] | the document that makes a place a store |
//! | [`DomainLock`] | one writer per domain, over all processes |
//! | [`TableReader`] | what a table is: its schema, facts and content hash |
//! | [`Clock`], [`IdSource`], [`Progress`] | time, ids, and a listener |
//!
//! [`blocking`] says where an adapter may do blocking work in place.

mod blob_store;
pub mod blocking;
mod catalog;
mod environment;
mod lock;
mod publication;
mod table_reader;

pub use blob_store::{
    BlobEntry, BlobList, BlobReader, BlobStore, RandomRead, RootState, SourceFacts, StagedFile,
    StagedLocation, StagedSource, StagingWriter, StoreRoot,
};
pub use catalog::{
    ArtifactCatalog, ArtifactChange, ArtifactCommit, ArtifactCommits, ArtifactEventRow,
    ArtifactProbe, ArtifactQuery, CatalogHead, Duplicate, EventRef, Examination, Operation,
    ProbeAnswer,
};
pub use environment::{Clock, IdSource, NoProgress, Progress};
pub use lock::{Acquired, DomainLock, LockHold, LockPermit};
pub use publication::{Publication, PublicationItem, PublicationLog, SettledItem, SweepReport};
pub use table_reader::{ConvertedTable, CsvInspection, TableInspection, TableReader};
