//! Rebuilding, and what is left of the former database.

use artstore_core::ErrorKind;

use super::*;

fn chunk(numbers: std::ops::Range<u64>) -> Result<ArtifactCommit> {
    let changes = numbers.map(|number| put(&artifact(number))).collect();
    Ok(ArtifactCommit { changes })
}

#[tokio::test]
async fn the_rows_and_the_head_are_those_given() {
    let world = World::without_database();
    let head = CatalogHead {
        commits: 41,
        last_event: 9,
        ..HEAD
    };
    let events = ArtifactCommit {
        changes: vec![ArtifactChange::Record(event(4, id(2)))],
    };
    let chunks = Box::pin(futures_util::stream::iter([
        chunk(1..4),
        chunk(2..6),
        Ok(events),
    ]));
    assert_eq!(
        world
            .catalog
            .rebuild(&permit(), head, chunks)
            .await
            .unwrap(),
        None
    );
    assert_eq!(world.catalog.head().await.unwrap(), head);
    assert_eq!(
        world.everything().await,
        (1..6).map(artifact).collect::<Vec<_>>()
    );
    assert_eq!(world.catalog.counts().await.unwrap().active, 5);
    world.catalog.close().await;
    assert_eq!(world.files(), ["catalog.sqlite"]);
}

#[tokio::test]
async fn the_directory_is_made() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a/b/catalog.sqlite");
    let catalog = SqliteArtifactCatalog::new(path, SqliteSettings::default());
    let chunks = Box::pin(futures_util::stream::empty());
    catalog.rebuild(&permit(), HEAD, chunks).await.unwrap();
    assert_eq!(catalog.head().await.unwrap(), HEAD);
}

#[tokio::test]
async fn open_instances_notice_and_the_former_database_goes() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    let other = world.another_instance();
    assert_eq!(other.scan(None, 9).await.unwrap().len(), 1);
    assert_eq!(world.rebuild(vec![chunk(5..7)]).await.unwrap(), None);
    assert_eq!(
        other.scan(None, 9).await.unwrap(),
        [artifact(5), artifact(6)]
    );
    assert_eq!(other.epoch(), 1);
    assert_eq!(world.everything().await, [artifact(5), artifact(6)]);
    world.put(&[artifact(7)]).await;
    assert_eq!(other.scan(None, 9).await.unwrap().len(), 3);
    other.close().await;
    world.catalog.close().await;
    assert_eq!(world.files(), ["catalog.sqlite"]);
}

#[tokio::test]
async fn a_rebuild_that_fails_leaves_the_former_database() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    let broken = Err(Error::unavailable("the records cannot be read"));
    let error = world.rebuild(vec![chunk(5..7), broken]).await.unwrap_err();
    assert_eq!(error.message(), "the records cannot be read");
    let orphan = ArtifactCommit {
        changes: vec![ArtifactChange::Record(event(1, id(99)))],
    };
    let error = world
        .rebuild(vec![chunk(5..7), Ok(orphan)])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(world.everything().await, [artifact(1)]);
    assert!(
        !world.files().iter().any(|name| name.contains(".new")),
        "{:?}",
        world.files()
    );
}

#[tokio::test]
async fn an_unreadable_database_is_kept_aside_with_its_log() {
    let world = World::without_database();
    std::fs::write(world.path(), b"garbage".repeat(1000)).unwrap();
    std::fs::write(world.directory.path().join("catalog.sqlite-wal"), "its log").unwrap();
    let aside = world.rebuild(vec![chunk(1..3)]).await.unwrap().unwrap();
    assert_eq!(std::fs::read(&aside).unwrap(), b"garbage".repeat(1000));
    assert_eq!(std::fs::read(format!("{aside}-wal")).unwrap(), b"its log");
    assert_eq!(world.everything().await, [artifact(1), artifact(2)]);
}

#[tokio::test]
async fn the_catalog_of_another_store_is_kept_aside_as_it_is() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    // What was committed last is only in the log while the catalog is open.
    let aside = world.rebuild_of(OTHER_STORE).await.unwrap();
    assert_eq!(world.everything().await, []);
    assert_eq!(world.rebuild_of(OTHER_STORE).await, None);
    let kept = SqliteArtifactCatalog::new(aside.into(), SqliteSettings::default());
    assert_eq!(kept.head().await.unwrap().store_id, HEAD.store_id);
    assert_eq!(kept.scan(None, 9).await.unwrap(), [artifact(1)]);
}

#[tokio::test]
async fn a_damaged_page_is_noticed() {
    let world = World::empty().await;
    world.put(&(1..200).map(artifact).collect::<Vec<_>>()).await;
    world.catalog.close().await;
    let mut bytes = std::fs::read(world.path()).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(world.path(), bytes).unwrap();
    let aside = world.rebuild(vec![chunk(1..3)]).await.unwrap();
    assert!(aside.is_some());
}

#[tokio::test]
async fn remains_of_interrupted_rebuilds_do_no_harm() {
    let world = World::without_database();
    for name in [
        "catalog.sqlite.new",
        "catalog.sqlite.new-wal",
        "catalog.sqlite-wal",
        "catalog.sqlite-shm",
        "catalog.sqlite.old",
    ] {
        std::fs::write(world.directory.path().join(name), "remains").unwrap();
    }
    assert_eq!(world.rebuild(vec![chunk(1..3)]).await.unwrap(), None);
    assert_eq!(world.everything().await, [artifact(1), artifact(2)]);
    world.put(&[artifact(3)]).await;
    world.catalog.close().await;
    assert_eq!(world.files(), ["catalog.sqlite"]);
}
