//! The catalog made anew from the files.

use anyhow::{Result, ensure};
use artstore_tests::store::LocalStore;
use tokio::runtime::Runtime;

use super::runtime;
use crate::contender::{Contender, World};
use crate::population::Population;

struct RebuildSide {
    runtime: Runtime,
    store: LocalStore,
    artifacts: u64,
    events: u64,
}

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    let runtime = runtime()?;
    Ok(Box::new(RebuildSide {
        store: runtime.block_on(LocalStore::open(&world.source))?,
        runtime,
        artifacts: world.artifacts,
        events: Population::of(world.artifacts).events(),
    }))
}

impl Contender for RebuildSide {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        let maintenance = self.store.maintenance();
        let report = self.runtime.block_on(maintenance.rebuild())?;
        ensure!(
            (report.records, report.events) == (self.artifacts, self.events)
                && report.faults.is_empty(),
            "{} of {} records, {} of {} events, {} faults",
            report.records,
            self.artifacts,
            report.events,
            self.events,
            report.faults.len()
        );
        Ok(report.records)
    }
}

impl Drop for RebuildSide {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.close());
    }
}

#[cfg(test)]
mod tests {
    use artstore_core::maintenance::StatusDetail;

    use super::*;
    use crate::floor::records;
    use crate::population::{self, Way};

    #[test]
    fn files_and_rows_of_a_population_say_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let population = Population::of(600);
        let source = directory.path().join("store");
        population::write_files(&source, population).unwrap();
        let world = World {
            source: source.clone(),
            artifacts: population.artifacts,
            ..World::at(directory.path())
        };

        let rebuild = open(&world).unwrap();
        for n in 0..2 {
            assert_eq!(rebuild.work(0, n).unwrap(), population.artifacts);
        }
        drop(rebuild);
        let floor = records::open(&world).unwrap();
        assert_eq!(floor.work(0, 0).unwrap(), population.artifacts);

        let runtime = runtime().unwrap();
        let rows = directory.path().join("rows");
        runtime
            .block_on(population::build(&rows, population, Way::Grown))
            .unwrap();
        let counts = [source, rows].map(|root| {
            runtime.block_on(async {
                let store = LocalStore::open(&root).await.unwrap();
                let status = store.maintenance().status(StatusDetail::Counts).await;
                store.close().await;
                let counts = status.unwrap().artifacts;
                (counts.active, counts.superseded, counts.tombstoned)
            })
        });
        assert_eq!(counts[0], counts[1]);
    }
}
