//! Many tasks in one process.

use std::collections::BTreeSet;
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::backend::DomainLock;
use artstore_core::id::ArtifactId;
use artstore_testkit::faults::NoLock;
use artstore_tests::crowd::Crowd;
use artstore_tests::store::{LocalStore, Wrapping};
use artstore_tests::trial::Trial;
use futures_util::future::join_all;

use crate::support::{check_clean, left_over};

const CROWD: Crowd = Crowd {
    members: 64,
    publishes: 20,
};

/// What is wrong after all members have published, each by one of the `stores`.
async fn differences(stores: &[LocalStore]) -> Result<Vec<String>> {
    let tasks = CROWD.members().enumerate().map(|(place, member)| {
        let port = stores[place % stores.len()].artifacts();
        tokio::spawn(async move {
            let mut told = Vec::new();
            for number in 0..CROWD.publishes {
                told.push(member.publish(&*port, number).await?);
            }
            Ok(told)
        })
    });
    let mut told = BTreeSet::<ArtifactId>::new();
    for ended in join_all(tasks).await {
        told.extend(ended.unwrap()?);
    }
    CROWD.differences(&*stores[0].artifacts(), &told).await
}

async fn check_tasks() {
    let trial = Trial::new();
    let store = [trial.open().await];
    let wrong = differences(&store).await.unwrap();
    assert_eq!(wrong, Vec::<String>::new());
    store[0].close().await;
    assert_eq!(left_over(&trial), Vec::<String>::new());
    drop(store);
    check_clean(&trial).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_tasks_on_four_threads() {
    check_tasks().await;
}

#[tokio::test]
async fn sixty_four_tasks_on_one_thread() {
    check_tasks().await;
}

/// A harness that does not notice that nothing is locked proves nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_lock_the_crowd_is_not_whole() {
    for _ in 0..20 {
        let trial = Trial::new();
        let lock = NoLock::new();
        let mut stores = Vec::new();
        for _ in 0..2 {
            let instance: Arc<dyn DomainLock> = Arc::new(lock.instance());
            let wrapping = Wrapping {
                lock: Box::new(move |_| instance),
                ..Wrapping::default()
            };
            let store = LocalStore::open_wrapped(&trial.root(), wrapping).await;
            stores.push(store.unwrap());
        }
        if !differences(&stores)
            .await
            .is_ok_and(|wrong| wrong.is_empty())
        {
            return;
        }
    }
    panic!("nobody noticed that nothing is locked");
}
