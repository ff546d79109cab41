//! Between values of the domain and values of SQLite.

use artstore_core::artifact::{Artifact, ArtifactKind, ArtifactStatus, DedupScope};
use artstore_core::digest::{Digest, HashAlgorithm};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::{Error, Result};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use uuid::Uuid;

use crate::error::damaged;

/// The number of `value`, or an error where SQLite cannot hold it.
pub(crate) fn to_integer(value: u64, what: &'static str) -> Result<i64> {
    i64::try_from(value).map_err(|_| {
        Error::invalid("the number is too large for the catalog")
            .with("what", what)
            .with("value", value)
    })
}

pub(crate) fn to_unsigned(value: i64) -> Result<u64> {
    u64::try_from(value)
        .map_err(|_| damaged("the catalog holds a negative number").with("value", value))
}

pub(crate) fn kind_number(kind: ArtifactKind) -> i64 {
    match kind {
        ArtifactKind::Table => 0,
        ArtifactKind::File => 1,
    }
}

pub(crate) fn status_number(status: ArtifactStatus) -> i64 {
    match status {
        ArtifactStatus::Active => 0,
        ArtifactStatus::Superseded => 1,
        ArtifactStatus::Tombstoned => 2,
    }
}

pub(crate) fn algorithm_number(algorithm: HashAlgorithm) -> i64 {
    match algorithm {
        HashAlgorithm::Sha256 => 0,
        HashAlgorithm::Ch1 => 1,
    }
}

/// The value of `all` that has `number`.
pub(crate) fn by_number<T: Copy>(all: &[T], number_of: fn(T) -> i64, number: i64) -> Result<T> {
    all.iter()
        .copied()
        .find(|value| number_of(*value) == number)
        .ok_or_else(|| damaged("the catalog holds an unknown number").with("value", number))
}

/// An operation id as it is stored: as 16 bytes where its text is that of a UUID, as nearly all are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredOpId(Value);

impl From<&OpId> for StoredOpId {
    fn from(op_id: &OpId) -> Self {
        let text = op_id.as_str();
        let uuid = Uuid::try_parse(text).ok();
        // Other spellings of the same UUID are other operation ids.
        Self(match uuid.filter(|uuid| uuid.to_string() == text) {
            Some(uuid) => Value::Blob(uuid.as_bytes().to_vec()),
            None => Value::Text(text.to_owned()),
        })
    }
}

/// The operation id that is stored like this.
pub(crate) fn op_id(stored: ValueRef<'_>) -> Result<OpId> {
    let wrong = || damaged("the catalog holds a wrong operation id");
    match stored {
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|error| wrong().caused_by(error))?;
            OpId::new(text)
        }
        ValueRef::Blob(bytes) => {
            let uuid = Uuid::from_slice(bytes).map_err(|error| wrong().caused_by(error))?;
            let mut text = Uuid::encode_buffer();
            OpId::new(&*uuid.hyphenated().encode_lower(&mut text))
        }
        _ => Err(wrong()),
    }
}

impl ToSql for StoredOpId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

/// 64 bits that are the same for the same scope and digest, and hardly ever for others.
///
/// What is found is compared in full. So the kind is left out, which the first version knew nothing of, and the algorithm.
pub(crate) fn fingerprint(scope: &DedupScope, digest: &Digest) -> i64 {
    let mut text = Vec::new();
    // Neither part can hold NUL, so the parts cannot run into each other.
    text.extend_from_slice(scope.artifact_type.as_str().as_bytes());
    text.push(0);
    text.extend_from_slice(scope.logical_key.as_str().as_bytes());
    text.push(0);
    text.extend_from_slice(&scope.schema_version.to_le_bytes());
    text.extend_from_slice(digest.as_bytes());
    let digest = Digest::of(&text);
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    i64::from_le_bytes(first)
}

/// Every fingerprint by which an artifact can be found as a duplicate, each once; none unless it is active.
pub(crate) fn fingerprints(artifact: &Artifact) -> Vec<i64> {
    if artifact.status != ArtifactStatus::Active {
        return Vec::new();
    }
    let scope = scope_of(artifact);
    let content_digest = artifact.content_hash.digest;
    let mut all = vec![fingerprint(&scope, &artifact.file_hash)];
    if content_digest != artifact.file_hash {
        all.push(fingerprint(&scope, &content_digest));
    }
    all
}

fn scope_of(artifact: &Artifact) -> DedupScope {
    DedupScope {
        kind: artifact.kind,
        artifact_type: artifact.artifact_type.clone(),
        schema_version: artifact.schema_version,
        logical_key: artifact.logical_key.clone(),
    }
}

/// Ids one after the other, as blobs hold them.
pub(crate) fn ids_blob(ids: &[ArtifactId]) -> Option<Vec<u8>> {
    if ids.is_empty() {
        return None;
    }
    let bytes = ids.iter().flat_map(|id| id.as_uuid().into_bytes());
    Some(bytes.collect())
}

/// The ids in `blob`.
pub(crate) fn ids_in_blob(blob: &[u8]) -> Result<impl Iterator<Item = ArtifactId>> {
    let (ids, rest) = blob.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(damaged("the catalog holds a part of an id").with("bytes", blob.len()));
    }
    Ok(ids
        .iter()
        .map(|bytes| ArtifactId::from_uuid(Uuid::from_bytes(*bytes))))
}
