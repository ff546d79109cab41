use std::future::Future as _;
use std::task::Poll;

use artstore_core::layout::STAGING;
use artstore_core::path::RelPath;
use artstore_core::{ErrorKind, Result};
use bytes::Bytes;

use crate::conformance::blobs::{
    OpenStore, StoreHarness, list, publish_bytes, read, staging_after_one_use,
};
use crate::conformance::{brought_about, expect_kind};
use crate::samples::{content, path, permit, watched_permit};

async fn put(store: &OpenStore, name: &RelPath, document: Bytes) -> Result<()> {
    store.log.put_document(&permit(), name, document).await
}

/// A document is put where there was none, in directories that are made, and every instance sees it; nothing else appears.
pub async fn a_document_is_put_where_there_was_none(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let other = harness.open().await;
    for name in ["types/a.json", "types/b é.json", "deep/er/est/c.json"] {
        let name = path(name);
        let document = Bytes::from(format!("document at {name}"));
        put(&store, &name, document.clone()).await.unwrap();
        for instance in [&store, &other] {
            let found = instance.blobs.read_document(&name).await.unwrap();
            assert_eq!(found.as_ref(), Some(&document), "{name}");
        }
    }
    let types: Vec<_> = list(&other, "types").await.into_keys().collect();
    assert_eq!(types, ["types/a.json", "types/b é.json"]);
}

/// A document is put in the place of whatever was there, a published file that can only be read included, and touches
/// nothing beside it.
pub async fn a_put_document_replaces_what_was_there(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let (name, beside) = (path("types/a.json"), path("types/a.json.b"));
    publish_bytes(&store, 1, &name, "published").await;
    publish_bytes(&store, 2, &beside, "beside").await;
    for size in [100_000, 0, 10, 10, 70_000] {
        let document = content(size);
        put(&store, &name, document.clone()).await.unwrap();
        assert_eq!(
            store.blobs.read_document(&name).await.unwrap(),
            Some(document)
        );
    }
    assert_eq!(read(&store, &beside).await.unwrap(), b"beside");
    store
        .log
        .replace_document(&permit(), &name, Bytes::from_static(b"replaced"))
        .await
        .unwrap();
    assert_eq!(read(&store, &name).await.unwrap(), b"replaced");
}

/// Putting documents leaves nothing in staging and no intent.
pub async fn putting_leaves_nothing_in_staging(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    for number in 0..5 {
        let name = path(&format!("types/{}.json", number % 2));
        put(&store, &name, content(100 * number)).await.unwrap();
    }
    assert_eq!(list(&store, STAGING).await, settled);
    assert_eq!(store.log.intents(&permit()).await.unwrap(), []);
}

/// Who reads a document while it is put finds none at first and then a whole one, always.
pub async fn readers_find_whole_put_documents(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let reader = harness.open().await;
    let name = path("types/x.json");
    let version = |number: u8| Bytes::from(vec![number; 10_000 + usize::from(number)]);
    let writer = {
        let name = name.clone();
        tokio::spawn(async move {
            for number in 1..=40 {
                put(&store, &name, version(number)).await.unwrap();
            }
        })
    };
    let mut last = 0;
    while !writer.is_finished() {
        match reader.blobs.read_document(&name).await.unwrap() {
            Some(found) => {
                assert_eq!(found, version(found[0]));
                assert!(found[0] >= last, "an older document came back");
                last = found[0];
            }
            None => assert_eq!(last, 0, "a document that was there is gone"),
        }
    }
    writer.await.expect("the writer succeeds");
    let found = reader.blobs.read_document(&name).await.unwrap();
    assert_eq!(found, Some(version(40)));
}

/// A put whose caller went away happens whole or not at all, and keeps its permit until its work has ended.
pub async fn a_dropped_put_is_whole_and_ends_before_its_permit(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let settled = staging_after_one_use(&store).await;
    let name = path("types/x.json");
    let mut allowed = vec![None];
    for number in 0..20_usize {
        let (permit, gone) = watched_permit();
        let document = content(50_000 + number);
        {
            let mut work = Box::pin(store.log.put_document(&permit, &name, document.clone()));
            // The work begins, and its caller loses interest.
            std::future::poll_fn(|context| {
                let _ = work.as_mut().poll(context);
                Poll::Ready(())
            })
            .await;
        }
        drop(permit);
        gone.wait().await;
        allowed.push(Some(document));
        let found = store.blobs.read_document(&name).await.unwrap();
        assert!(allowed.contains(&found), "a document in part");
        let later = harness.open().await;
        assert_eq!(later.blobs.read_document(&name).await.unwrap(), found);
        allowed = vec![found];
    }
    assert_eq!(list(&store, STAGING).await, settled);
}

/// No document is put through a symbolic link, and none in the place of what a link leads to.
pub async fn documents_are_not_put_through_links(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let outside = harness.sources().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("there.json"), b"outside").unwrap();
    publish_bytes(&store, 1, &path("types/a.json"), "a").await;
    let declared = harness.capabilities().links;
    let (linked, leaf) = (path("types/linked"), path("types/leaf.json"));
    if !brought_about(declared, harness.place_link(&linked, &outside).await) {
        return;
    }
    harness
        .place_link(&leaf, &outside.join("there.json"))
        .await
        .unwrap();
    let document = Bytes::from_static(b"inside");
    for name in ["types/linked/there.json", "types/linked/new.json"] {
        let result = put(&store, &path(name), document.clone()).await;
        expect_kind(result, ErrorKind::Corrupt);
    }
    // The link itself may be refused or replaced.
    match put(&store, &leaf, document.clone()).await {
        Ok(()) => assert_eq!(read(&store, &leaf).await.unwrap(), document),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
    }
    assert_eq!(
        std::fs::read(outside.join("there.json")).unwrap(),
        b"outside"
    );
    assert!(!outside.join("new.json").exists());
}
