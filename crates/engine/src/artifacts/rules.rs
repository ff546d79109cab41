//! The [`DomainRules`] of artifacts.

use std::sync::Arc;

use artstore_core::artifact::{Artifact, ArtifactInput, DedupMode, DedupScope, Merged};
use artstore_core::backend::{
    ArtifactChange, ArtifactCommit, ArtifactProbe, CatalogHead, Duplicate, LockPermit, SourceFacts,
};
use artstore_core::digest::{Digest, HashAlgorithm};
use artstore_core::format::ArtifactRecord;
use artstore_core::format::document::MAX_DOCUMENT_BYTES;
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::maintenance::{Fault, FaultKind, SettleReport};
use artstore_core::path::RelPath;
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{Domain, Error, ErrorKind, Result};
use async_trait::async_trait;

use crate::engine::EngineParts;
use crate::protocol::{DomainRules, RebuildCounts, Verdict};
use crate::staged::StagedFiles;

/// A change of artifacts that a caller asks for.
#[derive(Debug)]
pub(crate) struct ArtifactWork {
    pub(crate) op_id: OpId,
    pub(crate) request_digest: Digest,
    pub(crate) task: ArtifactTask,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum ArtifactTask {
    /// Publish what is staged, or merge it into a duplicate.
    Publish(Box<PublishTask>),
    /// Merge into a duplicate that was seen before the lock was taken; nothing is staged.
    Merge(MergeTask),
    /// Only tell what this operation did: its source is gone.
    Replay,
    /// Change tags.
    Tag(ArtifactId, TagChange),
    /// Replace an artifact by another one.
    Supersede { new: ArtifactId, old: ArtifactId },
    /// Withdraw an artifact.
    Tombstone { id: ArtifactId, reason: String },
}

#[derive(Debug)]
pub(crate) struct PublishTask {
    /// The artifact as it will be if it is new; its tags and inputs are those of the request.
    pub(crate) artifact: Artifact,
    /// Bytes, then record.
    pub(crate) staged: StagedFiles,
}

#[derive(Debug)]
pub(crate) struct MergeTask {
    pub(crate) scope: DedupScope,
    pub(crate) facts: SourceFacts,
    pub(crate) tags: Tags,
    pub(crate) inputs: Vec<ArtifactInput>,
}

/// What became of a change of artifacts.
#[derive(Debug)]
pub(crate) enum ArtifactOutcome {
    Published(Artifact),
    Duplicate(Box<DuplicateOutcome>),
    /// The duplicate seen before the lock was taken is one no more: stage and ask again.
    NoDuplicate,
    /// The source is too large to be staged where the caller cannot stop it, or is a table: stage it apart.
    StageApart,
    /// A replay of an operation that never happened.
    NeverHappened,
    /// An artifact after a change that is not a publish.
    Changed(Artifact),
}

#[derive(Debug)]
pub(crate) struct DuplicateOutcome {
    pub(crate) existing: Artifact,
    pub(crate) mode: DedupMode,
    pub(crate) merged: Merged,
}

impl ArtifactOutcome {
    pub(super) fn duplicate(found: Duplicate, merged: Merged) -> Self {
        Self::Duplicate(Box::new(DuplicateOutcome {
            existing: found.artifact,
            mode: found.mode,
            merged,
        }))
    }
}

/// The rules of the artifacts domain.
#[derive(Debug)]
pub(crate) struct ArtifactRules {
    pub(super) parts: Arc<EngineParts>,
    pub(super) actor: String,
}

impl ArtifactRules {
    pub(crate) fn new(parts: Arc<EngineParts>, actor: String) -> Self {
        Self { parts, actor }
    }

    /// Fails if the catalog is another store's.
    pub(super) fn check_store(&self, head: CatalogHead) -> Result<CatalogHead> {
        let expected = self.parts.store.store_id;
        if head.store_id != expected {
            return Err(Error::conflict("the catalog belongs to another store")
                .with("store", expected)
                .with("catalog_of", head.store_id)
                .hint("remove the catalog: it is rebuilt from the store's directory"));
        }
        Ok(head)
    }

    /// What deciding about `work` asks of the catalog.
    pub(super) fn probe_of(work: &ArtifactWork) -> ArtifactProbe {
        let op_id = work.op_id.clone();
        match &work.task {
            ArtifactTask::Publish(task) => {
                let content_hash = task.artifact.content_hash;
                ArtifactProbe::Publish {
                    op_id,
                    scope: task.scope(),
                    file_hash: task.artifact.file_hash,
                    content_hash: (content_hash.algorithm != HashAlgorithm::Sha256)
                        .then_some(content_hash),
                    inputs: ids_of(&task.artifact.inputs),
                }
            }
            ArtifactTask::Merge(task) => ArtifactProbe::Publish {
                op_id,
                scope: task.scope.clone(),
                file_hash: task.facts.digest,
                content_hash: None,
                inputs: ids_of(&task.inputs),
            },
            ArtifactTask::Replay => ArtifactProbe::Operation {
                op_id,
                inputs: Vec::new(),
            },
            ArtifactTask::Tag(id, _) | ArtifactTask::Tombstone { id, .. } => {
                ArtifactProbe::Change {
                    op_id,
                    ids: vec![*id],
                }
            }
            ArtifactTask::Supersede { new, old } => ArtifactProbe::Change {
                op_id,
                ids: vec![*new, *old],
            },
        }
    }
}

fn ids_of(inputs: &[ArtifactInput]) -> Vec<ArtifactId> {
    inputs.iter().map(|input| input.id).collect()
}

impl ArtifactRules {
    /// Fails if the artifact's record could not be rewritten because it would be too large: what is committed must be shown.
    pub(super) async fn check_record_has_room(&self, artifact: &Artifact) -> Result<()> {
        let path = &artifact.record_path;
        let blobs = &self.parts.blobs;
        // What a change adds, with room to spare: a record may be behind, and texts grow when they are escaped.
        let mutable = serde_json::to_vec(&(&artifact.tags, &artifact.inputs, &artifact.supersedes))
            .map_or(usize::MAX, |bytes| bytes.len());
        let growth = (mutable as u64).saturating_mul(3).saturating_add(64 * 1024);
        let size = blobs.size(path).await?.unwrap_or(0);
        if size.saturating_add(growth) <= MAX_DOCUMENT_BYTES {
            return Ok(());
        }
        match blobs.read_document(path).await? {
            // One that is missing or damaged is reported when it is to be rewritten.
            Some(document) => match ArtifactRecord::rewritten(&document, artifact) {
                Err(error) if error.kind() == ErrorKind::Invalid => {
                    Err(error.with("artifact", artifact.id))
                }
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Rewrites the artifact's record if it is behind `artifact`.
    async fn bring_record_up(&self, permit: &LockPermit, artifact: &Artifact) -> Result<()> {
        let path = &artifact.record_path;
        let Some(document) = self.parts.blobs.read_document(path).await? else {
            return Err(Error::corrupt("the record of an artifact is missing")
                .with("path", path)
                .with("artifact", artifact.id));
        };
        if ArtifactRecord::parse(&document, path)?.last_event >= artifact.last_event {
            return Ok(());
        }
        let rewritten = ArtifactRecord::rewritten(&document, artifact)?;
        self.parts
            .publications
            .replace_document(permit, path, rewritten)
            .await
    }
}

/// Whether trying again later is of no use: the record is missing, damaged or another's.
fn is_lasting(error: &Error) -> bool {
    let kind = error.kind();
    matches!(
        kind,
        ErrorKind::Corrupt | ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::Unsupported
    )
}

impl PublishTask {
    pub(super) fn scope(&self) -> DedupScope {
        DedupScope {
            kind: self.artifact.kind,
            artifact_type: self.artifact.artifact_type.clone(),
            schema_version: self.artifact.schema_version,
            logical_key: self.artifact.logical_key.clone(),
        }
    }
}

#[async_trait]
impl DomainRules for ArtifactRules {
    type Work = ArtifactWork;
    type Outcome = ArtifactOutcome;
    type Change = ArtifactChange;
    /// An artifact whose record may be behind it.
    type Derived = Artifact;

    const DOMAIN: Domain = Domain::Artifacts;

    fn op_id(work: &ArtifactWork) -> &OpId {
        &work.op_id
    }

    fn staged(work: &mut ArtifactWork) -> Option<&mut StagedFiles> {
        match &mut work.task {
            ArtifactTask::Publish(task) => Some(&mut task.staged),
            ArtifactTask::Merge(_)
            | ArtifactTask::Replay
            | ArtifactTask::Tag(..)
            | ArtifactTask::Supersede { .. }
            | ArtifactTask::Tombstone { .. } => None,
        }
    }

    async fn head(&self) -> Result<CatalogHead> {
        let head = self.parts.catalogs.artifacts.head().await?;
        self.check_store(head)
    }

    async fn decide(&self, works: &[&ArtifactWork]) -> Result<(CatalogHead, Vec<Verdict<Self>>)> {
        self.decide_batch(works).await
    }

    async fn apply(&self, permit: &LockPermit, changes: Vec<ArtifactChange>) -> Result<u64> {
        let commit = ArtifactCommit { changes };
        self.parts.catalogs.artifacts.apply(permit, commit).await
    }

    async fn derive(&self, permit: &LockPermit, derived: Vec<Artifact>) -> Result<Vec<Fault>> {
        let mut faults = Vec::new();
        let mut transient = Ok(());
        for artifact in derived {
            match self.bring_record_up(permit, &artifact).await {
                Ok(()) => {}
                Err(error) if is_lasting(&error) => faults.push(Fault {
                    kind: FaultKind::DamagedRecord,
                    path: artifact.record_path,
                    detail: error.to_string(),
                }),
                Err(error) => transient = Err(error),
            }
        }
        transient.map(|()| faults)
    }

    async fn adopt(
        &self,
        permit: &LockPermit,
        markers: &[RelPath],
        report: &mut SettleReport,
    ) -> Result<()> {
        self.adopt_markers(permit, markers, report).await
    }

    async fn compare_all(&self, permit: &LockPermit, report: &mut SettleReport) -> Result<()> {
        self.compare_with_directory(permit, report).await
    }

    async fn raise_commits(&self, permit: &LockPermit, least: u64) -> Result<()> {
        self.apply(permit, vec![ArtifactChange::RaiseCommits(least)])
            .await
            .map(drop)
    }

    async fn rebuild(&self, permit: &LockPermit, commits: u64) -> Result<RebuildCounts> {
        self.rebuild_catalog(permit, commits).await
    }
}
