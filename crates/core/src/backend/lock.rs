use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::Domain;
use crate::error::Result;

/// One writer per domain, over all processes.
#[async_trait]
pub trait DomainLock: Debug + Send + Sync + 'static {
    /// Waits at most `patience` for the lock of `domain`.
    ///
    /// At most one permit of a domain exists at a time, over all processes and all instances in one process. Waiters get
    /// the lock without starving. The death of the holder frees it. Dropping the returned future frees whatever it
    /// obtains later.
    ///
    /// # Errors
    /// [`Busy`](crate::ErrorKind::Busy) if the lock was not free in time; [`Unavailable`](crate::ErrorKind::Unavailable) if
    /// the place of the locks cannot be reached.
    async fn acquire(&self, domain: Domain, patience: Duration) -> Result<Acquired>;

    /// Leaves `commits`, the catalog's commit counter, for the next holder. It need not survive a power loss.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if it cannot be written; the next holder then compares everything.
    async fn leave_commits(&self, permit: &LockPermit, commits: u64) -> Result<()>;

    /// The commit counter that the last holder left, read without the lock; `None` as in [`Acquired::commits`].
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if it cannot be read.
    async fn last_commits(&self, domain: Domain) -> Result<Option<u64>>;
}

/// The lock was obtained.
#[derive(Debug)]
pub struct Acquired {
    /// Proof of it.
    pub permit: LockPermit,
    /// The commit counter that the last holder left; `None` if it left none, or left it before the machine was last
    /// started, so that everything must be compared.
    pub commits: Option<u64>,
}

/// Holds a lock; dropping it frees the lock.
pub trait LockHold: Debug + Send + Sync + 'static {}

/// Proof that the lock of a domain is held. Writing backend methods ask for it and keep a clone until their work has
/// really ended, so that the lock is never free while a write goes on, even where the caller was dropped.
#[derive(Debug, Clone)]
pub struct LockPermit {
    domain: Domain,
    hold: Arc<dyn LockHold>,
}

impl LockPermit {
    /// A permit for `domain` that lasts as long as one of its clones.
    pub fn new(domain: Domain, hold: Arc<dyn LockHold>) -> Self {
        Self { domain, hold }
    }

    /// The domain whose lock is held.
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// What holds the lock, for the lock that made the permit.
    pub fn hold(&self) -> &Arc<dyn LockHold> {
        &self.hold
    }
}
