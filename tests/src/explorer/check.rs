//! What must hold after a crash.

use artstore_core::artifact::Artifact;
use artstore_core::digest::Digest;
use artstore_core::format::ArtifactRecord;
use artstore_core::layout;
use artstore_core::maintenance::SettleReport;
use artstore_core::ports::{ArtifactStorePort, Maintenance};
use artstore_core::{Error, Result as StoreResult};
use artstore_engine::Engine;
use futures_util::StreamExt as _;

use super::stack::Machine;
use super::workload::{Outcome, Shape, Workload, all_artifacts, shapes};
use crate::model_fs::ROOT;

/// What is wrong.
pub(super) type Finding = String;

/// What an undisturbed run of a workload gave.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) workload: Workload,
    pub(super) base: Artifact,
    /// The canonical dump before the first operation and after each.
    pub(super) dumps: Vec<String>,
    /// The artifacts at the same times.
    pub(super) shapes: Vec<Vec<Shape>>,
    pub(super) outcomes: Vec<Outcome>,
}

/// What is done first after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Everything is settled.
    Settle,
    /// The last operation is repeated; settling happens as far as it must.
    Repeat,
}

/// How the machine went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrashKind {
    Kill,
    PowerLoss,
}

/// Opens the store on `machine` after a crash that came when `answered` operations had been answered, and checks every
/// promise.
pub(super) async fn check_recovery(
    machine: &Machine,
    expected: &Expected,
    answered: usize,
    route: Route,
    crash: CrashKind,
) -> Result<(), Finding> {
    let engine = machine.open(None).await.map_err(failed("opening"))?;
    if route == Route::Settle {
        check_settled(&engine, expected, answered, crash).await?;
    }
    let store = engine.artifact_store();
    let repeated = answered.min(expected.workload.len() - 1);
    let outcome = expected
        .workload
        .act(repeated, store.as_ref(), &expected.base)
        .await;
    let outcome = outcome.map_err(failed("repeating the operation"))?;
    if repeated < answered && outcome != expected.outcomes[repeated] {
        let first = &expected.outcomes[repeated];
        return Err(format!(
            "repeating an answered operation gave {outcome:?} instead of {first:?}"
        ));
    }
    engine.close().await;
    check_whole(machine, expected, repeated + 1, &outcome).await
}

/// Settling alone: the operation under way happened wholly or not at all.
async fn check_settled(
    engine: &Engine,
    expected: &Expected,
    answered: usize,
    crash: CrashKind,
) -> Result<(), Finding> {
    let maintenance = engine.maintenance();
    let report = maintenance.settle().await.map_err(failed("settling"))?;
    if crash == CrashKind::Kill {
        check_no_damage(&report)?;
    }
    let dump = dump(maintenance.as_ref()).await?;
    let latest = (answered + 1).min(expected.workload.len());
    if !expected.dumps[answered..=latest].contains(&dump) {
        let before = &expected.dumps[answered];
        let after = &expected.dumps[latest];
        return Err(format!(
            "after settling the store is neither as before the operation nor as after it\n\
             found:\n{dump}before:\n{before}after:\n{after}"
        ));
    }
    check_bytes(engine.artifact_store().as_ref(), expected).await
}

fn check_no_damage(report: &SettleReport) -> Result<(), Finding> {
    match report.faults.iter().find(|fault| fault.kind.is_damage()) {
        Some(fault) => Err(format!("a kill is reported as damage: {fault:?}")),
        None => Ok(()),
    }
}

/// After the operation was repeated: everything is there once, can be rebuilt, and nothing else remains.
pub(super) async fn check_whole(
    machine: &Machine,
    expected: &Expected,
    done: usize,
    last: &Outcome,
) -> Result<(), Finding> {
    let engine = machine.open(None).await.map_err(failed("opening again"))?;
    let store = engine.artifact_store();
    let artifacts = all_artifacts(store.as_ref())
        .await
        .map_err(failed("listing"))?;
    let found = shapes(&artifacts);
    if found != expected.shapes[done] {
        let wanted = &expected.shapes[done];
        return Err(format!(
            "the artifacts are not those of an undisturbed run\nfound: {found:#?}\nwanted: {wanted:#?}"
        ));
    }
    if !artifacts.contains(last.artifact()) {
        return Err(format!(
            "the repeated operation answered what is not there: {last:?}"
        ));
    }
    for outcome in &expected.outcomes[..done - 1] {
        let id = outcome.artifact().id;
        if !artifacts.iter().any(|artifact| artifact.id == id) {
            return Err(format!("the answered artifact {id} is gone"));
        }
    }
    check_bytes(store.as_ref(), expected).await?;
    let indexed = dump(engine.maintenance().as_ref()).await?;
    engine.close().await;

    machine.catalog.delete();
    let engine = machine
        .open(None)
        .await
        .map_err(failed("opening without a catalog"))?;
    let maintenance = engine.maintenance();
    let rebuilt = dump(maintenance.as_ref()).await?;
    if rebuilt != indexed {
        return Err(format!(
            "a rebuilt catalog says something else\nbefore:\n{indexed}after:\n{rebuilt}"
        ));
    }
    maintenance
        .settle()
        .await
        .map_err(failed("settling again"))?;
    let settled = dump(maintenance.as_ref()).await?;
    if settled != rebuilt {
        return Err(format!(
            "settling changed a settled store\nbefore:\n{rebuilt}after:\n{settled}"
        ));
    }
    engine.close().await;
    drop((engine, store, maintenance));
    check_disk(machine, expected, &artifacts)
}

/// Every artifact's bytes, read through the port, are those that were published.
async fn check_bytes(store: &dyn ArtifactStorePort, expected: &Expected) -> Result<(), Finding> {
    for artifact in all_artifacts(store).await.map_err(failed("listing"))? {
        let bytes = read(store, &artifact)
            .await
            .map_err(failed("reading an artifact"))?;
        let is_right = Digest::of(&bytes) == artifact.file_hash
            && expected.workload.content_of(artifact.file_hash) == Some(bytes);
        if !is_right {
            return Err(format!(
                "the bytes of {} are not those published",
                artifact.id
            ));
        }
    }
    Ok(())
}

async fn read(store: &dyn ArtifactStorePort, artifact: &Artifact) -> StoreResult<Vec<u8>> {
    let mut reader = store.open(artifact.id, None).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = reader.bytes.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

/// What can be seen of the disk itself.
fn check_disk(
    machine: &Machine,
    expected: &Expected,
    artifacts: &[Artifact],
) -> Result<(), Finding> {
    let disk = machine.vfs.disk();
    let files = disk.files();
    for (path, _) in &files {
        let Some(inside) = path.strip_prefix(ROOT) else {
            continue;
        };
        let is_remains = inside.starts_with(&format!("/{}/", layout::INTENTS))
            || (inside.starts_with(&format!("/{}/", layout::STAGING)) && !is_owner_lock(inside));
        if is_remains {
            return Err(format!("{inside} is left over"));
        }
    }
    for artifact in artifacts {
        let path = format!("{ROOT}/{}", artifact.record_path);
        let Some((_, bytes)) = files.iter().find(|(name, _)| *name == path) else {
            return Err(format!("the record {path} is missing"));
        };
        let record = ArtifactRecord::parse(bytes, &artifact.record_path)
            .map_err(failed("reading a record"))?;
        if record.into_artifact() != *artifact {
            return Err(format!("the record {path} is behind its row"));
        }
    }
    if let Some(breach) = machine.vfs.breaches().first() {
        return Err(breach.clone());
    }
    match expected.workload.harmed_file(&machine.vfs) {
        Some(harm) => Err(harm),
        None => Ok(()),
    }
}

/// The lock by which the owner of a part of staging shows that it lives.
fn is_owner_lock(path: &str) -> bool {
    path.ends_with(".lock") || path.ends_with("/lock")
}

/// The canonical dump as text.
pub(super) async fn dump(maintenance: &dyn Maintenance) -> Result<String, Finding> {
    let mut lines = maintenance
        .canonical_dump()
        .await
        .map_err(failed("dumping"))?;
    let mut text = String::new();
    while let Some(line) = lines.next().await {
        let line = line.map_err(failed("dumping"))?;
        text.push_str(&String::from_utf8_lossy(&line));
    }
    Ok(text)
}

/// A finding about a call that should have succeeded.
pub(super) fn failed(what: &'static str) -> impl Fn(Error) -> Finding {
    move |error| format!("{what} failed: {error} ({error:?})")
}
