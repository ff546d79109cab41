//! Many publishes in one call.

use artstore_core::ErrorKind;
use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest, PublishArtifactResult};
use artstore_engine::EngineSettings;
use artstore_testkit::faults::FaultTime;

use crate::support::{World, patient, request, with_op};

fn requests(count: usize) -> Vec<PublishArtifactRequest> {
    (0..count)
        .map(|number| request(&format!("key {number}"), &format!("content {number}")))
        .collect()
}

#[tokio::test]
async fn results_come_in_the_order_of_the_requests() {
    for count in [0, 1, 64, 65, 200] {
        let world = World::new();
        let results = world.port().publish_artifacts(requests(count)).await;
        assert_eq!(results.len(), count);
        for (number, result) in results.into_iter().enumerate() {
            let result = result.unwrap();
            assert!(!result.is_duplicate());
            let key = result.artifact().logical_key.to_string();
            assert_eq!(key, format!("key {number}"));
        }
    }
}

#[tokio::test]
async fn a_batch_makes_few_commits() {
    let world = World::new();
    let results = world.port().publish_artifacts(requests(1_000)).await;
    assert!(results.iter().all(Result::is_ok));
    let commits = world.faults.calls("apply");
    assert!(commits <= 20, "{commits} commits");
}

#[tokio::test]
async fn each_request_has_its_own_result() {
    let world = World::new();
    let before = world.published("old", "old").await;
    let mut without_source = request("lost", "");
    without_source.source = ArtifactSource::File("/nowhere/at/all".into());
    let mut with_wrong_role = request("wrong", "x");
    with_wrong_role.filename_hint = Some("x".repeat(100_000));
    let batch = vec![
        request("old", "old"),
        request("new", "new"),
        without_source,
        request("new", "new"),
        with_wrong_role,
        with_op(request("named", "1"), "op"),
        with_op(request("named", "1"), "op"),
        with_op(request("other", "2"), "op"),
    ];
    let results = world.port().publish_artifacts(batch).await;
    let kinds: Vec<_> = results
        .iter()
        .map(|result| match result {
            Ok(PublishArtifactResult::Published(_)) => "published".to_owned(),
            Ok(PublishArtifactResult::Duplicate { .. }) => "duplicate".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        })
        .collect();
    let expected = [
        "duplicate",
        "published",
        "NotFound",
        "duplicate",
        "Invalid",
        "published",
        "published",
        "Conflict",
    ];
    assert_eq!(kinds, expected);
    let id = |position: usize| results[position].as_ref().unwrap().artifact().id;
    assert_eq!(id(0), before.id);
    assert_eq!((id(3), id(6)), (id(1), id(5)));
}

#[tokio::test]
async fn a_queue_shorter_than_a_batch_is_enough() {
    let narrow = EngineSettings {
        queue_length: 3,
        preparations: 2,
        ..patient()
    };
    let world = World::with_settings(narrow);
    let results = world.port().publish_artifacts(requests(50)).await;
    assert!(results.iter().all(Result::is_ok));
}

#[tokio::test]
async fn after_a_failed_commit_no_request_is_said_to_have_failed() {
    let world = World::new();
    world
        .faults
        .fail("apply", 1, FaultTime::Before, ErrorKind::Unavailable);
    let results = world.port().publish_artifacts(requests(10)).await;
    assert_eq!(world.faults.outstanding(), 0);
    for result in results {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::CommitUnknown);
    }
    // Settling finds what was published.
    let again = world.port().publish_artifacts(requests(10)).await;
    for result in again {
        assert!(result.unwrap().is_duplicate());
    }
}
