//! A store that is closed, or whose runtime ends, with many publishes under way.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use artstore_context::Context;
use artstore_core::artifact::{PublishArtifactRequest, PublishArtifactResult};
use artstore_core::id::ArtifactId;
use artstore_core::maintenance::StatusDetail;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::{ErrorKind, Result};
use artstore_engine::EngineSettings;
use artstore_tests::trial::script::{Gate, Tally};
use artstore_tests::trial::{self, Trial};
use futures_util::future::join_all;

use crate::support::{
    assert_published, check_clean, large, left_over, open_with, own, owns, table,
};

async fn context(trial: &Trial) -> (Context, Arc<dyn ArtifactStorePort>) {
    let context = Context::builder().root(trial.root()).build().unwrap();
    let port = context.artifact_store_or_init().await.unwrap();
    (context, port)
}

/// The sizes of the catalog's write-ahead log, if there is one.
fn log_size(trial: &Trial) -> u64 {
    let log = trial.root().join("catalog.sqlite-wal");
    std::fs::metadata(log).map_or(0, |found| found.len())
}

fn assert_folded_in(trial: &Trial) {
    assert_eq!(left_over(trial), Vec::<String>::new());
    assert_eq!(log_size(trial), 0);
}

/// Opens the store, which has nothing to settle, and finds what was acknowledged.
async fn reopen(trial: &Trial, acknowledged: &[(PublishArtifactRequest, ArtifactId)]) {
    let tally = Arc::new(Tally::new());
    let store = open_with(&trial.root(), tally.clone(), EngineSettings::default()).await;
    let (port, maintenance) = (store.artifacts(), store.maintenance());
    let status = maintenance.status(StatusDetail::Counts).await.unwrap();
    assert_eq!(status.pending, 0);
    port.publish_artifact(own("afterwards")).await.unwrap();
    // Settling would have raised the commit counter.
    assert_eq!(tally.count("catalog.before-commit"), 1);
    assert_eq!(tally.count("catalog.before-rebuild"), 0);
    for (request, id) in acknowledged {
        let found = port.get_artifact(*id).await.unwrap();
        assert_eq!(found.logical_key, request.logical_key);
        trial::read(&*port, *id).await.unwrap();
    }
    store.close().await;
}

/// Of each sort some.
fn sorts(number: u64) -> PublishArtifactRequest {
    let name = format!("item-{number}");
    match number % 4 {
        0 => large(&name),
        1 => table(&name, number),
        _ => own(&name),
    }
}

/// Closes a context when some of its publishes have ended and others are under way, and then looks.
async fn close_amid(requests: Vec<PublishArtifactRequest>) {
    let trial = Trial::new();
    let (context, port) = context(&trial).await;
    let (ended, mut some_ended) = tokio::sync::mpsc::unbounded_channel();
    let calls = requests.iter().map(|request| {
        let (port, request, ended) = (Arc::clone(&port), request.clone(), ended.clone());
        tokio::spawn(async move {
            let answer = port.publish_artifact(request).await;
            let _ = ended.send(());
            answer
        })
    });
    let calls: Vec<_> = calls.collect();
    some_ended.recv().await.unwrap();
    context.close().await;
    let left = (left_over(&trial), log_size(&trial));
    let under_way = calls.iter().filter(|call| !call.is_finished()).count();
    let mut acknowledged = Vec::new();
    for (request, answer) in requests.into_iter().zip(join_all(calls).await) {
        match answer.unwrap() {
            Ok(result) => acknowledged.push((request, result.artifact().id)),
            Err(error) => assert_ne!(error.kind(), ErrorKind::CommitUnknown, "{error:?}"),
        }
    }
    assert_eq!(left, (Vec::new(), 0), "{under_way} calls were not answered");
    println!("{} answered well, {under_way} late", acknowledged.len());
    context.close().await;
    assert_folded_in(&trial);
    drop((port, context));
    reopen(&trial, &acknowledged).await;
    check_clean(&trial).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_publishes_under_way() {
    for count in [64, 64, 65, 300] {
        close_amid(owns("item", count)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_publishes_of_every_sort() {
    for _ in 0..4 {
        close_amid((0..64).map(sorts).collect()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_a_batch_under_way() {
    for round in 1..=4 {
        let trial = Trial::new();
        let (context, port) = context(&trial).await;
        let requests = owns("item", 600);
        let batch = tokio::spawn({
            let (port, requests) = (Arc::clone(&port), requests.clone());
            async move { port.publish_artifacts(requests).await }
        });
        for number in 0..round {
            let single = own(&format!("single-{number}"));
            port.publish_artifact(single).await.unwrap();
        }
        context.close().await;
        let left = (left_over(&trial), log_size(&trial));
        let is_answered = batch.is_finished();
        let results = batch.await.unwrap();
        assert_published(&requests, &results);
        assert_eq!(left, (Vec::new(), 0), "answered: {is_answered}");
        context.close().await;
        assert_folded_in(&trial);
        drop((port, context));
        let ids = results
            .iter()
            .map(|one| one.as_ref().unwrap().artifact().id);
        let acknowledged: Vec<_> = requests.into_iter().zip(ids).collect();
        reopen(&trial, &acknowledged).await;
        check_clean(&trial).await;
    }
}

/// A caller who went away is waited for as well: what is worked on for them is removed then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_what_callers_left_behind() {
    for request in [own("small"), large("large"), table("table", 1)] {
        let trial = Trial::new();
        let gate = Arc::new(Gate::closed("staged-data.create"));
        let store = open_with(&trial.root(), gate.clone(), EngineSettings::default()).await;
        let name = request.logical_key.clone();
        let port = store.artifacts();
        let call = tokio::spawn(async move { port.publish_artifact(request).await });
        tokio::task::block_in_place(|| gate.wait_for(1));
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        let mut closing = Box::pin(store.close());
        let closed = tokio::time::timeout(Duration::from_millis(500), &mut closing).await;
        gate.open();
        assert!(closed.is_err(), "closed while {name} was being staged");
        closing.await;
        assert_eq!(left_over(&trial), Vec::<String>::new());
        check_clean(&trial).await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// An answer to a request, if it was given.
type Heard = (PublishArtifactRequest, Result<ArtifactId>);

/// Ends the runtime after so many answers, and returns those and what else was answered.
fn end_runtime_after(answers: usize, trial: &Trial) -> Vec<Heard> {
    let ending = runtime();
    let (sender, heard) = mpsc::channel();
    let port = ending.block_on(async { context(trial).await.1 });
    for number in 0..64 {
        let (port, sender) = (Arc::clone(&port), sender.clone());
        let tell = move |request, answer: Result<PublishArtifactResult>| {
            // Nobody may listen any more.
            let _ = sender.send((request, answer.map(|result| result.artifact().id)));
        };
        ending.spawn(async move {
            let prefix = format!("task-{number}");
            let requests = owns(&prefix, 4);
            let results = port.publish_artifacts(requests.clone()).await;
            for (request, result) in requests.into_iter().zip(results) {
                tell(request, result);
            }
            for number in 0..8 {
                let request = own(&format!("{prefix}-single-{number}"));
                tell(request.clone(), port.publish_artifact(request).await);
            }
        });
    }
    drop((port, sender));
    let mut all: Vec<Heard> = heard.iter().take(answers).collect();
    match answers % 2 {
        0 => drop(ending),
        _ => ending.shutdown_background(),
    }
    all.extend(heard.iter());
    all
}

#[test]
fn what_was_acknowledged_before_the_runtime_ended_is_there() {
    for answers in [1, 2, 101, 300] {
        let trial = Trial::new();
        let heard = end_runtime_after(answers, &trial);
        runtime().block_on(async {
            let (context, port) = context(&trial).await;
            let mut acknowledged = 0;
            for (request, answer) in &heard {
                let key = request.logical_key.as_str();
                let before = trial::find(&*port, key).await.unwrap();
                match answer {
                    Ok(id) => {
                        acknowledged += 1;
                        assert_eq!(before[0].id, *id, "{key}");
                        trial::read(&*port, *id).await.unwrap();
                    }
                    Err(error) if error.kind() == ErrorKind::CommitUnknown => {}
                    Err(error) => assert!(before.is_empty(), "{key} is there after {error:?}"),
                }
                // The next one settles first, so that a repetition has the first outcome.
                let again = port.publish_artifact(request.clone()).await.unwrap();
                assert!(!again.is_duplicate());
                assert!(before.iter().all(|one| one.id == again.artifact().id));
            }
            assert!(acknowledged < 64 * 12, "it ended in the middle");
            println!("{acknowledged} of {} answers were good", heard.len());
            context.close().await;
            drop((port, context));
            check_clean(&trial).await;
        });
    }
}

/// A large publish makes the missing catalog on its way, which is one more thing that closing waits for, and must not wait
/// for the closing itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_a_publish_that_makes_the_catalog() {
    for polls in 0..20 {
        let trial = Trial::new();
        let (context, port) = context(&trial).await;
        let publishing = tokio::spawn(async move { port.publish_artifact(large("large")).await });
        for _ in 0..polls {
            tokio::task::yield_now().await;
        }
        let closing = tokio::time::timeout(Duration::from_secs(60), context.close());
        closing.await.expect("closing ends");
        publishing.await.unwrap().unwrap();
        context.close().await;
        assert_folded_in(&trial);
    }
}
