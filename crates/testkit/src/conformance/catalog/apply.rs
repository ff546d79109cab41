use std::future::Future as _;
use std::task::Poll;

use artstore_core::ErrorKind;
use artstore_core::artifact::{ArtifactKind, ArtifactStatus};
use artstore_core::backend::{ArtifactChange, ArtifactCommit};
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::id::RunId;
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;

use super::{CatalogHarness, apply, contents, created, created_with, put};
use crate::conformance::Capability;
use crate::environment::sequential_id;
use crate::samples::{
    artifact, artifact_id, event_row, input, op_id, permit, tags, watched_permit,
};

/// Every commit raises the counter by one, however much or little it changes, and the new value is returned.
pub async fn every_commit_raises_the_counter_by_one(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    assert_eq!(catalog.head().await.unwrap().commits, 0);
    let several = vec![put(&artifact(1)), put(&artifact(2)), put(&artifact(3))];
    assert_eq!(apply(&*catalog, several).await, 1);
    assert_eq!(apply(&*catalog, Vec::new()).await, 2);
    assert_eq!(apply(&*catalog, vec![put(&artifact(1))]).await, 3);
    assert_eq!(catalog.head().await.unwrap().commits, 3);
}

/// The counter is raised as far as a commit asks for, and never lowered.
pub async fn a_commit_may_raise_the_counter_further(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    let raise = |least| vec![ArtifactChange::RaiseCommits(least)];
    assert_eq!(
        apply(&*catalog, raise(1_700_000_000_000_000)).await,
        1_700_000_000_000_000
    );
    assert_eq!(apply(&*catalog, raise(5)).await, 1_700_000_000_000_001);
    assert_eq!(catalog.head().await.unwrap().commits, 1_700_000_000_000_001);
}

/// The head's `last_event` is the greatest sequence that was recorded, and never falls.
pub async fn events_raise_the_head_to_their_sequence(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    for (sequence, expected) in [(1, 1), (7, 7), (3, 7), (8, 8)] {
        let event = ArtifactChange::Record(event_row(sequence, artifact_id(1)));
        apply(&*catalog, vec![event]).await;
        assert_eq!(catalog.head().await.unwrap().last_event, expected);
    }
}

/// What was put is answered exactly as it was put, in every field, by every query that answers artifacts.
pub async fn every_field_is_kept(harness: &dyn CatalogHarness) {
    let mut full = artifact(1);
    full.artifact_type = crate::samples::artifact_type("typ/ü %_'\"\\");
    full.schema_version = u32::MAX;
    full.logical_key =
        crate::samples::logical_key("e\u{301}/日本語/🦀/'; DROP TABLE artifacts; --");
    full.kind = ArtifactKind::Table;
    full.status = ArtifactStatus::Superseded;
    full.content_hash = ContentHash {
        algorithm: HashAlgorithm::Ch1,
        digest: Digest::of(b"table"),
    };
    full.size_bytes = i64::MAX as u64;
    full.row_count = Some(0);
    full.min_timestamp = Some(Timestamp::from_unix_milliseconds(-1).unwrap());
    full.max_timestamp = Some("9999-12-30T00:00:00.999Z".parse().unwrap());
    full.created_at = Timestamp::from_unix_milliseconds(-62_000_000_000_001).unwrap();
    full.tags = tags([
        ("env", "prod"),
        ("env", ""),
        ("ключ", "значение %"),
        ("a b", "c,d\"e"),
    ]);
    full.inputs = vec![
        input(9, Some("left")),
        input(3, None),
        input(9, Some("right ü")),
        input(9, None),
    ];
    full.superseded_by = Some(artifact_id(12));
    full.supersedes = [3, 5, 700].map(artifact_id).to_vec();
    full.tombstone_reason = Some("wrong ü; \"'\\ %".to_owned());
    full.run_id = Some(RunId::from_uuid(sequential_id(77)));
    full.revision = 12;
    full.last_event = 34;
    let plain = artifact(2);
    let catalog = created_with(harness, &[full.clone(), plain.clone()]).await;

    let got = catalog.get(&[full.id, plain.id]).await.unwrap();
    assert_eq!(got, [Some(full.clone()), Some(plain.clone())]);
    let scanned = catalog.scan(None, 10).await.unwrap();
    assert_eq!(scanned, [full.clone(), plain.clone()]);
    let listed = catalog.list(&crate::samples::query(10)).await.unwrap();
    assert_eq!(listed, [plain, full]);
}

/// Putting an artifact replaces whatever was known of it: tags, inputs and predecessors that it no longer has are gone.
pub async fn a_put_replaces_all_that_was_known(harness: &dyn CatalogHarness) {
    let mut before = artifact(1);
    before.tags = tags([("env", "prod"), ("env", "test"), ("old", "1")]);
    before.inputs = vec![input(5, None), input(6, Some("x"))];
    before.supersedes = [7, 8, 9].map(artifact_id).to_vec();
    before.superseded_by = Some(artifact_id(10));
    let catalog = created_with(harness, &[before.clone()]).await;
    let mut after = before.clone();
    after.tags = tags([("env", "test"), ("new", "1")]);
    after.inputs = vec![input(6, None), input(5, None)];
    after.supersedes = [3, 8].map(artifact_id).to_vec();
    after.superseded_by = None;
    after.tombstone_reason = Some("no longer needed".to_owned());
    after.status = ArtifactStatus::Tombstoned;
    after.revision = 2;
    apply(&*catalog, vec![put(&after)]).await;
    assert_eq!(
        catalog.get(&[before.id]).await.unwrap(),
        [Some(after.clone())]
    );
    let mut query = crate::samples::query(10);
    query.filter.tags = tags([("old", "1")]);
    assert_eq!(catalog.list(&query).await.unwrap(), []);

    let mut bare = after;
    bare.tags = Tags::new();
    bare.inputs = Vec::new();
    bare.supersedes = Vec::new();
    bare.tombstone_reason = None;
    apply(&*catalog, vec![put(&bare)]).await;
    assert_eq!(catalog.get(&[bare.id]).await.unwrap(), [Some(bare)]);
}

/// The changes of a commit are made in order: the last one about an artifact or event stands.
pub async fn changes_are_made_in_order(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    let first = artifact(1);
    let mut second = first.clone();
    second.tags = tags([("round", "2")]);
    let mut event = event_row(1, first.id);
    let early = ArtifactChange::Record(event.clone());
    event.op_id = op_id("late");
    let late = ArtifactChange::Record(event.clone());
    apply(&*catalog, vec![put(&first), early, put(&second), late]).await;
    assert_eq!(catalog.get(&[first.id]).await.unwrap(), [Some(second)]);
    assert_eq!(catalog.scan_events(0, 10).await.unwrap(), [event]);
}

/// An event with a sequence that is there replaces it, and the operation of the former is not known any more.
pub async fn an_event_replaces_that_of_its_sequence(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1), artifact(2)]).await;
    let former = event_row(1, artifact_id(1));
    apply(&*catalog, vec![ArtifactChange::Record(former.clone())]).await;
    let mut later = event_row(1, artifact_id(2));
    later.op_id = op_id("another operation");
    later.request_digest = Digest::of(b"another request");
    later.event.kind = "republished".to_owned();
    later.event.created_at = crate::samples::time(99);
    apply(&*catalog, vec![ArtifactChange::Record(later.clone())]).await;
    assert_eq!(catalog.scan_events(0, 10).await.unwrap(), [later.clone()]);
    let known = super::operations(&*catalog, &[&former.op_id, &later.op_id]).await;
    assert_eq!(known[0], None);
    assert_eq!(known[1].as_ref().unwrap().event, Some(later.event));
}

/// A commit that fails changes nothing: no row, no event, no counter. Catalogs that cannot tell that an operation is
/// claimed twice accept such a commit.
pub async fn a_failing_commit_changes_nothing(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    apply(
        &*catalog,
        vec![ArtifactChange::Record(event_row(1, artifact_id(1)))],
    )
    .await;
    let mut changed = artifact(1);
    changed.tags = tags([("half", "done")]);
    changed.revision = 2;
    let mut thief = artifact(3);
    thief.op_id = artifact(1).op_id;
    let mut event_thief = event_row(3, artifact_id(1));
    event_thief.op_id = event_row(1, artifact_id(1)).op_id;
    let event = ArtifactChange::Record(event_row(2, artifact_id(1)));
    let endings = [put(&thief), ArtifactChange::Record(event_thief)];
    for ending in endings {
        let before = contents(&*catalog).await;
        let changes = vec![put(&artifact(2)), put(&changed), event.clone(), ending];
        let result = catalog.apply(&permit(), ArtifactCommit { changes }).await;
        match harness.capabilities().refuses_reused_operations {
            Capability::Present => {
                assert_ne!(result.unwrap_err().kind(), ErrorKind::Busy);
                assert_eq!(contents(&*catalog).await, before);
            }
            Capability::Lacking => {
                result.expect("a catalog that declares not to check must not refuse");
            }
        }
    }
}

/// What one instance committed, every other instance sees at once.
pub async fn instances_see_each_other(harness: &dyn CatalogHarness) {
    let first = created(harness).await;
    let second = harness.open().await;
    apply(&*first, vec![put(&artifact(1))]).await;
    assert_eq!(second.head().await.unwrap().commits, 1);
    let commits = apply(&*second, vec![put(&artifact(2))]).await;
    assert_eq!(commits, 2);
    assert_eq!(
        first.scan(None, 10).await.unwrap(),
        [artifact(1), artifact(2)]
    );
    assert_eq!(contents(&*first).await, contents(&*second).await);
}

/// An apply whose caller went away happens whole or not at all, and keeps its permit until its work has ended.
pub async fn a_dropped_apply_is_whole_and_ends_before_its_permit(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    for round in 0..20 {
        let before = catalog.head().await.unwrap().commits;
        let (permit, gone) = watched_permit();
        let changes = (0..50).map(|number| put(&artifact(1 + round * 50 + number)));
        let commit = ArtifactCommit {
            changes: changes.collect(),
        };
        {
            let mut work = Box::pin(catalog.apply(&permit, commit));
            // The work begins, and its caller loses interest.
            std::future::poll_fn(|context| {
                let _ = work.as_mut().poll(context);
                Poll::Ready(())
            })
            .await;
        }
        drop(permit);
        gone.wait().await;
        // Another instance is asked first: it waits for nothing that this one still does.
        let later = harness.open().await;
        let after = contents(&*later).await;
        let is_whole = after.head.commits == before || after.head.commits == before + 1;
        assert!(
            is_whole,
            "{before} commits before, {} after",
            after.head.commits
        );
        assert_eq!(after.artifacts.len() as u64, 50 * after.head.commits);
        // A work that went on without its permit shows now.
        assert_eq!(contents(&*catalog).await, after);
    }
}

/// Answers and commits of many tasks at once do not disturb each other.
pub async fn many_tasks_may_use_one_instance(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    let readers = (0..8).map(|_| {
        let catalog = std::sync::Arc::clone(&catalog);
        tokio::spawn(async move {
            for _ in 0..20 {
                let head = catalog.head().await.unwrap();
                let seen = catalog.scan(None, 1000).await.unwrap().len() as u64;
                assert!(
                    seen >= head.commits,
                    "{seen} rows after {} commits",
                    head.commits
                );
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for number in 1..=40 {
        apply(&*catalog, vec![put(&artifact(number))]).await;
    }
    for reader in readers {
        reader.await.expect("a reader succeeds");
    }
    assert_eq!(catalog.counts().await.unwrap().active, 40);
}
