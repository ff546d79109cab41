//! Seeded operations, what was acknowledged of them, and the checks.
//!
//! A history is a sequence of steps that follow from a seed alone, so that a parent knows what a killed child was doing.
//! Every step has an operation id of its own: performing it again after a kill must complete it exactly once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest, PublishArtifactResult};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::maintenance::StatusDetail;
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, Maintenance};
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{Error, ErrorKind, Result};
use bytes::Bytes;
use futures_util::TryStreamExt as _;

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

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Publish new bytes from memory.
    Publish,
    /// Publish a new file by adopting it.
    Adopt,
    /// Publish the bytes of an earlier publish again.
    Again(u64),
    /// Publish them again with a new tag.
    Merge(u64),
    /// Tag the artifact of an earlier publish.
    Tag(u64),
}

impl Step {
    fn publishes(self) -> bool {
        matches!(self, Self::Publish | Self::Adopt)
    }
}

impl History {
    /// What step `number` does.
    pub fn step(&self, number: u64) -> Step {
        let random = self.random(number);
        let earlier = || {
            let start = (random >> 8).checked_rem(number)?;
            (0..=start).rev().find(|n| self.kind(*n).publishes())
        };
        match self.kind(number) {
            Step::Again(_) => earlier().map_or(Step::Publish, Step::Again),
            Step::Merge(_) => earlier().map_or(Step::Publish, Step::Merge),
            Step::Tag(_) => earlier().map_or(Step::Publish, Step::Tag),
            step => step,
        }
    }

    /// What step `number` would do if there always were an earlier publish.
    fn kind(&self, number: u64) -> Step {
        match self.random(number) % 10 {
            0..=3 => Step::Publish,
            4..=5 => Step::Adopt,
            6 => Step::Again(0),
            7 => Step::Merge(0),
            _ => Step::Tag(0),
        }
    }

    fn random(&self, number: u64) -> u64 {
        let text = format!("{} {} {number}", self.seed, self.worker);
        let digest = Digest::of(text.as_bytes());
        let start = digest.as_bytes().first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(start)
    }

    /// The bytes that step `number` publishes.
    pub fn content(&self, number: u64) -> Bytes {
        let length = (self.random(number) >> 32) % 20_000;
        let line = format!("{} {} {number}\n", self.seed, self.worker);
        line.bytes().cycle().take(length as usize).collect()
    }

    fn op_id(&self, number: u64) -> Result<OpId> {
        OpId::new(format!("worker-{}-{}-{number}", self.seed, self.worker))
    }

    fn source(&self, number: u64) -> PathBuf {
        self.sources
            .join(format!("{}-{}-{number}.bin", self.seed, self.worker))
    }

    /// Performs step `number` and returns the artifact that it made or changed.
    ///
    /// # Errors
    /// As the port.
    pub async fn perform(&self, store: &dyn ArtifactStorePort, number: u64) -> Result<ArtifactId> {
        match self.step(number) {
            Step::Publish => self.publish(store, number, number, false).await,
            Step::Again(of) => self.publish(store, number, of, false).await,
            Step::Merge(of) => self.publish(store, number, of, true).await,
            Step::Adopt => match self.adopt(store, number).await {
                // Its source was not made yet; if it was adopted already, the store knows the operation.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.make_source(number)?;
                    self.adopt(store, number).await
                }
                result => result,
            },
            Step::Tag(of) => {
                let id = self.find(store, of).await?;
                let change = TagChange {
                    add: self.tag(number)?,
                    remove: Vec::new(),
                };
                let op_id = Some(self.op_id(number)?);
                store
                    .tag(id, change, op_id)
                    .await
                    .map(|artifact| artifact.id)
            }
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

    async fn adopt(&self, store: &dyn ArtifactStorePort, number: u64) -> Result<ArtifactId> {
        let source = ArtifactSource::AdoptFile(self.source(number));
        let request = self.request(number, number, source)?;
        let result = store.publish_artifact(request).await?;
        Ok(result.artifact().id)
    }

    async fn publish(
        &self,
        store: &dyn ArtifactStorePort,
        number: u64,
        of: u64,
        with_tag: bool,
    ) -> Result<ArtifactId> {
        let source = ArtifactSource::Bytes(self.content(of));
        let mut request = self.request(number, of, source)?;
        if with_tag {
            request.tags = self.tag(number)?;
        }
        let result = store.publish_artifact(request).await?;
        let expected_new = number == of;
        if expected_new != matches!(result, PublishArtifactResult::Published(_)) {
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

    fn tag(&self, number: u64) -> Result<Tags> {
        Tags::try_from([("step", number.to_string())])
    }

    async fn find(&self, store: &dyn ArtifactStorePort, number: u64) -> Result<ArtifactId> {
        let found = store
            .find_by_logical_key(
                &self.artifact_type()?,
                &self.key(number)?,
                &PageRequest::default(),
            )
            .await?;
        match found.items.as_slice() {
            [artifact] => Ok(artifact.id),
            others => Err(Error::internal("expected exactly one artifact")
                .with("key", self.key(number)?)
                .with("found", others.len())),
        }
    }

    /// Checks that steps `0..end` are all there, exactly once, with their bytes and tags.
    ///
    /// # Errors
    /// The first difference.
    pub async fn check(
        &self,
        store: &dyn ArtifactStorePort,
        end: u64,
        acknowledged: &BTreeMap<u64, ArtifactId>,
    ) -> Result<()> {
        let mut tags: BTreeMap<u64, Tags> = BTreeMap::new();
        for number in 0..end {
            match self.step(number) {
                Step::Merge(of) | Step::Tag(of) => {
                    tags.entry(of)
                        .or_default()
                        .insert("step", number.to_string())?;
                }
                Step::Publish | Step::Adopt | Step::Again(_) => {}
            }
        }
        for number in (0..end).filter(|number| self.step(*number).publishes()) {
            let id = self.find(store, number).await?;
            let different = |what: &str| {
                Error::internal(format!("{what} of a step is not what it was"))
                    .with("seed", self.seed)
                    .with("worker", self.worker)
                    .with("step", number)
            };
            if acknowledged
                .get(&number)
                .is_some_and(|acknowledged| *acknowledged != id)
            {
                return Err(different("the id"));
            }
            let reader = store.open(id, None).await?;
            let expected_tags = tags.remove(&number).unwrap_or_default();
            if reader.artifact.tags != expected_tags {
                return Err(different("a tag"));
            }
            let pieces: Vec<Bytes> = reader.bytes.try_collect().await?;
            if pieces.concat() != self.content(number) {
                return Err(different("the content"));
            }
        }
        Ok(())
    }
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
