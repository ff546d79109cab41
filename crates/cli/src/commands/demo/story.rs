//! What happens in the demo. Every step is checked to be as it is told.

use std::collections::BTreeSet;
use std::path::Path;

use artstore_context::Context;
use artstore_core::artifact::{Artifact, ArtifactFilter, DedupMode};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::ArtifactType;
use artstore_core::lineage::WalkLimits;
use artstore_core::maintenance::StatusDetail;
use artstore_core::page::PageRequest;
use artstore_core::registry::{TypeDefinition, TypeRegistration};
use artstore_core::{Error, Result};
use artstore_wire::status::Health;
use artstore_wire::{
    ArtifactDocument, LineageDocument, ListDocument, PublishDocument, RebuildDocument,
    StatusDocument, SupersessionDocument, TypeDocument,
};
use serde_json::json;

use super::place::{CORRECTED, Place, REPORT, RESPELLED, TABLE};
use super::publication::Publication;
use super::teller::{Step, Teller};
use crate::failure::Failure;
use crate::text;
use crate::tree::{Direction, tree};

/// The type of the tables.
const TYPE: &str = "daily_weather";

type Told<T> = std::result::Result<T, Failure>;

pub(super) struct Story<'a, 'o> {
    context: &'a mut Context,
    place: &'a Place,
    teller: &'a mut Teller<'o>,
}

impl<'a, 'o> Story<'a, 'o> {
    pub(super) fn new(
        context: &'a mut Context,
        place: &'a Place,
        teller: &'a mut Teller<'o>,
    ) -> Self {
        Self {
            context,
            place,
            teller,
        }
    }

    pub(super) async fn play(mut self) -> Told<()> {
        let introduction = self.place.introduction(self.context.root())?;
        self.tell(introduction).await?;
        self.register_type().await?;
        let table = self.publish_table().await?;
        self.publish_duplicate(table).await?;
        let report = self.publish_report(table).await?;
        self.show_lineage(report, table).await?;
        let corrected = self.publish_correction(table).await?;
        self.supersede(corrected, table).await?;
        self.show_history(corrected, table).await?;
        let title = "The digest of everything that the catalog knows, to compare with later.";
        let before = self.digest(title).await?;
        self.delete_catalog().await?;
        self.list(&[table, report, corrected]).await?;
        self.rebuild().await?;
        let title = "The catalog knows what it knew before: the digest is the same.";
        let after = self.digest(title).await?;
        if after != before {
            let changed = Error::internal("a rebuild changed what the catalog knows")
                .with("before", before)
                .with("after", after);
            return Err(changed.into());
        }
        Ok(())
    }

    async fn register_type(&mut self) -> Told<()> {
        let types = self.context.artifact_types_or_init().await?;
        let definition = TypeDefinition {
            sort_keys: vec!["date".to_owned()],
            ..TypeDefinition::new(ArtifactType::new(TYPE)?)
        };
        let registered = types
            .register_type(definition, TypeRegistration::KeepExisting)
            .await?;
        let document = TypeDocument::from(registered);
        let title = "Say once what identifies a table of daily weather: its rows by date, in whatever order they come.";
        let command = format!("artstore type register {TYPE} --sort date");
        let step = Step::new(title, command, &document, text::artifact_type(&document))?;
        step.expect("the type is new", document.revision == 1)?;
        self.tell(step).await
    }

    async fn publish_table(&mut self) -> Told<ArtifactId> {
        let publication = Publication {
            file: TABLE,
            artifact_type: TYPE,
            delimiter: None,
            input: None,
        };
        let title =
            "Publish a table: it is stored as Parquet, and a record beside it says what it is.";
        let (step, document) = self.publish(title, &publication).await?;
        self.new_artifact(step, &document).await
    }

    async fn publish_duplicate(&mut self, table: ArtifactId) -> Told<()> {
        let publication = Publication {
            file: RESPELLED,
            artifact_type: TYPE,
            delimiter: Some(';'),
            input: None,
        };
        let title = "Publish the same table as another program writes it, newest first: it is recognised by its content, and stored once.";
        let (step, document) = self.publish(title, &publication).await?;
        step.expect(
            "the first table is recognised by its content",
            document.existing_artifact_id == Some(table)
                && document.mode == Some(DedupMode::ContentHash),
        )?;
        self.tell(step).await
    }

    async fn publish_report(&mut self, table: ArtifactId) -> Told<ArtifactId> {
        let publication = Publication {
            file: REPORT,
            artifact_type: "weather_report",
            delimiter: None,
            input: Some((table, "weather")),
        };
        let title = "Publish a report, of any format, and say which artifact it was made from.";
        let (step, document) = self.publish(title, &publication).await?;
        self.new_artifact(step, &document).await
    }

    async fn show_lineage(&mut self, report: ArtifactId, table: ArtifactId) -> Told<()> {
        let store = self.context.artifact_store().await?;
        let lineage = store.get_lineage(report, WalkLimits::default()).await?;
        let in_text = tree(&lineage, Direction::Inputs);
        let document = LineageDocument::new(lineage, self.context.root());
        let title = "Ask what the report was made from, at any time later.";
        let step = Step::new(
            title,
            format!("artstore lineage {report}"),
            &document,
            in_text,
        )?;
        step.expect(
            "the table is its one input",
            document.edges == [(table, report)],
        )?;
        self.tell(step).await
    }

    async fn publish_correction(&mut self, table: ArtifactId) -> Told<ArtifactId> {
        let publication = Publication {
            file: CORRECTED,
            artifact_type: TYPE,
            delimiter: None,
            input: None,
        };
        let title =
            "Publish the table with one value corrected: other content is another artifact.";
        let (step, document) = self.publish(title, &publication).await?;
        step.expect("it is another one", document.artifact_id != Some(table))?;
        self.new_artifact(step, &document).await
    }

    async fn supersede(&mut self, new: ArtifactId, old: ArtifactId) -> Told<()> {
        let store = self.context.artifact_store().await?;
        let document = self.document(store.supersede(new, old, None).await?);
        let title = "Say that it replaces the first table, which keeps its bytes and its place in lineages.";
        let command = format!("artstore supersede {new} {old}");
        let step = Step::new(title, command, &document, text::artifact(&document))?;
        step.expect(
            "the first table is superseded",
            document.artifact_id == old && document.superseded_by == Some(new),
        )?;
        self.tell(step).await
    }

    async fn show_history(&mut self, new: ArtifactId, old: ArtifactId) -> Told<()> {
        let store = self.context.artifact_store().await?;
        let supersession = store.get_supersession(new).await?;
        let artifact = self.document(supersession.artifact.clone());
        let document = SupersessionDocument::new(supersession, self.context.root());
        let in_text = text::history(&document, &artifact);
        let title = "Ask what replaced what, the newest first.";
        let step = Step::new(title, format!("artstore history {new}"), &document, in_text)?;
        step.expect(
            "the first table is before it and nothing behind it",
            ids(&document.predecessors) == [old] && document.successors.is_empty(),
        )?;
        self.tell(step).await
    }

    async fn digest(&mut self, title: &'static str) -> Told<Digest> {
        let maintenance = self.context.maintenance().await?;
        let status = maintenance.status(StatusDetail::Digest).await?;
        let store = self.context.artifact_store().await?;
        let health = if store.is_available().await {
            Health::Healthy
        } else {
            Health::Unhealthy
        };
        let document = StatusDocument::new(&status, self.context.root(), health);
        let command = "artstore status --digest".to_owned();
        let step = Step::new(title, command, &document, text::status(&document))?;
        let counts = document.counts.artifacts;
        step.expect(
            "a healthy store with two active artifacts and a superseded one",
            document.healthy
                && (counts.active, counts.superseded, counts.tombstoned) == (2, 1, 0)
                && document.pending == 0,
        )?;
        let digest = document
            .dump_digest
            .ok_or_else(|| Error::internal("the status has no digest"))?;
        self.tell(step).await?;
        Ok(digest)
    }

    async fn delete_catalog(&mut self) -> Told<()> {
        let mut removed = Vec::new();
        for path in catalog_files(self.context.root()).await? {
            let gone = tokio::fs::remove_file(&path).await;
            gone.map_err(|error| unusable(&path, error))?;
            removed.push(path);
        }
        let names: Vec<_> = removed.iter().map(|path| path.to_string_lossy()).collect();
        let lines: Vec<_> = names
            .iter()
            .map(|name| format!("removed '{name}'"))
            .collect();
        let title =
            "Delete the catalog: it is an index, and all that it knows is also in the records.";
        let command = r#"rm -v "$ARTSTORE_ROOT"/catalog.sqlite*"#.to_owned();
        let step = Step::new(
            title,
            command,
            &json!({ "removed": names }),
            lines.join("\n"),
        )?;
        step.expect("there was a catalog", !removed.is_empty())?;
        self.tell(step).await
    }

    async fn list(&mut self, expected: &[ArtifactId]) -> Told<()> {
        let store = self.context.artifact_store().await?;
        let filter = ArtifactFilter::default();
        let page = store
            .list_artifacts(&filter, &PageRequest::default())
            .await?;
        let document = ListDocument::new(page, |artifact| self.document(artifact));
        let title =
            "Ask the store as if nothing had happened: it makes its catalog anew, and answers.";
        let command = "artstore list".to_owned();
        let step = Step::new(title, command, &document, text::list(&document))?;
        let found: BTreeSet<_> = ids(&document.items).into_iter().collect();
        step.expect(
            "all artifacts are there",
            found == expected.iter().copied().collect(),
        )?;
        let files = catalog_files(self.context.root()).await?;
        step.expect("there is a catalog again", !files.is_empty())?;
        self.tell(step).await
    }

    async fn rebuild(&mut self) -> Told<()> {
        let maintenance = self.context.maintenance().await?;
        let document = RebuildDocument::from(maintenance.rebuild().await?);
        let title =
            "Make the catalog anew on purpose, and hear of every fault that is found on the way.";
        let command = "artstore admin rebuild".to_owned();
        let step = Step::new(title, command, &document, text::rebuild(&document))?;
        step.expect(
            "three records without faults",
            document.records == 3 && document.faults.is_empty(),
        )?;
        self.tell(step).await
    }

    /// Ends the command, as its process would end, and tells of it.
    async fn tell(&mut self, step: Step) -> Told<()> {
        // What goes on behind an answer has come to its end then.
        self.context.close().await;
        *self.context = self.place.context()?;
        self.teller.tell(step).await
    }

    async fn publish(
        &self,
        title: &'static str,
        publication: &Publication<'_>,
    ) -> Result<(Step, PublishDocument)> {
        let store = self.context.artifact_store_or_init().await?;
        let request = publication.request(self.place)?;
        let result = store.publish_artifact(request).await?;
        let document = PublishDocument::new(&result, self.context.root());
        let step = Step::new(
            title,
            publication.command(),
            &document,
            text::publish(&document),
        )?;
        Ok((step, document))
    }

    /// Tells of an artifact that must be new, with its files in their places.
    async fn new_artifact(&mut self, step: Step, document: &PublishDocument) -> Told<ArtifactId> {
        let files = [&document.path_parquet, &document.path_sidecar];
        let are_there = files
            .into_iter()
            .all(|path| path.as_ref().is_some_and(|path| Path::new(path).is_file()));
        step.expect("a new artifact with its files", are_there)?;
        let id = document
            .artifact_id
            .ok_or_else(|| Error::internal("the new artifact has no id"))?;
        self.tell(step).await?;
        Ok(id)
    }

    fn document(&self, artifact: Artifact) -> ArtifactDocument {
        ArtifactDocument::new(artifact, self.context.root())
    }
}

fn ids(artifacts: &[ArtifactDocument]) -> Vec<ArtifactId> {
    let artifacts = artifacts.iter();
    artifacts.map(|artifact| artifact.artifact_id).collect()
}

/// What `catalog.sqlite*` stands for, sorted.
async fn catalog_files(root: &Path) -> Result<Vec<std::path::PathBuf>> {
    let unreadable = |error| unusable(root, error);
    let mut entries = tokio::fs::read_dir(root).await.map_err(unreadable)?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(b"catalog.sqlite")
        {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::unavailable("the catalog cannot be removed")
        .with("path", path.display())
        .caused_by(error)
}
