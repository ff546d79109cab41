//! Putting a finished database into the place of the former one.
//!
//! SQLite copies whatever log lies beside a database into it, so a new database must never lie beside the log of a former
//! one. The order: the former database goes first, then its log; both are gone durably before the new one gets the name.
//! Whatever interrupts it, there is the former database with its log, none, or the new one without a log.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use artstore_core::id::StoreId;
use artstore_core::{Error, Result};

use crate::artifacts;
use crate::connection::{self, Role};
use crate::error::Failure;
use crate::place::with_suffix;
use crate::rebuild::remove;
use crate::schema::Accept;
use crate::settings::SqliteSettings;

/// The files that belong to a database: itself first.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// A database that is being made beside the one at `target`, and removed again unless it is put in its place.
#[derive(Debug)]
pub(crate) struct NewDatabase {
    target: PathBuf,
    path: PathBuf,
}

impl NewDatabase {
    /// Makes room: creates the directory, and removes what earlier attempts left.
    pub(crate) fn prepare(target: &Path) -> Result<Self> {
        let directory = directory_of(target);
        fs::create_dir_all(directory).map_err(|error| failed("create", directory, error))?;
        let new = Self {
            path: with_suffix(target, ".new"),
            target: target.to_owned(),
        };
        new.remove_parts()?;
        Ok(new)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the database at the target. Returns the name of the former one if it was kept: it could not be read, or is
    /// not the catalog of `store_id`.
    pub(crate) fn put_in_place(
        &self,
        store_id: StoreId,
        settings: &SqliteSettings,
    ) -> Result<Option<String>> {
        for part in ["-wal", "-journal"] {
            let left = with_suffix(&self.path, part);
            if left.exists() {
                return Err(
                    Error::internal("the new catalog is not complete in one file")
                        .with("path", left.display()),
                );
            }
        }
        let keep = exists(&self.target)? && owner(&self.target, settings) != Some(store_id);
        let aside = match keep {
            true => free_name_aside(&self.target)?,
            false => with_suffix(&self.target, ".old"),
        };
        for part in PARTS {
            rename(&with_suffix(&self.target, part), &with_suffix(&aside, part))?;
        }
        sync_directory(&self.target)?;
        fs::rename(&self.path, &self.target)
            .map_err(|error| failed("rename", &self.path, error))?;
        sync_directory(&self.target)?;
        if keep {
            return Ok(Some(aside.display().to_string()));
        }
        for part in PARTS {
            remove(&with_suffix(&aside, part))?;
        }
        Ok(None)
    }

    fn remove_parts(&self) -> Result<()> {
        for part in PARTS.into_iter().chain(["-journal"]) {
            remove(&with_suffix(&self.path, part))?;
        }
        Ok(())
    }
}

impl Drop for NewDatabase {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next attempt.
        let _ = self.remove_parts();
    }
}

/// Which store's catalog the database at `path` is. `None` if it is no catalog or not every page of it is in order.
fn owner(path: &Path, settings: &SqliteSettings) -> Option<StoreId> {
    let read = || -> Result<Option<StoreId>, Failure> {
        let connection = connection::open(path, Role::Reader, Accept::Older, settings)?;
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        // Every version of the schema tells its head alike.
        let head = artifacts::head(&connection)?;
        Ok((verdict == "ok").then_some(head.store_id))
    };
    read().ok().flatten()
}

fn exists(path: &Path) -> Result<bool> {
    path.try_exists()
        .map_err(|error| failed("look at", path, error))
}

/// A name under which nothing was kept yet.
fn free_name_aside(target: &Path) -> Result<PathBuf> {
    let mut number = unix_milliseconds();
    loop {
        let name = with_suffix(target, &format!(".aside-{number}"));
        if !exists(&name)? {
            return Ok(name);
        }
        number += 1;
    }
}

/// Renames what is there.
fn rename(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("rename", from, error)),
        _ => Ok(()),
    }
}

fn sync_directory(target: &Path) -> Result<()> {
    let directory = directory_of(target);
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| failed("sync", directory, error))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn unix_milliseconds() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
}

/// An error of the file system while a catalog is replaced.
pub(crate) fn failed(what: &'static str, path: &Path, error: io::Error) -> Error {
    Error::unavailable("the catalog cannot be made anew")
        .with("operation", what)
        .with("path", path.display())
        .hint("check the space and the permissions of the catalog's directory")
        .caused_by(error)
}
