//! A connection that is opened when needed, and anew when the database was replaced.

use std::sync::Arc;

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

/// Room for one connection.
#[derive(Debug)]
pub(crate) struct Slot {
    place: Arc<Place>,
    role: Role,
    settings: SqliteSettings,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    identity: DatabaseIdentity,
    epoch: u64,
}

impl Slot {
    pub(crate) fn new(place: Arc<Place>, role: Role, settings: SqliteSettings) -> Self {
        Self {
            place,
            role,
            settings,
            open: None,
        }
    }

    /// Does `work` on a connection to the database that lies here now.
    pub(crate) fn run<T>(
        &mut self,
        operation: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T> {
        let outcome = self.ready().and_then(work);
        outcome.map_err(|failure| self.explain(failure, operation))
    }

    /// Closes the connection.
    pub(crate) fn close(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        if self.place.find().is_ok_and(|found| found == open.identity) {
            finish(&open.connection, self.role);
        } else {
            retire(open.connection);
        }
    }

    fn ready(&mut self) -> Result<&mut Connection, Failure> {
        let found = match self.place.find() {
            Ok(found) => found,
            Err(error) => {
                self.discard();
                return Err(error.into());
            }
        };
        if let Some(stale) = self.open.take_if(|open| open.identity != found) {
            self.place.found_replaced(stale.epoch, found.file);
            retire(stale.connection);
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => self.open_anew()?,
        };
        Ok(&mut self.open.insert(open).connection)
    }

    fn open_anew(&self) -> Result<Open, Failure> {
        for _ in 0..ATTEMPTS {
            let before = self.place.find()?;
            let connection =
                connection::open(self.place.path(), self.role, Accept::Newest, &self.settings)?;
            // The log appears with the first connection, so the identity is taken afterwards.
            let identity = self.place.find()?;
            if identity.file == before.file {
                let epoch = self.place.opened(identity.file);
                return Ok(Open {
                    connection,
                    identity,
                    epoch,
                });
            }
            retire(connection);
        }
        Err(Error::busy("the catalog is being replaced")
            .hint("try again")
            .into())
    }

    fn explain(&mut self, failure: Failure, operation: &'static str) -> Error {
        if !failure.spoils_connection() {
            return failure.into_error(operation, self.place.path());
        }
        self.discard();
        match self.place.find() {
            // It went away meanwhile, which says more than how SQLite noticed.
            Err(error) if error.is_catalog_missing() => error,
            _ => failure.into_error(operation, self.place.path()),
        }
    }

    fn discard(&mut self) {
        if let Some(open) = self.open.take() {
            retire(open.connection);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.close();
    }
}

/// Closes a connection to a database that lies here no more, without touching the log that lies here now.
fn retire(connection: Connection) {
    // If it cannot be set, SQLite itself still compares the database's inode before it deletes a log.
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    drop(connection);
}

fn finish(connection: &Connection, role: Role) {
    if role == Role::Writer {
        // Only a convenience for the planner: nobody waits for it, and nothing depends on it.
        let _ = connection.busy_timeout(std::time::Duration::ZERO);
        let _ = connection.execute_batch("PRAGMA optimize");
    }
}
