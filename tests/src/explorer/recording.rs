//! The undisturbed run of a workload.

use artstore_testkit::memory::CatalogCopy;

use super::check::{Expected, Finding, Sight, failed};
use super::recorder::{Moment, Recorder};
use super::stack::{Machine, Mutant};
use super::workload::Workload;
use crate::model_fs::DurableImage;

/// What an undisturbed run gave.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) expected: Expected,
    /// Every moment of the last operation at which the process may die.
    pub(super) moments: Vec<Moment>,
    /// The catalog before each operation.
    pub(super) older: Vec<CatalogCopy>,
    /// The disk before the first operation, all of it durable.
    pub(super) start: DurableImage,
}

impl Recording {
    /// Runs `workload`.
    pub(super) async fn of(workload: &Workload, mutant: Option<Mutant>) -> Result<Self, Finding> {
        let machine = Machine::new(mutant);
        let engine = machine.open(None).await.map_err(failed("opening"))?;
        let base = workload.furnish(&engine).await;
        let base = base.map_err(failed("beginning"))?;
        engine.close().await;
        drop(engine);
        workload.prepare(&machine.vfs);
        machine.vfs.sync_all();
        let start = machine.vfs.kill_image();

        let recorder = Recorder::new(machine.catalog.snapshot(), 0);
        let engine = machine.open(Some(&recorder)).await;
        let engine = engine.map_err(failed("opening"))?;
        let first = Sight::of(&engine).await?;
        let mut expected = Expected {
            workload: workload.clone(),
            base: Some(base),
            shapes: vec![first.shape()],
            sights: vec![first],
            outcomes: Vec::new(),
        };
        machine.vfs.set_observer(Some(recorder.clone()));
        let (mut moments, mut older) = (Vec::new(), Vec::new());
        for position in 0..workload.len() {
            older.push(machine.catalog.snapshot());
            recorder.take();
            let outcome = expected.act(position, &engine).await;
            expected
                .outcomes
                .push(outcome.map_err(failed("an operation"))?);
            recorder.note_answer();
            engine.close().await;
            recorder.note("at the end".to_owned(), machine.vfs.disk());
            moments = recorder.take();
            let sight = Sight::of(&engine).await?;
            expected.shapes.push(sight.shape());
            expected.sights.push(sight);
        }
        Ok(Self {
            expected,
            moments,
            older,
            start,
        })
    }
}
