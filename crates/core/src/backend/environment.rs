use std::fmt::Debug;

use uuid::Uuid;

use crate::time::Timestamp;

/// Tells the time.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present time. It may jump, also backwards: no number that people see comes from it.
    fn now(&self) -> Timestamp;
}

/// Makes ids.
pub trait IdSource: Debug + Send + Sync + 'static {
    /// A new UUIDv7, never given before.
    fn next_id(&self) -> Uuid;
}

/// Is told how long work goes on.
pub trait Progress: Debug + Send + Sync + 'static {
    /// `done` of `total` units (bytes or records) of `activity` are done; `total` may be unknown.
    fn report(&self, activity: &'static str, done: u64, total: Option<u64>);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _activity: &'static str, _done: u64, _total: Option<u64>) {}
}
