//! The [`Maintenance`] port over the backend traits.

use std::sync::Arc;

use artstore_core::artifact::Artifact;
use artstore_core::backend::ArtifactEventRow;
use artstore_core::digest::DigestBuilder;
use artstore_core::id::ArtifactId;
use artstore_core::maintenance::{RebuildReport, SettleReport, StatusDetail, StoreStatus};
use artstore_core::ports::{DumpLines, Maintenance};
use artstore_core::{Domain, Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::artifacts::ArtifactEngine;

/// How many rows are read at a time.
const ROWS: u32 = 1000;

/// Implements the port of maintenance.
#[derive(Debug)]
pub(crate) struct MaintenanceEngine {
    artifacts: Arc<ArtifactEngine>,
}

impl MaintenanceEngine {
    pub(crate) fn new(artifacts: Arc<ArtifactEngine>) -> Self {
        Self { artifacts }
    }

    fn dump(&self) -> DumpLines {
        let start = DumpPosition {
            engine: Arc::clone(&self.artifacts),
            next: DumpPart::Artifacts(None),
        };
        let chunks = stream::try_unfold(start, |position| position.next_chunk());
        let lines = chunks.flat_map(|chunk| match chunk {
            Ok(lines) => stream::iter(lines.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(error) => stream::iter(vec![Err(error)]),
        });
        lines.boxed()
    }
}

#[async_trait]
impl Maintenance for MaintenanceEngine {
    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn status(&self, detail: StatusDetail) -> Result<StoreStatus> {
        let parts = &self.artifacts.parts;
        let catalog = &parts.catalogs.artifacts;
        let artifacts = self.artifacts.query(|| catalog.counts()).await?;
        let dump_digest = match detail {
            StatusDetail::Counts => None,
            StatusDetail::Digest => {
                let mut hasher = DigestBuilder::new();
                let mut lines = self.dump();
                while let Some(line) = lines.next().await {
                    hasher.update(&line?);
                }
                Some(hasher.finish())
            }
        };
        Ok(StoreStatus {
            store_id: parts.store.store_id,
            created_at: parts.store.created_at,
            artifacts,
            pending: parts.publications.pending(Domain::Artifacts).await?,
            dump_digest,
        })
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn settle(&self) -> Result<SettleReport> {
        let clock = &self.artifacts.parts.clock;
        let started = clock.now();
        let report = self
            .artifacts
            .do_to_its_end(
                |artifacts| async move { artifacts.protocol().settle_explicitly().await },
            )
            .await?;
        Ok(SettleReport {
            started: Some(started),
            finished: Some(clock.now()),
            ..report
        })
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn rebuild(&self) -> Result<RebuildReport> {
        let clock = &self.artifacts.parts.clock;
        let started = clock.now();
        let rebuilt = self
            .artifacts
            .do_to_its_end(
                |artifacts| async move { artifacts.protocol().rebuild_explicitly().await },
            )
            .await?;
        Ok(RebuildReport {
            started,
            finished: clock.now(),
            records: rebuilt.records,
            events: rebuilt.events,
            moved_aside: rebuilt.moved_aside,
            faults: rebuilt.faults,
        })
    }

    async fn canonical_dump(&self) -> Result<DumpLines> {
        Ok(self.dump())
    }
}

/// How far a dump has come.
struct DumpPosition {
    engine: Arc<ArtifactEngine>,
    next: DumpPart,
}

enum DumpPart {
    Artifacts(Option<ArtifactId>),
    Events(u64),
    End,
}

impl DumpPosition {
    async fn next_chunk(mut self) -> Result<Option<(Vec<Bytes>, Self)>> {
        let catalog = Arc::clone(&self.engine.parts.catalogs.artifacts);
        let lines = match self.next {
            DumpPart::Artifacts(after) => {
                let rows = self.engine.query(|| catalog.scan(after, ROWS)).await?;
                self.next = match rows.last() {
                    Some(last) => DumpPart::Artifacts(Some(last.id)),
                    None => DumpPart::Events(0),
                };
                rows.iter().map(artifact_line).collect::<Result<_>>()?
            }
            DumpPart::Events(after) => {
                let rows = self
                    .engine
                    .query(|| catalog.scan_events(after, ROWS))
                    .await?;
                self.next = match rows.last() {
                    Some(last) => DumpPart::Events(last.event.sequence),
                    None => DumpPart::End,
                };
                rows.iter().map(event_line).collect::<Result<_>>()?
            }
            DumpPart::End => return Ok(None),
        };
        Ok(Some((lines, self)))
    }
}

/// Every fact of an artifact's row. The page `docs/formats/canonical-dump.md` describes it.
fn artifact_line(artifact: &Artifact) -> Result<Bytes> {
    line(json!({
        "domain": Domain::Artifacts,
        "kind": "artifact",
        "id": artifact.id,
        "artifact_type": artifact.artifact_type,
        "schema_version": artifact.schema_version,
        "logical_key": artifact.logical_key,
        "artifact_kind": artifact.kind,
        "status": artifact.status,
        "data_path": artifact.data_path,
        "record_path": artifact.record_path,
        "file_hash": artifact.file_hash,
        "content_hash": artifact.content_hash,
        "size_bytes": artifact.size_bytes,
        "row_count": artifact.row_count,
        "min_ts": artifact.min_timestamp,
        "max_ts": artifact.max_timestamp,
        "created_at": artifact.created_at,
        "tags": artifact.tags,
        "inputs": artifact.inputs,
        "superseded_by": artifact.superseded_by,
        "supersedes": artifact.supersedes,
        "tombstone_reason": artifact.tombstone_reason,
        "run": artifact.run_id,
        "op_id": artifact.op_id,
        "request_digest": artifact.request_digest,
        "revision": artifact.revision,
        "last_event": artifact.last_event,
    }))
}

fn event_line(row: &ArtifactEventRow) -> Result<Bytes> {
    line(json!({
        "domain": Domain::Artifacts,
        "kind": "event",
        "sequence": row.event.sequence,
        "event_kind": row.event.kind,
        "created_at": row.event.created_at,
        "subject": row.artifact_id,
        "op_id": row.op_id,
        "request_digest": row.request_digest,
    }))
}

fn line(fact: Value) -> Result<Bytes> {
    let mut bytes = serde_json::to_vec(&fact)
        .map_err(|error| Error::internal("a fact could not be written").caused_by(error))?;
    bytes.push(b'\n');
    Ok(bytes.into())
}
