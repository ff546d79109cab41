//! Queries other than lists and walks.

use std::collections::HashSet;

use artstore_core::artifact::{Artifact, DedupScope};
use artstore_core::backend::{ArtifactEventRow, CatalogHead, EventRef};
use artstore_core::digest::Digest;
use artstore_core::id::{ArtifactId, StoreId};
use artstore_core::maintenance::ArtifactCounts;
use artstore_core::time::Timestamp;
use rusqlite::{Connection, Row, named_params};

use super::row::{Uuid16, artifacts};
use super::statements::{COUNTS, FIND, FIND_KEY, HEAD, MAY_HAVE_ACTIVE_OF_SIZE, SCAN, SCAN_EVENTS};
use super::value::{kind_number, op_id, to_unsigned};
use crate::error::Failure;

pub(crate) fn head(connection: &Connection) -> Result<CatalogHead, Failure> {
    let mut statement = connection.prepare_cached(HEAD)?;
    let (store_id, commits, last_event) = statement.query_row([], |row| {
        Ok((row.get::<_, Uuid16>(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(CatalogHead {
        store_id: StoreId::from_uuid(store_id.0),
        commits: to_unsigned(commits)?,
        last_event: to_unsigned(last_event)?,
    })
}

pub(crate) fn counts(connection: &Connection) -> Result<ArtifactCounts, Failure> {
    let mut statement = connection.prepare_cached(COUNTS)?;
    let numbers: [i64; 4] = statement.query_row([], |row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
    })?;
    let [active, superseded, tombstoned, bytes] = numbers;
    Ok(ArtifactCounts {
        active: to_unsigned(active)?,
        superseded: to_unsigned(superseded)?,
        tombstoned: to_unsigned(tombstoned)?,
        bytes: to_unsigned(bytes)?,
    })
}

pub(crate) fn find(connection: &Connection, id: ArtifactId) -> Result<Option<Artifact>, Failure> {
    let mut statement = connection.prepare_cached(FIND)?;
    let parameters = named_params! { ":artifact_id": Uuid16(id.as_uuid()) };
    Ok(artifacts(connection, &mut statement, parameters)?.pop())
}

pub(crate) fn scan(
    connection: &Connection,
    after: Option<ArtifactId>,
    limit: u32,
) -> Result<Vec<Artifact>, Failure> {
    let mut statement = connection.prepare_cached(SCAN)?;
    // The empty blob comes before every id.
    let after = after.map_or(Vec::new(), |id| id.as_uuid().as_bytes().to_vec());
    let parameters = named_params! { ":after": after, ":limit": limit };
    artifacts(connection, &mut statement, parameters)
}

pub(crate) fn may_have_active_of_size(
    connection: &Connection,
    scope: &DedupScope,
    size_bytes: u64,
) -> Result<bool, Failure> {
    let Ok(size_bytes) = i64::try_from(size_bytes) else {
        return Ok(false);
    };
    // Its limit is no parameter: SQLite would prepare the statement anew whenever that is bound.
    let mut statement = connection.prepare_cached(MAY_HAVE_ACTIVE_OF_SIZE)?;
    let parameters = named_params! {
        ":artifact_type": scope.artifact_type.as_str(),
        ":logical_key": scope.logical_key.as_str(),
        ":schema_version": scope.schema_version,
        ":size_bytes": size_bytes,
        ":kind": kind_number(scope.kind),
    };
    Ok(statement.query_row(parameters, |row| row.get(0))?)
}

pub(crate) fn scan_events(
    connection: &Connection,
    after: u64,
    limit: u32,
) -> Result<Vec<ArtifactEventRow>, Failure> {
    let Ok(after) = i64::try_from(after) else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(SCAN_EVENTS)?;
    let mut rows = statement.query(named_params! { ":after": after, ":limit": limit })?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(ArtifactEventRow {
            request_digest: Digest::from_bytes(row.get(0)?),
            artifact_id: ArtifactId::from_uuid(row.get::<_, Uuid16>(1)?.0),
            event: event_ref(row)?,
            op_id: op_id(row.get_ref(5)?)?,
        });
    }
    Ok(events)
}

/// The artifacts `ids` in the order asked for.
pub(crate) fn find_all(
    connection: &Connection,
    ids: &[ArtifactId],
) -> Result<Vec<Option<Artifact>>, Failure> {
    let mut statement = connection.prepare_cached(FIND)?;
    ids.iter()
        .map(|id| {
            let parameters = named_params! { ":artifact_id": Uuid16(id.as_uuid()) };
            Ok(artifacts(connection, &mut statement, parameters)?.pop())
        })
        .collect()
}

/// Those of `ids` that have no row, each once.
pub(crate) fn missing(
    connection: &Connection,
    ids: &[ArtifactId],
) -> Result<Vec<ArtifactId>, Failure> {
    let mut statement = connection.prepare_cached(FIND_KEY)?;
    let mut seen = HashSet::new();
    let mut missing = Vec::new();
    for id in ids.iter().filter(|id| seen.insert(**id)) {
        if !statement.exists(named_params! { ":artifact_id": Uuid16(id.as_uuid()) })? {
            missing.push(*id);
        }
    }
    Ok(missing)
}

/// The event in columns 2 to 4.
pub(super) fn event_ref(row: &Row<'_>) -> Result<EventRef, Failure> {
    Ok(EventRef {
        sequence: to_unsigned(row.get(2)?)?,
        kind: row.get(3)?,
        created_at: Timestamp::from_unix_milliseconds(row.get(4)?)?,
    })
}
