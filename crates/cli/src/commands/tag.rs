use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::tags::{TagChange, TagRemoval, Tags};
use clap::{ArgGroup, Args};

use super::Session;
use crate::failure::Failure;
use crate::pairs::{Pair, Removal};
use crate::text;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").args(["add", "remove"]).required(true).multiple(true))]
pub(crate) struct Tag {
    /// The artifact
    id: ArtifactId,
    /// Tags to add
    #[arg(value_name = "K=V")]
    add: Vec<Pair>,
    /// A tag to remove, or a key with all its tags; removals come before additions
    #[arg(long, value_name = "K[=V]")]
    remove: Vec<Removal>,
    /// Identifies this change, so that it can be repeated without further effect
    #[arg(long, value_name = "ID")]
    op_id: Option<OpId>,
}

impl Tag {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut add = Tags::new();
        for Pair { key, value } in self.add {
            add.insert(key, value)?;
        }
        let remove = self.remove.into_iter().map(|removal| match removal.value {
            Some(value) => TagRemoval::Pair(removal.key, value),
            None => TagRemoval::Key(removal.key),
        });
        let change = TagChange {
            add,
            remove: remove.collect(),
        };
        let store = session.context.artifact_store().await?;
        let artifact = store.tag(self.id, change, self.op_id).await?;
        let document = session.document(artifact);
        session.output.document(&document, text::artifact).await
    }
}
