//! Where the encoder writes to.

use std::io;

use artstore_core::backend::{StagedSource, StagingWriter};
use artstore_core::{Error, Result};

/// How many bytes are staged at once.
const BUFFER_BYTES: usize = 1 << 20;

/// A [`StagingWriter`] with a buffer, for libraries that write to [`io::Write`].
#[derive(Debug)]
pub(super) struct Output {
    /// `None` once it is finished.
    staging: Option<Box<dyn StagingWriter>>,
    buffer: Vec<u8>,
    failure: Option<Error>,
    /// The last bytes that were written.
    tail: [u8; TAIL_BYTES],
}

/// A Parquet file ends with the length of its footer and four letters.
const TAIL_BYTES: usize = 8;

impl Output {
    pub(super) fn new(staging: Box<dyn StagingWriter>) -> Self {
        Self {
            staging: Some(staging),
            buffer: Vec::with_capacity(BUFFER_BYTES),
            failure: None,
            tail: [0; TAIL_BYTES],
        }
    }

    /// Why writing failed, in artstore's words.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// How many bytes the footer has that was written last.
    pub(super) fn footer_bytes(&self) -> u64 {
        let [length @ .., _, _, _, _] = self.tail;
        u64::from(u32::from_le_bytes(length))
    }

    /// Ends the staged file.
    pub(super) fn finish(&mut self) -> Result<StagedSource> {
        self.stage()?;
        match self.staging.take() {
            Some(staging) => staging.finish(),
            None => Err(finished()),
        }
    }

    fn stage(&mut self) -> Result<()> {
        let staging = self.staging.as_mut().ok_or_else(finished)?;
        staging.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

fn finished() -> Error {
    Error::internal("a staged table is written after its end")
}

impl io::Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let free = BUFFER_BYTES - self.buffer.len();
        let taken = data.len().min(free);
        self.buffer.extend_from_slice(&data[..taken]);
        let kept = taken.min(TAIL_BYTES);
        self.tail.copy_within(kept.., 0);
        self.tail[TAIL_BYTES - kept..].copy_from_slice(&data[taken - kept..taken]);
        if self.buffer.len() == BUFFER_BYTES {
            self.stage().map_err(|error| {
                self.failure = Some(error.clone());
                io::Error::other(error)
            })?;
        }
        Ok(taken)
    }

    /// Whole buffers go on by themselves; the rest goes at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
