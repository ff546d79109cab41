use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use clap::Args;

use super::Session;
use crate::failure::Failure;
use crate::text;

#[derive(Debug, Args)]
pub(crate) struct Tombstone {
    /// The artifact
    id: ArtifactId,
    /// Why it is withdrawn
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Identifies this change, so that it can be repeated without further effect
    #[arg(long, value_name = "ID")]
    op_id: Option<OpId>,
}

impl Tombstone {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.context.artifact_store().await?;
        let withdrawn = store.tombstone(self.id, &self.reason, self.op_id).await?;
        let document = session.document(withdrawn);
        session.output.document(&document, text::artifact).await
    }
}
