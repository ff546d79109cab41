//! Publishing many in one call.

use anyhow::{Result, ensure};
use artstore_core::artifact::PublishArtifactRequest;

use super::publish::{Content, PublishSide};
use crate::contender::{Contender, Syncs, World};

/// In one call.
pub(crate) const REQUESTS: usize = 1000;

struct BatchSide(PublishSide);

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    let side = PublishSide::open(world, Content::Small, 1)?;
    Ok(Box::new(BatchSide(side)))
}

impl Contender for BatchSide {
    fn work(&self, publisher: usize, n: usize) -> Result<u64> {
        let numbers = n * REQUESTS..(n + 1) * REQUESTS;
        let requests = numbers.map(|number| self.0.request(publisher, number));
        let requests: Vec<PublishArtifactRequest> = requests.collect::<Result<_>>()?;
        let results = self
            .0
            .runtime
            .block_on(self.0.port.publish_artifacts(requests));
        ensure!(results.len() == REQUESTS, "there are too few results");
        for result in results {
            ensure!(!result?.is_duplicate(), "another outcome than expected");
        }
        Ok(REQUESTS as u64)
    }

    fn syncs(&self) -> Syncs {
        self.0.syncs()
    }
}
