//! Missing, deleted, replaced and closed databases; what every connection is set to.

use crate::connection::{self, Role};
use crate::schema::{Accept, pragma};

use super::*;

#[tokio::test]
async fn asking_never_creates_a_database() {
    let world = World::without_database();
    assert!(world.catalog.head().await.unwrap_err().is_catalog_missing());
    assert!(
        world
            .catalog
            .list(&query(1))
            .await
            .unwrap_err()
            .is_catalog_missing()
    );
    assert!(
        world
            .apply(vec![put(&artifact(1))])
            .await
            .unwrap_err()
            .is_catalog_missing()
    );
    assert_eq!(world.files(), [""; 0]);
}

#[tokio::test]
async fn connections_are_set_as_they_must_be() {
    let world = World::empty().await;
    let open = |role| {
        connection::open(
            &world.path(),
            role,
            Accept::Newest,
            &SqliteSettings::default(),
        )
        .unwrap()
    };
    let (writer, reader) = (open(Role::Writer), open(Role::Reader));
    for connection in [&writer, &reader] {
        assert_eq!(pragma::<String>(connection, "journal_mode").unwrap(), "wal");
        assert_eq!(pragma::<i64>(connection, "busy_timeout").unwrap(), 5000);
        assert_eq!(pragma::<i64>(connection, "foreign_keys").unwrap(), 1);
        assert_eq!(pragma::<i64>(connection, "trusted_schema").unwrap(), 0);
    }
    assert_eq!(pragma::<i64>(&writer, "synchronous").unwrap(), 2);
    assert_eq!(pragma::<i64>(&writer, "cell_size_check").unwrap(), 1);
    assert_eq!(pragma::<i64>(&writer, "wal_autocheckpoint").unwrap(), 2500);
    assert_eq!(
        pragma::<i64>(&writer, "journal_size_limit").unwrap(),
        32 << 20
    );
    assert_eq!(pragma::<i64>(&reader, "query_only").unwrap(), 1);
    assert!(reader.execute_batch("DELETE FROM artifact").is_err());
}

#[tokio::test]
async fn a_deleted_database_is_missed_and_can_be_made_anew() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    world.everything().await;
    for file in world.files() {
        std::fs::remove_file(world.directory.path().join(file)).unwrap();
    }
    assert!(
        world
            .catalog
            .scan(None, 1)
            .await
            .unwrap_err()
            .is_catalog_missing()
    );
    assert!(world.catalog.head().await.unwrap_err().is_catalog_missing());
    assert!(
        world
            .apply(vec![put(&artifact(2))])
            .await
            .unwrap_err()
            .is_catalog_missing()
    );
    assert_eq!(world.files(), [""; 0]);
    let epoch = world.catalog.epoch();
    world.rebuild(Vec::new()).await.unwrap();
    assert!(world.catalog.epoch() > epoch);
    world.put(&[artifact(3)]).await;
    assert_eq!(world.everything().await, [artifact(3)]);
}

#[tokio::test]
async fn a_replaced_database_raises_the_epoch_once() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    world.catalog.close().await;
    let copy = world.directory.path().join("copy");
    std::fs::copy(world.path(), &copy).unwrap();
    world.put(&[artifact(2)]).await;
    let (a, b, c) = tokio::join!(world.everything(), world.everything(), world.everything());
    assert_eq!([a.len(), b.len(), c.len()], [2, 2, 2]);

    let epoch = world.catalog.epoch();
    for part in ["-wal", "-shm"] {
        std::fs::remove_file(world.directory.path().join(format!("catalog.sqlite{part}"))).unwrap();
    }
    std::fs::rename(&copy, world.path()).unwrap();
    assert_eq!(world.everything().await, [artifact(1)]);
    world.put(&[artifact(3)]).await;
    let (a, b, c) = tokio::join!(world.everything(), world.everything(), world.everything());
    assert_eq!([&a, &b, &c], [&vec![artifact(1), artifact(3)]; 3]);
    assert_eq!(world.catalog.epoch(), epoch + 1);
    // The connections to the former database were closed by now, and took no log with them.
    assert_eq!(world.another_instance().scan(None, 9).await.unwrap(), a);
}

#[tokio::test]
async fn a_deleted_log_counts_as_a_replacement() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    let epoch = world.catalog.epoch();
    std::fs::remove_file(world.directory.path().join("catalog.sqlite-wal")).unwrap();
    std::fs::remove_file(world.directory.path().join("catalog.sqlite-shm")).unwrap();
    assert_eq!(world.everything().await, []);
    world.put(&[artifact(2)]).await;
    assert_eq!(world.everything().await, [artifact(2)]);
    assert_eq!(world.catalog.epoch(), epoch + 1);
}

#[tokio::test]
async fn closing_leaves_one_file_and_later_calls_open_it() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    world.everything().await;
    let epoch = world.catalog.epoch();
    world.catalog.close().await;
    assert_eq!(world.files(), ["catalog.sqlite"]);
    world.put(&[artifact(2)]).await;
    assert_eq!(world.everything().await.len(), 2);
    assert_eq!(world.catalog.epoch(), epoch);
}

#[test]
fn a_catalog_can_be_dropped_after_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(async {
        let world = World::empty().await;
        world.everything().await;
        world
    });
    drop(runtime);
    drop(world);
}

#[tokio::test]
async fn a_caller_that_waits_too_long_is_told() {
    let world = World::empty().await;
    let settings = SqliteSettings {
        busy_timeout: std::time::Duration::ZERO,
        ..SqliteSettings::default()
    };
    let impatient = SqliteArtifactCatalog::new(world.path(), settings);
    let holder = rusqlite::Connection::open(world.path()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let commit = ArtifactCommit {
        changes: vec![put(&artifact(1))],
    };
    let error = impatient
        .apply(&permit(), commit.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), artstore_core::ErrorKind::Busy);
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(impatient.apply(&permit(), commit).await.unwrap(), 1);
}
