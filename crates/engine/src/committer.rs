//! The queue of a domain and its leader.
//!
//! Callers hand their staged work over and wait. If nobody leads, a leader is started: it takes whatever has queued, runs
//! one pass of the protocol for all of it, and goes on until the queue is empty. There is no timer: a lone caller
//! waits for nobody, and under load work queues while the pass before is under way, which forms the batches.
//!
//! The leader has a thread of its own for as long as it leads, so that a caller who goes away does not take a pass with
//! it, and so that the steps of a pass, each of which blocks, follow each other without hops between threads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use artstore_core::backend::blocking;
use artstore_core::key::OpId;
use artstore_core::{Error, Result};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::engine::EngineSettings;
use crate::protocol::{DomainRules, Protocol, fail_all};

/// Tells a caller what became of its work.
pub(crate) type Reply<R> = oneshot::Sender<Result<<R as DomainRules>::Outcome>>;

/// Work with the caller who waits for its outcome.
pub(crate) struct Job<R: DomainRules> {
    pub(crate) work: R::Work,
    reply: Reply<R>,
    /// Until when it waits for the lock.
    deadline: Instant,
    _place: OwnedSemaphorePermit,
}

impl<R: DomainRules> Job<R> {
    /// Answers the caller, who may have gone away.
    pub(crate) fn answer(self, outcome: Result<R::Outcome>) {
        let _ = self.reply.send(outcome);
    }

    /// How long it still waits for the lock.
    pub(crate) fn patience(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits until the caller has gone away.
    pub(crate) async fn abandoned(&mut self) {
        self.reply.closed().await;
    }
}

/// Hands work to the leader of a domain.
pub(crate) struct Committer<R: DomainRules> {
    shared: Arc<Shared<R>>,
}

struct Shared<R: DomainRules> {
    protocol: Protocol<R>,
    queue: Mutex<Queue<R>>,
    places: Arc<Semaphore>,
    queue_length: usize,
    patience: Duration,
    batch_length: usize,
    idle: Notify,
}

struct Queue<R: DomainRules> {
    jobs: VecDeque<Job<R>>,
    has_leader: bool,
}

impl<R: DomainRules> Committer<R> {
    pub(crate) fn new(protocol: Protocol<R>, settings: &EngineSettings) -> Self {
        let queue = Queue {
            jobs: VecDeque::new(),
            has_leader: false,
        };
        Self {
            shared: Arc::new(Shared {
                protocol,
                queue: Mutex::new(queue),
                places: Arc::new(Semaphore::new(settings.queue_length)),
                queue_length: settings.queue_length,
                patience: settings.patience,
                batch_length: settings.batch_length.max(1),
                idle: Notify::new(),
            }),
        }
    }

    pub(crate) fn protocol(&self) -> &Protocol<R> {
        &self.shared.protocol
    }

    /// Queues `work` and waits for its outcome.
    ///
    /// # Errors
    /// `Busy` if there was no place in the queue in time; otherwise what the protocol says.
    pub(crate) async fn submit(&self, work: R::Work) -> Result<R::Outcome> {
        let op_id = R::op_id(&work).clone();
        let place = self.place().await?;
        let (reply, outcome) = oneshot::channel();
        if let Some(leadership) = self.enqueue(work, reply, place) {
            on_blocking_thread(leadership.lead());
        }
        heard(outcome, &op_id).await
    }

    /// Queues `work` for the caller behind `reply`. If nobody leads, the present caller gets the lead, and must use it.
    pub(crate) fn enqueue(
        &self,
        work: R::Work,
        reply: Reply<R>,
        place: OwnedSemaphorePermit,
    ) -> Option<Leadership<R>> {
        let mut queue = self.shared.lock_queue();
        queue.push(work, reply, self.deadline(), place);
        self.take_lead(queue)
    }

    /// Queues several works as one piece, like [`Self::enqueue`]. There is one of the `places` for each.
    pub(crate) fn enqueue_all(
        &self,
        works: Vec<(R::Work, Reply<R>)>,
        mut places: OwnedSemaphorePermit,
    ) -> Option<Leadership<R>> {
        let deadline = self.deadline();
        let mut queue = self.shared.lock_queue();
        for (work, reply) in works {
            if let Some(place) = places.split(1) {
                queue.push(work, reply, deadline, place);
            }
        }
        self.take_lead(queue)
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.shared.patience).unwrap_or(now)
    }

    fn take_lead(&self, mut queue: MutexGuard<'_, Queue<R>>) -> Option<Leadership<R>> {
        let has_leader = std::mem::replace(&mut queue.has_leader, true);
        drop(queue);
        (!has_leader).then(|| Leadership {
            shared: Arc::clone(&self.shared),
            given_up: false,
        })
    }

    /// How many works are worth queueing as one piece: as many as one pass takes.
    pub(crate) fn group_length(&self) -> usize {
        self.shared
            .batch_length
            .min(self.shared.queue_length)
            .max(1)
    }

    /// A place in the queue.
    ///
    /// # Errors
    /// `Busy` if there was none in time.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit> {
        self.places(1).await
    }

    /// So many places in the queue.
    ///
    /// # Errors
    /// `Busy` if there were not as many in time.
    pub(crate) async fn places(&self, count: usize) -> Result<OwnedSemaphorePermit> {
        let places = Arc::clone(&self.shared.places);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        wait_for_places(
            places,
            count,
            self.shared.patience,
            "too many changes are waiting",
        )
        .await
    }

    /// Waits until nothing is queued or under way.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = self.shared.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if !self.shared.lock_queue().has_leader {
                return;
            }
            idle.await;
        }
    }
}

impl<R: DomainRules> Queue<R> {
    fn push(
        &mut self,
        work: R::Work,
        reply: Reply<R>,
        deadline: Instant,
        place: OwnedSemaphorePermit,
    ) {
        self.jobs.push_back(Job {
            work,
            reply,
            deadline,
            _place: place,
        });
    }
}

impl<R: DomainRules> Shared<R> {
    fn lock_queue(&self) -> MutexGuard<'_, Queue<R>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of work. Its sender is dropped unanswered only if the thread that worked on it panicked or its runtime was
/// shut down, perhaps in the middle of a pass.
pub(crate) async fn heard<T>(outcome: oneshot::Receiver<Result<T>>, op_id: &OpId) -> Result<T> {
    let unknown = |_| Err(Error::commit_unknown(op_id));
    outcome.await.unwrap_or_else(unknown)
}

/// Waits at most `patience` for a place.
pub(crate) async fn wait_for_place(
    places: Arc<Semaphore>,
    patience: Duration,
    busy: &str,
) -> Result<OwnedSemaphorePermit> {
    wait_for_places(places, 1, patience, busy).await
}

async fn wait_for_places(
    places: Arc<Semaphore>,
    count: u32,
    patience: Duration,
    busy: &str,
) -> Result<OwnedSemaphorePermit> {
    if let Ok(places) = Arc::clone(&places).try_acquire_many_owned(count) {
        return Ok(places);
    }
    match tokio::time::timeout(patience, places.acquire_many_owned(count)).await {
        Ok(Ok(places)) => Ok(places),
        Ok(Err(_)) => Err(Error::unavailable("the store was closed")),
        Err(_) => Err(Error::busy(busy)
            .with("waited_ms", patience.as_millis())
            .hint("try again later")),
    }
}

/// Runs `work` to its end on a thread where backends may block, so that its steps need no hops between threads.
pub(crate) fn on_blocking_thread(work: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || blocking::allow(|| runtime.block_on(work)));
}

/// The right to lead; given up when dropped, however that comes about.
#[must_use]
pub(crate) struct Leadership<R: DomainRules> {
    shared: Arc<Shared<R>>,
    given_up: bool,
}

impl<R: DomainRules> Leadership<R> {
    /// Leads until the queue is empty.
    pub(crate) async fn lead(mut self) {
        while let Some(batch) = self.next_batch() {
            match self.shared.protocol.run(batch).await {
                Ok(deferred) => {
                    let mut queue = self.shared.lock_queue();
                    for job in deferred.into_iter().rev() {
                        queue.jobs.push_front(job);
                    }
                }
                Err(busy) => fail_all(self.take_overdue(), &busy).await,
            }
        }
    }

    /// What has waited about as long as those who just waited for the lock in vain.
    fn take_overdue(&mut self) -> Vec<Job<R>> {
        let grace = self.shared.patience / 10;
        let mut queue = self.shared.lock_queue();
        let (overdue, waiting) = std::mem::take(&mut queue.jobs)
            .into_iter()
            .partition(|job| job.patience() <= grace);
        queue.jobs = waiting;
        Vec::from(overdue)
    }

    /// The next batch, or `None` after giving the lead up because nothing is queued.
    fn next_batch(&mut self) -> Option<Vec<Job<R>>> {
        let mut queue = self.shared.lock_queue();
        if queue.jobs.is_empty() {
            queue.has_leader = false;
            self.given_up = true;
            return None;
        }
        let length = queue.jobs.len().min(self.shared.batch_length);
        Some(queue.jobs.drain(..length).collect())
    }
}

impl<R: DomainRules> Drop for Leadership<R> {
    /// A leader that was ended in the middle (its runtime shut down) drops the queue, so that nobody waits for ever.
    fn drop(&mut self) {
        if !self.given_up {
            let mut queue = self.shared.lock_queue();
            queue.has_leader = false;
            queue.jobs.clear();
        }
        self.shared.idle.notify_waiters();
    }
}
