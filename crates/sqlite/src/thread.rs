//! Work that blocks.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use artstore_core::backend::blocking;
use artstore_core::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

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

/// How long a thread looks for its next work, and a caller for the answer, before they sleep.
///
/// Waking a thread takes longer than finding an artifact, above all where the other processor sleeps too. So both look for as
/// long as that takes; what takes longer has a caller who sleeps, as everywhere else. Where several call at the same time
/// nobody looks: there is other work to do.
const LOOK: Duration = Duration::from_micros(40);

/// Threads for short work that comes often, each kept for the next call: handing work to one of them and its answer back
/// takes less than with the threads of the runtime, which everybody shares.
///
/// There are as many as ever worked at the same time; they end with this, or when they are [dismissed](Self::dismiss).
pub(crate) struct Threads {
    /// How long is looked; not at all where there is only one processor.
    look: Duration,
    /// How many calls are under way.
    calls: AtomicUsize,
    /// Those that have nothing to do; the last one that had comes first, as its caches are still warm.
    idle: Arc<Mutex<Vec<mpsc::Sender<Work>>>>,
}

/// Work, and how long its thread looks for more afterwards.
type Work = (Box<dyn FnOnce() + Send>, Duration);

impl Threads {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            look: if processors > 1 { LOOK } else { Duration::ZERO },
            calls: AtomicUsize::new(0),
            idle: Arc::default(),
        }
    }

    /// Does `work` in place where the present thread may block, otherwise on one of the threads. It is finished even if
    /// the caller goes away. `room` is given back when the thread is free again, so that there are no more threads than room.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        room: OwnedSemaphorePermit,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if blocking::is_allowed() {
            return work();
        }
        let (answer, mut answered) = oneshot::channel();
        let call = Call::begin(&self.calls);
        let look = if call.is_alone {
            self.look
        } else {
            Duration::ZERO
        };
        let former = lock(&self.idle).pop();
        let thread = match former {
            Some(thread) => thread,
            None => start()?,
        };
        let idle = Arc::clone(&self.idle);
        let same = thread.clone();
        let work = move || {
            let outcome = work();
            lock(&idle).push(same);
            drop(room);
            // Nobody may be left to hear it.
            let _ = answer.send(outcome);
        };
        // A thread whose work panics ends, and answers with that.
        let _ = thread.send((Box::new(work), look));
        if let Some(outcome) = look_for(look, || answered.try_recv().ok()) {
            return outcome;
        }
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
    let (thread, works) = mpsc::channel::<Work>();
    spawn(move || {
        let mut look = Duration::ZERO;
        loop {
            let found = look_for(look, || works.try_recv().ok());
            let Some((work, next_look)) = found.or_else(|| works.recv().ok()) else {
                return;
            };
            work();
            look = next_look;
        }
    })?;
    Ok(thread)
}

/// A call under way.
struct Call<'a> {
    calls: &'a AtomicUsize,
    is_alone: bool,
}

impl<'a> Call<'a> {
    fn begin(calls: &'a AtomicUsize) -> Self {
        let others = calls.fetch_add(1, Ordering::Relaxed);
        Self {
            calls,
            is_alone: others == 0,
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Looks again and again for so long.
fn look_for<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    while begun.elapsed() < time {
        let found = look();
        if found.is_some() {
            return found;
        }
        std::hint::spin_loop();
    }
    None
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
    use tokio::sync::Semaphore;

    use super::*;

    async fn room() -> OwnedSemaphorePermit {
        Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap()
    }

    async fn who(threads: &Threads) -> std::thread::ThreadId {
        let work = || Ok(std::thread::current().id());
        threads.run("ask", room().await, work).await.unwrap()
    }

    #[tokio::test]
    async fn a_thread_is_kept_for_the_next_call() {
        let threads = Threads::new();
        let first = who(&threads).await;
        assert_ne!(first, std::thread::current().id());
        assert_eq!(who(&threads).await, first);
        threads.dismiss();
        assert_ne!(who(&threads).await, first);
    }

    #[tokio::test]
    async fn room_is_given_back_when_the_thread_is_free_again() {
        let threads = Threads::new();
        let one_at_a_time = Arc::new(Semaphore::new(1));
        let first = who(&threads).await;
        for _ in 0..1_000 {
            let room = Arc::clone(&one_at_a_time).acquire_owned().await.unwrap();
            let work = || Ok(std::thread::current().id());
            assert_eq!(threads.run("ask", room, work).await.unwrap(), first);
        }
    }

    #[tokio::test]
    async fn calls_at_the_same_time_do_not_wait_for_each_other() {
        let threads = Threads::new();
        let (say, hear) = mpsc::channel();
        let waits = threads.run("wait", room().await, move || Ok(hear.recv().is_ok()));
        let says = threads.run("say", room().await, move || Ok(say.send(()).is_ok()));
        let (waited, said) = tokio::join!(waits, says);
        assert!(waited.unwrap() && said.unwrap());
    }

    #[tokio::test]
    async fn where_blocking_is_allowed_the_present_thread_works() {
        let threads = Threads::new();
        let place = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Handle::current();
            blocking::allow(|| runtime.block_on(who(&threads))) == std::thread::current().id()
        });
        assert!(place.await.unwrap());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_no_more() {
        let threads = Threads::new();
        let outcome: Result<()> = threads
            .run("break", room().await, || panic!("as planned"))
            .await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Internal);
        who(&threads).await;
    }
}
