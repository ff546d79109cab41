//! What every `DomainLock` promises.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use artstore_core::backend::{Acquired, DomainLock, LockPermit};
use artstore_core::{Domain, ErrorKind, Result};
use async_trait::async_trait;

use super::{Capability, brought_about, expect_kind};

/// One place of locks, none of them held and no note in it.
#[async_trait]
pub trait LockHarness: Send + Sync {
    /// Another instance over the locks, as another process would have.
    async fn open(&self) -> Arc<dyn DomainLock>;

    /// What the harness can bring about.
    fn capabilities(&self) -> LockCapabilities;

    /// Makes the locks believe that the machine was started anew. No permit exists at that time.
    ///
    /// # Errors
    /// [`Unsupported`](artstore_core::ErrorKind::Unsupported) where it cannot.
    async fn reboot(&self) -> Result<()>;

    /// Obtains the lock in a process of its own, and ends that process while it holds it.
    ///
    /// # Errors
    /// As [`Self::reboot`].
    async fn die_holding(&self, domain: Domain) -> Result<()>;
}

/// What a [`LockHarness`] can bring about.
#[derive(Debug, Clone, Copy)]
pub struct LockCapabilities {
    /// [`LockHarness::reboot`].
    pub reboot: Capability,
    /// [`LockHarness::die_holding`].
    pub death: Capability,
}

impl LockCapabilities {
    /// Everything.
    pub const ALL: Self = Self {
        reboot: Capability::Present,
        death: Capability::Present,
    };
}

const DOMAIN: Domain = Domain::Artifacts;
/// Longer than any wait that should succeed.
const PATIENT: Duration = Duration::from_secs(60);
/// Short enough to wait for in vain.
const BRIEF: Duration = Duration::from_millis(30);

async fn acquire(lock: &Arc<dyn DomainLock>) -> Acquired {
    lock.acquire(DOMAIN, PATIENT)
        .await
        .expect("the lock becomes free")
}

async fn assert_held(lock: &Arc<dyn DomainLock>) {
    expect_kind(lock.acquire(DOMAIN, BRIEF).await, ErrorKind::Busy);
}

async fn leave(lock: &Arc<dyn DomainLock>, permit: &LockPermit, commits: u64) {
    lock.leave_commits(permit, commits)
        .await
        .expect("a holder leaves a note");
}

/// A free lock is obtained without any patience, with a permit of the domain that was asked for.
pub async fn a_free_lock_is_obtained_at_once(harness: &dyn LockHarness) {
    let lock = harness.open().await;
    for _ in 0..3 {
        let acquired = lock.acquire(DOMAIN, Duration::ZERO).await.unwrap();
        assert_eq!(acquired.permit.domain(), DOMAIN);
    }
}

/// A lock that is not free in time is busy, for other instances and for the one that holds it.
pub async fn a_held_lock_is_busy_after_patience(harness: &dyn LockHarness) {
    let (lock, other) = (harness.open().await, harness.open().await);
    let held = acquire(&lock).await;
    for waiter in [&lock, &other] {
        assert_held(waiter).await;
        expect_kind(
            waiter.acquire(DOMAIN, Duration::ZERO).await,
            ErrorKind::Busy,
        );
    }
    drop(held);
    acquire(&other).await;
}

/// At most one permit exists at a time, over all instances and all tasks, and every waiter gets its turn.
pub async fn one_permit_exists_at_a_time(harness: &dyn LockHarness) {
    let is_held = Arc::new(AtomicBool::new(false));
    let turns = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let instance = harness.open().await;
        for _ in 0..4 {
            let (lock, is_held, turns) = (
                Arc::clone(&instance),
                Arc::clone(&is_held),
                Arc::clone(&turns),
            );
            tasks.push(tokio::spawn(async move {
                for _ in 0..15 {
                    let acquired = acquire(&lock).await;
                    assert!(!is_held.swap(true, Ordering::SeqCst), "two permits at once");
                    for _ in 0..3 {
                        tokio::task::yield_now().await;
                    }
                    turns.fetch_add(1, Ordering::SeqCst);
                    is_held.store(false, Ordering::SeqCst);
                    drop(acquired);
                }
            }));
        }
    }
    for task in tasks {
        task.await.expect("every waiter gets its turn");
    }
    assert_eq!(turns.load(Ordering::SeqCst), 3 * 4 * 15);
}

/// Who waits gets the lock as soon as the holder lets go.
pub async fn a_waiter_gets_a_lock_that_is_freed(harness: &dyn LockHarness) {
    let (lock, other) = (harness.open().await, harness.open().await);
    for waiter in [lock.clone(), other] {
        let held = acquire(&lock).await;
        let mut waiting = Box::pin(async move { acquire(&waiter).await });
        // It begins to wait before the lock is freed.
        assert!(poll_once(&mut waiting).await.is_pending());
        drop(held);
        waiting.await;
    }
}

async fn poll_once<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Poll<T> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}

/// One who takes the lock over and over does not keep a waiter of another instance from it.
pub async fn waiters_do_not_starve(harness: &dyn LockHarness) {
    let (greedy, patient) = (harness.open().await, harness.open().await);
    let is_done = Arc::new(AtomicBool::new(false));
    let task = {
        let is_done = Arc::clone(&is_done);
        tokio::spawn(async move {
            while !is_done.load(Ordering::SeqCst) {
                let acquired = acquire(&greedy).await;
                tokio::task::yield_now().await;
                drop(acquired);
            }
        })
    };
    for _ in 0..5 {
        acquire(&patient).await;
    }
    is_done.store(true, Ordering::SeqCst);
    task.await.expect("the greedy one ends");
}

/// A waiter that gives up does not take the lock along, however far it got.
pub async fn a_dropped_waiter_frees_what_it_obtains(harness: &dyn LockHarness) {
    let (lock, other) = (harness.open().await, harness.open().await);
    for _ in 0..20 {
        let held = acquire(&lock).await;
        for waiter in [&lock, &other] {
            let mut waiting = waiter.acquire(DOMAIN, PATIENT);
            assert!(poll_once(&mut waiting).await.is_pending());
            drop(waiting);
        }
        let mut late = other.acquire(DOMAIN, PATIENT);
        assert!(poll_once(&mut late).await.is_pending());
        drop(held);
        // The lock may be on its way to the waiter now.
        drop(late);
        acquire(&lock).await;
        acquire(&other).await;
    }
}

/// The lock is held as long as any clone of its permit exists.
pub async fn clones_of_a_permit_keep_the_lock(harness: &dyn LockHarness) {
    let (lock, other) = (harness.open().await, harness.open().await);
    let acquired = acquire(&lock).await;
    let (first, second) = (acquired.permit.clone(), acquired.permit.clone());
    drop(acquired);
    assert_held(&other).await;
    drop(first);
    assert_held(&other).await;
    drop(second);
    acquire(&other).await;
}

/// The permit keeps the lock even where the instance that gave it is gone.
pub async fn a_permit_outlives_its_instance(harness: &dyn LockHarness) {
    let (lock, other) = (harness.open().await, harness.open().await);
    let acquired = acquire(&lock).await;
    drop(lock);
    assert_held(&other).await;
    drop(acquired);
    acquire(&other).await;
}

/// The death of the holder frees the lock.
pub async fn death_frees_the_lock(harness: &dyn LockHarness) {
    let lock = harness.open().await;
    let declared = harness.capabilities().death;
    if brought_about(declared, harness.die_holding(DOMAIN).await) {
        acquire(&lock).await;
    }
}

/// Where nobody left a commit counter there is none.
pub async fn there_is_no_counter_at_first(harness: &dyn LockHarness) {
    let lock = harness.open().await;
    assert_eq!(lock.last_commits(DOMAIN).await.unwrap(), None);
    assert_eq!(acquire(&lock).await.commits, None);
    assert_eq!(acquire(&lock).await.commits, None);
    assert_eq!(lock.last_commits(DOMAIN).await.unwrap(), None);
}

/// The next holder, of any instance, is told the counter that the last one left, whatever its size.
pub async fn the_next_holder_is_told_the_counter(harness: &dyn LockHarness) {
    let (lock, other) = (harness.open().await, harness.open().await);
    for commits in [0, 1, 10, 9, u64::MAX, 123_456_789_012, 5] {
        let acquired = acquire(&lock).await;
        leave(&lock, &acquired.permit, 77).await;
        leave(&lock, &acquired.permit, commits).await;
        drop(acquired);
        assert_eq!(acquire(&other).await.commits, Some(commits));
        assert_eq!(
            acquire(&lock).await.commits,
            Some(commits),
            "asking does not use it up"
        );
        assert_eq!(
            harness.open().await.last_commits(DOMAIN).await.unwrap(),
            Some(commits)
        );
    }
}

/// The counter is read without the lock while another holds it.
pub async fn the_counter_is_read_without_the_lock(harness: &dyn LockHarness) {
    let (lock, other) = (harness.open().await, harness.open().await);
    let acquired = acquire(&lock).await;
    assert_eq!(other.last_commits(DOMAIN).await.unwrap(), None);
    leave(&lock, &acquired.permit, 12).await;
    for instance in [&lock, &other] {
        assert_eq!(instance.last_commits(DOMAIN).await.unwrap(), Some(12));
    }
    assert_held(&other).await;
}

/// A counter that was left before the machine was last started is none.
pub async fn a_reboot_forgets_the_counter(harness: &dyn LockHarness) {
    let lock = harness.open().await;
    let acquired = acquire(&lock).await;
    leave(&lock, &acquired.permit, 12).await;
    drop(acquired);
    let declared = harness.capabilities().reboot;
    if !brought_about(declared, harness.reboot().await) {
        return;
    }
    let lock = harness.open().await;
    assert_eq!(lock.last_commits(DOMAIN).await.unwrap(), None);
    let acquired = acquire(&lock).await;
    assert_eq!(acquired.commits, None);
    leave(&lock, &acquired.permit, 13).await;
    drop(acquired);
    assert_eq!(acquire(&lock).await.commits, Some(13));
}
