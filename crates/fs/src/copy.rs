//! Moving bytes fast: reading, hashing, writing and writing back overlap, in bounded memory.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use artstore_core::backend::{Progress, SourceFacts};
use artstore_core::digest::{Digest, DigestBuilder};

use crate::store::Abandoned;
use crate::vfs::VfsFile;
use crate::write_back::Writer;

/// The size of one piece in bytes. Sources up to this size are moved without threads.
pub(crate) const PIECE_BYTES: usize = 1024 * 1024;
/// Full pieces that wait for the second thread. With those in work, at most two more exist.
pub(crate) const WAITING_PIECES: usize = 8;

/// Why bytes were not moved.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The source could not be read.
    Source(io::Error),
    /// The target could not be written or synced.
    Target(&'static str, io::Error),
    /// The source is longer or shorter than it was.
    Changed,
    /// Nobody waits any more.
    Abandoned,
    /// A thread could not be started.
    NoThread(io::Error),
    /// A thread panicked.
    Panicked(&'static str),
}

/// Who wants to know how far the work is.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) activity: &'static str,
    pub(crate) total: u64,
    pub(crate) abandoned: Abandoned,
}

impl Watch {
    fn report(&self, done: u64) -> Result<(), Failure> {
        if self.abandoned.is_set() {
            return Err(Failure::Abandoned);
        }
        self.progress.report(self.activity, done, Some(self.total));
        Ok(())
    }
}

/// Hashes `input`, which has `watch.total` bytes.
pub(crate) fn hash(input: &mut dyn VfsFile, watch: &Watch) -> Result<SourceFacts, Failure> {
    if watch.total <= PIECE_BYTES as u64 {
        return Ok(facts_of(&read_small(input, watch)?));
    }
    let mut digest = DigestBuilder::new();
    pump(
        input,
        watch,
        |_| {},
        |piece| {
            digest.update(piece);
            Ok(())
        },
    )?;
    Ok(SourceFacts {
        size_bytes: watch.total,
        digest: digest.finish(),
    })
}

/// Copies `input`, which has `watch.total` bytes, to `output`, hashes it on the way, and syncs `output`.
pub(crate) fn copy(
    input: &mut dyn VfsFile,
    output: &mut dyn VfsFile,
    watch: &Watch,
) -> Result<SourceFacts, Failure> {
    if watch.total <= PIECE_BYTES as u64 {
        let bytes = read_small(input, watch)?;
        write_small(&bytes, output)?;
        return Ok(facts_of(&bytes));
    }
    let mut digest = DigestBuilder::new();
    reserve(output, watch.total)?;
    let mut writer = Writer::default();
    let pumped = pump(
        input,
        watch,
        |piece| digest.update(piece),
        |piece| writer.write(output, piece),
    );
    writer.end(output, pumped)?;
    Ok(SourceFacts {
        size_bytes: watch.total,
        digest: digest.finish(),
    })
}

/// Writes `bytes` to `output`, hashes them meanwhile, and syncs `output`.
pub(crate) fn store(
    bytes: &[u8],
    output: &mut dyn VfsFile,
    watch: &Watch,
) -> Result<SourceFacts, Failure> {
    if bytes.len() <= PIECE_BYTES {
        write_small(bytes, output)?;
        watch.report(bytes.len() as u64)?;
        return Ok(facts_of(bytes));
    }
    thread::scope(|scope| {
        let hashing = thread::Builder::new()
            .spawn_scoped(scope, || facts_of(bytes))
            .map_err(Failure::NoThread)?;
        reserve(output, watch.total)?;
        let mut writer = Writer::default();
        let mut done = 0;
        let written = bytes.chunks(PIECE_BYTES).try_for_each(|piece| {
            writer.write(output, piece)?;
            done += piece.len() as u64;
            watch.report(done)
        });
        writer.end(output, written)?;
        hashing.join().map_err(|_| Failure::Panicked("hashing"))
    })
}

/// Hashes `input`, which has `watch.total` bytes, and syncs it meanwhile.
pub(crate) fn hash_and_sync(
    input: &mut dyn VfsFile,
    watch: &Watch,
) -> Result<SourceFacts, Failure> {
    let sync_failed = |error| Failure::Target("sync", error);
    let handle = if watch.total > PIECE_BYTES as u64 {
        input.write_back_handle().map_err(sync_failed)?
    } else {
        None
    };
    let Some(mut handle) = handle else {
        let facts = hash(input, watch)?;
        input.sync().map_err(sync_failed)?;
        return Ok(facts);
    };
    thread::scope(|scope| {
        let syncing = thread::Builder::new()
            .spawn_scoped(scope, move || handle.sync())
            .map_err(Failure::NoThread)?;
        let hashed = hash(input, watch);
        let synced = syncing.join().map_err(|_| Failure::Panicked("syncing"))?;
        synced.map_err(sync_failed)?;
        hashed
    })
}

/// Writes and syncs at once.
pub(crate) fn write_small(bytes: &[u8], output: &mut dyn VfsFile) -> Result<(), Failure> {
    output
        .write_all(bytes)
        .map_err(|error| Failure::Target("write", error))?;
    output
        .sync()
        .map_err(|error| Failure::Target("sync", error))
}

/// Reads until `buffer` is full or the end comes; returns how much there is.
pub(crate) fn fill(input: &mut dyn VfsFile, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn reserve(output: &mut dyn VfsFile, bytes: u64) -> Result<(), Failure> {
    output
        .reserve(bytes)
        .map_err(|error| Failure::Target("reserve", error))
}

fn facts_of(bytes: &[u8]) -> SourceFacts {
    SourceFacts {
        size_bytes: bytes.len() as u64,
        digest: Digest::of(bytes),
    }
}

fn read_small(input: &mut dyn VfsFile, watch: &Watch) -> Result<Vec<u8>, Failure> {
    let expected = usize::try_from(watch.total).map_err(|_| Failure::Changed)?;
    // One byte more shows whether it grew.
    let mut bytes = vec![0; expected + 1];
    let length = fill(input, &mut bytes).map_err(Failure::Source)?;
    if length != expected {
        return Err(Failure::Changed);
    }
    bytes.truncate(length);
    watch.report(watch.total)?;
    Ok(bytes)
}

/// Reads `input` piece by piece on a thread of its own, where `first` sees each piece, and hands the pieces to `second`
/// on this thread.
fn pump(
    input: &mut dyn VfsFile,
    watch: &Watch,
    mut first: impl FnMut(&[u8]) + Send,
    mut second: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (full_pieces, pieces) = sync_channel::<Vec<u8>>(WAITING_PIECES);
    let (used_pieces, free_pieces) = channel::<Vec<u8>>();
    thread::scope(|scope| {
        let reading = thread::Builder::new()
            .spawn_scoped(scope, move || {
                produce(input, watch.total, &mut first, &full_pieces, &free_pieces)
            })
            .map_err(Failure::NoThread)?;
        let consumed = consume(pieces, &used_pieces, watch, &mut second);
        let read = reading.join().map_err(|_| Failure::Panicked("reading"))?;
        consumed.and(read)
    })
}

fn produce(
    input: &mut dyn VfsFile,
    total: u64,
    first: &mut dyn FnMut(&[u8]),
    full_pieces: &SyncSender<Vec<u8>>,
    free_pieces: &Receiver<Vec<u8>>,
) -> Result<(), Failure> {
    let mut done: u64 = 0;
    loop {
        let mut piece = free_pieces.try_recv().unwrap_or_default();
        piece.resize(PIECE_BYTES, 0);
        let length = fill(input, &mut piece).map_err(Failure::Source)?;
        piece.truncate(length);
        done += length as u64;
        let ended = length < PIECE_BYTES;
        if done > total || (ended && done < total) {
            return Err(Failure::Changed);
        }
        first(&piece);
        // The other side is gone only after an error of its own.
        if full_pieces.send(piece).is_err() || ended {
            return Ok(());
        }
    }
}

/// Owns the receiver, so that the producer ends when this does.
fn consume(
    pieces: Receiver<Vec<u8>>,
    used_pieces: &Sender<Vec<u8>>,
    watch: &Watch,
    second: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut done = 0;
    for piece in pieces {
        second(&piece)?;
        done += piece.len() as u64;
        watch.report(done)?;
        let _ = used_pieces.send(piece);
    }
    Ok(())
}
