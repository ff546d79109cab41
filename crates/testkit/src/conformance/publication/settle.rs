use std::future::Future as _;
use std::task::Poll;

use artstore_core::Domain;
use artstore_core::backend::SettledItem;
use artstore_core::format::Intent;
use artstore_core::layout::QUARANTINE;
use artstore_core::path::RelPath;

use super::{assert_absent, check_full_item, full_item, item, publication};
use crate::conformance::blobs::{OpenStore, StoreHarness, read, source_file, stage_adopted};
use crate::conformance::{Capability, brought_about};
use crate::memory::Interruption;
use crate::samples::{path, permit, publication_id, watched_permit};

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
