//! Reads the bytes of one column chunk.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use artstore_core::backend::RandomRead;
use bytes::{Buf as _, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::budget::Failure;

/// Bytes that are read at once where pages are smaller.
const WINDOW_BYTES: u64 = 256 << 10;

/// A column chunk of a file. Nothing outside it is read.
#[derive(Debug)]
pub(super) struct ChunkSource {
    input: Arc<dyn RandomRead>,
    start: u64,
    end: u64,
    window: Mutex<Window>,
    failure: Failure,
}

#[derive(Debug, Default)]
struct Window {
    start: u64,
    bytes: Bytes,
}

impl ChunkSource {
    pub(super) fn new(
        input: Arc<dyn RandomRead>,
        start: u64,
        length: u64,
        failure: Failure,
    ) -> Self {
        Self {
            input,
            start,
            end: start.saturating_add(length),
            window: Mutex::default(),
            failure,
        }
    }

    /// At least `least` bytes from `start` on.
    fn window(&self, start: u64, least: u64) -> Result<Bytes> {
        let end = start
            .checked_add(least)
            .filter(|end| *end <= self.end && start >= self.start);
        let Some(end) = end else {
            return Err(ParquetError::EOF("the column ends earlier".to_owned()));
        };
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let window_end = window.start + window.bytes.len() as u64;
        if start < window.start || end > window_end {
            let length = (end - start).max(WINDOW_BYTES).min(self.end - start);
            // The old window goes first: pages can be large.
            window.bytes = Bytes::new();
            let mut bytes = vec![0; length as usize];
            self.input
                .read_exact_at(start, &mut bytes)
                .map_err(|error| self.failure.set(error))?;
            *window = Window {
                start,
                bytes: bytes.into(),
            };
        }
        Ok(window.bytes.slice((start - window.start) as usize..))
    }

    /// Bytes from `start` on: `length` of them, or as many as there are.
    pub(super) fn up_to(&self, start: u64, length: u64) -> Result<Bytes> {
        let least = length.min(self.end.saturating_sub(start));
        self.window(start, least)
    }
}

impl Length for ChunkSource {
    fn len(&self) -> u64 {
        self.end
    }
}

impl ChunkReader for ChunkSource {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> Result<ChunkRead> {
        Ok(ChunkRead(self.up_to(start, 1)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        Ok(self.window(start, length as u64)?.slice(..length))
    }
}

/// Reads a header of a page, which is in memory.
#[derive(Debug)]
pub(super) struct ChunkRead(Bytes);

impl Read for ChunkRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.0.len());
        self.0.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
