//! Whole stores: with the catalog of this crate, and with other services replaced.

#![expect(clippy::unwrap_used, reason = "a test asserts")]

use std::path::Path;
use std::sync::Arc;

use artstore_context::{Context, ContextBuilder};
use artstore_core::Result;
use artstore_core::artifact::{Artifact, ArtifactInput, ArtifactStatus, PublishArtifactRequest};
use artstore_core::digest::Digest;
use artstore_core::lineage::WalkLimits;
use artstore_core::maintenance::StatusDetail;
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, MockArtifactStorePort};
use artstore_core::tags::TagChange;
use artstore_example_journal_catalog::JournalArtifactCatalog;
use artstore_testkit::environment::{ManualClock, SequentialIds};
use artstore_testkit::samples;

/// A context over the store in `root`, with a journal for its catalog.
fn with_journal(root: &Path) -> ContextBuilder {
    let catalog = JournalArtifactCatalog::new(root.join("catalog.journal"));
    Context::builder()
        .root(root)
        .artifact_catalog(Arc::new(catalog))
}

async fn publish(store: &dyn ArtifactStorePort, request: PublishArtifactRequest) -> Artifact {
    let result = store.publish_artifact(request).await.unwrap();
    assert!(!result.is_duplicate());
    result.artifact().clone()
}

fn made_from(key: &str, content: &'static str, inputs: &[&Artifact]) -> PublishArtifactRequest {
    let inputs = inputs.iter().map(|input| ArtifactInput::new(input.id));
    PublishArtifactRequest {
        inputs: inputs.collect(),
        ..samples::request(key, content)
    }
}

/// Everything that a store can do to its catalog: an artifact with two inputs, one of which was replaced and withdrawn.
async fn fill(store: &dyn ArtifactStorePort) -> [Artifact; 3] {
    let wrong = publish(store, made_from("in", "wrong", &[])).await;
    let right = publish(store, made_from("in", "right", &[])).await;
    let made = publish(store, made_from("out", "made", &[&wrong, &right])).await;
    let again = store
        .publish_artifact(samples::request("in", "right"))
        .await;
    assert_eq!(again.unwrap().artifact().id, right.id);
    store.supersede(right.id, wrong.id, None).await.unwrap();
    store.tombstone(wrong.id, "wrong", None).await.unwrap();
    let change = TagChange {
        add: samples::tags([("checked", "yes")]),
        remove: Vec::new(),
    };
    store.tag(made.id, change, None).await.unwrap();
    [wrong, right, made]
}

/// What `fill` left is found and traced.
async fn check(store: &dyn ArtifactStorePort, [wrong, right, made]: &[Artifact; 3]) {
    let got = store.get_artifact(made.id).await.unwrap();
    assert!(got.tags.contains("checked", "yes"));
    let page = PageRequest::default();
    let found = store
        .find_by_logical_key(&wrong.artifact_type, &wrong.logical_key, &page)
        .await
        .unwrap();
    let found: Vec<_> = found.items.iter().map(|one| (one.id, one.status)).collect();
    let expected = [
        (right.id, ArtifactStatus::Active),
        (wrong.id, ArtifactStatus::Tombstoned),
    ];
    assert_eq!(found, expected);
    let limits = WalkLimits::default();
    let lineage = store.get_lineage(made.id, limits).await.unwrap();
    let inputs: Vec<_> = lineage.nodes.iter().map(|node| node.artifact.id).collect();
    assert_eq!(inputs, [wrong.id, right.id]);
    let downstream = store.get_downstream(right.id, limits).await.unwrap();
    assert_eq!(downstream.nodes[0].artifact.id, made.id);
    let supersession = store.get_supersession(wrong.id).await.unwrap();
    assert_eq!(supersession.successors[0].id, right.id);
}

async fn dump_digest(context: &Context) -> Result<Digest> {
    let maintenance = context.maintenance().await?;
    let status = maintenance.status(StatusDetail::Digest).await?;
    Ok(status.dump_digest.unwrap())
}

#[tokio::test]
async fn a_whole_store_works_on_a_journal() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("store");
    let journal = root.join("catalog.journal");
    let context = with_journal(&root).build().unwrap();
    let store = context.artifact_store_or_init().await.unwrap();
    let artifacts = fill(&*store).await;
    check(&*store, &artifacts).await;
    let before = dump_digest(&context).await.unwrap();
    let lines = std::fs::read_to_string(&journal).unwrap().lines().count();
    assert!(lines > 5, "{lines} lines");

    // The directory is the truth: the journal is made anew from it, by whoever misses it first.
    std::fs::remove_file(&journal).unwrap();
    check(&*store, &artifacts).await;
    assert!(journal.exists());
    assert_eq!(dump_digest(&context).await.unwrap(), before);
    context.close().await;

    // Another process, another catalog, the same directory: SQLite says the same, fact by fact.
    let sqlite = Context::builder().root(&root).build().unwrap();
    assert_eq!(dump_digest(&sqlite).await.unwrap(), before);
    check(&*sqlite.artifact_store().await.unwrap(), &artifacts).await;
    assert!(root.join("catalog.sqlite").exists());
    sqlite.close().await;
}

#[tokio::test]
async fn two_processes_share_a_journal() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("store");
    let contexts = [(); 2].map(|()| with_journal(&root).build().unwrap());
    let mut stores = Vec::new();
    for context in &contexts {
        stores.push(context.artifact_store_or_init().await.unwrap());
    }
    let mut tasks = Vec::new();
    for number in 0..20 {
        let store = Arc::clone(&stores[number % 2]);
        // Every key comes twice, once to each of them.
        let request = samples::request(&format!("k={}", number / 2), "the same");
        tasks.push(tokio::spawn(async move {
            store.publish_artifact(request).await
        }));
    }
    let mut published = 0;
    for task in tasks {
        published += u32::from(!task.await.unwrap().unwrap().is_duplicate());
    }
    assert_eq!(published, 10);
    let digests = [
        dump_digest(&contexts[0]).await.unwrap(),
        dump_digest(&contexts[1]).await.unwrap(),
    ];
    assert_eq!(digests[0], digests[1]);
    for context in &contexts {
        context.close().await;
    }
}

#[tokio::test]
async fn a_store_is_replaced_by_a_mock() {
    let mut mock = MockArtifactStorePort::new();
    mock.expect_get_artifact()
        .times(1)
        .returning(|_| Ok(samples::artifact(7)));
    let context = Context::builder()
        .root("/nowhere/at/all")
        .artifact_store(Arc::new(mock))
        .build()
        .unwrap();
    let store = context.artifact_store().await.unwrap();
    let got = store.get_artifact(samples::artifact_id(7)).await.unwrap();
    assert_eq!(got, samples::artifact(7));
    context.close().await;
}

#[tokio::test]
async fn clock_and_ids_are_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let context = Context::builder()
        .root(directory.path().join("store"))
        .clock(Arc::new(ManualClock::at(samples::time(90))))
        .ids(Arc::new(SequentialIds::starting_at(1)))
        .build()
        .unwrap();
    let store = context.artifact_store_or_init().await.unwrap();
    let published = publish(&*store, samples::request("k", "content")).await;
    assert_eq!(published.created_at.to_string(), "2026-11-20T09:31:30.000Z");
    let from_the_source = (1..100).map(samples::artifact_id);
    assert!(from_the_source.into_iter().any(|id| id == published.id));
    context.close().await;
}
