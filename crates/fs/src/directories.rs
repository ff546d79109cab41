//! Making directories that survive a power loss.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use artstore_core::path::RelPath;
use artstore_core::{Error, Result};

use crate::store::Inner;

/// Directories could not be made, or not durably.
pub(crate) struct DirectoriesFailed {
    pub(crate) error: Error,
    pub(crate) remains: Remains,
}

/// What is left of directories that were made in vain. One that stays may not be durable: the intent must stay with it, so
/// that settling syncs it before anybody relies on it.
#[derive(PartialEq, Eq)]
pub(crate) enum Remains {
    Nothing,
    Directories,
}

impl Inner {
    /// Makes the directories of `wanted` that are missing, with those above them, and lets `sync` make their names durable;
    /// after an error they are removed again.
    pub(crate) fn make_directories(
        &self,
        wanted: &BTreeSet<RelPath>,
        sync: impl FnOnce(&[RelPath]) -> Result<()>,
    ) -> Result<(), DirectoriesFailed> {
        let mut made = Vec::new();
        let result = wanted
            .iter()
            .try_for_each(|directory| self.make_directory(directory, &mut made))
            .and_then(|()| sync(&made));
        result.map_err(|error| {
            let mut remains = Remains::Nothing;
            for directory in made.iter().rev() {
                if self.vfs.remove_directory(directory).is_err() {
                    remains = Remains::Directories;
                }
            }
            DirectoriesFailed { error, remains }
        })
    }

    /// The deepest one first, as mostly all of its parents exist.
    fn make_directory(&self, directory: &RelPath, made: &mut Vec<RelPath>) -> Result<()> {
        let mut created = self.vfs.create_directory(directory);
        if let (Err(error), Some(parent)) = (&created, directory.parent())
            && error.kind() == ErrorKind::NotFound
        {
            self.make_directory(&parent, made)?;
            created = self.vfs.create_directory(directory);
        }
        match created {
            Ok(()) => made.push(directory.clone()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(self.failed("create", Some(directory), error)),
        }
        Ok(())
    }

    /// Makes the names of directories durable that were made just now.
    pub(crate) fn sync_parents(&self, made: &[RelPath]) -> Result<()> {
        let parents: BTreeSet<Option<RelPath>> = made.iter().map(RelPath::parent).collect();
        parents
            .iter()
            .try_for_each(|parent| self.sync_names(parent.as_ref()))
    }

    /// Makes the names of `directory` and of all directories above it durable.
    pub(crate) fn sync_chain(&self, directory: Option<&RelPath>) -> Result<()> {
        let mut below = directory.cloned();
        while let Some(directory) = below {
            below = directory.parent();
            self.sync_names(below.as_ref())?;
        }
        Ok(())
    }

    /// Makes the names in `directory` durable.
    pub(crate) fn sync_names(&self, directory: Option<&RelPath>) -> Result<()> {
        self.vfs
            .sync_directory(directory)
            .map_err(|error| self.failed("sync", directory, error))
    }
}
