use artstore_core::id::ArtifactId;
use artstore_wire::BatchDocument;
use clap::Args;

use super::Session;
use crate::failure::Failure;
use crate::text;

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Ids; of several, those that do not exist are null
    #[arg(required = true, value_name = "ID")]
    ids: Vec<ArtifactId>,
}

impl Get {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.context.artifact_store().await?;
        if let [id] = self.ids[..] {
            let document = session.document(store.get_artifact(id).await?);
            return session.output.document(&document, text::artifact).await;
        }
        let artifacts = store.get_artifacts(&self.ids).await?;
        let document = BatchDocument::new(artifacts, |artifact| session.document(artifact));
        let in_text = |batch: &BatchDocument<_>| text::batch(batch, &self.ids);
        session.output.document(&document, in_text).await
    }
}
