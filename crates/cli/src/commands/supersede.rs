use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use clap::Args;

use super::Session;
use crate::failure::Failure;
use crate::text;

#[derive(Debug, Args)]
pub(crate) struct Supersede {
    /// The artifact that replaces
    new: ArtifactId,
    /// The artifact that is replaced
    old: ArtifactId,
    /// Identifies this change, so that it can be repeated without further effect
    #[arg(long, value_name = "ID")]
    op_id: Option<OpId>,
}

impl Supersede {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.context.artifact_store().await?;
        let replaced = store.supersede(self.new, self.old, self.op_id).await?;
        let document = session.document(replaced);
        session.output.document(&document, text::artifact).await
    }
}
