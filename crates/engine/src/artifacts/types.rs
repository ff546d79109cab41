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
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;

use crate::activity::{Activities, to_its_end};
use crate::committer::wait_for_place;
use crate::engine::EngineParts;

/// Keeps registered types.
#[derive(Clone)]
pub(crate) struct TypeRegistry {
    parts: Arc<EngineParts>,
    /// Those of all changes that are being prepared.
    places: Arc<Semaphore>,
    activities: Arc<Activities>,
    actor: String,
    patience: Duration,
}

impl TypeRegistry {
    pub(crate) fn new(
        parts: Arc<EngineParts>,
        places: Arc<Semaphore>,
        activities: Arc<Activities>,
        actor: String,
        patience: Duration,
    ) -> Self {
        Self {
            parts,
            places,
            activities,
            actor,
            patience,
        }
    }

    pub(super) async fn find(
        &self,
        artifact_type: &ArtifactType,
    ) -> Result<Option<RegisteredType>> {
        let path = layout::type_path(artifact_type)?;
        let found = self.read(&path).await?;
        Ok(found.map(|(_, registered)| registered))
    }

    /// The document at `path` and what it says.
    async fn read(&self, path: &RelPath) -> Result<Option<(Bytes, RegisteredType)>> {
        let Some(document) = self.parts.blobs.read_document(path).await? else {
            return Ok(None);
        };
        let registered = parse(&document, path)?;
        Ok(Some((document, registered)))
    }

    /// The type of a document that a listing found; nothing for files that the store did not make.
    async fn read_listed(&self, path: &RelPath) -> Result<Option<RegisteredType>> {
        if !path.file_name().ends_with(".json") {
            return Ok(None);
        }
        let Some(document) = self.parts.blobs.read_document(path).await? else {
            return Ok(None);
        };
        if !TypeDocument::is_one(&document) {
            return Ok(None);
        }
        parse(&document, path).map(Some)
    }

    /// What the registration comes to, given what is there.
    fn successor(
        &self,
        existing: Option<&RegisteredType>,
        definition: &TypeDefinition,
        registration: TypeRegistration,
    ) -> Result<RegisteredType> {
        let now = self.parts.clock.now();
        let (created_at, revision) = match existing {
            None => (now, 1),
            Some(existing) if existing.definition == *definition => return Ok(existing.clone()),
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
        Ok(RegisteredType {
            definition: definition.clone(),
            actor: self.actor.clone(),
            created_at,
            updated_at: now,
            revision,
        })
    }

    async fn register(
        &self,
        definition: &TypeDefinition,
        registration: TypeRegistration,
    ) -> Result<RegisteredType> {
        let name = &definition.artifact_type;
        let path = layout::type_path(name)?;
        let busy = "too many changes are being prepared";
        let _place = wait_for_place(Arc::clone(&self.places), self.patience, busy).await?;
        let lock = &self.parts.lock;
        let acquired = lock.acquire(Domain::Artifacts, self.patience).await?;
        let found = self.read(&path).await?;
        let existing = found.as_ref().map(|(_, existing)| existing);
        let registered = self.successor(existing, definition, registration)?;
        let document = match found {
            // It may have come without surviving a loss of power, because whoever put it failed: it is put again.
            Some((document, existing)) if existing == registered => document,
            Some((document, _)) => TypeDocument::rewritten(&document, registered.clone())?,
            None => TypeDocument::new(registered.clone()).to_bytes()?,
        };
        let log = &self.parts.publications;
        log.put_document(&acquired.permit, &path, document).await?;
        Ok(registered)
    }
}

/// What a document says that lies where that of its type does.
fn parse(document: &Bytes, path: &RelPath) -> Result<RegisteredType> {
    let registered = TypeDocument::parse(document, path)?;
    let found = &registered.definition.artifact_type;
    if layout::type_path(found)? == *path {
        return Ok(registered);
    }
    Err(Error::corrupt("the document describes another type")
        .with("path", path)
        .with("found", found))
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
        let this = self.clone();
        to_its_end(self.activities.begin(), async move {
            this.register(&definition, registration).await
        })
        .await
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
                types.extend(self.read_listed(&entry.path).await?);
            }
        }
        types.sort_by(|one, other| {
            let (one, other) = (&one.definition, &other.definition);
            one.artifact_type.cmp(&other.artifact_type)
        });
        Ok(types)
    }
}
