//! Where files wait for their final names: one directory per store instance, which lives as long as its lock is held.
//!
//! ```text
//! staging/<owner>.lock              held from before the directory appears until the instance is dropped
//! staging/<owner>/<id>.data         bytes
//! staging/<owner>/<id>.json         documents
//! ```
//!
//! # Why sweeping never takes the files of the living
//!
//! An owner locks its lock file first and only then makes its directory; a sweeper takes the lock of an owner (making
//! the lock file if there is none) and only then removes anything. So whoever holds the lock is alone with the
//! directory. A sweeper that comes between the creation of the lock file and its locking may obtain the lock first: it
//! finds no directory, removes the lock file and frees it; the owner, who waited, finds that its lock is of a file
//! without a name and creates the lock file anew (that is a promise of [`Vfs::lock`]).
//!
//! Names in `staging/` that this module does not make are left alone.

use std::io::{ErrorKind, Result as IoResult};
use std::sync::{Arc, Mutex, PoisonError};

use artstore_core::backend::{IdSource, SweepReport};
use artstore_core::id::StagingId;
use artstore_core::layout::STAGING;
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};
use uuid::Uuid;

use crate::error;
use crate::vfs::{FileKind, LockWait, Vfs, VfsEntry, VfsFile, VfsLock};

const LOCK_SUFFIX: &str = ".lock";
/// Modes of staged files, which keep them when they are published.
const STAGED_MODE: u32 = 0o444;

/// What a staged file holds, which its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StagedKind {
    Data,
    Document,
}

impl StagedKind {
    const ALL: [Self; 2] = [Self::Data, Self::Document];

    const fn suffix(self) -> &'static str {
        match self {
            Self::Data => ".data",
            Self::Document => ".json",
        }
    }
}

/// The staging area as one store instance sees it.
#[derive(Debug)]
pub(crate) struct Staging {
    vfs: Arc<dyn Vfs>,
    ids: Arc<dyn IdSource>,
    owner: Mutex<Option<Owner>>,
}

/// This instance's own directory.
#[derive(Debug)]
struct Owner {
    vfs: Arc<dyn Vfs>,
    id: Uuid,
    directory: RelPath,
    lock_file: RelPath,
    _lock: Box<dyn VfsLock>,
}

impl Staging {
    pub(crate) fn new(vfs: Arc<dyn Vfs>, ids: Arc<dyn IdSource>) -> Self {
        Self {
            vfs,
            ids,
            owner: Mutex::new(None),
        }
    }

    /// Creates a staged file; the directory is made when it is first needed.
    pub(crate) fn create(
        &self,
        id: StagingId,
        kind: StagedKind,
    ) -> Result<(RelPath, Box<dyn VfsFile>)> {
        let name = format!("{id}{}", kind.suffix());
        let directory = self.directory()?;
        let path = directory.join(&name)?;
        match self.vfs.create(&path, STAGED_MODE) {
            Ok(file) => return Ok((path, file)),
            // Somebody emptied the staging area by hand.
            Err(error) if error.kind() == ErrorKind::NotFound => self.forget(&directory),
            Err(error) => return Err(self.failed("create", &path, error)),
        }
        let path = self.directory()?.join(&name)?;
        let created = self.vfs.create(&path, STAGED_MODE);
        let file = created.map_err(|error| self.failed("create", &path, error))?;
        Ok((path, file))
    }

    fn forget(&self, directory: &RelPath) {
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        owner.take_if(|known| known.directory == *directory);
    }

    fn directory(&self) -> Result<RelPath> {
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = owner.as_ref() {
            return Ok(known.directory.clone());
        }
        let new = Owner::take(Arc::clone(&self.vfs), self.ids.next_id())?;
        let directory = new.directory.clone();
        *owner = Some(new);
        Ok(directory)
    }

    /// Removes this instance's own directory and gives up its lock, unless something is staged.
    pub(crate) fn release(&self) {
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        owner.take_if(|known| match self.vfs.remove_directory(&known.directory) {
            Ok(()) => true,
            Err(error) => error.kind() == ErrorKind::NotFound,
        });
    }

    fn own_id(&self) -> Option<Uuid> {
        let owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        owner.as_ref().map(|owner| owner.id)
    }

    /// Removes the files of dead owners.
    pub(crate) fn sweep(&self) -> Result<SweepReport> {
        let mut report = SweepReport::default();
        let own = self.own_id();
        for id in self.owners()? {
            match Some(id) == own {
                true => self.count_living(id, &mut report)?,
                false => self.sweep_owner(id, &mut report)?,
            }
        }
        Ok(report)
    }

    fn owners(&self) -> Result<Vec<Uuid>> {
        let staging = RelPath::new(STAGING)?;
        let listed = self.list(&staging)?;
        let mut owners: Vec<Uuid> = listed.iter().filter_map(owner_of).collect();
        owners.sort_unstable();
        owners.dedup();
        Ok(owners)
    }

    fn sweep_owner(&self, id: Uuid, report: &mut SweepReport) -> Result<()> {
        let (directory, lock_file) = owner_paths(id)?;
        let lock = self
            .vfs
            .lock(&lock_file, LockWait::Try)
            .map_err(|error| self.failed("lock", &lock_file, error))?;
        let Some(lock) = lock else {
            return self.count_living(id, report);
        };
        for entry in self.list(&directory)?.iter().filter(|e| is_staged_file(e)) {
            let path = directory.join(&entry.name.to_string_lossy())?;
            match self.vfs.remove_file(&path) {
                Ok(()) => report.removed += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(self.failed("remove", &path, error)),
            }
        }
        remove_owner(self.vfs.as_ref(), &directory, &lock_file)
            .map_err(|error| self.failed("remove", &directory, error))?;
        drop(lock);
        Ok(())
    }

    fn count_living(&self, id: Uuid, report: &mut SweepReport) -> Result<()> {
        let (directory, _) = owner_paths(id)?;
        let has_files = self.list(&directory)?.iter().any(is_staged_file);
        report.living_owners += u64::from(has_files);
        Ok(())
    }

    fn list(&self, directory: &RelPath) -> Result<Vec<VfsEntry>> {
        let listed = self.vfs.read_directory(Some(directory));
        let listed = error::missing_is_none(self.vfs.as_ref(), "list", Some(directory), listed)?;
        Ok(listed.unwrap_or_default())
    }

    fn failed(&self, operation: &'static str, path: &RelPath, error: std::io::Error) -> Error {
        error::below(self.vfs.as_ref(), operation, Some(path), error)
    }
}

impl Owner {
    /// Locks first, then makes the directory: see the documentation of the module.
    fn take(vfs: Arc<dyn Vfs>, id: Uuid) -> Result<Self> {
        let staging = RelPath::new(STAGING)?;
        let (directory, lock_file) = owner_paths(id)?;
        let failed = |operation, path: &RelPath, error| {
            Err(error::below(vfs.as_ref(), operation, Some(path), error))
        };
        match vfs.create_directory(&staging) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return failed("create", &staging, error);
            }
            _ => {}
        }
        let lock = match vfs.lock(&lock_file, LockWait::Block) {
            Ok(Some(lock)) => lock,
            Ok(None) => return Err(Error::internal("waiting for a lock ended without it")),
            Err(error) => return failed("lock", &lock_file, error),
        };
        if let Err(error) = vfs.create_directory(&directory) {
            let _ = vfs.remove_file(&lock_file);
            return failed("create", &directory, error);
        }
        Ok(Self {
            vfs,
            id,
            directory,
            lock_file,
            _lock: lock,
        })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // What cannot be removed is swept later.
        let _ = remove_owner(self.vfs.as_ref(), &self.directory, &self.lock_file);
    }
}

/// Removes the directory, if it is empty, and then the lock file. The lock must be held.
fn remove_owner(vfs: &dyn Vfs, directory: &RelPath, lock_file: &RelPath) -> IoResult<()> {
    match vfs.remove_directory(directory) {
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => return Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match vfs.remove_file(lock_file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn owner_paths(id: Uuid) -> Result<(RelPath, RelPath)> {
    let name = id.as_hyphenated();
    Ok((
        RelPath::new(format!("{STAGING}/{name}"))?,
        RelPath::new(format!("{STAGING}/{name}{LOCK_SUFFIX}"))?,
    ))
}

/// The owner that an entry of `staging/` belongs to, by its lock file or its directory.
fn owner_of(entry: &VfsEntry) -> Option<Uuid> {
    let name = entry.name.to_str()?;
    match entry.kind {
        FileKind::Directory => parse_id(name),
        FileKind::File => parse_id(name.strip_suffix(LOCK_SUFFIX)?),
        FileKind::Other => None,
    }
}

fn is_staged_file(entry: &VfsEntry) -> bool {
    let is_staged_name = |name: &str| {
        StagedKind::ALL
            .iter()
            .filter_map(|kind| name.strip_suffix(kind.suffix()))
            .any(|stem| parse_id(stem).is_some())
    };
    entry.kind == FileKind::File && entry.name.to_str().is_some_and(is_staged_name)
}

/// An id in the one form in which it is written.
fn parse_id(text: &str) -> Option<Uuid> {
    text.parse::<StagingId>()
        .ok()
        .filter(|id| id.to_string() == text)
        .map(|id| id.as_uuid())
}
