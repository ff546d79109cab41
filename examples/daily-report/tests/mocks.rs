//! Tests with a mock of the port: "was it called, and with what" and "what if it fails now".

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test asserts")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use artstore_core::artifact::{Artifact, DedupMode, Merged, PublishArtifactResult};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::lineage::{ArtifactLineage, LineageNode};
use artstore_core::page::Page;
use artstore_core::ports::MockArtifactStorePort;
use artstore_core::{Error, ErrorKind};
use artstore_example_daily_report::{DailyReport, Day, Outcome, Patience, Sales};
use artstore_testkit::samples;
use mockall::Sequence;
use mockall::predicate::eq;

/// The operation ids that a mock was called with.
type Calls = Arc<Mutex<Vec<OpId>>>;

fn day() -> Day {
    "2026-11-20".parse().unwrap()
}

fn sales() -> Sales {
    let csv = "time,shop,cents\n2026-11-20T09:00:00Z,north,1250\n";
    Sales::from_csv(csv.into()).unwrap()
}

fn pipeline(store: MockArtifactStorePort) -> DailyReport {
    let patience = Patience {
        attempts: 3,
        first_pause: Duration::from_secs(1),
    };
    DailyReport::with_patience(Arc::new(store), patience)
}

/// The `number`th sample as an artifact of this type about the day.
fn artifact(number: u64, artifact_type: &str) -> Artifact {
    Artifact {
        artifact_type: samples::artifact_type(artifact_type),
        logical_key: samples::logical_key("day=2026-11-20"),
        ..samples::artifact(number)
    }
}

fn table() -> Artifact {
    artifact(1, "daily_sales")
}

fn report() -> Artifact {
    artifact(2, "daily_report")
}

fn duplicate(existing: Artifact) -> PublishArtifactResult {
    PublishArtifactResult::Duplicate {
        existing,
        mode: DedupMode::ContentHash,
        merged: Merged::default(),
    }
}

fn last_page(items: Vec<Artifact>) -> Page<Artifact> {
    Page { items, next: None }
}

/// A mock of a store in which the day has nothing but what is published now.
fn store_without_others() -> MockArtifactStorePort {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_find_by_logical_key()
        .returning(|_, _, _| Ok(last_page(Vec::new())));
    store
}

/// Makes the next publish of an artifact of this type give `result`, and notes its operation id.
fn expect_publish(
    store: &mut MockArtifactStorePort,
    turn: &mut Sequence,
    calls: &Calls,
    artifact_type: &'static str,
    result: artstore_core::Result<PublishArtifactResult>,
) {
    let calls = Arc::clone(calls);
    store
        .expect_publish_artifact()
        .withf(move |request| request.artifact_type.as_str() == artifact_type)
        .times(1)
        .in_sequence(turn)
        .return_once(move |request| {
            let op_id = request.op_id.expect("every attempt names its operation");
            calls.lock().unwrap().push(op_id);
            result
        });
}

#[tokio::test]
async fn a_report_is_got_by_its_id() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_get_artifact()
        .with(eq(report().id))
        .times(1)
        .returning(|_| Ok(report()));
    let found = pipeline(store).report(report().id).await.unwrap();
    assert_eq!(found, report());
}

#[tokio::test]
async fn a_report_that_is_not_there_is_not_found() {
    let mut store = MockArtifactStorePort::new();
    store
        .expect_get_artifact()
        .times(1)
        .returning(|id| Err(Error::not_found("artifact not found").with("id", id)));
    let error = pipeline(store).report(report().id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let id = report().id.to_string();
    assert_eq!(error.context_value("id"), Some(id.as_str()));
}

#[tokio::test]
async fn a_duplicate_is_recognised_and_its_id_passed_through() {
    let mut store = store_without_others();
    store
        .expect_publish_artifact()
        .withf(|request| request.artifact_type.as_str() == "daily_sales")
        .times(1)
        .returning(|_| Ok(duplicate(table())));
    store
        .expect_get_downstream()
        .withf(|id, _| *id == table().id)
        .times(1)
        .returning(|_, _| Ok(made_from_table(report())));
    let outcome = pipeline(store).run(&day(), &sales()).await.unwrap();
    assert_eq!(outcome, Outcome::Unchanged(report()));
    assert_eq!(outcome.report().id, report().id);
}

#[tokio::test]
async fn a_new_table_is_published_and_then_its_report_made_from_it() {
    let mut store = store_without_others();
    let mut turn = Sequence::new();
    store
        .expect_publish_artifact()
        .withf(|request| request.table.is_some() && request.inputs.is_empty())
        .times(1)
        .in_sequence(&mut turn)
        .returning(|_| Ok(PublishArtifactResult::Published(table())));
    store
        .expect_publish_artifact()
        .withf(|request| {
            let [input] = &request.inputs[..] else {
                return false;
            };
            request.table.is_none() && input.id == table().id
        })
        .times(1)
        .in_sequence(&mut turn)
        .returning(|_| Ok(PublishArtifactResult::Published(report())));
    store.expect_get_downstream().never();
    store.expect_supersede().never();
    let outcome = pipeline(store).run(&day(), &sales()).await.unwrap();
    let expected = Outcome::Reported {
        report: report(),
        replaced: Vec::new(),
    };
    assert_eq!(outcome, expected);
}

// The clock is paused: a pause of seconds takes no time.
#[tokio::test(start_paused = true)]
async fn a_busy_store_is_asked_again_for_the_same_operation() {
    let (mut store, mut turn, calls) = (store_without_others(), Sequence::new(), Calls::default());
    for result in [
        Err(Error::busy("too many others wait")),
        Err(Error::busy("too many others wait")),
        Ok(PublishArtifactResult::Published(table())),
    ] {
        expect_publish(&mut store, &mut turn, &calls, "daily_sales", result);
    }
    let published = Ok(PublishArtifactResult::Published(report()));
    expect_publish(&mut store, &mut turn, &calls, "daily_report", published);
    pipeline(store).run(&day(), &sales()).await.unwrap();

    let calls = calls.lock().unwrap();
    assert!(calls[0] == calls[1] && calls[1] == calls[2], "{calls:?}");
    assert_ne!(calls[2], calls[3], "another change is another operation");
}

#[tokio::test(start_paused = true)]
async fn a_commit_of_unknown_outcome_is_repeated_with_its_operation_id() {
    let (mut store, mut turn, calls) = (store_without_others(), Sequence::new(), Calls::default());
    let published = Ok(PublishArtifactResult::Published(table()));
    expect_publish(&mut store, &mut turn, &calls, "daily_sales", published);
    let unknown = Err(Error::commit_unknown(&samples::op_id("x")));
    expect_publish(&mut store, &mut turn, &calls, "daily_report", unknown);
    // It had happened: the same operation gets the outcome of the first attempt.
    let published = Ok(PublishArtifactResult::Published(report()));
    expect_publish(&mut store, &mut turn, &calls, "daily_report", published);
    let outcome = pipeline(store).run(&day(), &sales()).await.unwrap();
    assert_eq!(outcome.report().id, report().id);

    let calls = calls.lock().unwrap();
    assert_eq!(calls[1], calls[2]);
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let mut store = store_without_others();
    store
        .expect_publish_artifact()
        .times(3)
        .returning(|_| Err(Error::busy("too many others wait")));
    let error = pipeline(store).run(&day(), &sales()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
}

#[tokio::test]
async fn what_repeating_cannot_mend_is_tried_once() {
    let hopeless = ErrorKind::ALL
        .into_iter()
        .filter(|kind| !matches!(kind, ErrorKind::Busy | ErrorKind::CommitUnknown));
    for kind in hopeless {
        let mut store = store_without_others();
        store
            .expect_publish_artifact()
            .times(1)
            .returning(move |_| Err(Error::new(kind, "as planned")));
        let error = pipeline(store).run(&day(), &sales()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_store_is_asked_again_to_replace() {
    let mut store = MockArtifactStorePort::new();
    let old = artifact(7, "daily_report");
    let old_id = old.id;
    store
        .expect_find_by_logical_key()
        .returning(move |artifact_type, _, _| {
            let is_report = *artifact_type == old.artifact_type;
            Ok(last_page(if is_report {
                vec![report(), old.clone()]
            } else {
                vec![table()]
            }))
        });
    store.expect_publish_artifact().returning(|request| {
        let artifact = if request.table.is_some() {
            table()
        } else {
            report()
        };
        Ok(PublishArtifactResult::Published(artifact))
    });
    let (calls, mut turn) = (Calls::default(), Sequence::new());
    for result in [Err(Error::busy("locked")), Ok(artifact(7, "daily_report"))] {
        let calls = Arc::clone(&calls);
        store
            .expect_supersede()
            .withf(move |new, old, _| *new == report().id && *old == old_id)
            .times(1)
            .in_sequence(&mut turn)
            .return_once(move |_, _, op_id| {
                calls.lock().unwrap().extend(op_id);
                result
            });
    }
    let outcome = pipeline(store).run(&day(), &sales()).await.unwrap();
    let expected = Outcome::Reported {
        report: report(),
        replaced: vec![old_id],
    };
    assert_eq!(outcome, expected);
    let calls = calls.lock().unwrap();
    assert!(calls.len() == 2 && calls[0] == calls[1], "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn of_many_only_those_that_are_busy_are_asked_again() {
    let days =
        ["2026-11-18", "2026-11-19", "2026-11-20"].map(|day| (day.parse().unwrap(), sales()));
    let mut store = store_without_others();
    let mut turn = Sequence::new();
    let busy = Calls::default();
    let answers: [Vec<artstore_core::Result<ArtifactId>>; 3] = [
        vec![
            Ok(samples::artifact_id(1)),
            Err(Error::busy("too many others wait")),
            Err(Error::invalid("not a table")),
        ],
        vec![Ok(samples::artifact_id(2))],
        vec![Ok(samples::artifact_id(11)), Ok(samples::artifact_id(12))],
    ];
    for answer in answers {
        let busy = Arc::clone(&busy);
        store
            .expect_publish_artifacts()
            .withf({
                let expected = answer.len();
                move |requests| requests.len() == expected
            })
            .times(1)
            .in_sequence(&mut turn)
            .return_once(move |requests| {
                let position = if requests.len() == 3 { 1 } else { 0 };
                busy.lock()
                    .unwrap()
                    .extend(requests[position].op_id.clone());
                let published = |(request, id): (&_, artstore_core::Result<ArtifactId>)| {
                    let request: &artstore_core::artifact::PublishArtifactRequest = request;
                    Ok(PublishArtifactResult::Published(Artifact {
                        artifact_type: request.artifact_type.clone(),
                        logical_key: request.logical_key.clone(),
                        id: id?,
                        ..samples::artifact(1)
                    }))
                };
                requests.iter().zip(answer).map(published).collect()
            });
    }
    let results = pipeline(store).backfill(&days).await.unwrap();
    let kinds: Vec<_> = results
        .iter()
        .map(|result| {
            result
                .report
                .as_ref()
                .map(|report| report.id)
                .map_err(Error::kind)
        })
        .collect();
    let expected = [
        Ok(samples::artifact_id(11)),
        Ok(samples::artifact_id(12)),
        Err(ErrorKind::Invalid),
    ];
    assert_eq!(kinds, expected);
    let busy = busy.lock().unwrap();
    assert_eq!(busy[0], busy[1]);
}

fn made_from_table(report: Artifact) -> ArtifactLineage {
    let node = LineageNode {
        artifact: report,
        depth: 1,
        role: None,
    };
    ArtifactLineage {
        artifact: table(),
        nodes: vec![node],
        edges: Vec::new(),
        missing: Vec::new(),
        depth: 1,
        truncated: false,
    }
}
