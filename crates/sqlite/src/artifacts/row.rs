//! Reading an artifact from a row of the statements that select all of it.

use artstore_core::artifact::{Artifact, ArtifactInput, ArtifactKind, ArtifactStatus};
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::id::{ArtifactId, RunId};
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{CachedStatement, Connection, Params, Row, named_params};
use uuid::Uuid;

use super::paths::StoredPaths;
use super::statements::FIND_INPUTS;
use super::value::{
    algorithm_number, by_number, ids_in_blob, kind_number, op_id, status_number, to_unsigned,
};
use crate::error::{Failure, damaged};

/// All artifacts that `statement` selects.
pub(crate) fn artifacts(
    connection: &Connection,
    statement: &mut CachedStatement<'_>,
    parameters: impl Params,
) -> Result<Vec<Artifact>, Failure> {
    let mut rows = statement.query(parameters)?;
    let mut artifacts = Vec::new();
    while let Some(row) = rows.next()? {
        artifacts.push(artifact(connection, row)?);
    }
    Ok(artifacts)
}

/// Columns in the order in which the statements select them.
struct Columns<'row, 'statement> {
    row: &'row Row<'statement>,
    next: usize,
}

impl<'row> Columns<'row, '_> {
    fn take<T: FromSql>(&mut self) -> Result<T, Failure> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// A value where it lies, without a copy.
    fn value(&mut self) -> Result<ValueRef<'row>, Failure> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// A text where it lies, without a copy.
    fn text(&mut self) -> Result<&'row str, Failure> {
        let text = self.optional_text()?;
        text.ok_or_else(|| damaged("the catalog lacks a text").into())
    }

    fn optional_text(&mut self) -> Result<Option<&'row str>, Failure> {
        self.value()?
            .as_str_or_null()
            .map_err(|error| damaged("the catalog holds no text").caused_by(error).into())
    }
}

/// The artifact in `row`, whose columns are those of the statements that select all of it.
pub(crate) fn artifact(connection: &Connection, row: &Row<'_>) -> Result<Artifact, Failure> {
    decode(connection, row).map_err(|failure| match failure {
        // What is valid when it is written is only invalid when it is read if somebody else wrote it.
        Failure::Known(error) => damaged("the catalog holds a row that is not valid")
            .caused_by(error)
            .into(),
        failure => failure,
    })
}

fn decode(connection: &Connection, row: &Row<'_>) -> Result<Artifact, Failure> {
    let mut columns = Columns { row, next: 0 };
    let artifact_type = ArtifactType::new(columns.text()?)?;
    let directory = columns.text()?.into();
    let record_directory = columns.optional_text()?.map(Into::into);
    let _key: i64 = columns.take()?;
    let id = ArtifactId::from_uuid(columns.take::<Uuid16>()?.0);
    let _type_key: i64 = columns.take()?;
    let schema_version = columns.take()?;
    let logical_key = LogicalKey::new(columns.text()?)?;
    let kind = by_number(ArtifactKind::ALL, kind_number, columns.take()?)?;
    let status = by_number(ArtifactStatus::ALL, status_number, columns.take()?)?;
    let _directory_key: i64 = columns.take()?;
    let data_name = columns.text()?.into();
    let _record_directory_key: Option<i64> = columns.take()?;
    let paths = StoredPaths {
        directory,
        data_name,
        record_directory,
        record_name: columns.optional_text()?.map(Into::into),
    };
    let (data_path, record_path) = paths.restore(id)?;
    let file_hash = Digest::from_bytes(columns.take()?);
    let algorithms = [HashAlgorithm::Sha256, HashAlgorithm::Ch1];
    let algorithm = by_number(&algorithms, algorithm_number, columns.take()?)?;
    let content_digest: Option<[u8; 32]> = columns.take()?;
    Ok(Artifact {
        id,
        artifact_type,
        schema_version,
        logical_key,
        kind,
        status,
        data_path,
        record_path,
        file_hash,
        content_hash: ContentHash {
            algorithm,
            digest: content_digest.map_or(file_hash, Digest::from_bytes),
        },
        size_bytes: to_unsigned(columns.take()?)?,
        row_count: columns
            .take::<Option<i64>>()?
            .map(to_unsigned)
            .transpose()?,
        min_timestamp: time(columns.take()?)?,
        max_timestamp: time(columns.take()?)?,
        created_at: Timestamp::from_unix_milliseconds(columns.take()?)?,
        superseded_by: columns
            .take::<Option<Uuid16>>()?
            .map(|id| ArtifactId::from_uuid(id.0)),
        run_id: columns
            .take::<Option<Uuid16>>()?
            .map(|id| RunId::from_uuid(id.0)),
        op_id: op_id(columns.value()?)?,
        request_digest: Digest::from_bytes(columns.take()?),
        revision: to_unsigned(columns.take()?)?,
        last_event: to_unsigned(columns.take()?)?,
        tags: tags(columns.optional_text()?)?,
        inputs: inputs(connection, id, columns.take()?)?,
        supersedes: ids(columns.take()?)?,
        tombstone_reason: columns.take()?,
    })
}

fn time(milliseconds: Option<i64>) -> Result<Option<Timestamp>, Failure> {
    Ok(milliseconds
        .map(Timestamp::from_unix_milliseconds)
        .transpose()?)
}

fn tags(text: Option<&str>) -> Result<Tags, Failure> {
    let Some(text) = text else {
        return Ok(Tags::new());
    };
    serde_json::from_str(text).map_err(|error| {
        damaged("the catalog holds wrong tags")
            .caused_by(error)
            .into()
    })
}

fn ids(blob: Option<Vec<u8>>) -> Result<Vec<ArtifactId>, Failure> {
    let Some(blob) = blob else {
        return Ok(Vec::new());
    };
    Ok(ids_in_blob(&blob)?.collect())
}

fn inputs(
    connection: &Connection,
    id: ArtifactId,
    count: i64,
) -> Result<Vec<ArtifactInput>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(FIND_INPUTS)?;
    let rows = statement.query_map(
        named_params! { ":artifact_id": Uuid16(id.as_uuid()) },
        |row| {
            Ok(ArtifactInput {
                id: ArtifactId::from_uuid(row.get::<_, Uuid16>(0)?.0),
                role: row.get(1)?,
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A UUID as a blob of 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uuid16(pub(crate) Uuid);

impl FromSql for Uuid16 {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(|bytes| Self(Uuid::from_bytes(bytes)))
    }
}

impl rusqlite::ToSql for Uuid16 {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.0.as_bytes().as_slice().into())
    }
}
