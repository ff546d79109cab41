//! Who publishes one thing is served beside who publishes thousands. Passes are counted, not time.

use std::sync::Arc;

use artstore_engine::EngineSettings;
use artstore_tests::trial::Trial;
use artstore_tests::trial::script::Tally;

use crate::support::{assert_published, check_clean, open_with, own, owns};

const BATCH: usize = 2000;

/// How many commits there were between the call of each single publish and its answer, while a batch was under way.
async fn commits_waited(settings: EngineSettings) -> Vec<u64> {
    let trial = Trial::new();
    let tally = Arc::new(Tally::new());
    let store = open_with(&trial.root(), tally.clone(), settings).await;
    let port = store.artifacts();
    let commits = || tally.count("catalog.before-commit");
    let requests = owns("item", BATCH);
    let batch = tokio::spawn({
        let (port, requests) = (Arc::clone(&port), requests.clone());
        async move { port.publish_artifacts(requests).await }
    });
    let mut waited = Vec::new();
    while !batch.is_finished() {
        let before = commits();
        let single = own(&format!("single-{}", waited.len()));
        port.publish_artifact(single).await.unwrap();
        waited.push(commits() - before);
    }
    assert_published(&requests, &batch.await.unwrap());
    store.close().await;
    drop((port, store));
    check_clean(&trial).await;
    waited
}

/// What is queued already comes first: as many passes as the queue holds, the one under way, the one of its own, and two
/// for what others prepare while this is prepared.
fn most_passes(settings: &EngineSettings) -> u64 {
    (settings.queue_length / settings.batch_length) as u64 + 4
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_publish_does_not_wait_for_a_whole_batch() {
    for queue_length in [64, 256] {
        let settings = EngineSettings {
            queue_length,
            ..EngineSettings::default()
        };
        let most = most_passes(&settings);
        let waited = commits_waited(settings).await;
        println!("a queue of {queue_length}: {waited:?}, {most} at most");
        assert!(waited.iter().all(|commits| *commits <= most), "{waited:?}");
        assert!(waited.len() as u64 > BATCH as u64 / 64 / most, "{waited:?}");
    }
}
