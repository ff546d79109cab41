use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{
    BlobEntry, BlobList, BlobReader, BlobStore, Progress, RandomRead, RootState, SourceFacts,
    StagedFile, StagedLocation, StagedSource, StagingWriter, StoreRoot,
};
use artstore_core::digest::Digest;
use artstore_core::format::document::MAX_DOCUMENT_BYTES;
use artstore_core::id::StagingId;
use artstore_core::layout::{STAGING, STORE_DOCUMENT};
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use tokio::task::yield_now;

use super::Interruption;
use super::reading::{BytesReader, FileReader, StagedReader};
use super::source::{blocking, check_source, facts_of, read_source};
use super::writer::MemoryWriter;

/// The greatest size of one piece of a stream.
const PIECE_BYTES: usize = 1024 * 1024;

/// Bytes, documents, publications and the store document in memory; only sources are real files.
///
/// Every instance made by [`Self::another_process`] uses the same files as a process of its own. Stricter than a real
/// store, it publishes only files that it staged itself and that are as they were staged, settles only items that an
/// intent names, and replaces only documents that there are.
#[derive(Debug)]
pub struct MemoryStore {
    pub(super) world: Arc<Mutex<World>>,
    owner: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) entries: BTreeMap<RelPath, Entry>,
    pub(super) staged: BTreeMap<StagingId, Staged>,
    pub(super) living: BTreeSet<u64>,
    owners: u64,
    pub(super) quarantined: u64,
    pub(super) interruption: Option<Interruption>,
}

/// What lies under a name.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    File(Bytes),
    Link,
}

/// A staged file that was neither published nor discarded.
#[derive(Debug, Clone)]
pub(super) struct Staged {
    pub(super) owner: u64,
    pub(super) file: StagedFile,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// A root with nothing in it.
    pub fn new() -> Self {
        Self::over(Arc::default())
    }

    /// The same files, seen by another process that lives.
    pub fn another_process(&self) -> Self {
        Self::over(Arc::clone(&self.world))
    }

    /// A copy of all files as a store of its own: what a crash of every process would leave. Files to be adopted are
    /// the user's and are not copied.
    pub fn clone_state(&self) -> Self {
        let mut world = self.world().clone();
        world.living.clear();
        world.interruption = None;
        Self::over(Arc::new(Mutex::new(world)))
    }

    /// The process of this instance dies: what it staged stays behind.
    pub fn die(&self) {
        self.world().living.remove(&self.owner);
    }

    /// The next publication stops where `interruption` says, as if its process had died there: each of its items is
    /// answered with [`CommitUnknown`](artstore_core::ErrorKind::CommitUnknown) and settling has to find out.
    pub fn interrupt_next_publication(&self, interruption: Interruption) {
        self.world().interruption = Some(interruption);
    }

    /// Puts a file somewhere without asking anybody, as a user or a fault would.
    pub fn plant(&self, path: &RelPath, content: impl Into<Bytes>) {
        self.world()
            .entries
            .insert(path.clone(), Entry::File(content.into()));
    }

    /// Puts a symbolic link somewhere.
    pub fn plant_link(&self, path: &RelPath) {
        self.world().entries.insert(path.clone(), Entry::Link);
    }

    /// Removes a file without asking anybody.
    pub fn remove(&self, path: &RelPath) {
        self.world().entries.remove(path);
    }

    /// Every file with its content.
    pub fn files(&self) -> BTreeMap<RelPath, Bytes> {
        let world = self.world();
        let files = world
            .entries
            .iter()
            .filter_map(|(path, entry)| match entry {
                Entry::File(content) => Some((path.clone(), content.clone())),
                Entry::Link => None,
            });
        files.collect()
    }

    fn over(world: Arc<Mutex<World>>) -> Self {
        let owner = {
            let mut world = world.lock().expect("no test panics holding it");
            world.owners += 1;
            let owner = world.owners;
            world.living.insert(owner);
            owner
        };
        Self { world, owner }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics holding it")
    }

    pub(super) fn owner(&self) -> u64 {
        self.owner
    }

    pub(super) fn remember(&self, staged: &StagedFile) -> Result<()> {
        let staged = Staged {
            owner: self.owner,
            file: staged.clone(),
        };
        match self.world().staged.insert(staged.file.id, staged) {
            Some(former) => {
                Err(Error::internal("a staging id was used twice").with("id", former.file.id))
            }
            None => Ok(()),
        }
    }

    fn stage_bytes(&self, id: StagingId, content: Bytes) -> Result<StagedFile> {
        let path = RelPath::new(format!("{STAGING}/{}/{id}", self.owner))?;
        let file = StagedFile {
            id,
            location: StagedLocation::Staging(path.clone()),
            fingerprint: Some(Digest::of(&content).to_string()),
        };
        self.remember(&file)?;
        self.world().entries.insert(path, Entry::File(content));
        Ok(file)
    }
}

impl World {
    /// The file at `path`, which no symbolic link and no directory stands for.
    pub(super) fn file(&self, path: &RelPath) -> Result<Option<Bytes>> {
        let mut place = Some(path.clone());
        while let Some(part) = place {
            if matches!(self.entries.get(&part), Some(Entry::Link)) {
                return Err(Error::corrupt("a symbolic link inside the store").with("path", part));
            }
            place = part.parent();
        }
        match self.entries.get(path) {
            Some(Entry::File(content)) => Ok(Some(content.clone())),
            _ if self.entries.keys().any(|other| other.starts_with(path)) => {
                Err(Error::corrupt("not a regular file").with("path", path))
            }
            _ => Ok(None),
        }
    }
}

#[async_trait]
impl BlobStore for MemoryStore {
    async fn source_size(&self, source: &ArtifactSource) -> Result<u64> {
        match source.clone() {
            ArtifactSource::File(path) | ArtifactSource::AdoptFile(path) => {
                blocking(move || check_source(&path)).await
            }
            ArtifactSource::Bytes(content) => Ok(content.len() as u64),
        }
    }

    async fn hash_source(
        &self,
        source: &ArtifactSource,
        progress: Arc<dyn Progress>,
    ) -> Result<SourceFacts> {
        let read = read_source(source, progress).await?;
        Ok(facts_of(&read.content))
    }

    async fn stage(
        &self,
        id: StagingId,
        source: &ArtifactSource,
        progress: Arc<dyn Progress>,
    ) -> Result<StagedSource> {
        let read = read_source(source, progress).await?;
        let facts = facts_of(&read.content);
        let file = match source {
            ArtifactSource::AdoptFile(path) => {
                let file = StagedFile {
                    id,
                    location: StagedLocation::Source(path.clone()),
                    fingerprint: Some(read.fingerprint),
                };
                self.remember(&file)?;
                file
            }
            ArtifactSource::File(_) | ArtifactSource::Bytes(_) => {
                self.stage_bytes(id, read.content)?
            }
        };
        Ok(StagedSource { file, facts })
    }

    async fn stage_document(&self, id: StagingId, document: Bytes) -> Result<StagedFile> {
        yield_now().await;
        self.stage_bytes(id, document)
    }

    async fn open_source(&self, source: &ArtifactSource) -> Result<Arc<dyn RandomRead>> {
        match source.clone() {
            ArtifactSource::File(path) | ArtifactSource::AdoptFile(path) => {
                let opened = blocking(move || FileReader::open(path)).await?;
                Ok(Arc::new(opened))
            }
            ArtifactSource::Bytes(content) => {
                yield_now().await;
                Ok(Arc::new(BytesReader(content)))
            }
        }
    }

    async fn open_staged(&self, staged: &StagedFile) -> Result<Arc<dyn RandomRead>> {
        yield_now().await;
        match &staged.location {
            StagedLocation::Source(path) => {
                let path = path.clone();
                let opened = blocking(move || FileReader::open(path)).await?;
                Ok(Arc::new(opened))
            }
            StagedLocation::Staging(path) => Ok(Arc::new(StagedReader::open(self, staged, path)?)),
        }
    }

    async fn begin_staging(&self, id: StagingId) -> Result<Box<dyn StagingWriter>> {
        yield_now().await;
        Ok(Box::new(MemoryWriter::begin(self, id)?))
    }

    async fn close(&self) {
        yield_now().await;
    }

    async fn discard(&self, staged: Vec<StagedFile>) {
        yield_now().await;
        let mut world = self.world();
        for file in staged {
            world.staged.remove(&file.id);
            if let StagedLocation::Staging(path) = &file.location {
                world.entries.remove(path);
            }
        }
    }

    async fn open(&self, path: &RelPath) -> Result<Option<BlobReader>> {
        yield_now().await;
        let content = self.world().file(path)?;
        Ok(content.map(|content| BlobReader {
            size_bytes: content.len() as u64,
            bytes: Box::pin(stream::iter(pieces(content))),
        }))
    }

    async fn size(&self, path: &RelPath) -> Result<Option<u64>> {
        yield_now().await;
        let content = self.world().file(path)?;
        Ok(content.map(|content| content.len() as u64))
    }

    async fn read_document(&self, path: &RelPath) -> Result<Option<Bytes>> {
        yield_now().await;
        let content = self.world().file(path)?;
        match content {
            Some(content) if content.len() as u64 > MAX_DOCUMENT_BYTES => {
                Err(Error::corrupt("the document is too large")
                    .with("path", path)
                    .with("bytes", content.len()))
            }
            content => Ok(content),
        }
    }

    fn list(&self, directory: &RelPath) -> BlobList {
        let mut directories: BTreeMap<Option<RelPath>, Vec<BlobEntry>> = BTreeMap::new();
        for (path, entry) in &self.world().entries {
            let Entry::File(content) = entry else {
                continue;
            };
            if path.starts_with(directory) && path != directory {
                let entry = BlobEntry {
                    path: path.clone(),
                    size_bytes: content.len() as u64,
                };
                directories.entry(path.parent()).or_default().push(entry);
            }
        }
        Box::pin(stream::iter(directories.into_values().map(Ok)))
    }

    fn local_path(&self, _path: &RelPath) -> Option<PathBuf> {
        None
    }
}

fn pieces(mut content: Bytes) -> Vec<Result<Bytes>> {
    let mut pieces = Vec::new();
    while !content.is_empty() {
        let piece = content.split_to(content.len().min(PIECE_BYTES));
        pieces.push(Ok(piece));
    }
    pieces
}

#[async_trait]
impl StoreRoot for MemoryStore {
    async fn state(&self) -> Result<RootState> {
        yield_now().await;
        let document = RelPath::new(STORE_DOCUMENT)?;
        let world = self.world();
        if let Some(content) = world.file(&document)? {
            return Ok(RootState::Store(content));
        }
        Ok(match world.entries.keys().next() {
            Some(path) => {
                RootState::Foreign(path.components().next().unwrap_or_default().to_owned())
            }
            None => RootState::Empty,
        })
    }

    async fn initialize(&self, document: Bytes) -> Result<Bytes> {
        yield_now().await;
        let path = RelPath::new(STORE_DOCUMENT)?;
        let mut world = self.world();
        if let Some(content) = world.file(&path)? {
            return Ok(content);
        }
        if let Some(foreign) = world.entries.keys().next() {
            return Err(Error::conflict("the directory holds other things")
                .with("path", foreign)
                .hint("choose an empty directory"));
        }
        world.entries.insert(path, Entry::File(document.clone()));
        Ok(document)
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}
