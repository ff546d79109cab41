//! Answers for people: `key: value` lines for one thing, tables for several.

use artstore_core::id::ArtifactId;
use artstore_core::tags::Tags;
use artstore_wire::report::FaultDocument;
use artstore_wire::{
    ArtifactDocument, BatchDocument, ExportDocument, ListDocument, PublishDocument,
    RebuildDocument, SettleDocument, StatusDocument,
};
use comfy_table::{Table, presets};

pub(crate) fn artifact(artifact: &ArtifactDocument) -> String {
    let mut lines = Lines::default();
    lines.add("id", artifact.artifact_id);
    lines.add("type", &artifact.artifact_type);
    lines.add("schema version", artifact.schema_version);
    lines.add("key", &artifact.logical_key);
    lines.add("kind", artifact.kind);
    lines.add("status", artifact.status);
    lines.add("file", &artifact.path_parquet);
    lines.add("record", &artifact.path_sidecar);
    lines.add("file hash", artifact.file_hash);
    lines.add("content hash", artifact.content_hash);
    lines.add("bytes", artifact.size_bytes);
    lines.add_some("rows", artifact.row_count);
    lines.add_some("from", artifact.min_ts);
    lines.add_some("to", artifact.max_ts);
    lines.add("created", artifact.created_at);
    lines.add_some("tags", tags(&artifact.tags));
    for input in &artifact.inputs {
        let role = input.role.as_deref().map(|role| format!(" ({role})"));
        let id = input.artifact_id;
        lines.add("input", format_args!("{id}{}", role.unwrap_or_default()));
    }
    lines.add_some("superseded by", artifact.superseded_by);
    lines.add_some("run", artifact.run_id);
    lines.0
}

pub(crate) fn publish(result: &PublishDocument) -> String {
    let mut lines = Lines::default();
    lines.add_some("published", result.artifact_id);
    lines.add_some("file", result.path_parquet.as_ref());
    lines.add_some("record", result.path_sidecar.as_ref());
    lines.add_some("duplicate of", result.existing_artifact_id);
    lines.add_some("recognised by", result.mode);
    lines.add_some("merged tags", result.merged_tags.as_ref().and_then(tags));
    lines.0
}

pub(crate) fn export(export: &ExportDocument) -> String {
    let mut lines = Lines::default();
    lines.add("exported", export.artifact_id);
    lines.add("file", &export.path);
    lines.add("bytes", export.size_bytes);
    lines.0
}

pub(crate) fn list(list: &ListDocument<ArtifactDocument>) -> String {
    if list.items.is_empty() {
        return "no artifacts".to_owned();
    }
    let mut table = artifact_table();
    for artifact in &list.items {
        table.add_row(artifact_row(artifact));
    }
    let next = list.next.as_ref();
    let next = next.map(|cursor| format!("\n\nmore: --after {cursor}"));
    format!("{}{}", table.trim_fmt(), next.unwrap_or_default())
}

pub(crate) fn batch(batch: &BatchDocument<ArtifactDocument>, ids: &[ArtifactId]) -> String {
    let mut table = artifact_table();
    for (artifact, id) in batch.items.iter().zip(ids) {
        match artifact {
            Some(artifact) => table.add_row(artifact_row(artifact)),
            None => table.add_row([id.to_string(), "(not found)".to_owned()]),
        };
    }
    table.trim_fmt()
}

pub(crate) fn status(status: &StatusDocument) -> String {
    let artifacts = status.counts.artifacts;
    let mut lines = Lines::default();
    lines.add("store", status.store_id);
    lines.add("root", &status.root);
    lines.add("created", status.created_at);
    lines.add(
        "artifacts",
        format_args!(
            "{} active, {} superseded, {} tombstoned",
            artifacts.active, artifacts.superseded, artifacts.tombstoned
        ),
    );
    lines.add("bytes", status.bytes);
    lines.add("pending", status.pending);
    lines.add("healthy", if status.healthy { "yes" } else { "no" });
    lines.add_some("dump digest", status.dump_digest);
    lines.0
}

pub(crate) fn settle(report: &SettleDocument) -> String {
    let mut lines = Lines::default();
    lines.add("settled", &report.summary);
    lines.add_faults(&report.faults);
    lines.0
}

pub(crate) fn rebuild(report: &RebuildDocument) -> String {
    let mut lines = Lines::default();
    lines.add("rebuilt from", &report.summary);
    lines.add_some("former catalog", report.moved_aside.as_ref());
    lines.add_faults(&report.faults);
    lines.0
}

fn artifact_table() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["ID", "TYPE", "KEY", "STATUS", "BYTES", "CREATED"]);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn artifact_row(artifact: &ArtifactDocument) -> [String; 6] {
    [
        artifact.artifact_id.to_string(),
        artifact.artifact_type.to_string(),
        artifact.logical_key.to_string(),
        artifact.status.to_string(),
        artifact.size_bytes.to_string(),
        artifact.created_at.to_string(),
    ]
}

fn tags(tags: &Tags) -> Option<String> {
    let pairs: Vec<_> = tags
        .pairs()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(", "))
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        use std::fmt::Write as _;
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{name}: {value}");
    }

    fn add_some(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    fn add_faults(&mut self, faults: &[FaultDocument]) {
        for fault in faults {
            self.add(
                "fault",
                format_args!("{} {}: {}", fault.kind, fault.path, fault.detail),
            );
        }
    }
}
