use artstore_wire::{RebuildDocument, SettleDocument};
use clap::{Args, Subcommand};

use super::Session;
use crate::failure::Failure;
use crate::text;

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Finish or take back what interrupted processes left, and compare all records with the catalog
    Settle,
    /// Make the catalog anew from records and events
    Rebuild,
    /// Print every fact of the catalog as JSON lines
    Dump(Dump),
}

#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// In the order and form that does not depend on how the catalog was made
    #[arg(long, required = true)]
    canonical: bool,
}

impl Admin {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let maintenance = session.context.maintenance().await?;
        match self {
            Self::Settle => {
                let document = SettleDocument::from(maintenance.settle().await?);
                session.output.document(&document, text::settle).await
            }
            Self::Rebuild => {
                let document = RebuildDocument::from(maintenance.rebuild().await?);
                session.output.document(&document, text::rebuild).await
            }
            Self::Dump(Dump { canonical: _ }) => {
                let lines = maintenance.canonical_dump().await?;
                session.output.stream(lines).await
            }
        }
    }
}
