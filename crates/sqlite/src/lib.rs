//! Catalogs over SQLite, the default of every store.
//!
//! | module | |
//! |---|---|
//! | `catalog` | [`SqliteArtifactCatalog`], the public type |
//! | `artifacts` | rows of artifacts and events: statements, reading, writing, walking |
//! | `place` | what lies at the catalog's path now, and how often it was replaced |
//! | `connection` | opening a connection, with everything that is checked and set |
//! | `slot` | connections that are opened when needed, and anew when the database was replaced |
//! | `readers`, `writer` | the bounded number of readers, the one connection that writes |
//! | `rebuild`, `swap` | making a new database beside the old one, and putting it into its place |
//! | `schema` | what a new database is made of, and what other databases are refused as |
//!
//! A database file is never opened by other means than SQLite while a connection of this process may be open: closing such
//! a file would drop SQLite's locks. Only its metadata is read.

mod artifacts;
mod catalog;
mod connection;
mod error;
mod place;
mod readers;
mod rebuild;
mod schema;
mod settings;
mod slot;
mod swap;
mod thread;
mod writer;

#[cfg(test)]
mod tests;

pub use catalog::SqliteArtifactCatalog;
pub use settings::SqliteSettings;
