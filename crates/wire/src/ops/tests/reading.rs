use artstore_core::lineage::{ArtifactLineage, LineageEdge, LineageNode, Supersession, WalkLimits};
use artstore_core::{Error, ErrorKind};
use mockall::predicate::eq;

use super::*;

#[tokio::test]
async fn get_artifact_asks_for_this_id_and_tells_the_known_keys_first() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_get_artifact()
        .with(eq(id(ID)))
        .times(1)
        .returning(|_| Ok(file()));
    let request = json!({"operation": "get_artifact", "manifest_db": "/d/manifest.sqlite", "artifact_id": ID});
    let found = answer(&store, request).await.unwrap();
    let expected = r#"
{
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "artifactType": "report",
  "schemaVersion": 1,
  "logicalKey": "day=1",
  "status": "active",
  "pathParquet": "/data/store/artifacts/a.html",
  "pathSidecar": "/data/store/artifacts/a.json",
  "fileHash": "sha256:abababababababababababababababababababababababababababababababab",
  "contentHash": "sha256:abababababababababababababababababababababababababababababababab",
  "rowCount": null,
  "minTs": null,
  "maxTs": null,
  "createdAt": "2026-11-20T09:30:00.123Z",
  "kind": "file",
  "sizeBytes": 3,
  "tags": {},
  "inputs": []
}"#;
    assert_eq!(to_pretty_text(&found), expected.trim());
}

#[tokio::test]
async fn what_an_artifact_has_more_comes_behind() {
    let mut store = MockArtifactStorePort::new();
    store.expect_get_artifact().returning(|_| Ok(table()));
    let request = json!({"operation": "get_artifact", "artifact_id": ID});
    let found = answer(&store, request).await.unwrap();
    let expected = r#"
{
  "artifactId": "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
  "artifactType": "report",
  "schemaVersion": 1,
  "logicalKey": "day=1",
  "status": "superseded",
  "pathParquet": "/data/store/artifacts/a.html",
  "pathSidecar": "/data/store/artifacts/a.json",
  "fileHash": "sha256:abababababababababababababababababababababababababababababababab",
  "contentHash": "ch1:0101010101010101010101010101010101010101010101010101010101010101",
  "rowCount": 2,
  "minTs": "2025-01-01T00:00:00.000Z",
  "maxTs": "2025-01-02T00:00:00.000Z",
  "createdAt": "2026-11-20T09:30:00.123Z",
  "kind": "table",
  "sizeBytes": 3,
  "tags": {
    "a": "",
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
}"#;
    assert_eq!(to_pretty_text(&found), expected.trim());
}

#[tokio::test]
async fn an_artifact_that_does_not_exist_is_told_as_ever() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_get_artifact()
        .returning(|id| Err(Error::not_found("artifact not found").with("id", id)));
    let missing = answer(
        &store,
        json!({"operation": "get_artifact", "artifact_id": ID}),
    )
    .await;
    let expected = json!({
        "error": format!("Artifact not found: {ID}"),
        "type": "ValueError",
        "operation": "get_artifact",
        "code": "not_found",
        "context": {"id": ID},
    });
    assert_eq!(missing.unwrap_err(), expected);
    // What is no id names nothing either, and the store need not be asked.
    let odd = refused(json!({"operation": "get_artifact", "artifact_id": "x"})).await;
    assert_eq!(odd["error"], "Artifact not found: x");
    assert_eq!(
        (&odd["type"], &odd["code"]),
        (&json!("ValueError"), &json!("not_found"))
    );
}

#[tokio::test]
async fn a_batch_keeps_the_order_and_tells_what_is_missing() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_get_artifacts()
        .withf(|ids| ids == [id(ID), id(OTHER), id(ID)])
        .times(1)
        .returning(|_| Ok(vec![Some(file()), None, Some(file())]));
    let request =
        json!({"operation": "get_artifacts_batch", "artifact_ids": [ID, "nonsense", OTHER, ID]});
    let found = answer(&store, request).await.unwrap();
    assert_eq!(found.as_array().unwrap().len(), 4);
    assert_eq!(
        (&found[0]["artifactId"], &found[3]["artifactId"]),
        (&json!(ID), &json!(ID))
    );
    assert_eq!((&found[1], &found[2]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_batch_of_too_many_ids_is_refused() {
    let ids = |count| json!({"operation": "get_artifacts_batch", "artifact_ids": vec!["x"; count]});
    let mut store = MockArtifactStorePort::new();
    store.expect_get_artifacts().returning(|_| Ok(Vec::new()));
    let most = answer(&store, ids(10_000)).await.unwrap();
    assert_eq!(most.as_array().unwrap().len(), 10_000);
    let error = refused(ids(10_001)).await;
    assert_eq!(error["code"], "invalid");
    assert_eq!(
        error["context"],
        json!({"field": "artifact_ids", "given": "10001", "limit": "10000"})
    );
}

fn lineage(truncated: bool) -> ArtifactLineage {
    ArtifactLineage {
        artifact: file(),
        nodes: vec![LineageNode {
            artifact: Artifact {
                id: id(OTHER),
                ..file()
            },
            depth: 1,
            role: Some("prices".into()),
        }],
        edges: vec![LineageEdge {
            input: id(OTHER),
            output: id(ID),
            role: Some("prices".into()),
        }],
        missing: Vec::new(),
        depth: 1,
        truncated,
    }
}

fn limits(depth: Option<u32>, nodes: usize) -> WalkLimits {
    WalkLimits::new(depth, nodes).unwrap()
}

#[tokio::test]
async fn a_lineage_goes_one_step_unless_it_is_told_more() {
    let cases = [
        (json!({}), limits(Some(1), 10_000), 1),
        (json!({"depth": 5}), limits(Some(5), 10_000), 5),
        (json!({"depth": "all", "limit": 7}), limits(None, 7), 1),
    ];
    for (more, limits, depth) in cases {
        let mut store = MockArtifactStorePort::new();
        store
            .expect_get_lineage()
            .with(eq(id(ID)), eq(limits))
            .times(1)
            .returning(|_, _| Ok(lineage(false)));
        let mut request = json!({"operation": "get_lineage", "artifact_id": ID});
        let fields = request.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let found = answer(&store, request).await.unwrap();
        assert_eq!(found["depth"], depth);
        assert_eq!(
            (&found["artifactId"], &found["truncated"]),
            (&json!(ID), &json!(false))
        );
        assert_eq!(found["edges"], json!([[OTHER, ID]]));
        let input = &found["inputs"][0];
        assert_eq!(
            (&input["artifactId"], &input["depth"], &input["role"]),
            (&json!(OTHER), &json!(1), &json!("prices"))
        );
    }
    for (depth, class) in [
        (json!(0), "ValueError"),
        (json!("some"), "TypeError"),
        (json!(-1), "TypeError"),
    ] {
        let request = json!({"operation": "get_lineage", "artifact_id": ID, "depth": depth});
        assert_eq!(refused(request).await["type"], class, "{depth}");
    }
}

#[tokio::test]
async fn downstream_is_a_bare_list_that_is_whole() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_get_downstream()
        .with(eq(id(ID)), eq(limits(Some(1), 10_000)))
        .returning(|_, _| Ok(lineage(false)));
    let request = json!({"operation": "get_downstream", "artifact_id": ID});
    let found = answer(&store, request.clone()).await.unwrap();
    assert_eq!(found[0]["artifactId"], OTHER);
    assert_eq!(found[0].get("role"), None);

    let mut store = MockArtifactStorePort::new();
    store
        .expect_get_downstream()
        .returning(|_, _| Ok(lineage(true)));
    let error = answer(&store, request).await.unwrap_err();
    assert_eq!(
        (&error["code"], &error["context"]["limit"]),
        (&json!("invalid"), &json!("10000"))
    );
    let few = json!({"operation": "get_downstream", "artifact_id": ID, "limit": 1});
    assert_eq!(
        answer(&store, few).await.unwrap().as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn supersession_tells_both_directions() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_get_supersession()
        .with(eq(id(ID)))
        .returning(|_| {
            Ok(Supersession {
                artifact: file(),
                predecessors: vec![table()],
                successors: Vec::new(),
                missing: Vec::new(),
                truncated: false,
            })
        });
    let request = json!({"operation": "get_supersession", "artifact_id": ID});
    let found = answer(&store, request).await.unwrap();
    assert_eq!(found["predecessors"][0]["status"], "superseded");
    assert_eq!(found["successors"], json!([]));
}

#[tokio::test]
async fn a_health_check_fails_only_if_it_is_wrong() {
    for (is_available, expected) in [
        (true, json!({"available": true})),
        (
            false,
            json!({"available": false, "error": "the store does not answer", "type": "OSError"}),
        ),
    ] {
        let mut store = MockArtifactStorePort::new();
        store
            .expect_is_available()
            .times(1)
            .return_const(is_available);
        let request = json!({"operation": "health_check", "manifest_db": "x"});
        assert_eq!(answer(&store, request).await.unwrap(), expected);
    }
    let error = Error::new(ErrorKind::NotFound, "there is no store at /data").hint("make one");
    let without = OpsError::without_store("health_check", error);
    let expected = json!({
        "available": false,
        "error": "there is no store at /data",
        "type": "FileNotFoundError",
    });
    assert_eq!(without.into_answer().unwrap(), expected);
    let odd = json!({"operation": "health_check", "manifestDb": "x"});
    let odd = refused(odd).await;
    assert_eq!(
        (&odd["operation"], &odd["code"]),
        (&json!("health_check"), &json!("invalid"))
    );
    let told = odd["error"].as_str().unwrap();
    assert!(told.starts_with("Unknown field: 'manifestDb'"), "{told}");
    let elsewhere = json!({"operation": "health_check", "artifacts_root": "/other"});
    let elsewhere = OpsRequest::from_value(elsewhere).unwrap();
    let other = elsewhere.other_store(Path::new(ROOT)).into_answer();
    assert_eq!(other.unwrap_err().document()["code"], "invalid");
}
