//! A clock that is set by hand and ids that count up.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use artstore_core::backend::{Clock, IdSource};
use artstore_core::time::Timestamp;
use uuid::Uuid;

/// Milliseconds of 2026-11-20T09:30:00Z, where clocks and ids of the test kit begin.
pub const START_MILLISECONDS: i64 = 1_795_167_000_000;

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `time`.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_unix_milliseconds()))
    }

    /// Sets the clock, backwards as well.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_unix_milliseconds(), Ordering::SeqCst);
    }

    /// Moves the clock on by `duration`, counted in whole milliseconds.
    pub fn advance(&self, duration: Duration) {
        let milliseconds =
            i64::try_from(duration.as_millis()).expect("a test lasts less than that");
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// A clock at 2026-11-20T09:30:00Z.
    fn default() -> Self {
        Self(AtomicI64::new(START_MILLISECONDS))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_milliseconds(self.0.load(Ordering::SeqCst)).expect("a time in range")
    }
}

/// Ids with the shape of UUIDv7 that count up: the same in every run of a test.
#[derive(Debug)]
pub struct SequentialIds(AtomicU64);

impl SequentialIds {
    /// Ids from `first` on. Sources in one test that must not give the same ids start far apart.
    pub fn starting_at(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

impl Default for SequentialIds {
    fn default() -> Self {
        Self::starting_at(1)
    }
}

impl IdSource for SequentialIds {
    fn next_id(&self) -> Uuid {
        sequential_id(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// The `number`th id: greater numbers give greater ids. Numbers have at most 62 bits.
pub fn sequential_id(number: u64) -> Uuid {
    assert!(number < 1 << 62, "an id number has at most 62 bits");
    let milliseconds = u128::try_from(START_MILLISECONDS).expect("a time after 1970");
    let version = 7u128 << 76;
    let variant = 2u128 << 62;
    Uuid::from_u128(milliseconds << 80 | version | variant | u128::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuid_v7_and_rise() {
        let ids = SequentialIds::default();
        let (first, second) = (ids.next_id(), ids.next_id());
        assert!(first < second);
        assert_eq!(first.get_version_num(), 7);
        assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn the_clock_moves_when_told() {
        let clock = ManualClock::default();
        assert_eq!(clock.now().to_string(), "2026-11-20T09:30:00.000Z");
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now().to_string(), "2026-11-20T09:30:01.500Z");
        clock.set("2020-01-01".parse().unwrap());
        assert_eq!(clock.now().date(), "2020-01-01");
    }
}
