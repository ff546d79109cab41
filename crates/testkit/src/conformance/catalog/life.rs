use std::sync::Arc;

use artstore_core::backend::{ArtifactCatalog, ArtifactCommit, ArtifactProbe};
use artstore_core::lineage::{Relation, WalkLimits};
use artstore_core::{Error, ErrorKind, Result};

use super::{CatalogHarness, apply, contents, created, created_with, fill, put, scope_of};
use crate::conformance::{brought_about, expect_kind};
use crate::samples::{artifact, artifact_id, empty_head, op_id, permit, query};

/// The answer of every method that needs a database, with its name.
async fn ask_everything(catalog: &dyn ArtifactCatalog) -> Vec<(&'static str, Result<()>)> {
    let one = artifact(1);
    let scope = scope_of(&one);
    let limits = WalkLimits::default();
    let probe = ArtifactProbe::Change {
        op_id: op_id("x"),
        ids: vec![one.id],
    };
    let commit = ArtifactCommit {
        changes: vec![put(&one)],
    };
    vec![
        ("head", catalog.head().await.map(drop)),
        ("examine", catalog.examine(vec![probe]).await.map(drop)),
        (
            "examine nothing",
            catalog.examine(Vec::new()).await.map(drop),
        ),
        ("get", catalog.get(&[one.id]).await.map(drop)),
        ("list", catalog.list(&query(1)).await.map(drop)),
        (
            "may_have_active_of_size",
            catalog.may_have_active_of_size(&scope, 1).await.map(drop),
        ),
        (
            "walk",
            catalog
                .walk(one.id, Relation::Inputs, limits)
                .await
                .map(drop),
        ),
        ("scan", catalog.scan(None, 1).await.map(drop)),
        ("scan_events", catalog.scan_events(0, 1).await.map(drop)),
        ("counts", catalog.counts().await.map(drop)),
        ("apply", catalog.apply(&permit(), commit).await.map(drop)),
    ]
}

fn assert_missing(method: &str, result: Result<()>) {
    let error: Error = result.expect_err(method);
    assert!(error.is_catalog_missing(), "{method}: {error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{method}");
}

/// Where there is no database every method says so, and none makes one.
pub async fn a_missing_database_is_never_created_by_asking(harness: &dyn CatalogHarness) {
    let catalog = harness.open().await;
    for _ in 0..2 {
        for (method, result) in ask_everything(&*catalog).await {
            assert_missing(method, result);
        }
    }
    assert_missing("head", harness.open().await.head().await.map(drop));
}

/// A database that is deleted is missed at once by every instance, is not made again by asking, and can be rebuilt.
pub async fn a_deleted_database_is_missed(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    let other = harness.open().await;
    other.head().await.unwrap();
    let declared = harness.capabilities().deletion;
    if !brought_about(declared, harness.delete_database().await) {
        return;
    }
    for instance in [&catalog, &other] {
        for (method, result) in ask_everything(&**instance).await {
            assert_missing(method, result);
        }
    }
    assert_eq!(fill(&*catalog, empty_head(), Vec::new()).await, None);
    assert_eq!(other.scan(None, 10).await.unwrap(), []);
    assert_eq!(apply(&*other, vec![put(&artifact(2))]).await, 1);
}

/// A database that was replaced by an older copy answers as it is, to every instance that was open, and raises the
/// epoch of each.
pub async fn a_replaced_database_is_opened_anew(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    let declared = harness.capabilities().replacement;
    if !brought_about(declared, harness.keep_copy().await) {
        expect_kind(harness.put_copy_back().await, ErrorKind::Unsupported);
        return;
    }
    let older = contents(&*catalog).await;
    apply(&*catalog, vec![put(&artifact(2))]).await;
    let other = harness.open().await;
    assert_eq!(other.head().await.unwrap().commits, 2);
    let epochs = [catalog.epoch(), other.epoch()];

    harness.put_copy_back().await.unwrap();
    for instance in [&catalog, &other] {
        assert_eq!(contents(&**instance).await, older);
    }
    assert!(catalog.epoch() > epochs[0] && other.epoch() > epochs[1]);
    let epochs = [catalog.epoch(), other.epoch()];
    assert_eq!(apply(&*catalog, vec![put(&artifact(3))]).await, 2);
    assert_eq!(
        other.get(&[artifact_id(2), artifact_id(3)]).await.unwrap(),
        [None, Some(artifact(3))]
    );
    assert_eq!(
        [catalog.epoch(), other.epoch()],
        epochs,
        "nothing was replaced since"
    );
}

/// An `apply` is the first to see that the database was replaced: it changes the one that is there now.
pub async fn apply_sees_a_replaced_database(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    let declared = harness.capabilities().replacement;
    if !brought_about(declared, harness.keep_copy().await) {
        return;
    }
    apply(&*catalog, vec![put(&artifact(2))]).await;
    apply(&*catalog, vec![put(&artifact(3))]).await;
    let epoch = catalog.epoch();
    harness.put_copy_back().await.unwrap();
    assert_eq!(apply(&*catalog, vec![put(&artifact(4))]).await, 2);
    assert!(catalog.epoch() > epoch);
    let other = harness.open().await;
    assert_eq!(
        other.scan(None, 10).await.unwrap(),
        [artifact(1), artifact(4)]
    );
}

/// The epoch stays as it is as long as the database stays in its place.
pub async fn the_epoch_stays_while_the_database_does(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    catalog.head().await.unwrap();
    let epoch = catalog.epoch();
    let other = harness.open().await;
    for number in 1..=5 {
        apply(&*other, vec![put(&artifact(number))]).await;
        apply(&*catalog, vec![put(&artifact(10 + number))]).await;
        catalog.list(&query(3)).await.unwrap();
    }
    other.close().await;
    catalog.head().await.unwrap();
    assert_eq!(catalog.epoch(), epoch);
}

/// A database of a newer schema is refused by name, and kept under another name by a rebuild.
pub async fn a_newer_schema_is_refused(harness: &dyn CatalogHarness) {
    created_with(harness, &[artifact(1)]).await.close().await;
    let declared = harness.capabilities().newer_schema;
    if !brought_about(declared, harness.make_database_newer().await) {
        return;
    }
    let catalog = harness.open().await;
    for (method, result) in ask_everything(&*catalog).await {
        let error = result.expect_err(method);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{method}: {error}");
    }
    let kept = fill(&*catalog, empty_head(), Vec::new()).await;
    assert!(kept.is_some_and(|name| !name.is_empty()));
    assert_eq!(catalog.counts().await.unwrap().total(), 0);
}

/// A closed instance opens again when it is used, and what was committed is there.
pub async fn a_closed_instance_opens_again(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    catalog.close().await;
    catalog.close().await;
    assert_eq!(catalog.scan(None, 10).await.unwrap(), [artifact(1)]);
    assert_eq!(apply(&*catalog, vec![put(&artifact(2))]).await, 2);
    catalog.close().await;
    assert_eq!(apply(&*catalog, vec![put(&artifact(3))]).await, 3);
    drop(catalog);
    assert_eq!(harness.open().await.counts().await.unwrap().active, 3);
}

/// Closing waits for what was begun: calls that run meanwhile succeed.
pub async fn closing_finishes_what_was_begun(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    let writer = {
        let catalog = Arc::clone(&catalog);
        tokio::spawn(async move {
            for number in 1..=30 {
                apply(&*catalog, vec![put(&artifact(number))]).await;
                catalog.head().await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        catalog.close().await;
        tokio::task::yield_now().await;
    }
    writer.await.expect("no call fails because of closing");
    assert_eq!(catalog.counts().await.unwrap().active, 30);
}

/// Everything committed is there for an instance that is opened after all others are gone.
pub async fn committed_rows_outlive_every_instance(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1), artifact(2)]).await;
    let before = contents(&*catalog).await;
    drop(catalog);
    assert_eq!(contents(&*harness.open().await).await, before);
}
