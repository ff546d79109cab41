//! What happens to a publish before the lock: probing for a duplicate, staging, the record.

use std::path::Path;
use std::sync::Arc;

use artstore_core::artifact::{
    Artifact, ArtifactKind, ArtifactSource, ArtifactStatus, DedupMode, DedupScope,
    PublishArtifactRequest, PublishArtifactResult,
};
use artstore_core::backend::{ArtifactProbe, SourceFacts, StagedFile};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::format::ArtifactRecord;
use artstore_core::format::artifact_record::{RecordDetails, SourceDescription};
use artstore_core::format::document::MAX_DOCUMENT_BYTES;
use artstore_core::id::{ArtifactId, StagingId};
use artstore_core::key::OpId;
use artstore_core::layout::{self, ArtifactNaming};
use artstore_core::tags::Tags;
use artstore_core::{Error, ErrorKind, Result};
use serde_json::Value;
use tokio::sync::oneshot;

use super::port::ArtifactEngine;
use super::request;
use super::rules::{ArtifactOutcome, ArtifactTask, ArtifactWork, MergeTask, PublishTask};
use crate::committer::{heard, on_blocking_thread, wait_for_place};
use crate::staged::StagedFiles;

/// The greatest number of nested arrays and objects in params, far below what readers of JSON take.
const MAX_PARAMS_DEPTH: usize = 64;
/// Room in bytes that a new record leaves for tags that come later.
const ROOM_FOR_TAGS: usize = 1024 * 1024;
/// The greatest length in bytes of names in a record (writer, commit, hint, source).
const MAX_NAME_BYTES: usize = 1024;

/// Sources up to this size in bytes are prepared on one blocking thread, which cannot be stopped.
const SMALL_SOURCE_BYTES: u64 = 1024 * 1024;

/// What is still worth trying.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    /// A source that is gone may have been adopted by this operation before.
    may_be_replay: bool,
    /// There may be a duplicate, so that nothing need be staged.
    may_be_duplicate: bool,
    /// Sources of any size may be staged.
    stages_any_size: bool,
}

/// A publish with what identifies it.
#[derive(Debug, Clone)]
struct Publish {
    request: Arc<PublishArtifactRequest>,
    op_id: OpId,
    request_digest: Digest,
}

/// What preparing came to.
enum Prepared {
    /// It is decided already.
    Decided(Box<ArtifactOutcome>),
    /// This is to be done under the lock.
    Task(ArtifactTask),
}

impl ArtifactEngine {
    pub(super) async fn publish(
        &self,
        request: Arc<PublishArtifactRequest>,
    ) -> Result<PublishArtifactResult> {
        check_limits(&request)?;
        let publish = Publish {
            op_id: match &request.op_id {
                Some(op_id) => op_id.clone(),
                None => self.new_op_id()?,
            },
            request_digest: request::of_publish(&request)?,
            request,
        };
        let mut attempt = Attempt {
            may_be_replay: publish.request.op_id.is_some(),
            may_be_duplicate: true,
            stages_any_size: false,
        };
        loop {
            let outcome = match attempt.stages_any_size {
                true => self.attempt_here(&publish, attempt).await?,
                false => self.attempt_on_one_thread(&publish, attempt).await?,
            };
            match outcome {
                ArtifactOutcome::Published(artifact) => {
                    return Ok(PublishArtifactResult::Published(artifact));
                }
                ArtifactOutcome::Duplicate {
                    existing,
                    mode,
                    merged_tags,
                } => {
                    return Ok(PublishArtifactResult::Duplicate {
                        existing,
                        mode,
                        merged_tags,
                    });
                }
                ArtifactOutcome::Tagged(artifact) => {
                    return Err(Error::internal("a publish ended as a change of tags")
                        .with("artifact", artifact.id));
                }
                // Each of these can come once only. Settling may just have put the source back in its place.
                ArtifactOutcome::NeverHappened => attempt.may_be_replay = false,
                ArtifactOutcome::NoDuplicate => attempt.may_be_duplicate = false,
                ArtifactOutcome::StageApart => attempt.stages_any_size = true,
            }
        }
    }

    /// Prepares on a blocking thread, which then leads if nobody does: a lone publish needs no other thread.
    async fn attempt_on_one_thread(
        &self,
        publish: &Publish,
        attempt: Attempt,
    ) -> Result<ArtifactOutcome> {
        let this = self
            .me
            .upgrade()
            .ok_or_else(|| Error::unavailable("the store was dropped"))?;
        let busy = "too many publishes are being prepared";
        let places = Arc::clone(&self.preparations);
        let preparing = wait_for_place(places, self.settings.patience, busy).await?;
        let place = self.committer.place().await?;
        let (reply, outcome) = oneshot::channel();
        let work = publish.clone();
        on_blocking_thread(async move {
            match this.prepare(&work, attempt).await {
                Ok(Prepared::Task(task)) => {
                    let work = work.into_work(task);
                    let leadership = this.committer.enqueue(work, reply, place);
                    drop(preparing);
                    if let Some(leadership) = leadership {
                        leadership.lead().await;
                    }
                }
                // The caller may have gone away.
                Ok(Prepared::Decided(outcome)) => drop(reply.send(Ok(*outcome))),
                Err(error) => drop(reply.send(Err(error))),
            }
        });
        heard(outcome, &publish.op_id).await
    }

    /// Prepares in steps that each can be given up.
    async fn attempt_here(&self, publish: &Publish, attempt: Attempt) -> Result<ArtifactOutcome> {
        let place = self.large_preparations.acquire().await;
        let prepared = self.prepare(publish, attempt).await?;
        drop(place);
        match prepared {
            Prepared::Decided(outcome) => Ok(*outcome),
            Prepared::Task(task) => self.committer.submit(publish.clone().into_work(task)).await,
        }
    }

    async fn prepare(&self, publish: &Publish, attempt: Attempt) -> Result<Prepared> {
        let source = &publish.request.source;
        let size = match self.parts.blobs.source_size(source).await {
            Ok(size) => size,
            // An adopted source is gone once it was published: the caller may be asking for the outcome.
            Err(error) if error.kind() == ErrorKind::NotFound && attempt.may_be_replay => {
                return Ok(Prepared::Task(ArtifactTask::Replay));
            }
            Err(error) => return Err(error),
        };
        if size > SMALL_SOURCE_BYTES && !attempt.stages_any_size {
            return Ok(Prepared::Decided(Box::new(ArtifactOutcome::StageApart)));
        }
        let scope = publish.request.dedup_scope();
        let catalog = &self.parts.catalogs.artifacts;
        if attempt.may_be_duplicate
            && self
                .query(|| catalog.has_active_of_size(&scope, size))
                .await?
            && let Some(prepared) = self.prepare_as_duplicate(publish, scope).await?
        {
            return Ok(prepared);
        }
        let task = self.stage(publish).await?;
        Ok(Prepared::Task(ArtifactTask::Publish(Box::new(task))))
    }

    /// Answers from a committed row, or merges new tags into it, without staging anything. `None` if there is no such
    /// duplicate.
    async fn prepare_as_duplicate(
        &self,
        publish: &Publish,
        scope: DedupScope,
    ) -> Result<Option<Prepared>> {
        let Publish { request, op_id, .. } = publish;
        let progress = Arc::clone(&self.parts.progress);
        let facts = self
            .parts
            .blobs
            .hash_source(&request.source, progress)
            .await?;
        let probe = ArtifactProbe::Publish {
            op_id: op_id.clone(),
            scope: scope.clone(),
            file_hash: facts.digest,
        };
        let catalog = &self.parts.catalogs.artifacts;
        let examination = self.query(|| catalog.examine(vec![probe.clone()])).await?;
        let answer = examination.answers.into_iter().next().unwrap_or_default();
        match (answer.operation, answer.artifact) {
            (None, None) => Ok(None),
            (None, Some(existing)) if existing.tags.missing_from(&request.tags).is_empty() => Ok(
                Some(Prepared::Decided(Box::new(ArtifactOutcome::Duplicate {
                    existing,
                    mode: DedupMode::FileHash,
                    merged_tags: Tags::new(),
                }))),
            ),
            _ => {
                let tags = request.tags.clone();
                let merge = MergeTask { scope, facts, tags };
                Ok(Some(Prepared::Task(ArtifactTask::Merge(merge))))
            }
        }
    }

    /// Takes bytes and record in under no final name.
    async fn stage(&self, publish: &Publish) -> Result<PublishTask> {
        let blobs = &self.parts.blobs;
        let mut staged = StagedFiles::new(Arc::clone(blobs));
        let progress = Arc::clone(&self.parts.progress);
        let source = blobs
            .stage(self.new_staging_id(), &publish.request.source, progress)
            .await?;
        staged.push(source.file);
        match self.stage_record(publish, &source.facts).await {
            Ok((artifact, record)) => {
                staged.push(record);
                Ok(PublishTask { artifact, staged })
            }
            Err(error) => {
                staged.discard().await;
                Err(error)
            }
        }
    }

    async fn stage_record(
        &self,
        publish: &Publish,
        facts: &SourceFacts,
    ) -> Result<(Artifact, StagedFile)> {
        let request = &publish.request;
        let id = ArtifactId::from_uuid(self.parts.ids.next_id());
        let artifact = self.new_artifact(id, publish, facts)?;
        let record = ArtifactRecord::new(
            &artifact,
            RecordDetails {
                actor: self.settings.actor.clone(),
                source: SourceDescription {
                    name: source_name(&request.source),
                    size_bytes: facts.size_bytes,
                    sha256: facts.digest,
                },
                writer: request.writer.clone(),
                git: request.git.clone(),
                params: request.params.clone(),
            },
        );
        let document = record.to_bytes()?;
        let limit = MAX_DOCUMENT_BYTES as usize - ROOM_FOR_TAGS;
        if document.len() > limit {
            return Err(Error::invalid("the record would be too large")
                .with("bytes", document.len())
                .with("limit", limit)
                .hint("publish large parameters as an artifact of their own"));
        }
        let blobs = &self.parts.blobs;
        let staged = blobs
            .stage_document(self.new_staging_id(), document)
            .await?;
        Ok((artifact, staged))
    }

    fn new_staging_id(&self) -> StagingId {
        StagingId::from_uuid(self.parts.ids.next_id())
    }

    fn new_artifact(
        &self,
        id: ArtifactId,
        publish: &Publish,
        facts: &SourceFacts,
    ) -> Result<Artifact> {
        let request = &publish.request;
        let created_at = self.parts.clock.now();
        let source_name = source_name(&request.source);
        let paths = layout::artifact_paths(&ArtifactNaming {
            id,
            artifact_type: &request.artifact_type,
            schema_version: request.schema_version,
            created_at,
            hint: request.filename_hint.as_deref(),
            logical_key: &request.logical_key,
            source_name: source_name.as_deref(),
        })?;
        Ok(Artifact {
            id,
            artifact_type: request.artifact_type.clone(),
            schema_version: request.schema_version,
            logical_key: request.logical_key.clone(),
            kind: ArtifactKind::File,
            status: ArtifactStatus::Active,
            data_path: paths.data,
            record_path: paths.record,
            file_hash: facts.digest,
            content_hash: ContentHash::from(facts.digest),
            size_bytes: facts.size_bytes,
            row_count: None,
            min_timestamp: None,
            max_timestamp: None,
            created_at,
            tags: request.tags.clone(),
            inputs: Vec::new(),
            superseded_by: None,
            run_id: None,
            op_id: publish.op_id.clone(),
            request_digest: publish.request_digest,
            revision: 1,
            last_event: 0,
        })
    }

    pub(super) fn new_op_id(&self) -> Result<OpId> {
        OpId::new(self.parts.ids.next_id().to_string())
    }
}

impl Publish {
    fn into_work(self, task: ArtifactTask) -> ArtifactWork {
        ArtifactWork {
            op_id: self.op_id,
            request_digest: self.request_digest,
            task,
        }
    }
}

fn source_name(source: &ArtifactSource) -> Option<String> {
    let name_of = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    match source {
        ArtifactSource::File(path) | ArtifactSource::AdoptFile(path) => name_of(path),
        ArtifactSource::Bytes(_) => None,
    }
}

/// How many levels of arrays and objects `value` has.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn check_limits(request: &PublishArtifactRequest) -> Result<()> {
    let levels = request.params.values().map(depth).max().unwrap_or(0);
    if levels > MAX_PARAMS_DEPTH {
        return Err(Error::invalid("the params are nested too deeply")
            .with("levels", levels)
            .with("limit", MAX_PARAMS_DEPTH));
    }
    let params = serde_json::to_vec(&request.params)
        .map_err(|error| Error::invalid("the params cannot be written").caused_by(error))?;
    if params.len() > PublishArtifactRequest::MAX_PARAMS_BYTES {
        return Err(Error::invalid("the params are too large")
            .with("bytes", params.len())
            .with("limit", PublishArtifactRequest::MAX_PARAMS_BYTES)
            .hint("publish large parameters as an artifact of their own"));
    }
    let writer = request.writer.as_ref();
    let git = request.git.as_ref();
    let names = [
        ("writer name", writer.map(|writer| writer.name.as_str())),
        (
            "writer version",
            writer.and_then(|writer| writer.version.as_deref()),
        ),
        ("git commit", git.map(|git| git.commit.as_str())),
        ("file name hint", request.filename_hint.as_deref()),
    ];
    for (what, name) in names {
        if let Some(name) = name.filter(|name| name.len() > MAX_NAME_BYTES) {
            return Err(Error::invalid(format!("the {what} is too long"))
                .with("bytes", name.len())
                .with("limit", MAX_NAME_BYTES));
        }
    }
    Ok(())
}
