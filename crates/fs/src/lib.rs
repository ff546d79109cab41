//! Bytes, records and locks on a filesystem.
//!
//! [`FsStore`] implements [`BlobStore`](artstore_core::backend::BlobStore),
//! [`PublicationLog`](artstore_core::backend::PublicationLog) and [`StoreRoot`](artstore_core::backend::StoreRoot);
//! [`FsLock`] implements [`DomainLock`](artstore_core::backend::DomainLock). Both do everything through [`vfs::Vfs`], of
//! which [`RealVfs`] is the filesystem of the machine.
//!
//! | file | holds |
//! |---|---|
//! | `vfs.rs` | the one trait for all effects on a filesystem |
//! | `real_vfs/` | the filesystem of the machine: paths without symbolic links, renames, locks, syncs |
//! | `store.rs` | the store, and how its work gets off the async threads |
//! | `blob_store.rs`, `source.rs`, `input.rs` | staging: sources, and reading them at any position |
//! | `copy.rs`, `staging_writer.rs`, `write_back.rs` | moving bytes fast |
//! | `staging.rs` | the staging area, its owners, and sweeping it |
//! | `read.rs` | reading and listing |
//! | `documents.rs`, `directories.rs` | documents that are replaced whole, and directories that survive |
//! | `publication_log.rs`, `intents.rs`, `publish.rs`, `settle.rs` | from staged to final names, and back |
//! | `root.rs` | making a directory a store |
//! | `lock.rs` | one writer per domain |
//! | `error.rs` | from I/O errors to artstore's |

mod blob_store;
mod copy;
mod directories;
mod documents;
mod error;
mod input;
mod intents;
mod lock;
mod publication_log;
mod publish;
mod read;
mod real_vfs;
mod root;
mod settle;
mod source;
mod staging;
mod staging_writer;
mod store;
#[cfg(test)]
mod tests;
#[expect(
    clippy::missing_errors_doc,
    reason = "the trait's documentation says what its errors are"
)]
pub mod vfs;
mod write_back;

pub use lock::FsLock;
pub use real_vfs::RealVfs;
pub use store::FsStore;
