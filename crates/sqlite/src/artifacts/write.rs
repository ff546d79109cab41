//! Changes of rows.

use artstore_core::Error;
use artstore_core::artifact::{Artifact, ArtifactStatus};
use artstore_core::backend::{ArtifactChange, ArtifactCommit, ArtifactEventRow, CatalogHead};
use rusqlite::{
    Connection, OptionalExtension as _, Transaction, TransactionBehavior, named_params,
};

use super::indexes;
use super::paths::StoredPaths;
use super::read::find;
use super::row::Uuid16;
use super::statements::{
    ADVANCE_CATALOG, CREATE_CATALOG, FIND_DIRECTORY, FIND_KEY, FIND_TYPE, INSERT_DIRECTORY,
    INSERT_TYPE, PUT, RECORD_EVENT, SET_HEAD,
};
use super::value::{
    StoredOpId, algorithm_number, ids_blob, kind_number, status_number, to_integer, to_unsigned,
};
use crate::error::{Failure, damaged};

/// Makes the changes and raises the commit counter by one, in one transaction. Returns the counter.
pub(crate) fn apply(connection: &mut Connection, commit: &ArtifactCommit) -> Result<u64, Failure> {
    in_transaction(connection, |transaction| {
        let counters = change(transaction, commit)?;
        advance(transaction, &counters, 1)
    })
}

/// Makes the changes in one transaction without counting it as a commit.
pub(crate) fn fill(connection: &mut Connection, commit: &ArtifactCommit) -> Result<(), Failure> {
    in_transaction(connection, |transaction| {
        let counters = change(transaction, commit)?;
        advance(transaction, &counters, 0).map(drop)
    })
}

/// Gives a new database its head.
pub(crate) fn create_catalog(connection: &Connection, head: &CatalogHead) -> Result<(), Failure> {
    connection
        .prepare_cached(CREATE_CATALOG)?
        .execute(named_params! {
            ":store_id": Uuid16(head.store_id.as_uuid()),
            ":commits": to_integer(head.commits, "commits")?,
            ":last_event": to_integer(head.last_event, "last event")?,
        })?;
    Ok(())
}

/// Makes the counters of the head exactly those of `head`.
pub(crate) fn set_head(connection: &Connection, head: &CatalogHead) -> Result<(), Failure> {
    connection
        .prepare_cached(SET_HEAD)?
        .execute(named_params! {
            ":commits": to_integer(head.commits, "commits")?,
            ":last_event": to_integer(head.last_event, "last event")?,
        })?;
    Ok(())
}

fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let answer = work(&transaction)?;
    transaction.commit().map_err(Failure::Commit)?;
    Ok(answer)
}

/// By how much the counters of the catalog change.
#[derive(Debug, Default)]
struct Counters {
    active: i64,
    superseded: i64,
    tombstoned: i64,
    bytes: i64,
    last_event: i64,
    least_commits: i64,
}

impl Counters {
    fn count(&mut self, artifact: &Artifact, step: i64) -> Result<(), Failure> {
        let of_status = match artifact.status {
            ArtifactStatus::Active => &mut self.active,
            ArtifactStatus::Superseded => &mut self.superseded,
            ArtifactStatus::Tombstoned => &mut self.tombstoned,
        };
        *of_status += step;
        let bytes = step * to_integer(artifact.size_bytes, "size")?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }
}

fn change(transaction: &Transaction<'_>, commit: &ArtifactCommit) -> Result<Counters, Failure> {
    let mut counters = Counters::default();
    for change in &commit.changes {
        match change {
            ArtifactChange::Put(artifact) => put(transaction, artifact, &mut counters)?,
            ArtifactChange::RaiseCommits(least) => {
                counters.least_commits = to_integer(*least, "commits")?;
            }
            ArtifactChange::Record(_) => {}
        }
    }
    // Events touch no artifact, so they come to the same afterwards, when the artifacts that they are about are there.
    for change in &commit.changes {
        if let ArtifactChange::Record(event) = change {
            record(transaction, event, &mut counters)?;
        }
    }
    Ok(counters)
}

fn advance(
    transaction: &Transaction<'_>,
    counters: &Counters,
    commits: i64,
) -> Result<u64, Failure> {
    let mut statement = transaction.prepare_cached(ADVANCE_CATALOG)?;
    let parameters = named_params! {
        ":commits": commits,
        ":least_commits": counters.least_commits,
        ":last_event": counters.last_event,
        ":active": counters.active,
        ":superseded": counters.superseded,
        ":tombstoned": counters.tombstoned,
        ":bytes": counters.bytes,
    };
    Ok(to_unsigned(
        statement.query_row(parameters, |row| row.get(0))?,
    )?)
}

fn put(
    transaction: &Transaction<'_>,
    artifact: &Artifact,
    counters: &mut Counters,
) -> Result<(), Failure> {
    let former = find(transaction, artifact.id)?;
    if let Some(former) = &former {
        counters.count(former, -1)?;
    }
    let artifact_key = put_row(transaction, artifact)?;
    indexes::update(transaction, artifact_key, former.as_ref(), artifact)?;
    counters.count(artifact, 1)
}

fn put_row(transaction: &Transaction<'_>, artifact: &Artifact) -> Result<i64, Failure> {
    let paths = StoredPaths::of(artifact);
    let directory_key = directory(transaction, &paths.directory)?;
    let record_directory_key = paths
        .record_directory
        .as_ref()
        .map(|path| directory(transaction, path))
        .transpose()?;
    let type_key = intern(
        transaction,
        FIND_TYPE,
        INSERT_TYPE,
        artifact.artifact_type.as_str(),
    )?;
    let content = &artifact.content_hash;
    let content_digest =
        (content.digest != artifact.file_hash).then_some(content.digest.as_bytes());
    let row_count = artifact
        .row_count
        .map(|count| to_integer(count, "row count"))
        .transpose()?;
    let parameters = named_params! {
        ":artifact_id": Uuid16(artifact.id.as_uuid()),
        ":type_key": type_key,
        ":schema_version": artifact.schema_version,
        ":logical_key": artifact.logical_key.as_str(),
        ":kind": kind_number(artifact.kind),
        ":status": status_number(artifact.status),
        ":directory_key": directory_key,
        ":data_name": paths.data_name,
        ":record_directory_key": record_directory_key,
        ":record_name": paths.record_name,
        ":file_hash": artifact.file_hash.as_bytes(),
        ":content_algorithm": algorithm_number(content.algorithm),
        ":content_digest": content_digest,
        ":size_bytes": to_integer(artifact.size_bytes, "size")?,
        ":row_count": row_count,
        ":min_timestamp": artifact.min_timestamp.map(|time| time.as_unix_milliseconds()),
        ":max_timestamp": artifact.max_timestamp.map(|time| time.as_unix_milliseconds()),
        ":created_at": artifact.created_at.as_unix_milliseconds(),
        ":superseded_by": artifact.superseded_by.map(|id| Uuid16(id.as_uuid())),
        ":run_id": artifact.run_id.map(|id| Uuid16(id.as_uuid())),
        ":op_id": StoredOpId::from(&artifact.op_id),
        ":request_digest": artifact.request_digest.as_bytes(),
        ":revision": to_integer(artifact.revision, "revision")?,
        ":last_event": to_integer(artifact.last_event, "last event")?,
        ":tags": tags_text(artifact)?,
        ":input_count": to_integer(artifact.inputs.len() as u64, "inputs")?,
        ":supersedes": ids_blob(&artifact.supersedes),
        ":tombstone_reason": artifact.tombstone_reason,
    };
    Ok(transaction
        .prepare_cached(PUT)?
        .query_row(parameters, |row| row.get(0))?)
}

fn tags_text(artifact: &Artifact) -> Result<Option<String>, Failure> {
    if artifact.tags.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(&artifact.tags)
        .map_err(|error| Error::internal("tags cannot be written").caused_by(error))?;
    Ok(Some(text))
}

fn directory(transaction: &Transaction<'_>, path: &str) -> Result<i64, Failure> {
    intern(transaction, FIND_DIRECTORY, INSERT_DIRECTORY, path)
}

/// The key of a text that many rows share.
fn intern(
    transaction: &Transaction<'_>,
    find: &str,
    insert: &str,
    name: &str,
) -> Result<i64, Failure> {
    let mut find = transaction.prepare_cached(find)?;
    let known = find
        .query_row(named_params! { ":name": name }, |row| row.get(0))
        .optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    let mut insert = transaction.prepare_cached(insert)?;
    Ok(insert.query_row(named_params! { ":name": name }, |row| row.get(0))?)
}

fn record(
    transaction: &Transaction<'_>,
    row: &ArtifactEventRow,
    counters: &mut Counters,
) -> Result<(), Failure> {
    let id = Uuid16(row.artifact_id.as_uuid());
    let mut find_key = transaction.prepare_cached(FIND_KEY)?;
    let artifact_key: Option<i64> = find_key
        .query_row(named_params! { ":artifact_id": id }, |row| row.get(0))
        .optional()?;
    let Some(artifact_key) = artifact_key else {
        return Err(
            damaged("the event is about an artifact that the catalog does not have")
                .with("artifact", row.artifact_id)
                .with("sequence", row.event.sequence)
                .into(),
        );
    };
    let sequence = to_integer(row.event.sequence, "sequence")?;
    transaction
        .prepare_cached(RECORD_EVENT)?
        .execute(named_params! {
            ":sequence": sequence,
            ":kind": row.event.kind,
            ":artifact_key": artifact_key,
            ":op_id": StoredOpId::from(&row.op_id),
            ":request_digest": row.request_digest.as_bytes(),
            ":created_at": row.event.created_at.as_unix_milliseconds(),
        })?;
    counters.last_event = counters.last_event.max(sequence);
    Ok(())
}
