//! Work that blocks.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use artstore_core::backend::blocking;
use artstore_core::{Error, Result};
use tokio::sync::oneshot;

/// Does `work` in place where the present thread may block, otherwise on a thread that may. It is finished even if the
/// caller goes away.
pub(crate) async fn on_thread<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if blocking::is_allowed() {
        return work();
    }
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(aborted(operation).caused_by(error)))
}

/// Threads for short work that comes often, each kept for the next call: handing work to one of them and its answer back
/// takes less than with the threads of the runtime, which everybody shares.
///
/// There are as many as ever worked at the same time; they end with this, or when they are [dismissed](Self::dismiss).
#[derive(Default)]
pub(crate) struct Threads {
    /// Those that have nothing to do; the last one that had comes first, as its caches are still warm.
    idle: Arc<Mutex<Vec<mpsc::Sender<Work>>>>,
}

type Work = Box<dyn FnOnce() + Send>;

impl Threads {
    /// Does `work` in place where the present thread may block, otherwise on one of the threads. It is finished even if
    /// the caller goes away.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if blocking::is_allowed() {
            return work();
        }
        let (answer, answered) = oneshot::channel();
        let thread = match lock(&self.idle).pop() {
            Some(thread) => thread,
            None => start()?,
        };
        let idle = Arc::clone(&self.idle);
        let same = thread.clone();
        // A thread whose work panics ends, and answers with that.
        let _ = thread.send(Box::new(move || {
            let outcome = work();
            lock(&idle).push(same);
            // Nobody may be left to hear it.
            let _ = answer.send(outcome);
        }));
        answered
            .await
            .unwrap_or_else(|error| Err(aborted(operation).caused_by(error)))
    }

    /// Ends the threads that have nothing to do. Later work starts others.
    pub(crate) fn dismiss(&self) {
        lock(&self.idle).clear();
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}

fn start() -> Result<mpsc::Sender<Work>> {
    let (thread, work) = mpsc::channel::<Work>();
    spawn(move || {
        for work in work {
            work();
        }
    })?;
    Ok(thread)
}

/// Does `work` on a thread of its own, while the present one goes on: one of tokio's may be waiting for it already. It is
/// finished even if the caller goes away.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (answer, answered) = oneshot::channel();
    spawn(move || {
        // Nobody may be left to hear it.
        let _ = answer.send(work());
    })?;
    answered
        .await
        .unwrap_or_else(|error| Err(aborted(operation).caused_by(error)))
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name("artstore-sqlite".into())
        .spawn(work)
        .map(drop)
        .map_err(|error| {
            Error::unavailable("no thread can be started for the catalog").caused_by(error)
        })
}

fn aborted(operation: &'static str) -> Error {
    Error::internal("work on the catalog was aborted").with("operation", operation)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use artstore_core::ErrorKind;

    use super::*;

    async fn who(threads: &Threads) -> std::thread::ThreadId {
        let work = || Ok(std::thread::current().id());
        threads.run("ask", work).await.unwrap()
    }

    #[tokio::test]
    async fn a_thread_is_kept_for_the_next_call() {
        let threads = Threads::default();
        let first = who(&threads).await;
        assert_ne!(first, std::thread::current().id());
        assert_eq!(who(&threads).await, first);
        threads.dismiss();
        assert_ne!(who(&threads).await, first);
    }

    #[tokio::test]
    async fn calls_at_the_same_time_do_not_wait_for_each_other() {
        let threads = Threads::default();
        let (say, hear) = mpsc::channel();
        let waits = threads.run("wait", move || Ok(hear.recv().is_ok()));
        let says = threads.run("say", move || Ok(say.send(()).is_ok()));
        let (waited, said) = tokio::join!(waits, says);
        assert!(waited.unwrap() && said.unwrap());
    }

    #[tokio::test]
    async fn where_blocking_is_allowed_the_present_thread_works() {
        let threads = Threads::default();
        let place = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Handle::current();
            blocking::allow(|| runtime.block_on(who(&threads))) == std::thread::current().id()
        });
        assert!(place.await.unwrap());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_no_more() {
        let threads = Threads::default();
        let outcome: Result<()> = threads.run("break", || panic!("as planned")).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Internal);
        who(&threads).await;
    }
}
