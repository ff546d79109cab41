//! Fails every single call of every operation.

use artstore_core::{ErrorKind, Result as StoreResult};

use super::check::{
    CrashKind, Finding, Route, Sight, check_recovery, check_whole, failed, staged_files,
};
use super::recorder::Moment;
use super::recording::Recording;
use super::stack::Machine;
use super::workload::Workload;
use super::{Violation, block_on};
use crate::model_fs::{CallKind, Failure, FaultDuration, FaultPlan};

/// Fails every call of the last operation of `workload` once with every failure, and every call with all that follow with a
/// full disk. Returns the number of faults.
///
/// # Errors
/// The first promise that was found broken.
pub fn sweep(workload: &Workload) -> Result<u64, Violation> {
    block_on(async {
        let recording = Recording::of(workload, None).await;
        let recording = recording.map_err(|finding| Violation {
            description: format!("{workload} fails undisturbed: {finding}"),
        })?;
        let calls = count_calls(&recording).await.map_err(|finding| Violation {
            description: format!("{workload} fails undisturbed: {finding}"),
        })?;
        let mut faults = 0;
        for first in 1..=calls {
            let once = Failure::ALL.map(|failure| (FaultDuration::Once, failure));
            let for_ever = [(FaultDuration::ForEver, Failure::StorageFull)];
            for (duration, failure) in once.into_iter().chain(for_ever) {
                let plan = FaultPlan {
                    kind: None,
                    first,
                    duration,
                    failure,
                };
                strike(&recording, plan)
                    .await
                    .map_err(|finding| Violation {
                        description: format!("{workload}, {plan:?} of {calls} calls: {finding}"),
                    })?;
                faults += 1;
            }
        }
        Ok(faults)
    })
}

/// Takes `workload` down at every `stride`th moment of its last operation, and then fails every call of settling once with
/// a full disk and once with a failing device. Returns the number of faults.
///
/// # Errors
/// The first promise that was found broken.
pub fn sweep_settling(workload: &Workload, stride: usize) -> Result<u64, Violation> {
    block_on(async {
        let recording = Recording::of(workload, None).await;
        let recording = recording.map_err(|finding| Violation {
            description: format!("{workload} fails undisturbed: {finding}"),
        })?;
        let mut faults = 0;
        for moment in recording.moments.iter().step_by(stride) {
            for failure in [Failure::StorageFull, Failure::DeviceError] {
                let mut first = 0;
                let mut has_struck = true;
                while has_struck {
                    first += 1;
                    let plan = FaultPlan {
                        kind: None,
                        first,
                        duration: FaultDuration::Once,
                        failure,
                    };
                    let struck = strike_settling(&recording, moment, plan).await;
                    has_struck = struck.map_err(|finding| Violation {
                        description: format!(
                            "{workload} killed {}, then {plan:?} while settling: {finding}",
                            moment.label
                        ),
                    })?;
                    faults += u64::from(has_struck);
                }
            }
        }
        Ok(faults)
    })
}

/// Whether settling came as far as the planned fault.
async fn strike_settling(
    recording: &Recording,
    moment: &Moment,
    plan: FaultPlan,
) -> Result<bool, Finding> {
    let image = moment.disk.kill_image();
    let machine = Machine::after_crash(image, "boot-0", Some(&moment.catalog), None, 1);
    let engine = machine.open(None).await.map_err(failed("opening"))?;
    let before = machine.vfs.calls().len() as u64;
    machine.vfs.set_fault(Some(plan));
    let settled = engine.maintenance().settle().await;
    machine.vfs.set_fault(None);
    let has_struck = machine.vfs.calls().len() as u64 - before >= plan.first;
    if let Err(error) = &settled
        && error.kind() != ErrorKind::Unavailable
    {
        return Err(format!("an I/O error became {error:?}"));
    }
    engine.close().await;
    drop(engine);
    let calls = machine.vfs.calls();
    let met = calls.get((before + plan.first - 1) as usize);
    if met.is_some_and(|call| call.kind == CallKind::GiveBack) {
        // What cannot be given back goes to quarantine, where its user finds it.
        return match recording.expected.workload.harmed_file(&machine.vfs) {
            Some(harm) => Err(harm),
            None => Ok(has_struck),
        };
    }
    let (expected, crash) = (&recording.expected, CrashKind::Kill);
    check_recovery(&machine, expected, moment.answered, Route::Settle, crash)
        .await
        .map_err(|finding| format!("after {settled:?}: {finding}"))?;
    Ok(has_struck)
}

fn machine(recording: &Recording) -> Machine {
    let catalog = recording.older.first();
    Machine::after_crash(recording.start.clone(), "boot-0", catalog, None, 1)
}

async fn count_calls(recording: &Recording) -> Result<u64, Finding> {
    let machine = machine(recording);
    let engine = machine.open(None).await.map_err(failed("opening"))?;
    let before = machine.vfs.calls().len();
    let outcome = recording.expected.act(0, &engine).await;
    outcome.map_err(failed("an operation"))?;
    engine.close().await;
    Ok((machine.vfs.calls().len() - before) as u64)
}

async fn strike(recording: &Recording, plan: FaultPlan) -> Result<(), Finding> {
    let machine = machine(recording);
    let engine = machine.open(None).await.map_err(failed("opening"))?;
    let expected = &recording.expected;
    machine.vfs.set_fault(Some(plan));
    let outcome = expected.act(0, &engine).await;
    engine.close().await;
    machine.vfs.set_fault(None);
    let call = machine.vfs.calls().into_iter().nth_back(0);
    let allowed: &[usize] = match &outcome {
        Ok(_) => &[1],
        Err(error) if error.kind() == ErrorKind::CommitUnknown => &[0, 1],
        // What was put in its place may not be durable: the former document or the new one is there.
        Err(error)
            if error.kind() == ErrorKind::Unavailable
                && expected.workload.begins_with_a_registration() =>
        {
            &[0, 1]
        }
        Err(error) if error.kind() == ErrorKind::Unavailable => &[0],
        Err(error) => return Err(format!("an I/O error became {error:?}; last call {call:?}")),
    };
    if plan.duration == FaultDuration::Once && is_definite(&outcome) {
        let staged = staged_files(&machine);
        if !staged.is_empty() {
            return Err(format!("after {outcome:?} {staged:?} are staged"));
        }
    }
    check_outcome(&machine, recording, allowed)
        .await
        .map_err(|finding| format!("after {outcome:?}: {finding}"))?;
    let repeated = expected.act(0, &engine).await;
    let repeated = repeated.map_err(failed("repeating the operation"))?;
    if let Ok(first) = &outcome
        && first != &repeated
    {
        return Err(format!("repeating gave {repeated:?} instead of {first:?}"));
    }
    engine.close().await;
    drop(engine);
    check_whole(&machine, expected, 1, &repeated).await
}

fn is_definite<T>(outcome: &StoreResult<T>) -> bool {
    matches!(outcome, Err(error) if error.kind() != ErrorKind::CommitUnknown)
}

/// After settling, as many operations happened as the outcome allows. Looks at a copy of the machine.
async fn check_outcome(
    machine: &Machine,
    recording: &Recording,
    allowed: &[usize],
) -> Result<(), Finding> {
    let catalog = machine.catalog.snapshot();
    let copy = Machine::after_crash(machine.vfs.kill_image(), "boot-0", Some(&catalog), None, 2);
    let engine = copy.open(None).await.map_err(failed("opening"))?;
    let settled = engine.maintenance().settle().await;
    settled.map_err(failed("settling"))?;
    let found = Sight::of(&engine).await?;
    if !allowed
        .iter()
        .any(|done| recording.expected.shapes[*done] == found.shape())
    {
        return Err(format!("the store says something else:\n{found:#?}"));
    }
    Ok(())
}
