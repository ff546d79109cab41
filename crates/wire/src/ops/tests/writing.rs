use artstore_core::Error;
use artstore_core::key::OpId;
use artstore_core::tags::{TagChange, TagRemoval};
use mockall::predicate::eq;

use super::*;

fn op() -> Option<OpId> {
    Some(OpId::new("op-1").unwrap())
}

#[tokio::test]
async fn supersede_tells_success_alone() {
    for op_id in [None, op()] {
        let mut store = MockArtifactStorePort::new();
        store
            .expect_supersede()
            .with(eq(id(ID)), eq(id(OTHER)), eq(op_id.clone()))
            .times(1)
            .returning(|_, _, _| Ok(table()));
        let request = json!({
            "operation": "supersede",
            "new_artifact_id": ID,
            "old_artifact_id": OTHER,
            "op_id": op_id.map(|op_id| op_id.to_string()),
        });
        assert_eq!(
            answer(&store, request).await.unwrap(),
            json!({"success": true})
        );
    }
    let mut store = MockArtifactStorePort::new();
    store.expect_supersede().returning(|_, old, _| {
        Err(Error::conflict("the artifact is replaced already").with("old", old))
    });
    let request =
        json!({"operation": "supersede", "new_artifact_id": ID, "old_artifact_id": OTHER});
    let error = answer(&store, request).await.unwrap_err();
    assert_eq!(
        (&error["code"], &error["type"]),
        (&json!("conflict"), &json!("RuntimeError"))
    );
}

#[tokio::test]
async fn tombstone_needs_a_reason_and_tells_the_artifact() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_tombstone()
        .with(eq(id(ID)), eq("bad source"), eq(op()))
        .times(1)
        .returning(|_, _, _| Ok(table()));
    let request = json!({"operation": "tombstone", "artifact_id": ID, "reason": "bad source", "op_id": "op-1"});
    let told = answer(&store, request).await.unwrap();
    assert_eq!(told["tombstoneReason"], "withdrawn by its source");
    let without = refused(json!({"operation": "tombstone", "artifact_id": ID})).await;
    assert_eq!(without["error"], "Missing required field: 'reason'");
}

#[tokio::test]
async fn tag_removes_and_adds() {
    let change = TagChange {
        add: Tags::try_from([("env", "prod"), ("env", "test"), ("x", "1")]).unwrap(),
        remove: vec![
            TagRemoval::Key("old".into()),
            TagRemoval::Pair("k".into(), "a=b".into()),
        ],
    };
    let mut store = MockArtifactStorePort::new();
    store
        .expect_tag()
        .with(eq(id(ID)), eq(change), eq(None))
        .times(1)
        .returning(|_, _, _| Ok(table()));
    let request = json!({
        "operation": "tag",
        "artifact_id": ID,
        "add": {"env": ["prod", "test"], "x": "1"},
        "remove": ["old", "k=a=b"],
    });
    assert_eq!(
        answer(&store, request).await.unwrap()["tags"]["env"],
        json!(["prod", "test"])
    );
}
