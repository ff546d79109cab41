//! Decorators that ask an observer before every call that changes something.

use std::fmt::Debug;
use std::io;

pub mod catalog;
pub mod vfs;

/// Is asked before calls, named `<area>.<call>`: `staged-data.sync`, `record.rename`, `catalog.before-commit`.
pub trait Observer: Debug + Send + Sync + 'static {
    /// The call named `name` is about to be made.
    fn before(&self, name: &str) -> Next;
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
