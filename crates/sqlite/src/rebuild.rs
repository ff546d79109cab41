//! Making a new database beside the old one.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use artstore_core::backend::{ArtifactCommit, ArtifactCommits, CatalogHead, LockPermit};
use artstore_core::{Error, Result};
use futures_util::StreamExt as _;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;

use crate::artifacts;
use crate::error::Failure;
use crate::place::Place;
use crate::schema::{self, DeferredIndexes};
use crate::settings::SqliteSettings;
use crate::swap::{self, NewDatabase};
use crate::thread::on_own_thread;

/// How many chunks may wait for the database.
const QUEUE: usize = 2;

/// What the thread that fills the new database is told.
enum Step {
    Fill(ArtifactCommit),
    Finish,
}

/// Makes the database at `place` anew from `commits`. Returns the name that the former one is kept under.
pub(crate) async fn rebuild(
    place: Arc<Place>,
    settings: SqliteSettings,
    permit: LockPermit,
    head: CatalogHead,
    mut commits: ArtifactCommits,
) -> Result<Option<String>> {
    let (steps, queue) = mpsc::channel(QUEUE);
    let build = on_own_thread("rebuild", move || {
        // The lock is held until the work has ended, even if the caller goes away.
        let _held = permit;
        build_and_swap(&place, &settings, &head, queue)
    });
    let feed = async move {
        while let Some(chunk) = commits.next().await {
            if steps.send(Step::Fill(chunk?)).await.is_err() {
                // The thread ended early and says why.
                return Ok(());
            }
        }
        let _ = steps.send(Step::Finish).await;
        Ok(())
    };
    let (fed, built) = tokio::join!(feed, build);
    fed.and(built)
}

fn build_and_swap(
    place: &Place,
    settings: &SqliteSettings,
    head: &CatalogHead,
    queue: mpsc::Receiver<Step>,
) -> Result<Option<String>> {
    let new = NewDatabase::prepare(place.path())?;
    fill(new.path(), head, queue).map_err(|failure| failure.into_error("rebuild", new.path()))?;
    // No connection to it is open any more, so it may be opened by other means.
    File::open(new.path())
        .and_then(|file| file.sync_all())
        .map_err(|error| swap::failed("sync", new.path(), error))?;
    let kept = new.put_in_place(head.store_id, settings)?;
    place.opened(place.find()?.file);
    Ok(kept)
}

fn fill(path: &Path, head: &CatalogHead, mut queue: mpsc::Receiver<Step>) -> Result<(), Failure> {
    let mut connection = create(path)?;
    let indexes = DeferredIndexes::drop_from(&connection)?;
    artifacts::create_catalog(&connection, head)?;
    loop {
        match queue.blocking_recv() {
            Some(Step::Fill(commit)) => artifacts::fill(&mut connection, &commit)?,
            Some(Step::Finish) => break,
            None => return Err(Error::unavailable("the rebuild was interrupted").into()),
        }
    }
    indexes.make(&connection)?;
    artifacts::set_head(&connection, head)?;
    // What the file says about itself; the log is gone again when the connection is closed.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection
        .close()
        .map_err(|(_, error)| Failure::Sqlite(error))?;
    Ok(())
}

/// A new database that is fast to fill and worth nothing until it is finished.
fn create(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update_and_check(None, "locking_mode", "exclusive", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    connection.set_prepared_statement_cache_capacity(64);
    schema::create(&connection)?;
    Ok(connection)
}

/// Removes the file at `path` if there is one.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(swap::failed("remove", path, error))
        }
        _ => Ok(()),
    }
}
