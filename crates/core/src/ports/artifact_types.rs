use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Result;
use crate::key::ArtifactType;
use crate::registry::{RegisteredType, TypeDefinition, TypeRegistration};

/// Keeps what is registered about artifact types. Types are open: nothing need be registered to publish.
///
/// ```
/// use artstore_core::key::ArtifactType;
/// use artstore_core::ports::ArtifactTypeRegistry;
/// use artstore_core::registry::{TypeDefinition, TypeRegistration};
///
/// async fn describe(types: &dyn ArtifactTypeRegistry) -> artstore_core::Result<()> {
///     let definition = TypeDefinition {
///         required_columns: vec!["ts".into(), "price".into()],
///         sort_keys: vec!["ts".into()],
///         ..TypeDefinition::new(ArtifactType::new("prices_v1")?)
///     };
///     types.register_type(definition, TypeRegistration::KeepExisting).await?;
///     Ok(())
/// }
/// ```
///
/// # Durability
/// What a returned `Ok` reports survives the death of the process and loss of power at any moment.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ArtifactTypeRegistry: Debug + Send + Sync + 'static {
    /// Registers a type. The same definition again changes nothing.
    ///
    /// # Errors
    /// * [`Invalid`](crate::ErrorKind::Invalid): the definition contradicts itself.
    /// * [`Conflict`](crate::ErrorKind::Conflict): the type is registered with another definition, which is to be kept.
    /// * [`Busy`](crate::ErrorKind::Busy), [`Unavailable`](crate::ErrorKind::Unavailable).
    async fn register_type(
        &self,
        definition: TypeDefinition,
        registration: TypeRegistration,
    ) -> Result<RegisteredType>;

    /// What is registered about a type; `None` if nothing is.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if its document is damaged.
    async fn get_type(&self, artifact_type: &ArtifactType) -> Result<Option<RegisteredType>>;

    /// Every registered type in order of the names.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if a document is damaged.
    async fn list_types(&self) -> Result<Vec<RegisteredType>>;
}
