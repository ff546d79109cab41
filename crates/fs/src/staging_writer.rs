//! [`StagingWriter`]: bytes that are made on the way.

use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use artstore_core::backend::{SourceFacts, StagedSource, StagingWriter};
use artstore_core::digest::{Digest, DigestBuilder};
use artstore_core::id::StagingId;
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};

use crate::blob_store::{in_staging, staged};
use crate::copy::{Failure, PIECE_BYTES, WAITING_PIECES};
use crate::staging::StagedKind;
use crate::store::Inner;
use crate::vfs::VfsFile;
use crate::write_back::Writer;

/// A staged file that is being written. As long as it exists, its directory is not empty and so not given up.
#[derive(Debug)]
pub(crate) struct FsStagingWriter {
    inner: Arc<Inner>,
    id: StagingId,
    /// Where the file is, until it is finished or removed.
    path: Option<RelPath>,
    /// After an error that error, for whoever goes on.
    output: Result<Output>,
}

impl FsStagingWriter {
    pub(crate) fn begin(inner: Arc<Inner>, id: StagingId) -> Result<Self> {
        let (path, file) = inner.staging.create(id, StagedKind::Data)?;
        Ok(Self {
            inner,
            id,
            path: Some(path),
            output: Ok(Output::new(file)),
        })
    }

    /// Takes the output away, so that nothing can be written any more.
    fn take_output(&mut self) -> Result<Output> {
        let ended = || Error::internal("the staged file has been ended already");
        mem::replace(&mut self.output, Err(ended()))
    }

    fn error(&self, failure: Failure) -> Error {
        let made = Path::new("bytes made on the way");
        self.inner.failure(failure, made, self.path.as_ref())
    }

    fn remove(&mut self) {
        if let Some(path) = self.path.take() {
            self.inner.remove_quietly(&path);
        }
    }
}

impl StagingWriter for FsStagingWriter {
    fn write_all(&mut self, data: &[u8]) -> Result<()> {
        let output = self.output.as_mut().map_err(|error| error.clone())?;
        let Err(failure) = output.append(data) else {
            return Ok(());
        };
        let failure = self.take_output()?.writer.give_up(failure);
        let error = self.error(failure);
        self.output = Err(error.clone());
        self.remove();
        Err(error)
    }

    fn finish(mut self: Box<Self>) -> Result<StagedSource> {
        let finished = self.take_output()?.finish();
        let facts = finished.map_err(|failure| self.error(failure))?;
        let path = self.path.take();
        let path = path.ok_or_else(|| Error::internal("a finished file was removed"))?;
        Ok(staged(in_staging(self.id, path), facts))
    }
}

impl Drop for FsStagingWriter {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Collects what it is given in pieces, writes them, and lets a thread hash each while the next one is made. Up to one
/// piece there is no thread.
#[derive(Debug)]
struct Output {
    file: Box<dyn VfsFile>,
    writer: Writer,
    hashing: Option<Hashing>,
    /// What is not written yet.
    piece: Vec<u8>,
    written: u64,
}

impl Output {
    fn new(file: Box<dyn VfsFile>) -> Self {
        Self {
            file,
            writer: Writer::default(),
            hashing: None,
            piece: Vec::new(),
            written: 0,
        }
    }

    fn append(&mut self, mut data: &[u8]) -> Result<(), Failure> {
        while !data.is_empty() {
            if self.piece.len() == PIECE_BYTES {
                self.write_piece()?;
            }
            let room = PIECE_BYTES - self.piece.len();
            let (now, later) = data.split_at(room.min(data.len()));
            self.piece.extend_from_slice(now);
            data = later;
        }
        Ok(())
    }

    fn write_piece(&mut self) -> Result<(), Failure> {
        self.writer.write(self.file.as_mut(), &self.piece)?;
        self.written += self.piece.len() as u64;
        let hashing = match &mut self.hashing {
            Some(hashing) => hashing,
            None => self.hashing.insert(Hashing::start()?),
        };
        self.piece = hashing.hash(mem::take(&mut self.piece))?;
        Ok(())
    }

    fn finish(mut self) -> Result<SourceFacts, Failure> {
        let size_bytes = self.written + self.piece.len() as u64;
        let written = self.writer.write(self.file.as_mut(), &self.piece);
        // The thread hashes the last piece while all is synced.
        if let Some(hashing) = &mut self.hashing {
            self.piece = hashing.hash(self.piece)?;
        }
        self.writer.end(self.file.as_mut(), written)?;
        let digest = match self.hashing {
            Some(hashing) => hashing.finish()?,
            None => Digest::of(&self.piece),
        };
        Ok(SourceFacts { size_bytes, digest })
    }
}

/// A thread that hashes pieces and gives them back.
#[derive(Debug)]
struct Hashing {
    full_pieces: SyncSender<Vec<u8>>,
    used_pieces: Receiver<Vec<u8>>,
    thread: JoinHandle<Digest>,
}

impl Hashing {
    fn start() -> Result<Self, Failure> {
        let (full_pieces, pieces) = sync_channel::<Vec<u8>>(WAITING_PIECES);
        let (used, used_pieces) = channel::<Vec<u8>>();
        let hash_all = move || {
            let mut digest = DigestBuilder::new();
            for mut piece in pieces {
                digest.update(&piece);
                piece.clear();
                // Nobody takes the last ones.
                let _ = used.send(piece);
            }
            digest.finish()
        };
        let thread = thread::Builder::new()
            .spawn(hash_all)
            .map_err(Failure::NoThread)?;
        Ok(Self {
            full_pieces,
            used_pieces,
            thread,
        })
    }

    /// Takes a piece and returns an empty one.
    fn hash(&mut self, piece: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.full_pieces
            .send(piece)
            .map_err(|_| Failure::Panicked("hashing"))?;
        let used = self.used_pieces.try_recv().ok();
        Ok(used.unwrap_or_else(|| Vec::with_capacity(PIECE_BYTES)))
    }

    fn finish(self) -> Result<Digest, Failure> {
        drop(self.full_pieces);
        self.thread.join().map_err(|_| Failure::Panicked("hashing"))
    }
}
