use artstore_core::Error;
use artstore_core::key::ArtifactType;
use artstore_core::registry::{TypeDefinition, TypeRegistration};
use artstore_wire::{ListDocument, TypeDocument};
use clap::{Args, Subcommand};

use super::Session;
use crate::failure::Failure;
use crate::text;

#[derive(Debug, Subcommand)]
pub(crate) enum Type {
    /// Say what the tables of a type hold and how they are identified
    Register(Register),
    /// List the registered types
    List,
    /// Show what is registered about a type
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// The type
    #[arg(value_name = "TYPE")]
    artifact_type: ArtifactType,
    /// A column that every table of the type must have
    #[arg(long = "require", value_name = "COLUMN")]
    required_columns: Vec<String>,
    /// A column that the content hash covers, in the order given [default: all of a table's]
    #[arg(long = "canonical", value_name = "COLUMN")]
    canonical_columns: Vec<String>,
    /// A column by which rows are sorted before they are hashed, in the order given [default: rows as they are]
    #[arg(long = "sort", value_name = "COLUMN")]
    sort_keys: Vec<String>,
    /// The column of the earliest and latest time [default: the first timestamp or date]
    #[arg(long = "timestamp", value_name = "COLUMN")]
    timestamp_column: Option<String>,
    /// Replace another definition; artifacts that are there stay as they are
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The type
    #[arg(value_name = "TYPE")]
    artifact_type: ArtifactType,
}

impl Type {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Register(command) => command.run(session).await,
            Self::List => list(session).await,
            Self::Show(command) => command.run(session).await,
        }
    }
}

impl Register {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let registration = if self.replace {
            TypeRegistration::Replace
        } else {
            TypeRegistration::KeepExisting
        };
        let definition = TypeDefinition {
            artifact_type: self.artifact_type,
            required_columns: self.required_columns,
            canonical_columns: self.canonical_columns,
            sort_keys: self.sort_keys,
            timestamp_column: self.timestamp_column,
        };
        // A definition that contradicts itself makes no store.
        definition.check()?;
        let types = session.context.artifact_types_or_init().await?;
        let registered = types.register_type(definition, registration).await?;
        let document = TypeDocument::from(registered);
        session
            .output
            .document(&document, text::artifact_type)
            .await
    }
}

impl Show {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let types = session.context.artifact_types().await?;
        let registered = types.get_type(&self.artifact_type).await?.ok_or_else(|| {
            Error::not_found("the artifact type is not registered")
                .with("type", &self.artifact_type)
                .hint("see `artstore type list`")
        })?;
        let document = TypeDocument::from(registered);
        session
            .output
            .document(&document, text::artifact_type)
            .await
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let types = session.context.artifact_types().await?;
    let document = ListDocument {
        items: types
            .list_types()
            .await?
            .into_iter()
            .map(TypeDocument::from)
            .collect(),
        next: None,
    };
    session
        .output
        .document(&document, text::artifact_types)
        .await
}
