//! The same questions to catalogs of several sizes.

use anyhow::{Result, bail};
use artstore_core::maintenance::StatusDetail;
use artstore_core::page::PageRequest;

use super::read::PortSide;
use super::{page, probe, read};
use crate::contender::{Contender, World};
use crate::figure::{DEPTH_5, FIND, GET, LINEAGE, LIST, ONE_BY_ONE, PROBE, STATUS};
use crate::population::BY_TYPE;
use crate::questions;

/// How often the status is asked for in one operation.
const TIMES: u64 = 10;

struct Find;

struct Status;

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    let asking = |case: &str| World {
        case: case.to_owned(),
        ..world.clone()
    };
    match world.case.as_str() {
        GET => read::open_get(&asking(ONE_BY_ONE)),
        FIND => Ok(Box::new(PortSide::open(world, Find)?)),
        LIST => page::open_middle(&asking(BY_TYPE)),
        LINEAGE => read::open_walk(&asking(DEPTH_5)),
        PROBE => probe::open(world),
        STATUS => Ok(Box::new(PortSide::open(world, Status)?)),
        case => bail!("nothing is called `{case}`"),
    }
}

impl Contender for PortSide<Find> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let page = PageRequest::first(10)?;
        let mut found = 0;
        for scope in questions::keys(self.population, n) {
            let scope = scope?;
            let finding =
                self.port
                    .find_by_logical_key(&scope.artifact_type, &scope.logical_key, &page);
            let page = self.runtime.block_on(finding)?;
            found += u64::from(!page.items.is_empty());
        }
        Ok(found)
    }
}

impl Contender for PortSide<Status> {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        let maintenance = self.store.maintenance();
        for _ in 0..TIMES {
            let status = self
                .runtime
                .block_on(maintenance.status(StatusDetail::Counts))?;
            anyhow::ensure!(
                status.artifacts.total() == self.population.artifacts,
                "the status counts {}",
                status.artifacts.total()
            );
        }
        Ok(TIMES)
    }
}
