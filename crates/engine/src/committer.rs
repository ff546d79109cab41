//! The queue of a domain and its leader.
//!
//! Callers hand their staged work over and wait. If nobody leads, a leader is started: it takes whatever has queued, runs
//! one pass of the protocol for all of it, and goes on until the queue is empty. There is no timer: a lone caller
//! waits for nobody, and under load work queues while the pass before is under way, which forms the batches.
//!
//! The leader is a task of its own, so that a caller who goes away does not take a pass with it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use artstore_core::{Error, Result};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::engine::EngineSettings;
use crate::protocol::{DomainRules, Protocol};

/// Work with the caller who waits for its outcome.
pub(crate) struct Job<R: DomainRules> {
    pub(crate) work: R::Work,
    reply: oneshot::Sender<Result<R::Outcome>>,
    _slot: OwnedSemaphorePermit,
}

impl<R: DomainRules> Job<R> {
    /// Answers the caller, who may have gone away.
    pub(crate) fn answer(self, outcome: Result<R::Outcome>) {
        let _ = self.reply.send(outcome);
    }
}

/// Hands work to the leader of a domain.
pub(crate) struct Committer<R: DomainRules> {
    shared: Arc<Shared<R>>,
}

struct Shared<R: DomainRules> {
    protocol: Protocol<R>,
    queue: Mutex<Queue<R>>,
    slots: Arc<Semaphore>,
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
                slots: Arc::new(Semaphore::new(settings.queue_length)),
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
        let slot = self.slot().await?;
        let (reply, outcome) = oneshot::channel();
        let must_lead = {
            let mut queue = self.shared.lock_queue();
            queue.jobs.push_back(Job {
                work,
                reply,
                _slot: slot,
            });
            !std::mem::replace(&mut queue.has_leader, true)
        };
        if must_lead {
            let leadership = Leadership {
                shared: Arc::clone(&self.shared),
                given_up: false,
            };
            tokio::spawn(leadership.lead());
        }
        // The sender is dropped unanswered only if the leader was ended in the middle of a pass.
        outcome
            .await
            .unwrap_or_else(|_| Err(Error::commit_unknown(&op_id)))
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit> {
        let slots = Arc::clone(&self.shared.slots);
        match tokio::time::timeout(self.shared.patience, slots.acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(Error::unavailable("the store was closed")),
            Err(_) => Err(Error::busy("too many changes are waiting")
                .with("domain", R::DOMAIN)
                .with("waited_ms", self.shared.patience.as_millis())
                .hint("try again later")),
        }
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

impl<R: DomainRules> Shared<R> {
    fn lock_queue(&self) -> MutexGuard<'_, Queue<R>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to lead; given up when dropped, however that comes about.
struct Leadership<R: DomainRules> {
    shared: Arc<Shared<R>>,
    given_up: bool,
}

impl<R: DomainRules> Leadership<R> {
    async fn lead(mut self) {
        while let Some(batch) = self.next_batch() {
            let deferred = self.shared.protocol.run(batch).await;
            let mut queue = self.shared.lock_queue();
            for job in deferred.into_iter().rev() {
                queue.jobs.push_front(job);
            }
        }
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
