mod batch;
mod table;

use std::path::PathBuf;

use artstore_core::Error;
use artstore_core::artifact::{ArtifactSource, GitState, PublishArtifactRequest, Writer};
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::tags::Tags;
use artstore_wire::PublishDocument;
use clap::Args;

use super::Session;
use crate::failure::Failure;
use crate::pairs::{Input, Pair, Param};
use crate::{git, text};
use table::TableOptions;

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The file
    #[arg(required_unless_present = "batch")]
    path: Option<PathBuf>,
    /// What sort of thing it is
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "batch")]
    artifact_type: Option<ArtifactType>,
    /// What it is about
    #[arg(long, value_name = "KEY", required_unless_present = "batch")]
    key: Option<LogicalKey>,
    /// Publish what each line of this file asks for, a JSON object, and print a result for each; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ONE_PUBLISH)]
    batch: Option<PathBuf>,
    #[command(flatten)]
    table: TableOptions,
    /// The version of the type's schema
    #[arg(long, value_name = "N", default_value_t = 1)]
    schema_version: u32,
    /// A tag; may be given several times, also with the same key
    #[arg(long = "tag", value_name = "K=V")]
    tags: Vec<Pair>,
    /// An artifact that it was made from, with what it was used as; may be given several times
    #[arg(long = "input", value_name = "ID[:ROLE]")]
    inputs: Vec<Input>,
    /// A parameter of whatever wrote the file, kept in the record
    #[arg(long = "param", value_name = "K=JSON")]
    params: Vec<Param>,
    /// What wrote the file
    #[arg(long, value_name = "NAME[@VERSION]")]
    writer: Option<String>,
    /// Text for the stored file's name [default: the key]
    #[arg(long, value_name = "NAME")]
    hint: Option<String>,
    /// The commit of the code that wrote the file [default: asked of git]
    #[arg(long, value_name = "COMMIT")]
    git_commit: Option<String>,
    /// That code had changes that were not committed
    #[arg(long, requires = "git_commit")]
    git_dirty: bool,
    /// Move the file into the store instead of copying it
    #[arg(long)]
    adopt: bool,
    /// Identifies this publish, so that it can be repeated without further effect
    #[arg(long, value_name = "ID")]
    op_id: Option<OpId>,
}

/// Everything that says what one file is published as.
const ONE_PUBLISH: [&str; 18] = [
    "path",
    "artifact_type",
    "key",
    "kind",
    "format",
    "delimiter",
    "quote",
    "columns",
    "schema_version",
    "tags",
    "inputs",
    "params",
    "writer",
    "hint",
    "git_commit",
    "git_dirty",
    "adopt",
    "op_id",
];

impl Publish {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        if let Some(batch) = self.batch {
            return batch::run(session, batch).await;
        }
        let request = self.into_request().await?;
        let store = session.context.artifact_store_or_init().await?;
        let result = store.publish_artifact(request).await?;
        let document = PublishDocument::new(&result, session.context.root());
        session.output.document(&document, text::publish).await
    }

    async fn into_request(self) -> artstore_core::Result<PublishArtifactRequest> {
        let (Some(path), Some(artifact_type), Some(key)) =
            (self.path, self.artifact_type, self.key)
        else {
            return Err(Error::invalid("a publish needs a path, a type and a key"));
        };
        let table = self.table.format_of(&path)?;
        let git = match self.git_commit {
            Some(commit) => Some(GitState {
                commit,
                dirty: self.git_dirty,
            }),
            None => git::state_around(&path).await,
        };
        let source = if self.adopt {
            ArtifactSource::AdoptFile(path)
        } else {
            ArtifactSource::File(path)
        };
        let mut tags = Tags::new();
        for Pair { key, value } in self.tags {
            tags.insert(key, value)?;
        }
        Ok(PublishArtifactRequest {
            schema_version: self.schema_version,
            table,
            inputs: self.inputs.into_iter().map(|Input(input)| input).collect(),
            tags,
            writer: self.writer.map(into_writer),
            git,
            params: self
                .params
                .into_iter()
                .map(|param| (param.name, param.value))
                .collect(),
            filename_hint: self.hint,
            op_id: self.op_id,
            ..PublishArtifactRequest::file(artifact_type, key, source)
        })
    }
}

fn into_writer(text: String) -> Writer {
    match text.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => Writer {
            name: name.to_owned(),
            version: Some(version.to_owned()),
        },
        _ => Writer {
            name: text,
            version: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_option_but_batch_itself_is_of_one_publish() {
        let command = Publish::augment_args(clap::Command::new("publish"));
        let options: BTreeSet<_> = command
            .get_arguments()
            .map(|argument| argument.get_id().as_str())
            .filter(|id| *id != "batch")
            .collect();
        assert_eq!(options, BTreeSet::from(ONE_PUBLISH));
    }

    fn check(text: &str, name: &str, version: Option<&str>) {
        let writer = into_writer(text.to_owned());
        assert_eq!(
            (writer.name.as_str(), writer.version.as_deref()),
            (name, version)
        );
    }

    #[test]
    fn a_version_comes_after_the_last_at() {
        check("etl", "etl", None);
        check("etl@1.2", "etl", Some("1.2"));
        check("@scope/etl@1.2", "@scope/etl", Some("1.2"));
        check("@scope", "@scope", None);
        check("etl@", "etl@", None);
    }
}
