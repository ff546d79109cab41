//! What every `BlobStore` promises.

mod random;
mod reading;
mod staging;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{
    BlobStore, NoProgress, Progress, Publication, PublicationItem, PublicationLog, StagedFile,
    StagedSource,
};
use artstore_core::layout::STAGING;
use artstore_core::path::RelPath;
use artstore_core::{Domain, Result};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;

pub use random::*;
pub use reading::*;
pub use staging::*;
pub use writing::*;

use super::Capability;
use crate::memory::Interruption;
use crate::samples::{op_id, path, permit, publication_id, staging_id};

/// One store's bytes, without anything in it at first.
#[async_trait]
pub trait StoreHarness: Send + Sync {
    /// Another instance over the store, in this process.
    async fn open(&self) -> OpenStore;

    /// What the harness can bring about.
    fn capabilities(&self) -> StoreCapabilities;

    /// An existing directory outside the store, on its filesystem, where tests make sources.
    fn sources(&self) -> &Path;

    /// Makes a symbolic link at `path` inside the store that leads to `target`, and the directories above it.
    ///
    /// # Errors
    /// [`Unsupported`](artstore_core::ErrorKind::Unsupported) where it cannot.
    async fn place_link(&self, path: &RelPath, target: &Path) -> Result<()>;

    /// Begins `publication`, which holds files staged by [`Self::open`]ed instances, and dies where `interruption` says:
    /// leaves exactly what a killed process would.
    ///
    /// # Errors
    /// As [`Self::place_link`].
    async fn publish_and_die(
        &self,
        publication: Publication,
        interruption: Interruption,
    ) -> Result<()>;

    /// Leaves an intent that was written only in part.
    ///
    /// # Errors
    /// As [`Self::place_link`].
    async fn leave_torn_intent(&self) -> Result<()>;

    /// Leaves one staged file of a process that is dead.
    ///
    /// # Errors
    /// As [`Self::place_link`].
    async fn leave_staged_file(&self) -> Result<()>;
}

/// One instance.
#[derive(Debug, Clone)]
pub struct OpenStore {
    /// Its bytes.
    pub blobs: Arc<dyn BlobStore>,
    /// Its publications.
    pub log: Arc<dyn PublicationLog>,
}

/// What a [`StoreHarness`] can bring about.
#[derive(Debug, Clone, Copy)]
pub struct StoreCapabilities {
    /// Adopting files. A store that lacks it refuses them as `Unsupported`.
    pub adoption: Capability,
    /// [`StoreHarness::place_link`].
    pub links: Capability,
    /// [`StoreHarness::publish_and_die`].
    pub interruption: Capability,
    /// [`StoreHarness::leave_torn_intent`].
    pub torn_intents: Capability,
    /// [`StoreHarness::leave_staged_file`].
    pub dead_owners: Capability,
}

impl StoreCapabilities {
    /// Everything.
    pub const ALL: Self = Self {
        adoption: Capability::Present,
        links: Capability::Present,
        interruption: Capability::Present,
        torn_intents: Capability::Present,
        dead_owners: Capability::Present,
    };
}

/// Sizes around those of blocks and pieces.
const SIZES: [usize; 7] = [
    0,
    1,
    4095,
    4096,
    1024 * 1024,
    1024 * 1024 + 1,
    3 * 1024 * 1024 + 7,
];

pub(super) fn quiet() -> Arc<dyn Progress> {
    Arc::new(NoProgress)
}

/// A new file among the sources.
pub(super) fn source_file(harness: &dyn StoreHarness, name: &str, content: &[u8]) -> PathBuf {
    let path = harness.sources().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

pub(super) async fn stage(store: &OpenStore, number: u64, content: impl Into<Bytes>) -> StagedFile {
    let source = ArtifactSource::Bytes(content.into());
    let staged = store
        .blobs
        .stage(staging_id(number), &source, quiet())
        .await;
    staged.unwrap().file
}

pub(super) async fn stage_adopted(store: &OpenStore, number: u64, path: &Path) -> StagedFile {
    let source = ArtifactSource::AdoptFile(path.to_owned());
    let staged = store
        .blobs
        .stage(staging_id(number), &source, quiet())
        .await;
    staged.unwrap().file
}

/// Does `work` where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("the work does not panic")
}

/// Stages what is written in these pieces.
pub(super) async fn write_staged(
    store: &OpenStore,
    number: u64,
    pieces: Vec<Bytes>,
) -> Result<StagedSource> {
    let mut writer = store.blobs.begin_staging(staging_id(number)).await?;
    blocking(move || {
        for piece in pieces {
            writer.write_all(&piece)?;
        }
        writer.finish()
    })
    .await
}

/// What staging looks like when nothing is staged, once the store has made itself at home there.
pub(super) async fn staging_after_one_use(store: &OpenStore) -> BTreeMap<String, u64> {
    let staged = stage(store, 9999, "first use").await;
    store.blobs.discard(vec![staged]).await;
    list(store, STAGING).await
}

/// Publishes `files` as one item and finishes.
pub(super) async fn publish_files(
    store: &OpenStore,
    number: u64,
    files: Vec<(StagedFile, RelPath)>,
) -> Result<()> {
    let item = PublicationItem {
        op_id: op_id(&format!("publish-{number}")),
        files,
        document: None,
    };
    let publication = Publication {
        id: publication_id(number),
        domain: Domain::Artifacts,
        items: vec![item],
    };
    let permit = permit();
    let mut results = store.log.publish(&permit, publication).await?;
    assert_eq!(results.len(), 1, "one result per item");
    store.log.finish(&permit, publication_id(number)).await?;
    results.remove(0)
}

/// Puts `content` at `path` in the way every file gets there.
pub(super) async fn publish_bytes(
    store: &OpenStore,
    number: u64,
    path: &RelPath,
    content: impl Into<Bytes>,
) {
    let staged = stage(store, number, content).await;
    publish_files(store, number, vec![(staged, path.clone())])
        .await
        .unwrap();
}

pub(super) async fn read(store: &OpenStore, path: &RelPath) -> Option<Vec<u8>> {
    let mut reader = store.blobs.open(path).await.unwrap()?;
    let mut whole = Vec::new();
    while let Some(piece) = reader.bytes.next().await {
        let piece = piece.unwrap();
        assert!(
            piece.len() <= 1024 * 1024,
            "a piece of {} bytes",
            piece.len()
        );
        whole.extend_from_slice(&piece);
    }
    assert_eq!(reader.size_bytes, whole.len() as u64);
    Some(whole)
}

/// Every file below `directory` with its size; each batch is of one directory.
pub(super) async fn list(store: &OpenStore, directory: &str) -> BTreeMap<String, u64> {
    let mut batches = store.blobs.list(&path(directory));
    let mut found = BTreeMap::new();
    while let Some(batch) = batches.next().await {
        let batch = batch.unwrap();
        let parents = batch.iter().map(|entry| entry.path.parent());
        let parents: BTreeSet<_> = parents.collect();
        assert!(parents.len() <= 1, "one directory at a time: {parents:?}");
        for entry in batch {
            let former = found.insert(entry.path.to_string(), entry.size_bytes);
            assert_eq!(former, None, "{} was listed twice", entry.path);
        }
    }
    found
}
