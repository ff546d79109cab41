//! Publishing, duplicates, tags, repeated operations: the rules of the port, over backends in memory.

use crate::support::{World, adding, error_of, op, request, with_op};
use std::time::Duration;

use artstore_core::artifact::{
    ArtifactFilter, ArtifactSource, DedupMode, Merged, PublishArtifactRequest,
    PublishArtifactResult,
};
use artstore_core::backend::DomainLock as _;
use artstore_core::page::PageRequest;
use artstore_core::ports::ByteRange;
use artstore_core::tags::{TagChange, TagRemoval, Tags};
use artstore_core::{Domain, ErrorKind};
use futures_util::TryStreamExt as _;
use serde_json::json;

#[tokio::test]
async fn what_was_published_is_found_and_read_back() {
    let world = World::new();
    let artifact = world.published("day=1", "hello").await;
    let port = world.port();
    assert_eq!(port.get_artifact(artifact.id).await.unwrap(), artifact);
    assert_eq!(world.bytes(artifact.id).await.unwrap(), "hello");
    let page = PageRequest::default();
    let found = port
        .find_by_logical_key(&artifact.artifact_type, &artifact.logical_key, &page)
        .await
        .unwrap();
    assert_eq!(found.items, vec![artifact.clone()]);
    let listed = port
        .list_artifacts(&ArtifactFilter::default(), &page)
        .await
        .unwrap();
    assert_eq!((listed.items, listed.next), (vec![artifact], None));
}

#[tokio::test]
async fn a_batch_get_keeps_the_order_and_tells_what_is_missing() {
    let world = World::new();
    let one = world.published("1", "one").await;
    let two = world.published("2", "two").await;
    let missing = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap();
    let got = world
        .port()
        .get_artifacts(&[two.id, missing, one.id, two.id])
        .await
        .unwrap();
    assert_eq!(got, [Some(two.clone()), None, Some(one), Some(two)]);
    let error = error_of(world.port().get_artifact(missing).await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_same_content_in_the_same_scope_is_a_duplicate_that_writes_nothing() {
    let world = World::new();
    let artifact = world.published("day=1", "hello").await;
    world.quiet().await;
    let files = world.files.files();
    let commits = world.faults.calls("apply");
    let result = world.publish("day=1", "hello").await.unwrap();
    let expected = PublishArtifactResult::Duplicate {
        existing: artifact,
        mode: DedupMode::FileHash,
        merged: Merged::default(),
    };
    assert_eq!(result, expected);
    assert_eq!(world.files.files(), files);
    assert_eq!(world.faults.calls("apply"), commits);
    assert_eq!(
        world.faults.calls("stage"),
        1,
        "a duplicate is found before anything is staged"
    );
}

#[tokio::test]
async fn the_same_content_elsewhere_is_an_artifact_of_its_own() {
    let world = World::new();
    let artifact = world.published("day=1", "hello").await;
    let other_key = world.published("day=2", "hello").await;
    assert_ne!(artifact.id, other_key.id);
    let mut other_version = request("day=1", "hello");
    other_version.schema_version = 2;
    assert!(
        !world
            .port()
            .publish_artifact(other_version)
            .await
            .unwrap()
            .is_duplicate()
    );
    let mut other_type = request("day=1", "hello");
    other_type.artifact_type = "other".parse().unwrap();
    assert!(
        !world
            .port()
            .publish_artifact(other_type)
            .await
            .unwrap()
            .is_duplicate()
    );
    assert!(
        !world
            .publish("day=1", "other content")
            .await
            .unwrap()
            .is_duplicate()
    );
}

#[tokio::test]
async fn new_tags_of_a_duplicate_are_merged_as_an_event() {
    let world = World::new();
    let mut first = request("day=1", "hello");
    first.tags = Tags::try_from([("env", "prod"), ("a", "1")]).unwrap();
    let artifact = world
        .port()
        .publish_artifact(first.clone())
        .await
        .unwrap()
        .artifact()
        .clone();
    let mut again = first;
    again.tags = Tags::try_from([("env", "test"), ("a", "1")]).unwrap();
    let result = world.port().publish_artifact(again).await.unwrap();
    let PublishArtifactResult::Duplicate {
        existing, merged, ..
    } = result
    else {
        panic!("expected a duplicate");
    };
    assert_eq!(merged.tags, Tags::try_from([("env", "test")]).unwrap());
    let all = Tags::try_from([("env", "prod"), ("env", "test"), ("a", "1")]).unwrap();
    assert_eq!((existing.id, &existing.tags), (artifact.id, &all));
    assert_eq!((existing.revision, existing.last_event), (2, 1));
    assert_eq!(
        world.port().get_artifact(artifact.id).await.unwrap(),
        existing
    );
    assert_eq!(world.files_in("events").len(), 1);
    assert_eq!(world.faults.calls("stage"), 1);
    let record = world.files.files()[&artifact.record_path].clone();
    assert!(
        String::from_utf8(record.to_vec())
            .unwrap()
            .contains("\"last_event\": 1")
    );
}

#[tokio::test]
async fn tags_are_added_and_removed() {
    let world = World::new();
    let artifact = world.published("day=1", "hello").await;
    world.tag(artifact.id, "env", "prod").await.unwrap();
    world.tag(artifact.id, "env", "test").await.unwrap();
    let change = TagChange {
        add: Tags::try_from([("owner", "ada")]).unwrap(),
        remove: vec![TagRemoval::Pair("env".into(), "prod".into())],
    };
    let tagged = world.port().tag(artifact.id, change, None).await.unwrap();
    assert_eq!(
        tagged.tags,
        Tags::try_from([("env", "test"), ("owner", "ada")]).unwrap()
    );
    assert_eq!((tagged.revision, tagged.last_event), (4, 3));
    let unchanged = world.tag(artifact.id, "owner", "ada").await.unwrap();
    assert_eq!(unchanged, tagged, "a change with no effect writes nothing");
    assert_eq!(world.files_in("events").len(), 3);
    let missing = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap();
    assert_eq!(
        error_of(world.tag(missing, "a", "b").await).kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn repeating_an_operation_gives_its_outcome() {
    let world = World::new();
    let first = world
        .port()
        .publish_artifact(with_op(request("k", "x"), "op-1"))
        .await
        .unwrap();
    let again = world
        .port()
        .publish_artifact(with_op(request("k", "x"), "op-1"))
        .await
        .unwrap();
    assert_eq!(
        first, again,
        "the second call tells that it was published, not that it is a duplicate"
    );

    let mut merge = with_op(request("k", "x"), "op-2");
    merge.tags = Tags::try_from([("a", "1")]).unwrap();
    let merged = world.port().publish_artifact(merge.clone()).await.unwrap();
    let merged_again = world.port().publish_artifact(merge).await.unwrap();
    assert_eq!(merged, merged_again);

    let id = first.artifact().id;
    let tagged = world
        .port()
        .tag(id, adding("b", "2"), Some(op("op-3")))
        .await
        .unwrap();
    let tagged_again = world
        .port()
        .tag(id, adding("b", "2"), Some(op("op-3")))
        .await
        .unwrap();
    assert_eq!(tagged, tagged_again);
    assert_eq!(world.files_in("events").len(), 2);
}

#[tokio::test]
async fn another_request_under_a_used_operation_id_is_a_conflict() {
    let world = World::new();
    let artifact = world
        .port()
        .publish_artifact(with_op(request("k", "x"), "op"))
        .await
        .unwrap();
    let other_key = with_op(request("other", "x"), "op");
    let other_bytes = with_op(request("k", "y"), "op");
    let mut other_params = with_op(request("k", "x"), "op");
    other_params.params.insert("a".into(), json!(1));
    for other in [other_key, other_bytes, other_params] {
        let error = error_of(world.port().publish_artifact(other).await);
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(error.context_value("op_id"), Some("op"));
    }
    let id = artifact.artifact().id;
    let error = error_of(world.port().tag(id, adding("a", "b"), Some(op("op"))).await);
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn an_adopted_file_can_be_asked_for_again_after_it_is_gone() {
    let world = World::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.csv");
    std::fs::write(&path, "a,b\n").unwrap();
    let mut adopt = with_op(request("k", ""), "op");
    adopt.source = ArtifactSource::AdoptFile(path.clone());
    let published = world.port().publish_artifact(adopt.clone()).await.unwrap();
    assert!(!path.exists());
    assert!(published.artifact().data_path.as_str().ends_with(".csv"));
    let again = world.port().publish_artifact(adopt.clone()).await.unwrap();
    assert_eq!(again, published);
    adopt.op_id = Some(op("another"));
    assert_eq!(
        error_of(world.port().publish_artifact(adopt).await).kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn equal_content_published_at_once_is_one_artifact() {
    let world = World::new();
    let publishes = (0..64).map(|_| world.publish("k", "the same"));
    let results = futures_util::future::try_join_all(publishes).await.unwrap();
    let new = results
        .iter()
        .filter(|result| !result.is_duplicate())
        .count();
    let id = results[0].artifact().id;
    assert_eq!(new, 1);
    assert!(results.iter().all(|result| result.artifact().id == id));
    assert_eq!(world.files_in("artifacts").len(), 2);
    world.engine.close().await;
    assert_eq!(world.files_in("staging"), Vec::<String>::new());
}

#[tokio::test]
async fn changes_that_queue_share_a_commit() {
    let world = World::new();
    world.published("first", "makes the catalog").await;
    world.quiet().await;
    let commits = world.faults.calls("apply");
    let patience = Duration::from_secs(60);
    let held = world.lock.acquire(Domain::Artifacts, patience).await;
    let contents: Vec<_> = (0..64).map(|number| number.to_string()).collect();
    let publishes = contents
        .iter()
        .map(|content| world.publish(content, content));
    let all_queued = async {
        while world.files_in("staging").len() < 2 * contents.len() {
            tokio::task::yield_now().await;
        }
        drop(held);
    };
    let all = futures_util::future::try_join_all(publishes);
    let (published, ()) = tokio::join!(all, all_queued);
    assert!(published.is_ok());
    // The first one leads alone; a last one may have been staged but not queued yet.
    let commits = world.faults.calls("apply") - commits;
    assert!(commits <= 3, "64 publishes took {commits} commits");
}

#[tokio::test]
async fn several_tags_of_one_artifact_at_once_are_all_kept() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    let values: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    let tags = values
        .iter()
        .map(|value| world.tag(artifact.id, "n", value));
    futures_util::future::try_join_all(tags).await.unwrap();
    let tagged = world.port().get_artifact(artifact.id).await.unwrap();
    assert_eq!(tagged.tags.len(), 20);
    assert_eq!((tagged.revision, tagged.last_event), (21, 20));
}

#[tokio::test]
async fn pages_join_without_gap_or_overlap() {
    let world = World::new();
    let mut expected = Vec::new();
    for number in 0..7 {
        // Three share each point in time.
        world.clock.set(artstore_testkit::samples::time(number / 3));
        expected.push(
            world
                .published(&number.to_string(), &number.to_string())
                .await
                .id,
        );
    }
    expected.reverse();
    let mut page = PageRequest::first(2).unwrap();
    let mut seen = Vec::new();
    loop {
        let got = world
            .port()
            .list_artifacts(&ArtifactFilter::default(), &page)
            .await
            .unwrap();
        seen.extend(got.items.iter().map(|artifact| artifact.id));
        match got.next {
            Some(cursor) => page = page.after(cursor),
            None => break,
        }
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn ranges_are_cut_from_verified_bytes() {
    let world = World::new();
    let artifact = world.published("k", "0123456789").await;
    let range = ByteRange {
        offset: 3,
        length: Some(4),
    };
    let reader = world.port().open(artifact.id, Some(range)).await.unwrap();
    assert_eq!(reader.length, 4);
    let pieces: Vec<_> = reader.bytes.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"3456");
    // A flipped byte outside the range is seen all the same.
    world.files.plant(&artifact.data_path, "0123456780");
    let reader = world.port().open(artifact.id, Some(range)).await.unwrap();
    let read: Result<Vec<_>, _> = reader.bytes.try_collect().await;
    assert_eq!(error_of(read).kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn damaged_and_missing_bytes_are_corrupt() {
    let world = World::new();
    let artifact = world.published("k", "hello").await;
    world.files.plant(&artifact.data_path, "hellO");
    assert_eq!(
        error_of(world.bytes(artifact.id).await).kind(),
        ErrorKind::Corrupt
    );
    world.files.plant(&artifact.data_path, "hello!");
    let error = error_of(world.bytes(artifact.id).await);
    assert_eq!(error.context_value("found"), Some("6"));
    world.files.remove(&artifact.data_path);
    assert_eq!(
        error_of(world.bytes(artifact.id).await).kind(),
        ErrorKind::Corrupt
    );
}

#[tokio::test]
async fn empty_content_is_content() {
    let world = World::new();
    let artifact = world.published("k", "").await;
    assert_eq!(artifact.size_bytes, 0);
    assert_eq!(world.bytes(artifact.id).await.unwrap(), "");
    assert!(world.publish("k", "").await.unwrap().is_duplicate());
}

#[tokio::test]
async fn limits_are_told() {
    let world = World::new();
    let mut large = request("k", "x");
    large.params.insert(
        "p".into(),
        json!("x".repeat(PublishArtifactRequest::MAX_PARAMS_BYTES)),
    );
    let error = error_of(world.port().publish_artifact(large).await);
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Invalid, "the params are too large")
    );
    assert_eq!(world.files_in("staging"), Vec::<String>::new());
    let deep = (0..65).fold(json!(1), |inner, _| json!([inner]));
    let mut nested = request("k", "x");
    nested.params.insert("p".into(), deep[0].clone());
    assert!(world.port().publish_artifact(nested).await.is_ok());
    let mut nested = request("k", "x");
    nested.params.insert("p".into(), deep);
    let error = error_of(world.port().publish_artifact(nested).await);
    assert_eq!(error.message(), "the params are nested too deeply");
    let mut wide = request("k2", "x");
    // Small in itself, but each item gets a line of its own.
    let items = vec![1; 100_000];
    let lines = (0..60).fold(json!(items), |inner, _| json!([inner]));
    wide.params.insert("p".into(), lines);
    let error = error_of(world.port().publish_artifact(wide).await);
    assert_eq!(error.message(), "the record would be too large");
    world.quiet().await;
    let mut named = request("k", "x");
    named.filename_hint = Some("語".repeat(2000));
    assert_eq!(
        error_of(world.port().publish_artifact(named).await).kind(),
        ErrorKind::Invalid
    );
}

#[tokio::test]
async fn a_dropped_caller_leaves_nothing_half_done() {
    let world = World::new();
    world.published("first", "makes the catalog").await;
    for polls in 0..40 {
        let key = format!("k{polls}");
        let mut publish = Box::pin(world.publish(&key, &key));
        for _ in 0..polls {
            tokio::select! {
                biased;
                _ = &mut publish => {}
                () = tokio::task::yield_now() => continue,
            }
            break;
        }
        drop(publish);
    }
    world.engine.close().await;
    // Discarding what dropped callers had staged is work of its own.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.files_in("staging"), Vec::<String>::new());
    assert_eq!(world.files_in("intents"), Vec::<String>::new());
    let page = PageRequest::default();
    let listed = world
        .port()
        .list_artifacts(&ArtifactFilter::default(), &page)
        .await
        .unwrap();
    assert_eq!(world.files_in("artifacts").len(), 2 * listed.items.len());
    let before = world.digest().await;
    world.maintenance().rebuild().await.unwrap();
    assert_eq!(world.digest().await, before);
}

#[tokio::test]
async fn a_fresh_store_is_available() {
    assert!(World::new().port().is_available().await);
}
