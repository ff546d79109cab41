//! How stores answered.

use artstore_context::Context;
use artstore_core::artifact::{ArtifactFilter, ArtifactInput, ArtifactSource};
use artstore_core::page::PageRequest;
use artstore_core::tags::TagChange;
use artstore_core::{ErrorKind, Result};
use artstore_testkit::samples;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::trial::{Trial, request};

use crate::{csv, publish, refused, spelled};

/// Asking a store that did not exist made a directory and an empty database, and then complained about that.
#[tokio::test]
async fn asking_where_there_is_no_store_makes_nothing() {
    let trial = Trial::new();
    let context = Context::builder().root(trial.root()).build().unwrap();
    let error = refused(context.artifact_store().await, ErrorKind::NotFound);
    assert!(error.hint_text().is_some(), "{error:?}");
    refused(context.maintenance().await, ErrorKind::NotFound);
    assert!(!trial.root().exists());
}

/// The same, of a store that exists: a question is answered from records, and what it makes is the whole catalog.
#[tokio::test]
async fn a_question_never_leaves_an_empty_database() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let table = publish(&*port, spelled("k", Spelling::Csv, &rows(1, 5))).await;
    store.close().await;
    trial.delete_catalog();
    drop((port, store));
    let store = trial.open().await;
    assert!(!trial.catalog().exists(), "opening asks nothing");
    let port = store.artifacts();
    assert_eq!(port.get_artifact(table.id).await.unwrap(), table);
    store.close().await;
}

/// A store into which nothing had been published was said to be unavailable.
#[tokio::test]
async fn a_store_without_artifacts_is_available_and_answers() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    assert!(port.is_available().await);
    let page = PageRequest::default();
    let listed = port.list_artifacts(&ArtifactFilter::default(), &page).await;
    assert_eq!(listed.unwrap().items, []);
    assert_eq!(store.types().list_types().await.unwrap(), []);
    store.close().await;
}

/// What had gone wrong had to be guessed from words in a message; a missing source looked like a missing artifact.
#[tokio::test]
async fn what_went_wrong_is_told_by_the_kind_of_the_error() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let kept = publish(&*port, request("kept", "kept", "kept")).await;
    let nobody = samples::artifact_id(7);
    let kind = |result: Result<_>| {
        let result: Result<artstore_core::artifact::PublishArtifactResult> = result;
        result.expect_err("this must fail").kind()
    };
    let mut missing = csv("k", "");
    missing.source = ArtifactSource::File(trial.sources().join("missing.csv"));
    assert_eq!(
        kind(port.publish_artifact(missing).await),
        ErrorKind::NotFound
    );
    let mut made = csv("k", "a\n1\n");
    made.inputs = vec![ArtifactInput::new(nobody)];
    assert_eq!(kind(port.publish_artifact(made).await), ErrorKind::NotFound);
    let ragged = csv("k", "a,b\n1\n");
    assert_eq!(
        kind(port.publish_artifact(ragged).await),
        ErrorKind::Invalid
    );
    let mut no_parquet = csv("k", "a\n1\n");
    no_parquet.table = Some(artstore_core::table::TableFormat::Parquet);
    assert_eq!(
        kind(port.publish_artifact(no_parquet).await),
        ErrorKind::Invalid
    );
    let reused = request("other", "other", "kept");
    assert_eq!(
        kind(port.publish_artifact(reused).await),
        ErrorKind::Conflict
    );
    refused(port.get_artifact(nobody).await, ErrorKind::NotFound);
    let tagged = port.tag(nobody, TagChange::default(), None).await;
    refused(tagged, ErrorKind::NotFound);
    let withdrawn = port.tombstone(kept.id, "", None).await;
    refused(withdrawn, ErrorKind::Invalid);
    store.close().await;
}

/// After an artifact had been replaced, a cache went on to answer that it is in use.
#[tokio::test]
async fn an_answer_is_never_older_than_the_last_change() {
    let trial = Trial::new();
    let (reader, writer) = (trial.open().await, trial.open().await);
    let (reads, writes) = (reader.artifacts(), writer.artifacts());
    let old = publish(&*writes, request("old", "old", "old")).await;
    let new = publish(&*writes, request("new", "new", "new")).await;
    assert_eq!(reads.get_artifact(old.id).await.unwrap(), old);
    let replaced = writes.supersede(new.id, old.id, None).await.unwrap();
    assert_eq!(reads.get_artifact(old.id).await.unwrap(), replaced);
    reader.close().await;
    writer.close().await;
}
