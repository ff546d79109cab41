//! What leads to a row from elsewhere: fingerprints, tags and inputs.
//!
//! Most changes leave most of it as it was, so only what differs from the former state of the row is written.

use artstore_core::artifact::Artifact;
use rusqlite::{Transaction, named_params};

use super::row::Uuid16;
use super::statements::{
    DELETE_FINGERPRINT, DELETE_INPUTS, DELETE_TAG, INSERT_FINGERPRINT, INSERT_INPUT, INSERT_TAG,
};
use super::value::fingerprints;
use crate::error::Failure;

/// Brings everything that leads to the row `artifact_key` up to `artifact`.
pub(crate) fn update(
    transaction: &Transaction<'_>,
    artifact_key: i64,
    former: Option<&Artifact>,
    artifact: &Artifact,
) -> Result<(), Failure> {
    update_fingerprints(transaction, artifact_key, former, artifact)?;
    update_tags(transaction, artifact_key, former, artifact)?;
    update_inputs(transaction, former, artifact)
}

fn update_fingerprints(
    transaction: &Transaction<'_>,
    artifact_key: i64,
    former: Option<&Artifact>,
    artifact: &Artifact,
) -> Result<(), Failure> {
    let known = former.map(fingerprints).unwrap_or_default();
    let wanted = fingerprints(artifact);
    let write = |statement: &str, fingerprint: i64| {
        transaction
            .prepare_cached(statement)?
            .execute(named_params! {
                ":fingerprint": fingerprint,
                ":artifact_key": artifact_key,
            })
            .map(drop)
    };
    for fingerprint in known.iter().filter(|known| !wanted.contains(known)) {
        write(DELETE_FINGERPRINT, *fingerprint)?;
    }
    for fingerprint in wanted.iter().filter(|wanted| !known.contains(wanted)) {
        write(INSERT_FINGERPRINT, *fingerprint)?;
    }
    Ok(())
}

fn update_tags(
    transaction: &Transaction<'_>,
    artifact_key: i64,
    former: Option<&Artifact>,
    artifact: &Artifact,
) -> Result<(), Failure> {
    // The time of creation is part of their key.
    let is_comparable = |former: &&Artifact| former.created_at == artifact.created_at;
    let kept = former.filter(is_comparable).map(|former| &former.tags);
    if let Some(former) = former {
        for (tag_key, tag_value) in former.tags.pairs() {
            if kept.is_some() && artifact.tags.contains(tag_key, tag_value) {
                continue;
            }
            transaction
                .prepare_cached(DELETE_TAG)?
                .execute(named_params! {
                    ":tag_key": tag_key,
                    ":tag_value": tag_value,
                    ":created_at": former.created_at.as_unix_milliseconds(),
                    ":artifact_id": Uuid16(former.id.as_uuid()),
                })?;
        }
    }
    for (tag_key, tag_value) in artifact.tags.pairs() {
        if kept.is_some_and(|kept| kept.contains(tag_key, tag_value)) {
            continue;
        }
        transaction
            .prepare_cached(INSERT_TAG)?
            .execute(named_params! {
                ":tag_key": tag_key,
                ":tag_value": tag_value,
                ":created_at": artifact.created_at.as_unix_milliseconds(),
                ":artifact_id": Uuid16(artifact.id.as_uuid()),
                ":artifact_key": artifact_key,
            })?;
    }
    Ok(())
}

fn update_inputs(
    transaction: &Transaction<'_>,
    former: Option<&Artifact>,
    artifact: &Artifact,
) -> Result<(), Failure> {
    let artifact_id = Uuid16(artifact.id.as_uuid());
    let known = former.map_or(&[][..], |former| &former.inputs);
    // New inputs come behind those that are there, so nearly always what is there stays.
    let stays = artifact.inputs.starts_with(known);
    if !stays {
        transaction
            .prepare_cached(DELETE_INPUTS)?
            .execute(named_params! { ":artifact_id": artifact_id })?;
    }
    let written = if stays { known.len() } else { 0 };
    if written == artifact.inputs.len() {
        return Ok(());
    }
    let mut insert = transaction.prepare_cached(INSERT_INPUT)?;
    for (position, input) in (0_i64..).zip(&artifact.inputs).skip(written) {
        insert.execute(named_params! {
            ":artifact_id": artifact_id,
            ":position": position,
            ":input_id": Uuid16(input.id.as_uuid()),
            ":role": input.role,
        })?;
    }
    Ok(())
}
