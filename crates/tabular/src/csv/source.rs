//! The bytes of a CSV: reads them, hashes them, checks that they are UTF-8.

use std::sync::mpsc::SyncSender;

use artstore_core::backend::{RandomRead, SourceFacts};
use artstore_core::digest::DigestBuilder;
use artstore_core::{Error, Result};

use crate::cancel::Cancel;

/// Where the header starts: after the byte order mark, if there is one.
pub(super) fn header_position(input: &dyn RandomRead) -> Result<u64> {
    let mut buffer = [0; 4];
    let length = input.size().min(4) as usize;
    let beginning = &mut buffer[..length];
    input.read_exact_at(0, beginning)?;
    let encoding = match beginning {
        [] => {
            return Err(Error::invalid("the file is empty")
                .hint("a CSV begins with the names of its columns"));
        }
        [0xef, 0xbb, 0xbf, ..] => return Ok(3),
        [0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff] => "UTF-32",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        _ => return Ok(0),
    };
    Err(Error::unsupported("the encoding is not supported")
        .with("encoding", encoding)
        .hint("save it as UTF-8"))
}

/// Why not all bytes could be read.
#[derive(Debug)]
pub(super) enum SourceFault {
    /// The bytes at this place are not UTF-8. Everything before was passed on.
    NotUtf8 {
        /// The place of the first of them.
        offset: u64,
    },
    /// They could not be read.
    Error(Error),
}

impl From<Error> for SourceFault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Reads all bytes, hashes them and passes on those from `position`, in pieces of `chunk_bytes`. Ends early if
/// nobody takes them any more.
pub(super) fn read_all(
    input: &dyn RandomRead,
    position: u64,
    chunk_bytes: usize,
    chunks: &SyncSender<Vec<u8>>,
    cancel: &Cancel,
) -> Result<SourceFacts, SourceFault> {
    let mut digest = DigestBuilder::new();
    let mut mark = vec![0; position as usize];
    input.read_exact_at(0, &mut mark)?;
    digest.update(&mark);

    let mut utf8 = Utf8Check::default();
    let mut next = position;
    while next < input.size() {
        cancel.check()?;
        let length = (input.size() - next).min(chunk_bytes as u64) as usize;
        let mut chunk = vec![0; length];
        input.read_exact_at(next, &mut chunk)?;
        if let Err(valid) = utf8.check(&chunk) {
            let offset = next + valid as u64;
            chunk.truncate(valid);
            // If nobody takes it, something was wrong before.
            let _ = chunks.send(chunk);
            return Err(SourceFault::NotUtf8 { offset });
        }
        digest.update(&chunk);
        next += length as u64;
        if chunks.send(chunk).is_err() {
            break;
        }
    }
    if utf8.is_incomplete() {
        return Err(SourceFault::NotUtf8 { offset: next });
    }
    Ok(SourceFacts {
        size_bytes: input.size(),
        digest: digest.finish(),
    })
}

/// Checks text that comes in pieces.
#[derive(Debug, Default)]
struct Utf8Check {
    /// The beginning of a character whose rest is in the next piece.
    incomplete: Vec<u8>,
}

impl Utf8Check {
    /// Fails with the number of bytes before the wrong one.
    fn check(&mut self, chunk: &[u8]) -> Result<(), usize> {
        let mut start = 0;
        while !self.incomplete.is_empty() {
            let Some(byte) = chunk.get(start) else {
                return Ok(());
            };
            self.incomplete.push(*byte);
            match std::str::from_utf8(&self.incomplete) {
                Ok(_) => self.incomplete.clear(),
                Err(error) if error.error_len().is_some() => return Err(start),
                Err(_) => {}
            }
            start += 1;
        }
        let Err(error) = std::str::from_utf8(&chunk[start..]) else {
            return Ok(());
        };
        let valid = start + error.valid_up_to();
        if error.error_len().is_some() {
            return Err(valid);
        }
        self.incomplete.extend_from_slice(&chunk[valid..]);
        Ok(())
    }

    fn is_incomplete(&self) -> bool {
        !self.incomplete.is_empty()
    }
}
