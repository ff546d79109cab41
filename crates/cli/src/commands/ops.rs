mod answers;
mod co_process;
mod gate;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use artstore_context::Context;
use artstore_core::{Error, Result};
use artstore_wire::ops::{MAX_REQUEST_BYTES, OpsError, OpsRequest, to_pretty_text};
use clap::Args;
use serde_json::Value;

use super::Session;
use crate::failure::Failure;
use crate::lines::{stdin, unreadable};

#[derive(Debug, Args)]
#[command(after_help = "The requests and answers are told in docs/guides/json-ops.md.")]
pub(crate) struct Ops {
    /// Answer one request a line, each with the request's `id`, until the input ends
    #[arg(long)]
    lines: bool,
    /// How many requests may be under way at a time
    #[arg(long, requires = "lines", value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    concurrency: u16,
}

impl Ops {
    /// Whether it finishes what it has begun when a signal comes.
    pub(crate) fn hears_signals(&self) -> bool {
        self.lines
    }

    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        if self.lines {
            return co_process::run(session, self.concurrency.into()).await;
        }
        let answer = match read_request().await {
            Ok(request) => perform(&session.context, OpsRequest::parse(&request)).await,
            Err(error) => Err(OpsError::unreceived(error)),
        };
        let answer = answer.or_else(OpsError::into_answer)?;
        let text = to_pretty_text(&answer);
        session.output.bytes(text.into_bytes()).await
    }
}

/// Asks the store that the request is for.
async fn perform(
    context: &Context,
    request: Result<OpsRequest, OpsError>,
) -> Result<Value, OpsError> {
    let request = request?;
    if let Some(root) = request.artifacts_root()
        && !is_root(context.root(), root)
    {
        return Err(request.other_store(context.root()));
    }
    let store = if request.makes_store() {
        context.artifact_store_or_init().await
    } else {
        context.artifact_store().await
    };
    match store {
        Ok(store) => request.perform(store.as_ref(), context.root()).await,
        Err(error) => Err(OpsError::without_store(request.operation(), error)),
    }
}

/// Whether `given` is the directory `root`, by whatever name.
fn is_root(root: &Path, given: &str) -> bool {
    if root == Path::new(given) {
        return true;
    }
    // A context resolves its root, and opens nothing.
    let other = Context::builder().root(given).build();
    other.is_ok_and(|other| other.root() == root)
}

async fn read_request() -> Result<Vec<u8>> {
    let source = stdin()?;
    let read = tokio::task::spawn_blocking(move || read_bounded(source));
    read.await
        .map_err(|error| Error::internal("reading was given up").caused_by(error))?
}

fn read_bounded(source: File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let one_too_many = MAX_REQUEST_BYTES as u64 + 1;
    source
        .take(one_too_many)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > MAX_REQUEST_BYTES {
        return Err(too_long());
    }
    Ok(bytes)
}

fn too_long() -> Error {
    Error::invalid("the request is too long")
        .with("limit", format_args!("{MAX_REQUEST_BYTES} bytes"))
}
