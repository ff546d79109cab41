//! What lies in the directory, compared with rows.

use std::collections::{BTreeMap, HashSet};

use artstore_core::artifact::Artifact;
use artstore_core::backend::{BlobEntry, LockPermit};
use artstore_core::format::ArtifactEvent;
use artstore_core::id::ArtifactId;
use artstore_core::layout::{self, ArtifactFile};
use artstore_core::maintenance::{Fault, FaultKind, SettleReport};
use artstore_core::path::RelPath;
use artstore_core::{Domain, Result};
use futures_util::StreamExt as _;

use super::adopt::note_damage;
use super::rules::ArtifactRules;
use crate::protocol::DomainRules as _;

/// How many rows are read at a time.
const ROWS: u32 = 1000;

/// The artifacts' files of one directory.
#[derive(Default)]
pub(super) struct DirectoryFiles {
    records: BTreeMap<ArtifactId, RelPath>,
    data: BTreeMap<ArtifactId, BlobEntry>,
}

impl DirectoryFiles {
    /// Sorts out `entries`; files that the store did not make are passed over.
    pub(super) fn of(entries: Vec<BlobEntry>) -> Self {
        let mut files = Self::default();
        for entry in entries {
            match layout::artifact_of_file_name(entry.path.file_name()) {
                Some((id, ArtifactFile::Record)) => {
                    files.records.insert(id, entry.path);
                }
                Some((id, ArtifactFile::Data)) => {
                    files.data.insert(id, entry);
                }
                None => {}
            }
        }
        files
    }

    fn ids(&self) -> Vec<ArtifactId> {
        let ids: HashSet<_> = self
            .records
            .keys()
            .chain(self.data.keys())
            .copied()
            .collect();
        ids.into_iter().collect()
    }

    fn has_bytes_of(&self, artifact: &Artifact) -> bool {
        self.data.get(&artifact.id).is_some_and(|entry| {
            entry.path == artifact.data_path && entry.size_bytes == artifact.size_bytes
        })
    }
}

impl ArtifactRules {
    /// Compares all records and events with the rows: gives rows to what has none, quarantines what is only half there,
    /// reports what is damaged.
    pub(super) async fn compare_with_directory(
        &self,
        permit: &LockPermit,
        report: &mut SettleReport,
    ) -> Result<()> {
        let mut recorded = HashSet::new();
        let mut directories = self.parts.blobs.list(&RelPath::new(layout::ARTIFACTS)?);
        while let Some(entries) = directories.next().await {
            let files = DirectoryFiles::of(entries?);
            let rows = self.parts.catalogs.artifacts.get(&files.ids()).await?;
            let rows = rows
                .into_iter()
                .flatten()
                .map(|row| (row.id, row))
                .collect();
            let found = self
                .examine_directory(permit, &files, &rows, report)
                .await?;
            self.bring_records_up(permit, &rows, report).await?;
            report.checked += files.records.len() as u64;
            recorded.extend(files.records.keys().copied());
            self.adopt_found(permit, found, Vec::new(), report).await?;
        }
        let greatest = self.compare_events(permit, report).await?;
        self.report_rows_without_record(&recorded, report).await?;
        if greatest > self.head().await?.last_event {
            // An event that cannot be read, or whose artifact is gone, has claimed a sequence that rows do not show.
            let commits = self.head().await?.commits + 1;
            let rebuilt = self.rebuild_catalog(permit, commits).await?;
            tracing::info!(
                records = rebuilt.records,
                "rebuilt because of an unusable event"
            );
        }
        Ok(())
    }

    /// Brings records that are behind their rows up to them: after a loss of power a rewritten record may be the old one.
    async fn bring_records_up(
        &self,
        permit: &LockPermit,
        rows: &BTreeMap<ArtifactId, Artifact>,
        report: &mut SettleReport,
    ) -> Result<()> {
        let changed = rows.values().filter(|row| row.last_event > 0);
        let faults = self.derive(permit, changed.cloned().collect()).await?;
        report.faults.extend(faults);
        Ok(())
    }

    /// The artifacts of a directory whose record and bytes are there and that have no row in `rows`. What is only half
    /// there goes to quarantine, unless a row knows it.
    pub(super) async fn examine_directory(
        &self,
        permit: &LockPermit,
        files: &DirectoryFiles,
        rows: &BTreeMap<ArtifactId, Artifact>,
        report: &mut SettleReport,
    ) -> Result<Vec<Artifact>> {
        for row in rows.values().filter(|row| !files.has_bytes_of(row)) {
            report.faults.push(Fault {
                kind: FaultKind::RecordWithoutBytes,
                path: row.record_path.clone(),
                detail: format!("{} is missing or has another size", row.data_path),
            });
        }
        let mut found = Vec::new();
        for (id, path) in &files.records {
            if rows.contains_key(id) {
                continue;
            }
            match note_damage(self.record_at(path).await, path, report)? {
                Some(artifact) if files.has_bytes_of(&artifact) => found.push(artifact),
                Some(_) => {
                    self.set_aside(permit, FaultKind::RecordWithoutBytes, path, report)
                        .await?;
                }
                None => {}
            }
        }
        for (id, entry) in &files.data {
            if !files.records.contains_key(id) && !rows.contains_key(id) {
                let kind = FaultKind::BytesWithoutRecord;
                self.set_aside(permit, kind, &entry.path, report).await?;
            }
        }
        Ok(found)
    }

    /// Moves a half of something to quarantine and reports it.
    pub(super) async fn set_aside(
        &self,
        permit: &LockPermit,
        kind: FaultKind,
        path: &RelPath,
        report: &mut SettleReport,
    ) -> Result<()> {
        let place = self.parts.publications.quarantine(permit, path).await?;
        report.faults.push(Fault {
            kind,
            path: path.clone(),
            detail: format!("moved to {place}"),
        });
        Ok(())
    }

    /// Gives rows to events that have none, and returns the greatest sequence in use.
    async fn compare_events(&self, permit: &LockPermit, report: &mut SettleReport) -> Result<u64> {
        let known = self.known_events().await?;
        let on_disk = self.event_paths().await?;
        let missing = on_disk
            .iter()
            .filter(|(sequence, _)| !known.contains(sequence));
        let mut events: Vec<ArtifactEvent> = Vec::new();
        for (_, path) in missing {
            events.extend(note_damage(self.event_at(path).await, path, report)?);
        }
        self.adopt_found(permit, Vec::new(), events, report).await?;
        Ok(on_disk.last().map_or(0, |(sequence, _)| *sequence))
    }

    async fn known_events(&self) -> Result<HashSet<u64>> {
        let mut known = HashSet::new();
        let mut after = 0;
        loop {
            let rows = self
                .parts
                .catalogs
                .artifacts
                .scan_events(after, ROWS)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(known);
            };
            after = last.event.sequence;
            known.extend(rows.iter().map(|row| row.event.sequence));
        }
    }

    /// Every event file with its sequence, in order of the sequence.
    pub(super) async fn event_paths(&self) -> Result<Vec<(u64, RelPath)>> {
        let mut paths = Vec::new();
        let mut directories = self
            .parts
            .blobs
            .list(&layout::events_directory(Domain::Artifacts)?);
        while let Some(entries) = directories.next().await {
            let events = entries?.into_iter().filter_map(|entry| {
                let sequence = layout::event_sequence_of_file_name(entry.path.file_name())?;
                Some((sequence, entry.path))
            });
            paths.extend(events);
        }
        paths.sort();
        Ok(paths)
    }

    async fn report_rows_without_record(
        &self,
        recorded: &HashSet<ArtifactId>,
        report: &mut SettleReport,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let rows = self.parts.catalogs.artifacts.scan(after, ROWS).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = Some(last.id);
            for row in rows.iter().filter(|row| !recorded.contains(&row.id)) {
                report.faults.push(Fault {
                    kind: FaultKind::RowWithoutRecord,
                    path: row.record_path.clone(),
                    detail: format!("the record of artifact {} is missing", row.id),
                });
            }
        }
    }
}
