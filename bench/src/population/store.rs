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

/// Rows of one commit of a catalog that grew.
const COMMIT: u64 = 50;

/// How a catalog came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In one piece.
    Rebuilt,
    /// In many commits, the oldest first.
    Grown,
}

/// Makes a store at `root` whose catalog has all artifacts of `population`. There are no files: reading rows needs none.
pub(crate) async fn build(root: &Path, population: Population, way: Way) -> Result<()> {
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
    let mut head = CatalogHead {
        store_id: store.store_id,
        commits: 1,
        last_event: population.artifacts,
    };
    match way {
        Way::Rebuilt => {
            let commits = stream::iter(commits(population, CHUNK));
            let commits: ArtifactCommits = Box::pin(commits);
            catalog.rebuild(&permit, head, commits).await?;
        }
        Way::Grown => {
            catalog
                .rebuild(&permit, head, Box::pin(stream::empty()))
                .await?;
            for commit in commits(population, COMMIT) {
                head.commits = catalog.apply(&permit, commit?).await?;
            }
        }
    }
    // As a writer would: a reader that finds another number compares all rows with the files, of which there are none.
    lock.leave_commits(&permit, head.commits).await?;
    let counted = catalog.counts().await?;
    catalog.close().await;
    let found = counted.active + counted.superseded + counted.tombstoned;
    ensure!(found == population.artifacts, "the catalog counts {found}");
    Ok(())
}

/// Of so many rows each.
fn commits(
    population: Population,
    rows: u64,
) -> impl Iterator<Item = artstore_core::Result<ArtifactCommit>> {
    let chunks = (0..population.artifacts).step_by(rows as usize);
    chunks.map(move |first| {
        let end = population.artifacts.min(first + rows);
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
    })
}
