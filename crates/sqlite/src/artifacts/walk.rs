//! Walks from one artifact to others.

use artstore_core::id::ArtifactId;
use artstore_core::lineage::{self, Relation, Walk, WalkLimits};
use rusqlite::{CachedStatement, Connection};

use super::read::missing;
use super::statements::{FIND_INPUTS, FIND_OUTPUTS, FIND_PREDECESSORS, FIND_SUCCESSOR};
use super::value::ids_in_blob;
use crate::error::Failure;

pub(crate) fn walk(
    connection: &Connection,
    start: ArtifactId,
    relation: Relation,
    limits: WalkLimits,
) -> Result<Option<Walk>, Failure> {
    if !missing(connection, &[start])?.is_empty() {
        return Ok(None);
    }
    // One statement for the whole walk: looking it up for each node takes as long as the step itself.
    let mut statement = connection.prepare_cached(step_of(relation))?;
    let walk = lineage::walk(start, limits, |from, useful, found| {
        neighbours(&mut statement, from, useful, found)
    })?;
    Ok(Some(walk))
}

/// The statement of one step. Each has the artifact as its only parameter and gives one or several ids as a blob, and the
/// role.
fn step_of(relation: Relation) -> &'static str {
    match relation {
        Relation::Inputs => FIND_INPUTS,
        Relation::Downstream => FIND_OUTPUTS,
        Relation::SupersededBy => FIND_SUCCESSOR,
        Relation::Supersedes => FIND_PREDECESSORS,
    }
}

fn neighbours(
    statement: &mut CachedStatement<'_>,
    from: ArtifactId,
    useful: usize,
    found: &mut Vec<(ArtifactId, Option<String>)>,
) -> Result<(), Failure> {
    statement.raw_bind_parameter(1, from.as_uuid().as_bytes().as_slice())?;
    let mut rows = statement.raw_query();
    // A row that is not asked for is not read: millions may be made from one artifact.
    while found.len() < useful
        && let Some(row) = rows.next()?
    {
        let blob = row.get_ref(0)?.as_blob_or_null();
        let blob = blob.map_err(rusqlite::Error::from)?;
        for to in ids_in_blob(blob.unwrap_or_default())? {
            found.push((to, row.get(1)?));
        }
    }
    Ok(())
}
