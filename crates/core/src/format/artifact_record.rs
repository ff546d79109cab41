//! `artstore.artifact`: the record (sidecar) of an artifact, `<name>.json` beside its bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::document::Document;
use crate::artifact::{Artifact, ArtifactInput, ArtifactKind, ArtifactStatus, GitState, Writer};
use crate::digest::{ContentHash, Digest};
use crate::error::{Error, Result};
use crate::id::{ArtifactId, RunId};
use crate::key::{ArtifactType, LogicalKey, OpId};
use crate::path::RelPath;
use crate::table::{ColumnType, CsvOptions, TableRules, TableSchema, TableWriter};
use crate::tags::Tags;
use crate::time::Timestamp;

/// The name of the format.
pub const FORMAT: &str = "artstore.artifact";
/// The version that is written.
pub const VERSION: u64 = 2;

/// The record of an artifact. It shows the artifact's state as of its `last_event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArtifactRecord {
    format: String,
    format_version: u64,
    /// The artifact's id.
    pub id: ArtifactId,
    /// The operation that created it.
    pub op_id: OpId,
    /// Digest of the request that created it.
    pub request_digest: Digest,
    /// Who created it.
    pub actor: String,
    /// When it was staged.
    pub created_at: Timestamp,
    /// 1 at creation, one more with every change.
    pub revision: u64,
    /// Sequence of the last event included; 0 if there was none.
    pub last_event: u64,
    /// What sort of thing it is.
    pub artifact_type: ArtifactType,
    /// The version of the type's schema.
    pub schema_version: u32,
    /// What it is about.
    pub logical_key: LogicalKey,
    /// Table or file.
    pub kind: ArtifactKind,
    /// Active, superseded or tombstoned.
    pub status: ArtifactStatus,
    /// The artifact that replaced it.
    #[serde(default)]
    pub superseded_by: Option<ArtifactId>,
    /// The artifacts that it replaced.
    #[serde(default)]
    pub supersedes: Vec<ArtifactId>,
    /// Why it was tombstoned.
    #[serde(default)]
    pub tombstone_reason: Option<String>,
    /// What it says, as hashes and counts.
    pub identity: Identity,
    /// What was handed in.
    pub source: SourceDescription,
    /// Where its files are.
    pub paths: Paths,
    /// Where it came from.
    pub provenance: Provenance,
    /// Its tags.
    pub tags: Tags,
}

/// What an artifact says, as hashes and counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// SHA-256 of the stored bytes.
    pub file_hash: Digest,
    /// Identity of the content.
    pub content_hash: ContentHash,
    /// Size of the stored file in bytes.
    pub size_bytes: u64,
    /// Number of rows of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
    /// Earliest time in the timestamp column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ts: Option<Timestamp>,
    /// Latest time in the timestamp column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ts: Option<Timestamp>,
    /// The timestamp column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_column: Option<String>,
    /// The columns of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<TableSchema>,
    /// The columns that the content hash covers; all of them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_columns: Vec<String>,
    /// The columns by which rows were sorted before they were hashed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort_keys: Vec<String>,
}

/// What a record says about a table beyond the catalog's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDetails {
    /// Its columns.
    pub schema: TableSchema,
    /// The column of its times.
    pub timestamp_column: Option<String>,
    /// How it was identified.
    pub rules: TableRules,
}

/// What was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDescription {
    /// The file's name without directories; none for bytes handed over in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// How it was read, where it was CSV, with the type of every column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvDescription>,
    /// How the stored Parquet file was written, where the source was something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<TableWriter>,
}

/// How a CSV source was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvDescription {
    /// The character between fields.
    pub delimiter: char,
    /// The character around fields that hold delimiters, quotes or line breaks.
    pub quote: char,
    /// The type of each column.
    pub column_types: BTreeMap<String, ColumnType>,
}

impl From<&CsvOptions> for CsvDescription {
    fn from(options: &CsvOptions) -> Self {
        Self {
            delimiter: char::from(options.delimiter),
            quote: char::from(options.quote),
            column_types: options.column_types.clone(),
        }
    }
}

/// Where an artifact's files are, relative to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// The stored bytes.
    pub data: RelPath,
    /// This document.
    pub record: RelPath,
}

/// Where an artifact came from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Who wrote it.
    #[serde(default)]
    pub writer: Option<Writer>,
    /// The state of the source code that wrote it.
    #[serde(default)]
    pub git: Option<GitState>,
    /// Parameters of the writer.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// What it was made from.
    #[serde(default)]
    pub inputs: Vec<ArtifactInput>,
    /// The run that published it.
    #[serde(default)]
    pub run: Option<RunId>,
}

/// What a record says beyond the catalog's row.
#[derive(Debug, Clone)]
pub struct RecordDetails {
    /// Who created the artifact.
    pub actor: String,
    /// What was handed in.
    pub source: SourceDescription,
    /// Who wrote it.
    pub writer: Option<Writer>,
    /// The state of the source code that wrote it.
    pub git: Option<GitState>,
    /// Parameters of the writer.
    pub params: Map<String, Value>,
    /// More about a table.
    pub table: Option<TableDetails>,
}

impl ArtifactRecord {
    /// The record of a new artifact.
    pub fn new(artifact: &Artifact, details: RecordDetails) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: VERSION,
            id: artifact.id,
            op_id: artifact.op_id.clone(),
            request_digest: artifact.request_digest,
            actor: details.actor,
            created_at: artifact.created_at,
            revision: artifact.revision,
            last_event: artifact.last_event,
            artifact_type: artifact.artifact_type.clone(),
            schema_version: artifact.schema_version,
            logical_key: artifact.logical_key.clone(),
            kind: artifact.kind,
            status: artifact.status,
            superseded_by: artifact.superseded_by,
            supersedes: artifact.supersedes.clone(),
            tombstone_reason: artifact.tombstone_reason.clone(),
            identity: Identity {
                file_hash: artifact.file_hash,
                content_hash: artifact.content_hash,
                size_bytes: artifact.size_bytes,
                row_count: artifact.row_count,
                min_ts: artifact.min_timestamp,
                max_ts: artifact.max_timestamp,
                timestamp_column: details
                    .table
                    .as_ref()
                    .and_then(|table| table.timestamp_column.clone()),
                schema: details.table.as_ref().map(|table| table.schema.clone()),
                canonical_columns: details
                    .table
                    .as_ref()
                    .map(|table| table.rules.canonical_columns.clone())
                    .unwrap_or_default(),
                sort_keys: details
                    .table
                    .map(|table| table.rules.sort_keys)
                    .unwrap_or_default(),
            },
            source: details.source,
            paths: Paths {
                data: artifact.data_path.clone(),
                record: artifact.record_path.clone(),
            },
            provenance: Provenance {
                writer: details.writer,
                git: details.git,
                params: details.params,
                inputs: artifact.inputs.clone(),
                run: artifact.run_id,
            },
            tags: artifact.tags.clone(),
        }
    }

    /// The document's bytes.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it would be too large.
    pub fn to_bytes(&self) -> Result<Bytes> {
        Document::of(self)?.into_bytes()
    }

    /// Reads the record that was found at `path`.
    ///
    /// # Errors
    /// As [`Document::parse`], and [`Corrupt`](crate::ErrorKind::Corrupt) if the record names another path than `path`,
    /// or bytes that do not lie beside it.
    pub fn parse(bytes: &[u8], path: &RelPath) -> Result<Self> {
        let with_path = |error: Error| error.with("path", path);
        let document = Document::parse(bytes, FORMAT, VERSION).map_err(with_path)?;
        let record: Self = document.to_typed().map_err(with_path)?;
        if record.paths.record != *path {
            return Err(Error::corrupt("the record belongs to another path")
                .with("path", path)
                .with("recorded", &record.paths.record));
        }
        if record.paths.data.parent() != path.parent() || record.paths.data == *path {
            return Err(
                Error::corrupt("the record names bytes that do not lie beside it")
                    .with("path", path)
                    .with("recorded", &record.paths.data),
            );
        }
        Ok(record)
    }

    /// The document in `bytes` brought to the state of `artifact`; keys unknown to this version are kept.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`Conflict`](crate::ErrorKind::Conflict) if it is the record of another artifact.
    pub fn rewritten(bytes: &[u8], artifact: &Artifact) -> Result<Bytes> {
        let record = Self::parse(bytes, &artifact.record_path)?;
        if record.id != artifact.id {
            return Err(Error::conflict("the record belongs to another artifact")
                .with("path", &artifact.record_path)
                .with("found", record.id));
        }
        let mut document = Document::parse(bytes, FORMAT, VERSION)?;
        document.set_all(&MutableState {
            format_version: VERSION,
            revision: artifact.revision,
            last_event: artifact.last_event,
            status: artifact.status,
            superseded_by: artifact.superseded_by,
            supersedes: &artifact.supersedes,
            tombstone_reason: artifact.tombstone_reason.as_deref(),
            tags: &artifact.tags,
        })?;
        if artifact.inputs != record.provenance.inputs {
            document.set_within("provenance", "inputs", &artifact.inputs)?;
        }
        document.into_bytes()
    }

    /// The artifact as the record tells it.
    pub fn into_artifact(self) -> Artifact {
        Artifact {
            id: self.id,
            artifact_type: self.artifact_type,
            schema_version: self.schema_version,
            logical_key: self.logical_key,
            kind: self.kind,
            status: self.status,
            data_path: self.paths.data,
            record_path: self.paths.record,
            file_hash: self.identity.file_hash,
            content_hash: self.identity.content_hash,
            size_bytes: self.identity.size_bytes,
            row_count: self.identity.row_count,
            min_timestamp: self.identity.min_ts,
            max_timestamp: self.identity.max_ts,
            created_at: self.created_at,
            tags: self.tags,
            inputs: self.provenance.inputs,
            superseded_by: self.superseded_by,
            supersedes: self.supersedes,
            tombstone_reason: self.tombstone_reason,
            run_id: self.provenance.run,
            op_id: self.op_id,
            request_digest: self.request_digest,
            revision: self.revision,
            last_event: self.last_event,
        }
    }
}

/// What changes in an artifact after its creation.
#[derive(Serialize)]
struct MutableState<'a> {
    format_version: u64,
    revision: u64,
    last_event: u64,
    status: ArtifactStatus,
    superseded_by: Option<ArtifactId>,
    supersedes: &'a [ArtifactId],
    tombstone_reason: Option<&'a str>,
    tags: &'a Tags,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as version 1 wrote it. Never changed: every later version must read it.
    const FIXTURE_V1: &str = include_str!("fixtures/artifact-v1.json");

    fn fixture_path() -> RelPath {
        RelPath::new(
            "artifacts/alerts_v1/v1/2026-11-20/day=1__01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11.json",
        )
        .unwrap()
    }

    #[test]
    fn version_1_is_read() {
        let record = ArtifactRecord::parse(FIXTURE_V1.as_bytes(), &fixture_path()).unwrap();
        assert_eq!(record.identity.size_bytes, 3);
        assert_eq!(record.provenance.params["window"], 7);
    }

    #[test]
    fn version_2_is_read_and_written_back_byte_for_byte() {
        let fixture = include_str!("fixtures/artifact-v2.json");
        let path = RelPath::new(
            "artifacts/prices_v1/v1/2026-11-20/day=1__01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11.json",
        )
        .unwrap();
        let record = ArtifactRecord::parse(fixture.as_bytes(), &path).unwrap();
        assert_eq!(record.supersedes.len(), 1);
        assert_eq!(record.source.csv.as_ref().unwrap().delimiter, ';');
        assert_eq!(record.to_bytes().unwrap(), fixture.as_bytes());
    }

    #[test]
    fn a_rewritten_record_is_of_the_newest_version() {
        let record = ArtifactRecord::parse(FIXTURE_V1.as_bytes(), &fixture_path()).unwrap();
        let mut artifact = record.into_artifact();
        let other: ArtifactId = "01932c07-8000-7cc2-9a52-3f1a3e9f4b22".parse().unwrap();
        artifact.status = ArtifactStatus::Tombstoned;
        artifact.tombstone_reason = Some("wrong".to_owned());
        artifact.supersedes.push(other);
        artifact.inputs.push(ArtifactInput::new(other));
        let bytes = ArtifactRecord::rewritten(FIXTURE_V1.as_bytes(), &artifact).unwrap();
        let read = ArtifactRecord::parse(&bytes, &fixture_path()).unwrap();
        assert_eq!(read.format_version, VERSION);
        assert_eq!(read.into_artifact(), artifact);
    }

    #[test]
    fn rewriting_changes_the_state_and_nothing_else() {
        let record = ArtifactRecord::parse(FIXTURE_V1.as_bytes(), &fixture_path()).unwrap();
        let mut artifact = record.clone().into_artifact();
        artifact.tags.insert("env", "prod").unwrap();
        artifact.revision += 1;
        artifact.last_event = 9;
        let bytes = ArtifactRecord::rewritten(FIXTURE_V1.as_bytes(), &artifact).unwrap();
        let read = ArtifactRecord::parse(&bytes, &fixture_path()).unwrap();
        assert_eq!(read.clone().into_artifact(), artifact);
        assert_eq!(read.provenance, record.provenance);
    }

    #[test]
    fn a_record_in_another_place_is_refused() {
        let elsewhere = RelPath::new("artifacts/x.json").unwrap();
        let error = ArtifactRecord::parse(FIXTURE_V1.as_bytes(), &elsewhere).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Corrupt);
    }
}
