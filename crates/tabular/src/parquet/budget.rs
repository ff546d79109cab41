//! How much a file may decode to, and what all threads that read it share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use artstore_core::{Error, Result};
use parquet::errors::ParquetError;

use crate::cancel::Cancel;
use crate::error::above_limit;
use crate::limits::{MAX_DECODED_BASE, MAX_DECODED_FACTOR};

/// Keeps the error behind one that the library passes on as text.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<Error>>>);

impl Failure {
    /// Keeps `error`, and gives what the library is told.
    pub(super) fn set(&self, error: Error) -> ParquetError {
        let text = error.to_string();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(error);
        ParquetError::General(text)
    }

    /// The kept error.
    pub(super) fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What all threads that read a file share.
#[derive(Debug)]
pub(super) struct FileBudget {
    decoded: AtomicU64,
    most_decoded: u64,
    heavy: Mutex<bool>,
    heavy_is_free: Condvar,
    cancel: Cancel,
}

impl FileBudget {
    pub(super) fn new(file_bytes: u64, cancel: Cancel) -> Self {
        Self {
            decoded: AtomicU64::new(0),
            most_decoded: MAX_DECODED_FACTOR
                .saturating_mul(file_bytes)
                .saturating_add(MAX_DECODED_BASE),
            heavy: Mutex::new(false),
            heavy_is_free: Condvar::new(),
            cancel,
        }
    }

    /// Counts decoded bytes.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if the file decodes to far more than its size,
    /// [`Unavailable`](artstore_core::ErrorKind::Unavailable) if nobody waits any more.
    pub(super) fn count(&self, bytes: u64) -> Result<()> {
        self.cancel.check()?;
        let before = self.decoded.fetch_add(bytes, Ordering::Relaxed);
        let decoded = before.saturating_add(bytes);
        if decoded > self.most_decoded {
            let what = "the table decodes to far more than its file";
            return Err(above_limit(what, self.most_decoded, decoded));
        }
        Ok(())
    }

    /// Waits until no other thread reads pages that are much larger than usual.
    pub(super) fn enter_heavy(self: &Arc<Self>) -> HeavyPermit {
        let mut is_taken = self.heavy.lock().unwrap_or_else(PoisonError::into_inner);
        while *is_taken {
            is_taken = self
                .heavy_is_free
                .wait(is_taken)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *is_taken = true;
        HeavyPermit(self.clone())
    }
}

/// Lives as long as large pages do.
#[derive(Debug)]
pub(super) struct HeavyPermit(Arc<FileBudget>);

impl Drop for HeavyPermit {
    fn drop(&mut self) {
        *self.0.heavy.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.heavy_is_free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_bounded_by_the_size_of_the_file() {
        let budget = FileBudget::new(10, Cancel::new());
        assert!(
            budget
                .count(MAX_DECODED_BASE + 10 * MAX_DECODED_FACTOR)
                .is_ok()
        );
        assert_eq!(
            budget.count(1).unwrap_err().kind(),
            artstore_core::ErrorKind::Invalid
        );
    }

    #[test]
    fn one_thread_at_a_time_reads_large_pages() {
        let budget = Arc::new(FileBudget::new(10, Cancel::new()));
        let inside = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let _permit = budget.enter_heavy();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }
}
