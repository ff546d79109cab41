//! The table of backends by name.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use artstore_core::backend::{
    ArtifactCatalog, BlobStore, DomainLock, IdSource, PublicationLog, StoreRoot,
};
use artstore_core::{Error, Result};
use artstore_fs::vfs::Vfs;
use artstore_fs::{FsLock, FsStore};
use artstore_sqlite::{SqliteArtifactCatalog, SqliteSettings};

use crate::Settings;
use crate::catalog_url::{CatalogUrl, SQLITE};

type OpenArtifactCatalog = fn(PathBuf, &Settings) -> Arc<dyn ArtifactCatalog>;

/// Every kind of catalog, by the scheme of its URL.
const CATALOGS: [(&str, OpenArtifactCatalog); 1] = [(SQLITE, open_sqlite)];

/// The schemes of catalog URLs.
pub(crate) fn known_schemes() -> impl Iterator<Item = &'static str> {
    CATALOGS.iter().map(|(scheme, _)| *scheme)
}

/// The catalog at `url` of the store at `root`. Nothing is opened before its first use.
pub(crate) fn open_artifact_catalog(
    url: &CatalogUrl,
    root: &Path,
    settings: &Settings,
) -> Result<Arc<dyn ArtifactCatalog>> {
    let (_, open) = CATALOGS
        .iter()
        .find(|(scheme, _)| *scheme == url.scheme)
        .ok_or_else(|| Error::internal("a parsed catalog has no backend").with("catalog", url))?;
    Ok(open(url.path(root), settings))
}

fn open_sqlite(path: PathBuf, settings: &Settings) -> Arc<dyn ArtifactCatalog> {
    let settings = SqliteSettings {
        readers: settings.sqlite_readers,
        busy_timeout: Duration::from_millis(settings.sqlite_busy_timeout_milliseconds),
        ..SqliteSettings::default()
    };
    Arc::new(SqliteArtifactCatalog::new(path, settings))
}

/// What keeps bytes, records and locks.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) root: Arc<dyn StoreRoot>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) publications: Arc<dyn PublicationLog>,
    pub(crate) lock: Arc<dyn DomainLock>,
}

impl Storage {
    /// Storage on a filesystem.
    pub(crate) fn new(vfs: Arc<dyn Vfs>, ids: Arc<dyn IdSource>) -> Self {
        let store = FsStore::new(Arc::clone(&vfs), ids);
        Self {
            root: Arc::clone(&store) as Arc<dyn StoreRoot>,
            blobs: Arc::clone(&store) as Arc<dyn BlobStore>,
            publications: store,
            lock: FsLock::new(vfs),
        }
    }
}
