//! Answers for people: `key: value` lines for one thing, tables for several.

use std::borrow::Cow;

use artstore_core::id::ArtifactId;
use artstore_core::tags::Tags;
use artstore_wire::artifact::InputDocument;
use artstore_wire::report::FaultDocument;
use artstore_wire::{
    ArtifactDocument, BatchDocument, ExportDocument, ListDocument, PublishDocument,
    RebuildDocument, SettleDocument, StatusDocument, SupersessionDocument, TypeDocument,
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
    lines.add_inputs("input", &artifact.inputs);
    lines.add_some("superseded by", artifact.superseded_by);
    for id in &artifact.supersedes {
        lines.add("supersedes", id);
    }
    lines.add_some("tombstone reason", artifact.tombstone_reason.as_ref());
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
    lines.add_inputs("merged input", &result.merged_inputs);
    lines.add_inputs("skipped input", &result.skipped_inputs);
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

/// The newest first: what replaced `artifact`, itself with a mark, what it replaced.
pub(crate) fn history(history: &SupersessionDocument, artifact: &ArtifactDocument) -> String {
    let mut table = plain_table(&["", "ID", "KEY", "STATUS", "CREATED", "SUPERSEDED BY"]);
    let successors = history.successors.iter().rev();
    for shown in successors.chain([artifact]).chain(&history.predecessors) {
        let is_asked_about = shown.artifact_id == artifact.artifact_id;
        let successor = shown.superseded_by.map(|id| id.to_string());
        table.add_row([
            if is_asked_about { "*" } else { "" }.to_owned(),
            shown.artifact_id.to_string(),
            shown.logical_key.to_string(),
            shown.status.to_string(),
            shown.created_at.to_string(),
            successor.unwrap_or_default(),
        ]);
    }
    let mut shown = table.trim_fmt();
    for id in &history.missing {
        shown += &format!("\n   {id}  (its record is lost)");
    }
    if history.truncated {
        shown += "\n\ntruncated: there are more";
    }
    shown
}

pub(crate) fn artifact_type(registered: &TypeDocument) -> String {
    let mut lines = Lines::default();
    lines.add("type", &registered.artifact_type);
    lines.add_names("required column", &registered.required_columns);
    lines.add_names("canonical column", &registered.canonical_columns);
    lines.add_names("sort key", &registered.sort_keys);
    lines.add_some("timestamp column", registered.timestamp_column.as_ref());
    lines.add("revision", registered.revision);
    lines.add("created", registered.created_at);
    lines.add("updated", registered.updated_at);
    lines.add("actor", &registered.actor);
    lines.0
}

pub(crate) fn artifact_types(list: &ListDocument<TypeDocument>) -> String {
    if list.items.is_empty() {
        return "no registered types".to_owned();
    }
    let mut table = plain_table(&[
        "TYPE",
        "REVISION",
        "REQUIRED",
        "SORTED BY",
        "TIMES IN",
        "UPDATED",
    ]);
    for registered in &list.items {
        table.add_row([
            registered.artifact_type.to_string(),
            registered.revision.to_string(),
            registered.required_columns.join(", "),
            registered.sort_keys.join(", "),
            registered.timestamp_column.clone().unwrap_or_default(),
            registered.updated_at.to_string(),
        ]);
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
    plain_table(&["ID", "TYPE", "KEY", "STATUS", "BYTES", "CREATED"])
}

fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header);
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

/// `text` without what would leave its line or turn its direction.
pub(crate) fn on_one_line(text: &str) -> Cow<'_, str> {
    let leaves = |character: char| {
        character.is_control()
            || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(leaves) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if leaves(character) {
            line.extend(character.escape_debug());
        } else {
            line.push(character);
        }
    }
    Cow::Owned(line)
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

    fn add_names(&mut self, name: &str, values: &[String]) {
        for value in values {
            self.add(name, value);
        }
    }

    fn add_inputs(&mut self, name: &str, inputs: &[InputDocument]) {
        for input in inputs {
            let role = input.role.as_deref().map(|role| format!(" ({role})"));
            let id = input.artifact_id;
            self.add(name, format_args!("{id}{}", role.unwrap_or_default()));
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
