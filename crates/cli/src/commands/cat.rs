use artstore_core::id::ArtifactId;
use clap::Args;

use super::Session;
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct Cat {
    /// The artifact
    id: ArtifactId,
}

impl Cat {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.context.artifact_store().await?;
        let reader = store.open(self.id, None).await?;
        session.output.stream(reader.bytes).await
    }
}
