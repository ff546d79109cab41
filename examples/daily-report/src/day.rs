use std::fmt;
use std::str::FromStr;

use artstore_core::key::LogicalKey;
use artstore_core::time::Timestamp;
use artstore_core::{Error, Result};

/// A day, written `2026-11-20`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(String);

impl Day {
    /// What the artifacts of this day are about.
    pub(crate) fn key(&self) -> Result<LogicalKey> {
        LogicalKey::new(format!("day={self}"))
    }

    /// The day that an artifact is about.
    pub(crate) fn of_key(key: &LogicalKey) -> Result<Self> {
        let day = key.as_str().strip_prefix("day=").unwrap_or_default();
        day.parse()
            .map_err(|error: Error| error.with("key", key.as_str().escape_debug()))
    }
}

impl FromStr for Day {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // Midnight of a day is written with nothing but its date.
        let midnight: Timestamp = text.parse()?;
        if midnight.date() != text {
            return Err(Error::invalid("not a day")
                .with("given", text)
                .hint("write a day as 2026-11-20"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_found_in_its_key() {
        let day: Day = "2026-11-20".parse().unwrap();
        assert_eq!(day.key().unwrap().as_str(), "day=2026-11-20");
        assert_eq!(Day::of_key(&day.key().unwrap()).unwrap(), day);
        for wrong in ["", "yesterday", "2026-11-31", "2026-11-20T00:00:00Z"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
