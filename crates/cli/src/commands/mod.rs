//! One file per command.

pub(crate) mod admin;
pub(crate) mod artifact_type;
pub(crate) mod cat;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod downstream;
pub(crate) mod export;
pub(crate) mod find;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod lineage;
pub(crate) mod list;
pub(crate) mod ops;
pub(crate) mod publish;
pub(crate) mod status;
pub(crate) mod supersede;
pub(crate) mod tag;
pub(crate) mod tombstone;

use artstore_context::Context;
use artstore_core::artifact::Artifact;
use artstore_core::page::{Cursor, Page, PageRequest};
use artstore_wire::{ArtifactDocument, ListDocument};
use clap::Args;
use tokio::sync::Mutex;

use crate::arguments::Command;
use crate::failure::Failure;
use crate::output::Output;
use crate::signals::Signals;
use crate::text;

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) context: Context,
    pub(crate) output: Output,
    pub(crate) signals: Mutex<Signals>,
}

impl Session {
    /// Waits for the next signal that asks the program to end.
    pub(crate) async fn next_signal(&self) -> Failure {
        self.signals.lock().await.next().await
    }

    fn document(&self, artifact: Artifact) -> ArtifactDocument {
        ArtifactDocument::new(artifact, self.context.root())
    }

    async fn print_page(&self, page: Page<Artifact>) -> Result<(), Failure> {
        let document = ListDocument::new(page, |artifact| self.document(artifact));
        self.output.document(&document, text::list).await
    }
}

impl Command {
    /// Whether the command listens to signals itself, because it has something to finish when one comes.
    pub(crate) fn hears_signals(&self) -> bool {
        matches!(self, Self::Ops(command) if command.hears_signals())
    }

    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Init(command) => command.run(session).await,
            Self::Publish(command) => command.run(session).await,
            Self::Get(command) => command.run(session).await,
            Self::List(command) => command.run(session).await,
            Self::Find(command) => command.run(session).await,
            Self::Lineage(command) => command.run(session).await,
            Self::Downstream(command) => command.run(session).await,
            Self::Supersede(command) => command.run(session).await,
            Self::Tombstone(command) => command.run(session).await,
            Self::History(command) => command.run(session).await,
            Self::Tag(command) => command.run(session).await,
            Self::Cat(command) => command.run(session).await,
            Self::Export(command) => command.run(session).await,
            Self::Ops(command) => command.run(session).await,
            Self::Type(command) => command.run(session).await,
            Self::Status(command) => command.run(session).await,
            Self::Completions(command) => command.run(&session.output).await,
            Self::Demo(command) => command.run(&session.output).await,
            Self::Admin(command) => command.run(session).await,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PageOptions {
    /// How many artifacts at most
    #[arg(long, value_name = "N", default_value_t = PageRequest::DEFAULT_LIMIT)]
    limit: u32,
    /// Go on after a page: its `next`
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
}

impl PageOptions {
    fn request(&self) -> artstore_core::Result<PageRequest> {
        let first = PageRequest::first(self.limit)?;
        Ok(match self.after {
            Some(cursor) => first.after(cursor),
            None => first,
        })
    }
}
