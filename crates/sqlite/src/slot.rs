//! Connections that are opened when needed, and anew when the database was replaced.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use artstore_core::{Error, Result};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::connection::{self, Role};
use crate::error::Failure;
use crate::place::{DatabaseIdentity, Place};
use crate::schema::Accept;
use crate::settings::SqliteSettings;

/// How often opening is tried while the database is being replaced.
const ATTEMPTS: usize = 5;

/// Every connection of one catalog.
#[derive(Debug)]
pub(crate) struct Slots {
    place: Arc<Place>,
    settings: SqliteSettings,
    all: Mutex<Vec<Weak<SharedOpen>>>,
}

/// Room for one connection.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    role: Role,
    open: Arc<SharedOpen>,
}

type SharedOpen = Mutex<Option<Open>>;

#[derive(Debug)]
struct Open {
    connection: Connection,
    identity: DatabaseIdentity,
    epoch: u64,
}

impl Slots {
    pub(crate) fn new(place: Arc<Place>, settings: SqliteSettings) -> Self {
        Self {
            place,
            settings,
            all: Mutex::default(),
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn settings(&self) -> &SqliteSettings {
        &self.settings
    }

    /// A slot without a connection.
    pub(crate) fn add(self: &Arc<Self>, role: Role) -> Slot {
        let open = Arc::new(SharedOpen::default());
        let mut all = lock(&self.all);
        all.retain(|slot| slot.strong_count() > 0);
        all.push(Arc::downgrade(&open));
        Slot {
            slots: Arc::clone(self),
            role,
            open,
        }
    }

    /// Closes every connection to a database that does not lie here any more, waiting for those in use.
    ///
    /// SQLite shares the index of a log between all connections of a process to one file. As long as one of them is open,
    /// a connection that is opened after the log was deleted would look for its pages where there are none.
    fn retire_stale(&self) -> Result<()> {
        for slot in lock(&self.all).iter().filter_map(Weak::upgrade) {
            let mut slot = lock(&slot);
            // Looked at anew for each: a log may have appeared with a connection that was opened meanwhile.
            let found = self.place.find()?;
            if let Some(stale) = slot.take_if(|open| open.identity != found) {
                self.place.found_replaced(stale.epoch, found.file);
                retire(stale.connection);
            }
        }
        Ok(())
    }
}

impl Slot {
    /// Does `work` on a connection to the database that lies here now.
    pub(crate) fn run<T>(
        &mut self,
        operation: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T> {
        let outcome = self.run_on_present(work);
        outcome.map_err(|failure| self.explain(failure, operation))
    }

    /// Closes the connection.
    pub(crate) fn close(&mut self) {
        let Some(open) = lock(&self.open).take() else {
            return;
        };
        if self
            .slots
            .place
            .find()
            .is_ok_and(|found| found == open.identity)
        {
            finish(&open.connection, self.role);
        } else {
            retire(open.connection);
        }
    }

    fn run_on_present<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let found = match self.slots.place.find() {
            Ok(found) => found,
            Err(error) => {
                self.discard();
                return Err(error.into());
            }
        };
        let is_present = lock(&self.open)
            .as_ref()
            .is_some_and(|open| open.identity == found);
        if !is_present {
            self.slots.retire_stale()?;
        }
        let mut open = lock(&self.open);
        let opened = match open.take() {
            Some(opened) => opened,
            None => self.open_anew()?,
        };
        work(&mut open.insert(opened).connection)
    }

    fn open_anew(&self) -> Result<Open, Failure> {
        let Slots {
            place, settings, ..
        } = &*self.slots;
        for _ in 0..ATTEMPTS {
            let before = place.find()?;
            let connection = connection::open(place.path(), self.role, Accept::Newest, settings)?;
            // The log appears with the first connection, so the identity is taken afterwards.
            let identity = place.find()?;
            if identity.file == before.file {
                return Ok(Open {
                    connection,
                    identity,
                    epoch: place.opened(identity.file),
                });
            }
            retire(connection);
        }
        Err(Error::busy("the catalog is being replaced")
            .hint("try again")
            .into())
    }

    fn explain(&self, failure: Failure, operation: &'static str) -> Error {
        let place = &self.slots.place;
        if !failure.spoils_connection() {
            return failure.into_error(operation, place.path());
        }
        self.discard();
        match place.find() {
            // It went away meanwhile, which says more than how SQLite noticed.
            Err(error) if error.is_catalog_missing() => error,
            _ => failure.into_error(operation, place.path()),
        }
    }

    fn discard(&self) {
        if let Some(open) = lock(&self.open).take() {
            retire(open.connection);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.close();
    }
}

/// Closes a connection to a database that may lie here no more, without touching the log that lies here now.
fn retire(connection: Connection) {
    // If it cannot be set, SQLite itself still compares the database's inode before it deletes a log.
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    drop(connection);
}

fn finish(connection: &Connection, role: Role) {
    if role == Role::Writer {
        // Only a convenience for the planner: nobody waits for it, and nothing depends on it.
        let _ = connection.busy_timeout(Duration::ZERO);
        let _ = connection.execute_batch("PRAGMA optimize");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
