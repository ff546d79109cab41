//! `artstore.type`: a registered artifact type, `types/<type>.json`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::error::{Error, Result};
use crate::key::ArtifactType;
use crate::path::RelPath;
use crate::registry::{RegisteredType, TypeDefinition};
use crate::time::Timestamp;

/// The name of the format.
pub const FORMAT: &str = "artstore.type";
/// The version that is written.
pub const VERSION: u64 = 1;

/// The document of a registered type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeDocument {
    format: String,
    format_version: u64,
    artifact_type: ArtifactType,
    required_columns: Vec<String>,
    canonical_columns: Vec<String>,
    sort_keys: Vec<String>,
    #[serde(default)]
    timestamp_column: Option<String>,
    actor: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    revision: u64,
}

impl TypeDocument {
    /// The document of `registered`.
    pub fn new(registered: RegisteredType) -> Self {
        let RegisteredType {
            definition,
            actor,
            created_at,
            updated_at,
            revision,
        } = registered;
        Self {
            format: FORMAT.to_owned(),
            format_version: VERSION,
            artifact_type: definition.artifact_type,
            required_columns: definition.required_columns,
            canonical_columns: definition.canonical_columns,
            sort_keys: definition.sort_keys,
            timestamp_column: definition.timestamp_column,
            actor,
            created_at,
            updated_at,
            revision,
        }
    }

    /// Whether `bytes` are a document of this format, of whatever version and however damaged.
    pub fn is_one(bytes: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(borrow)]
            format: Option<std::borrow::Cow<'a, str>>,
        }
        match serde_json::from_slice::<Named<'_>>(bytes) {
            Ok(named) => named.format.as_deref() == Some(FORMAT),
            // What is no JSON any more may have been one.
            Err(_) => true,
        }
    }

    /// The document in `bytes` brought to `registered`; keys unknown to this version are kept.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn rewritten(bytes: &[u8], registered: RegisteredType) -> Result<Bytes> {
        let mut document = Document::parse(bytes, FORMAT, VERSION)?;
        document.set_all(&Self::new(registered))?;
        document.into_bytes()
    }

    /// The document's bytes.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it would be too large.
    pub fn to_bytes(&self) -> Result<Bytes> {
        Document::of(self)?.into_bytes()
    }

    /// Reads the document that was found at `path`.
    ///
    /// # Errors
    /// As [`Document::parse`], and [`Corrupt`](crate::ErrorKind::Corrupt) if it contradicts itself.
    pub fn parse(bytes: &[u8], path: &RelPath) -> Result<RegisteredType> {
        let with_path = |error: Error| error.with("path", path);
        let document = Document::parse(bytes, FORMAT, VERSION).map_err(with_path)?;
        let document: Self = document.to_typed().map_err(with_path)?;
        let registered = RegisteredType {
            definition: TypeDefinition {
                artifact_type: document.artifact_type,
                required_columns: document.required_columns,
                canonical_columns: document.canonical_columns,
                sort_keys: document.sort_keys,
                timestamp_column: document.timestamp_column,
            },
            actor: document.actor,
            created_at: document.created_at,
            updated_at: document.updated_at,
            revision: document.revision,
        };
        registered.definition.check().map_err(|error| {
            Error::corrupt("a registered type contradicts itself")
                .with("path", path)
                .caused_by(error)
        })?;
        Ok(registered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document as version 1 wrote it. Never changed: every later version must read it.
    const FIXTURE_V1: &str = include_str!("fixtures/type-v1.json");

    #[test]
    fn version_1_is_read_and_written_back_byte_for_byte() {
        let path = RelPath::new("types/alerts_v1.json").unwrap();
        let registered = TypeDocument::parse(FIXTURE_V1.as_bytes(), &path).unwrap();
        assert_eq!(registered.definition.sort_keys, ["ts", "id"]);
        assert_eq!(
            TypeDocument::new(registered).to_bytes().unwrap(),
            FIXTURE_V1.as_bytes()
        );
    }
}
