use artstore_core::key::{ArtifactType, LogicalKey};
use clap::Args;

use super::{PageOptions, Session};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct Find {
    /// The type
    #[arg(value_name = "TYPE")]
    artifact_type: ArtifactType,
    /// The whole logical key
    #[arg(value_name = "KEY")]
    key: LogicalKey,
    #[command(flatten)]
    page: PageOptions,
}

impl Find {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let page = self.page.request()?;
        let store = session.context.artifact_store().await?;
        let found = store
            .find_by_logical_key(&self.artifact_type, &self.key, &page)
            .await?;
        session.print_page(found).await
    }
}
