//! A store opened for one question.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
use artstore_core::id::ArtifactId;
use artstore_core::key::LogicalKey;
use artstore_tests::store::LocalStore;
use tokio::runtime::Runtime;

use super::{artifact_type, runtime};
use crate::contender::{Contender, World};
use crate::population::Population;
use crate::questions;

/// A store and what may be asked of it.
struct OpeningSide {
    runtime: Runtime,
    root: PathBuf,
    /// All of the store where there is no population.
    only: Option<ArtifactId>,
    population: Population,
}

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(OpeningSide {
        runtime: runtime()?,
        root: world.source.clone(),
        only: None,
        population: Population::of(world.artifacts),
    }))
}

/// A store with one artifact: an empty one could not be asked.
pub(crate) fn open_empty(world: &World) -> Result<Box<dyn Contender>> {
    let runtime = runtime()?;
    let root = world.directory.join("empty");
    let only = Some(runtime.block_on(publish_one(&root))?);
    Ok(Box::new(OpeningSide {
        runtime,
        root,
        only,
        population: Population::of(1),
    }))
}

async fn publish_one(root: &Path) -> Result<ArtifactId> {
    let store = LocalStore::open(root).await?;
    let request = PublishArtifactRequest::file(
        artifact_type()?,
        LogicalKey::new("only")?,
        ArtifactSource::Bytes("only".into()),
    );
    let published = store.artifacts().publish_artifact(request).await?;
    store.close().await;
    Ok(published.artifact().id)
}

impl Contender for OpeningSide {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let random = questions::ids(self.population, "", n).next();
        let id = self
            .only
            .or(random)
            .context("there is nothing to ask for")?;
        self.runtime.block_on(async {
            let store = LocalStore::open(&self.root).await?;
            let found = store.artifacts().get_artifact(id).await;
            store.close().await;
            found?;
            Ok(1)
        })
    }
}
