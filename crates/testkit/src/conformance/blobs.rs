//! What every `BlobStore` promises.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{
    BlobStore, NoProgress, Progress, Publication, PublicationItem, PublicationLog, StagedFile,
    StagedLocation, StagedSource,
};
use artstore_core::digest::Digest;
use artstore_core::format::document::MAX_DOCUMENT_BYTES;
use artstore_core::layout::STAGING;
use artstore_core::path::RelPath;
use artstore_core::{Domain, ErrorKind, Result};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;

use super::{Capability, brought_about, expect_kind};
use crate::memory::Interruption;
use crate::samples::{content, op_id, path, permit, publication_id, staging_id};

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
        let parents: std::collections::BTreeSet<_> = parents.collect();
        assert!(parents.len() <= 1, "one directory at a time: {parents:?}");
        for entry in batch {
            let former = found.insert(entry.path.to_string(), entry.size_bytes);
            assert_eq!(former, None, "{} was listed twice", entry.path);
        }
    }
    found
}

/// Staging tells the size and hash of bytes, copied files and adopted files of every size; so do the calls that only look.
pub async fn staging_tells_size_and_hash(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for (number, size) in (0_u64..).zip(SIZES) {
        let bytes = content(size);
        let file = source_file(harness, &format!("copied-{size}"), &bytes);
        let mut sources = vec![
            ArtifactSource::Bytes(bytes.clone()),
            ArtifactSource::File(file),
        ];
        if harness.capabilities().adoption == Capability::Present {
            let adopted = source_file(harness, &format!("adopted-{size}"), &bytes);
            sources.push(ArtifactSource::AdoptFile(adopted));
        }
        for (kind, source) in (0_u64..).zip(&sources) {
            assert_eq!(store.blobs.source_size(source).await.unwrap(), size as u64);
            let facts = store.blobs.hash_source(source, quiet()).await.unwrap();
            assert_eq!(
                (facts.size_bytes, facts.digest),
                (size as u64, Digest::of(&bytes))
            );
            let id = staging_id(100 * number + kind);
            let staged: StagedSource = store.blobs.stage(id, source, quiet()).await.unwrap();
            assert_eq!((staged.facts, staged.file.id), (facts, id));
        }
    }
}

/// A staged document is published with its bytes.
pub async fn documents_are_staged(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let document = Bytes::from_static(b"{\"name\": \"x\"}\n");
    let staged = store
        .blobs
        .stage_document(staging_id(1), document.clone())
        .await
        .unwrap();
    assert_eq!(staged.id, staging_id(1));
    let name = path("artifacts/x/record.json");
    publish_files(&store, 1, vec![(staged, name.clone())])
        .await
        .unwrap();
    assert_eq!(
        store.blobs.read_document(&name).await.unwrap(),
        Some(document)
    );
}

/// A copied source stays where it is; what is staged lies in staging and has no other name.
pub async fn staged_files_have_no_final_name(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let file = source_file(harness, "source", b"abc");
    let source = ArtifactSource::File(file.clone());
    let staged = store
        .blobs
        .stage(staging_id(1), &source, quiet())
        .await
        .unwrap();
    let StagedLocation::Staging(place) = staged.file.location else {
        panic!("a copied source is staged in the store");
    };
    assert!(place.starts_with(&path(STAGING)), "{place}");
    assert_eq!(store.blobs.size(&place).await.unwrap(), Some(3));
    assert_eq!(std::fs::read(&file).unwrap(), b"abc");
    assert_eq!(list(&store, "artifacts").await, BTreeMap::new());
}

/// A source that is not there is not found, whatever is asked of it.
pub async fn missing_sources_are_not_found(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let missing = harness.sources().join("missing");
    refuses_source(
        &store,
        ArtifactSource::File(missing.clone()),
        ErrorKind::NotFound,
    )
    .await;
    if harness.capabilities().adoption == Capability::Present {
        refuses_source(
            &store,
            ArtifactSource::AdoptFile(missing),
            ErrorKind::NotFound,
        )
        .await;
    }
}

/// A source that is a directory is invalid.
pub async fn directories_are_no_sources(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let directory = harness.sources().join("directory");
    std::fs::create_dir(&directory).unwrap();
    refuses_source(
        &store,
        ArtifactSource::File(directory.clone()),
        ErrorKind::Invalid,
    )
    .await;
    if harness.capabilities().adoption == Capability::Present {
        refuses_source(
            &store,
            ArtifactSource::AdoptFile(directory),
            ErrorKind::Invalid,
        )
        .await;
    }
}

async fn refuses_source(store: &OpenStore, source: ArtifactSource, kind: ErrorKind) {
    expect_kind(store.blobs.source_size(&source).await, kind);
    expect_kind(store.blobs.hash_source(&source, quiet()).await, kind);
    expect_kind(
        store.blobs.stage(staging_id(9), &source, quiet()).await,
        kind,
    );
}

/// Changes a file as soon as somebody begins to read it.
#[derive(Debug)]
struct Meddler {
    file: PathBuf,
    has_meddled: AtomicBool,
}

impl Progress for Meddler {
    fn report(&self, _activity: &'static str, _done: u64, _total: Option<u64>) {
        if !self.has_meddled.swap(true, Ordering::SeqCst) {
            let file = std::fs::OpenOptions::new().append(true).open(&self.file);
            file.unwrap().write_all(b"more").unwrap();
        }
    }
}

/// A source that changes while it is read is a conflict, and nothing is staged. Reading reports its progress.
pub async fn a_changing_source_is_a_conflict(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    let is_adopting = harness.capabilities().adoption == Capability::Present;
    for (name, adopt) in [("copied", false), ("adopted", is_adopting)] {
        let file = source_file(harness, name, &content(3 * 1024 * 1024));
        let source = match adopt {
            true => ArtifactSource::AdoptFile(file.clone()),
            false => ArtifactSource::File(file.clone()),
        };
        let meddler = Arc::new(Meddler {
            file,
            has_meddled: AtomicBool::new(false),
        });
        let progress = Arc::clone(&meddler) as Arc<dyn Progress>;
        let result = store.blobs.stage(staging_id(1), &source, progress).await;
        assert!(
            meddler.has_meddled.load(Ordering::SeqCst),
            "progress is reported"
        );
        expect_kind(result, ErrorKind::Conflict);
    }
    assert_eq!(list(&store, STAGING).await, settled);
}

/// What staging looks like when nothing is staged, once the store has made itself at home there.
async fn staging_after_one_use(store: &OpenStore) -> BTreeMap<String, u64> {
    let staged = stage(store, 9999, "first use").await;
    store.blobs.discard(vec![staged]).await;
    list(store, STAGING).await
}

/// Staging that fails, and hashing, leave nothing behind.
pub async fn failing_and_looking_leave_nothing_behind(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    let missing = ArtifactSource::File(harness.sources().join("missing"));
    let directory = ArtifactSource::File(harness.sources().to_owned());
    for source in [missing, directory] {
        store
            .blobs
            .stage(staging_id(1), &source, quiet())
            .await
            .unwrap_err();
    }
    let file = ArtifactSource::File(source_file(harness, "hashed", &content(5000)));
    store.blobs.hash_source(&file, quiet()).await.unwrap();
    store.blobs.source_size(&file).await.unwrap();
    assert_eq!(list(&store, STAGING).await, settled);
}

/// Discarding removes staged files and documents; doing it again is no error.
pub async fn discarding_removes_staged_files(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    let file = stage(&store, 1, content(5000)).await;
    let document = store
        .blobs
        .stage_document(staging_id(2), Bytes::from_static(b"{}"));
    let both = vec![file, document.await.unwrap()];
    assert_eq!(list(&store, STAGING).await.len(), settled.len() + 2);
    store.blobs.discard(both.clone()).await;
    assert_eq!(list(&store, STAGING).await, settled);
    store.blobs.discard(both).await;
}

/// A file to be adopted stays in its place, unchanged, when it is staged and when it is discarded. A store that cannot
/// adopt refuses it.
pub async fn a_file_to_be_adopted_stays_in_its_place(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let file = source_file(harness, "adopted", b"abc");
    let source = ArtifactSource::AdoptFile(file.clone());
    let staged = store.blobs.stage(staging_id(1), &source, quiet()).await;
    if harness.capabilities().adoption == Capability::Lacking {
        return expect_kind(staged, ErrorKind::Unsupported);
    }
    let staged = staged.unwrap();
    assert_eq!(staged.file.location, StagedLocation::Source(file.clone()));
    assert_eq!(std::fs::read(&file).unwrap(), b"abc");
    store.blobs.discard(vec![staged.file]).await;
    assert_eq!(std::fs::read(&file).unwrap(), b"abc");
}

/// A published file that was adopted is no longer at its former place.
pub async fn an_adopted_file_moves_when_it_is_published(harness: &dyn StoreHarness) {
    if harness.capabilities().adoption == Capability::Lacking {
        return;
    }
    let store = harness.open().await;
    let file = source_file(harness, "adopted", &content(70_000));
    let staged = stage_adopted(&store, 1, &file).await;
    let name = path("artifacts/t/adopted.bin");
    publish_files(&store, 1, vec![(staged, name.clone())])
        .await
        .unwrap();
    assert!(!file.exists());
    assert_eq!(read(&store, &name).await.unwrap(), content(70_000));
}

/// A file with other hard links, and one that lies inside the store, are not adopted and stay as they are.
pub async fn files_with_other_names_are_not_adopted(harness: &dyn StoreHarness) {
    if harness.capabilities().adoption == Capability::Lacking {
        return;
    }
    let store = harness.open().await;
    let file = source_file(harness, "linked", b"abc");
    std::fs::hard_link(&file, harness.sources().join("other name")).unwrap();
    let source = ArtifactSource::AdoptFile(file.clone());
    expect_kind(
        store.blobs.stage(staging_id(1), &source, quiet()).await,
        ErrorKind::Invalid,
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"abc");

    let name = path("artifacts/t/inside.bin");
    publish_bytes(&store, 2, &name, "inside").await;
    if let Some(inside) = store.blobs.local_path(&name) {
        let source = ArtifactSource::AdoptFile(inside);
        expect_kind(
            store.blobs.stage(staging_id(3), &source, quiet()).await,
            ErrorKind::Invalid,
        );
        assert_eq!(read(&store, &name).await.unwrap(), b"inside");
    }
}

/// What does not exist is `None`, whether the directories above it exist or not, also below a file.
pub async fn missing_files_are_none(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    publish_bytes(&store, 1, &path("artifacts/t/there"), "x").await;
    for missing in [
        "nothing",
        "artifacts/nothing",
        "artifacts/t/there/nothing",
        "a/b/c/d",
    ] {
        let missing = path(missing);
        assert!(
            store.blobs.open(&missing).await.unwrap().is_none(),
            "{missing}"
        );
        assert_eq!(store.blobs.size(&missing).await.unwrap(), None);
        assert_eq!(store.blobs.read_document(&missing).await.unwrap(), None);
    }
}

/// A published file is read whole, in pieces of at most 1 MiB, with its size.
pub async fn files_are_read_in_pieces(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for (number, size) in (1..).zip(SIZES) {
        let name = path(&format!("artifacts/t/{size}"));
        publish_bytes(&store, number, &name, content(size)).await;
        assert_eq!(store.blobs.size(&name).await.unwrap(), Some(size as u64));
        assert_eq!(read(&store, &name).await.unwrap(), content(size));
    }
}

/// A document is read up to the greatest size of documents and is corrupt beyond.
pub async fn documents_have_a_greatest_size(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let limit = usize::try_from(MAX_DOCUMENT_BYTES).unwrap();
    let (largest, beyond) = (path("documents/largest"), path("documents/beyond"));
    publish_bytes(&store, 1, &largest, content(limit)).await;
    publish_bytes(&store, 2, &beyond, content(limit + 1)).await;
    let document = store.blobs.read_document(&largest).await.unwrap();
    assert!(document.is_some_and(|document| document == content(limit)));
    expect_kind(store.blobs.read_document(&beyond).await, ErrorKind::Corrupt);
    assert_eq!(
        store.blobs.size(&beyond).await.unwrap(),
        Some(MAX_DOCUMENT_BYTES + 1)
    );
}

/// A directory where a file should be is corrupt.
pub async fn directories_are_not_files(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    publish_bytes(&store, 1, &path("artifacts/t/x"), "x").await;
    let directory = path("artifacts/t");
    expect_kind(store.blobs.open(&directory).await, ErrorKind::Corrupt);
    expect_kind(store.blobs.size(&directory).await, ErrorKind::Corrupt);
    expect_kind(
        store.blobs.read_document(&directory).await,
        ErrorKind::Corrupt,
    );
}

/// A symbolic link inside the store is corrupt, as the file asked for and as a directory above it, and lists pass it over.
pub async fn links_are_not_followed(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let outside = harness.sources().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), b"secret").unwrap();
    publish_bytes(&store, 1, &path("artifacts/t/x"), "x").await;
    let declared = harness.capabilities().links;
    let (to_file, secret) = (path("artifacts/t/file"), outside.join("secret"));
    if !brought_about(declared, harness.place_link(&to_file, &secret).await) {
        return;
    }
    harness
        .place_link(&path("artifacts/t/directory"), &outside)
        .await
        .unwrap();
    harness
        .place_link(&path("artifacts/t/dangling"), &outside.join("none"))
        .await
        .unwrap();
    for name in [
        "file",
        "directory",
        "dangling",
        "directory/secret",
        "directory/none",
    ] {
        let name = path(&format!("artifacts/t/{name}"));
        expect_kind(store.blobs.open(&name).await, ErrorKind::Corrupt);
        expect_kind(store.blobs.size(&name).await, ErrorKind::Corrupt);
        expect_kind(store.blobs.read_document(&name).await, ErrorKind::Corrupt);
    }
    let expected = BTreeMap::from([("artifacts/t/x".to_owned(), 1)]);
    assert_eq!(list(&store, "artifacts").await, expected);
}

/// A list holds every file below a directory with its size, a directory at a time, and nothing beside it.
pub async fn lists_hold_all_files_below(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let names = ["a/1", "a/2", "a/b/3", "a/b/c/4", "a/d/5", "ab/6", "b/7"];
    for (number, name) in (1..).zip(names) {
        let size = usize::try_from(number).unwrap();
        publish_bytes(
            &store,
            number,
            &path(&format!("artifacts/{name}")),
            content(size),
        )
        .await;
    }
    let expected = |wanted: &[&str]| -> BTreeMap<String, u64> {
        let numbered = (1_u64..)
            .zip(names)
            .filter(|(_, name)| wanted.contains(name));
        numbered
            .map(|(size, name)| (format!("artifacts/{name}"), size))
            .collect()
    };
    assert_eq!(list(&store, "artifacts").await, expected(&names));
    assert_eq!(list(&store, "artifacts/a").await, expected(&names[..5]));
    assert_eq!(list(&store, "artifacts/a/b").await, expected(&names[2..4]));
    assert_eq!(
        list(&store, "artifacts/a/b/c").await,
        expected(&names[3..4])
    );
}

/// A directory that does not exist lists nothing.
pub async fn missing_directories_list_nothing(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for directory in ["artifacts", "no/such/directory"] {
        assert_eq!(list(&store, directory).await, BTreeMap::new());
    }
}

/// The local path of a published file, where there is one, leads to its bytes.
pub async fn local_paths_lead_to_the_bytes(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let name = path("artifacts/t/x");
    publish_bytes(&store, 1, &name, "local").await;
    if let Some(local) = store.blobs.local_path(&name) {
        assert_eq!(std::fs::read(local).unwrap(), b"local");
    }
}

/// Many files are staged at once without disturbing each other.
pub async fn many_files_are_staged_at_once(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let tasks = (0..32_u64).map(|number| {
        let store = store.clone();
        let size = 1000 + usize::try_from(number).unwrap();
        tokio::spawn(async move { stage(&store, number, content(size)).await })
    });
    let tasks: Vec<_> = tasks.collect();
    for (number, task) in (0..32_u64).zip(tasks) {
        let staged = task.await.unwrap();
        let name = path(&format!("artifacts/t/{number}"));
        publish_files(&store, number, vec![(staged, name.clone())])
            .await
            .unwrap();
        let size = 1000 + usize::try_from(number).unwrap();
        assert_eq!(read(&store, &name).await.unwrap(), content(size));
    }
}
