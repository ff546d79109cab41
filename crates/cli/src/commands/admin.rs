use artstore_core::maintenance::Fault;
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
                let report = maintenance.settle().await?;
                let verdict = verdict_on(&report.faults);
                let document = SettleDocument::from(report);
                session.output.document(&document, text::settle).await?;
                verdict
            }
            Self::Rebuild => {
                let report = maintenance.rebuild().await?;
                let verdict = verdict_on(&report.faults);
                let document = RebuildDocument::from(report);
                session.output.document(&document, text::rebuild).await?;
                verdict
            }
            Self::Dump(Dump { canonical: _ }) => {
                let lines = maintenance.canonical_dump().await?;
                session.output.stream(lines).await
            }
        }
    }
}

/// Remains of what never happened are no failure; damage to what did happen is.
fn verdict_on(faults: &[Fault]) -> Result<(), Failure> {
    match faults.iter().any(|fault| fault.kind.is_damage()) {
        true => Err(Failure::Damage),
        false => Ok(()),
    }
}
