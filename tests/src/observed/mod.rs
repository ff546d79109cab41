//! Decorators that tell an observer what is about to happen.

use std::fmt::Debug;

pub mod catalog;
pub mod vfs;

/// Is told what is about to happen, as `<area>.<call>`: `staged-data.sync`, `record.rename`, `catalog.before-commit`.
pub trait Observer: Debug + Send + Sync + 'static {
    /// The call named `name` is about to be made.
    fn reach(&self, name: &str);
}
