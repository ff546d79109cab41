//! The real clock and the real source of ids.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use artstore_core::backend::{Clock, IdSource};
use artstore_core::time::Timestamp;
use uuid::{ContextV7, Uuid};

/// The last whole second that a [`Timestamp`] can tell, to its end.
const LAST_MILLISECOND: i64 = 253_402_207_199_999;

/// The clock of the machine. Times that a [`Timestamp`] cannot tell are told as the nearest one it can.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::expect_used, reason = "every time in this range is valid")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let milliseconds = i64::try_from(since_epoch.as_millis()).unwrap_or(LAST_MILLISECOND);
        Timestamp::from_unix_milliseconds(milliseconds.min(LAST_MILLISECOND))
            .expect("the range is valid")
    }
}

/// Random UUIDv7 ids. Those of one source rise, also within a millisecond.
pub struct UuidV7Ids {
    context: Mutex<ContextV7>,
}

impl Default for UuidV7Ids {
    fn default() -> Self {
        Self {
            context: Mutex::new(ContextV7::new()),
        }
    }
}

impl fmt::Debug for UuidV7Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UuidV7Ids")
    }
}

impl IdSource for UuidV7Ids {
    fn next_id(&self) -> Uuid {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(uuid::Timestamp::now(&*context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise() {
        let ids = UuidV7Ids::default();
        let made: Vec<_> = (0..1000).map(|_| ids.next_id()).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn the_clock_tells_this_century() {
        let now = SystemClock.now().to_string();
        assert!(now.starts_with("20"), "{now}");
        assert!(Timestamp::from_unix_milliseconds(LAST_MILLISECOND).is_ok());
    }
}
