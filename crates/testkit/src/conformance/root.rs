//! What every `StoreRoot` promises.

use std::sync::Arc;

use artstore_core::ErrorKind;
use artstore_core::backend::{RootState, StoreRoot};
use async_trait::async_trait;
use bytes::Bytes;

use super::expect_kind;

/// A place that is no store yet and has nothing in it.
#[async_trait]
pub trait RootHarness: Send + Sync {
    /// Another instance over the place, as another process would have.
    async fn open(&self) -> Arc<dyn StoreRoot>;

    /// Puts a file called `name` directly into the place, as a user would.
    async fn place_file(&self, name: &str);
}

fn document(text: &str) -> Bytes {
    Bytes::from(format!("{{\"store\": \"{text}\"}}\n"))
}

/// A place with nothing in it is empty, and looking at it leaves it so.
pub async fn nothing_is_empty(harness: &dyn RootHarness) {
    for _ in 0..2 {
        let root = harness.open().await;
        assert_eq!(root.state().await.unwrap(), RootState::Empty);
        assert_eq!(root.state().await.unwrap(), RootState::Empty);
    }
}

/// Initialising makes an empty place a store with the document, for every instance.
pub async fn initialising_makes_a_store(harness: &dyn RootHarness) {
    let root = harness.open().await;
    assert_eq!(
        root.initialize(document("one")).await.unwrap(),
        document("one")
    );
    assert_eq!(
        root.state().await.unwrap(),
        RootState::Store(document("one"))
    );
    let other = harness.open().await;
    assert_eq!(
        other.state().await.unwrap(),
        RootState::Store(document("one"))
    );
}

/// Initialising again answers the document that is there, whatever was handed in, and changes nothing.
pub async fn initialising_again_answers_the_first_document(harness: &dyn RootHarness) {
    let first = harness.open().await;
    first.initialize(document("one")).await.unwrap();
    let second = harness.open().await;
    for root in [&first, &second] {
        assert_eq!(
            root.initialize(document("two")).await.unwrap(),
            document("one")
        );
        assert_eq!(
            root.state().await.unwrap(),
            RootState::Store(document("one"))
        );
    }
}

/// Of many initialisers at once one wins, and all get its document.
pub async fn all_initialisers_get_one_document(harness: &dyn RootHarness) {
    let mut tasks = Vec::new();
    let barrier = Arc::new(tokio::sync::Barrier::new(8));
    for number in 0..8 {
        let (root, barrier) = (harness.open().await, Arc::clone(&barrier));
        tasks.push(tokio::spawn(async move {
            barrier.wait().await;
            root.initialize(document(&format!("number {number}")))
                .await
                .unwrap()
        }));
    }
    let RootState::Store(there) = ({
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        let state = harness.open().await.state().await.unwrap();
        for answer in answers {
            assert_eq!(RootState::Store(answer), state);
        }
        state
    }) else {
        panic!("the place is a store afterwards");
    };
    assert!((0..8).any(|number| there == document(&format!("number {number}"))));
}

/// A place with other things in it is foreign, one of them is named, and it is not made a store.
pub async fn foreign_places_are_left_alone(harness: &dyn RootHarness) {
    harness.place_file("thesis.txt").await;
    let root = harness.open().await;
    let foreign = RootState::Foreign("thesis.txt".to_owned());
    assert_eq!(root.state().await.unwrap(), foreign);
    expect_kind(root.initialize(document("one")).await, ErrorKind::Conflict);
    assert_eq!(root.state().await.unwrap(), foreign);
}

/// A store with other things in it is still a store.
pub async fn a_store_with_other_things_is_a_store(harness: &dyn RootHarness) {
    let root = harness.open().await;
    root.initialize(document("one")).await.unwrap();
    harness.place_file("thesis.txt").await;
    assert_eq!(
        root.state().await.unwrap(),
        RootState::Store(document("one"))
    );
    assert_eq!(
        root.initialize(document("two")).await.unwrap(),
        document("one")
    );
}

/// A root has a name for messages, the same in every instance.
pub async fn a_root_has_a_name(harness: &dyn RootHarness) {
    let name = harness.open().await.describe();
    assert!(!name.is_empty());
    assert_eq!(harness.open().await.describe(), name);
}
