//! What the store's earlier clients rely on, in the words of their protocol.

use serde_json::{Value, json};

use crate::world::{World, text_of};

struct Store(World);

impl Store {
    fn new() -> Self {
        Self(World::new())
    }

    fn publish_request(&self, key: &str, content: &str, more: &Value) -> Value {
        let path = self.0.write("test-data.csv", content);
        let mut request = json!({
            "operation": "publish_artifact",
            "manifest_db": self.0.path("manifest.sqlite"),
            "manifest_sql": "/r/manifest_v1.sql",
            "artifacts_root": self.0.root(),
            "artifact_type": "test_artifact",
            "schema_version": 1,
            "logical_key": key,
            "data_path": path,
            "writer_name": "test",
            "writer_version": "1.0.0",
            "git_commit": "test-commit",
            "git_dirty": false,
        });
        let fields = request.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        request
    }

    fn publish(&self, key: &str, content: &str) -> String {
        self.publish_with(key, content, &json!({}))
    }

    fn publish_with(&self, key: &str, content: &str, more: &Value) -> String {
        let published = self.0.asked(&self.publish_request(key, content, more));
        assert_eq!(
            (&published["success"], &published["deduped"]),
            (&json!(true), &json!(false))
        );
        text_of(&published, "artifactId").to_owned()
    }

    fn ask(&self, operation: &str, fields: &Value) -> Value {
        let mut request = json!({"operation": operation, "manifest_db": "/d/manifest.sqlite"});
        let known = request.as_object_mut().unwrap();
        known.extend(fields.as_object().unwrap().clone());
        self.0.asked(&request)
    }

    fn get(&self, id: &str) -> Value {
        self.ask("get_artifact", &json!({"artifact_id": id}))
    }
}

#[test]
fn a_store_is_available_after_a_publish() {
    let store = Store::new();
    let before = store.ask("health_check", &json!({}));
    assert_eq!(
        (&before["available"], &before["type"]),
        (&json!(false), &json!("FileNotFoundError"))
    );
    assert!(!store.0.root().exists(), "asking makes nothing");
    store.publish("test/key", "a\n1\n");
    assert_eq!(
        store.ask("health_check", &json!({})),
        json!({"available": true})
    );
}

#[test]
fn a_fresh_store_is_available() {
    let store = Store::new();
    store.0.ok(&["init"]);
    assert_eq!(
        store.ask("health_check", &json!({})),
        json!({"available": true})
    );
}

#[test]
fn what_was_published_is_retrieved() {
    let store = Store::new();
    let id = store.publish(
        "test/key",
        "ts,n\n2025-05-01T00:00:00Z,1\n2025-05-01T00:01:00Z,2\n",
    );
    let artifact = store.get(&id);
    assert_eq!(artifact["artifactType"], "test_artifact");
    assert_eq!(artifact["logicalKey"], "test/key");
    assert_eq!(
        (&artifact["status"], &artifact["kind"]),
        (&json!("active"), &json!("table"))
    );
    assert_eq!(
        (&artifact["rowCount"], &artifact["minTs"]),
        (&json!(2), &json!("2025-05-01T00:00:00.000Z"))
    );
    assert!(std::path::Path::new(text_of(&artifact, "pathParquet")).is_file());
}

#[test]
fn the_same_again_is_the_first_one() {
    let store = Store::new();
    let id = store.publish("test/key", "a\n1\n");
    let again = store
        .0
        .asked(&store.publish_request("test/key", "a\n1\n", &json!({})));
    let expected =
        json!({"success": true, "deduped": true, "mode": "file_hash", "existingArtifactId": id});
    assert_eq!(again, expected);
}

#[test]
fn artifacts_are_listed_by_type_status_and_limit() {
    let store = Store::new();
    let ids: Vec<_> = (0..3)
        .map(|n| store.publish(&format!("k{n}"), &format!("a\n{n}\n")))
        .collect();
    let list = |filter: Value| {
        let found = store.ask("list_artifacts", &json!({"filter": filter}));
        let items = found.as_array().unwrap().clone();
        items
            .iter()
            .map(|item| text_of(item, "artifactId").to_owned())
            .collect::<Vec<_>>()
    };
    let newest_first: Vec<_> = ids.iter().rev().cloned().collect();
    assert_eq!(
        list(json!({"artifactType": "test_artifact", "status": "active"})),
        newest_first
    );
    assert_eq!(
        list(json!({"artifactType": "test_artifact", "limit": 2})),
        newest_first[..2]
    );
    assert_eq!(list(json!({"artifactType": "other"})), [""; 0]);
    assert_eq!(list(json!({"status": "superseded"})), [""; 0]);
    let created = text_of(&store.get(&ids[0]), "createdAt").to_owned();
    let today = &created[..10];
    assert_eq!(
        list(json!({"minCreatedAt": created, "maxCreatedAt": today})),
        newest_first
    );
    assert!(list(json!({"maxCreatedAt": created})).contains(&ids[0]));
}

#[test]
fn a_logical_key_finds_its_artifacts() {
    let store = Store::new();
    let id = store.publish("day=2025-05-01/chain=solana", "a\n1\n");
    store.publish("day=2025-05-02/chain=solana", "a\n1\n");
    let fields =
        json!({"artifact_type": "test_artifact", "logical_key": "day=2025-05-01/chain=solana"});
    let found = store.ask("find_by_logical_key", &fields);
    assert_eq!(
        (found.as_array().unwrap().len(), &found[0]["artifactId"]),
        (1, &json!(id))
    );
}

#[test]
fn a_lineage_has_the_input_and_a_downstream_the_output() {
    let store = Store::new();
    let input = store.publish("input", "a\n1\n");
    let output = store.publish_with("output", "a\n2\n", &json!({"input_artifact_ids": [input]}));
    let lineage = store.ask("get_lineage", &json!({"artifact_id": output}));
    assert_eq!(
        (&lineage["artifactId"], &lineage["depth"]),
        (&json!(output), &json!(1))
    );
    assert_eq!(lineage["inputs"].as_array().unwrap().len(), 1);
    assert_eq!(lineage["inputs"][0]["artifactId"], input);
    let empty = store.ask("get_lineage", &json!({"artifact_id": input}));
    assert_eq!((&empty["inputs"], &empty["depth"]), (&json!([]), &json!(1)));
    let downstream = store.ask("get_downstream", &json!({"artifact_id": input}));
    assert_eq!(downstream[0]["artifactId"], output);
}

#[test]
fn the_replaced_one_is_superseded() {
    let store = Store::new();
    let old = store.publish("k", "a\n1\n");
    let new = store.publish("k", "a\n2\n");
    let fields = json!({"new_artifact_id": new, "old_artifact_id": old});
    assert_eq!(store.ask("supersede", &fields), json!({"success": true}));
    let replaced = store.get(&old);
    assert_eq!(
        (&replaced["status"], &replaced["supersededBy"]),
        (&json!("superseded"), &json!(new))
    );
    let fields = json!({"artifact_type": "test_artifact", "logical_key": "k"});
    let found = store.ask("find_by_logical_key", &fields);
    assert_eq!(
        (&found[0]["artifactId"], &found[1]["artifactId"]),
        (&json!(new), &json!(old))
    );
    let history = store.ask("get_supersession", &json!({"artifact_id": old}));
    assert_eq!(history["successors"][0]["artifactId"], new);
}

#[test]
fn tags_and_withdrawals_are_told_by_the_artifact() {
    let store = Store::new();
    let id = store.publish_with("k", "a\n1\n", &json!({"tags": {"env": "prod", "x": "1"}}));
    let fields = json!({"artifact_id": id, "add": {"env": "test"}, "remove": ["x"]});
    let tagged = store.ask("tag", &fields);
    assert_eq!(tagged["tags"], json!({"env": ["prod", "test"]}));
    let fields = json!({"artifact_id": id, "reason": "a bad day"});
    let withdrawn = store.ask("tombstone", &fields);
    assert_eq!(
        (&withdrawn["status"], &withdrawn["tombstoneReason"]),
        (&json!("tombstoned"), &json!("a bad day"))
    );
}
