//! Registered types.

use artstore_core::key::ArtifactType;
use artstore_core::registry::RegisteredType;
use artstore_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What is registered about a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeDocument {
    /// The type.
    pub artifact_type: ArtifactType,
    /// Columns that every table of the type has.
    pub required_columns: Vec<String>,
    /// The columns that the content hash covers, in its order; all of the table's if empty.
    pub canonical_columns: Vec<String>,
    /// The columns by which rows are sorted before they are hashed.
    pub sort_keys: Vec<String>,
    /// The column of the earliest and latest time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_column: Option<String>,
    /// 1 at first, one more with every other definition.
    pub revision: u64,
    /// When the type was registered first.
    pub created_at: Timestamp,
    /// When this definition was registered.
    pub updated_at: Timestamp,
    /// Who registered it last.
    pub actor: String,
}

impl From<RegisteredType> for TypeDocument {
    fn from(registered: RegisteredType) -> Self {
        let definition = registered.definition;
        Self {
            artifact_type: definition.artifact_type,
            required_columns: definition.required_columns,
            canonical_columns: definition.canonical_columns,
            sort_keys: definition.sort_keys,
            timestamp_column: definition.timestamp_column,
            revision: registered.revision,
            created_at: registered.created_at,
            updated_at: registered.updated_at,
            actor: registered.actor,
        }
    }
}
