//! Reading and listing what has a final name.

use std::sync::Arc;

use artstore_core::backend::{BlobEntry, BlobList, BlobReader};
use artstore_core::format::document::MAX_DOCUMENT_BYTES;
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};
use bytes::Bytes;
use futures_util::stream;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::copy::{PIECE_BYTES, fill};
use crate::error;
use crate::store::{FsStore, Inner, run_blocking};
use crate::vfs::{FileKind, VfsFile, display_path};

/// A file and the piece of it that was read last; the piece is empty at the end.
type Piece = Result<(Box<dyn VfsFile>, Bytes)>;

/// Opens `path`. A small file is read with the same hop, a large one is read ahead by one piece.
pub(crate) async fn open(store: &FsStore, path: RelPath) -> Result<Option<BlobReader>> {
    let inner = Arc::clone(store.inner());
    let opened = store
        .run(move |inner| {
            let Some((file, size_bytes)) = inner.open_regular(&path)? else {
                return Ok(None);
            };
            let (file, first) = inner.read_piece(file, &path)?;
            Ok(Some((file, size_bytes, first, path)))
        })
        .await?;
    let Some((file, size_bytes, first, path)) = opened else {
        return Ok(None);
    };
    let ended = first.len() < PIECE_BYTES;
    let next = (!ended).then(|| read_ahead(&inner, file, &path));
    let state = Reading { inner, path, next };
    let pieces = stream::try_unfold((Some(first), state), |(ready, state)| async {
        match ready {
            Some(piece) if piece.is_empty() => Ok(None),
            Some(piece) => Ok(Some((piece, (None, state)))),
            None => state.next_piece().await,
        }
    });
    Ok(Some(BlobReader {
        size_bytes,
        bytes: Box::pin(pieces),
    }))
}

/// A large file that is being read.
struct Reading {
    inner: Arc<Inner>,
    path: RelPath,
    next: Option<JoinHandle<Piece>>,
}

impl Reading {
    async fn next_piece(mut self) -> Result<Option<(Bytes, (Option<Bytes>, Self))>> {
        let Some(next) = self.next.take() else {
            return Ok(None);
        };
        let (file, piece) = next
            .await
            .unwrap_or_else(|error| Err(error::not_run(error)))?;
        if piece.is_empty() {
            return Ok(None);
        }
        if piece.len() == PIECE_BYTES {
            self.next = Some(read_ahead(&self.inner, file, &self.path));
        }
        Ok(Some((piece, (None, self))))
    }
}

fn read_ahead(inner: &Arc<Inner>, file: Box<dyn VfsFile>, path: &RelPath) -> JoinHandle<Piece> {
    let (inner, path) = (Arc::clone(inner), path.clone());
    spawn_blocking(move || inner.read_piece(file, &path))
}

/// Every regular file below `directory`, a directory at a time.
pub(crate) fn list(inner: Arc<Inner>, directory: RelPath) -> BlobList {
    let waiting = vec![directory];
    Box::pin(stream::try_unfold(
        (inner, waiting),
        |(inner, mut waiting)| async move {
            let Some(directory) = waiting.pop() else {
                return Ok(None);
            };
            let worker = Arc::clone(&inner);
            let (files, directories) = run_blocking(move || worker.list_one(&directory)).await?;
            waiting.extend(directories);
            Ok(Some((files, (inner, waiting))))
        },
    ))
}

impl Inner {
    pub(crate) fn size(&self, path: &RelPath) -> Result<Option<u64>> {
        let found = self.optional("inspect", Some(path), self.vfs.metadata(path))?;
        let Some(found) = found else {
            return Ok(None);
        };
        if found.kind != FileKind::File {
            return Err(self.not_regular(path));
        }
        Ok(Some(found.size))
    }

    pub(crate) fn read_document(&self, path: &RelPath) -> Result<Option<Bytes>> {
        let Some((mut file, size)) = self.open_regular(path)? else {
            return Ok(None);
        };
        let too_large = || {
            Error::corrupt("the document is too large")
                .with(
                    "path",
                    display_path(self.vfs.as_ref(), Some(path)).display(),
                )
                .with("limit", MAX_DOCUMENT_BYTES)
        };
        if size > MAX_DOCUMENT_BYTES {
            return Err(too_large());
        }
        // One byte more shows whether it grew.
        let capacity = usize::try_from(size + 1).map_err(|_| too_large())?;
        let mut bytes = vec![0; capacity];
        let length = fill(file.as_mut(), &mut bytes)
            .map_err(|error| self.failed("read", Some(path), error))?;
        bytes.truncate(length);
        Ok(Some(bytes.into()))
    }

    fn open_regular(&self, path: &RelPath) -> Result<Option<(Box<dyn VfsFile>, u64)>> {
        let Some(file) = self.optional("open", Some(path), self.vfs.open(path))? else {
            return Ok(None);
        };
        let found = file
            .metadata()
            .map_err(|error| self.failed("inspect", Some(path), error))?;
        if found.kind != FileKind::File {
            return Err(self.not_regular(path));
        }
        Ok(Some((file, found.size)))
    }

    fn read_piece(&self, mut file: Box<dyn VfsFile>, path: &RelPath) -> Piece {
        let mut piece = vec![0; PIECE_BYTES];
        let length = fill(file.as_mut(), &mut piece)
            .map_err(|error| self.failed("read", Some(path), error))?;
        piece.truncate(length);
        piece.shrink_to_fit();
        Ok((file, piece.into()))
    }

    /// The files of one directory, and its directories.
    fn list_one(&self, directory: &RelPath) -> Result<(Vec<BlobEntry>, Vec<RelPath>)> {
        let listed = self.vfs.read_directory(Some(directory));
        let listed = self.optional("list", Some(directory), listed)?;
        let (mut files, mut directories) = (Vec::new(), Vec::new());
        for entry in listed.unwrap_or_default() {
            // Other names were not made by a store and cannot be told in a path.
            let Some(path) = entry
                .name
                .to_str()
                .and_then(|name| directory.join(name).ok())
            else {
                continue;
            };
            match entry.kind {
                FileKind::Directory => directories.push(path),
                FileKind::File => {
                    let found = self.optional("inspect", Some(&path), self.vfs.metadata(&path))?;
                    files.extend(found.map(|found| BlobEntry {
                        path,
                        size_bytes: found.size,
                    }));
                }
                FileKind::Other => {}
            }
        }
        Ok((files, directories))
    }

    fn not_regular(&self, path: &RelPath) -> Error {
        Error::corrupt("not a regular file").with(
            "path",
            display_path(self.vfs.as_ref(), Some(path)).display(),
        )
    }
}
