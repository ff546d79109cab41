use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use artstore_core::ErrorKind;
use artstore_core::backend::DomainLock as _;

use super::*;
use crate::FsLock;

const LONG: Duration = Duration::from_secs(600);
const DOMAIN: Domain = Domain::Artifacts;

fn lock(world: &World) -> Arc<FsLock> {
    FsLock::new(Arc::new(RealVfs::new(world.at(""))))
}

#[tokio::test]
async fn one_permit_at_a_time_over_all_instances() {
    let world = World::new().await;
    let (one, two) = (lock(&world), lock(&world));
    let held = one.acquire(DOMAIN, LONG).await.unwrap();
    for instance in [&one, &two] {
        let error = instance.acquire(DOMAIN, Duration::ZERO).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.hint_text().is_some());
    }
    let clone = held.permit.clone();
    drop(held);
    let still = two.acquire(DOMAIN, Duration::from_millis(5)).await;
    assert_eq!(still.unwrap_err().kind(), ErrorKind::Busy);
    drop(clone);
    // What the impatient left behind frees itself.
    two.acquire(DOMAIN, LONG).await.unwrap();
    one.acquire(DOMAIN, LONG).await.unwrap();
    assert!(one.acquire(DOMAIN, Duration::ZERO).await.is_ok());
}

#[tokio::test]
async fn who_stops_waiting_leaves_the_lock_free() {
    let world = World::new().await;
    let (one, two) = (lock(&world), lock(&world));
    let held = one.acquire(DOMAIN, LONG).await.unwrap();
    for _ in 0..3 {
        let mut waiting = Box::pin(two.acquire(DOMAIN, LONG));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        tokio::task::yield_now().await;
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    }
    drop(held);
    one.acquire(DOMAIN, LONG).await.unwrap();
    two.acquire(DOMAIN, LONG).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_never_meet_and_none_starves() {
    let world = World::new().await;
    let inside = Arc::new(AtomicU32::new(0));
    let mut writers = Vec::new();
    let instances = [lock(&world), lock(&world), lock(&world)];
    for number in 0..9 {
        let (instance, inside) = (Arc::clone(&instances[number % 3]), Arc::clone(&inside));
        writers.push(tokio::spawn(async move {
            for _ in 0..30 {
                let held = instance.acquire(DOMAIN, LONG).await.unwrap();
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                drop(held);
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn the_commit_counter_is_left_for_the_next_holder() {
    let world = World::new().await;
    let (one, two) = (lock(&world), lock(&world));
    assert_eq!(one.last_commits(DOMAIN).await.unwrap(), None);
    let held = one.acquire(DOMAIN, LONG).await.unwrap();
    assert_eq!(held.commits, None);
    one.leave_commits(&held.permit, u64::MAX).await.unwrap();
    one.leave_commits(&held.permit, 7).await.unwrap();
    assert_eq!(two.last_commits(DOMAIN).await.unwrap(), Some(7));
    let foreign = two.leave_commits(&held.permit, 8).await;
    assert_eq!(foreign.unwrap_err().kind(), ErrorKind::Internal);
    drop(held);
    let held = two.acquire(DOMAIN, LONG).await.unwrap();
    assert_eq!(held.commits, Some(7));
}

#[tokio::test]
async fn a_note_of_another_start_or_a_damaged_one_is_not_believed() {
    let world = World::new().await;
    let one = lock(&world);
    let held = one.acquire(DOMAIN, LONG).await.unwrap();
    one.leave_commits(&held.permit, 7).await.unwrap();
    drop(held);
    let file = world.at("locks/artifacts.lock");
    let note = std::fs::read_to_string(&file).unwrap();
    assert_eq!(note.len(), 58);
    let other_start = format!("{}{}", Uuid::now_v7(), &note[36..]);
    let too_few_digits = format!("{} 7\n", &note[..36]);
    for wrong in [
        &too_few_digits,
        &other_start,
        &note[..57],
        &note.replace('7', "x"),
        "",
        &format!("{note}\n"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        assert_eq!(one.last_commits(DOMAIN).await.unwrap(), None, "{wrong:?}");
        assert_eq!(one.acquire(DOMAIN, LONG).await.unwrap().commits, None);
    }
    std::fs::write(&file, &note).unwrap();
    assert_eq!(one.last_commits(DOMAIN).await.unwrap(), Some(7));
}

#[tokio::test]
async fn a_vanished_root_cannot_be_locked() {
    let world = World::new().await;
    let one = lock(&world);
    drop(one.acquire(DOMAIN, LONG).await.unwrap());
    std::fs::remove_dir_all(world.at("")).unwrap();
    let error = one.acquire(DOMAIN, LONG).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = one.last_commits(DOMAIN).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
