use std::time::Duration;

/// How a catalog uses SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqliteSettings {
    /// How many connections read at the same time; at least 1.
    pub readers: usize,
    /// How long SQLite waits for locks of other connections and processes.
    pub busy_timeout: Duration,
    /// How long a call waits for a connection before it is answered with [`Busy`](artstore_core::ErrorKind::Busy).
    pub queue_patience: Duration,
    /// After how many pages of 4 KiB the write-ahead log is copied into the database.
    pub checkpoint_pages: u32,
    /// To how many bytes the write-ahead log is cut after it has grown.
    pub journal_limit_bytes: u64,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            queue_patience: Duration::from_secs(10),
            checkpoint_pages: 2500,
            journal_limit_bytes: 32 * 1024 * 1024,
        }
    }
}
