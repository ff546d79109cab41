//! Publishing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
use artstore_core::key::LogicalKey;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::table::{CsvOptions, TableFormat};
use artstore_tests::observed::{Call, Next, Observer};
use artstore_tests::store::LocalStore;
use tokio::runtime::Runtime;

use super::{artifact_type, runtime};
use crate::contender::{Contender, Syncs, World};
use crate::figure::TABLE;
use crate::floor::publish::payload;

/// A store that publishers use at once.
pub(super) struct PublishSide {
    pub(super) runtime: Runtime,
    store: LocalStore,
    pub(super) port: Arc<dyn ArtifactStorePort>,
    counter: Arc<Counter>,
    content: Content,
    /// How much one publish is, in the unit of the figure.
    amount: u64,
}

/// What is published.
pub(super) enum Content {
    /// 8 KiB from memory.
    Small,
    /// The big file, copied.
    Copy(PathBuf),
    /// The CSV, as a table.
    Table(PathBuf),
    /// The file that is there already, or the Parquet file.
    Duplicate(PathBuf, Option<TableFormat>),
    /// A link-free copy of the big file, moved in.
    Adopt { source: PathBuf, directory: PathBuf },
}

/// The area of calls that are observed although they change nothing.
const READS: &str = "table";

/// Counts the syncs of files and directories, one for each commit of the database, and everything that is changed.
#[derive(Debug, Default)]
struct Counter {
    files: AtomicU64,
    directories: AtomicU64,
    commits: AtomicU64,
    changes: AtomicU64,
}

impl Observer for Counter {
    fn before(&self, call: &Call<'_>) -> Next {
        if call.area == READS {
            return Next::Proceed;
        }
        self.changes.fetch_add(1, Ordering::Relaxed);
        match (call.area, call.verb) {
            ("directory", "sync") => self.directories.fetch_add(1, Ordering::Relaxed),
            ("catalog", "before-commit") => self.commits.fetch_add(1, Ordering::Relaxed),
            (_, "sync") => self.files.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        Next::Proceed
    }
}

pub(crate) fn open_small(world: &World) -> Result<Box<dyn Contender>> {
    open(world, Content::Small, 1)
}

pub(crate) fn open_copy(world: &World) -> Result<Box<dyn Contender>> {
    open(world, Content::Copy(world.source.clone()), length(world)?)
}

pub(crate) fn open_table(world: &World) -> Result<Box<dyn Contender>> {
    open(world, Content::Table(world.source.clone()), length(world)?)
}

pub(crate) fn open_adopt(world: &World) -> Result<Box<dyn Contender>> {
    let content = Content::Adopt {
        source: world.source.clone(),
        directory: world.directory.clone(),
    };
    open(world, content, length(world)?)
}

pub(crate) fn open_duplicate(world: &World) -> Result<Box<dyn Contender>> {
    let format = (world.case == TABLE).then_some(TableFormat::Parquet);
    let content = Content::Duplicate(world.source.clone(), format);
    open(world, content, length(world)?)
}

fn length(world: &World) -> Result<u64> {
    let source = fs::metadata(&world.source)
        .with_context(|| format!("cannot read {}", world.source.display()))?;
    Ok(source.len())
}

fn open(world: &World, content: Content, amount: u64) -> Result<Box<dyn Contender>> {
    Ok(Box::new(PublishSide::open(world, content, amount)?))
}

impl PublishSide {
    pub(super) fn open(world: &World, content: Content, amount: u64) -> Result<Self> {
        let runtime = runtime()?;
        let counter = Arc::new(Counter::default());
        let root = world.directory.join("store");
        let store = runtime.block_on(LocalStore::open_observed(&root, counter.clone()))?;
        let port = store.artifacts();
        let side = PublishSide {
            runtime,
            store,
            port,
            counter,
            content,
            amount,
        };
        if let Content::Duplicate(..) = side.content {
            side.publish(0, 0)?;
            // A publish returns before the last trace of it is gone.
            side.runtime.block_on(side.store.close());
        }
        // Opening the catalog is not what is measured.
        ensure!(
            side.runtime.block_on(side.port.is_available()),
            "the store does not answer"
        );
        Ok(side)
    }

    /// Publishes and tells whether it was a duplicate.
    fn publish(&self, publisher: usize, n: usize) -> Result<bool> {
        let request = self.request(publisher, n)?;
        let result = self.runtime.block_on(self.port.publish_artifact(request))?;
        Ok(result.is_duplicate())
    }

    pub(super) fn request(&self, publisher: usize, n: usize) -> Result<PublishArtifactRequest> {
        let mut table = None;
        let mut key = format!("{publisher:03}-{n:09}");
        let source = match &self.content {
            Content::Small => ArtifactSource::Bytes(payload(publisher, n).into()),
            Content::Copy(source) => ArtifactSource::File(source.clone()),
            Content::Table(source) => {
                table = Some(TableFormat::Csv(CsvOptions::default()));
                ArtifactSource::File(source.clone())
            }
            Content::Duplicate(source, format) => {
                table = format.clone();
                key = "the same".to_owned();
                ArtifactSource::File(source.clone())
            }
            Content::Adopt { directory, .. } => {
                ArtifactSource::AdoptFile(adopted(directory, publisher, n))
            }
        };
        let key = LogicalKey::new(key)?;
        Ok(PublishArtifactRequest {
            table,
            ..PublishArtifactRequest::file(artifact_type()?, key, source)
        })
    }

    fn changes(&self) -> u64 {
        self.counter.changes.load(Ordering::Relaxed)
    }
}

fn adopted(directory: &Path, publisher: usize, n: usize) -> PathBuf {
    directory.join(format!("adopt-{publisher}-{n}"))
}

impl Contender for PublishSide {
    fn prepare(&self, publisher: usize, n: usize) -> Result<()> {
        let Content::Adopt { source, directory } = &self.content else {
            return Ok(());
        };
        let copy = adopted(directory, publisher, n);
        fs::copy(source, &copy)
            .and_then(|_| fs::File::open(&copy)?.sync_all())
            .with_context(|| format!("cannot copy to {}", copy.display()))
    }

    fn work(&self, publisher: usize, n: usize) -> Result<u64> {
        let changes_before = self.changes();
        let is_duplicate = self.publish(publisher, n)?;
        let expects_duplicate = matches!(self.content, Content::Duplicate(..));
        ensure!(
            is_duplicate == expects_duplicate,
            "another outcome than expected"
        );
        ensure!(
            !expects_duplicate || self.changes() == changes_before,
            "a duplicate changed something"
        );
        Ok(self.amount)
    }

    fn syncs(&self) -> Syncs {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let commits = count(&self.counter.commits);
        Syncs {
            fsync: count(&self.counter.directories),
            fdatasync: count(&self.counter.files) + commits,
            commits,
        }
    }
}

impl Drop for PublishSide {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.close());
    }
}
