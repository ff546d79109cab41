//! All artifacts, one after the other.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::Result;
use artstore_core::artifact::ArtifactFilter;
use artstore_core::ports::stream_artifacts;
use futures_util::StreamExt as _;

use super::read::PortSide;
use crate::contender::{Contender, World};

struct All;

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(PortSide::open(world, All)?))
}

impl Contender for PortSide<All> {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        let port = Arc::clone(&self.port);
        self.runtime.block_on(async {
            let mut artifacts = stream_artifacts(port, ArtifactFilter::default());
            let mut count = 0;
            while let Some(artifact) = artifacts.next().await {
                black_box(artifact?);
                count += 1;
            }
            Ok(count)
        })
    }
}
