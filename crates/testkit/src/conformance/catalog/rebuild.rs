use std::collections::BTreeSet;
use std::future::Future as _;
use std::sync::Arc;
use std::task::Poll;

use artstore_core::backend::{ArtifactChange, ArtifactCommit, CatalogHead};
use artstore_core::id::StoreId;
use artstore_core::{Error, ErrorKind};
use futures_util::{StreamExt as _, stream};

use super::{CatalogHarness, Contents, apply, contents, created, created_with, fill, put};
use crate::conformance::{brought_about, expect_kind};
use crate::environment::sequential_id;
use crate::samples::{artifact, artifact_id, empty_head, event_row, permit, tags, watched_permit};

fn rebuilt_head() -> CatalogHead {
    CatalogHead {
        commits: 41,
        last_event: 9,
        ..empty_head()
    }
}

fn commit(changes: Vec<ArtifactChange>) -> ArtifactCommit {
    ArtifactCommit { changes }
}

/// What [`rebuilt_commits`] come to.
fn rebuilt_contents() -> Contents {
    let mut first = artifact(1);
    first.tags = tags([("env", "prod")]);
    Contents {
        head: rebuilt_head(),
        artifacts: vec![first, artifact(2), artifact(5)],
        events: vec![event_row(4, artifact_id(1)), event_row(9, artifact_id(5))],
    }
}

/// Three chunks: an event comes before its artifact, an artifact comes twice.
fn rebuilt_commits() -> Vec<ArtifactCommit> {
    let contents = rebuilt_contents();
    let [late, early] = [&contents.events[1], &contents.events[0]]
        .map(|event| ArtifactChange::Record(event.clone()));
    vec![
        commit(vec![put(&artifact(1)), put(&artifact(2))]),
        commit(vec![late, put(&artifact(5))]),
        commit(vec![put(&contents.artifacts[0]), early]),
    ]
}

/// `rebuild` makes a catalog where there is none, with its head and no rows, and moves nothing aside.
pub async fn rebuild_makes_a_catalog_where_there_is_none(harness: &dyn CatalogHarness) {
    let catalog = harness.open().await;
    assert_eq!(fill(&*catalog, empty_head(), Vec::new()).await, None);
    let expected = Contents {
        head: empty_head(),
        artifacts: Vec::new(),
        events: Vec::new(),
    };
    assert_eq!(contents(&*catalog).await, expected);
}

/// After a rebuild the rows are exactly those of its commits and the head is the one given; nothing of before is left.
pub async fn rebuild_replaces_everything(harness: &dyn CatalogHarness) {
    let mut before = artifact(7);
    before.tags = tags([("left", "over")]);
    let catalog = created_with(harness, &[before.clone(), artifact(2)]).await;
    apply(
        &*catalog,
        vec![ArtifactChange::Record(event_row(12, before.id))],
    )
    .await;
    assert_eq!(
        fill(&*catalog, rebuilt_head(), rebuilt_commits()).await,
        None
    );
    assert_eq!(contents(&*catalog).await, rebuilt_contents());
    assert_eq!(catalog.counts().await.unwrap().active, 3);
    assert_eq!(catalog.get(&[before.id]).await.unwrap(), [None]);
    let forgotten = super::operations(&*catalog, &[&before.op_id]).await;
    assert_eq!(forgotten, [None]);
    let mut query = crate::samples::query(10);
    query.filter.tags = before.tags;
    assert_eq!(catalog.list(&query).await.unwrap(), []);
}

/// Commits after a rebuild count on from its head.
pub async fn commits_count_on_after_a_rebuild(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    fill(&*catalog, rebuilt_head(), rebuilt_commits()).await;
    assert_eq!(apply(&*catalog, vec![put(&artifact(8))]).await, 42);
    let head = catalog.head().await.unwrap();
    assert_eq!(
        head,
        CatalogHead {
            commits: 42,
            ..rebuilt_head()
        }
    );
}

/// An instance that was open sees what another one rebuilt.
pub async fn other_instances_see_a_rebuild(harness: &dyn CatalogHarness) {
    let rebuilder = created_with(harness, &[artifact(3)]).await;
    let other = harness.open().await;
    assert_eq!(other.counts().await.unwrap().active, 1);
    fill(&*rebuilder, rebuilt_head(), rebuilt_commits()).await;
    assert_eq!(contents(&*other).await, rebuilt_contents());
    assert_eq!(apply(&*other, vec![put(&artifact(8))]).await, 42);
    assert_eq!(contents(&*other).await, contents(&*rebuilder).await);
}

/// Until a rebuild is complete the former database answers.
pub async fn the_former_database_answers_during_a_rebuild(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(3)]).await;
    let before = Arc::new(contents(&*catalog).await);
    let other = harness.open().await;
    let commits = stream::iter(rebuilt_commits()).then({
        let catalog = Arc::clone(&catalog);
        move |commit| {
            let (catalog, other) = (Arc::clone(&catalog), Arc::clone(&other));
            let before = Arc::clone(&before);
            async move {
                assert_eq!(contents(&*catalog).await, *before);
                assert_eq!(contents(&*other).await, *before);
                Ok(commit)
            }
        }
    });
    let result = catalog
        .rebuild(&permit(), rebuilt_head(), Box::pin(commits))
        .await;
    assert_eq!(result.unwrap(), None);
    assert_eq!(contents(&*catalog).await, rebuilt_contents());
}

/// A rebuild whose commits break off fails with their error, and the former database stays as it was.
pub async fn a_failing_rebuild_changes_nothing(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(3)]).await;
    let before = contents(&*catalog).await;
    let commits = rebuilt_commits().into_iter().map(Ok);
    let broken = stream::iter(commits.chain([Err(Error::corrupt("a record is damaged"))]));
    let result = catalog
        .rebuild(&permit(), rebuilt_head(), Box::pin(broken))
        .await;
    expect_kind(result, ErrorKind::Corrupt);
    assert_eq!(contents(&*catalog).await, before);
    assert_eq!(contents(&*harness.open().await).await, before);
    assert_eq!(
        fill(&*catalog, rebuilt_head(), rebuilt_commits()).await,
        None
    );
    assert_eq!(contents(&*catalog).await, rebuilt_contents());
}

/// A rebuild whose caller went away leaves the former database or none, and does not stand in the way of the next.
pub async fn a_dropped_rebuild_leaves_the_former_or_none(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(3)]).await;
    let before = contents(&*catalog).await;
    let (permit, gone) = watched_permit();
    {
        let endless = stream::iter(rebuilt_commits().into_iter().map(Ok)).chain(stream::pending());
        let mut work = Box::pin(catalog.rebuild(&permit, rebuilt_head(), Box::pin(endless)));
        for _ in 0..10 {
            std::future::poll_fn(|context| {
                assert!(work.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        }
    }
    drop(permit);
    gone.wait().await;
    match catalog.head().await {
        Ok(_) => assert_eq!(contents(&*catalog).await, before),
        Err(error) => assert!(error.is_catalog_missing(), "{error}"),
    }
    fill(&*catalog, rebuilt_head(), rebuilt_commits()).await;
    assert_eq!(contents(&*catalog).await, rebuilt_contents());
}

/// A database that is another store's is kept under a name that the rebuild returns; the store's own is not.
pub async fn the_catalog_of_another_store_is_kept_aside(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(3)]).await;
    let of_other_store = CatalogHead {
        store_id: StoreId::from_uuid(sequential_id(1234)),
        ..rebuilt_head()
    };
    let mut kept = BTreeSet::new();
    for head in [of_other_store, rebuilt_head(), of_other_store] {
        let name = fill(&*catalog, head, rebuilt_commits()).await;
        let name = name.expect("the database of another store has a name");
        assert!(kept.insert(name), "what was kept aside is not replaced");
        let expected = Contents {
            head,
            ..rebuilt_contents()
        };
        assert_eq!(contents(&*catalog).await, expected);
        assert_eq!(contents(&*harness.open().await).await, expected);
        assert_eq!(fill(&*catalog, head, rebuilt_commits()).await, None);
    }
}

/// A database that cannot be read is reported as corrupt, and kept under a name that the rebuild returns.
pub async fn an_unreadable_database_is_kept_aside(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(3)]).await;
    let declared = harness.capabilities().damage;
    if !brought_about(declared, harness.damage_database().await) {
        return;
    }
    for instance in [&catalog, &harness.open().await] {
        expect_kind(instance.head().await, ErrorKind::Corrupt);
        expect_kind(instance.scan(None, 10).await, ErrorKind::Corrupt);
        let commit = commit(vec![put(&artifact(4))]);
        expect_kind(instance.apply(&permit(), commit).await, ErrorKind::Corrupt);
    }
    let name = fill(&*catalog, rebuilt_head(), rebuilt_commits()).await;
    assert!(
        name.is_some_and(|name| !name.is_empty()),
        "the old database has a name"
    );
    assert_eq!(contents(&*catalog).await, rebuilt_contents());

    harness.damage_database().await.unwrap();
    let first = fill(&*catalog, rebuilt_head(), rebuilt_commits()).await;
    harness.damage_database().await.unwrap();
    let second = fill(&*catalog, rebuilt_head(), rebuilt_commits()).await;
    assert!(first.is_some() && second.is_some());
    assert_ne!(first, second, "what was kept aside is not replaced");
}
