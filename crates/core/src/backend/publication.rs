use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use super::{LockPermit, StagedFile};
use crate::domain::Domain;
use crate::error::Result;
use crate::format::{Intent, IntentItem};
use crate::id::PublicationId;
use crate::key::OpId;
use crate::path::RelPath;

/// The step from staged to final names, and the intents that make it recoverable.
///
/// Every method is called under the domain's lock and keeps its permit until its work has ended.
#[async_trait]
pub trait PublicationLog: Debug + Send + Sync + 'static {
    /// Gives staged files and new documents their final names.
    ///
    /// In this order: writes an intent that names every final path; writes and syncs the documents; makes and syncs
    /// missing directories; gives the final names item by item, in each item the files in their order and the document or
    /// last file (its marker) last, never replacing anything; syncs each directory once. The published files can only be
    /// read (modes 0444 less the umask).
    ///
    /// A name that is taken is a definite [`Conflict`](crate::ErrorKind::Conflict).
    ///
    /// Returns one result per item: `Ok` if its names exist and survive a power loss. After a definite error
    /// (any kind but [`CommitUnknown`](crate::ErrorKind::CommitUnknown)) none of the item's final names exists and what was
    /// to be adopted is back in its place. After [`CommitUnknown`](crate::ErrorKind::CommitUnknown) settling finds out.
    ///
    /// # Errors
    /// The outer error is definite for every item: nothing has a final name and no intent is left.
    async fn publish(
        &self,
        permit: &LockPermit,
        publication: Publication,
    ) -> Result<Vec<Result<()>>>;

    /// Replaces the document at `path`: a reader finds the old or the new one, whole, also after a power loss.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable); the old document is then still there.
    async fn replace_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()>;

    /// Gives `path` this document, whatever was there: a reader finds the old or the new one, whole.
    ///
    /// # Durability
    /// When it returns, the document and its name survive a power loss.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable); the old document or the new one is there then.
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if a directory on the way is a symbolic link.
    async fn put_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()>;

    /// Removes the intent of a publication whose rows are committed.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable); the intent then stays and is settled later.
    async fn finish(&self, permit: &LockPermit, publication: PublicationId) -> Result<()>;

    /// Every intent of the domain; a torn one, whose publication cannot have begun to name anything, is removed.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    async fn intents(&self, permit: &LockPermit) -> Result<Vec<Intent>>;

    /// The number of intents of a domain, without its lock: publications that are under way or were interrupted.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    async fn pending(&self, domain: Domain) -> Result<u64>;

    /// Deals with one item of an intent that was found. If its marker exists, makes sure that its names survive a power
    /// loss. Otherwise takes its names back: an adopted file to where it came from if that name is free, all else to
    /// quarantine. Every directory that the item names survives a power loss afterwards.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable); the intent must then stay.
    async fn settle_item(&self, permit: &LockPermit, item: &IntentItem) -> Result<SettledItem>;

    /// Moves a file to quarantine, under a name that tells where it was, and returns where it is now.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable); the file is then still in its place.
    async fn quarantine(&self, permit: &LockPermit, path: &RelPath) -> Result<RelPath>;

    /// Removes staged files whose owner is dead. Files of living processes are left alone, those of this one included.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    async fn sweep_staging(&self, permit: &LockPermit) -> Result<SweepReport>;
}

/// What one pass of a committer publishes.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// The domain.
    pub domain: Domain,
    /// Its items, each decided by itself.
    pub items: Vec<PublicationItem>,
}

/// What one operation publishes. It has at least one file or a document.
#[derive(Debug, Clone)]
pub struct PublicationItem {
    /// The operation.
    pub op_id: OpId,
    /// Staged files with their final names, in the order in which the names appear. Only the first of several names
    /// may be that of a file to be adopted.
    pub files: Vec<(StagedFile, RelPath)>,
    /// A document decided under the lock (an event, a record with a number), whose name appears last.
    pub document: Option<(RelPath, Bytes)>,
}

impl PublicationItem {
    /// Every final name, the marker last.
    pub fn final_names(&self) -> Vec<RelPath> {
        let files = self.files.iter().map(|(_, path)| path);
        files
            .chain(self.document.iter().map(|(path, _)| path))
            .cloned()
            .collect()
    }
}

/// What settling found of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettledItem {
    /// The marker exists: the operation happened, and its row must too.
    Happened,
    /// The marker does not exist: the operation did not happen. Files that had a final name are now here.
    TakenBack(Vec<String>),
}

/// What sweeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Files that were removed.
    pub removed: u64,
    /// Processes that are alive and have staged files.
    pub living_owners: u64,
}
