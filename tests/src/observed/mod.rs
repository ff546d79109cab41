//! Decorators that ask an observer before every call that changes something.

use std::fmt::{self, Debug};
use std::io;

use artstore_core::path::RelPath;

pub mod catalog;
pub mod tables;
pub mod vfs;

/// Is asked before calls.
pub trait Observer: Debug + Send + Sync + 'static {
    /// `call` is about to be made.
    fn before(&self, call: &Call<'_>) -> Next;
}

/// A call that changes something, named `<area>.<verb>`: `staged-data.sync`, `record.rename`, `catalog.before-commit`,
/// `table.convert`.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What it is about.
    pub area: &'a str,
    /// What is done to it.
    pub verb: &'a str,
    /// The path below the root, of renames the new one; none for open files and outside the filesystem.
    pub path: Option<&'a RelPath>,
}

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.area, self.verb)
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is made.
    Proceed,
    /// It is not made, and its caller is told that it succeeded. Calls that give something are made all the same.
    Pretend,
    /// It is not made, and fails.
    Fail(io::ErrorKind),
}
