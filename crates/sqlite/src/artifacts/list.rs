//! Lists: which statement finds a page with the least work, and its parameters.
//!
//! Every statement walks one index in the order of the list, so that a page needs no sorting and ends where it is full.

use artstore_core::artifact::{Artifact, ArtifactStatus, TimeSpan};
use artstore_core::backend::ArtifactQuery;
use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection};

use super::row::artifact;
use super::statements::{
    LIST_ACTIVE_BY_KEY, LIST_BY_CREATION, LIST_BY_STATUS, LIST_BY_STATUS_AND_TYPE, LIST_BY_TAG,
    LIST_BY_TYPE, LIST_INACTIVE_BY_KEY,
};
use super::value::status_number;
use crate::error::Failure;

pub(crate) fn list(
    connection: &Connection,
    query: &ArtifactQuery,
) -> Result<Vec<Artifact>, Failure> {
    let mut statement = connection.prepare_cached(access_path(query))?;
    for (name, value) in parameters(query) {
        bind(&mut statement, name, value)?;
    }
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(artifact(connection, row)?);
    }
    Ok(found)
}

/// The statement whose index narrows the walk most. The other conditions are tested on the way.
pub(super) fn access_path(query: &ArtifactQuery) -> &'static str {
    let filter = &query.filter;
    let has_type = filter.artifact_type.is_some();
    let is_active = filter.status == Some(ArtifactStatus::Active);
    let is_rare = filter.status.is_some() && !is_active;
    let leaves_out_active = is_rare || query.excluded_status == Some(ArtifactStatus::Active);
    let has_key = has_type && query.logical_key.is_some();
    if has_key && leaves_out_active {
        LIST_INACTIVE_BY_KEY
    } else if has_key && is_active {
        LIST_ACTIVE_BY_KEY
    } else if !filter.tags.is_empty() {
        LIST_BY_TAG
    } else if is_rare && has_type {
        LIST_BY_STATUS_AND_TYPE
    } else if is_rare {
        LIST_BY_STATUS
    } else if has_type {
        LIST_BY_TYPE
    } else {
        LIST_BY_CREATION
    }
}

/// Every parameter of any of the statements.
fn parameters(query: &ArtifactQuery) -> [(&'static str, Value); 14] {
    let filter = &query.filter;
    let (before_time, before_id) = upper_bound(query);
    let (tag_key, tag_value) = filter.tags.pairs().next().unzip();
    let status = filter.status.map(status_number);
    let excluded_status = query.excluded_status.map(status_number);
    let (overlaps_from, overlaps_before) = filter.overlaps.as_ref().map(span_ends).unzip();
    let prefix = filter
        .key_prefix
        .as_ref()
        .map(|prefix| prefix.as_bytes().to_vec());
    [
        (
            ":artifact_type",
            text(filter.artifact_type.as_ref().map(|name| name.as_str())),
        ),
        (
            ":logical_key",
            text(query.logical_key.as_ref().map(|key| key.as_str())),
        ),
        (":status", status.into()),
        (":excluded_status", excluded_status.into()),
        (":overlaps_from", overlaps_from.into()),
        (":overlaps_before", overlaps_before.into()),
        (":key_prefix", prefix.into()),
        (":tag_key", text(tag_key)),
        (":tag_value", text(tag_value)),
        (":tags", text(all_tags(query).as_deref())),
        (":created_from", lower_bound(query).into()),
        (":before_time", before_time.into()),
        (":before_id", before_id.into()),
        (":limit", i64::from(query.limit).into()),
    ]
}

fn text(text: Option<&str>) -> Value {
    text.map(str::to_owned).into()
}

/// An open end is one that every time is inside of.
fn span_ends(span: &TimeSpan) -> (i64, i64) {
    (
        span.from
            .map_or(i64::MIN, |time| time.as_unix_milliseconds()),
        span.before
            .map_or(i64::MAX, |time| time.as_unix_milliseconds()),
    )
}

fn lower_bound(query: &ArtifactQuery) -> i64 {
    query
        .filter
        .created_from
        .map_or(i64::MIN, |time| time.as_unix_milliseconds())
}

/// The (time, id) that every artifact of the page is before: the cursor or the end of the period, whichever is earlier.
fn upper_bound(query: &ArtifactQuery) -> (i64, Vec<u8>) {
    let cursor = query.after.map(|cursor| {
        (
            cursor.created_at.as_unix_milliseconds(),
            cursor.id.as_uuid().as_bytes().to_vec(),
        )
    });
    // No id comes before the empty blob, so nothing of that very millisecond does.
    let end = query
        .filter
        .created_before
        .map(|time| (time.as_unix_milliseconds(), Vec::new()));
    cursor
        .into_iter()
        .chain(end)
        .min()
        .unwrap_or((i64::MAX, Vec::new()))
}

/// The tags as a JSON array of pairs, where the index does not answer for all of them.
fn all_tags(query: &ArtifactQuery) -> Option<String> {
    let pairs: Vec<(&str, &str)> = query.filter.tags.pairs().collect();
    let answered = usize::from(access_path(query) == LIST_BY_TAG);
    (pairs.len() > answered).then(|| serde_json::json!(pairs).to_string())
}

/// Binds a parameter that only some of the statements have.
fn bind(statement: &mut CachedStatement<'_>, name: &str, value: Value) -> Result<(), Failure> {
    if let Some(position) = statement.parameter_index(name)? {
        statement.raw_bind_parameter(position, value)?;
    }
    Ok(())
}
