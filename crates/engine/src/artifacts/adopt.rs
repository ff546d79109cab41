//! Rows for operations that settling found to have happened.

use std::collections::{BTreeMap, HashSet};

use artstore_core::artifact::Artifact;
use artstore_core::backend::{ArtifactChange, ArtifactProbe, LockPermit};
use artstore_core::format::{ArtifactEvent, ArtifactRecord};
use artstore_core::id::ArtifactId;
use artstore_core::maintenance::{Fault, FaultKind, SettleReport};
use artstore_core::path::RelPath;
use artstore_core::{Error, ErrorKind, Result, layout};

use super::decide::row_of;
use super::rules::ArtifactRules;
use crate::protocol::DomainRules as _;

impl ArtifactRules {
    /// Gives the records and events named by `markers` their rows, where they have none yet.
    pub(super) async fn adopt_markers(
        &self,
        permit: &LockPermit,
        markers: &[RelPath],
        report: &mut SettleReport,
    ) -> Result<()> {
        let mut records = Vec::new();
        let mut events = Vec::new();
        for marker in markers {
            if marker.components().next() == Some(layout::EVENTS) {
                events.extend(note_damage(self.event_at(marker).await, marker, report)?);
                continue;
            }
            let Some(artifact) = note_damage(self.record_at(marker).await, marker, report)? else {
                continue;
            };
            // After a power loss the intent and the record may have survived without the name of the bytes.
            let size = self.parts.blobs.size(&artifact.data_path).await?;
            if size == Some(artifact.size_bytes) {
                records.push(artifact);
            } else {
                let kind = FaultKind::RecordWithoutBytes;
                self.set_aside(permit, kind, marker, report).await?;
            }
        }
        events.sort_by_key(|event| event.sequence);
        self.adopt_found(permit, records, events, report).await
    }

    /// Gives these artifacts and events rows where they have none, and brings records up to the rows.
    pub(super) async fn adopt_found(
        &self,
        permit: &LockPermit,
        records: Vec<Artifact>,
        events: Vec<ArtifactEvent>,
        report: &mut SettleReport,
    ) -> Result<()> {
        let mut rows = self.rows_of(&records, &events).await?;
        let without_row = records
            .into_iter()
            .filter(|found| !rows.contains_key(&found.id));
        let unclaimed = self.unclaimed(without_row.collect(), report).await?;
        let mut changes = Vec::new();
        for artifact in unclaimed {
            changes.push(ArtifactChange::Put(Box::new(artifact.clone())));
            rows.insert(artifact.id, artifact);
            report.adopted += 1;
        }
        let mut touched = BTreeMap::new();
        for event in events {
            let Some(row) = rows.get(&event.subject) else {
                report.faults.push(Fault {
                    kind: FaultKind::EventWithoutRecord,
                    path: event.path()?,
                    detail: format!("artifact {} has no record", event.subject),
                });
                continue;
            };
            if row.last_event < event.sequence {
                report.adopted += 1;
            }
            for id in event.changed() {
                // What replaces an artifact may be lost; its successor is still named.
                let Some(row) = rows.get_mut(&id) else {
                    continue;
                };
                if row.last_event < event.sequence {
                    event.apply_to(row);
                    changes.push(ArtifactChange::Put(Box::new(row.clone())));
                }
                touched.insert(row.id, row.clone());
            }
            changes.push(ArtifactChange::Record(row_of(&event)));
        }
        if !changes.is_empty() {
            self.apply(permit, changes).await?;
        }
        let derived = touched.into_values().collect();
        report.faults.extend(self.derive(permit, derived).await?);
        Ok(())
    }

    /// Those of `records` whose operation no row and no other of them claims; the others are reported. Nothing that the
    /// store does leads to such records, but a disk that failed twice may.
    async fn unclaimed(
        &self,
        records: Vec<Artifact>,
        report: &mut SettleReport,
    ) -> Result<Vec<Artifact>> {
        if records.is_empty() {
            return Ok(records);
        }
        let probe = |artifact: &Artifact| ArtifactProbe::Operation {
            op_id: artifact.op_id.clone(),
            inputs: Vec::new(),
        };
        let probes = records.iter().map(probe).collect();
        let examination = self.parts.catalogs.artifacts.examine(probes).await?;
        let mut claims = HashSet::new();
        let mut unclaimed = Vec::new();
        for (artifact, answer) in records.into_iter().zip(examination.answers) {
            if answer.operation.is_none() && claims.insert(artifact.op_id.clone()) {
                unclaimed.push(artifact);
            } else {
                report.faults.push(claimed_twice(&artifact));
            }
        }
        Ok(unclaimed)
    }

    async fn rows_of(
        &self,
        records: &[Artifact],
        events: &[ArtifactEvent],
    ) -> Result<BTreeMap<ArtifactId, Artifact>> {
        let of_records = records.iter().map(|artifact| artifact.id);
        let of_events = events.iter().flat_map(ArtifactEvent::changed);
        let ids: Vec<ArtifactId> = of_records.chain(of_events).collect();
        let rows = self.parts.catalogs.artifacts.get(&ids).await?;
        Ok(rows
            .into_iter()
            .flatten()
            .map(|row| (row.id, row))
            .collect())
    }

    /// The artifact that the record at `path` tells of.
    pub(super) async fn record_at(&self, path: &RelPath) -> Result<Artifact> {
        let Some(document) = self.parts.blobs.read_document(path).await? else {
            return Err(Error::corrupt("the record is missing").with("path", path));
        };
        Ok(ArtifactRecord::parse(&document, path)?.into_artifact())
    }

    pub(super) async fn event_at(&self, path: &RelPath) -> Result<ArtifactEvent> {
        let Some(document) = self.parts.blobs.read_document(path).await? else {
            return Err(Error::corrupt("the event is missing").with("path", path));
        };
        ArtifactEvent::parse(&document, path)
    }
}

pub(super) fn claimed_twice(artifact: &Artifact) -> Fault {
    Fault {
        kind: FaultKind::OperationClaimedTwice,
        path: artifact.record_path.clone(),
        detail: format!("another record claims operation {}", artifact.op_id),
    }
}

/// A damaged document is reported and left where it is; every other error ends the work.
pub(super) fn note_damage<T>(
    found: Result<T>,
    path: &RelPath,
    report: &mut SettleReport,
) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            report.faults.push(Fault {
                kind: FaultKind::DamagedRecord,
                path: path.clone(),
                detail: error.to_string(),
            });
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
