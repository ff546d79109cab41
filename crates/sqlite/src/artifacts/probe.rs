//! What deciding about changes asks.

use artstore_core::artifact::{Artifact, DedupScope};
use artstore_core::backend::{ArtifactProbe, Examination, Operation, ProbeAnswer};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use rusqlite::{Connection, named_params};

use super::read::{event_ref, find, head};
use super::row::{Uuid16, artifacts};
use super::statements::{FIND_CREATION, FIND_DUPLICATE, FIND_EVENT};
use super::value::{StoredOpId, fingerprint};
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
        } => ProbeAnswer {
            operation: operation(connection, op_id)?,
            artifact: duplicate(connection, scope, file_hash)?,
        },
        ArtifactProbe::Change { op_id, id } => ProbeAnswer {
            operation: operation(connection, op_id)?,
            artifact: find(connection, *id)?.map(|stored| stored.artifact),
        },
        ArtifactProbe::Operation { op_id } => ProbeAnswer {
            operation: operation(connection, op_id)?,
            artifact: None,
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

fn duplicate(
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
        ":file_hash": file_hash.as_bytes(),
    };
    let found = artifacts(connection, &mut statement, parameters)?.pop();
    Ok(found.map(|stored| stored.artifact))
}
