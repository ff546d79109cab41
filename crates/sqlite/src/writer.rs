//! The one thread that writes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use artstore_core::{Error, Result};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::connection::Role;
use crate::error::Failure;
use crate::slot::{Slot, Slots};

/// How many calls may wait for the thread before further ones wait for room.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&mut Slot) + Send>;

/// One connection on a thread of its own, which runs calls one after the other. It is started by the first call.
#[derive(Debug)]
pub(crate) struct Writer {
    slots: Arc<Slots>,
    thread: Mutex<Option<Thread>>,
}

#[derive(Debug)]
struct Thread {
    jobs: mpsc::Sender<Job>,
    ended: oneshot::Receiver<()>,
}

impl Writer {
    pub(crate) fn new(slots: Arc<Slots>) -> Self {
        Self {
            slots,
            thread: Mutex::default(),
        }
    }

    /// Does `work` on the connection. Once begun it is finished, even if the caller goes away.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let busy = || {
            Error::busy("the writer of the catalog has too much to do")
                .with("operation", operation)
                .hint("try again")
        };
        let deadline = Instant::now() + self.slots.settings().queue_patience;
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |slot| {
            if answer.is_closed() {
                return;
            }
            let outcome = match Instant::now() > deadline {
                true => None,
                false => Some(slot.run(operation, work)),
            };
            // Nobody may be left to hear it.
            let _ = answer.send(outcome);
        });
        let jobs = self.jobs()?;
        tokio::time::timeout(self.slots.settings().queue_patience, jobs.send(job))
            .await
            .map_err(|_| busy())?
            .map_err(|_| stopped(operation))?;
        answered
            .await
            .map_err(|_| stopped(operation))?
            .unwrap_or_else(|| Err(busy()))
    }

    /// Waits for every call that was begun or queued and closes the connection.
    pub(crate) async fn close(&self) {
        let Some(Thread { jobs, ended }) = self.thread().take() else {
            return;
        };
        drop(jobs);
        // An error also means that the thread has ended.
        let _ = ended.await;
    }

    fn jobs(&self) -> Result<mpsc::Sender<Job>> {
        let mut thread = self.thread();
        if let Some(running) = thread.as_ref().filter(|running| !running.jobs.is_closed()) {
            return Ok(running.jobs.clone());
        }
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (end, ended) = oneshot::channel();
        let slot = self.slots.add(Role::Writer);
        std::thread::Builder::new()
            .name("artstore-sqlite".into())
            .spawn(move || work_off(queue, slot, end))
            .map_err(|error| {
                Error::unavailable("no thread can be started for the catalog").caused_by(error)
            })?;
        *thread = Some(Thread {
            jobs: jobs.clone(),
            ended,
        });
        Ok(jobs)
    }

    fn thread(&self) -> MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work_off(mut queue: mpsc::Receiver<Job>, mut slot: Slot, end: oneshot::Sender<()>) {
    while let Some(job) = queue.blocking_recv() {
        job(&mut slot);
    }
    slot.close();
    // Nobody waits where the catalog was dropped.
    let _ = end.send(());
}

fn stopped(operation: &'static str) -> Error {
    Error::internal("the writer of the catalog stopped").with("operation", operation)
}
