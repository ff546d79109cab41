//! The conformance suite of locks on the one in memory.

use std::sync::Arc;
use std::time::Duration;

use artstore_core::backend::DomainLock;
use artstore_core::{Domain, Result};
use artstore_testkit::conformance::lock::{LockCapabilities, LockHarness};
use artstore_testkit::memory::MemoryLock;
use async_trait::async_trait;

struct MemoryHarness(MemoryLock);

#[async_trait]
impl LockHarness for MemoryHarness {
    async fn open(&self) -> Arc<dyn DomainLock> {
        Arc::new(self.0.instance())
    }

    fn capabilities(&self) -> LockCapabilities {
        LockCapabilities::ALL
    }

    async fn reboot(&self) -> Result<()> {
        self.0.reboot();
        Ok(())
    }

    async fn die_holding(&self, domain: Domain) -> Result<()> {
        // In memory a process is an instance, and its death drops what it holds.
        let dying = self.0.instance();
        drop(dying.acquire(domain, Duration::ZERO).await?);
        Ok(())
    }
}

artstore_testkit::domain_lock_conformance!(MemoryHarness(MemoryLock::new()));
