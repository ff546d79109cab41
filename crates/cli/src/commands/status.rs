use artstore_core::maintenance::StatusDetail;
use artstore_wire::StatusDocument;
use artstore_wire::status::Health;
use clap::Args;

use super::Session;
use crate::failure::Failure;
use crate::text;

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Compute the digest of the canonical dump, which reads the whole catalog
    #[arg(long)]
    digest: bool,
}

impl Status {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let detail = if self.digest {
            StatusDetail::Digest
        } else {
            StatusDetail::Counts
        };
        print(session, detail).await
    }
}

pub(super) async fn print(session: &Session, detail: StatusDetail) -> Result<(), Failure> {
    let status = session.context.maintenance().await?.status(detail).await?;
    let store = session.context.artifact_store().await?;
    let health = if store.is_available().await {
        Health::Healthy
    } else {
        Health::Unhealthy
    };
    let document = StatusDocument::new(&status, session.context.root(), health);
    session.output.document(&document, text::status).await
}
