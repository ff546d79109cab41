//! Reading from a population: through the port, and through the catalog alone.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use artstore_core::artifact::Artifact;
use artstore_core::backend::{ArtifactCatalog, blocking};
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{Relation, WalkLimits};
use artstore_core::ports::ArtifactStorePort;
use artstore_sqlite::{SqliteArtifactCatalog, SqliteSettings};
use artstore_tests::store::LocalStore;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::runtime;
use crate::contender::{Contender, World};
use crate::figure::TOGETHER;
use crate::population::{self, Population};
use crate::questions::{self, ASKERS};

/// A store that only answers.
pub(super) struct PortSide<Q> {
    pub(super) runtime: Runtime,
    pub(super) store: LocalStore,
    pub(super) port: Arc<dyn ArtifactStorePort>,
    pub(super) population: Population,
    pub(super) question: Q,
}

/// A catalog that only answers.
pub(super) struct CatalogSide<Q> {
    pub(super) runtime: Runtime,
    pub(super) catalog: SqliteArtifactCatalog,
    pub(super) population: Population,
    question: Q,
}

/// Artifacts by their ids.
struct Get {
    case: String,
}

/// The same, by many who ask at once.
struct GetAtOnce(Get);

/// The same, on the thread that asks: what going to another thread and back costs is the difference.
struct GetInPlace(Get);

/// What artifacts were made from, or what was made from them.
struct Walk {
    case: String,
}

pub(crate) fn open_get(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(PortSide::open(world, Get::of(world))?))
}

/// The same under another name: what many at once are compared with.
pub(crate) fn open_get_one_by_one(world: &World) -> Result<Box<dyn Contender>> {
    open_get(world)
}

pub(crate) fn open_get_at_once(world: &World) -> Result<Box<dyn Contender>> {
    let question = GetAtOnce(Get::of(world));
    Ok(Box::new(PortSide::open(world, question)?))
}

pub(crate) fn open_catalog_get(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(CatalogSide::open(world, Get::of(world))?))
}

pub(crate) fn open_catalog_get_in_place(world: &World) -> Result<Box<dyn Contender>> {
    let question = GetInPlace(Get::of(world));
    Ok(Box::new(CatalogSide::open(world, question)?))
}

pub(crate) fn open_lineage(world: &World) -> Result<Box<dyn Contender>> {
    let case = world.case.clone();
    Ok(Box::new(PortSide::open(world, Walk { case })?))
}

pub(crate) fn open_walk(world: &World) -> Result<Box<dyn Contender>> {
    let case = world.case.clone();
    Ok(Box::new(CatalogSide::open(world, Walk { case })?))
}

impl Get {
    fn of(world: &World) -> Self {
        Self {
            case: world.case.clone(),
        }
    }

    /// The ids of each call.
    fn calls(&self, population: Population, n: usize) -> Vec<Vec<ArtifactId>> {
        let ids = questions::ids(population, &self.case, n);
        if self.case == TOGETHER {
            vec![ids.collect()]
        } else {
            ids.map(|id| vec![id]).collect()
        }
    }
}

impl<Q> PortSide<Q> {
    pub(super) fn open(world: &World, question: Q) -> Result<Self> {
        let runtime = runtime()?;
        let store = runtime.block_on(LocalStore::open(&world.source))?;
        let port = store.artifacts();
        // Opening the catalog is not what is measured.
        ensure!(
            runtime.block_on(port.is_available()),
            "the store does not answer"
        );
        Ok(Self {
            runtime,
            store,
            port,
            population: Population::of(world.artifacts),
            question,
        })
    }
}

impl<Q> Drop for PortSide<Q> {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.close());
    }
}

impl<Q> CatalogSide<Q> {
    pub(super) fn open(world: &World, question: Q) -> Result<Self> {
        let path = world.source.join(population::CATALOG);
        Ok(Self {
            runtime: runtime()?,
            catalog: SqliteArtifactCatalog::new(path, SqliteSettings::default()),
            population: Population::of(world.artifacts),
            question,
        })
    }
}

impl<Q> Drop for CatalogSide<Q> {
    fn drop(&mut self) {
        self.runtime.block_on(self.catalog.close());
    }
}

fn count(artifacts: &[Option<Artifact>]) -> u64 {
    artifacts.iter().flatten().count() as u64
}

impl Contender for PortSide<Get> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        self.runtime.block_on(async {
            let mut found = 0;
            for ids in self.question.calls(self.population, n) {
                if let [id] = ids[..] {
                    black_box(self.port.get_artifact(id).await?);
                    found += 1;
                } else {
                    found += count(&self.port.get_artifacts(&ids).await?);
                }
            }
            Ok(found)
        })
    }
}

impl Contender for PortSide<GetAtOnce> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let get = &self.question.0;
        let ids: Vec<_> = questions::ids(self.population, &get.case, n).collect();
        self.runtime.block_on(async {
            let mut askers = JoinSet::new();
            for ids in ids.chunks(ids.len().div_ceil(ASKERS)) {
                let (port, ids) = (Arc::clone(&self.port), ids.to_vec());
                askers.spawn(async move {
                    for id in &ids {
                        black_box(port.get_artifact(*id).await?);
                    }
                    Ok::<_, artstore_core::Error>(ids.len() as u64)
                });
            }
            let mut found = 0;
            while let Some(asker) = askers.join_next().await {
                found += asker.context("an asker panicked")??;
            }
            Ok(found)
        })
    }
}

impl<Q> CatalogSide<Q> {
    fn get(&self, get: &Get, n: usize) -> Result<u64> {
        self.runtime.block_on(async {
            let mut found = 0;
            for ids in get.calls(self.population, n) {
                found += count(&self.catalog.get(&ids).await?);
            }
            Ok(found)
        })
    }
}

impl Contender for CatalogSide<Get> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        self.get(&self.question, n)
    }
}

impl Contender for CatalogSide<GetInPlace> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        blocking::allow(|| self.get(&self.question.0, n))
    }
}

impl Contender for PortSide<Walk> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let question = questions::walk(self.population, &self.question.case, n)?;
        let limits = WalkLimits::new(question.depth, WalkLimits::MAX_NODES)?;
        let start = question.start;
        let answer = self.runtime.block_on(async {
            match question.relation {
                Relation::Downstream => self.port.get_downstream(start, limits).await,
                _ => self.port.get_lineage(start, limits).await,
            }
        })?;
        ensure!(!answer.truncated, "a walk was cut off");
        Ok(answer.nodes.len() as u64)
    }
}

impl Contender for CatalogSide<Walk> {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let question = questions::walk(self.population, &self.question.case, n)?;
        let limits = WalkLimits {
            depth: question.depth,
            ..WalkLimits::UNLIMITED
        };
        let walk = self.catalog.walk(question.start, question.relation, limits);
        let found = self.runtime.block_on(walk)?;
        Ok(found.context("a walk has no start")?.nodes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::sides;
    use crate::figure::{Figure, Source};
    use crate::population::Way;

    const READERS: [Figure; 7] = [
        Figure::Get,
        Figure::Lineage,
        Figure::Page,
        Figure::Stream,
        Figure::Probe,
        Figure::Open,
        Figure::Growth,
    ];

    #[test]
    fn every_side_of_a_figure_finds_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let population = Population::of(20_000);
        let root = directory.path().join("store");
        let building = population::build(&root, population, Way::Rebuilt);
        runtime().unwrap().block_on(building).unwrap();
        let cases = READERS
            .into_iter()
            .flat_map(|figure| figure.cases().into_iter().map(move |case| (figure, case)));
        for (figure, case) in cases {
            assert_eq!(figure.source(case), Source::Population);
            let world = World {
                source: root.clone(),
                artifacts: population.artifacts,
                case: case.to_owned(),
                ..World::at(directory.path())
            };
            let sides = sides(figure, case, &[""; 0]).unwrap();
            let amounts = sides.into_iter().map(|entry| {
                let contender = (entry.open)(&world).unwrap();
                (0..3).map(|n| contender.work(0, n).unwrap()).collect()
            });
            let amounts: Vec<Vec<u64>> = amounts.collect();
            assert!(amounts.iter().flatten().any(|amount| *amount > 0));
            assert!(
                amounts.iter().all(|other| *other == amounts[0]),
                "{figure:?} {case}: {amounts:?}"
            );
        }
    }
}
