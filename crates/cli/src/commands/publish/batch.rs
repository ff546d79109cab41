//! Many publishes, one a line.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;

use artstore_core::artifact::{PublishArtifactRequest, PublishArtifactResult};
use artstore_core::ports::ArtifactStorePort;
use artstore_core::{Error, Result};
use artstore_wire::ops::{MAX_REQUEST_BYTES, PublishLine};
use artstore_wire::{ErrorDocument, PublishDocument, answer_of};
use serde::Serialize;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::commands::Session;
use crate::failure::Failure;
use crate::lines::{Lines, stdin, unreadable};

/// How many requests go to the store in one call.
const MOST_REQUESTS: usize = 1000;

/// How many bytes of lines go to the store in one call.
const MOST_BYTES: usize = 2 * MAX_REQUEST_BYTES;

/// A line.
#[derive(Debug)]
struct Item {
    number: u64,
    /// How long it is, if it was kept.
    bytes: usize,
    /// What it asks for.
    request: Result<PublishArtifactRequest>,
}

/// Publishes every line of the file at `path`, or of standard input if that is `-`, and prints a result for each as long
/// as somebody reads.
pub(super) async fn run(session: &Session, path: PathBuf) -> std::result::Result<(), Failure> {
    let mut batch = Batch::open(path)?;
    let mut first_failure = None;
    let mut is_read = true;
    while let Some(items) = batch.next().await? {
        let store = session.context.artifact_store_or_init().await?;
        let results = publish(store.as_ref(), items).await;
        let mut lines = Vec::new();
        for result in results {
            match result {
                Ok(result) => {
                    let document = PublishDocument::new(&result, session.context.root());
                    add_line(&mut lines, &document)?;
                }
                Err(error) => {
                    first_failure.get_or_insert(answer_of(error.kind()).exit_status);
                    add_line(&mut lines, &ErrorDocument::from(&error))?;
                }
            }
        }
        if is_read {
            is_read = print(session, lines).await?;
        }
    }
    first_failure.map_or(Ok(()), |status| Err(Failure::Batch(status)))
}

/// Tells whether somebody reads. What is to be published does not depend on it, unlike what is only to be shown.
async fn print(session: &Session, lines: Vec<u8>) -> std::result::Result<bool, Failure> {
    match session.output.bytes(lines).await {
        Ok(()) => Ok(true),
        Err(Failure::ReaderGone) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// One result for each item, in their order.
async fn publish(
    store: &dyn ArtifactStorePort,
    items: Vec<Item>,
) -> Vec<Result<PublishArtifactResult>> {
    let mut requests = Vec::with_capacity(items.len());
    let mut places = Vec::with_capacity(items.len());
    for item in items {
        let error = item.request.map(|request| requests.push(request)).err();
        places.push((item.number, error));
    }
    let mut results = store.publish_artifacts(requests).await.into_iter();
    let mut next = || {
        let missing = || Err(Error::internal("a request has no result"));
        results.next().unwrap_or_else(missing)
    };
    let result_of = |(number, error): (u64, Option<Error>)| {
        let result = error.map_or_else(&mut next, Err);
        result.map_err(|error| error.with("line", number))
    };
    places.into_iter().map(result_of).collect()
}

fn add_line(lines: &mut Vec<u8>, document: &impl Serialize) -> Result<()> {
    serde_json::to_writer(&mut *lines, document).map_err(|error| {
        Error::internal("the answer cannot be written as JSON").caused_by(error)
    })?;
    lines.push(b'\n');
    Ok(())
}

/// The items of a file, read ahead on a thread of their own.
#[derive(Debug)]
struct Batch {
    pieces: Receiver<Result<Vec<Item>>>,
    rest: Vec<Item>,
    /// Why there is no more after the rest.
    end: Option<Error>,
}

impl Batch {
    fn open(path: PathBuf) -> Result<Self> {
        let is_stdin = path == Path::new("-");
        let source = if is_stdin { stdin() } else { open(&path) }?;
        let unreadable = move |error| {
            if is_stdin {
                unreadable(error)
            } else {
                unreadable_file(&path, error)
            }
        };
        let (sender, pieces) = mpsc::channel(1);
        thread::Builder::new()
            .name("artstore-batch".to_owned())
            .spawn(move || {
                if let Err(error) = read(source, &sender) {
                    // Nobody is left to tell if the command has ended.
                    let _ = sender.blocking_send(Err(unreadable(error)));
                }
            })
            .map_err(|error| {
                Error::unavailable("the program cannot start a thread").caused_by(error)
            })?;
        Ok(Self {
            pieces,
            rest: Vec::new(),
            end: None,
        })
    }

    /// As many items as are at hand, but not more than one call takes. Waits while there are none; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<Item>>> {
        if self.rest.is_empty() && self.end.is_none() {
            let Some(piece) = self.pieces.recv().await else {
                return Ok(None);
            };
            self.take(piece);
        }
        while count_for_one_call(&self.rest) == self.rest.len()
            && self.rest.len() < MOST_REQUESTS
            && let Ok(piece) = self.pieces.try_recv()
        {
            self.take(piece);
        }
        if self.rest.is_empty()
            && let Some(error) = self.end.take()
        {
            return Err(error);
        }
        let count = count_for_one_call(&self.rest);
        let items = self.rest.drain(..count).collect();
        Ok(Some(items))
    }

    fn take(&mut self, piece: Result<Vec<Item>>) {
        match piece {
            Ok(items) => self.rest.extend(items),
            Err(error) => self.end = Some(error),
        }
    }
}

/// How many of these items go to the store in one call: no line alone is more than one takes.
fn count_for_one_call(items: &[Item]) -> usize {
    let mut bytes = 0;
    let fits = |item: &&Item| {
        bytes += item.bytes;
        bytes <= MOST_BYTES
    };
    items.iter().take(MOST_REQUESTS).take_while(fits).count()
}

/// Sends the items of `source` in pieces: what is at hand, which is one line of any length and a buffer of others at most.
fn read(source: impl Read, sender: &Sender<Result<Vec<Item>>>) -> io::Result<()> {
    let mut lines = Lines::new(source, MAX_REQUEST_BYTES);
    let mut piece = Vec::new();
    while let Some(line) = lines.next()? {
        let length = line.content.map_or(0, <[u8]>::len);
        let request = match line.content {
            Some(content) => PublishLine::parse(content),
            None => Err(Error::invalid("the line is too long")
                .with("limit", format_args!("{MAX_REQUEST_BYTES} bytes"))),
        };
        piece.push(Item {
            number: line.number,
            bytes: length,
            request,
        });
        if piece.len() == MOST_REQUESTS || !lines.has_next_at_hand() {
            let sent = sender.blocking_send(Ok(std::mem::take(&mut piece)));
            if sent.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::not_found("there is no batch file at this path")
            .with("path", path.display())
            .caused_by(error),
        _ => unreadable_file(path, error),
    })
}

fn unreadable_file(path: &Path, error: io::Error) -> Error {
    Error::unavailable("the batch file cannot be read")
        .with("path", path.display())
        .with("problem", &error)
        .caused_by(error)
}

#[cfg(test)]
mod tests;
