//! What deciding about changes asks.

use artstore_core::artifact::{Artifact, DedupMode, DedupScope};
use artstore_core::backend::{ArtifactProbe, Duplicate, Examination, Operation, ProbeAnswer};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use rusqlite::{Connection, named_params};

use super::read::{event_ref, find_all, head, missing};
use super::row::{Uuid16, artifacts};
use super::statements::{FIND_CONTENT_DUPLICATE, FIND_CREATION, FIND_DUPLICATE, FIND_EVENT};
use super::value::{StoredOpId, algorithm_number, fingerprint, kind_number};
use crate::error::Failure;

pub(crate) fn examine(
    connection: &Connection,
    probes: &[ArtifactProbe],
) -> Result<Examination, Failure> {
    Ok(Examination {
        head: head(connection)?,
        answers: probes
            .iter()
            .map(|probe| answer(connection, probe))
            .collect::<Result<_, _>>()?,
    })
}

fn answer(connection: &Connection, probe: &ArtifactProbe) -> Result<ProbeAnswer, Failure> {
    Ok(match probe {
        ArtifactProbe::Publish {
            op_id,
            scope,
            file_hash,
            content_hash,
            inputs,
        } => ProbeAnswer {
            operation: operation(connection, op_id)?,
            duplicate: duplicate(connection, scope, file_hash, content_hash.as_ref())?,
            missing_inputs: missing(connection, inputs)?,
            ..ProbeAnswer::default()
        },
        ArtifactProbe::Change { op_id, ids } => ProbeAnswer {
            operation: operation(connection, op_id)?,
            artifacts: find_all(connection, ids)?,
            ..ProbeAnswer::default()
        },
        ArtifactProbe::Operation { op_id, inputs } => ProbeAnswer {
            operation: operation(connection, op_id)?,
            missing_inputs: missing(connection, inputs)?,
            ..ProbeAnswer::default()
        },
    })
}

fn operation(connection: &Connection, op_id: &OpId) -> Result<Option<Operation>, Failure> {
    let op_id = StoredOpId::from(op_id);
    let mut creation = connection.prepare_cached(FIND_CREATION)?;
    let mut rows = creation.query(named_params! { ":op_id": op_id })?;
    if let Some(row) = rows.next()? {
        return Ok(Some(Operation {
            request_digest: Digest::from_bytes(row.get(0)?),
            artifact_id: ArtifactId::from_uuid(row.get::<_, Uuid16>(1)?.0),
            event: None,
        }));
    }
    let mut event = connection.prepare_cached(FIND_EVENT)?;
    let mut rows = event.query(named_params! { ":op_id": op_id })?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Operation {
        request_digest: Digest::from_bytes(row.get(0)?),
        artifact_id: ArtifactId::from_uuid(row.get::<_, Uuid16>(1)?.0),
        event: Some(event_ref(row)?),
    }))
}

/// The same bytes are looked for first, then the same table in other bytes.
fn duplicate(
    connection: &Connection,
    scope: &DedupScope,
    file_hash: &Digest,
    content_hash: Option<&ContentHash>,
) -> Result<Option<Duplicate>, Failure> {
    if let Some(artifact) = with_file_hash(connection, scope, file_hash)? {
        let mode = DedupMode::FileHash;
        return Ok(Some(Duplicate { artifact, mode }));
    }
    let Some(content_hash) = content_hash else {
        return Ok(None);
    };
    let found = with_content_hash(connection, scope, content_hash)?;
    let mode = DedupMode::ContentHash;
    Ok(found.map(|artifact| Duplicate { artifact, mode }))
}

fn with_file_hash(
    connection: &Connection,
    scope: &DedupScope,
    file_hash: &Digest,
) -> Result<Option<Artifact>, Failure> {
    let mut statement = connection.prepare_cached(FIND_DUPLICATE)?;
    let parameters = named_params! {
        ":fingerprint": fingerprint(scope, file_hash),
        ":artifact_type": scope.artifact_type.as_str(),
        ":schema_version": scope.schema_version,
        ":logical_key": scope.logical_key.as_str(),
        ":kind": kind_number(scope.kind),
        ":file_hash": file_hash.as_bytes(),
    };
    Ok(artifacts(connection, &mut statement, parameters)?.pop())
}

fn with_content_hash(
    connection: &Connection,
    scope: &DedupScope,
    content_hash: &ContentHash,
) -> Result<Option<Artifact>, Failure> {
    let mut statement = connection.prepare_cached(FIND_CONTENT_DUPLICATE)?;
    let parameters = named_params! {
        ":fingerprint": fingerprint(scope, &content_hash.digest),
        ":artifact_type": scope.artifact_type.as_str(),
        ":schema_version": scope.schema_version,
        ":logical_key": scope.logical_key.as_str(),
        ":kind": kind_number(scope.kind),
        ":content_algorithm": algorithm_number(content_hash.algorithm),
        ":content_digest": content_hash.digest.as_bytes(),
    };
    Ok(artifacts(connection, &mut statement, parameters)?.pop())
}
