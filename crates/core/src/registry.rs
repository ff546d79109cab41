//! Registered artifact types: what the tables of a type must hold and how they are identified.
//!
//! Types are open: an artifact of a type that is not registered is published as it is.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::key::{ArtifactType, check_text};
use crate::table::TableRules;
use crate::time::Timestamp;

/// What the tables of a type must hold and how they are identified. Files of the type are not concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeDefinition {
    /// The type.
    pub artifact_type: ArtifactType,
    /// Columns that every table of the type has; others may be there too.
    pub required_columns: Vec<String>,
    /// The columns that the content hash covers, in its order; all of the table's if empty.
    pub canonical_columns: Vec<String>,
    /// The columns by which rows are sorted before they are hashed, so that their order in the file takes no part; no
    /// sorting if empty. Each is canonical where canonical columns are given.
    pub sort_keys: Vec<String>,
    /// The column of the earliest and latest time; the first timestamp or date column if not given.
    pub timestamp_column: Option<String>,
}

impl TypeDefinition {
    /// The greatest number of names in each of the lists.
    pub const MAX_COLUMNS: usize = 10_000;
    /// The greatest length of a column's name in bytes.
    pub const MAX_NAME_BYTES: usize = 1024;

    /// A definition that asks for nothing.
    pub fn new(artifact_type: ArtifactType) -> Self {
        Self {
            artifact_type,
            required_columns: Vec::new(),
            canonical_columns: Vec::new(),
            sort_keys: Vec::new(),
            timestamp_column: None,
        }
    }

    /// Checks that no list names a column twice or too many, and that sort keys are canonical.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid).
    pub fn check(&self) -> Result<()> {
        let lists = [
            ("required columns", &self.required_columns),
            ("canonical columns", &self.canonical_columns),
            ("sort keys", &self.sort_keys),
        ];
        for (what, names) in lists {
            if names.len() > Self::MAX_COLUMNS {
                return Err(Error::invalid(format!("there are too many {what}"))
                    .with("count", names.len())
                    .with("limit", Self::MAX_COLUMNS));
            }
            let mut seen = BTreeSet::new();
            for name in names {
                check_text(name, "column name", Self::MAX_NAME_BYTES)?;
                if !seen.insert(name) {
                    return Err(Error::invalid(format!("the {what} name a column twice"))
                        .with("column", name));
                }
            }
        }
        if let Some(name) = &self.timestamp_column {
            check_text(name, "column name", Self::MAX_NAME_BYTES)?;
        }
        let canonical: BTreeSet<&String> = self.canonical_columns.iter().collect();
        let is_canonical = |key: &&String| canonical.is_empty() || canonical.contains(*key);
        if let Some(key) = self.sort_keys.iter().find(|key| !is_canonical(key)) {
            return Err(Error::invalid("a sort key is not a canonical column").with("column", key));
        }
        Ok(())
    }

    /// Every column that a table of the type must have.
    pub fn needed_columns(&self) -> impl Iterator<Item = &String> {
        self.required_columns
            .iter()
            .chain(&self.canonical_columns)
            .chain(&self.sort_keys)
            .chain(&self.timestamp_column)
    }

    /// How tables of the type are identified.
    pub fn table_rules(&self) -> TableRules {
        TableRules {
            canonical_columns: self.canonical_columns.clone(),
            sort_keys: self.sort_keys.clone(),
            timestamp_column: self.timestamp_column.clone(),
        }
    }
}

/// A definition that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredType {
    /// The definition.
    pub definition: TypeDefinition,
    /// Who registered it last.
    pub actor: String,
    /// When it was registered first.
    pub created_at: Timestamp,
    /// When this definition was registered.
    pub updated_at: Timestamp,
    /// 1 at first, one more with every other definition.
    pub revision: u64,
}

/// What to do where a type is registered with another definition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TypeRegistration {
    /// Refuse.
    #[default]
    KeepExisting,
    /// Replace it. Artifacts that are there keep the identity that they were published with.
    Replace,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> TypeDefinition {
        TypeDefinition {
            required_columns: vec!["a".into(), "b".into()],
            canonical_columns: vec!["a".into()],
            sort_keys: vec!["a".into()],
            timestamp_column: Some("t".into()),
            ..TypeDefinition::new(ArtifactType::new("x").unwrap())
        }
    }

    #[test]
    fn every_named_column_is_needed() {
        let definition = definition();
        assert!(definition.check().is_ok());
        let needed: BTreeSet<_> = definition.needed_columns().map(String::as_str).collect();
        assert_eq!(needed, BTreeSet::from(["a", "b", "t"]));
    }

    #[test]
    fn contradictions_are_refused() {
        let mut twice = definition();
        twice.required_columns.push("a".into());
        let mut unhashed = definition();
        unhashed.sort_keys.push("b".into());
        let mut unnamed = definition();
        unnamed.timestamp_column = Some(String::new());
        for wrong in [twice, unhashed, unnamed] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
