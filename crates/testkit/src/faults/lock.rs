use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use artstore_core::backend::{Acquired, DomainLock, LockHold, LockPermit};
use artstore_core::{Domain, Result};
use async_trait::async_trait;

/// A lock that locks nothing: a harness that does not notice it proves nothing.
#[derive(Debug, Default)]
pub struct NoLock {
    commits: Arc<Mutex<BTreeMap<Domain, u64>>>,
}

#[derive(Debug)]
struct NoHold;

impl LockHold for NoHold {}

impl NoLock {
    /// A lock that everybody gets at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another instance with the same notes.
    pub fn instance(&self) -> Self {
        Self {
            commits: Arc::clone(&self.commits),
        }
    }

    fn note(&self, domain: Domain) -> Option<u64> {
        let commits = self.commits.lock().expect("no test panics holding it");
        commits.get(&domain).copied()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl DomainLock for NoLock {
    async fn acquire(&self, domain: Domain, _patience: Duration) -> Result<Acquired> {
        tokio::task::yield_now().await;
        Ok(Acquired {
            permit: LockPermit::new(domain, Arc::new(NoHold)),
            commits: self.note(domain),
        })
    }

    async fn leave_commits(&self, permit: &LockPermit, commits: u64) -> Result<()> {
        let mut notes = self.commits.lock().expect("no test panics holding it");
        notes.insert(permit.domain(), commits);
        Ok(())
    }

    async fn last_commits(&self, domain: Domain) -> Result<Option<u64>> {
        Ok(self.note(domain))
    }
}
