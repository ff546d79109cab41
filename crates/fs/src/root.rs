//! [`StoreRoot`]: looking at a root, and making it a store.

use std::io::ErrorKind;

use artstore_core::backend::{RootState, StoreRoot};
use artstore_core::layout::STORE_DOCUMENT;
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

use crate::copy;
use crate::error;
use crate::store::{FsStore, Inner};
use crate::vfs::{FileKind, FilesystemKind, VfsMetadata};

const DOCUMENT_MODE: u32 = 0o444;

#[async_trait]
impl StoreRoot for FsStore {
    async fn state(&self) -> Result<RootState> {
        self.run(Inner::root_state).await
    }

    async fn initialize(&self, document: Bytes) -> Result<Bytes> {
        self.run(move |inner| inner.initialize_root(document)).await
    }

    fn describe(&self) -> String {
        self.inner().vfs.root().display().to_string()
    }
}

impl Inner {
    fn root_state(&self) -> Result<RootState> {
        self.refuse_network()?;
        let Some(found) = self.inspect_root()? else {
            return Ok(RootState::Empty);
        };
        if found.kind != FileKind::Directory {
            return Err(Error::invalid("the store's root is not a directory")
                .with("path", self.vfs.root().display())
                .hint("choose a directory for the store"));
        }
        let path = RelPath::new(STORE_DOCUMENT)?;
        if let Some(document) = self.read_document(&path)? {
            return Ok(RootState::Store(document));
        }
        let Some(foreign) = self.first_foreign_name()? else {
            return Ok(RootState::Empty);
        };
        // An initialiser may have come between the two looks.
        if let Some(document) = self.read_document(&path)? {
            return Ok(RootState::Store(document));
        }
        Ok(RootState::Foreign(foreign))
    }

    fn inspect_root(&self) -> Result<Option<VfsMetadata>> {
        match self.vfs.source_metadata(self.vfs.root()) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                Err(Error::invalid("the store's root lies below a file")
                    .with("path", self.vfs.root().display())
                    .caused_by(error))
            }
            Err(error) => Err(self.failed("inspect", None, error)),
        }
    }

    /// The names that an interrupted initialisation leaves belong to nobody.
    fn first_foreign_name(&self) -> Result<Option<String>> {
        let entries = self
            .vfs
            .read_directory(None)
            .map_err(|error| self.failed("list", None, error))?;
        let names = entries
            .iter()
            .map(|entry| entry.name.to_string_lossy().into_owned());
        Ok(names.filter(|name| !is_temporary(name)).min())
    }

    fn refuse_network(&self) -> Result<()> {
        let filesystem = match self.vfs.filesystem() {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(());
            }
            result => result.map_err(|error| self.failed("inspect", None, error))?,
        };
        let FilesystemKind::Network(name) = filesystem else {
            return Ok(());
        };
        Err(
            Error::unsupported("the store's root is on a network filesystem")
                .with("path", self.vfs.root().display())
                .with("filesystem", name)
                .hint("locks and syncs cannot be trusted there: put the root on a local disk"),
        )
    }

    fn initialize_root(&self, document: Bytes) -> Result<Bytes> {
        match self.root_state()? {
            RootState::Store(existing) => return self.settle_on(existing),
            RootState::Foreign(name) => return Err(self.foreign(&name)),
            RootState::Empty => {}
        }
        self.vfs
            .create_root()
            .map_err(|error| self.failed("create", None, error))?;
        // The root itself may be the first thing that tells its filesystem.
        self.refuse_network()?;
        let path = RelPath::new(STORE_DOCUMENT)?;
        let temporary = RelPath::new(temporary_name(self.ids.next_id()))?;
        self.write_root_document(&temporary, &document)?;
        match self.vfs.rename_new(&temporary, &path) {
            Ok(()) => self.settle_on(document),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.remove_quietly(&temporary);
                let existing = self.read_document(&path)?;
                self.settle_on(existing.ok_or_else(|| error::root_vanished(self.vfs.as_ref()))?)
            }
            Err(error) => {
                self.remove_quietly(&temporary);
                Err(self.failed("rename", Some(&path), error))
            }
        }
    }

    fn write_root_document(&self, temporary: &RelPath, document: &Bytes) -> Result<()> {
        let mut file = self
            .vfs
            .create(temporary, DOCUMENT_MODE)
            .map_err(|error| self.failed("create", Some(temporary), error))?;
        copy::write_small(document, file.as_mut()).map_err(|failure| {
            self.remove_quietly(temporary);
            self.failure(failure, self.vfs.root(), Some(temporary))
        })
    }

    /// Makes the document's name durable, whoever gave it.
    fn settle_on(&self, document: Bytes) -> Result<Bytes> {
        self.vfs
            .sync_directory(None)
            .map_err(|error| self.failed("sync", None, error))?;
        Ok(document)
    }

    fn foreign(&self, name: &str) -> Error {
        Error::conflict("the directory is not empty and not a store")
            .with("path", self.vfs.root().display())
            .with("found", name.escape_debug())
            .hint("choose an empty or new directory for the store")
    }
}

fn temporary_name(id: Uuid) -> String {
    format!(".{STORE_DOCUMENT}.{}", id.as_hyphenated())
}

fn is_temporary(name: &str) -> bool {
    let id = name
        .strip_prefix('.')
        .and_then(|rest| rest.strip_prefix(STORE_DOCUMENT))
        .and_then(|rest| rest.strip_prefix('.'));
    id.is_some_and(|id| Uuid::try_parse(id).is_ok())
}
