//! Databases that are not this store's catalog.

use artstore_core::ErrorKind;
use rusqlite::Connection;

use crate::schema::{APPLICATION_ID, NEWEST_VERSION};

use super::*;

async fn check(make: impl FnOnce(&Connection), kind: ErrorKind, words: &str) -> World {
    let world = World::without_database();
    let connection = Connection::open(world.path()).unwrap();
    make(&connection);
    connection.close().unwrap();
    let by_reader = world.catalog.counts().await.unwrap_err();
    let by_writer = world.catalog.head().await.unwrap_err();
    for error in [by_reader, by_writer] {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert!(error.hint_text().is_some(), "{error}");
        assert!(error.context_value("catalog").is_some(), "{error}");
    }
    world
}

#[tokio::test]
async fn databases_of_something_else_are_refused() {
    check(|_| {}, ErrorKind::Corrupt, "not a catalog").await;
    let foreign = |connection: &Connection| {
        connection
            .execute_batch("CREATE TABLE notes (text TEXT)")
            .unwrap();
    };
    let world = check(foreign, ErrorKind::Corrupt, "not a catalog").await;
    let connection = Connection::open(world.path()).unwrap();
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "delete", "a foreign database is left as it is");
}

#[tokio::test]
async fn a_former_manifest_is_named() {
    let former = |connection: &Connection| {
        connection
            .execute_batch(
                "CREATE TABLE artifacts (id TEXT); CREATE TABLE artifact_lineage (id TEXT);
                 CREATE TABLE schema_migrations (version INTEGER)",
            )
            .unwrap();
    };
    check(
        former,
        ErrorKind::Unsupported,
        "version 1 manifest of the former artifact store",
    )
    .await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_number() {
    let newer = |connection: &Connection| {
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        connection
            .pragma_update(None, "user_version", NEWEST_VERSION + 1)
            .unwrap();
    };
    let world = check(newer, ErrorKind::Unsupported, "written by a newer artstore").await;
    let error = world.catalog.counts().await.unwrap_err();
    assert_eq!(
        error.context_value("found"),
        Some((NEWEST_VERSION + 1).to_string().as_str())
    );
    assert_eq!(
        error.context_value("newest"),
        Some(NEWEST_VERSION.to_string().as_str())
    );
}

#[tokio::test]
async fn garbage_is_corrupt() {
    let world = World::without_database();
    std::fs::write(
        world.path(),
        "this is not a database, and long enough to be read as one".repeat(100),
    )
    .unwrap();
    for error in [
        world.catalog.counts().await.unwrap_err(),
        world.catalog.head().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(
            error
                .hint_text()
                .unwrap()
                .contains("artstore admin rebuild")
        );
    }
}

#[tokio::test]
async fn a_row_that_is_not_valid_is_corrupt() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    let connection = Connection::open(world.path()).unwrap();
    connection
        .execute_batch("UPDATE artifact SET data_name = '..'")
        .unwrap();
    assert_eq!(
        world.catalog.scan(None, 1).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}
