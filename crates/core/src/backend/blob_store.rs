use std::fmt::{self, Debug};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use super::Progress;
use crate::artifact::ArtifactSource;
use crate::digest::Digest;
use crate::error::Result;
use crate::id::StagingId;
use crate::path::RelPath;

/// Bytes and documents: staging, reading, listing.
///
/// No path outside the root is read or written on behalf of a [`RelPath`]: symbolic links below the root are refused as
/// [`Corrupt`](crate::ErrorKind::Corrupt). The path of an [`ArtifactSource`] is the caller's and is the only exception.
#[async_trait]
pub trait BlobStore: Debug + Send + Sync + 'static {
    /// The size of `source` in bytes, without reading it.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or [`Invalid`](crate::ErrorKind::Invalid) if it is not a regular file.
    async fn source_size(&self, source: &ArtifactSource) -> Result<u64>;

    /// Reads and hashes `source`, writes nothing.
    ///
    /// # Errors
    /// As [`Self::stage`].
    async fn hash_source(
        &self,
        source: &ArtifactSource,
        progress: Arc<dyn Progress>,
    ) -> Result<SourceFacts>;

    /// Takes the bytes of `source` in under no final name, hashing them on the way. A source to be adopted is hashed
    /// where it is and stays there until it is published.
    ///
    /// # Durability
    /// The staged bytes survive a power loss; that they have a name in staging need not.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound): no such source.
    /// * [`Invalid`](crate::ErrorKind::Invalid): not a regular file; to be adopted: other hard links, another filesystem,
    ///   inside the store.
    /// * [`Conflict`](crate::ErrorKind::Conflict): it changed while it was read.
    /// * [`Unavailable`](crate::ErrorKind::Unavailable): no space, no permission, failed sync. Nothing stays behind.
    async fn stage(
        &self,
        id: StagingId,
        source: &ArtifactSource,
        progress: Arc<dyn Progress>,
    ) -> Result<StagedSource>;

    /// Stages a document.
    ///
    /// # Durability
    /// As [`Self::stage`].
    ///
    /// # Errors
    /// As [`Self::stage`].
    async fn stage_document(&self, id: StagingId, document: Bytes) -> Result<StagedFile>;

    /// Opens `source` for reading at any position.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Invalid`](crate::ErrorKind::Invalid) if it is not a regular file,
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    async fn open_source(&self, source: &ArtifactSource) -> Result<Arc<dyn RandomRead>>;

    /// Opens a staged file, in staging or where it is to be adopted, for reading at any position.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if it is gone, [`Conflict`](crate::ErrorKind::Conflict) if a file to be adopted
    /// has changed since it was staged, [`Corrupt`](crate::ErrorKind::Corrupt), [`Unavailable`](crate::ErrorKind::Unavailable).
    async fn open_staged(&self, staged: &StagedFile) -> Result<Arc<dyn RandomRead>>;

    /// Begins to stage bytes that are made on the way.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    async fn begin_staging(&self, id: StagingId) -> Result<Box<dyn StagingWriter>>;

    /// Removes staged files that were not published; leaves sources to be adopted alone. Failing is not an error: what
    /// stays behind is swept later.
    async fn discard(&self, staged: Vec<StagedFile>);

    /// Opens the file at `path`; `None` if it does not exist.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if it is not a regular file or reached through a symbolic link.
    async fn open(&self, path: &RelPath) -> Result<Option<BlobReader>>;

    /// The size of the file at `path` in bytes; `None` if it does not exist.
    ///
    /// # Errors
    /// As [`Self::open`].
    async fn size(&self, path: &RelPath) -> Result<Option<u64>>;

    /// The whole document at `path`; `None` if it does not exist.
    ///
    /// # Errors
    /// As [`Self::open`]; [`Corrupt`](crate::ErrorKind::Corrupt) if it is larger than
    /// [`MAX_DOCUMENT_BYTES`](crate::format::document::MAX_DOCUMENT_BYTES).
    async fn read_document(&self, path: &RelPath) -> Result<Option<Bytes>>;

    /// Every regular file below `directory`, in no particular order, a directory at a time; nothing if it does not exist.
    /// Symbolic links and special files are passed over.
    fn list(&self, directory: &RelPath) -> BlobList;

    /// Gives up what this instance holds in the staging area, as far as nothing is staged there. Later calls take it again.
    async fn close(&self);

    /// Where the file at `path` is on this machine; `None` if it is not on a local filesystem.
    fn local_path(&self, path: &RelPath) -> Option<PathBuf>;
}

/// The document that makes a place a store.
#[async_trait]
pub trait StoreRoot: Debug + Send + Sync + 'static {
    /// Looks at the root; writes nothing.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if it cannot be read, [`Unsupported`](crate::ErrorKind::Unsupported) if
    /// it is on a network filesystem.
    async fn state(&self) -> Result<RootState>;

    /// Makes the root a store by giving it `document`, and returns the document that is there afterwards: of two
    /// initialisers one wins and both get its document.
    ///
    /// # Durability
    /// When it returns, root and document survive a power loss.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) if the directory holds anything else.
    async fn initialize(&self, document: Bytes) -> Result<Bytes>;

    /// A name for the root in messages.
    fn describe(&self) -> String;
}

/// What a root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootState {
    /// There is nothing, or an empty directory.
    Empty,
    /// A directory with other things in it, one of which is named.
    Foreign(String),
    /// A store, with its document.
    Store(Bytes),
}

/// Bytes that can be read at any position. Its methods block.
pub trait RandomRead: Debug + Send + Sync + 'static {
    /// The size in bytes when it was opened.
    fn size(&self) -> u64;

    /// Fills `buffer` with the bytes at `position`.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) if there are fewer bytes, although [`Self::size`] promises them;
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()>;

    /// Checks that neither the bytes nor what has their name has changed since they were opened.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) if it has.
    fn check_unchanged(&self) -> Result<()>;
}

/// Takes bytes into staging that are made on the way. Its methods block. Dropping it unfinished removes what was staged.
pub trait StagingWriter: Debug + Send + 'static {
    /// Appends all of `data` and hashes it.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable); nothing more can be written then.
    fn write_all(&mut self, data: &[u8]) -> Result<()>;

    /// Ends the staged file.
    ///
    /// # Durability
    /// As [`BlobStore::stage`].
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable). Nothing stays behind.
    fn finish(self: Box<Self>) -> Result<StagedSource>;
}

/// Facts about the bytes of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes.
    pub digest: Digest,
}

/// A staged source.
#[derive(Debug, Clone)]
pub struct StagedSource {
    /// The staged file.
    pub file: StagedFile,
    /// Facts about its bytes.
    pub facts: SourceFacts,
}

/// A file that has no final name yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Its id.
    pub id: StagingId,
    /// Where it is.
    pub location: StagedLocation,
    /// What must still be true of it when it is published: backends compare it with what they find.
    pub fingerprint: Option<String>,
}

/// Where a staged file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagedLocation {
    /// In the store's staging area.
    Staging(RelPath),
    /// At the user's path, to be adopted.
    Source(PathBuf),
}

/// An opened file.
pub struct BlobReader {
    /// Its size in bytes when it was opened.
    pub size_bytes: u64,
    /// Its bytes in pieces of at most 1 MiB.
    pub bytes: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
}

impl Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobReader")
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// One file of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEntry {
    /// Where it is.
    pub path: RelPath,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// A list of files, a directory at a time.
pub type BlobList = Pin<Box<dyn Stream<Item = Result<Vec<BlobEntry>>> + Send>>;
