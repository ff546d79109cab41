//! The one connection that writes.

use std::sync::Arc;

use artstore_core::{Error, Result};
use rusqlite::Connection;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::connection::Role;
use crate::error::Failure;
use crate::slot::{Slot, Slots};
use crate::thread::on_thread;

/// One connection, used by one thread at a time: calls wait for each other in the order in which they come.
#[derive(Debug)]
pub(crate) struct Writer {
    slots: Arc<Slots>,
    slot: Arc<Mutex<Slot>>,
}

impl Writer {
    pub(crate) fn new(slots: Arc<Slots>) -> Self {
        let slot = slots.add(Role::Writer);
        Self {
            slots,
            slot: Arc::new(Mutex::new(slot)),
        }
    }

    /// Does `work` on the connection. Once begun it is finished, even if the caller goes away.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let mut slot = self.wait(operation).await?;
        on_thread(operation, move || slot.run(operation, work)).await
    }

    /// Waits for every call that was begun and closes the connection.
    pub(crate) async fn close(&self) {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        let closing = on_thread("close", move || {
            slot.close();
            Ok(())
        });
        // It fails only where the runtime is shutting down, which drops the connection too.
        let _ = closing.await;
    }

    async fn wait(&self, operation: &'static str) -> Result<OwnedMutexGuard<Slot>> {
        let slot = Arc::clone(&self.slot);
        if let Ok(slot) = Arc::clone(&slot).try_lock_owned() {
            return Ok(slot);
        }
        tokio::time::timeout(self.slots.settings().queue_patience, slot.lock_owned())
            .await
            .map_err(|_| {
                Error::busy("the writer of the catalog has too much to do")
                    .with("operation", operation)
                    .hint("try again")
            })
    }
}
