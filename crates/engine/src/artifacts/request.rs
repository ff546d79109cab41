//! The digest of a request, by which a repeated operation is recognised.
//!
//! It covers everything that the caller asks for except the bytes and the operation id. The bytes are compared by
//! their hash, where the source still exists: an adopted source is gone after the first call. The state of the source
//! code takes no part either: callers find it out by themselves, and it may change between a call and its repetition.

use artstore_core::artifact::PublishArtifactRequest;
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::table::TableFormat;
use artstore_core::tags::TagChange;
use artstore_core::{Error, Result};
use serde_json::{Value, json};

pub(crate) fn of_publish(request: &PublishArtifactRequest) -> Result<Digest> {
    let mut parts = json!({
        "operation": "publish_artifact",
        "artifact_type": request.artifact_type,
        "schema_version": request.schema_version,
        "logical_key": request.logical_key,
        "tags": request.tags,
        "writer": request.writer,
        "params": request.params,
        "filename_hint": request.filename_hint,
    });
    // What came later takes part only where it is used, so that older operations are still recognised.
    if !request.inputs.is_empty() {
        parts["inputs"] = serde_json::to_value(&request.inputs).map_err(unwritable)?;
    }
    if let Some(format) = &request.table {
        parts["table"] = match format {
            TableFormat::Parquet => json!("parquet"),
            TableFormat::Csv(options) => json!({ "csv": options }),
        };
    }
    digest(parts)
}

pub(crate) fn of_supersede(new: ArtifactId, old: ArtifactId) -> Result<Digest> {
    digest(json!({ "operation": "supersede", "new": new, "old": old }))
}

pub(crate) fn of_tombstone(id: ArtifactId, reason: &str) -> Result<Digest> {
    digest(json!({ "operation": "tombstone", "artifact_id": id, "reason": reason }))
}

pub(crate) fn of_tag(id: ArtifactId, change: &TagChange) -> Result<Digest> {
    digest(json!({
        "operation": "tag",
        "artifact_id": id,
        "change": serde_json::to_value(change).map_err(unwritable)?,
    }))
}

fn digest(mut request: Value) -> Result<Digest> {
    request.sort_all_objects();
    let bytes = serde_json::to_vec(&request).map_err(unwritable)?;
    Ok(Digest::of(&bytes))
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::internal("a request could not be written").caused_by(error)
}

#[cfg(test)]
mod tests {
    use artstore_core::artifact::{ArtifactInput, ArtifactSource, GitState};
    use artstore_core::key::{ArtifactType, LogicalKey, OpId};

    use super::*;

    fn request() -> PublishArtifactRequest {
        PublishArtifactRequest::file(
            ArtifactType::new("t").unwrap(),
            LogicalKey::new("k").unwrap(),
            ArtifactSource::File("a".into()),
        )
    }

    #[test]
    fn the_order_of_params_the_source_and_git_take_no_part() {
        let mut one = request();
        one.params.insert("a".into(), json!({"x": 1, "y": 2}));
        one.params.insert("b".into(), json!(2));
        let mut other = request();
        other.source = ArtifactSource::AdoptFile("b".into());
        other.op_id = Some(OpId::new("o").unwrap());
        other.git = Some(GitState {
            commit: "deadbeef".into(),
            dirty: true,
        });
        other.params.insert("b".into(), json!(2));
        other.params.insert("a".into(), json!({"y": 2, "x": 1}));
        assert_eq!(of_publish(&one).unwrap(), of_publish(&other).unwrap());
    }

    #[test]
    fn everything_else_takes_part() {
        let plain = of_publish(&request()).unwrap();
        let mut versioned = request();
        versioned.schema_version = 2;
        let mut tagged = request();
        tagged.tags.insert("a", "b").unwrap();
        let mut hinted = request();
        hinted.filename_hint = Some("h".into());
        let mut made = request();
        made.inputs = vec![ArtifactInput::new(
            "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap(),
        )];
        let mut table = request();
        table.table = Some(TableFormat::Parquet);
        for other in [versioned, tagged, hinted, made, table] {
            assert_ne!(of_publish(&other).unwrap(), plain);
        }
    }
}
