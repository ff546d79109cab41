//! The store's side of the figures.

pub(crate) mod batch;
pub(crate) mod ch1;
pub(crate) mod command;
pub(crate) mod growth;
pub(crate) mod opening;
pub(crate) mod page;
pub(crate) mod probe;
pub(crate) mod publish;
pub(crate) mod read;
pub(crate) mod rebuild;
pub(crate) mod size;
pub(crate) mod stream;

use std::path::Path;

use anyhow::{Context, Result};
use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest};
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_tests::store::LocalStore;
use tokio::runtime::Runtime;

/// Makes the store and its directories, so that what is measured does not.
pub(crate) fn set_up(directory: &Path) -> Result<()> {
    runtime()?.block_on(async {
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

pub(crate) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")
}

fn artifact_type() -> artstore_core::Result<ArtifactType> {
    ArtifactType::new("bench")
}
