//! What is under way, so that closing can wait for it.
//!
//! An activity outlives the call that began it: whatever goes on for a caller who went away, on a thread that cannot be
//! stopped, holds a clone.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use artstore_core::backend::{Progress, blocking};
use artstore_core::{Error, Result};
use tokio::sync::{oneshot, watch};

use crate::committer::on_blocking_thread;

/// Everything that is under way.
pub(crate) struct Activities {
    /// What was begun since somebody last began to wait comes last; before it, what somebody waits for.
    epochs: Mutex<Vec<Arc<watch::Sender<()>>>>,
}

/// Something that is under way for as long as a clone exists.
#[derive(Clone)]
pub(crate) struct Activity {
    _watched: watch::Receiver<()>,
}

impl Activities {
    pub(crate) fn new() -> Self {
        Self {
            epochs: Mutex::new(vec![new_epoch()]),
        }
    }

    /// Begins something. It never waits: what is under way may begin more.
    pub(crate) fn begin(&self) -> Activity {
        let mut epochs = self.lock();
        if epochs.is_empty() {
            epochs.push(new_epoch());
        }
        let present = &epochs[epochs.len() - 1];
        Activity {
            _watched: present.subscribe(),
        }
    }

    /// Waits until everything that was begun before has ended.
    pub(crate) async fn ended(&self) {
        let former = {
            let mut epochs = self.lock();
            let former = epochs.clone();
            epochs.push(new_epoch());
            former
        };
        for epoch in &former {
            epoch.closed().await;
        }
        self.lock()
            .retain(|epoch| !former.iter().any(|ended| Arc::ptr_eq(ended, epoch)));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<watch::Sender<()>>>> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_epoch() -> Arc<watch::Sender<()>> {
    Arc::new(watch::Sender::new(()))
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Activity")
    }
}

/// Does `work` to its end once it is begun, even if the caller goes away: on a thread that may block, so that its steps need
/// no hops between threads.
pub(crate) async fn to_its_end<T: Send + 'static>(
    activity: Activity,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    if blocking::is_allowed() {
        return work.await;
    }
    let (reply, outcome) = oneshot::channel();
    on_blocking_thread(async move {
        // The caller may have gone away.
        drop(reply.send(work.await));
        drop(activity);
    });
    let ended = |error| Err(Error::unavailable("the work was ended").caused_by(error));
    outcome.await.unwrap_or_else(ended)
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn waiting_is_for_what_was_begun_before_and_its_clones() {
        let activities = Activities::new();
        activities.ended().await;
        let first = activities.begin();
        let clone = first.clone();
        let mut waiting = Box::pin(activities.ended());
        assert!(waiting.as_mut().now_or_never().is_none());
        let later = activities.begin();
        drop(first);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(clone);
        waiting.await;
        let mut waiting = Box::pin(activities.ended());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(later);
        waiting.await;
    }
}
