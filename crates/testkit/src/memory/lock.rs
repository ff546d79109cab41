use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use artstore_core::backend::{Acquired, DomainLock, LockHold, LockPermit};
use artstore_core::{Domain, Error, Result};
use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Locks in memory with a queue that serves in order.
///
/// Every instance made by [`Self::instance`] uses the same locks, as several processes do. Stricter than a real lock, it
/// takes the note of a commit counter only from the permit that holds the lock now.
#[derive(Debug, Default)]
pub struct MemoryLock {
    place: Arc<Mutex<BTreeMap<Domain, Door>>>,
}

#[derive(Debug)]
struct Door {
    /// One place: who holds it holds the lock.
    queue: Arc<Semaphore>,
    holder: Weak<dyn LockHold>,
    commits: Option<u64>,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            queue: Arc::new(Semaphore::new(1)),
            holder: Weak::<Hold>::new(),
            commits: None,
        }
    }
}

#[derive(Debug)]
struct Hold {
    _place: OwnedSemaphorePermit,
}

impl LockHold for Hold {}

impl MemoryLock {
    /// Locks that are free.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another instance over the same locks.
    pub fn instance(&self) -> Self {
        Self {
            place: Arc::clone(&self.place),
        }
    }

    /// Forgets every commit counter, as when the machine was started anew.
    pub fn reboot(&self) {
        for door in self.doors().values_mut() {
            door.commits = None;
        }
    }

    fn doors(&self) -> MutexGuard<'_, BTreeMap<Domain, Door>> {
        self.place.lock().expect("no test panics holding it")
    }

    fn queue(&self, domain: Domain) -> Arc<Semaphore> {
        Arc::clone(&self.doors().entry(domain).or_default().queue)
    }
}

#[async_trait]
impl DomainLock for MemoryLock {
    async fn acquire(&self, domain: Domain, patience: Duration) -> Result<Acquired> {
        let queue = self.queue(domain);
        let busy = |_| {
            Error::busy("another writer holds the lock")
                .with("domain", domain)
                .with("waited_ms", patience.as_millis())
                .hint("try again later")
        };
        let place = timeout(patience, queue.acquire_owned())
            .await
            .map_err(busy)?
            .map_err(|closed| Error::internal("the lock is gone").caused_by(closed))?;
        let hold: Arc<dyn LockHold> = Arc::new(Hold { _place: place });
        let mut doors = self.doors();
        let door = doors.entry(domain).or_default();
        door.holder = Arc::downgrade(&hold);
        Ok(Acquired {
            permit: LockPermit::new(domain, hold),
            commits: door.commits,
        })
    }

    async fn leave_commits(&self, permit: &LockPermit, commits: u64) -> Result<()> {
        tokio::task::yield_now().await;
        let mut doors = self.doors();
        let door = doors.entry(permit.domain()).or_default();
        let is_holder = std::ptr::addr_eq(door.holder.as_ptr(), Arc::as_ptr(permit.hold()));
        if !is_holder {
            return Err(Error::internal("a permit that does not hold this lock")
                .with("domain", permit.domain()));
        }
        door.commits = Some(commits);
        Ok(())
    }

    async fn last_commits(&self, domain: Domain) -> Result<Option<u64>> {
        tokio::task::yield_now().await;
        Ok(self.doors().get(&domain).and_then(|door| door.commits))
    }
}
