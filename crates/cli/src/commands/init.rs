use artstore_core::maintenance::StatusDetail;
use clap::Args;

use super::{Session, status};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct Init {}

impl Init {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        session.context.initialize().await?;
        status::print(session, StatusDetail::Counts).await
    }
}
