//! Standard output.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use artstore_core::Error;
use futures_util::{Stream, StreamExt as _};
use serde::Serialize;

use crate::failure::Failure;

/// How much is gathered before it is written.
const PIECE_BYTES: usize = 256 * 1024;

/// Whether people or programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text for people.
    Text,
    /// One JSON document.
    Json,
}

impl Format {
    /// The format that was asked for on a command line that may not be understood otherwise.
    pub(crate) fn wanted_by(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let options = arguments
            .into_iter()
            .take_while(|argument| argument != "--");
        if options.into_iter().any(|argument| argument == "--json") {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// Standard output. Writing waits on a thread of its own, so that signals are heard while a reader is slow.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    file: Arc<File>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Result<Self, Failure> {
        // Written to directly: the standard library's handle would look for newlines in everything.
        let file = io::stdout()
            .as_fd()
            .try_clone_to_owned()
            .map_err(unwritable)?;
        Ok(Self {
            format,
            file: Arc::new(File::from(file)),
        })
    }

    /// Whether people or programs read.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Where it is written to, for whoever writes from a thread of its own.
    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Prints one document: as it is, or as text.
    pub(crate) async fn document<T: Serialize>(
        &self,
        document: &T,
        in_text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.text(in_text(document)).await,
            Format::Json => self.json(document).await,
        }
    }

    /// Prints one document as it is, whatever the format.
    pub(crate) async fn json<T: Serialize>(&self, document: &T) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(document).map_err(|error| {
            Error::internal("the answer cannot be written as JSON").caused_by(error)
        })?;
        self.text(text).await
    }

    /// Prints this text, whatever the format.
    pub(crate) async fn text(&self, mut text: String) -> Result<(), Failure> {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        self.bytes(text.into_bytes()).await
    }

    /// Prints a stream to its end, or to its first error.
    pub(crate) async fn stream<B: AsRef<[u8]>>(
        &self,
        mut pieces: impl Stream<Item = artstore_core::Result<B>> + Unpin,
    ) -> Result<(), Failure> {
        let mut gathered = Vec::new();
        let outcome = loop {
            match pieces.next().await {
                Some(Ok(piece)) => gathered.extend_from_slice(piece.as_ref()),
                Some(Err(error)) => break Err(error.into()),
                None => break Ok(()),
            }
            if gathered.len() >= PIECE_BYTES {
                self.bytes(std::mem::take(&mut gathered)).await?;
            }
        };
        self.bytes(gathered).await?;
        outcome
    }

    /// Prints these bytes.
    pub(crate) async fn bytes(&self, bytes: Vec<u8>) -> Result<(), Failure> {
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || file.as_ref().write_all(&bytes)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(unwritable(error)),
            Err(error) => Err(Error::internal("writing was given up")
                .caused_by(error)
                .into()),
        }
    }
}

/// What it means that standard output cannot be written.
pub(crate) fn unwritable(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::ReaderGone;
    }
    Error::unavailable("standard output cannot be written")
        .caused_by(error)
        .into()
}
