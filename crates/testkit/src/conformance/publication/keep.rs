use artstore_core::layout::QUARANTINE;
use bytes::Bytes;

use super::{full_item, publication};
use crate::conformance::blobs::{StoreHarness, publish_bytes, publish_files, read, stage};
use crate::conformance::brought_about;
use crate::samples::{content, path, permit};

/// Replacing a document gives it the new content and touches nothing else.
pub async fn documents_are_replaced(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let items = vec![full_item(&store, 1, "full").await];
    store
        .log
        .publish(&permit(), publication(1, items))
        .await
        .unwrap();
    let record = path("artifacts/full/record");
    for size in [10, 0, 100_000] {
        let document = content(size);
        store
            .log
            .replace_document(&permit(), &record, document.clone())
            .await
            .unwrap();
        assert_eq!(
            store.blobs.read_document(&record).await.unwrap(),
            Some(document)
        );
    }
    let data = read(&store, &path("artifacts/full/data")).await;
    assert_eq!(data.unwrap(), b"data of full");
}

/// Who reads a document while it is replaced finds a whole one, always.
pub async fn readers_find_whole_documents(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let name = path("documents/x.json");
    let version = |number: u8| Bytes::from(vec![number; 10_000 + usize::from(number)]);
    publish_bytes(&store, 1, &name, version(0)).await;
    let writer = {
        let (store, name) = (store.clone(), name.clone());
        tokio::spawn(async move {
            for number in 1..=40 {
                store
                    .log
                    .replace_document(&permit(), &name, version(number))
                    .await
                    .unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let found = store.blobs.read_document(&name).await.unwrap().unwrap();
        assert_eq!(found, version(found[0]));
    }
    writer.await.expect("the writer succeeds");
}

/// A file in quarantine keeps its bytes, under a name that tells where it was, and is gone from its place.
pub async fn quarantine_keeps_the_bytes(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let name = path("artifacts/t/2026-11-20/strange é.bin");
    publish_bytes(&store, 1, &name, content(5000)).await;
    let place = store.log.quarantine(&permit(), &name).await.unwrap();
    assert!(place.starts_with(&path(QUARANTINE)), "{place}");
    assert!(place.as_str().contains("strange é.bin"), "{place}");
    assert_eq!(read(&store, &place).await.unwrap(), content(5000));
    assert_eq!(read(&store, &name).await, None);
    store.log.quarantine(&permit(), &name).await.unwrap_err();
}

/// Files from one place go to different places in quarantine; none replaces another.
pub async fn quarantine_never_collides(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let name = path("artifacts/t/x");
    let mut places = Vec::new();
    for number in 1..=5 {
        publish_bytes(&store, number, &name, format!("number {number}")).await;
        let instance = harness.open().await;
        places.push(instance.log.quarantine(&permit(), &name).await.unwrap());
    }
    for (number, place) in (1..).zip(&places) {
        let expected = format!("number {number}").into_bytes();
        assert_eq!(read(&store, place).await, Some(expected), "{place}");
    }
}

/// Sweeping removes what dead processes staged and leaves alone what living ones staged, this one included.
pub async fn sweeping_leaves_the_living_alone(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let other = harness.open().await;
    let mine = stage(&store, 1, "mine").await;
    let document = store
        .blobs
        .stage_document(crate::samples::staging_id(2), Bytes::from_static(b"{}"));
    let document = document.await.unwrap();
    let theirs = stage(&other, 3, "theirs").await;
    let declared = harness.capabilities().dead_owners;
    let expected = match brought_about(declared, harness.leave_staged_file().await) {
        true => 1,
        false => 0,
    };
    let report = store.log.sweep_staging(&permit()).await.unwrap();
    assert_eq!(report.removed, expected);
    assert!(report.living_owners >= 1);
    assert_eq!(store.log.sweep_staging(&permit()).await.unwrap().removed, 0);

    let files = vec![
        (mine, path("artifacts/mine")),
        (document, path("artifacts/document")),
    ];
    publish_files(&store, 1, files).await.unwrap();
    publish_files(&other, 2, vec![(theirs, path("artifacts/theirs"))])
        .await
        .unwrap();
    assert_eq!(
        read(&store, &path("artifacts/mine")).await.unwrap(),
        b"mine"
    );
    assert_eq!(
        read(&store, &path("artifacts/theirs")).await.unwrap(),
        b"theirs"
    );
}
