//! Group commit without a timer.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};

/// Makes one group at a time of whatever queued while the last group was made.
#[derive(Debug)]
pub(super) struct Committer<T> {
    state: Mutex<State<T>>,
    /// A group is done: its waiters leave, and one of the others leads the next.
    done: Condvar,
}

#[derive(Debug)]
struct State<T> {
    queue: Vec<T>,
    /// How many items were ever queued, and how many of them, in this order, were committed.
    queued: u64,
    committed: u64,
    is_led: bool,
    has_failed: bool,
}

impl<T> Committer<T> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                queue: Vec::new(),
                queued: 0,
                committed: 0,
                is_led: false,
                has_failed: false,
            }),
            done: Condvar::new(),
        }
    }

    /// Returns when `item` was part of a group that `commit` has committed, here or in another thread. After a failed group
    /// everybody fails.
    pub(super) fn commit(&self, item: T, commit: impl FnOnce(Vec<T>) -> Result<()>) -> Result<()> {
        let mut state = self.lock();
        state.queue.push(item);
        state.queued += 1;
        let ticket = state.queued;
        while state.is_led && state.committed < ticket && !state.has_failed {
            state = self
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.has_failed {
            bail!("an earlier group failed");
        }
        if state.committed >= ticket {
            return Ok(());
        }

        state.is_led = true;
        let group = mem::take(&mut state.queue);
        let last = state.queued;
        drop(state);
        let outcome = commit(group);

        let mut state = self.lock();
        state.is_led = false;
        state.committed = last;
        state.has_failed = outcome.is_err();
        drop(state);
        self.done.notify_all();
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn everything_is_committed_once_before_its_publisher_returns() {
        let committer = Committer::new();
        let log: Mutex<Vec<usize>> = Mutex::default();
        thread::scope(|scope| {
            for publisher in 0..8 {
                let (committer, log) = (&committer, &log);
                scope.spawn(move || {
                    for n in 0..200 {
                        let item = publisher * 1000 + n;
                        let append = |group| {
                            log.lock().unwrap().extend::<Vec<usize>>(group);
                            Ok(())
                        };
                        committer.commit(item, append).unwrap();
                        assert!(log.lock().unwrap().contains(&item));
                    }
                });
            }
        });
        let mut log = log.into_inner().unwrap();
        log.sort_unstable();
        let expected: Vec<usize> = (0..8)
            .flat_map(|p| (0..200).map(move |n| p * 1000 + n))
            .collect();
        assert_eq!(log, expected);
    }

    #[test]
    fn what_queues_while_a_group_runs_is_the_next_group() {
        let committer = Committer::new();
        let sizes: Mutex<Vec<usize>> = Mutex::default();
        let (started, may_finish) = (Barrier::new(2), Barrier::new(2));
        let commit_group = |group: Vec<usize>| {
            sizes.lock().unwrap().push(group.len());
            Ok(())
        };
        let commit_slowly = |group| {
            started.wait();
            may_finish.wait();
            commit_group(group)
        };
        thread::scope(|scope| {
            scope.spawn(|| committer.commit(0, commit_slowly).unwrap());
            started.wait();
            for item in 1..=3 {
                let (committer, commit_group) = (&committer, &commit_group);
                scope.spawn(move || committer.commit(item, commit_group).unwrap());
            }
            while committer.lock().queued < 4 {
                thread::yield_now();
            }
            may_finish.wait();
        });
        assert_eq!(sizes.into_inner().unwrap(), [1, 3]);
    }

    #[test]
    fn nobody_succeeds_after_a_failed_group() {
        let committer = Committer::new();
        committer.commit(1, |_| bail!("disk full")).unwrap_err();
        committer.commit(2, |_| Ok(())).unwrap_err();
    }
}
