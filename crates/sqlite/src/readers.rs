//! The bounded number of connections that read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use artstore_core::{Error, Result};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::Role;
use crate::error::Failure;
use crate::slot::{Slot, Slots};
use crate::thread::{Threads, on_thread};

/// Connections that read, each used by one call at a time.
///
/// A slot opens its connection itself, where blocking is allowed; so what is kept here is room, not connections.
#[derive(Debug)]
pub(crate) struct Readers {
    slots: Arc<Slots>,
    count: u32,
    room: Arc<Semaphore>,
    threads: Threads,
    idle: Arc<Mutex<Vec<Slot>>>,
}

impl Readers {
    pub(crate) fn new(slots: Arc<Slots>) -> Self {
        let count = u32::try_from(slots.settings().readers.max(1)).unwrap_or(u32::MAX);
        Self {
            slots,
            count,
            room: Arc::new(Semaphore::new(count as usize)),
            threads: Threads::new(),
            idle: Arc::default(),
        }
    }

    /// Does `work` in a read transaction.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        self.run_on_connection(operation, |connection| {
            let transaction = connection.transaction()?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        })
        .await
    }

    /// Does `work`, which is one statement and what it asks while it stands on a row: SQLite reads all of that from one state
    /// of the database without being told where a transaction begins and ends, which costs more than the statement.
    pub(crate) async fn run_statement<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        self.run_on_connection(operation, |connection| work(connection))
            .await
    }

    /// Does `work` on a connection that nobody else uses. If the caller goes away, it is given back when `work` ends.
    async fn run_on_connection<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let room = self.wait(1, operation).await?;
        let idle = Arc::clone(&self.idle);
        let slots = Arc::clone(&self.slots);
        let work = move || {
            let epoch = slots.place().epoch();
            let former = lock(&idle).pop();
            let mut slot = former.unwrap_or_else(|| slots.add(Role::Reader));
            let outcome = slot.run(operation, work);
            let is_missing = outcome.as_ref().is_err_and(Error::is_catalog_missing);
            if is_missing || slots.place().epoch() != epoch {
                // Connections to a database that is gone hold its space on disk.
                drop_all(&idle);
            }
            lock(&idle).push(slot);
            outcome
        };
        self.threads.run(operation, room, work).await
    }

    /// Waits for every connection and closes it.
    pub(crate) async fn close(&self) {
        let idle = Arc::clone(&self.idle);
        let work = move || {
            drop_all(&idle);
            Ok(())
        };
        let _ = match self.wait(self.count, "close").await {
            Ok(room) => self.threads.run("close", room, work).await,
            // Where calls take longer than the patience, their connections stay open, as for any call that comes later.
            Err(_) => on_thread("close", work).await,
        };
        self.threads.dismiss();
    }

    async fn wait(&self, count: u32, operation: &'static str) -> Result<OwnedSemaphorePermit> {
        if let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(count) {
            return Ok(room);
        }
        let room = Arc::clone(&self.room).acquire_many_owned(count);
        match tokio::time::timeout(self.slots.settings().queue_patience, room).await {
            Ok(Ok(room)) => Ok(room),
            Ok(Err(error)) => {
                Err(Error::internal("the catalog's readers are gone").caused_by(error))
            }
            Err(_) => Err(Error::busy("every connection to the catalog is in use")
                .with("operation", operation)
                .with("catalog", self.slots.place().path().display())
                .hint("try again, or allow more readers")),
        }
    }
}

fn drop_all(idle: &Mutex<Vec<Slot>>) {
    let slots = std::mem::take(&mut *lock(idle));
    drop(slots);
}

fn lock(idle: &Mutex<Vec<Slot>>) -> MutexGuard<'_, Vec<Slot>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
