//! Databases of former versions of the schema.

use rusqlite::Connection;

use crate::schema::APPLICATION_ID;

use super::*;

const FIRST: &str = include_str!("../migrations/0001_artifacts.sql");

/// What the first version wrote for `artifact(1)`, with the tag `env=prod`.
const ROWS_OF_FIRST: &str = "
INSERT INTO catalog (only, store_id, commits, last_event, active, bytes)
VALUES (1, x'00000000000000000000000000000007', 3, 1, 1, 1001);
INSERT INTO artifact_type VALUES (1, 'alerts_v1');
INSERT INTO directory VALUES (1, 'artifacts/alerts_v1/v1/2026-11-20');
INSERT INTO artifact VALUES (
    1, :id, 1, 1, 'day=0000001/chain=solana', 1, 0, 1, 'day=0000001_chain=solana__/.csv', NULL, NULL, :hash, 0, NULL,
    1001, NULL, NULL, NULL, 1763600000001, NULL, NULL, :op_id, :digest, 2, 1, '{\"env\":[\"prod\"]}', 0
);
INSERT INTO artifact_tag VALUES ('env', 'prod', 1763600000001, :id, 1);
INSERT INTO artifact_fingerprint VALUES (778086645520127036, 1);
INSERT INTO artifact_event VALUES (1, 'tagged', 1, 'event 1', :change, 1763600000000);
";

fn expected() -> Artifact {
    let mut artifact = artifact(1);
    artifact.tags = Tags::try_from([("env", "prod")]).unwrap();
    (artifact.revision, artifact.last_event) = (2, 1);
    artifact
}

/// A catalog as the first version left it.
fn world_of_first() -> World {
    let world = World::without_database();
    let connection = Connection::open(world.path()).unwrap();
    connection.execute_batch(FIRST).unwrap();
    let hex = |digest: Digest| format!("x'{}'", digest.to_hex());
    let op_id = artifact(1).op_id.as_str().replace('-', "");
    let id = id(1).as_uuid().simple().to_string();
    let rows = ROWS_OF_FIRST
        .replace(":id", &format!("x'{id}'"))
        .replace(":op_id", &format!("x'{op_id}'"))
        .replace(":hash", &hex(artifact(1).file_hash))
        .replace(":digest", &hex(artifact(1).request_digest))
        .replace(":change", &hex(event(1, artifact(1).id).request_digest));
    connection.execute_batch(&rows).unwrap();
    for (name, value) in [("application_id", APPLICATION_ID), ("user_version", 1)] {
        connection.pragma_update(None, name, value).unwrap();
    }
    let mode = |_: &rusqlite::Row<'_>| Ok(());
    connection
        .pragma_update_and_check(None, "journal_mode", "wal", mode)
        .unwrap();
    connection.close().unwrap();
    world
}

#[tokio::test]
async fn an_older_catalog_is_outdated_and_left_alone() {
    let world = world_of_first();
    let before = std::fs::read(world.path()).unwrap();
    let commit = vec![put(&artifact(2))];
    for error in [
        world.catalog.head().await.unwrap_err(),
        world.catalog.counts().await.unwrap_err(),
        world.catalog.examine(Vec::new()).await.unwrap_err(),
        world.apply(commit).await.unwrap_err(),
    ] {
        assert!(error.is_catalog_outdated(), "{error}");
        assert!(error.is_catalog_missing(), "{error}");
        assert_eq!(error.context_value("found_schema"), Some("1"));
    }
    world.catalog.close().await;
    assert_eq!(std::fs::read(world.path()).unwrap(), before);
}

#[tokio::test]
async fn an_older_catalog_is_rebuilt_without_keeping_it() {
    let world = world_of_first();
    let chunk = ArtifactCommit {
        changes: vec![put(&expected())],
    };
    assert_eq!(world.rebuild(vec![Ok(chunk)]).await.unwrap(), None);
    assert_eq!(world.everything().await, [expected()]);
    assert_eq!(world.catalog.head().await.unwrap(), HEAD);
    world.catalog.close().await;
    assert_eq!(world.files(), ["catalog.sqlite"]);
}

#[tokio::test]
async fn an_older_catalog_of_another_store_is_kept_aside() {
    let world = world_of_first();
    let before = std::fs::read(world.path()).unwrap();
    let aside = world.rebuild_of(OTHER_STORE).await.unwrap();
    assert_eq!(std::fs::read(aside).unwrap(), before);
    assert_eq!(world.everything().await, []);
    let head = world.catalog.head().await.unwrap();
    assert_eq!(head.store_id, OTHER_STORE);
}
