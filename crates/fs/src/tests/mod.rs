//! Tests of the store over the real filesystem.

mod documents;
mod input;
mod locking;
mod publishing;
mod reading;
mod recording;
mod rooting;
mod settling;
mod staging;
mod staging_writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{
    BlobStore as _, IdSource, LockHold, LockPermit, NoProgress, Publication, PublicationItem,
    StagedFile, StagedSource, StoreRoot as _,
};
use artstore_core::id::{PublicationId, StagingId};
use artstore_core::key::OpId;
use artstore_core::path::RelPath;
use artstore_core::{Domain, Result};
use bytes::Bytes;
use tempfile::TempDir;
use uuid::Uuid;

use self::recording::RecordingVfs;
use crate::{FsStore, RealVfs};

#[derive(Debug)]
struct Ids;

impl IdSource for Ids {
    fn next_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[derive(Debug)]
struct NoHold;

impl LockHold for NoHold {}

fn permit() -> LockPermit {
    LockPermit::new(Domain::Artifacts, Arc::new(NoHold))
}

/// A store in a directory of its own.
struct World {
    directory: TempDir,
    vfs: Arc<RecordingVfs>,
    store: Arc<FsStore>,
}

impl World {
    async fn new() -> Self {
        let world = Self::empty();
        world
            .store
            .initialize(Bytes::from_static(b"{}"))
            .await
            .unwrap();
        world.vfs.effects();
        world
    }

    /// Without a root.
    fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        let vfs = Arc::new(RecordingVfs::new(RealVfs::new(root)));
        let store = FsStore::new(vfs.clone(), Arc::new(Ids));
        Self {
            directory,
            vfs,
            store,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join("root").join(name)
    }

    /// A file outside the store.
    fn source(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    async fn stage(&self, source: ArtifactSource) -> Result<StagedSource> {
        self.store
            .stage(staging_id(), &source, Arc::new(NoProgress))
            .await
    }

    async fn stage_bytes(&self, content: &'static [u8]) -> StagedFile {
        let source = ArtifactSource::Bytes(Bytes::from_static(content));
        self.stage(source).await.unwrap().file
    }

    async fn stage_document(&self, content: &'static [u8]) -> StagedFile {
        let content = Bytes::from_static(content);
        self.store
            .stage_document(staging_id(), content)
            .await
            .unwrap()
    }

    /// Data and record, staged, with their final names `<stem>.data` and `<stem>.json`.
    async fn pair(&self, stem: &str) -> PublicationItem {
        let data = self.stage_bytes(b"data").await;
        let record = self.stage_document(b"record").await;
        PublicationItem {
            op_id: OpId::new(stem).unwrap(),
            files: vec![
                (data, path(&format!("{stem}.data"))),
                (record, path(&format!("{stem}.json"))),
            ],
            document: None,
        }
    }

    /// Every file of the store in `directory`, by name.
    fn names(&self, directory: &str) -> Vec<String> {
        names_in(&self.at(directory))
    }
}

fn names_in(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Staged files of every owner.
fn staged_files(world: &World) -> Vec<String> {
    let owners = world.names("staging");
    let directories = owners.iter().filter(|name| !name.ends_with(".lock"));
    directories
        .flat_map(|owner| world.names(&format!("staging/{owner}")))
        .collect()
}

const MIB: usize = 1024 * 1024;

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

/// Another store on the same root.
fn sibling(world: &World) -> Arc<FsStore> {
    let vfs = Arc::new(RealVfs::new(world.at("")));
    FsStore::new(vfs, Arc::new(Ids))
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn staging_id() -> StagingId {
    StagingId::from_uuid(Uuid::now_v7())
}

fn publication(items: Vec<PublicationItem>) -> Publication {
    Publication {
        id: PublicationId::from_uuid(Uuid::now_v7()),
        domain: Domain::Artifacts,
        items,
    }
}
