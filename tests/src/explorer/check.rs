//! What must hold after a crash.

use artstore_core::artifact::{Artifact, ArtifactFilter};
use artstore_core::digest::Digest;
use artstore_core::format::ArtifactRecord;
use artstore_core::layout;
use artstore_core::lineage::WalkLimits;
use artstore_core::maintenance::SettleReport;
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, Maintenance};
use artstore_core::registry::RegisteredType;
use artstore_core::{Error, Result as StoreResult};
use artstore_engine::Engine;
use futures_util::StreamExt as _;

use super::stack::Machine;
use super::workload::{Base, Outcome, Shape, Workload};
use crate::model_fs::ROOT;

/// What is wrong.
pub(super) type Finding = String;

/// What an undisturbed run of a workload gave.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) workload: Workload,
    pub(super) base: Option<Base>,
    /// What can be seen before the first operation and after each.
    pub(super) sights: Vec<Sight>,
    /// The same without ids and times.
    pub(super) shapes: Vec<Shape>,
    pub(super) outcomes: Vec<Outcome>,
}

impl Expected {
    /// Does the operation at `position`.
    pub(super) async fn act(&self, position: usize, engine: &Engine) -> StoreResult<Outcome> {
        let base = self.base.as_ref();
        let base = base.ok_or_else(|| Error::internal("a workload without beginning"))?;
        self.workload.act(position, engine, base).await
    }
}

/// All that can be seen of a small store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) dump: String,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) types: Vec<RegisteredType>,
}

impl Sight {
    pub(super) async fn of(engine: &Engine) -> Result<Self, Finding> {
        let page = PageRequest::first(1000).map_err(failed("a page"))?;
        let store = engine.artifact_store();
        let filter = ArtifactFilter::default();
        let listed = store.list_artifacts(&filter, &page).await;
        let types = engine.artifact_types().list_types().await;
        Ok(Self {
            dump: dump(engine.maintenance().as_ref()).await?,
            artifacts: listed.map_err(failed("listing"))?.items,
            types: types.map_err(failed("listing types"))?,
        })
    }

    pub(super) fn shape(&self) -> Shape {
        Shape::of(&self.artifacts, &self.types)
    }
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
    let repeated = answered.min(expected.workload.len() - 1);
    let outcome = expected.act(repeated, &engine).await;
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
    let found = Sight::of(engine).await?;
    let latest = (answered + 1).min(expected.workload.len());
    if !expected.sights[answered..=latest].contains(&found) {
        let before = &expected.sights[answered];
        let after = &expected.sights[latest];
        return Err(format!(
            "after settling the store is neither as before the operation nor as after it\n\
             found:\n{found:#?}before:\n{before:#?}after:\n{after:#?}"
        ));
    }
    check_bytes(engine.artifact_store().as_ref(), &found.artifacts, expected).await
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
    let sight = Sight::of(&engine).await?;
    let found = sight.shape();
    if found != expected.shapes[done] {
        let wanted = &expected.shapes[done];
        return Err(format!(
            "the store is not as after an undisturbed run\nfound: {found:#?}\nwanted: {wanted:#?}"
        ));
    }
    check_outcome_is_there(&sight, last)?;
    for outcome in &expected.outcomes[..done - 1] {
        check_is_there(&sight, outcome)?;
    }
    check_bytes(store.as_ref(), &sight.artifacts, expected).await?;
    check_relations(store.as_ref(), &sight.artifacts).await?;
    let Sight {
        dump: indexed,
        artifacts,
        types,
    } = sight;
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
    let registered = engine.artifact_types().list_types().await;
    if registered.map_err(failed("listing types"))? != types {
        return Err("registered types depend on the catalog".to_owned());
    }
    engine.close().await;
    drop((engine, store, maintenance));
    check_disk(machine, expected, &artifacts)
}

/// What the last operation answered is there exactly so.
fn check_outcome_is_there(sight: &Sight, outcome: &Outcome) -> Result<(), Finding> {
    let is_there = match outcome {
        Outcome::Registered(registered) => sight.types.contains(registered),
        _ => outcome
            .artifact()
            .is_none_or(|artifact| sight.artifacts.contains(artifact)),
    };
    match is_there {
        true => Ok(()),
        false => Err(format!(
            "the repeated operation answered what is not there: {outcome:?}"
        )),
    }
}

/// What an earlier operation answered is there, though it may have changed since.
fn check_is_there(sight: &Sight, outcome: &Outcome) -> Result<(), Finding> {
    let is_there = match outcome {
        Outcome::Registered(answered) => sight.types.iter().any(|found| {
            found.definition.artifact_type == answered.definition.artifact_type
                && found.created_at == answered.created_at
        }),
        _ => outcome
            .artifact()
            .is_none_or(|answered| sight.artifacts.iter().any(|found| found.id == answered.id)),
    };
    match is_there {
        true => Ok(()),
        false => Err(format!("what was answered is gone: {outcome:?}")),
    }
}

/// Lineage and supersession are told the same from both ends.
async fn check_relations(
    store: &dyn ArtifactStorePort,
    artifacts: &[Artifact],
) -> Result<(), Finding> {
    for artifact in artifacts {
        let (id, limits) = (artifact.id, WalkLimits::default());
        let lineage = store.get_lineage(id, limits).await;
        let lineage = lineage.map_err(failed("the lineage"))?;
        if !lineage.missing.is_empty() {
            return Err(format!("inputs of {id} are missing: {lineage:?}"));
        }
        for input in &artifact.inputs {
            let made = store.get_downstream(input.id, limits).await;
            let made = made.map_err(failed("what was made from an input"))?;
            if !made.nodes.iter().any(|node| node.artifact.id == id) {
                return Err(format!("{id} is not downstream of its input {}", input.id));
            }
        }
        let chain = store.get_supersession(id).await;
        let chain = chain.map_err(failed("the supersession"))?;
        let next = chain.successors.first();
        if artifact.superseded_by != next.map(|next| next.id)
            || next.is_some_and(|next| !next.supersedes.contains(&id))
        {
            return Err(format!(
                "{id} does not agree with what replaced it: {chain:?}"
            ));
        }
        let replaced = chain.predecessors.iter();
        let replaced = replaced.filter(|other| other.superseded_by == Some(id));
        if replaced.count() != artifact.supersedes.len() {
            return Err(format!(
                "{id} does not agree with what it replaced: {chain:?}"
            ));
        }
    }
    Ok(())
}

/// Every artifact's bytes, read through the port, are those that were published.
async fn check_bytes(
    store: &dyn ArtifactStorePort,
    artifacts: &[Artifact],
    expected: &Expected,
) -> Result<(), Finding> {
    for artifact in artifacts {
        let bytes = read(store, artifact)
            .await
            .map_err(failed("reading an artifact"))?;
        let is_right = Digest::of(&bytes) == artifact.file_hash
            && expected.workload.may_hold(artifact, &bytes);
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

/// What is staged.
pub(super) fn staged_files(machine: &Machine) -> Vec<String> {
    let staging = format!("{ROOT}/{}/", layout::STAGING);
    let disk = machine.vfs.disk();
    let files = disk.files();
    let staged = files.iter().map(|(path, _)| path);
    staged
        .filter(|path| path.starts_with(&staging) && !is_owner_lock(path))
        .cloned()
        .collect()
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
