use artstore_core::id::ArtifactId;
use artstore_wire::SupersessionDocument;
use clap::Args;

use super::Session;
use crate::failure::Failure;
use crate::text;

#[derive(Debug, Args)]
pub(crate) struct History {
    /// The artifact
    id: ArtifactId,
}

impl History {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.context.artifact_store().await?;
        let supersession = store.get_supersession(self.id).await?;
        let artifact = session.document(supersession.artifact.clone());
        let document = SupersessionDocument::new(supersession, session.context.root());
        let in_text = |history: &SupersessionDocument| text::history(history, &artifact);
        session.output.document(&document, in_text).await
    }
}
