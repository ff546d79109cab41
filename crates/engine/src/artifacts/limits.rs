//! What a publish may ask for.

use artstore_core::artifact::{ArtifactInput, ArtifactSource, PublishArtifactRequest};
use artstore_core::key::check_text;
use artstore_core::table::TableFormat;
use artstore_core::{Error, Result};
use serde_json::Value;

/// The greatest number of nested arrays and objects in params, far below what readers of JSON take.
const MAX_PARAMS_DEPTH: usize = 64;
/// The greatest length in bytes of names in a record (writer, commit, hint, source).
const MAX_NAME_BYTES: usize = 1024;

pub(super) fn check(request: &PublishArtifactRequest) -> Result<()> {
    check_params(request)?;
    check_names(request)?;
    check_inputs(&request.inputs)?;
    check_table(request)
}

/// Checks the inputs of an artifact, all of them together.
pub(super) fn check_inputs(inputs: &[ArtifactInput]) -> Result<()> {
    if inputs.len() > ArtifactInput::MAX_COUNT {
        return Err(Error::invalid("there are too many inputs")
            .with("count", inputs.len())
            .with("limit", ArtifactInput::MAX_COUNT));
    }
    for role in inputs.iter().filter_map(|input| input.role.as_ref()) {
        check_text(role, "role of an input", ArtifactInput::MAX_ROLE_BYTES)?;
    }
    Ok(())
}

fn check_params(request: &PublishArtifactRequest) -> Result<()> {
    let levels = request.params.values().map(depth).max().unwrap_or(0);
    if levels > MAX_PARAMS_DEPTH {
        return Err(Error::invalid("the params are nested too deeply")
            .with("levels", levels)
            .with("limit", MAX_PARAMS_DEPTH));
    }
    let params = serde_json::to_vec(&request.params)
        .map_err(|error| Error::invalid("the params cannot be written").caused_by(error))?;
    if params.len() > PublishArtifactRequest::MAX_PARAMS_BYTES {
        return Err(Error::invalid("the params are too large")
            .with("bytes", params.len())
            .with("limit", PublishArtifactRequest::MAX_PARAMS_BYTES)
            .hint("publish large parameters as an artifact of their own"));
    }
    Ok(())
}

fn check_names(request: &PublishArtifactRequest) -> Result<()> {
    let writer = request.writer.as_ref();
    let git = request.git.as_ref();
    let names = [
        ("writer name", writer.map(|writer| writer.name.as_str())),
        (
            "writer version",
            writer.and_then(|writer| writer.version.as_deref()),
        ),
        ("git commit", git.map(|git| git.commit.as_str())),
        ("file name hint", request.filename_hint.as_deref()),
    ];
    for (what, name) in names {
        if let Some(name) = name.filter(|name| name.len() > MAX_NAME_BYTES) {
            return Err(Error::invalid(format!("the {what} is too long"))
                .with("bytes", name.len())
                .with("limit", MAX_NAME_BYTES));
        }
    }
    Ok(())
}

fn check_table(request: &PublishArtifactRequest) -> Result<()> {
    let Some(TableFormat::Csv(options)) = &request.table else {
        return Ok(());
    };
    if let ArtifactSource::AdoptFile(path) = &request.source {
        return Err(
            Error::invalid("a CSV file is converted and cannot be adopted")
                .with("path", path.display())
                .hint("publish it without adopting it, or adopt it as a file"),
        );
    }
    options.check()
}

/// How many levels of arrays and objects `value` has.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
