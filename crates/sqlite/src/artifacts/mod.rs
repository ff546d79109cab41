//! Rows of artifacts and their events.
//!
//! A function here is what one call does inside its transaction.

mod indexes;
mod list;
mod paths;
mod probe;
mod read;
mod row;
pub(crate) mod statements;
mod value;
mod walk;
mod write;

pub(crate) use list::list;
pub(crate) use probe::examine;
pub(crate) use read::{counts, find, find_all, head, may_have_active_of_size, scan, scan_events};
pub(crate) use walk::walk;
pub(crate) use write::{apply, create_catalog, fill, set_head};
