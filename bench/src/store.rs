//! The store's side of the figures.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::ports::ArtifactStorePort;
use artstore_tests::observed::{Call, Next, Observer};
use artstore_tests::store::LocalStore;
use tokio::runtime::Runtime;

use crate::contender::{Contender, Syncs, World};
use crate::floor::publish::payload;

/// A store that publishers use at once.
struct StoreSide {
    runtime: Runtime,
    store: LocalStore,
    port: Arc<dyn ArtifactStorePort>,
    counter: Arc<SyncCounter>,
    content: Content,
}

/// What is published.
enum Content {
    /// 8 KiB from memory.
    Small,
    /// The big file, copied.
    Copy(PathBuf),
    /// The file that is there already.
    Duplicate(PathBuf),
    /// A link-free copy of the big file, moved in.
    Adopt { source: PathBuf, directory: PathBuf },
}

/// Counts the syncs of files and directories, and one for each commit of the database.
#[derive(Debug, Default)]
struct SyncCounter {
    files: AtomicU64,
    directories: AtomicU64,
}

impl Observer for SyncCounter {
    fn before(&self, call: &Call<'_>) -> Next {
        match (call.area, call.verb) {
            ("directory", "sync") => self.directories.fetch_add(1, Ordering::Relaxed),
            (_, "sync") | ("catalog", "before-commit") => {
                self.files.fetch_add(1, Ordering::Relaxed)
            }
            _ => 0,
        };
        Next::Proceed
    }
}

/// Makes the store and its directories, so that what is measured does not.
pub(crate) fn set_up(directory: &Path) -> Result<()> {
    let runtime = runtime()?;
    runtime.block_on(async {
        let store = LocalStore::open(&directory.join("store")).await?;
        let warm_up = PublishArtifactRequest::file(
            artifact_type()?,
            LogicalKey::new("warm-up")?,
            ArtifactSource::Bytes("warm-up".into()),
        );
        store.artifacts().publish_artifact(warm_up).await?;
        store.close().await;
        Ok(())
    })
}

pub(crate) fn open_small(world: &World) -> Result<Box<dyn Contender>> {
    open(world, Content::Small)
}

pub(crate) fn open_copy(world: &World) -> Result<Box<dyn Contender>> {
    open(world, Content::Copy(world.source.clone()))
}

pub(crate) fn open_adopt(world: &World) -> Result<Box<dyn Contender>> {
    let content = Content::Adopt {
        source: world.source.clone(),
        directory: world.directory.clone(),
    };
    open(world, content)
}

pub(crate) fn open_duplicate(world: &World) -> Result<Box<dyn Contender>> {
    open(world, Content::Duplicate(world.source.clone()))
}

fn open(world: &World, content: Content) -> Result<Box<dyn Contender>> {
    let runtime = runtime()?;
    let counter = Arc::new(SyncCounter::default());
    let root = world.directory.join("store");
    let store = runtime.block_on(LocalStore::open_observed(&root, counter.clone()))?;
    let port = store.artifacts();
    // Opening the catalog is not what is measured.
    let answers = runtime.block_on(port.is_available());
    anyhow::ensure!(answers, "the store does not answer");
    Ok(Box::new(StoreSide {
        runtime,
        store,
        port,
        counter,
        content,
    }))
}

fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")
}

fn artifact_type() -> artstore_core::Result<ArtifactType> {
    ArtifactType::new("bench")
}

impl StoreSide {
    /// Publishes and tells whether it was a duplicate.
    fn publish_once(&self, publisher: usize, n: usize) -> Result<bool> {
        let (source, key) = match &self.content {
            Content::Small => (
                ArtifactSource::Bytes(payload(publisher, n).into()),
                format!("{publisher:03}-{n:09}"),
            ),
            Content::Copy(source) => (
                ArtifactSource::File(source.clone()),
                format!("{publisher:03}-{n:09}"),
            ),
            Content::Duplicate(source) => {
                (ArtifactSource::File(source.clone()), "the same".to_owned())
            }
            Content::Adopt { directory, .. } => (
                ArtifactSource::AdoptFile(Self::adopted(directory, publisher, n)),
                format!("{publisher:03}-{n:09}"),
            ),
        };
        let request = PublishArtifactRequest::file(artifact_type()?, LogicalKey::new(key)?, source);
        let result = self.runtime.block_on(self.port.publish_artifact(request))?;
        Ok(result.is_duplicate())
    }

    fn adopted(directory: &Path, publisher: usize, n: usize) -> PathBuf {
        directory.join(format!("adopt-{publisher}-{n}"))
    }
}

impl Contender for StoreSide {
    fn prepare(&self, publisher: usize, n: usize) -> Result<()> {
        match &self.content {
            Content::Small | Content::Copy(_) => Ok(()),
            Content::Duplicate(_) if n > 0 => Ok(()),
            Content::Duplicate(_) => self.publish_once(publisher, n).map(drop),
            Content::Adopt { source, directory } => {
                let copy = Self::adopted(directory, publisher, n);
                fs::copy(source, &copy)
                    .and_then(|_| fs::File::open(&copy)?.sync_all())
                    .with_context(|| format!("cannot copy to {}", copy.display()))
            }
        }
    }

    fn publish(&self, publisher: usize, n: usize) -> Result<()> {
        let expects_duplicate = matches!(self.content, Content::Duplicate(_));
        let is_duplicate = self.publish_once(publisher, n)?;
        anyhow::ensure!(
            is_duplicate == expects_duplicate,
            "another outcome than expected"
        );
        Ok(())
    }

    fn syncs(&self) -> Syncs {
        Syncs {
            fsync: self.counter.directories.load(Ordering::Relaxed),
            fdatasync: self.counter.files.load(Ordering::Relaxed),
        }
    }
}

impl Drop for StoreSide {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.close());
    }
}
