//! Ports on demand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use artstore_core::backend::{ArtifactCatalog, Clock, IdSource, Progress, TableReader};
use artstore_core::format::{CatalogUrls, StoreDocument};
use artstore_core::ports::{ArtifactStorePort, ArtifactTypeRegistry, Maintenance};
use artstore_core::{Error, Result};
use artstore_engine::{CatalogSet, Engine, EngineParts, EngineSettings};
use tokio::sync::OnceCell;

use crate::backends::{Storage, open_artifact_catalog};
use crate::catalog_url::CatalogUrl;
use crate::{ContextBuilder, Environment, Settings};

/// The services of one store, each built once, on its first use.
///
/// Clones share the services. A context is made outside or inside a tokio runtime, and used inside one.
#[derive(Debug, Clone)]
pub struct Context {
    services: Arc<Services>,
}

#[derive(Debug)]
struct Services {
    parts: Parts,
    engine: OnceCell<Engine>,
}

/// What services are built from.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) root: PathBuf,
    pub(crate) storage: Storage,
    pub(crate) artifact_store: Option<Arc<dyn ArtifactStorePort>>,
    pub(crate) artifact_types: Option<Arc<dyn ArtifactTypeRegistry>>,
    pub(crate) maintenance: Option<Arc<dyn Maintenance>>,
    pub(crate) artifact_catalog: Option<Arc<dyn ArtifactCatalog>>,
    pub(crate) tables: Arc<dyn TableReader>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) progress: Arc<dyn Progress>,
}

impl Context {
    pub(crate) fn new(parts: Parts) -> Self {
        let engine = OnceCell::new();
        Self {
            services: Arc::new(Services { parts, engine }),
        }
    }

    /// A context with the settings of this process: configuration file and environment.
    ///
    /// # Errors
    /// As [`ContextBuilder::build`].
    pub fn from_env() -> Result<Self> {
        Self::builder()
            .environment(Environment::from_process())
            .build()
    }

    /// A builder that has been given nothing.
    pub fn builder() -> ContextBuilder {
        ContextBuilder::default()
    }

    /// The directory of the store: absolute, links resolved.
    pub fn root(&self) -> &Path {
        &self.services.parts.root
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.services.parts.settings
    }

    /// The artifacts of the store.
    ///
    /// # Errors
    /// [`NotFound`](artstore_core::ErrorKind::NotFound) if there is no store at the root, and otherwise as
    /// [`artstore_engine::load`]; [`Conflict`](artstore_core::ErrorKind::Conflict) if the store has another catalog than
    /// the settings say.
    pub async fn artifact_store(&self) -> Result<Arc<dyn ArtifactStorePort>> {
        match &self.services.parts.artifact_store {
            Some(store) => Ok(Arc::clone(store)),
            None => Ok(self.services.engine().await?.artifact_store()),
        }
    }

    /// The artifacts of the store, which is initialised if it does not exist.
    ///
    /// # Errors
    /// As [`Self::initialize`].
    pub async fn artifact_store_or_init(&self) -> Result<Arc<dyn ArtifactStorePort>> {
        if self.services.parts.artifact_store.is_none() {
            self.services.engine_or_init().await?;
        }
        self.artifact_store().await
    }

    /// What is registered about artifact types.
    ///
    /// # Errors
    /// As [`Self::artifact_store`].
    pub async fn artifact_types(&self) -> Result<Arc<dyn ArtifactTypeRegistry>> {
        match &self.services.parts.artifact_types {
            Some(types) => Ok(Arc::clone(types)),
            None => Ok(self.services.engine().await?.artifact_types()),
        }
    }

    /// What is registered about artifact types of the store, which is initialised if it does not exist.
    ///
    /// # Errors
    /// As [`Self::initialize`].
    pub async fn artifact_types_or_init(&self) -> Result<Arc<dyn ArtifactTypeRegistry>> {
        if self.services.parts.artifact_types.is_none() {
            self.services.engine_or_init().await?;
        }
        self.artifact_types().await
    }

    /// The maintenance of the store.
    ///
    /// # Errors
    /// As [`Self::artifact_store`].
    pub async fn maintenance(&self) -> Result<Arc<dyn Maintenance>> {
        match &self.services.parts.maintenance {
            Some(maintenance) => Ok(Arc::clone(maintenance)),
            None => Ok(self.services.engine().await?.maintenance()),
        }
    }

    /// Makes the root a store with the catalog that the settings say, or reads the store that is there.
    ///
    /// # Errors
    /// As [`artstore_engine::initialize`]; [`Conflict`](artstore_core::ErrorKind::Conflict) if the catalog's place is taken
    /// by the catalog of another store, and whatever a catalog answers that finds something else there.
    pub async fn initialize(&self) -> Result<StoreDocument> {
        self.services.initialize().await
    }

    /// Waits until every change that was begun has ended, and closes the catalogs.
    pub async fn close(&self) {
        if let Some(engine) = self.services.engine.get() {
            engine.close().await;
        }
    }
}

impl Services {
    async fn engine(&self) -> Result<&Engine> {
        self.engine
            .get_or_try_init(|| async {
                match self.load().await? {
                    Some(store) => self.build_engine(store),
                    None => Err(self.no_store()),
                }
            })
            .await
    }

    async fn engine_or_init(&self) -> Result<&Engine> {
        self.engine
            .get_or_try_init(|| async { self.build_engine(self.initialize().await?) })
            .await
    }

    /// The store that is there, if the settings agree with it.
    async fn load(&self) -> Result<Option<StoreDocument>> {
        let store = artstore_engine::load(self.parts.storage.root.as_ref()).await?;
        let (Some(found), Some(wanted)) = (&store, self.wanted_catalog()?) else {
            return Ok(store);
        };
        if wanted.to_string() == found.catalogs.artifacts {
            return Ok(store);
        }
        Err(
            Error::conflict("the store has another catalog than the settings say")
                .with("root", self.parts.root.display())
                .with("store", &found.catalogs.artifacts)
                .with("setting", wanted)
                .hint("leave the catalog setting out: the store knows its catalog"),
        )
    }

    async fn initialize(&self) -> Result<StoreDocument> {
        if let Some(store) = self.load().await? {
            return Ok(store);
        }
        let catalogs = match self.wanted_catalog()? {
            Some(url) => CatalogUrls {
                artifacts: url.to_string(),
            },
            None => CatalogUrls::default(),
        };
        if let Some(store) = self.refuse_taken_catalog(&catalogs).await? {
            return Ok(store);
        }
        let parts = &self.parts;
        let root = parts.storage.root.as_ref();
        artstore_engine::initialize(root, parts.clock.as_ref(), parts.ids.as_ref(), catalogs).await
    }

    /// A new store must not take over a database that is something else's: its first rebuild would replace it. Gives the
    /// store if somebody else initialised it in the meantime and has made the catalog.
    async fn refuse_taken_catalog(&self, catalogs: &CatalogUrls) -> Result<Option<StoreDocument>> {
        let catalog = self.artifact_catalog(catalogs)?;
        let head = catalog.head().await;
        catalog.close().await;
        let head = match head {
            Ok(head) => head,
            Err(error) if error.is_catalog_missing() && !error.is_catalog_outdated() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        match self.load().await? {
            Some(store) => Ok(Some(store)),
            None => Err(Error::conflict("the catalog belongs to another store")
                .with("catalog", &catalogs.artifacts)
                .with("store_id", head.store_id)
                .with("root", self.parts.root.display())
                .hint("choose another catalog, or remove this one if its store is gone")),
        }
    }

    fn wanted_catalog(&self) -> Result<Option<CatalogUrl>> {
        let Some(text) = &self.parts.settings.catalog else {
            return Ok(None);
        };
        Ok(Some(CatalogUrl::parse(text)?.seen_from(&self.parts.root)))
    }

    fn artifact_catalog(&self, catalogs: &CatalogUrls) -> Result<Arc<dyn ArtifactCatalog>> {
        if let Some(catalog) = &self.parts.artifact_catalog {
            return Ok(Arc::clone(catalog));
        }
        let url = CatalogUrl::parse(&catalogs.artifacts).map_err(|error| {
            Error::unsupported("the store has a catalog that this program does not know")
                .with("root", self.parts.root.display())
                .with("catalog", &catalogs.artifacts)
                .caused_by(error)
        })?;
        open_artifact_catalog(&url, &self.parts.root, &self.parts.settings)
    }

    fn build_engine(&self, store: StoreDocument) -> Result<Engine> {
        let parts = &self.parts;
        let artifacts = self.artifact_catalog(&store.catalogs)?;
        tracing::debug!(store = %store.store_id, root = %parts.root.display(), "store opened");
        let settings = EngineSettings {
            actor: parts.settings.actor.clone(),
            patience: Duration::from_secs(parts.settings.lock_patience_seconds),
            ..EngineSettings::default()
        };
        let engine_parts = EngineParts {
            store,
            blobs: Arc::clone(&parts.storage.blobs),
            publications: Arc::clone(&parts.storage.publications),
            lock: Arc::clone(&parts.storage.lock),
            catalogs: CatalogSet { artifacts },
            tables: Arc::clone(&parts.tables),
            clock: Arc::clone(&parts.clock),
            ids: Arc::clone(&parts.ids),
            progress: Arc::clone(&parts.progress),
        };
        Ok(Engine::new(engine_parts, settings))
    }

    fn no_store(&self) -> Error {
        Error::not_found(format!(
            "there is no store at {}",
            self.parts.root.display()
        ))
        .hint("make one with `artstore init`")
    }
}
