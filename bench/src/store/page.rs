//! Pages of lists through the port, at both ends and in the middle.

use anyhow::{Result, ensure};
use artstore_core::artifact::ArtifactFilter;
use artstore_core::page::{Cursor, PageRequest};

use super::read::PortSide;
use crate::contender::{Contender, World};
use crate::population::{self, BY_KEY, Population};

const ITEMS: u32 = 100;

/// Which page of which list.
struct Page {
    list: String,
    filter: ArtifactFilter,
    request: PageRequest,
    has_next: bool,
}

pub(crate) fn open_first(world: &World) -> Result<Box<dyn Contender>> {
    open(world, true, |_, _| Ok(None))
}

pub(crate) fn open_middle(world: &World) -> Result<Box<dyn Contender>> {
    open(world, true, |population, list| {
        population.in_the_middle(list).map(Some)
    })
}

pub(crate) fn open_last(world: &World) -> Result<Box<dyn Contender>> {
    open(world, false, |population, list| {
        population.before_the_last(list, ITEMS as usize).map(Some)
    })
}

fn open(
    world: &World,
    has_next: bool,
    cursor: impl FnOnce(Population, &str) -> Result<Option<Cursor>>,
) -> Result<Box<dyn Contender>> {
    let population = Population::of(world.artifacts);
    let first = PageRequest::first(ITEMS)?;
    let page = Page {
        list: world.case.clone(),
        filter: population::filter(population, &world.case)?,
        request: match cursor(population, &world.case)? {
            Some(cursor) => first.after(cursor),
            None => first,
        },
        has_next,
    };
    Ok(Box::new(PortSide::open(world, page)?))
}

impl Contender for PortSide<Page> {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        let asked = &self.question;
        let page = self.runtime.block_on(async {
            if asked.list == BY_KEY {
                let (artifact_type, key) = population::common_key()?;
                let found = self
                    .port
                    .find_by_logical_key(&artifact_type, &key, &asked.request);
                return Ok::<_, anyhow::Error>(found.await?);
            }
            let found = self.port.list_artifacts(&asked.filter, &asked.request);
            Ok(found.await?)
        })?;
        ensure!(page.items.len() == ITEMS as usize, "a page is not full");
        ensure!(
            page.next.is_some() == asked.has_next,
            "a page is not where it should be"
        );
        Ok(1)
    }
}
