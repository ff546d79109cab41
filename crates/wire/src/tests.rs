use std::collections::BTreeSet;
use std::path::Path;

use artstore_core::artifact::{
    Artifact, ArtifactInput, ArtifactKind, ArtifactStatus, DedupMode, Merged, PublishArtifactResult,
};
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::lineage::{ArtifactLineage, LineageEdge, LineageNode, Supersession};
use artstore_core::maintenance::{
    ArtifactCounts, Fault, FaultKind, RebuildReport, SettleReport, StoreStatus,
};
use artstore_core::page::{Cursor, ListPart, Page};
use artstore_core::path::RelPath;
use artstore_core::registry::{RegisteredType, TypeDefinition};
use artstore_core::tags::Tags;
use artstore_core::{Error, ErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::status::Health;
use crate::*;

const ID: &str = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11";
const OTHER: &str = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12";
const ROOT: &str = "/data/store";

/// The document has exactly this text, and is read back as it was.
fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    document: &T,
    expected: &str,
) {
    let text = serde_json::to_string_pretty(document).unwrap();
    assert_eq!(text, expected.trim());
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), document);
}

pub(crate) fn file() -> Artifact {
    let digest = Digest::from_bytes([0xab; 32]);
    Artifact {
        id: ID.parse().unwrap(),
        artifact_type: ArtifactType::new("report").unwrap(),
        schema_version: 1,
        logical_key: LogicalKey::new("day=1").unwrap(),
        kind: ArtifactKind::File,
        status: ArtifactStatus::Active,
        data_path: RelPath::new("artifacts/a.html").unwrap(),
        record_path: RelPath::new("artifacts/a.json").unwrap(),
        file_hash: digest,
        content_hash: digest.into(),
        size_bytes: 3,
        row_count: None,
        min_timestamp: None,
        max_timestamp: None,
        created_at: "2026-11-20T09:30:00.123Z".parse().unwrap(),
        tags: Tags::new(),
        inputs: Vec::new(),
        superseded_by: None,
        supersedes: Vec::new(),
        tombstone_reason: None,
        run_id: None,
        op_id: OpId::new("op").unwrap(),
        request_digest: digest,
        revision: 1,
        last_event: 0,
    }
}

pub(crate) fn table() -> Artifact {
    Artifact {
        kind: ArtifactKind::Table,
        status: ArtifactStatus::Superseded,
        content_hash: ContentHash {
            algorithm: HashAlgorithm::Ch1,
            digest: Digest::from_bytes([1; 32]),
        },
        row_count: Some(2),
        min_timestamp: Some("2025-01-01".parse().unwrap()),
        max_timestamp: Some("2025-01-02".parse().unwrap()),
        tags: Tags::try_from([("env", "test"), ("env", "prod"), ("a", "")]).unwrap(),
        inputs: vec![
            ArtifactInput {
                id: OTHER.parse().unwrap(),
                role: Some("prices".into()),
            },
            ArtifactInput {
                id: OTHER.parse().unwrap(),
                role: None,
            },
        ],
        superseded_by: Some(OTHER.parse().unwrap()),
        supersedes: vec![OTHER.parse().unwrap()],
        tombstone_reason: Some("withdrawn by its source".into()),
        run_id: Some(OTHER.parse().unwrap()),
        ..file()
    }
}

#[test]
fn an_artifact_leaves_out_what_it_lacks() {
    check(
        &ArtifactDocument::new(file(), Path::new(ROOT)),
        r#"
{
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "artifactType": "report",
  "schemaVersion": 1,
  "logicalKey": "day=1",
  "kind": "file",
  "status": "active",
  "pathParquet": "/data/store/artifacts/a.html",
  "pathSidecar": "/data/store/artifacts/a.json",
  "fileHash": "sha256:abababababababababababababababababababababababababababababababab",
  "contentHash": "sha256:abababababababababababababababababababababababababababababababab",
  "sizeBytes": 3,
  "createdAt": "2026-11-20T09:30:00.123Z",
  "tags": {},
  "inputs": []
}"#,
    );
}

#[test]
fn an_artifact_tells_all_it_has() {
    check(
        &ArtifactDocument::new(table(), Path::new(ROOT)),
        r#"
{
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "artifactType": "report",
  "schemaVersion": 1,
  "logicalKey": "day=1",
  "kind": "table",
  "status": "superseded",
  "pathParquet": "/data/store/artifacts/a.html",
  "pathSidecar": "/data/store/artifacts/a.json",
  "fileHash": "sha256:abababababababababababababababababababababababababababababababab",
  "contentHash": "ch1:0101010101010101010101010101010101010101010101010101010101010101",
  "sizeBytes": 3,
  "rowCount": 2,
  "minTs": "2025-01-01T00:00:00.000Z",
  "maxTs": "2025-01-02T00:00:00.000Z",
  "createdAt": "2026-11-20T09:30:00.123Z",
  "tags": {
    "a": [
      ""
    ],
    "env": [
      "prod",
      "test"
    ]
  },
  "inputs": [
    {
      "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12",
      "role": "prices"
    },
    {
      "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12"
    }
  ],
  "supersededBy": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12",
  "supersedes": [
    "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12"
  ],
  "tombstoneReason": "withdrawn by its source",
  "runId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12"
}"#,
    );
}

#[test]
fn a_publish_tells_the_new_artifact() {
    let result = PublishArtifactResult::Published(file());
    check(
        &PublishDocument::new(&result, Path::new(ROOT)),
        r#"
{
  "success": true,
  "deduped": false,
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "pathParquet": "/data/store/artifacts/a.html",
  "pathSidecar": "/data/store/artifacts/a.json"
}"#,
    );
}

#[test]
fn a_publish_tells_the_duplicate() {
    let result = |merged| PublishArtifactResult::Duplicate {
        existing: file(),
        mode: DedupMode::FileHash,
        merged,
    };
    check(
        &PublishDocument::new(&result(Merged::default()), Path::new(ROOT)),
        r#"
{
  "success": true,
  "deduped": true,
  "mode": "file_hash",
  "existingArtifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11"
}"#,
    );
    let input = |role: Option<&str>| ArtifactInput {
        id: OTHER.parse().unwrap(),
        role: role.map(Into::into),
    };
    let merged = Merged {
        tags: Tags::try_from([("k", "v")]).unwrap(),
        inputs: vec![input(Some("prices")), input(None)],
        skipped_inputs: vec![input(None)],
    };
    check(
        &PublishDocument::new(&result(merged), Path::new(ROOT)),
        r#"
{
  "success": true,
  "deduped": true,
  "mode": "file_hash",
  "existingArtifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "mergedInputs": [
    {
      "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12",
      "role": "prices"
    },
    {
      "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12"
    }
  ],
  "skippedInputs": [
    {
      "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12"
    }
  ],
  "mergedTags": {
    "k": [
      "v"
    ]
  }
}"#,
    );
}

fn lineage(missing: bool) -> ArtifactLineage {
    let other = Artifact {
        id: OTHER.parse().unwrap(),
        ..file()
    };
    let edge = |role: Option<&str>| LineageEdge {
        input: other.id,
        output: file().id,
        role: role.map(Into::into),
    };
    ArtifactLineage {
        artifact: file(),
        edges: vec![edge(Some("prices")), edge(None)],
        missing: missing.then_some(other.id).into_iter().collect(),
        depth: 1,
        truncated: missing,
        nodes: vec![LineageNode {
            artifact: other,
            depth: 1,
            role: Some("prices".into()),
        }],
    }
}

#[test]
fn a_lineage_tells_nodes_and_the_flow_of_data() {
    let expected = r#"
{
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "depth": 1,
  "truncated": false,
  "inputs": [
    {
      "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12",
      "artifactType": "report",
      "schemaVersion": 1,
      "logicalKey": "day=1",
      "kind": "file",
      "status": "active",
      "pathParquet": "/data/store/artifacts/a.html",
      "pathSidecar": "/data/store/artifacts/a.json",
      "fileHash": "sha256:abababababababababababababababababababababababababababababababab",
      "contentHash": "sha256:abababababababababababababababababababababababababababababababab",
      "sizeBytes": 3,
      "createdAt": "2026-11-20T09:30:00.123Z",
      "tags": {},
      "inputs": [],
      "depth": 1,
      "role": "prices"
    }
  ],
  "edges": [
    [
      "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b12",
      "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11"
    ]
  ]
}"#;
    let root = Path::new(ROOT);
    check(&LineageDocument::new(lineage(false), root), expected);
    let missing = expected
        .replace("\"truncated\": false", "\"truncated\": true")
        .replace(
            "\n  ]\n}",
            &format!("\n  ],\n  \"missing\": [\n    \"{OTHER}\"\n  ]\n}}"),
        );
    check(&LineageDocument::new(lineage(true), root), &missing);
}

#[test]
fn a_supersession_tells_both_directions() {
    let supersession = Supersession {
        artifact: file(),
        predecessors: vec![table(), file()],
        successors: Vec::new(),
        missing: Vec::new(),
        truncated: true,
    };
    let document = SupersessionDocument::new(supersession, Path::new(ROOT));
    let predecessors = [table(), file()].map(|it| ArtifactDocument::new(it, Path::new(ROOT)));
    assert_eq!(document.predecessors, predecessors);
    let emptied = SupersessionDocument {
        predecessors: Vec::new(),
        ..document
    };
    check(
        &emptied,
        r#"
{
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "predecessors": [],
  "successors": [],
  "truncated": true
}"#,
    );
}

#[test]
fn a_type_tells_its_definition_and_history() {
    let registered = |timestamp_column| RegisteredType {
        definition: TypeDefinition {
            required_columns: vec!["price".into()],
            sort_keys: vec!["ts".into()],
            timestamp_column,
            ..TypeDefinition::new(ArtifactType::new("prices_v1").unwrap())
        },
        actor: "somebody@somewhere".into(),
        created_at: "2026-11-20T09:30:00Z".parse().unwrap(),
        updated_at: "2026-11-20T09:30:01Z".parse().unwrap(),
        revision: 2,
    };
    check(
        &TypeDocument::from(registered(Some("ts".into()))),
        r#"
{
  "artifactType": "prices_v1",
  "requiredColumns": [
    "price"
  ],
  "canonicalColumns": [],
  "sortKeys": [
    "ts"
  ],
  "timestampColumn": "ts",
  "revision": 2,
  "createdAt": "2026-11-20T09:30:00.000Z",
  "updatedAt": "2026-11-20T09:30:01.000Z",
  "actor": "somebody@somewhere"
}"#,
    );
    let text = serde_json::to_string(&TypeDocument::from(registered(None))).unwrap();
    assert!(!text.contains("timestampColumn"));
}

#[test]
fn an_export_tells_the_file() {
    check(
        &ExportDocument::new(&file(), Path::new("/tmp/a.html")),
        r#"
{
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "path": "/tmp/a.html",
  "sizeBytes": 3,
  "fileHash": "sha256:abababababababababababababababababababababababababababababababab"
}"#,
    );
}

#[test]
fn a_list_names_its_next_page() {
    let page = |next| Page {
        items: vec![1, 2],
        next,
    };
    check(
        &ListDocument::new(page(None), |number| number * 10),
        "{\n  \"items\": [\n    10,\n    20\n  ]\n}",
    );
    let cursor = Cursor {
        created_at: file().created_at,
        id: file().id,
        part: ListPart::First,
    };
    let document = ListDocument::new(page(Some(cursor)), |number| number);
    assert_eq!(
        document.next.unwrap(),
        "1795167000123.01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11"
    );
}

#[test]
fn a_batch_is_null_where_nothing_is() {
    check(
        &BatchDocument::new(vec![Some(1), None], |number| number),
        "{\n  \"items\": [\n    1,\n    null\n  ]\n}",
    );
}

#[test]
fn a_status_counts() {
    let status = StoreStatus {
        store_id: ID.parse().unwrap(),
        created_at: file().created_at,
        artifacts: ArtifactCounts {
            active: 2,
            superseded: 1,
            tombstoned: 0,
            bytes: 4096,
        },
        pending: 0,
        dump_digest: Some(Digest::from_bytes([2; 32])),
    };
    check(
        &StatusDocument::new(&status, Path::new(ROOT), Health::Healthy),
        r#"
{
  "storeId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "root": "/data/store",
  "createdAt": "2026-11-20T09:30:00.123Z",
  "counts": {
    "artifacts": {
      "active": 2,
      "superseded": 1,
      "tombstoned": 0
    }
  },
  "bytes": 4096,
  "pending": 0,
  "healthy": true,
  "dumpDigest": "sha256:0202020202020202020202020202020202020202020202020202020202020202"
}"#,
    );
}

fn fault() -> Fault {
    Fault {
        kind: FaultKind::BytesWithoutRecord,
        path: RelPath::new("artifacts/a.html").unwrap(),
        detail: "moved to quarantine".into(),
    }
}

#[test]
fn a_settle_report_sums_up() {
    let report = SettleReport {
        started: Some("2026-11-20T09:30:00Z".parse().unwrap()),
        finished: Some("2026-11-20T09:30:01Z".parse().unwrap()),
        checked: 4,
        intents: 1,
        compared_all: true,
        adopted: 2,
        swept: 3,
        faults: vec![fault()],
    };
    check(
        &SettleDocument::from(report),
        r#"
{
  "started": "2026-11-20T09:30:00.000Z",
  "finished": "2026-11-20T09:30:01.000Z",
  "checked": 4,
  "intents": 1,
  "comparedAll": true,
  "adopted": 2,
  "swept": 3,
  "faults": [
    {
      "kind": "bytes_without_record",
      "path": "artifacts/a.html",
      "detail": "moved to quarantine"
    }
  ],
  "summary": "1 intent, 2 adopted, 3 files swept, 1 fault"
}"#,
    );
}

#[test]
fn a_rebuild_report_sums_up() {
    let report = |moved_aside| RebuildReport {
        started: "2026-11-20T09:30:00Z".parse().unwrap(),
        finished: "2026-11-20T09:30:01Z".parse().unwrap(),
        records: 5,
        events: 1,
        moved_aside,
        faults: Vec::new(),
    };
    check(
        &RebuildDocument::from(report(Some("catalog.sqlite.damaged".into()))),
        r#"
{
  "started": "2026-11-20T09:30:00.000Z",
  "finished": "2026-11-20T09:30:01.000Z",
  "checked": 6,
  "records": 5,
  "events": 1,
  "movedAside": "catalog.sqlite.damaged",
  "faults": [],
  "summary": "5 records, 1 event, no faults"
}"#,
    );
    let text = serde_json::to_string(&RebuildDocument::from(report(None))).unwrap();
    assert!(!text.contains("movedAside"));
}

#[test]
fn an_error_tells_its_code_hint_and_values() {
    let error = Error::not_found("artifact not found")
        .with("id", ID)
        .with("path", "inner")
        .with("path", "outer")
        .hint("list them");
    check(
        &ErrorDocument::from(&error),
        r#"
{
  "error": {
    "code": "not_found",
    "message": "artifact not found",
    "hint": "list them",
    "context": {
      "id": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
      "path": "inner"
    }
  }
}"#,
    );
    check(
        &ErrorDocument::from(&Error::internal("odd")),
        r#"
{
  "error": {
    "code": "internal",
    "message": "odd",
    "context": {}
  }
}"#,
    );
}

#[test]
fn every_kind_of_error_has_its_answer() {
    let table: Vec<_> = ErrorKind::ALL
        .into_iter()
        .map(|kind| {
            let answer = answer_of(kind);
            (answer.code, answer.exit_status, answer.http_status)
        })
        .collect();
    assert_eq!(
        table,
        [
            ("not_found", 3, 404),
            ("already_exists", 4, 409),
            ("conflict", 4, 409),
            ("invalid", 2, 400),
            ("unsupported", 7, 501),
            ("corrupt", 5, 500),
            ("busy", 6, 503),
            ("unavailable", 6, 503),
            ("commit_unknown", 8, 504),
            ("internal", 1, 500),
        ]
    );
    let codes: BTreeSet<_> = table.iter().map(|(code, ..)| code).collect();
    assert_eq!(codes.len(), table.len());
}
