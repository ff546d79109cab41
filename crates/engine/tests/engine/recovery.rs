//! What dead processes leave, and what was done to the catalog behind the store's back: settling and rebuilding.

use std::time::Duration;

use crate::support::{World, adding, error_of, op, request, with_op};
use artstore_core::backend::DomainLock as _;
use artstore_core::maintenance::{FaultKind, StatusDetail};
use artstore_core::{Domain, ErrorKind};
use artstore_testkit::faults::FaultTime;
use artstore_testkit::memory::Interruption;
use artstore_testkit::samples;

async fn check_rebuild_changes_nothing(world: &World) {
    let before = world.dump().await;
    world.maintenance().rebuild().await.unwrap();
    assert_eq!(world.dump().await, before);
    world.catalog.delete();
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn a_death_before_any_final_name_leaves_nothing() {
    let world = World::new();
    world.published("first", "x").await;
    world
        .files
        .interrupt_next_publication(Interruption::BeforeNames);
    let error = error_of(
        world
            .port()
            .publish_artifact(with_op(request("k", "y"), "op"))
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::CommitUnknown);
    assert_eq!(error.context_value("op_id"), Some("op"));

    let next = world.after_death();
    let report = next.maintenance().settle().await.unwrap();
    assert_eq!((report.intents, report.adopted), (1, 0));
    assert_eq!(report.faults, []);
    assert_eq!(next.files_in("staging"), Vec::<String>::new());
    assert_eq!(next.files_in("artifacts").len(), 2);
    let again = next
        .port()
        .publish_artifact(with_op(request("k", "y"), "op"))
        .await
        .unwrap();
    assert!(!again.is_duplicate());
    check_rebuild_changes_nothing(&next).await;
}

#[tokio::test]
async fn a_death_between_bytes_and_record_is_taken_back_and_reported() {
    let world = World::new();
    world.published("first", "x").await;
    world
        .files
        .interrupt_next_publication(Interruption::BeforeMarkers);
    error_of(world.publish("k", "y").await);
    let next = world.after_death();
    let report = next.maintenance().settle().await.unwrap();
    assert_eq!(report.faults[0].kind, FaultKind::InterruptedPublication);
    assert_eq!(next.files_in("quarantine").len(), 1);
    assert_eq!(next.files_in("artifacts").len(), 2);
    next.quiet().await;
    assert_eq!(next.files_in("intents"), Vec::<String>::new());
    check_rebuild_changes_nothing(&next).await;
}

#[tokio::test]
async fn a_death_after_the_record_is_completed_by_the_next_writer() {
    let world = World::new();
    world.published("first", "x").await;
    world
        .files
        .interrupt_next_publication(Interruption::AfterMarkers);
    error_of(
        world
            .port()
            .publish_artifact(with_op(request("k", "y"), "op"))
            .await,
    );
    let next = world.after_death();
    // Any change settles first; this one is another artifact.
    next.published("other", "z").await;
    let again = next
        .port()
        .publish_artifact(with_op(request("k", "y"), "op"))
        .await
        .unwrap();
    assert!(
        !again.is_duplicate(),
        "the operation published, and says so"
    );
    assert_eq!(next.bytes(again.artifact().id).await.unwrap(), "y");
    assert_eq!(next.files_in("artifacts").len(), 6);
    check_rebuild_changes_nothing(&next).await;
}

#[tokio::test]
async fn a_death_after_an_event_is_completed_in_rows_and_record() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    world
        .files
        .interrupt_next_publication(Interruption::AfterMarkers);
    error_of(world.tag(artifact.id, "a", "1").await);
    let next = world.after_death();
    let tagged = next.tag(artifact.id, "b", "2").await.unwrap();
    assert_eq!(tagged.tags, samples::tags([("a", "1"), ("b", "2")]));
    assert_eq!((tagged.revision, tagged.last_event), (3, 2));
    check_rebuild_changes_nothing(&next).await;
}

#[tokio::test]
async fn an_adopted_file_goes_back_when_its_publication_did_not_happen() {
    let world = World::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.csv");
    std::fs::write(&path, "a,b\n").unwrap();
    let mut adopt = with_op(request("k", ""), "op");
    adopt.source = artstore_core::artifact::ArtifactSource::AdoptFile(path.clone());
    world.published("first", "x").await;
    world
        .files
        .interrupt_next_publication(Interruption::BeforeMarkers);
    error_of(world.port().publish_artifact(adopt.clone()).await);
    assert!(!path.exists());
    // Repeating settles, which puts the file back in its place, and then adopts it.
    let next = world.after_death();
    let published = next.port().publish_artifact(adopt).await.unwrap();
    assert_eq!(next.bytes(published.artifact().id).await.unwrap(), "a,b\n");
    assert_eq!(next.files_in("quarantine"), Vec::<String>::new());
    assert!(!path.exists());
}

#[tokio::test]
async fn rows_that_could_not_be_committed_are_an_unknown_commit() {
    for time in [FaultTime::Before, FaultTime::After] {
        let world = World::new();
        world.published("first", "x").await;
        world.faults.fail("apply", 1, time, ErrorKind::Unavailable);
        let error = error_of(
            world
                .port()
                .publish_artifact(with_op(request("k", "y"), "op"))
                .await,
        );
        assert_eq!(error.kind(), ErrorKind::CommitUnknown, "{time:?}");
        assert_eq!(world.faults.outstanding(), 0);
        // The same process learns the outcome.
        let again = world
            .port()
            .publish_artifact(with_op(request("k", "y"), "op"))
            .await
            .unwrap();
        assert!(!again.is_duplicate(), "{time:?}");
        assert_eq!(world.files_in("artifacts").len(), 4, "{time:?}");
        check_rebuild_changes_nothing(&world).await;
    }
}

#[tokio::test]
async fn a_record_that_could_not_be_rewritten_is_brought_up_later() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    world.faults.fail(
        "replace_document",
        1,
        FaultTime::Before,
        ErrorKind::Unavailable,
    );
    let tagged = world.tag(artifact.id, "a", "1").await.unwrap();
    assert_eq!(tagged.last_event, 1, "the change is committed");
    world.quiet().await;
    let record = |world: &World| {
        let record = world.files.files()[&artifact.record_path].clone();
        String::from_utf8(record.to_vec()).unwrap()
    };
    assert!(record(&world).contains("\"last_event\": 0"));
    assert_eq!(world.files_in("intents").len(), 1);
    world.published("other", "y").await;
    world.quiet().await;
    assert!(record(&world).contains("\"last_event\": 1"));
    assert_eq!(world.files_in("intents").len(), 0);
    check_rebuild_changes_nothing(&world).await;
}

#[tokio::test]
async fn a_record_behind_its_events_is_folded_by_a_rebuild() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    let old_record = world.files.files()[&artifact.record_path].clone();
    world.tag(artifact.id, "a", "1").await.unwrap();
    world.tag(artifact.id, "b", "2").await.unwrap();
    let before = world.dump().await;
    world.files.plant(&artifact.record_path, old_record);
    world.catalog.delete();
    assert_eq!(world.dump().await, before);
    let record = world.files.files()[&artifact.record_path].clone();
    assert!(
        String::from_utf8(record.to_vec())
            .unwrap()
            .contains("\"last_event\": 2")
    );
}

#[tokio::test]
async fn a_deleted_catalog_is_rebuilt_by_readers_and_by_writers() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    world.tag(artifact.id, "a", "1").await.unwrap();
    let before = world.dump().await;
    world.catalog.delete();
    assert_eq!(
        world
            .port()
            .get_artifact(artifact.id)
            .await
            .unwrap()
            .last_event,
        1
    );
    assert_eq!(world.dump().await, before);
    world.catalog.delete();
    assert!(world.publish("k", "x").await.unwrap().is_duplicate());
    world.catalog.delete();
    world.published("other", "y").await;
    assert_eq!(world.dump().await.lines().count(), 3);
    let other = world.another_process();
    assert_eq!(other.dump().await, world.dump().await);
}

#[tokio::test]
async fn a_catalog_deleted_between_deciding_and_committing_is_rebuilt_with_the_change() {
    let world = World::new();
    world.published("first", "x").await;
    let port = world.port();
    let publish = port.publish_artifact(request("k", "y"));
    tokio::pin!(publish);
    // The catalog goes when the files have their final names.
    let mut is_deleted = false;
    let published = loop {
        tokio::select! {
            biased;
            result = &mut publish => break result,
            () = tokio::task::yield_now() => {
                if !is_deleted && world.files_in("artifacts").len() == 4 {
                    world.catalog.delete();
                    is_deleted = true;
                }
            }
        }
    };
    let artifact = published.unwrap().artifact().clone();
    assert_eq!(
        world.port().get_artifact(artifact.id).await.unwrap(),
        artifact
    );
    assert_eq!(world.dump().await.lines().count(), 2);
}

#[tokio::test]
async fn an_older_copy_of_the_catalog_is_noticed_by_writers_and_new_readers() {
    let world = World::new();
    let first = world.published("first", "x").await;
    world.tag(first.id, "a", "1").await.unwrap();
    let old = world.catalog.snapshot();
    let second = world.published("second", "y").await;
    world.tag(first.id, "b", "2").await.unwrap();
    world.tag(second.id, "c", "3").await.unwrap();
    let before = world.dump().await;

    world.catalog.restore(&old);
    assert_eq!(world.dump().await, before, "a reader that has it open");
    world.catalog.restore(&old);
    assert_eq!(world.another_process().dump().await, before, "a new reader");
    world.catalog.restore(&old);
    assert!(
        world.publish("second", "y").await.unwrap().is_duplicate(),
        "a writer"
    );
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn after_a_reboot_everything_is_compared_once() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    // After a power loss a record may be there that nobody has heard of: here its row is missing.
    let old = world.catalog.snapshot();
    let lost = world.published("lost", "y").await;
    world.catalog.restore(&old);
    world.lock.reboot();
    let next = world.after_death();
    next.published("new", "z").await;
    assert_eq!(next.port().get_artifact(lost.id).await.unwrap(), lost);
    assert_eq!(
        next.port().get_artifact(artifact.id).await.unwrap(),
        artifact
    );
    let listed = next.faults.calls("list");
    next.published("newer", "zz").await;
    assert_eq!(
        next.faults.calls("list"),
        listed,
        "the next change compares nothing"
    );
}

#[tokio::test]
async fn halves_are_quarantined_and_reported_when_everything_is_compared() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    let half = world.published("half", "y").await;
    let other_half = world.published("other half", "z").await;
    world.files.remove(&half.data_path);
    world.files.remove(&other_half.record_path);
    world.catalog.delete();
    world.lock.reboot();
    let next = world.after_death();
    let report = next.maintenance().settle().await.unwrap();
    let mut kinds: Vec<_> = report.faults.iter().map(|fault| fault.kind).collect();
    kinds.sort();
    assert_eq!(
        kinds,
        [FaultKind::RecordWithoutBytes, FaultKind::BytesWithoutRecord]
    );
    assert_eq!(next.files_in("quarantine").len(), 2);
    assert_eq!(next.dump().await.lines().count(), 1);
    assert!(next.port().get_artifact(artifact.id).await.is_ok());
    assert_eq!(next.maintenance().settle().await.unwrap().faults, []);
}

#[tokio::test]
async fn files_that_are_not_the_stores_are_left_alone() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    let directory = artifact.data_path.parent().unwrap();
    for name in ["notes.txt", "notes.json", "a__b.json", ".hidden"] {
        world.files.plant(&directory.join(name).unwrap(), "mine");
    }
    world.quiet().await;
    let files = world.files.files();
    let report = world.maintenance().settle().await.unwrap();
    assert_eq!(report.faults, []);
    let report = world.maintenance().rebuild().await.unwrap();
    assert_eq!(
        (report.records, report.faults.as_slice()),
        (1, [].as_slice())
    );
    assert_eq!(world.files.files(), files);
}

#[tokio::test]
async fn missing_files_of_committed_artifacts_are_reported_and_rows_stay() {
    let world = World::new();
    let without_bytes = world.published("a", "x").await;
    let without_record = world.published("b", "y").await;
    world.files.remove(&without_bytes.data_path);
    world.files.remove(&without_record.record_path);
    let report = world.maintenance().settle().await.unwrap();
    let kinds: Vec<_> = report.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(
        kinds,
        [FaultKind::RecordWithoutBytes, FaultKind::RowWithoutRecord]
    );
    assert_eq!(world.files_in("quarantine"), Vec::<String>::new());
    assert!(world.port().get_artifact(without_bytes.id).await.is_ok());
    assert!(world.port().get_artifact(without_record.id).await.is_ok());
}

#[tokio::test]
async fn a_damaged_record_is_reported_and_left_where_it_is() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    world.published("other", "y").await;
    let mut record = world.files.files()[&artifact.record_path].to_vec();
    record[100] ^= 1;
    world.files.plant(&artifact.record_path, record.clone());
    let report = world.maintenance().rebuild().await.unwrap();
    assert_eq!(report.records, 1);
    assert_eq!(report.faults[0].kind, FaultKind::DamagedRecord);
    assert_eq!(world.files.files()[&artifact.record_path], record);
    assert_eq!(world.files_in("quarantine"), Vec::<String>::new());
}

#[tokio::test]
async fn a_damaged_event_keeps_its_sequence_to_itself() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    world.tag(artifact.id, "a", "1").await.unwrap();
    world.tag(artifact.id, "b", "2").await.unwrap();
    let event = samples::path(world.files_in("events").last().unwrap());
    world.files.plant(&event, "{}");
    let report = world.maintenance().rebuild().await.unwrap();
    assert_eq!(report.faults[0].kind, FaultKind::DamagedRecord);
    let tagged = world.tag(artifact.id, "c", "3").await.unwrap();
    assert_eq!(
        tagged.last_event, 3,
        "the damaged event's number is not given again"
    );
    // The record includes what the damaged event said.
    assert!(tagged.tags.contains("b", "2"));
}

#[tokio::test]
async fn an_unreadable_catalog_is_told_and_rebuilt_on_request() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    let before = world.dump().await;
    world.catalog.damage();
    assert_eq!(
        error_of(world.port().get_artifact(artifact.id).await).kind(),
        ErrorKind::Corrupt
    );
    let error = error_of(world.publish("other", "y").await);
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(
        world.files_in("artifacts").len(),
        2,
        "nothing was published"
    );
    let report = world.maintenance().rebuild().await.unwrap();
    assert!(report.moved_aside.is_some());
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn another_stores_catalog_is_refused_by_name() {
    let world = World::new();
    world.published("k", "x").await;
    let foreign = artstore_testkit::memory::MemoryArtifactCatalog::empty(
        "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap(),
    );
    world.catalog.restore(&foreign.snapshot());
    let error = error_of(world.another_process().dump_result().await);
    assert_eq!(error.message(), "the catalog belongs to another store");
    assert_eq!(
        error_of(world.publish("k", "y").await).kind(),
        ErrorKind::Conflict
    );
    assert_eq!(world.files_in("artifacts").len(), 2);
}

#[tokio::test]
async fn a_lock_that_is_not_free_is_busy_and_nothing_is_published() {
    let world = World::new();
    world.published("first", "x").await;
    let hold = world
        .lock
        .acquire(Domain::Artifacts, Duration::from_secs(60))
        .await
        .unwrap();
    let impatient = world.impatient_process();
    let error = error_of(impatient.publish("k", "y").await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(hold);
    assert_eq!(world.files_in("artifacts").len(), 2);
    assert_eq!(world.files_in("staging"), Vec::<String>::new());
    world.published("k", "y").await;
}

#[tokio::test]
async fn status_counts_and_tells_what_is_pending() {
    let world = World::new();
    world.published("a", "x").await;
    world.published("b", "yy").await;
    world.quiet().await;
    let status = world
        .maintenance()
        .status(StatusDetail::Counts)
        .await
        .unwrap();
    assert_eq!(
        (
            status.artifacts.active,
            status.artifacts.bytes,
            status.pending
        ),
        (2, 3, 0)
    );
    assert_eq!(status.dump_digest, None);
    world
        .files
        .interrupt_next_publication(Interruption::AfterMarkers);
    error_of(world.publish("c", "z").await);
    let status = world
        .maintenance()
        .status(StatusDetail::Counts)
        .await
        .unwrap();
    assert_eq!((status.artifacts.active, status.pending), (2, 1));
}

#[tokio::test]
async fn tags_of_a_death_during_settling_are_kept() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    world
        .files
        .interrupt_next_publication(Interruption::AfterMarkers);
    error_of(
        world
            .port()
            .tag(artifact.id, adding("a", "1"), Some(op("op")))
            .await,
    );
    let methods = [
        "intents",
        "settle_item",
        "get",
        "apply",
        "replace_document",
        "finish",
        "sweep_staging",
    ];
    for method in methods {
        for time in [FaultTime::Before, FaultTime::After] {
            let next = world.after_death();
            next.faults.die(method, 1, time);
            let _ = next.tag(artifact.id, "never", "heard").await;
            next.files.die();
        }
    }
    let last = world.after_death();
    let tagged = last
        .port()
        .tag(artifact.id, adding("a", "1"), Some(op("op")))
        .await
        .unwrap();
    assert!(tagged.tags.contains("a", "1"));
    check_rebuild_changes_nothing(&last).await;
}

#[tokio::test]
async fn a_record_that_claims_the_operation_of_another_is_reported_and_left() {
    let world = World::new();
    let artifact = world.published("k", "x").await;
    let before = world.dump().await;
    world.quiet().await;
    // A copy under another id, whole in itself.
    let (id, other_id) = (
        artifact.id.to_string(),
        "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11",
    );
    let record = world.files.files()[&artifact.record_path].clone();
    let record = std::str::from_utf8(&record).unwrap();
    let record: serde_json::Value = serde_json::from_str(
        &record
            .replace(&format!("\"id\": \"{id}"), &format!("\"id\": \"{other_id}"))
            .replace(&format!("__{id}"), &format!("__{other_id}")),
    )
    .unwrap();
    let document = artstore_core::format::document::Document::of(&record).unwrap();
    let moved =
        |path: &artstore_core::path::RelPath| samples::path(&path.as_str().replace(&id, other_id));
    world.files.plant(
        &moved(&artifact.record_path),
        document.into_bytes().unwrap(),
    );
    world.files.plant(&moved(&artifact.data_path), "x");
    let settled = world.maintenance().settle().await.unwrap().faults;
    let rebuilt = world.maintenance().rebuild().await.unwrap().faults;
    for faults in [&settled, &rebuilt] {
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].kind, FaultKind::OperationClaimedTwice);
    }
    assert_eq!(world.dump().await.lines().count(), before.lines().count());
    assert_eq!(world.files_in("artifacts").len(), 4);
}

#[tokio::test]
async fn a_tag_on_an_artifact_without_readable_record_stops_nobody() {
    for damage in [None, Some("{}")] {
        let world = World::new();
        let artifact = world.published("k", "x").await;
        match damage {
            None => world.files.remove(&artifact.record_path),
            Some(content) => world.files.plant(&artifact.record_path, content),
        }
        let tagged = world.tag(artifact.id, "a", "1").await.unwrap();
        assert_eq!(
            tagged.last_event, 1,
            "the event and the row are as good as ever"
        );
        world.quiet().await;
        assert_eq!(world.files_in("intents"), Vec::<String>::new());
        world.published("other", "y").await;
        // The same while settling what a dead process left.
        world
            .files
            .interrupt_next_publication(Interruption::AfterMarkers);
        error_of(world.tag(artifact.id, "b", "2").await);
        let next = world.after_death();
        next.published("third", "z").await;
        let settled = next.maintenance().settle().await.unwrap();
        assert!(
            settled
                .faults
                .iter()
                .all(|fault| fault.path == artifact.record_path)
        );
        let tagged = next.port().get_artifact(artifact.id).await.unwrap();
        assert_eq!(tagged.tags, samples::tags([("a", "1"), ("b", "2")]));
    }
}
