//! Databases of former versions of the schema.

use artstore_core::artifact::{ArtifactInput, DedupMode};
use artstore_core::backend::ArtifactProbe;
use artstore_core::lineage::{Relation, WalkLimits};
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
INSERT INTO artifact_fingerprint VALUES (:fingerprint, 1);
INSERT INTO artifact_event VALUES (1, 'tagged', 1, 'event 1', :change, 1763600000000);
";

/// The fingerprint that the first version gave to `artifact(1)`.
const FINGERPRINT_OF_FIRST: i64 = 778_086_645_520_127_036;

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
        .replace(":change", &hex(event(1, artifact(1).id).request_digest))
        .replace(":fingerprint", &FINGERPRINT_OF_FIRST.to_string());
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
async fn an_older_catalog_counts_as_missing_and_is_left_alone() {
    let world = world_of_first();
    let before = std::fs::read(world.path()).unwrap();
    let commit = vec![put(&artifact(2))];
    for error in [
        world.catalog.head().await.unwrap_err(),
        world.catalog.counts().await.unwrap_err(),
        world.catalog.examine(Vec::new()).await.unwrap_err(),
        world.apply(commit).await.unwrap_err(),
    ] {
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
async fn a_migrated_catalog_holds_what_it_held() {
    let world = world_of_first();
    world.catalog.migrate(&permit()).await.unwrap();
    world.catalog.migrate(&permit()).await.unwrap();
    assert_eq!(world.everything().await, [expected()]);
    let head = CatalogHead {
        commits: 3,
        last_event: 1,
        ..HEAD
    };
    assert_eq!(world.catalog.head().await.unwrap(), head);
    let events = world.catalog.scan_events(0, 9).await.unwrap();
    assert_eq!(events, [event(1, id(1))]);
    assert_eq!(world.catalog.counts().await.unwrap().active, 1);
}

#[tokio::test]
async fn duplicates_of_migrated_rows_are_found() {
    let world = world_of_first();
    world.catalog.migrate(&permit()).await.unwrap();
    let probe = |kind| ArtifactProbe::Publish {
        op_id: OpId::new("new").unwrap(),
        scope: artstore_core::artifact::DedupScope {
            kind,
            artifact_type: expected().artifact_type,
            schema_version: 1,
            logical_key: expected().logical_key,
        },
        file_hash: expected().file_hash,
        content_hash: None,
        inputs: vec![id(1), id(2), id(2)],
    };
    let probes = ArtifactKind::ALL.iter().map(|kind| probe(*kind)).collect();
    let answers = world.catalog.examine(probes).await.unwrap().answers;
    for (kind, answer) in ArtifactKind::ALL.iter().zip(answers) {
        let found = answer.duplicate.map(|found| (found.artifact, found.mode));
        let is_file = *kind == ArtifactKind::File;
        assert_eq!(found, is_file.then(|| (expected(), DedupMode::FileHash)));
        assert_eq!(answer.missing_inputs, [id(2)]);
    }
    // Its fingerprint is the one that the present version removes again.
    let mut gone = expected();
    gone.status = ArtifactStatus::Tombstoned;
    world.put(&[gone]).await;
    let connection = Connection::open(world.path()).unwrap();
    let left: i64 = connection
        .query_row("SELECT count(*) FROM artifact_fingerprint", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn migrated_rows_get_inputs() {
    let world = world_of_first();
    world.catalog.migrate(&permit()).await.unwrap();
    let mut changed = expected();
    changed.inputs = vec![ArtifactInput::new(id(2))];
    world.put(&[changed.clone(), artifact(2)]).await;
    assert_eq!(world.everything().await, [changed, artifact(2)]);
    let walk = world
        .catalog
        .walk(id(2), Relation::Downstream, WalkLimits::default())
        .await;
    assert_eq!(walk.unwrap().unwrap().nodes[0].id, id(1));
}

#[tokio::test]
async fn a_database_without_any_schema_can_be_migrated() {
    let world = World::without_database();
    let connection = Connection::open(world.path()).unwrap();
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .unwrap();
    connection.close().unwrap();
    assert!(
        world
            .catalog
            .counts()
            .await
            .unwrap_err()
            .is_catalog_missing()
    );
    world.catalog.migrate(&permit()).await.unwrap();
    assert_eq!(world.everything().await, []);
}
