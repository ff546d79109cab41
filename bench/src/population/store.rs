//! A store that holds a population.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use artstore_context::{SystemClock, UuidV7Ids};
use artstore_core::Domain;
use artstore_core::backend::{
    ArtifactCatalog as _, ArtifactCommit, ArtifactCommits, CatalogHead, DomainLock as _,
};
use artstore_core::format::CatalogUrls;
use artstore_fs::{FsLock, FsStore, RealVfs};
use artstore_sqlite::{SqliteArtifactCatalog, SqliteSettings};
use futures_util::stream;

use super::{Population, graph};

/// Where the catalog of such a store is, below its root.
pub(crate) const CATALOG: &str = "catalog.sqlite";

/// Rows of one transaction.
const CHUNK: u64 = 2_000;

const PATIENCE: Duration = Duration::from_secs(10);

/// Makes a store at `root` whose catalog has all artifacts of `population`. There are no files: reading rows needs none.
pub(crate) async fn build(root: &Path, population: Population) -> Result<()> {
    ensure!(
        population.artifacts >= graph::FEWEST,
        "a population has at least {} artifacts",
        graph::FEWEST
    );
    let vfs = Arc::new(RealVfs::new(root.to_owned()));
    let ids = Arc::new(UuidV7Ids::default());
    let files = FsStore::new(vfs.clone(), ids.clone());
    let urls = CatalogUrls::default();
    let store = artstore_engine::initialize(&*files, &SystemClock, &*ids, urls).await?;
    let catalog = SqliteArtifactCatalog::new(root.join(CATALOG), SqliteSettings::default());
    let lock = FsLock::new(vfs);
    let permit = lock.acquire(Domain::Artifacts, PATIENCE).await?.permit;
    let head = CatalogHead {
        store_id: store.store_id,
        commits: 1,
        last_event: population.artifacts,
    };
    catalog.rebuild(&permit, head, commits(population)).await?;
    // As a writer would: a reader that finds another number compares all rows with the files, of which there are none.
    lock.leave_commits(&permit, head.commits).await?;
    let counted = catalog.counts().await?;
    catalog.close().await;
    let found = counted.active + counted.superseded + counted.tombstoned;
    ensure!(found == population.artifacts, "the catalog counts {found}");
    Ok(())
}

fn commits(population: Population) -> ArtifactCommits {
    let chunks = (0..population.artifacts).step_by(CHUNK as usize);
    let commits = chunks.map(move |first| {
        let end = population.artifacts.min(first + CHUNK);
        let mut changes = Vec::new();
        for number in first..end {
            let made = population
                .changes(number)
                .with_context(|| format!("artifact {number} is not valid"));
            changes.extend(made.map_err(|error| {
                artstore_core::Error::internal("a population is wrong").with("cause", error)
            })?);
        }
        Ok(ArtifactCommit { changes })
    });
    Box::pin(stream::iter(commits))
}
