//! What is under way, so that closing can wait for it.
//!
//! An activity outlives the call that began it: whatever goes on for a caller who went away, on a thread that cannot be
//! stopped, holds a clone.

use std::fmt;
use std::sync::Arc;

use artstore_core::backend::Progress;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many activities there may be at a time.
const ACTIVITIES: u32 = 1 << 20;

/// Everything that is under way.
pub(crate) struct Activities(Arc<Semaphore>);

/// Something that is under way for as long as a clone exists.
#[derive(Clone)]
pub(crate) struct Activity {
    _place: Option<Arc<OwnedSemaphorePermit>>,
}

impl Default for Activities {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ACTIVITIES as usize)))
    }
}

impl Activities {
    /// Begins something, which waits while somebody waits for everything to end.
    pub(crate) async fn begin(&self) -> Activity {
        // It is never closed, so that this cannot fail.
        let place = Arc::clone(&self.0).acquire_owned().await;
        Activity {
            _place: place.ok().map(Arc::new),
        }
    }

    /// Waits until everything that was begun has ended.
    pub(crate) async fn ended(&self) {
        let _ = self.0.acquire_many(ACTIVITIES).await;
    }
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Activity")
    }
}

/// Work that reports its progress is under way for as long as it can report.
#[derive(Debug)]
pub(crate) struct ActiveProgress {
    pub(crate) listener: Arc<dyn Progress>,
    pub(crate) _activity: Activity,
}

impl Progress for ActiveProgress {
    fn report(&self, activity: &'static str, done: u64, total: Option<u64>) {
        self.listener.report(activity, done, total);
    }
}
