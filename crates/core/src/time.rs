//! Points in time: UTC, RFC 3339, millisecond precision.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// A point in time in UTC with millisecond precision, from year 0000 to the last but one day of 9999.
///
/// The text form is RFC 3339 with exactly three decimals and `Z`: `2026-11-20T09:30:00.000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The point in time `milliseconds` after 1970-01-01T00:00:00Z (before it, if negative).
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) outside the years 0000 to 9999.
    pub fn from_unix_milliseconds(milliseconds: i64) -> Result<Self> {
        jiff::Timestamp::from_millisecond(milliseconds)
            .map_err(|_| Error::invalid("time out of range").with("milliseconds", milliseconds))
            .and_then(Self::in_range)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_unix_milliseconds(&self) -> i64 {
        self.0.as_millisecond()
    }

    /// The date in UTC as `YYYY-MM-DD`.
    pub fn date(&self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }

    /// The month in UTC as `YYYY-MM`.
    pub fn month(&self) -> String {
        self.0.strftime("%Y-%m").to_string()
    }

    fn in_range(value: jiff::Timestamp) -> Result<Self> {
        let year = value.to_zoned(jiff::tz::TimeZone::UTC).year();
        if !(0..=9999).contains(&year) {
            return Err(Error::invalid("time out of range").with("time", value));
        }
        Ok(Self(value))
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads RFC 3339 with any offset (converted to UTC, cut to milliseconds), or a date (its midnight in UTC).
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || {
            Error::invalid("not a valid time")
                .with("given", text.escape_debug())
                .hint("write a time as 2026-11-20T09:30:00Z or a date as 2026-11-20")
        };
        let instant = match text.parse::<jiff::Timestamp>() {
            Ok(instant) => instant,
            Err(_) if text.len() == 10 => {
                format!("{text}T00:00:00Z").parse().map_err(|_| invalid())?
            }
            Err(_) => return Err(invalid()),
        };
        Self::from_unix_milliseconds(instant.as_millisecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        let time: Timestamp = input.parse().unwrap();
        assert_eq!(time.to_string(), expected, "{input}");
    }

    #[test]
    fn times_are_normalised_to_utc_milliseconds() {
        check("2026-11-20T09:30:00Z", "2026-11-20T09:30:00.000Z");
        check("2026-11-20T09:30:00.1239Z", "2026-11-20T09:30:00.123Z");
        check("2026-11-20T09:30:00+02:00", "2026-11-20T07:30:00.000Z");
        check("2026-11-20", "2026-11-20T00:00:00.000Z");
        check("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn other_texts_are_invalid() {
        for wrong in [
            "",
            "yesterday",
            "2026-11-20T09:30:00",
            "2026-13-01",
            "-0001-01-01T00:00:00Z",
        ] {
            assert!(wrong.parse::<Timestamp>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn date_and_month_are_in_utc() {
        let time: Timestamp = "2026-12-31T23:30:00-02:00".parse().unwrap();
        assert_eq!(
            (time.date(), time.month()),
            ("2027-01-01".into(), "2027-01".into())
        );
    }
}
