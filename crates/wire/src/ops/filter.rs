//! Filters and pages of lists.

use artstore_core::Error;
use artstore_core::artifact::ArtifactFilter;
use artstore_core::page::{Cursor, PageRequest};
use artstore_core::time::Timestamp;
use serde_json::Value;

use super::error::Fault;
use super::fields::{Fields, Spelling, tags};

const KNOWN: &[&str] = &[
    "artifact_type",
    "status",
    "tags",
    "min_created_at",
    "max_created_at",
    "key_prefix",
    "overlaps",
    LIMIT,
];

const LIMIT: &str = "limit";

/// A day less a millisecond.
const TO_THE_END_OF_A_DAY: i64 = 24 * 60 * 60 * 1000 - 1;

/// The filter and the first page that `value` asks for. What is false, zero or empty does not filter.
pub(super) fn filter(value: Option<Value>) -> Result<(ArtifactFilter, PageRequest), Fault> {
    let Some(value) = value else {
        return Ok(Default::default());
    };
    // Whatever is given as a limit must be one, also null.
    let limit = value.get(LIMIT).cloned();
    let mut fields = Fields::new(value, "filter", Spelling::Camel, KNOWN)?;
    let tags = match fields.any_but_empty("tags") {
        Some(value) => tags(value, "filter.tags")?,
        None => Default::default(),
    };
    let filter = ArtifactFilter {
        artifact_type: parsed(&mut fields, "artifact_type")?,
        status: parsed(&mut fields, "status")?,
        tags,
        key_prefix: text(&mut fields, "key_prefix")?,
        created_from: parsed(&mut fields, "min_created_at")?,
        created_before: created_before(&mut fields)?,
        overlaps: parsed(&mut fields, "overlaps")?,
    };
    let first = limit.map(first_page).transpose()?;
    Ok((filter, first.unwrap_or_default()))
}

fn text(fields: &mut Fields, name: &'static str) -> Result<Option<String>, Fault> {
    match fields.any_but_empty(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(fields.wrong_type(name, "a text", &other)),
    }
}

fn parsed<T>(fields: &mut Fields, name: &'static str) -> Result<Option<T>, Fault>
where
    T: std::str::FromStr<Err = Error>,
{
    let text = text(fields, name)?;
    text.map(|text| fields.read(name, &text)).transpose()
}

/// The first time after the last one that is asked for: a date means its whole day, a time its whole millisecond.
fn created_before(fields: &mut Fields) -> Result<Option<Timestamp>, Fault> {
    const NAME: &str = "max_created_at";
    let Some(text) = text(fields, NAME)? else {
        return Ok(None);
    };
    let given: Timestamp = fields.read(NAME, &text)?;
    let is_date = text.len() == "2026-11-20".len();
    let last = given.as_unix_milliseconds() + if is_date { TO_THE_END_OF_A_DAY } else { 0 };
    // Nothing is created after the last time that can be told.
    Ok(Timestamp::from_unix_milliseconds(last + 1).ok())
}

fn first_page(given: Value) -> Result<PageRequest, Fault> {
    let number = given.as_u64().and_then(|number| u32::try_from(number).ok());
    number
        .and_then(|number| PageRequest::first(number).ok())
        .ok_or_else(|| {
            let most = PageRequest::MAX_LIMIT;
            let message = format!("Invalid limit value: {given} (must be between 1 and {most})");
            Fault::of_class("ValueError", Error::invalid(message))
        })
}

/// What a request says about the page that it asks for.
#[derive(Debug)]
pub(super) struct PageFields {
    /// The first page, if it is said how many are on one.
    first: Option<PageRequest>,
    after: Option<Cursor>,
}

impl PageFields {
    /// The page, of as many as `first` where nothing else is said.
    pub(super) fn request(self, first: PageRequest) -> PageRequest {
        let first = self.first.unwrap_or(first);
        match self.after {
            Some(cursor) => first.after(cursor),
            None => first,
        }
    }
}

/// The page that `value` asks for; `None` for no page at all.
pub(super) fn page(value: Option<Value>) -> Result<Option<PageFields>, Fault> {
    let Some(value) = value else {
        return Ok(None);
    };
    let mut fields = Fields::new(value, "page", Spelling::Camel, &["after", LIMIT])?;
    Ok(Some(PageFields {
        first: fields.any(LIMIT).map(first_page).transpose()?,
        after: fields.parsed("after")?,
    }))
}
