//! The [`ArtifactTypeRegistry`]: documents in `types/`, which are their own truth and have no rows.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use artstore_core::format::TypeDocument;
use artstore_core::key::ArtifactType;
use artstore_core::path::RelPath;
use artstore_core::ports::ArtifactTypeRegistry;
use artstore_core::registry::{RegisteredType, TypeDefinition, TypeRegistration};
use artstore_core::{Domain, Error, Result, layout};
use async_trait::async_trait;
use futures_util::StreamExt as _;

use crate::engine::EngineParts;

/// Keeps registered types.
pub(crate) struct TypeRegistry {
    parts: Arc<EngineParts>,
    actor: String,
    patience: Duration,
}

impl TypeRegistry {
    pub(crate) fn new(parts: Arc<EngineParts>, actor: String, patience: Duration) -> Self {
        Self {
            parts,
            actor,
            patience,
        }
    }

    pub(super) async fn find(
        &self,
        artifact_type: &ArtifactType,
    ) -> Result<Option<RegisteredType>> {
        let path = layout::type_path(artifact_type)?;
        let Some(registered) = self.read(&path).await? else {
            return Ok(None);
        };
        let found = &registered.definition.artifact_type;
        if found != artifact_type {
            return Err(Error::corrupt("the document describes another type")
                .with("path", path)
                .with("expected", artifact_type)
                .with("found", found));
        }
        Ok(Some(registered))
    }

    async fn read(&self, path: &RelPath) -> Result<Option<RegisteredType>> {
        let document = self.parts.blobs.read_document(path).await?;
        document
            .map(|document| TypeDocument::parse(&document, path))
            .transpose()
    }

    /// What the registration comes to, given what is there; nothing if that is it already.
    fn successor(
        &self,
        existing: Option<&RegisteredType>,
        definition: &TypeDefinition,
        registration: TypeRegistration,
    ) -> Result<Option<RegisteredType>> {
        let now = self.parts.clock.now();
        let (created_at, revision) = match existing {
            None => (now, 1),
            Some(existing) if existing.definition == *definition => return Ok(None),
            Some(existing) if registration == TypeRegistration::Replace => {
                (existing.created_at, existing.revision + 1)
            }
            Some(existing) => {
                return Err(
                    Error::conflict("the type is registered with another definition")
                        .with("type", &definition.artifact_type)
                        .with("revision", existing.revision)
                        .hint("replace it on purpose, or use another type name"),
                );
            }
        };
        Ok(Some(RegisteredType {
            definition: definition.clone(),
            actor: self.actor.clone(),
            created_at,
            updated_at: now,
            revision,
        }))
    }
}

impl fmt::Debug for TypeRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypeRegistry").finish_non_exhaustive()
    }
}

#[async_trait]
impl ArtifactTypeRegistry for TypeRegistry {
    #[tracing::instrument(level = "debug", skip_all, err(level = "debug"), fields(artifact_type = %definition.artifact_type))]
    async fn register_type(
        &self,
        definition: TypeDefinition,
        registration: TypeRegistration,
    ) -> Result<RegisteredType> {
        definition.check()?;
        let name = &definition.artifact_type;
        let path = layout::type_path(name)?;
        let lock = &self.parts.lock;
        let acquired = lock.acquire(Domain::Artifacts, self.patience).await?;
        let existing = self.find(name).await?;
        match self.successor(existing.as_ref(), &definition, registration)? {
            Some(registered) => {
                let document = TypeDocument::new(registered.clone()).to_bytes()?;
                let log = &self.parts.publications;
                log.put_document(&acquired.permit, &path, document).await?;
                Ok(registered)
            }
            None => {
                existing.ok_or_else(|| Error::internal("a type is registered without document"))
            }
        }
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn get_type(&self, artifact_type: &ArtifactType) -> Result<Option<RegisteredType>> {
        self.find(artifact_type).await
    }

    #[tracing::instrument(level = "debug", skip(self), err(level = "debug"))]
    async fn list_types(&self) -> Result<Vec<RegisteredType>> {
        let mut types = Vec::new();
        let mut directories = self.parts.blobs.list(&RelPath::new(layout::TYPES)?);
        while let Some(entries) = directories.next().await {
            for entry in entries? {
                if entry.path.file_name().ends_with(".json") {
                    types.extend(self.read(&entry.path).await?);
                }
            }
        }
        types.sort_by(|one, other| {
            let name = |registered: &RegisteredType| registered.definition.artifact_type.clone();
            name(one).cmp(&name(other))
        });
        Ok(types)
    }
}
