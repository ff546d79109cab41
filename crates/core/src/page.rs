//! Keyset pages: a page names the place after which the next one starts.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::id::ArtifactId;
use crate::time::Timestamp;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last page.
    pub next: Option<Cursor>,
}

/// How many items to return, and after which place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    limit: u32,
    after: Option<Cursor>,
}

impl PageRequest {
    /// The number of items of a page where none is given.
    pub const DEFAULT_LIMIT: u32 = 100;
    /// The greatest number of items of a page.
    pub const MAX_LIMIT: u32 = 10_000;

    /// The first page of `limit` items.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) unless `limit` is between 1 and [`Self::MAX_LIMIT`].
    pub fn first(limit: u32) -> Result<Self> {
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            return Err(Error::invalid("the page limit is out of range")
                .with("limit", limit)
                .with("allowed", format_args!("1 to {}", Self::MAX_LIMIT)));
        }
        Ok(Self { limit, after: None })
    }

    /// The first page of `limit` items, which is known to be in range.
    pub(crate) const fn of_valid_limit(limit: u32) -> Self {
        Self { limit, after: None }
    }

    /// The same number of items, after `cursor`.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// The greatest number of items to return.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The place after which the page starts.
    pub fn cursor(&self) -> Option<Cursor> {
        self.after
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: Self::DEFAULT_LIMIT,
            after: None,
        }
    }
}

/// A place in a list that is ordered by creation: the last item seen. In a list that shows active artifacts before the
/// others, both parts are ordered so.
///
/// Its text form is opaque to users. It stays valid while things are added, and names no item that must still exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// When the last item seen was created.
    pub created_at: Timestamp,
    /// The id of the last item seen.
    pub id: ArtifactId,
    /// Which part of the list the last item seen was in.
    pub part: ListPart,
}

/// A part of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListPart {
    /// The first part, or the only one.
    #[default]
    First,
    /// What comes after the active artifacts.
    Inactive,
}

/// The end of a cursor in the second part of a list.
const INACTIVE: &str = ".inactive";

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            ListPart::First => "",
            ListPart::Inactive => INACTIVE,
        };
        let milliseconds = self.created_at.as_unix_milliseconds();
        write!(f, "{milliseconds}.{}{part}", self.id)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once('.').and_then(|(milliseconds, id)| {
            let created_at = Timestamp::from_unix_milliseconds(milliseconds.parse().ok()?).ok()?;
            let (id, part) = match id.strip_suffix(INACTIVE) {
                Some(id) => (id, ListPart::Inactive),
                None => (id, ListPart::First),
            };
            Some(Self {
                created_at,
                id: id.parse().ok()?,
                part,
            })
        });
        parsed.ok_or_else(|| {
            Error::invalid("not a valid page cursor")
                .with("given", text.escape_debug())
                .hint("pass the `next` of the page before, unchanged")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_their_text_form() {
        for part in [ListPart::First, ListPart::Inactive] {
            let cursor = Cursor {
                created_at: "2026-11-20T09:30:00.123Z".parse().unwrap(),
                id: "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap(),
                part,
            };
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
        for wrong in ["", ".", "1.", "x.01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn limits_are_bounded() {
        assert!(PageRequest::first(0).is_err());
        assert!(PageRequest::first(10_001).is_err());
        assert_eq!(PageRequest::first(10_000).unwrap().limit(), 10_000);
    }
}
