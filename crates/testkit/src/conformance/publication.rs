//! What every `PublicationLog` promises.

use std::future::Future as _;
use std::task::Poll;

use artstore_core::backend::{
    Publication, PublicationItem, SettledItem, StagedFile, StagedLocation,
};
use artstore_core::format::{Intent, IntentItem};
use artstore_core::layout::QUARANTINE;
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, ErrorKind};
use bytes::Bytes;

use super::blobs::{
    OpenStore, StoreHarness, publish_bytes, publish_files, read, source_file, stage, stage_adopted,
};
use super::{Capability, brought_about};
use crate::memory::Interruption;
use crate::samples::{content, op_id, path, permit, publication_id, watched_permit};

fn publication(number: u64, items: Vec<PublicationItem>) -> Publication {
    Publication {
        id: publication_id(number),
        domain: Domain::Artifacts,
        items,
    }
}

fn item(name: &str, files: Vec<(StagedFile, RelPath)>, document: Option<&str>) -> PublicationItem {
    PublicationItem {
        op_id: op_id(name),
        files,
        document: document.map(|document| (path(document), Bytes::from(format!("of {name}")))),
    }
}

/// An item with data, a record and an event below `artifacts/<name>`, as the engine makes them.
async fn full_item(store: &OpenStore, number: u64, name: &str) -> PublicationItem {
    let data = stage(store, 10 * number, format!("data of {name}")).await;
    let record = stage(store, 10 * number + 1, format!("record of {name}")).await;
    let files = vec![
        (data, path(&format!("artifacts/{name}/data"))),
        (record, path(&format!("artifacts/{name}/record"))),
    ];
    item(name, files, Some(&format!("artifacts/{name}/event")))
}

async fn check_full_item(store: &OpenStore, name: &str) {
    for (part, expected) in [
        ("data", format!("data of {name}")),
        ("record", format!("record of {name}")),
        ("event", format!("of {name}")),
    ] {
        let part = path(&format!("artifacts/{name}/{part}"));
        assert_eq!(
            read(store, &part).await,
            Some(expected.into_bytes()),
            "{part}"
        );
    }
}

async fn assert_absent(store: &OpenStore, item: &PublicationItem) {
    for name in item.final_names() {
        assert_eq!(store.blobs.size(&name).await.unwrap(), None, "{name}");
    }
}

fn assert_taken(error: &Error) {
    let is_definite = matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists);
    assert!(is_definite, "a taken name is a conflict: {error:?}");
}

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

/// The only intent, as another process finds it.
async fn found_intent(store: &OpenStore) -> Intent {
    let mut intents = store.log.intents(&permit()).await.unwrap();
    assert_eq!(intents.len(), 1, "{intents:?}");
    intents.remove(0)
}

/// Settling an item whose marker exists tells that it happened and leaves every name as it is, however often.
pub async fn settling_completes_what_happened(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let items = vec![full_item(&store, 1, "full").await];
    store
        .log
        .publish(&permit(), publication(1, items))
        .await
        .unwrap();
    let finder = harness.open().await;
    let intent = found_intent(&finder).await;
    for _ in 0..2 {
        let settled = finder
            .log
            .settle_item(&permit(), &intent.items[0])
            .await
            .unwrap();
        assert_eq!(settled, SettledItem::Happened);
    }
    check_full_item(&finder, "full").await;
    assert_eq!(finder.log.pending(Domain::Artifacts).await.unwrap(), 1);
}

/// Settling an item of which nothing was named yet takes nothing back.
pub async fn settling_finds_what_named_nothing(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let items = vec![full_item(&store, 1, "full").await];
    let died = harness.publish_and_die(publication(1, items.clone()), Interruption::BeforeNames);
    if !brought_about(harness.capabilities().interruption, died.await) {
        return;
    }
    let finder = harness.open().await;
    let intent = found_intent(&finder).await;
    let settled = finder
        .log
        .settle_item(&permit(), &intent.items[0])
        .await
        .unwrap();
    assert_eq!(settled, SettledItem::TakenBack(Vec::new()));
    assert_absent(&finder, &items[0]).await;
    finder.log.finish(&permit(), intent.id).await.unwrap();
    assert_eq!(finder.log.pending(Domain::Artifacts).await.unwrap(), 0);
}

/// Settling an item whose marker is missing moves what was named to quarantine, tells where it is, and can be repeated.
pub async fn settling_takes_back_what_was_half_named(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let items = vec![
        full_item(&store, 1, "one").await,
        full_item(&store, 2, "two").await,
    ];
    let died = harness.publish_and_die(publication(1, items.clone()), Interruption::BeforeMarkers);
    if !brought_about(harness.capabilities().interruption, died.await) {
        return;
    }
    let finder = harness.open().await;
    let intent = found_intent(&finder).await;
    for (item, name) in intent.items.iter().zip(["one", "two"]) {
        let SettledItem::TakenBack(places) = finder.log.settle_item(&permit(), item).await.unwrap()
        else {
            panic!("an item without its marker did not happen");
        };
        let mut found = Vec::new();
        for place in &places {
            let place = RelPath::new(place.as_str()).unwrap();
            assert!(place.starts_with(&path(QUARANTINE)), "{place}");
            found.push(String::from_utf8(read(&finder, &place).await.unwrap()).unwrap());
        }
        found.sort();
        assert_eq!(
            found,
            [format!("data of {name}"), format!("record of {name}")]
        );
        let again = finder.log.settle_item(&permit(), item).await.unwrap();
        assert_eq!(again, SettledItem::TakenBack(Vec::new()));
    }
    for item in &items {
        assert_absent(&finder, item).await;
    }
}

/// Settling an item whose marker is missing gives an adopted file back.
pub async fn settling_gives_an_adopted_file_back(harness: &dyn StoreHarness) {
    let Some((finder, intent, source)) = half_adopted(harness).await else {
        return;
    };
    assert!(!source.exists());
    let settled = finder
        .log
        .settle_item(&permit(), &intent.items[0])
        .await
        .unwrap();
    assert_eq!(
        settled,
        SettledItem::TakenBack(vec![source.display().to_string()])
    );
    assert_eq!(std::fs::read(&source).unwrap(), b"mine");
    assert_eq!(read(&finder, &path("artifacts/t/data")).await, None);
}

/// Where an adopted file came from there is something else now: that stays, and the file goes to quarantine.
pub async fn settling_never_replaces_a_users_file(harness: &dyn StoreHarness) {
    let Some((finder, intent, source)) = half_adopted(harness).await else {
        return;
    };
    std::fs::write(&source, b"newer").unwrap();
    let settled = finder
        .log
        .settle_item(&permit(), &intent.items[0])
        .await
        .unwrap();
    let SettledItem::TakenBack(places) = settled else {
        panic!("an item without its marker did not happen");
    };
    assert_eq!(places.len(), 1);
    assert_eq!(read(&finder, &path(&places[0])).await.unwrap(), b"mine");
    assert_eq!(std::fs::read(&source).unwrap(), b"newer");
    assert_eq!(read(&finder, &path("artifacts/t/data")).await, None);
}

/// A publication that adopted a file and was interrupted before its marker; `None` if that cannot be had.
async fn half_adopted(
    harness: &dyn StoreHarness,
) -> Option<(OpenStore, Intent, std::path::PathBuf)> {
    if harness.capabilities().adoption == Capability::Lacking {
        return None;
    }
    let store = harness.open().await;
    let source = source_file(harness, "adopted", b"mine");
    let files = vec![(
        stage_adopted(&store, 1, &source).await,
        path("artifacts/t/data"),
    )];
    let items = vec![item("adopting", files, Some("artifacts/t/record"))];
    let died = harness.publish_and_die(publication(1, items), Interruption::BeforeMarkers);
    if !brought_about(harness.capabilities().interruption, died.await) {
        return None;
    }
    let finder = harness.open().await;
    let intent = found_intent(&finder).await;
    assert_eq!(
        intent.items[0].adopted_from,
        Some(source.display().to_string())
    );
    Some((finder, intent, source))
}

/// An intent that was written only in part is removed when intents are asked for; whole ones stay.
pub async fn torn_intents_are_removed(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let items = vec![item("event", Vec::new(), Some("events/1.json"))];
    store
        .log
        .publish(&permit(), publication(1, items))
        .await
        .unwrap();
    let declared = harness.capabilities().torn_intents;
    if !brought_about(declared, harness.leave_torn_intent().await) {
        return;
    }
    assert_eq!(store.log.pending(Domain::Artifacts).await.unwrap(), 2);
    assert_eq!(found_intent(&store).await.id, publication_id(1));
    assert_eq!(store.log.pending(Domain::Artifacts).await.unwrap(), 1);
}

/// A publication whose caller went away keeps its permit until its work has ended; then every item is settled to all
/// its names or none.
pub async fn a_dropped_publication_ends_before_its_permit(harness: &dyn StoreHarness) {
    let store = harness.open().await;
    let mut items = Vec::new();
    for number in 1..=20 {
        items.push(full_item(&store, number, &number.to_string()).await);
    }
    let (held, gone) = watched_permit();
    {
        let mut work = Box::pin(store.log.publish(&held, publication(1, items.clone())));
        std::future::poll_fn(|context| {
            let _ = work.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    }
    drop(held);
    gone.wait().await;
    let finder = harness.open().await;
    for intent in finder.log.intents(&permit()).await.unwrap() {
        for item in &intent.items {
            finder.log.settle_item(&permit(), item).await.unwrap();
        }
        finder.log.finish(&permit(), intent.id).await.unwrap();
    }
    for (number, item) in (1..).zip(&items) {
        let marker = path(&format!("artifacts/{number}/event"));
        match finder.blobs.size(&marker).await.unwrap() {
            Some(_) => check_full_item(&finder, &i32::to_string(&number)).await,
            None => assert_absent(&finder, item).await,
        }
    }
}

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
