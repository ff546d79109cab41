use clap::Args;

use super::Session;
use super::lineage::WalkOptions;
use crate::failure::Failure;
use crate::tree::Direction;

#[derive(Debug, Args)]
pub(crate) struct Downstream {
    #[command(flatten)]
    walk: WalkOptions,
}

impl Downstream {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let view = self.walk.view(session)?;
        let limits = self.walk.limits()?;
        let store = session.context.artifact_store().await?;
        let lineage = store.get_downstream(self.walk.id, limits).await?;
        view.print(session, lineage, Direction::Downstream).await
    }
}
