//! The catalog from records and events.
//!
//! Records show the state of their artifact as of the last event that they include. Events are read first, so that it is
//! known which records are behind; these few are brought up by folding before they become rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use artstore_core::artifact::Artifact;
use artstore_core::backend::{
    ArtifactChange, ArtifactCommit, ArtifactEventRow, CatalogHead, LockPermit,
};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::layout;
use artstore_core::maintenance::{Fault, FaultKind, SettleReport};
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;

use super::adopt::{claimed_twice, note_damage};
use super::decide::row_of;
use super::inventory::DirectoryFiles;
use super::rules::ArtifactRules;
use crate::protocol::{DomainRules as _, RebuildCounts};

/// How many row changes go to the catalog at a time.
const CHUNK: usize = 512;
/// How many chunks may wait for the catalog.
const CHUNKS_AHEAD: usize = 4;

/// The events of a store, in order.
struct EventLog {
    rows: Vec<EventOnDisk>,
    /// The last event of each artifact that has any.
    last_of: HashMap<ArtifactId, u64>,
    /// The greatest sequence in use, by readable events or not.
    greatest: u64,
}

/// An event as far as it is kept while records are read.
struct EventOnDisk {
    row: ArtifactEventRow,
    changed: Vec<ArtifactId>,
    path: RelPath,
}

/// What the producer of a rebuild has counted.
#[derive(Default)]
struct Produced {
    records: u64,
    events: u64,
}

impl ArtifactRules {
    pub(super) async fn rebuild_catalog(
        &self,
        permit: &LockPermit,
        commits: u64,
    ) -> Result<RebuildCounts> {
        let mut report = SettleReport::default();
        let log = self.read_events(&mut report).await?;
        let head = CatalogHead {
            store_id: self.parts.store.store_id,
            commits,
            last_event: log.greatest,
        };
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        let chunks = stream::unfold(receiver, |mut receiver| async move {
            let chunk = receiver.recv().await?;
            Some((chunk, receiver))
        });
        let catalog = &self.parts.catalogs.artifacts;
        let produce = self.produce(permit, log, sender, &mut report);
        let rebuild = catalog.rebuild(permit, head, chunks.boxed());
        let (produced, rebuilt) = tokio::join!(produce, rebuild);
        // Whichever failed first has made the other fail: a failed producer sends its error to the catalog, which gives
        // it back, and a failed catalog stops taking chunks.
        let moved_aside = rebuilt?;
        let produced = produced?;
        Ok(RebuildCounts {
            records: produced.records,
            events: produced.events,
            moved_aside,
            faults: report.faults,
        })
    }

    async fn read_events(&self, report: &mut SettleReport) -> Result<EventLog> {
        let paths = self.event_paths().await?;
        let mut log = EventLog {
            rows: Vec::with_capacity(paths.len()),
            last_of: HashMap::new(),
            greatest: paths.last().map_or(0, |(sequence, _)| *sequence),
        };
        for (sequence, path) in paths {
            let read = self.event_at(&path).await;
            if let Some(event) = note_damage(read, &path, report)? {
                for id in event.changed() {
                    log.last_of.insert(id, sequence);
                }
                log.rows.push(EventOnDisk {
                    row: row_of(&event),
                    changed: event.changed().collect(),
                    path,
                });
            }
        }
        Ok(log)
    }

    /// Sends the rows of all records and events to the catalog, and an error if it cannot.
    async fn produce(
        &self,
        permit: &LockPermit,
        log: EventLog,
        sender: mpsc::Sender<Result<ArtifactCommit>>,
        report: &mut SettleReport,
    ) -> Result<Produced> {
        let mut outlet = Outlet {
            sender: sender.clone(),
            changes: Vec::new(),
        };
        let produced = self.produce_rows(permit, log, &mut outlet, report).await;
        if let Err(error) = &produced {
            let _ = sender.send(Err(error.clone())).await;
        }
        produced
    }

    async fn produce_rows(
        &self,
        permit: &LockPermit,
        log: EventLog,
        outlet: &mut Outlet,
        report: &mut SettleReport,
    ) -> Result<Produced> {
        let mut produced = Produced::default();
        let mut behind = BTreeMap::new();
        // Which of the artifacts with events have a record.
        let mut subjects = HashSet::new();
        let mut operations = OperationsSeen::default();
        let mut directories = self.parts.blobs.list(&RelPath::new(layout::ARTIFACTS)?);
        while let Some(entries) = directories.next().await {
            let files = DirectoryFiles::of(entries?);
            let no_rows = BTreeMap::new();
            let found = self
                .examine_directory(permit, &files, &no_rows, report)
                .await?;
            for artifact in found {
                if !operations.insert(&artifact) {
                    report.faults.push(claimed_twice(&artifact));
                    continue;
                }
                produced.records += 1;
                let last_event = log.last_of.get(&artifact.id).copied();
                if let Some(last_event) = last_event {
                    subjects.insert(artifact.id);
                    if last_event > artifact.last_event {
                        behind.insert(artifact.id, artifact.clone());
                    }
                }
                outlet.push(ArtifactChange::Put(Box::new(artifact))).await?;
            }
            self.parts
                .progress
                .report("rebuild", produced.records, None);
        }
        for EventOnDisk { row, changed, path } in log.rows {
            if !subjects.contains(&row.artifact_id) {
                report.faults.push(Fault {
                    kind: FaultKind::EventWithoutRecord,
                    path,
                    detail: format!("artifact {} has no record", row.artifact_id),
                });
                continue;
            }
            if changed.iter().any(|id| behind.contains_key(id)) {
                let event = self.event_at(&path).await?;
                for id in changed {
                    if let Some(artifact) = behind.get_mut(&id) {
                        event.apply_to(artifact);
                    }
                }
            }
            produced.events += 1;
            outlet.push(ArtifactChange::Record(row)).await?;
        }
        self.bring_up(permit, behind, outlet, report).await?;
        outlet.flush().await?;
        Ok(produced)
    }

    /// Rows and records of artifacts whose record was behind its events.
    async fn bring_up(
        &self,
        permit: &LockPermit,
        behind: BTreeMap<ArtifactId, Artifact>,
        outlet: &mut Outlet,
        report: &mut SettleReport,
    ) -> Result<()> {
        for artifact in behind.into_values() {
            outlet
                .push(ArtifactChange::Put(Box::new(artifact.clone())))
                .await?;
            let faults = self.derive(permit, vec![artifact]).await?;
            report.faults.extend(faults);
        }
        Ok(())
    }
}

/// The operations of the records read so far, by a fingerprint of 128 bits each: a store may have millions.
#[derive(Default)]
struct OperationsSeen(HashSet<[u8; 16]>);

impl OperationsSeen {
    /// Whether no record before claimed the operation of `artifact`.
    fn insert(&mut self, artifact: &Artifact) -> bool {
        let digest = Digest::of(artifact.op_id.as_str().as_bytes());
        let fingerprint = digest.as_bytes().first_chunk().copied().unwrap_or_default();
        self.0.insert(fingerprint)
    }
}

/// Collects row changes into chunks for the catalog.
struct Outlet {
    sender: mpsc::Sender<Result<ArtifactCommit>>,
    changes: Vec<ArtifactChange>,
}

impl Outlet {
    async fn push(&mut self, change: ArtifactChange) -> Result<()> {
        self.changes.push(change);
        if self.changes.len() >= CHUNK {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let changes = std::mem::take(&mut self.changes);
        if changes.is_empty() {
            return Ok(());
        }
        let chunk = Ok(ArtifactCommit { changes });
        // The catalog has failed and its own error says why.
        let gone = |_| Error::unavailable("the catalog stopped taking rows");
        self.sender.send(chunk).await.map_err(gone)
    }
}
