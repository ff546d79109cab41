//! Writing large files: what was written before is written back meanwhile.

use std::io;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use crate::copy::Failure;
use crate::vfs::VfsFile;

/// Writing back is started each time so many bytes were written and more are to come.
const WRITE_BACK_BYTES: u64 = if cfg!(test) { 4 } else { 64 } * 1024 * 1024;

/// Writes a file while a helper thread writes back what was written before, so that the sync at the end has little left to
/// do. A file that is not large has no helper. Every call is given the same `output`.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    write_back: Option<WriteBack>,
    since_write_back: u64,
}

impl Writer {
    pub(crate) fn write(&mut self, output: &mut dyn VfsFile, piece: &[u8]) -> Result<(), Failure> {
        if piece.is_empty() {
            return Ok(());
        }
        if self.since_write_back >= WRITE_BACK_BYTES {
            self.since_write_back = 0;
            self.wake(output)?;
        }
        output
            .write_all(piece)
            .map_err(|error| Failure::Target("write", error))?;
        self.since_write_back += piece.len() as u64;
        Ok(())
    }

    fn wake(&mut self, output: &dyn VfsFile) -> Result<(), Failure> {
        if self.write_back.is_none() {
            self.write_back = WriteBack::start(output)?;
        }
        match &self.write_back {
            Some(write_back) => write_back.wake(),
            None => Ok(()),
        }
    }

    /// Syncs if `written` is good.
    pub(crate) fn end(
        self,
        output: &mut dyn VfsFile,
        written: Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Err(failure) = written {
            return Err(self.give_up(failure));
        }
        self.end_write_back()?;
        output
            .sync()
            .map_err(|error| Failure::Target("sync", error))
    }

    /// Ends without a sync; returns what really went wrong.
    pub(crate) fn give_up(self, failure: Failure) -> Failure {
        match (failure, self.end_write_back()) {
            // The helper knows why it ended.
            (Failure::Target(..), Err(cause)) => cause,
            (failure, _) => failure,
        }
    }

    /// The helper shares the open file and so consumes its errors: one that it saw counts, and no further sync is tried.
    fn end_write_back(self) -> Result<(), Failure> {
        self.write_back.map_or(Ok(()), WriteBack::end)
    }
}

#[derive(Debug)]
struct WriteBack {
    wake: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl WriteBack {
    fn start(output: &dyn VfsFile) -> Result<Option<Self>, Failure> {
        let handle = output
            .write_back_handle()
            .map_err(|error| Failure::Target("open", error))?;
        let Some(mut handle) = handle else {
            return Ok(None);
        };
        let (wake, woken) = sync_channel::<()>(1);
        let thread = thread::Builder::new()
            .spawn(move || woken.iter().try_for_each(|()| handle.sync()))
            .map_err(Failure::NoThread)?;
        Ok(Some(Self { wake, thread }))
    }

    fn wake(&self) -> Result<(), Failure> {
        match self.wake.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) => Ok(()),
            Err(TrySendError::Disconnected(())) => Err(Failure::Target(
                "sync",
                io::Error::other("writing back failed"),
            )),
        }
    }

    fn end(self) -> Result<(), Failure> {
        drop(self.wake);
        match self.thread.join() {
            Ok(synced) => synced.map_err(|error| Failure::Target("sync", error)),
            Err(_) => Err(Failure::Panicked("writing back")),
        }
    }
}
