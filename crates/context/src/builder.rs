//! Settings and replaced parts in, a context out.

use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::backend::{ArtifactCatalog, Clock, IdSource, NoProgress, Progress, TableReader};
use artstore_core::ports::{ArtifactStorePort, ArtifactTypeRegistry, Maintenance};
use artstore_fs::RealVfs;
use artstore_fs::vfs::Vfs;
use artstore_tabular::TabularReader;

use crate::backends::Storage;
use crate::context::{Context, Parts};
use crate::root::resolve_root;
use crate::{Environment, Settings, SettingsOverrides, SystemClock, UuidV7Ids};

/// Makes a [`Context`]. Whatever is not given is built as the settings say.
#[derive(Debug, Default)]
pub struct ContextBuilder {
    settings: Option<Settings>,
    environment: Option<Environment>,
    root: Option<PathBuf>,
    artifact_store: Option<Arc<dyn ArtifactStorePort>>,
    artifact_types: Option<Arc<dyn ArtifactTypeRegistry>>,
    maintenance: Option<Arc<dyn Maintenance>>,
    artifact_catalog: Option<Arc<dyn ArtifactCatalog>>,
    table_reader: Option<Arc<dyn TableReader>>,
    clock: Option<Arc<dyn Clock>>,
    ids: Option<Arc<dyn IdSource>>,
    progress: Option<Arc<dyn Progress>>,
    vfs: Option<Arc<dyn Vfs>>,
}

impl ContextBuilder {
    /// Use these settings; neither a file nor the environment is read.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Read settings from the configuration file and this environment, unless [`Self::settings`] gives them.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Use the store in this directory, whatever the settings say.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// Answer this artifact store instead of building one.
    #[must_use]
    pub fn artifact_store(mut self, store: Arc<dyn ArtifactStorePort>) -> Self {
        self.artifact_store = Some(store);
        self
    }

    /// Answer this registry of artifact types instead of building one.
    #[must_use]
    pub fn artifact_types(mut self, types: Arc<dyn ArtifactTypeRegistry>) -> Self {
        self.artifact_types = Some(types);
        self
    }

    /// Answer this maintenance instead of building one.
    #[must_use]
    pub fn maintenance(mut self, maintenance: Arc<dyn Maintenance>) -> Self {
        self.maintenance = Some(maintenance);
        self
    }

    /// Keep rows here instead of where the store's document says.
    #[must_use]
    pub fn artifact_catalog(mut self, catalog: Arc<dyn ArtifactCatalog>) -> Self {
        self.artifact_catalog = Some(catalog);
        self
    }

    /// Read tables with this instead of what knows CSV and Parquet.
    #[must_use]
    pub fn table_reader(mut self, tables: Arc<dyn TableReader>) -> Self {
        self.table_reader = Some(tables);
        self
    }

    /// Use this clock instead of the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Use these ids instead of random ones.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = Some(ids);
        self
    }

    /// Tell this listener how long work goes on.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Use this filesystem; its root is the store's root, whatever the settings say.
    #[must_use]
    pub fn vfs(mut self, vfs: Arc<dyn Vfs>) -> Self {
        self.vfs = Some(vfs);
        self
    }

    /// The context. Reads the configuration file and resolves the root, and blocks for as long as that takes; opens
    /// nothing else.
    ///
    /// # Errors
    /// As [`Settings::load`]; [`Unavailable`](artstore_core::ErrorKind::Unavailable) if the root cannot be reached.
    pub fn build(self) -> Result<Context> {
        let mut settings = match (self.settings, self.environment) {
            (Some(settings), _) => settings,
            (None, Some(environment)) => {
                let overrides = SettingsOverrides {
                    root: self.root.clone(),
                    ..SettingsOverrides::default()
                };
                Settings::load(&environment, overrides)?
            }
            (None, None) => Settings::default(),
        };
        if let Some(root) = self.root {
            settings.root = root;
        }
        settings
            .check()
            .map_err(|(name, error)| error.with("setting", name))?;
        let vfs = match self.vfs {
            Some(vfs) => vfs,
            None => Arc::new(RealVfs::new(resolve_root(&settings.root)?)),
        };
        let ids = self.ids.unwrap_or_else(|| Arc::new(UuidV7Ids::default()));
        Ok(Context::new(Parts {
            root: vfs.root().to_owned(),
            storage: Storage::new(vfs, Arc::clone(&ids)),
            settings,
            artifact_store: self.artifact_store,
            artifact_types: self.artifact_types,
            maintenance: self.maintenance,
            artifact_catalog: self.artifact_catalog,
            tables: self
                .table_reader
                .unwrap_or_else(|| Arc::new(TabularReader::new())),
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            ids,
            progress: self.progress.unwrap_or_else(|| Arc::new(NoProgress)),
        }))
    }
}
