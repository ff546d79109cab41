//! The files of a population: what a catalog is rebuilt from.
//!
//! Records and events are those that the store writes; stored files are small, because a rebuild looks at their sizes only.
//! Nothing is synced.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use artstore_core::artifact::{Artifact, ArtifactKind, ArtifactStatus, Writer};
use artstore_core::digest::Digest;
use artstore_core::format::artifact_record::{RecordDetails, SourceDescription, TableDetails};
use artstore_core::format::event::EventOrigin;
use artstore_core::format::{ArtifactEvent, ArtifactEventChange, ArtifactRecord};
use artstore_core::id::EventId;
use artstore_core::path::RelPath;
use artstore_core::table::{TableColumn, TableRules, TableSchema};
use artstore_tests::store::LocalStore;
use serde_json::{Map, json};

use super::{Population, event_of, event_operation, seed, uuid};
use crate::store::runtime;

/// Artifacts that a thread takes at a time.
const CHUNK: u64 = 500;

/// Makes a store at `root` that has the files of all artifacts of `population`, and no catalog.
pub(crate) fn write(root: &Path, population: Population) -> Result<()> {
    runtime()?.block_on(async {
        LocalStore::open(root).await?.close().await;
        Ok::<_, anyhow::Error>(())
    })?;
    let next = AtomicU64::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| write_chunks(root, population, &next)))
            .collect();
        writers.into_iter().try_for_each(|writer| {
            let outcome = writer.join();
            outcome.map_err(|_| anyhow!("a thread that writes files panicked"))?
        })
    })
}

fn write_chunks(root: &Path, population: Population, next: &AtomicU64) -> Result<()> {
    loop {
        let first = next.fetch_add(CHUNK, Ordering::Relaxed);
        if first >= population.artifacts {
            return Ok(());
        }
        for number in first..population.artifacts.min(first + CHUNK) {
            write_one(root, population, number)
                .with_context(|| format!("artifact {number} cannot be written"))?;
        }
    }
}

fn write_one(root: &Path, population: Population, number: u64) -> Result<()> {
    let bytes = format!("the bytes of artifact {number}\n").into_bytes();
    let mut artifact = population.artifact(number)?;
    artifact.size_bytes = bytes.len() as u64;
    artifact.file_hash = Digest::of(&bytes);
    if artifact.kind == ArtifactKind::File {
        artifact.content_hash = artifact.file_hash.into();
    }
    let record = ArtifactRecord::new(&artifact, details(&artifact));
    write_file(root, &artifact.data_path, &bytes)?;
    write_file(root, &artifact.record_path, &record.to_bytes()?)?;
    if let Some(event) = event(population, number, artifact)? {
        write_file(root, &event.path()?, &event.to_bytes()?)?;
    }
    Ok(())
}

fn write_file(root: &Path, path: &RelPath, bytes: &[u8]) -> Result<()> {
    let path = root.join(path.as_str());
    if fs::write(&path, bytes).is_ok() {
        return Ok(());
    }
    // It is the first one there.
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&path, bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn details(artifact: &Artifact) -> RecordDetails {
    let table = (artifact.kind == ArtifactKind::Table).then(|| TableDetails {
        schema: schema(),
        timestamp_column: Some("at".to_owned()),
        rules: TableRules::default(),
    });
    let mut params = Map::new();
    params.insert("window_days".to_owned(), json!(30));
    params.insert("source".to_owned(), json!("vendor"));
    RecordDetails {
        actor: "bench".to_owned(),
        source: SourceDescription {
            name: Some("source.parquet".to_owned()),
            size_bytes: artifact.size_bytes,
            sha256: artifact.file_hash,
            csv: None,
            written: None,
        },
        writer: Some(Writer {
            name: "nightly".to_owned(),
            version: Some("1.4.2".to_owned()),
        }),
        git: None,
        params,
        table,
    }
}

/// What ended the artifact.
fn event(population: Population, number: u64, artifact: Artifact) -> Result<Option<ArtifactEvent>> {
    let change = match (artifact.status, artifact.superseded_by) {
        (ArtifactStatus::Superseded, Some(by)) => ArtifactEventChange::Superseded {
            by,
            by_revision: population.artifact(number + 1)?.revision,
        },
        (ArtifactStatus::Tombstoned, _) => ArtifactEventChange::Tombstoned {
            reason: artifact.tombstone_reason.clone().unwrap_or_default(),
        },
        _ => return Ok(None),
    };
    let origin = EventOrigin {
        id: EventId::from_uuid(uuid(seed::EVENT, number)),
        sequence: event_of(number),
        op_id: event_operation(number)?,
        request_digest: artifact.request_digest,
        actor: "bench".to_owned(),
        created_at: artifact.created_at,
    };
    // Of the artifact as it was before.
    let before = Artifact {
        revision: artifact.revision - 1,
        ..artifact
    };
    Ok(Some(ArtifactEvent::new(origin, &before, change)))
}

fn schema() -> TableSchema {
    let column = |name: &str, column_type: &str| TableColumn {
        name: name.to_owned(),
        column_type: column_type.to_owned(),
    };
    TableSchema {
        columns: vec![
            column("at", "timestamp[us, UTC]"),
            column("symbol", "string"),
            column("price", "float64"),
            column("volume", "int64"),
        ],
    }
}
