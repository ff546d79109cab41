use artstore_core::backend::StagedLocation;
use artstore_core::format::{Intent, IntentItem};
use artstore_core::{Domain, ErrorKind};

use super::{assert_absent, assert_taken, check_full_item, full_item, item, publication};
use crate::conformance::Capability;
use crate::conformance::blobs::{
    StoreHarness, publish_bytes, publish_files, read, source_file, stage, stage_adopted,
};
use crate::samples::{op_id, path, permit, publication_id};

/// Publishing gives files and documents their names, in directories that it makes; nothing stays in staging.
pub async fn publishing_gives_names(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let full = full_item(&store, 1, "full").await;
    let staged: Vec<_> = full
        .files
        .iter()
        .map(|(file, _)| file.location.clone())
        .collect();
    let only_file = vec![(stage(&store, 2, "alone").await, path("artifacts/alone"))];
    let items = vec![
        full,
        item("file", only_file, None),
        item("event", Vec::new(), Some("events/x/1.json")),
    ];
    let results = store
        .log
        .publish(&permit(), publication(1, items))
        .await
        .unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        result.unwrap();
    }
    check_full_item(&store, "full").await;
    assert_eq!(
        read(&store, &path("artifacts/alone")).await.unwrap(),
        b"alone"
    );
    assert_eq!(
        read(&store, &path("events/x/1.json")).await.unwrap(),
        b"of event"
    );
    for location in staged {
        if let StagedLocation::Staging(place) = location {
            assert_eq!(store.blobs.size(&place).await.unwrap(), None, "{place}");
        }
    }
}

/// Hundreds of items are published together, with one result each, in their order.
pub async fn hundreds_of_items_are_published_together(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    publish_bytes(&store, 5000, &path("artifacts/77/record"), "in the way").await;
    let mut items = Vec::new();
    for number in 0..200 {
        items.push(full_item(&store, number, &number.to_string()).await);
    }
    let results = store
        .log
        .publish(&permit(), publication(1, items))
        .await
        .unwrap();
    assert_eq!(results.len(), 200);
    for (number, result) in results.into_iter().enumerate() {
        match (number, result) {
            (77, result) => assert_taken(&result.unwrap_err()),
            (_, result) => {
                result.unwrap();
                check_full_item(&store, &number.to_string()).await;
            }
        }
    }
}

/// Published files can only be read.
pub async fn published_files_can_only_be_read(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let mut names = full_item(&store, 1, "full").await;
    if harness.capabilities().adoption == Capability::Present {
        let source = source_file(harness, "adopted", b"abc");
        let adopted = stage_adopted(&store, 500, &source).await;
        names
            .files
            .insert(0, (adopted, path("artifacts/full/adopted")));
    }
    let finals = names.final_names();
    let results = store
        .log
        .publish(&permit(), publication(1, vec![names]))
        .await
        .unwrap();
    assert!(results.iter().all(Result::is_ok));
    for name in finals {
        if let Some(local) = store.blobs.local_path(&name) {
            let permissions = std::fs::metadata(local).unwrap().permissions();
            assert!(permissions.readonly(), "{name} can be written");
        }
    }
}

/// A name that is taken is never replaced: the item fails, what was there stays, and none of the item's other names
/// exists, whichever of them was taken.
pub async fn nothing_is_ever_replaced(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    for (number, part) in (1..).zip(["data", "record", "event"]) {
        let name = format!("item-{part}");
        let taken = path(&format!("artifacts/{name}/{part}"));
        publish_bytes(&store, 100 + number, &taken, "was there").await;
        let item = full_item(&store, number, &name).await;
        let finals = item.final_names();
        let results = store
            .log
            .publish(&permit(), publication(number, vec![item]))
            .await
            .unwrap();
        assert_taken(results[0].as_ref().unwrap_err());
        for name in finals {
            let expected = (name == taken).then(|| b"was there".to_vec());
            assert_eq!(read(&store, &name).await, expected, "{name}");
        }
    }
}

/// A file to be adopted whose item fails is back in its place, unchanged.
pub async fn an_adopted_file_goes_back_when_its_item_fails(harness: &dyn StoreHarness) {
    if harness.capabilities().adoption == Capability::Lacking {
        return;
    }
    let store = harness.open().await;
    for (number, part) in (1..).zip(["data", "record"]) {
        let taken = path(&format!("artifacts/{number}/{part}"));
        publish_bytes(&store, 100 + number, &taken, "was there").await;
        let source = source_file(harness, &format!("adopted-{part}"), b"mine");
        let adopted = stage_adopted(&store, number, &source).await;
        let files = vec![(adopted, path(&format!("artifacts/{number}/data")))];
        let item = item(part, files, Some(&format!("artifacts/{number}/record")));
        let results = store
            .log
            .publish(&permit(), publication(number, vec![item]))
            .await
            .unwrap();
        assert_taken(results[0].as_ref().unwrap_err());
        assert_eq!(std::fs::read(&source).unwrap(), b"mine");
        assert_eq!(read(&store, &taken).await.unwrap(), b"was there");
        let other = path(&format!(
            "artifacts/{number}/{}",
            if part == "data" { "record" } else { "data" }
        ));
        assert_eq!(read(&store, &other).await, None);
    }
}

/// A file to be adopted that was changed after it was staged is not published, and stays where it is.
pub async fn a_file_changed_after_staging_is_not_published(harness: &dyn StoreHarness) {
    if harness.capabilities().adoption == Capability::Lacking {
        return;
    }
    let store = harness.open().await;
    let source = source_file(harness, "adopted", b"short");
    let adopted = stage_adopted(&store, 1, &source).await;
    std::fs::write(&source, b"another length").unwrap();
    let name = path("artifacts/t/x");
    let error = publish_files(&store, 1, vec![(adopted, name.clone())])
        .await
        .unwrap_err();
    assert_ne!(error.kind(), ErrorKind::CommitUnknown);
    assert_eq!(std::fs::read(&source).unwrap(), b"another length");
    assert_eq!(read(&store, &name).await, None);
}

/// Every item is decided by itself: one that fails does not keep the others from succeeding.
pub async fn items_fail_alone(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    publish_bytes(&store, 900, &path("artifacts/taken/record"), "was there").await;
    let gone = full_item(&store, 3, "gone").await;
    store.blobs.discard(vec![gone.files[1].0.clone()]).await;
    let items = vec![
        full_item(&store, 1, "first").await,
        full_item(&store, 2, "taken").await,
        gone.clone(),
        full_item(&store, 4, "last").await,
    ];
    let results = store
        .log
        .publish(&permit(), publication(1, items))
        .await
        .unwrap();
    let is_ok: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(is_ok, [true, false, false, true], "{results:?}");
    assert_ne!(
        results[2].as_ref().unwrap_err().kind(),
        ErrorKind::CommitUnknown
    );
    check_full_item(&store, "first").await;
    check_full_item(&store, "last").await;
    assert_absent(&store, &gone).await;
    assert_eq!(read(&store, &path("artifacts/taken/data")).await, None);
}

/// Of two items of one publication that want one name, the first gets it.
pub async fn the_first_of_two_items_gets_the_name(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let items = vec![
        item("first", Vec::new(), Some("events/1.json")),
        item("second", Vec::new(), Some("events/1.json")),
    ];
    let results = store
        .log
        .publish(&permit(), publication(1, items))
        .await
        .unwrap();
    results[0].as_ref().unwrap();
    assert_taken(results[1].as_ref().unwrap_err());
    assert_eq!(
        read(&store, &path("events/1.json")).await.unwrap(),
        b"of first"
    );
}

/// From publishing to finishing there is an intent that names every final path, which is counted without the lock.
pub async fn an_intent_lasts_until_it_is_finished(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let permit = permit();
    assert_eq!(store.log.pending(Domain::Artifacts).await.unwrap(), 0);
    assert_eq!(store.log.intents(&permit).await.unwrap(), []);
    let items = vec![
        full_item(&store, 1, "full").await,
        item("event", Vec::new(), Some("events/1.json")),
    ];
    let intent_items = vec![
        IntentItem {
            op_id: op_id("full"),
            before: vec![path("artifacts/full/data"), path("artifacts/full/record")],
            marker: path("artifacts/full/event"),
            adopted_from: None,
        },
        IntentItem {
            op_id: op_id("event"),
            before: Vec::new(),
            marker: path("events/1.json"),
            adopted_from: None,
        },
    ];
    let expected = Intent::new(publication_id(1), Domain::Artifacts, intent_items);
    store
        .log
        .publish(&permit, publication(1, items))
        .await
        .unwrap();
    let other = harness.open().await;
    for instance in [&store, &other] {
        assert_eq!(instance.log.pending(Domain::Artifacts).await.unwrap(), 1);
        assert_eq!(
            instance.log.intents(&permit).await.unwrap(),
            std::slice::from_ref(&expected)
        );
    }

    let more = vec![item("more", Vec::new(), Some("events/2.json"))];
    store
        .log
        .publish(&permit, publication(2, more))
        .await
        .unwrap();
    assert_eq!(other.log.pending(Domain::Artifacts).await.unwrap(), 2);
    assert_eq!(other.log.intents(&permit).await.unwrap().len(), 2);
    store.log.finish(&permit, publication_id(2)).await.unwrap();
    assert_eq!(other.log.intents(&permit).await.unwrap(), [expected]);
    store.log.finish(&permit, publication_id(1)).await.unwrap();
    assert_eq!(other.log.pending(Domain::Artifacts).await.unwrap(), 0);
    assert_eq!(other.log.intents(&permit).await.unwrap(), []);
    check_full_item(&other, "full").await;
}
