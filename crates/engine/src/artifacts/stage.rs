//! Taking the content of a publish in: bytes or a table, then the record, all under no final name.

use std::path::Path;
use std::sync::Arc;

use artstore_core::artifact::{Artifact, ArtifactSource, ArtifactStatus};
use artstore_core::backend::{CsvInspection, RandomRead, SourceFacts, StagedFile, TableInspection};
use artstore_core::digest::ContentHash;
use artstore_core::format::ArtifactRecord;
use artstore_core::format::artifact_record::{
    CsvDescription, RecordDetails, SourceDescription, TableDetails,
};
use artstore_core::format::document::MAX_DOCUMENT_BYTES;
use artstore_core::id::{ArtifactId, StagingId};
use artstore_core::layout::{self, ArtifactNaming};
use artstore_core::table::{TableFacts, TableFormat, TableRules, TableSchema};
use artstore_core::{Error, Result};

use super::port::ArtifactEngine;
use super::publish::{Publish, WasDone};
use super::rules::PublishTask;
use crate::staged::StagedFiles;

/// The greatest size of a new record in bytes; the rest is room for tags, inputs and replaced artifacts that come later.
const RECORD_BYTES: usize = MAX_DOCUMENT_BYTES as usize - 1024 * 1024;
/// A name with the extension of stored tables.
const TABLE_NAME: &str = "table.parquet";

/// What is staged, and what its record will say of it.
struct StagedContent {
    file: StagedFile,
    /// Of the stored bytes.
    stored: SourceFacts,
    source: SourceDescription,
    table: Option<(TableFacts, TableRules)>,
}

impl ArtifactEngine {
    /// Takes bytes and record in under no final name.
    pub(super) async fn stage(&self, publish: &Publish, was_done: WasDone) -> Result<PublishTask> {
        let activity = publish.activity.clone();
        let mut staged = StagedFiles::new(Arc::clone(&self.parts.blobs), activity);
        let written = match &publish.request.table {
            None => self.stage_file(publish, &mut staged).await,
            Some(format) => {
                self.stage_table(publish, was_done, format, &mut staged)
                    .await
            }
        };
        let written = match written {
            Ok(content) => self.stage_record(publish, content, &mut staged).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(artifact) => Ok(PublishTask { artifact, staged }),
            Err(error) => {
                staged.discard().await;
                Err(with_source(error, &publish.request.source))
            }
        }
    }

    async fn stage_file(
        &self,
        publish: &Publish,
        staged: &mut StagedFiles,
    ) -> Result<StagedContent> {
        let source = &publish.request.source;
        let progress = self.progress_of(publish);
        let blobs = &self.parts.blobs;
        let content = blobs.stage(self.new_staging_id(), source, progress).await?;
        staged.push(content.file.clone());
        Ok(StagedContent {
            source: described(source, &content.facts),
            file: content.file,
            stored: content.facts,
            table: None,
        })
    }

    async fn stage_table(
        &self,
        publish: &Publish,
        was_done: WasDone,
        format: &TableFormat,
        staged: &mut StagedFiles,
    ) -> Result<StagedContent> {
        let request = &publish.request;
        let registered = self.types.find(&request.artifact_type).await?;
        let mut needs = TableNeeds {
            rules: TableRules::default(),
            columns: Vec::new(),
        };
        if let Some(registered) = registered {
            needs.rules = registered.definition.table_rules();
            // What was published under another definition is only compared.
            if was_done == WasDone::No {
                needs.columns = registered.definition.needed_columns().cloned().collect();
            }
        }
        let input = self.parts.blobs.open_source(&request.source).await?;
        let progress = self.progress_of(publish);
        let tables = &self.parts.tables;
        let inspection = tables.inspect(Arc::clone(&input), format, progress).await?;
        needs.check(publish, inspection.schema())?;
        check_room(publish, &inspection)?;
        match inspection {
            TableInspection::Parquet(_) => self.stage_parquet(publish, needs, staged).await,
            TableInspection::Csv(csv) => {
                self.stage_csv(publish, input, &csv, needs.rules, staged)
                    .await
            }
        }
    }

    /// The facts are those of the staged bytes, whatever becomes of the source.
    async fn stage_parquet(
        &self,
        publish: &Publish,
        needs: TableNeeds,
        staged: &mut StagedFiles,
    ) -> Result<StagedContent> {
        let content = self.stage_file(publish, staged).await?;
        let input = self.parts.blobs.open_staged(&content.file).await?;
        let progress = self.progress_of(publish);
        let tables = &self.parts.tables;
        let facts = tables.describe(input, &needs.rules, progress).await?;
        needs.check(publish, &facts.schema)?;
        Ok(StagedContent {
            table: Some((facts, needs.rules)),
            ..content
        })
    }

    /// Both readings are of the file that was opened once, whatever has its name meanwhile.
    async fn stage_csv(
        &self,
        publish: &Publish,
        input: Arc<dyn RandomRead>,
        csv: &CsvInspection,
        rules: TableRules,
        staged: &StagedFiles,
    ) -> Result<StagedContent> {
        let output = staged.begin(self.new_staging_id()).await?;
        let progress = self.progress_of(publish);
        let tables = &self.parts.tables;
        let converted = tables.convert(input, csv, &rules, output, progress).await?;
        Ok(StagedContent {
            file: converted.staged.file,
            stored: converted.staged.facts,
            source: SourceDescription {
                csv: Some(CsvDescription::from(&csv.options)),
                written: Some(converted.writer),
                ..described(&publish.request.source, &csv.source)
            },
            table: Some((converted.facts, rules)),
        })
    }

    async fn stage_record(
        &self,
        publish: &Publish,
        content: StagedContent,
        staged: &mut StagedFiles,
    ) -> Result<Artifact> {
        let artifact = self.new_artifact(publish, &content)?;
        let request = &publish.request;
        let record = ArtifactRecord::new(
            &artifact,
            RecordDetails {
                actor: self.settings.actor.clone(),
                source: content.source,
                writer: request.writer.clone(),
                git: request.git.clone(),
                params: request.params.clone(),
                table: content.table.map(|(facts, rules)| TableDetails {
                    schema: facts.schema,
                    timestamp_column: facts.timestamp_column,
                    rules,
                }),
            },
        );
        let document = record.to_bytes()?;
        if document.len() > RECORD_BYTES {
            return Err(Error::invalid("the record would be too large")
                .with("bytes", document.len())
                .with("limit", RECORD_BYTES)
                .hint("publish large parameters as an artifact of their own"));
        }
        staged
            .stage_document(self.new_staging_id(), document)
            .await?;
        Ok(artifact)
    }

    fn new_artifact(&self, publish: &Publish, content: &StagedContent) -> Result<Artifact> {
        let request = &publish.request;
        let id = ArtifactId::from_uuid(self.parts.ids.next_id());
        let created_at = self.parts.clock.now();
        let source_name = match content.table {
            Some(_) => Some(TABLE_NAME),
            None => content.source.name.as_deref(),
        };
        let paths = layout::artifact_paths(&ArtifactNaming {
            id,
            artifact_type: &request.artifact_type,
            schema_version: request.schema_version,
            created_at,
            hint: request.filename_hint.as_deref(),
            logical_key: &request.logical_key,
            source_name,
        })?;
        let facts = content.table.as_ref().map(|(facts, _)| facts);
        let of_bytes = ContentHash::from(content.stored.digest);
        Ok(Artifact {
            id,
            artifact_type: request.artifact_type.clone(),
            schema_version: request.schema_version,
            logical_key: request.logical_key.clone(),
            kind: request.kind(),
            status: ArtifactStatus::Active,
            data_path: paths.data,
            record_path: paths.record,
            file_hash: content.stored.digest,
            content_hash: facts
                .and_then(|facts| facts.content_hash)
                .unwrap_or(of_bytes),
            size_bytes: content.stored.size_bytes,
            row_count: facts.map(|facts| facts.row_count),
            min_timestamp: facts.and_then(|facts| facts.min_timestamp),
            max_timestamp: facts.and_then(|facts| facts.max_timestamp),
            created_at,
            tags: request.tags.clone(),
            inputs: publish.inputs.clone(),
            superseded_by: None,
            supersedes: Vec::new(),
            tombstone_reason: None,
            run_id: None,
            op_id: publish.op_id.clone(),
            request_digest: publish.request_digest,
            revision: 1,
            last_event: 0,
        })
    }

    fn new_staging_id(&self) -> StagingId {
        StagingId::from_uuid(self.parts.ids.next_id())
    }
}

/// What the type of a table asks for.
struct TableNeeds {
    rules: TableRules,
    columns: Vec<String>,
}

impl TableNeeds {
    fn check(&self, publish: &Publish, schema: &TableSchema) -> Result<()> {
        let missing = schema.missing(&self.columns);
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = schema
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        Err(
            Error::invalid("the table lacks columns that its type needs")
                .with("type", &publish.request.artifact_type)
                .with("missing", missing.join(", "))
                .with("found", shortened(&names.join(", ")))
                .hint("`artstore type show` tells what the type needs"),
        )
    }
}

/// Fails before a table is staged if its record would be too large, naming what is largest.
fn check_room(publish: &Publish, inspection: &TableInspection) -> Result<()> {
    let size = |value: serde_json::Result<Vec<u8>>| value.map_or(usize::MAX, |json| json.len());
    let request = &publish.request;
    let options = match inspection {
        TableInspection::Csv(csv) => size(serde_json::to_vec(&csv.options)),
        TableInspection::Parquet(_) => 0,
    };
    let columns = size(serde_json::to_vec(inspection.schema())).saturating_add(options);
    let parts = [
        ("columns", columns),
        ("inputs", size(serde_json::to_vec(&publish.inputs))),
        ("params", size(serde_json::to_vec(&request.params))),
        ("tags", size(serde_json::to_vec(&request.tags))),
    ];
    let bytes = parts
        .iter()
        .fold(0_usize, |sum, (_, bytes)| sum.saturating_add(*bytes));
    if bytes <= RECORD_BYTES {
        return Ok(());
    }
    let largest = parts.iter().max_by_key(|(_, bytes)| *bytes);
    Err(Error::invalid("the record would be too large")
        .with("bytes", bytes)
        .with("limit", RECORD_BYTES)
        .with("largest", largest.map_or("", |(what, _)| what))
        .hint("publish the source as a file, or with less of what is largest"))
}

/// The beginning of a text that may be long.
fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 400;
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn described(source: &ArtifactSource, facts: &SourceFacts) -> SourceDescription {
    SourceDescription {
        name: source_name(source),
        size_bytes: facts.size_bytes,
        sha256: facts.digest,
        csv: None,
        written: None,
    }
}

/// Names the source in an error that names no path.
fn with_source(error: Error, source: &ArtifactSource) -> Error {
    match source {
        ArtifactSource::File(path) | ArtifactSource::AdoptFile(path)
            if error.context_value("path").is_none() =>
        {
            error.with("path", path.display())
        }
        _ => error,
    }
}

fn source_name(source: &ArtifactSource) -> Option<String> {
    let name_of = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    match source {
        ArtifactSource::File(path) | ArtifactSource::AdoptFile(path) => name_of(path),
        ArtifactSource::Bytes(_) => None,
    }
}
