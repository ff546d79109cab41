//! Seeded operations, what was acknowledged of them, and the checks.
//!
//! A history is a sequence of steps that follow from a seed alone, so that a parent knows what a killed child was doing.
//! Every step has an operation id of its own: performing it again after a kill must complete it exactly once.

mod together;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use artstore_core::artifact::{
    ArtifactInput, ArtifactSource, PublishArtifactRequest, PublishArtifactResult,
};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::maintenance::StatusDetail;
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, Maintenance};
use artstore_core::registry::{TypeDefinition, TypeRegistration};
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{Error, ErrorKind, Result};
use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::plan::{Plan, Step, Wanted};
use crate::spelling::{Row, Spelling, rows};
use crate::store::LocalStore;

/// The operations of one worker.
#[derive(Debug, Clone)]
pub struct History {
    /// Which worker.
    pub worker: u64,
    /// What decides the steps.
    pub seed: u64,
    /// Where files to be adopted are made.
    pub sources: PathBuf,
}

/// What a worker was told about its steps: ids of artifacts, revisions of types.
pub type Acknowledged = BTreeMap<u64, String>;

impl History {
    /// What step `number` does.
    pub fn step(&self, number: u64) -> Step {
        let plan = self.plan(number + 1);
        plan.steps.last().copied().unwrap_or(Step::Publish)
    }

    /// Every step before `end`, and what is there after them.
    pub fn plan(&self, end: u64) -> Plan {
        let mut plan = Plan::default();
        for number in 0..end {
            plan.take_step(number, self.random(number));
        }
        plan
    }

    fn random(&self, number: u64) -> u64 {
        let text = format!("{} {} {number}", self.seed, self.worker);
        let digest = Digest::of(text.as_bytes());
        let start = digest.as_bytes().first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(start)
    }

    /// The bytes that step `number` publishes, unless it publishes a table.
    fn content(&self, number: u64) -> Bytes {
        let length = (self.random(number) >> 32) % 20_000;
        let line = format!("{} {} {number}\n", self.seed, self.worker);
        line.bytes().cycle().take(length as usize).collect()
    }

    fn rows(&self, number: u64) -> Vec<Row> {
        rows(number, 1 + (self.random(number) >> 32) % 200)
    }

    fn op_id(&self, number: u64) -> Result<OpId> {
        OpId::new(format!("worker-{}-{}-{number}", self.seed, self.worker))
    }

    fn source(&self, number: u64) -> PathBuf {
        self.sources
            .join(format!("{}-{}-{number}.bin", self.seed, self.worker))
    }

    /// Performs step `number` and returns what its answer told: the artifact that it made or changed, or the revision
    /// of a type.
    ///
    /// # Errors
    /// As the ports.
    pub async fn perform(&self, store: &LocalStore, number: u64) -> Result<String> {
        let plan = self.plan(number + 1);
        let step = plan.steps.last().copied().unwrap_or(Step::Publish);
        let port = store.artifacts();
        let port = port.as_ref();
        let id = match step {
            Step::Describe => return self.describe(store, number).await,
            Step::Adopt => self.adopt_or_make(port, number).await?,
            Step::Tag(of) => {
                let id = self.find(port, of).await?;
                let change = TagChange {
                    add: tag(number)?,
                    remove: Vec::new(),
                };
                let op_id = Some(self.op_id(number)?);
                port.tag(id, change, op_id).await?.id
            }
            Step::Supersede { new, old } => {
                let (new, old) = (self.find(port, new).await?, self.find(port, old).await?);
                let op_id = Some(self.op_id(number)?);
                port.supersede(new, old, op_id).await?.id
            }
            Step::Tombstone(of) => {
                let id = self.find(port, of).await?;
                let op_id = Some(self.op_id(number)?);
                port.tombstone(id, &reason(number), op_id).await?.id
            }
            _ => self.publish(port, &plan, step, number).await?,
        };
        Ok(id.to_string())
    }

    async fn describe(&self, store: &LocalStore, number: u64) -> Result<String> {
        let types = store.types();
        let definition = self.definition(number)?;
        let registered = types.register_type(definition, TypeRegistration::Replace);
        Ok(format!("revision-{}", registered.await?.revision))
    }

    fn definition(&self, number: u64) -> Result<TypeDefinition> {
        let name = ArtifactType::new(format!("described-by-{}", self.worker))?;
        Ok(TypeDefinition {
            required_columns: vec![format!("step {number}")],
            ..TypeDefinition::new(name)
        })
    }

    async fn adopt_or_make(&self, port: &dyn ArtifactStorePort, number: u64) -> Result<ArtifactId> {
        match self.adopt(port, number).await {
            // Its source was not made yet; if it was adopted already, the store knows the operation.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make_source(number)?;
                self.adopt(port, number).await
            }
            result => result,
        }
    }

    fn make_source(&self, number: u64) -> Result<()> {
        let path = self.source(number);
        // Whole or not at all: a kill may come in the middle.
        let unfinished = path.with_extension("unfinished");
        let written = std::fs::write(&unfinished, self.content(number))
            .and_then(|()| std::fs::rename(&unfinished, &path));
        written.map_err(|error| {
            Error::internal("a source could not be made")
                .with("path", path.display())
                .caused_by(error)
        })
    }

    async fn adopt(&self, port: &dyn ArtifactStorePort, number: u64) -> Result<ArtifactId> {
        let source = ArtifactSource::AdoptFile(self.source(number));
        let request = self.request(number, number, source)?;
        let result = port.publish_artifact(request).await?;
        Ok(result.artifact().id)
    }

    async fn publish(
        &self,
        port: &dyn ArtifactStorePort,
        plan: &Plan,
        step: Step,
        number: u64,
    ) -> Result<ArtifactId> {
        let request = self.request_of(port, plan, step, number).await?;
        let result = port.publish_artifact(request).await?;
        Self::as_expected(number, step.publishes_content_of(number), result)
    }

    async fn request_of(
        &self,
        port: &dyn ArtifactStorePort,
        plan: &Plan,
        step: Step,
        number: u64,
    ) -> Result<PublishArtifactRequest> {
        let of = step.publishes_content_of(number);
        let is_table = plan.artifacts.get(&of).is_some_and(|of| of.is_table);
        let spelling = match step {
            Step::Respell(_) => Spelling::ALL[2 + number as usize % 3],
            _ => Spelling::Csv,
        };
        let content = match is_table {
            true => spelling.of(&self.rows(of)),
            false => self.content(of),
        };
        let mut request = self.request(number, of, ArtifactSource::Bytes(content))?;
        request.table = is_table.then(|| spelling.format());
        match step {
            Step::Respell(_) | Step::Merge(_) => request.tags = tag(number)?,
            Step::Derive(input) | Step::MergeInput { input, .. } => {
                request.inputs = vec![ArtifactInput {
                    role: Some(role(number)),
                    ..ArtifactInput::new(self.find(port, input).await?)
                }];
            }
            _ => {}
        }
        Ok(request)
    }

    /// The artifact of step `number`, which publishes what step `of` has published first.
    fn as_expected(number: u64, of: u64, result: PublishArtifactResult) -> Result<ArtifactId> {
        if (number == of) != matches!(result, PublishArtifactResult::Published(_)) {
            return Err(
                Error::internal("a publish had another outcome than expected")
                    .with("step", number)
                    .with("of", of)
                    .with("was_duplicate", result.is_duplicate()),
            );
        }
        Ok(result.artifact().id)
    }

    fn request(
        &self,
        number: u64,
        of: u64,
        source: ArtifactSource,
    ) -> Result<PublishArtifactRequest> {
        let mut request =
            PublishArtifactRequest::file(self.artifact_type()?, self.key(of)?, source);
        request.op_id = Some(self.op_id(number)?);
        Ok(request)
    }

    fn artifact_type(&self) -> Result<ArtifactType> {
        ArtifactType::new(format!("worker-{}", self.worker % 2))
    }

    fn key(&self, number: u64) -> Result<LogicalKey> {
        LogicalKey::new(format!("{}/{}/{number}", self.seed, self.worker))
    }

    async fn find(&self, port: &dyn ArtifactStorePort, number: u64) -> Result<ArtifactId> {
        let (artifact_type, key) = (self.artifact_type()?, self.key(number)?);
        let page = PageRequest::default();
        let found = port
            .find_by_logical_key(&artifact_type, &key, &page)
            .await?;
        match found.items.as_slice() {
            [artifact] => Ok(artifact.id),
            others => Err(Error::internal("expected exactly one artifact")
                .with("key", key)
                .with("found", others.len())),
        }
    }

    /// Checks that steps `0..end` are all there, exactly once, and that everything is as they left it.
    ///
    /// # Errors
    /// The first difference.
    pub async fn check(
        &self,
        store: &LocalStore,
        end: u64,
        acknowledged: &Acknowledged,
    ) -> Result<()> {
        let plan = self.plan(end);
        let port = store.artifacts();
        let mut ids = BTreeMap::new();
        for number in plan.artifacts.keys() {
            ids.insert(*number, self.find(port.as_ref(), *number).await?);
        }
        for (number, wanted) in &plan.artifacts {
            let told = acknowledged.get(number);
            if told.is_some_and(|told| *told != ids[number].to_string()) {
                return Err(self.different(*number, "the id"));
            }
            self.check_artifact(port.as_ref(), *number, wanted, &ids)
                .await?;
        }
        let types = store.types();
        let name = self.definition(0)?.artifact_type;
        let found = types.get_type(&name).await?;
        let found = found.map(|found| (found.definition, found.revision));
        let wanted = plan.described.map(|number| self.definition(number));
        let wanted = wanted.transpose()?.map(|found| (found, plan.revision));
        if found != wanted {
            return Err(Error::internal("a type is not what it was")
                .with("found", format_args!("{found:?}"))
                .with("wanted", format_args!("{wanted:?}")));
        }
        Ok(())
    }

    fn different(&self, number: u64, what: &str) -> Error {
        Error::internal(format!("{what} of a step is not what it was"))
            .with("seed", self.seed)
            .with("worker", self.worker)
            .with("step", number)
    }

    async fn check_artifact(
        &self,
        port: &dyn ArtifactStorePort,
        number: u64,
        wanted: &Wanted,
        ids: &BTreeMap<u64, ArtifactId>,
    ) -> Result<()> {
        let reader = port.open(ids[&number], None).await?;
        let found = &reader.artifact;
        let mut tags = Tags::new();
        for step in &wanted.tagged_by {
            tags.insert("step", step.to_string())?;
        }
        let input = |(input, step): &(u64, u64)| ArtifactInput {
            id: ids[input],
            role: Some(role(*step)),
        };
        let inputs: Vec<_> = wanted.inputs.iter().map(input).collect();
        let mut supersedes: Vec<_> = wanted.supersedes.iter().map(|old| ids[old]).collect();
        supersedes.sort_unstable();
        let rows = wanted.is_table.then(|| self.rows(number).len() as u64);
        let checks = [
            ("a tag", found.tags == tags),
            ("an input", found.inputs == inputs),
            ("the status", found.status == wanted.status()),
            (
                "the successor",
                found.superseded_by == wanted.superseded_by.map(|by| ids[&by]),
            ),
            ("a predecessor", found.supersedes == supersedes),
            (
                "the reason",
                found.tombstone_reason == wanted.tombstoned_by.map(reason),
            ),
            ("the number of rows", found.row_count == rows),
        ];
        if let Some((what, _)) = checks.into_iter().find(|(_, is_right)| !is_right) {
            return Err(self
                .different(number, what)
                .with("found", format_args!("{found:?}")));
        }
        let pieces: Vec<Bytes> = reader.bytes.try_collect().await?;
        let bytes = pieces.concat();
        let is_right = match wanted.is_table {
            true => bytes.starts_with(b"PAR1"),
            false => bytes == self.content(number),
        };
        match is_right {
            true => Ok(()),
            false => Err(self.different(number, "the content")),
        }
    }
}

fn tag(number: u64) -> Result<Tags> {
    Tags::try_from([("step", number.to_string())])
}

fn role(number: u64) -> String {
    format!("role of step {number}")
}

fn reason(number: u64) -> String {
    format!("wrong since step {number}")
}

/// Settles, checks that nothing is left over or damaged, and that the catalog is rebuilt to the same dump.
///
/// # Errors
/// The first thing found wrong.
pub async fn check_store(maintenance: &dyn Maintenance, root: &Path) -> Result<()> {
    let report = maintenance.settle().await?;
    if let Some(fault) = report.faults.iter().find(|fault| fault.kind.is_damage()) {
        return Err(Error::corrupt("settling found damage")
            .with("kind", fault.kind)
            .with("path", &fault.path)
            .with("detail", &fault.detail));
    }
    for directory in ["intents/artifacts", "staging"] {
        let left = file_count(&root.join(directory));
        if left > 0 {
            return Err(Error::internal("files are left over")
                .with("directory", directory)
                .with("files", left));
        }
    }
    let before = maintenance.status(StatusDetail::Digest).await?;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(root.join(format!("catalog.sqlite{suffix}")));
    }
    let after = maintenance.status(StatusDetail::Digest).await?;
    if before.dump_digest != after.dump_digest || before.artifacts != after.artifacts {
        return Err(Error::internal("the rebuilt catalog is another one")
            .with("before", format_args!("{before:?}"))
            .with("after", format_args!("{after:?}")));
    }
    Ok(())
}

fn file_count(directory: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => file_count(&entry.path()),
            _ => 1,
        })
        .sum()
}
