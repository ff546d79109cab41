//! Many publishes in one call.

use std::sync::Arc;

use artstore_core::artifact::{
    ArtifactInput, ArtifactSource, DedupMode, PublishArtifactRequest, PublishArtifactResult,
};
use artstore_core::{ErrorKind, Result};
use artstore_engine::EngineSettings;
use artstore_testkit::samples::{artifact_id, tags};
use artstore_tests::crowd::list_all;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::trial::script::Tally;
use artstore_tests::trial::{self, Trial, request};

use crate::support::{
    assert_published, check_clean, large, left_over, open_with, own, owns, table,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_publishes_in_one_call_share_commits_and_syncs() {
    let trial = Trial::new();
    let tally = Arc::new(Tally::new());
    let store = open_with(&trial.root(), tally.clone(), EngineSettings::default()).await;
    // The directories are there then.
    let first = store.artifacts().publish_artifacts(owns("first", 2)).await;
    assert!(first.iter().all(Result::is_ok), "{first:?}");
    let requests: Vec<PublishArtifactRequest> = (0..1000)
        .map(|number| {
            let name = format!("item-{number}");
            request(&name, &format!("{number:08}").repeat(1024), &name)
        })
        .collect();
    let before = (
        tally.count("catalog.before-commit"),
        tally.count_verb("sync"),
    );
    let results = store.artifacts().publish_artifacts(requests.clone()).await;
    let commits = tally.count("catalog.before-commit") - before.0;
    let syncs = tally.count_verb("sync") - before.1;
    assert_published(&requests, &results);
    println!("{commits} commits, {syncs} syncs");
    assert!(commits <= 20, "{commits} commits");
    assert!(syncs <= 2300, "{syncs} syncs");
    store.close().await;
    drop(store);
    check_clean(&trial).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_in_the_order_of_the_requests_whatever_the_settings() {
    let settings = |queue_length, preparations, batch_length| EngineSettings {
        queue_length,
        preparations,
        batch_length,
        ..EngineSettings::default()
    };
    for settings in [
        EngineSettings::default(),
        settings(1, 64, 64),
        settings(2, 64, 64),
        settings(1024, 1, 64),
        settings(1024, 2, 64),
        settings(1024, 64, 1),
        settings(1024, 64, 2),
        settings(1, 1, 1),
        settings(2, 2, 2),
    ] {
        let trial = Trial::new();
        let store = open_with(&trial.root(), Arc::new(Tally::new()), settings.clone()).await;
        let mut total = 0;
        for count in [0, 1, 63, 64, 65, 300] {
            let requests = owns(&count.to_string(), count);
            let results = store.artifacts().publish_artifacts(requests.clone()).await;
            assert_published(&requests, &results);
            total += count;
        }
        let all = list_all(&*store.artifacts()).await.unwrap();
        assert_eq!(all.len(), total, "{settings:?}");
        store.close().await;
        assert_eq!(left_over(&trial), Vec::<String>::new());
        drop(store);
        check_clean(&trial).await;
    }
}

/// A word for a result.
fn word(result: &Result<PublishArtifactResult>) -> String {
    match result {
        Ok(PublishArtifactResult::Published(_)) => "new".to_owned(),
        Ok(PublishArtifactResult::Duplicate { mode, merged, .. }) => {
            let mode = match mode {
                DedupMode::FileHash => "bytes",
                DedupMode::ContentHash => "table",
            };
            format!("{mode} +{}", merged.tags.len() + merged.inputs.len())
        }
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// Every sort of request in one call, with what it comes to.
fn everything(trial: &Trial) -> Vec<(PublishArtifactRequest, &'static str)> {
    let again = |mut request: PublishArtifactRequest, name: &str| {
        request.op_id = own(name).op_id;
        request.tags = tags([("again", name)]);
        request
    };
    let from = |source: ArtifactSource, name: &str| PublishArtifactRequest {
        source,
        ..own(name)
    };
    let large_file = trial.source("large", &vec![7; crate::support::LARGE]);
    let adopted = trial.source("adopted", b"to be taken over");
    let lost = ArtifactSource::File(trial.beside("lost"));
    let adopt_lost = ArtifactSource::AdoptFile(trial.beside("lost, too"));
    let mut derived = own("from nothing");
    derived.inputs = vec![ArtifactInput::new(artifact_id(9))];
    let mut respelled = again(table("table", 1), "respelled");
    respelled.source = ArtifactSource::Bytes(Spelling::Snappy.of(&rows(1, 20)));
    respelled.table = Some(Spelling::Snappy.format());
    let mut no_table = table("no table", 2);
    no_table.source = ArtifactSource::Bytes("a,b\n1\n1,2,3\n".into());
    let other = |of: PublishArtifactRequest| PublishArtifactRequest {
        source: ArtifactSource::Bytes("something else".into()),
        ..of
    };
    vec![
        (large("large"), "new"),
        (own("small"), "new"),
        (table("table", 1), "new"),
        (from(lost, "lost"), "NotFound"),
        (again(own("small"), "small again"), "bytes +1"),
        (again(large("large"), "large again"), "bytes +1"),
        (respelled, "table +1"),
        (from(ArtifactSource::File(large_file), "large file"), "new"),
        (no_table, "Invalid"),
        (own("small"), "new"),
        (other(own("small")), "Conflict"),
        (from(ArtifactSource::AdoptFile(adopted), "adopted"), "new"),
        (from(adopt_lost, "not adopted"), "NotFound"),
        (derived, "NotFound"),
        (table("table", 1), "new"),
        (own("last"), "new"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sort_of_request_stands_for_itself() {
    for batch_length in [1, 2, 3, 64] {
        let trial = Trial::new();
        let settings = EngineSettings {
            batch_length,
            ..EngineSettings::default()
        };
        let store = open_with(&trial.root(), Arc::new(Tally::new()), settings).await;
        let port = store.artifacts();
        let (requests, wanted): (Vec<_>, Vec<_>) = everything(&trial).into_iter().unzip();
        let results = port.publish_artifacts(requests.clone()).await;
        let words: Vec<String> = results.iter().map(word).collect();
        assert_eq!(words, wanted, "{results:?}");
        let id = |number: usize| results[number].as_ref().unwrap().artifact().id;
        assert_eq!([id(4), id(9)], [id(1), id(1)]);
        assert_eq!(id(5), id(0));
        assert_eq!([id(6), id(14)], [id(2), id(2)]);
        assert!(!trial.sources().join("adopted").exists());
        assert!(trial.sources().join("large").exists());
        let bytes = trial::read(&*port, id(7)).await.unwrap();
        assert_eq!(bytes, vec![7; crate::support::LARGE]);
        assert_eq!(list_all(&*port).await.unwrap().len(), 6);

        // All of it once more: what happened is told again.
        let results = port.publish_artifacts(requests).await;
        let words: Vec<String> = results.iter().map(word).collect();
        assert_eq!(words, wanted, "{results:?}");
        assert_eq!(list_all(&*port).await.unwrap().len(), 6);
        store.close().await;
        assert_eq!(left_over(&trial), Vec::<String>::new());
        drop((port, store));
        check_clean(&trial).await;
    }
}

/// The first of equal requests fails, so the second one is what the others are duplicates of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_requests_are_duplicates_of_the_first_that_succeeds() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let equal = |number: usize| {
        let mut equal = request("equal", "equal", &format!("equal-{number}"));
        if number == 0 {
            equal.inputs = vec![ArtifactInput::new(artifact_id(9))];
        }
        equal
    };
    let results = port.publish_artifacts((0..200).map(equal).collect()).await;
    let words: Vec<String> = results.iter().map(word).collect();
    assert_eq!(words[..2], ["NotFound", "new"]);
    assert!(
        words[2..].iter().all(|word| word == "bytes +0"),
        "{words:?}"
    );
    assert_eq!(results[0].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(list_all(&*port).await.unwrap().len(), 1);
    store.close().await;
    assert_eq!(left_over(&trial), Vec::<String>::new());
    drop((port, store));
    check_clean(&trial).await;
}
