//! What a publish asks the catalog.

use std::hint::black_box;

use anyhow::{Context, Result, ensure};
use artstore_core::backend::{ArtifactCatalog as _, ArtifactProbe, ProbeAnswer};
use artstore_core::digest::{ContentHash, HashAlgorithm};
use artstore_core::key::OpId;

use super::read::CatalogSide;
use crate::contender::{Contender, World};
use crate::questions::{self, ProbeQuestion};

struct Probe;

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(CatalogSide::open(world, Probe)?))
}

impl Contender for CatalogSide<Probe> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let mut asked = 0;
        for question in questions::probes(self.population, n) {
            self.runtime.block_on(self.ask(question?))?;
            asked += 1;
        }
        Ok(asked)
    }
}

impl CatalogSide<Probe> {
    async fn ask(&self, question: ProbeQuestion) -> Result<()> {
        let ProbeQuestion {
            op_id,
            scope,
            size_bytes,
            file_hash,
            content_digest,
        } = question;
        // Of a key with many versions it is answered that one may have it.
        let may_have = self.catalog.may_have_active_of_size(&scope, size_bytes);
        black_box(may_have.await?);
        let content_hash = content_digest.map(|digest| ContentHash {
            algorithm: HashAlgorithm::Ch1,
            digest,
        });
        let probe = ArtifactProbe::Publish {
            op_id: OpId::new(op_id.to_string())?,
            scope,
            file_hash,
            content_hash,
            inputs: Vec::new(),
        };
        let answers = self.catalog.examine(vec![probe]).await?.answers;
        let answer = answers.first().context("a probe has no answer")?;
        ensure!(*answer == ProbeAnswer::default(), "something new was found");
        Ok(())
    }
}
