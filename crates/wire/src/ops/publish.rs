//! Requests to publish, in operations and in batches.

use std::path::PathBuf;
use std::str::FromStr;

use artstore_core::artifact::{
    ArtifactInput, ArtifactKind, ArtifactSource, GitState, PublishArtifactRequest, Writer,
};
use artstore_core::{Error, Result};
use serde_json::Value;

use super::error::Fault;
use super::fields::{Fields, Spelling};
use super::request::parse_json;
use super::table::{OptionNames, SourceFormat, TableOptions};

/// What a request to publish may say.
pub(super) const KNOWN: &[&str] = &[
    "artifact_type",
    "schema_version",
    "logical_key",
    "data_path",
    "tags",
    "input_artifact_ids",
    "inputs",
    "writer_name",
    "writer_version",
    "git_commit",
    "git_dirty",
    "params",
    "filename_hint",
    "as",
    "format",
    "delimiter",
    "quote",
    "columns",
    "adopt",
    "op_id",
];

/// A line of a batch: a request to publish, its keys in camelCase.
#[derive(Debug)]
pub struct PublishLine;

impl PublishLine {
    /// Reads a line.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid), naming the field; [`NotFound`](artstore_core::ErrorKind::NotFound) if
    /// an input cannot exist.
    pub fn parse(line: &[u8]) -> Result<PublishArtifactRequest> {
        let request = parse_json(line)
            .and_then(|value| Fields::new(value, "", Spelling::Camel, KNOWN))
            .and_then(request);
        request.map_err(|fault| fault.error)
    }
}

/// The request that `fields` make.
pub(super) fn request(mut fields: Fields) -> Result<PublishArtifactRequest, Fault> {
    let artifact_type = fields.required("artifact_type", Fields::parsed)?;
    let logical_key = fields.required("logical_key", Fields::parsed)?;
    let path = PathBuf::from(fields.required("data_path", Fields::text)?);
    let table = table_options(&mut fields)?.format_of(&path, &OptionNames::FIELDS)?;
    let source = if fields.flag("adopt")?.unwrap_or_default() {
        ArtifactSource::AdoptFile(path)
    } else {
        ArtifactSource::File(path)
    };
    Ok(PublishArtifactRequest {
        schema_version: fields.number("schema_version")?.unwrap_or(1),
        table,
        inputs: inputs(&mut fields)?,
        tags: fields.tags("tags")?,
        writer: writer(&mut fields)?,
        git: git(&mut fields)?,
        params: fields.object("params")?.unwrap_or_default(),
        filename_hint: fields.filled_text("filename_hint")?,
        op_id: fields.parsed("op_id")?,
        ..PublishArtifactRequest::file(artifact_type, logical_key, source)
    })
}

fn table_options(fields: &mut Fields) -> Result<TableOptions, Fault> {
    let columns = fields.text_by_name("columns")?;
    let column_types = columns
        .into_iter()
        .map(|(name, column_type)| Ok((name, fields.read("columns", &column_type)?)));
    Ok(TableOptions {
        column_types: column_types.collect::<Result<_, Fault>>()?,
        kind: fields.parsed::<ArtifactKind>("as")?,
        format: fields.parsed("format")?,
        delimiter: character(fields, "delimiter")?,
        quote: character(fields, "quote")?,
    })
}

impl FromStr for SourceFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            _ => Err(Error::invalid("not a valid table format")
                .with("given", text.escape_debug())
                .with("known", "csv, parquet")),
        }
    }
}

fn character(fields: &mut Fields, name: &'static str) -> Result<Option<u8>, Fault> {
    let Some(text) = fields.text(name)? else {
        return Ok(None);
    };
    match text.as_bytes() {
        [byte] => Ok(Some(*byte)),
        _ => {
            let value = Value::String(text);
            Err(fields.wrong_type(name, "one ASCII character", &value))
        }
    }
}

fn inputs(fields: &mut Fields) -> Result<Vec<ArtifactInput>, Fault> {
    let plain = fields.texts("input_artifact_ids")?.unwrap_or_default();
    let mut inputs = Vec::with_capacity(plain.len());
    for id in plain {
        let id = id.parse().map_err(|_| Fault::no_artifact(&id))?;
        inputs.push(ArtifactInput::new(id));
    }
    let spelling = fields.spelling();
    for (place, item) in fields.list("inputs")?.unwrap_or_default() {
        let mut item = Fields::new(item, place, spelling, &["artifact_id", "role"])?;
        inputs.push(ArtifactInput {
            id: item.required("artifact_id", Fields::artifact_id)?,
            role: item.text("role")?,
        });
    }
    Ok(inputs)
}

fn writer(fields: &mut Fields) -> Result<Option<Writer>, Fault> {
    let name = fields.filled_text("writer_name")?;
    let version = fields.filled_text("writer_version")?;
    match (name, version) {
        (Some(name), version) => Ok(Some(Writer { name, version })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(fields.missing("writer_name")),
    }
}

fn git(fields: &mut Fields) -> Result<Option<GitState>, Fault> {
    let commit = fields.filled_text("git_commit")?;
    let dirty = fields.flag("git_dirty")?.unwrap_or_default();
    match commit {
        Some(commit) => Ok(Some(GitState { commit, dirty })),
        None if dirty => Err(fields.missing("git_commit")),
        None => Ok(None),
    }
}
