//! Crashes while a store is made and gets its first artifact.

use artstore_core::artifact::Artifact;
use artstore_core::id::StoreId;
use artstore_core::maintenance::StatusDetail;

use super::check::{Expected, Finding, Sight, check_whole, failed};
use super::recorder::{Moment, Recorder};
use super::stack::Machine;
use super::workload::{Outcome, Shape, Workload};
use super::{Exploration, Explored, Violation, block_on};
use crate::model_fs::DurableImage;

/// Tries every crash of making a store and publishing its first artifact.
///
/// # Errors
/// The first promise that was found broken.
pub fn explore_beginning(exploration: &Exploration) -> Result<Explored, Violation> {
    block_on(async {
        let recorded = Beginning::record(exploration).await;
        let beginning = recorded.map_err(|finding| Violation {
            description: format!("beginning a store fails undisturbed: {finding}"),
        })?;
        let mut explored = Explored::default();
        for moment in &beginning.moments {
            explored.moments += 1;
            let losses = moment
                .disk
                .crash_states(exploration.power_losses, exploration.seed);
            let losses = losses.map(|image| (image, "boot-1"));
            let kill = (moment.disk.kill_image(), "boot-0");
            for (number, (image, boot_id)) in std::iter::once(kill).chain(losses).enumerate() {
                let tried = beginning.check(moment, image, boot_id, exploration).await;
                tried.map_err(|finding| Violation {
                    description: format!(
                        "beginning a store, {}, state {number} ({boot_id}), {exploration:?}: {finding}",
                        moment.label
                    ),
                })?;
                explored.states += 1;
            }
        }
        Ok(explored)
    })
}

struct Beginning {
    store_id: StoreId,
    first: Artifact,
    expected: Expected,
    moments: Vec<Moment>,
}

impl Beginning {
    async fn record(exploration: &Exploration) -> Result<Self, Finding> {
        let workload = Workload::new([]);
        let machine = Machine::new(exploration.mutant);
        let recorder = Recorder::new(machine.catalog.snapshot(), 0);
        machine.vfs.set_observer(Some(recorder.clone()));
        let engine = machine.open(Some(&recorder)).await;
        let engine = engine.map_err(failed("opening"))?;
        recorder.note_answer();
        let store = engine.artifact_store();
        let first = workload.begin(store.as_ref()).await;
        let first = first.map_err(failed("beginning"))?;
        recorder.note_answer();
        engine.close().await;
        recorder.note("at the end".to_owned(), machine.vfs.disk());
        let moments = recorder.take();
        let status = engine.maintenance().status(StatusDetail::Counts).await;
        let sight = Sight::of(&engine).await?;
        let expected = Expected {
            outcomes: vec![Outcome::Changed(first.clone())],
            workload,
            base: None,
            sights: Vec::new(),
            shapes: vec![Shape::of(&[], &[]), sight.shape()],
        };
        Ok(Self {
            store_id: status.map_err(failed("the status"))?.store_id,
            first,
            expected,
            moments,
        })
    }

    async fn check(
        &self,
        moment: &Moment,
        image: DurableImage,
        boot_id: &str,
        exploration: &Exploration,
    ) -> Result<(), Finding> {
        let catalog = Some(&moment.catalog);
        let machine = Machine::after_crash(image, boot_id, catalog, exploration.mutant, 1);
        let engine = machine.open(None).await.map_err(failed("opening"))?;
        let begun = self
            .expected
            .workload
            .begin(engine.artifact_store().as_ref())
            .await;
        let begun = begun.map_err(failed("beginning again"))?;
        let status = engine.maintenance().status(StatusDetail::Counts).await;
        let store_id = status.map_err(failed("the status"))?.store_id;
        if moment.answered >= 1 && store_id != self.store_id {
            return Err(format!("the store {} became {store_id}", self.store_id));
        }
        if moment.answered >= 2 && begun != self.first {
            return Err(format!("the first artifact became {begun:?}"));
        }
        engine.close().await;
        drop(engine);
        check_whole(&machine, &self.expected, 1, &Outcome::Changed(begun)).await
    }
}
