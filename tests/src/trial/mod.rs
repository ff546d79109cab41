//! A store in a directory of its own, looked at from outside.
//!
//! | module | holds |
//! |---|---|
//! | [`filesystem`] | small filesystems to fill up or to make read-only |
//! | [`script`] | observers that fail, count or hold up calls, or meddle before one |

use std::path::{Path, PathBuf};

use artstore_core::Result;
use artstore_core::artifact::{Artifact, PublishArtifactRequest};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, Maintenance};
use artstore_testkit::samples;
use bytes::Bytes;
use futures_util::TryStreamExt as _;

use crate::store::LocalStore;

pub mod filesystem;
pub mod script;

/// A directory with a store in it, and room beside it.
#[derive(Debug)]
pub struct Trial {
    directory: tempfile::TempDir,
}

impl Default for Trial {
    fn default() -> Self {
        Self::new()
    }
}

impl Trial {
    /// An empty directory; the store is made when it is opened.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let trial = Self { directory };
        std::fs::create_dir(trial.sources()).expect("an empty directory");
        trial
    }

    /// The store's root.
    pub fn root(&self) -> PathBuf {
        self.beside("store")
    }

    /// Where sources lie.
    pub fn sources(&self) -> PathBuf {
        self.beside("sources")
    }

    /// A path beside the store.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The path of the catalog's database.
    pub fn catalog(&self) -> PathBuf {
        self.root().join("catalog.sqlite")
    }

    /// Opens the store.
    pub async fn open(&self) -> LocalStore {
        LocalStore::open(&self.root())
            .await
            .expect("the store opens")
    }

    /// A source with this content.
    pub fn source(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.sources().join(name);
        std::fs::write(&path, content).expect("a source is written");
        path
    }

    /// Files below a directory of the store.
    pub fn files_in(&self, directory: &str) -> Vec<String> {
        files_below(&self.root().join(directory))
    }

    /// What somebody does who types `rm catalog.sqlite*`.
    pub fn delete_catalog(&self) {
        delete_catalog(&self.root());
    }
}

/// What somebody does who types `rm catalog.sqlite*` in a root.
pub fn delete_catalog(root: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(root.join(format!("catalog.sqlite{suffix}")));
    }
}

/// Files below a directory, without staging's marks of living owners.
pub fn files_below(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                _ => found.push(entry.path()),
            }
        }
    }
    let mut names: Vec<String> = found
        .iter()
        .filter_map(|path| path.strip_prefix(directory).ok())
        .map(|path| path.display().to_string())
        .filter(|name| !name.ends_with(".lock"))
        .collect();
    names.sort();
    names
}

/// A request under an operation id.
pub fn request(key: &str, content: &str, op_id: &str) -> PublishArtifactRequest {
    let mut request = samples::request(key, content.to_owned());
    request.op_id = Some(OpId::new(op_id).expect("a valid operation id"));
    request
}

/// The canonical dump.
///
/// # Errors
/// As [`Maintenance::canonical_dump`].
pub async fn dump(maintenance: &dyn Maintenance) -> Result<String> {
    let lines: Vec<Bytes> = maintenance.canonical_dump().await?.try_collect().await?;
    Ok(String::from_utf8_lossy(&lines.concat()).into_owned())
}

/// All bytes of an artifact.
///
/// # Errors
/// As [`ArtifactStorePort::open`] and its stream.
pub async fn read(port: &dyn ArtifactStorePort, id: ArtifactId) -> Result<Bytes> {
    let reader = port.open(id, None).await?;
    let pieces: Vec<Bytes> = reader.bytes.try_collect().await?;
    Ok(pieces.concat().into())
}

/// Every artifact under a key of the type that samples have.
///
/// # Errors
/// As [`ArtifactStorePort::find_by_logical_key`].
pub async fn find(port: &dyn ArtifactStorePort, key: &str) -> Result<Vec<Artifact>> {
    let (artifact_type, key) = (
        samples::artifact_type("sample_v1"),
        samples::logical_key(key),
    );
    let page = PageRequest::first(PageRequest::MAX_LIMIT)?;
    let found = port
        .find_by_logical_key(&artifact_type, &key, &page)
        .await?;
    Ok(found.items)
}
