use std::sync::{Arc, Mutex};

use artstore_core::Error;
use artstore_core::artifact::{
    ArtifactInput, ArtifactSource, DedupMode, Merged, PublishArtifactRequest,
};
use artstore_core::table::{ColumnType, CsvOptions, TableFormat};

use super::*;

/// The golden request.
fn golden() -> Value {
    json!({
        "operation": "publish_artifact", "manifest_db": "/d/manifest.sqlite",
        "manifest_sql": "/r/manifest_v1.sql", "artifacts_root": "/d/artifacts",
        "artifact_type": "alerts_v1", "schema_version": 1,
        "logical_key": "day=2025-05-01/chain=solana", "data_path": "/d/a.csv",
        "tags": {"chain": "solana"}, "input_artifact_ids": [], "writer_name": "w",
        "writer_version": "1.0.0", "git_commit": "abc", "git_dirty": false, "params": {},
    })
}

/// A store that publishes everything, and what it was asked for.
fn publisher() -> (
    MockArtifactStorePort,
    Arc<Mutex<Vec<PublishArtifactRequest>>>,
) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let mut store = MockArtifactStorePort::new();
    store.expect_publish_artifact().returning(move |request| {
        seen.lock().unwrap().push(request);
        Ok(PublishArtifactResult::Published(file()))
    });
    (store, asked)
}

/// The request that the golden one with these fields makes.
async fn asked(more: Value) -> PublishArtifactRequest {
    let (store, asked) = publisher();
    answer(&store, with(more)).await.unwrap();
    let mut asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    asked.remove(0)
}

fn with(more: Value) -> Value {
    let mut request = golden();
    let fields = request.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    request
}

fn path_of(request: &PublishArtifactRequest) -> &str {
    match &request.source {
        ArtifactSource::File(path) | ArtifactSource::AdoptFile(path) => path.to_str().unwrap(),
        ArtifactSource::Bytes(_) => panic!("a path was given"),
    }
}

#[tokio::test]
async fn the_golden_request_is_published_as_it_says() {
    let (store, asked) = publisher();
    let answer = answer(&store, golden()).await.unwrap();
    let expected = r#"
{
  "success": true,
  "deduped": false,
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "pathParquet": "/data/store/artifacts/a.html",
  "pathSidecar": "/data/store/artifacts/a.json"
}"#;
    assert_eq!(to_pretty_text(&answer), expected.trim());
    let asked = asked.lock().unwrap();
    let [request] = &asked[..] else {
        panic!("one publish");
    };
    assert_eq!(request.artifact_type.as_str(), "alerts_v1");
    assert_eq!(request.logical_key.as_str(), "day=2025-05-01/chain=solana");
    assert_eq!((request.schema_version, path_of(request)), (1, "/d/a.csv"));
    assert_eq!(request.table, Some(TableFormat::Csv(CsvOptions::default())));
    assert_eq!(request.tags, Tags::try_from([("chain", "solana")]).unwrap());
    let writer = request.writer.as_ref().unwrap();
    assert_eq!(
        (writer.name.as_str(), writer.version.as_deref()),
        ("w", Some("1.0.0"))
    );
    let git = request.git.as_ref().unwrap();
    assert_eq!((git.commit.as_str(), git.dirty), ("abc", false));
    assert!(request.inputs.is_empty() && request.params.is_empty());
    assert_eq!((&request.filename_hint, &request.op_id), (&None, &None));
}

#[tokio::test]
async fn a_duplicate_passes_through() {
    let mut store = MockArtifactStorePort::new();
    store.expect_publish_artifact().returning(|_| {
        Ok(PublishArtifactResult::Duplicate {
            existing: file(),
            mode: DedupMode::ContentHash,
            merged: Merged::default(),
        })
    });
    let expected = json!({
        "success": true,
        "deduped": true,
        "mode": "content_hash",
        "existingArtifactId": ID,
    });
    assert_eq!(answer(&store, golden()).await.unwrap(), expected);
}

#[tokio::test]
async fn everything_that_may_be_said_is_passed_on() {
    let request = asked(json!({
        "schema_version": 7,
        "data_path": "/d/a.txt",
        "tags": {"env": ["prod", "test"], "none": ""},
        "input_artifact_ids": [ID],
        "inputs": [{"artifact_id": OTHER, "role": "prices"}, {"artifact_id": OTHER}],
        "params": {"window": {"days": 7}},
        "filename_hint": "short",
        "as": "table",
        "format": "csv",
        "delimiter": "\t",
        "quote": "'",
        "columns": {"price": "decimal(10,2)"},
        "adopt": true,
        "op_id": "op-1",
    }))
    .await;
    assert!(matches!(request.source, ArtifactSource::AdoptFile(_)));
    let options = CsvOptions {
        delimiter: b'\t',
        quote: b'\'',
        column_types: [(
            "price".to_owned(),
            ColumnType::Decimal {
                precision: 10,
                scale: 2,
            },
        )]
        .into(),
    };
    assert_eq!(request.table, Some(TableFormat::Csv(options)));
    let role = |role: Option<&str>| ArtifactInput {
        id: id(OTHER),
        role: role.map(Into::into),
    };
    let inputs = [ArtifactInput::new(id(ID)), role(Some("prices")), role(None)];
    assert_eq!(request.inputs, inputs);
    let tags = [("env", "prod"), ("env", "test"), ("none", "")];
    assert_eq!(request.tags, Tags::try_from(tags).unwrap());
    assert_eq!(request.schema_version, 7);
    assert_eq!(request.params["window"]["days"], 7);
    assert_eq!(request.filename_hint.as_deref(), Some("short"));
    assert_eq!(request.op_id.unwrap().as_str(), "op-1");
}

#[tokio::test]
async fn what_need_not_be_said_may_be_null_or_empty() {
    let request = asked(json!({
        "schema_version": null, "data_path": "/d/a.bin", "tags": null, "input_artifact_ids": null,
        "writer_name": "", "writer_version": "", "git_commit": "", "params": null,
        "filename_hint": "", "op_id": null,
    }))
    .await;
    assert_eq!((request.schema_version, request.table), (1, None));
    assert!(request.writer.is_none() && request.git.is_none() && request.op_id.is_none());
    assert!(request.filename_hint.is_none() && request.tags.is_empty());
    let plain = asked(json!({"as": "file", "writer_version": null})).await;
    assert_eq!((plain.table, plain.writer.unwrap().version), (None, None));
}

#[tokio::test]
async fn wrong_requests_name_the_field() {
    for (more, said) in [
        (
            json!({"data_path": null}),
            "Missing required field: 'data_path'",
        ),
        (json!({"logicalKey": "k"}), "Unknown field: 'logicalKey'"),
        (
            json!({"schema_version": "1"}),
            "the field 'schema_version' must be a whole number",
        ),
        (
            json!({"schema_version": -1}),
            "the field 'schema_version' is not a whole number",
        ),
        (
            json!({"git_dirty": "no"}),
            "the field 'git_dirty' must be true or false",
        ),
        (
            json!({"params": []}),
            "the field 'params' must be an object",
        ),
        (
            json!({"inputs": [{"role": "x"}]}),
            "Missing required field: 'inputs[0].artifact_id'",
        ),
        (
            json!({"inputs": [{"artifactId": ID}]}),
            "Unknown field: 'inputs[0].artifactId'",
        ),
        (
            json!({"input_artifact_ids": [ID, 7]}),
            "the field 'input_artifact_ids[1]' must be a text",
        ),
        (
            json!({"input_artifact_ids": ["x"]}),
            "Artifact not found: x",
        ),
        (
            json!({"delimiter": "ab"}),
            "the field 'delimiter' must be one ASCII character",
        ),
        (json!({"columns": {"a": "text"}}), "not a valid column type"),
        (json!({"format": "xml"}), "not a valid table format"),
        (
            json!({"as": "table", "data_path": "/d/a.txt"}),
            "the file's name does not tell",
        ),
        (json!({"as": "file", "quote": "'"}), "quote is for tables"),
        (
            json!({"writer_name": null}),
            "Missing required field: 'writer_name'",
        ),
        (
            json!({"git_commit": null, "git_dirty": true}),
            "Missing required field: 'git_commit'",
        ),
        (json!({"logical_key": ""}), "the logical key is empty"),
    ] {
        let error = refused(with(more.clone())).await;
        let told = error["error"].as_str().unwrap();
        assert!(told.starts_with(said), "{more}: {told}");
        assert_eq!(error["operation"], "publish_artifact");
    }
}

#[tokio::test]
async fn a_batch_answers_each_request_in_its_place() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_publish_artifacts()
        .withf(|requests| {
            let paths: Vec<_> = requests.iter().map(path_of).collect();
            paths == ["/d/first", "/d/third"]
        })
        .times(1)
        .returning(|_| {
            let missing = Error::not_found("there is no source file at this path");
            vec![
                Ok(PublishArtifactResult::Published(file())),
                Err(missing.with("path", "/d/third")),
            ]
        });
    let item = |path: &str| json!({"artifact_type": "t", "logical_key": "k", "data_path": path});
    let request = json!({
        "operation": "publish_artifacts_batch",
        "requests": [item("/d/first"), {"artifact_type": "t"}, item("/d/third"), 4],
    });
    let answers = answer(&store, request).await.unwrap();
    assert_eq!(answers[0]["artifactId"], ID);
    let unclear = json!({
        "success": false,
        "error": "Missing required field: 'requests[1].logical_key'",
        "type": "KeyError",
        "code": "invalid",
        "context": {"field": "requests[1].logical_key"},
    });
    assert_eq!(answers[1], unclear);
    let missing = json!({
        "success": false,
        "error": "there is no source file at this path (path: /d/third)",
        "type": "FileNotFoundError",
        "code": "not_found",
        "context": {"path": "/d/third"},
    });
    assert_eq!(answers[2], missing);
    assert_eq!(answers[3]["type"], "TypeError");
    assert_eq!(answers.as_array().unwrap().len(), 4);
}

#[test]
fn a_line_of_a_batch_is_in_camel_case() {
    let line = json!({
        "artifactType": "alerts_v1", "schemaVersion": 2, "logicalKey": "k", "dataPath": "a.csv",
        "tags": {"a": ["b"]}, "inputArtifactIds": [ID], "inputs": [{"artifactId": OTHER, "role": "r"}],
        "writerName": "w", "writerVersion": "1", "gitCommit": "c", "gitDirty": true,
        "params": {"x": 1}, "filenameHint": "h", "as": "table", "format": "csv", "delimiter": ";",
        "quote": "'", "columns": {"n": "int"}, "adopt": false, "opId": "o",
    });
    let request = PublishLine::parse(line.to_string().as_bytes()).unwrap();
    assert_eq!((request.schema_version, request.inputs.len()), (2, 2));
    assert_eq!(request.op_id.unwrap().as_str(), "o");
    assert!(request.git.unwrap().dirty);
    for (line, said) in [
        ("{", "the request is not JSON"),
        ("[]", "a request is a JSON object, not a list"),
        (
            r#"{"artifact_type": "t"}"#,
            "Unknown field: 'artifact_type'",
        ),
        (
            r#"{"artifactType": "t", "logicalKey": "k"}"#,
            "Missing required field: 'dataPath'",
        ),
    ] {
        let error = PublishLine::parse(line.as_bytes()).unwrap_err();
        assert!(error.message().starts_with(said), "{line}: {error}");
    }
}
