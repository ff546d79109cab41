use artstore_core::artifact::{ArtifactFilter, ArtifactStatus, TimeSpan};
use artstore_core::key::ArtifactType;
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::{PageOptions, Session};
use crate::failure::Failure;
use crate::pairs::Pair;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this type
    #[arg(long = "type", value_name = "TYPE")]
    artifact_type: Option<ArtifactType>,
    /// Only this status
    #[arg(long, value_name = "STATUS", value_parser = statuses())]
    status: Option<ArtifactStatus>,
    /// Only artifacts with this tag; of several, with all of them
    #[arg(long = "tag", value_name = "K=V")]
    tags: Vec<Pair>,
    /// Only logical keys that start with this text
    #[arg(long, value_name = "TEXT")]
    key_prefix: Option<String>,
    /// Only artifacts created at this time or later
    #[arg(long, value_name = "TIME")]
    created_after: Option<Timestamp>,
    /// Only artifacts created before this time
    #[arg(long, value_name = "TIME")]
    created_before: Option<Timestamp>,
    /// Only tables with times from FROM on and before TO; either may be left out
    #[arg(long, value_name = "FROM..TO")]
    overlaps: Option<TimeSpan>,
    #[command(flatten)]
    page: PageOptions,
}

impl List {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let page = self.page.request()?;
        let mut tags = Tags::new();
        for Pair { key, value } in self.tags {
            tags.insert(key, value)?;
        }
        let filter = ArtifactFilter {
            artifact_type: self.artifact_type,
            status: self.status,
            tags,
            key_prefix: self.key_prefix,
            created_from: self.created_after,
            created_before: self.created_before,
            overlaps: self.overlaps,
        };
        let store = session.context.artifact_store().await?;
        let found = store.list_artifacts(&filter, &page).await?;
        session.print_page(found).await
    }
}

fn statuses() -> impl clap::builder::TypedValueParser<Value = ArtifactStatus> {
    let words = ArtifactStatus::ALL.iter().map(|status| status.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse::<ArtifactStatus>())
}
