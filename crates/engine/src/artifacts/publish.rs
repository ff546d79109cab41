//! What happens to a publish before the lock: probing for a duplicate, staging, the record.

use std::path::Path;
use std::sync::Arc;

use artstore_core::artifact::{
    Artifact, ArtifactKind, ArtifactSource, ArtifactStatus, DedupScope, PublishArtifactRequest,
    PublishArtifactResult,
};
use artstore_core::backend::{ArtifactProbe, SourceFacts};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::format::ArtifactRecord;
use artstore_core::format::artifact_record::{RecordDetails, SourceDescription};
use artstore_core::id::{ArtifactId, StagingId};
use artstore_core::key::OpId;
use artstore_core::layout::{self, ArtifactNaming};
use artstore_core::{Error, ErrorKind, Result};

use super::port::ArtifactEngine;
use super::request;
use super::rules::{ArtifactOutcome, ArtifactTask, ArtifactWork, MergeTask, PublishTask};
use crate::staged::StagedFiles;

/// The greatest length in bytes of names in a record (writer, commit, hint, source).
const MAX_NAME_BYTES: usize = 1024;

impl ArtifactEngine {
    pub(super) async fn publish(
        &self,
        request: PublishArtifactRequest,
    ) -> Result<PublishArtifactResult> {
        check_limits(&request)?;
        let op_id = match &request.op_id {
            Some(op_id) => op_id.clone(),
            None => self.new_op_id()?,
        };
        let request_digest = request::of_publish(&request)?;
        let size = match self.parts.blobs.source_size(&request.source).await {
            Ok(size) => size,
            // An adopted source is gone once it was published: the caller may be asking for the outcome.
            Err(error) if error.kind() == ErrorKind::NotFound && request.op_id.is_some() => {
                if let Some(outcome) = self.replay(&op_id, request_digest).await? {
                    return Ok(outcome);
                }
                // It never happened, and settling may just have put the source back in its place.
                self.parts.blobs.source_size(&request.source).await?
            }
            Err(error) => return Err(error),
        };
        let scope = request.dedup_scope();
        let catalog = &self.parts.catalogs.artifacts;
        let may_be_duplicate = self
            .query(|| catalog.has_active_of_size(&scope, size))
            .await?;
        if may_be_duplicate {
            let merged = self
                .publish_as_duplicate(&request, &op_id, request_digest, scope)
                .await?;
            if let Some(result) = merged {
                return Ok(result);
            }
        }
        let task = self.stage(&request, &op_id, request_digest).await?;
        let outcome = self
            .submit(op_id, request_digest, ArtifactTask::Publish(Box::new(task)))
            .await?;
        into_result(outcome)?.ok_or_else(|| Error::internal("a staged publish had no outcome"))
    }

    /// Answers from a committed row, or merges new tags into it, without staging anything. `None` if there is no such
    /// duplicate.
    async fn publish_as_duplicate(
        &self,
        request: &PublishArtifactRequest,
        op_id: &OpId,
        request_digest: Digest,
        scope: DedupScope,
    ) -> Result<Option<PublishArtifactResult>> {
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
        if answer.artifact.is_none() && answer.operation.is_none() {
            return Ok(None);
        }
        if let (None, Some(existing)) = (&answer.operation, &answer.artifact)
            && existing.tags.missing_from(&request.tags).is_empty()
        {
            return Ok(Some(PublishArtifactResult::Duplicate {
                existing: existing.clone(),
                mode: artstore_core::artifact::DedupMode::FileHash,
                merged_tags: artstore_core::tags::Tags::new(),
            }));
        }
        let merge = ArtifactTask::Merge(MergeTask {
            scope,
            facts,
            tags: request.tags.clone(),
        });
        let outcome = self.submit(op_id.clone(), request_digest, merge).await?;
        into_result(outcome)
    }

    /// What the operation did, or `None` if it never happened.
    async fn replay(
        &self,
        op_id: &OpId,
        request_digest: Digest,
    ) -> Result<Option<PublishArtifactResult>> {
        let outcome = self
            .submit(op_id.clone(), request_digest, ArtifactTask::Replay)
            .await?;
        into_result(outcome)
    }

    /// Takes bytes and record in under no final name.
    async fn stage(
        &self,
        request: &PublishArtifactRequest,
        op_id: &OpId,
        request_digest: Digest,
    ) -> Result<PublishTask> {
        let blobs = &self.parts.blobs;
        let mut staged = StagedFiles::new(Arc::clone(blobs));
        let id = ArtifactId::from_uuid(self.parts.ids.next_id());
        let new_staging_id = || StagingId::from_uuid(self.parts.ids.next_id());
        let progress = Arc::clone(&self.parts.progress);
        let source = blobs
            .stage(new_staging_id(), &request.source, progress)
            .await?;
        staged.push(source.file);
        let artifact = self.new_artifact(id, request, op_id, request_digest, &source.facts)?;
        let record = ArtifactRecord::new(
            &artifact,
            RecordDetails {
                actor: self.settings.actor.clone(),
                source: SourceDescription {
                    name: source_name(&request.source),
                    size_bytes: source.facts.size_bytes,
                    sha256: source.facts.digest,
                },
                writer: request.writer.clone(),
                git: request.git.clone(),
                params: request.params.clone(),
            },
        );
        let document = record.to_bytes()?;
        staged.push(blobs.stage_document(new_staging_id(), document).await?);
        Ok(PublishTask { artifact, staged })
    }

    fn new_artifact(
        &self,
        id: ArtifactId,
        request: &PublishArtifactRequest,
        op_id: &OpId,
        request_digest: Digest,
        facts: &SourceFacts,
    ) -> Result<Artifact> {
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
            op_id: op_id.clone(),
            request_digest,
            revision: 1,
            last_event: 0,
        })
    }

    pub(super) fn new_op_id(&self) -> Result<OpId> {
        OpId::new(self.parts.ids.next_id().to_string())
    }

    pub(super) async fn submit(
        &self,
        op_id: OpId,
        request_digest: Digest,
        task: ArtifactTask,
    ) -> Result<ArtifactOutcome> {
        let work = ArtifactWork {
            op_id,
            request_digest,
            task,
        };
        self.committer.submit(work).await
    }
}

/// The caller's result; `None` if the operation did not happen and something else must be tried.
fn into_result(outcome: ArtifactOutcome) -> Result<Option<PublishArtifactResult>> {
    match outcome {
        ArtifactOutcome::Published(artifact) => {
            Ok(Some(PublishArtifactResult::Published(artifact)))
        }
        ArtifactOutcome::Duplicate {
            existing,
            mode,
            merged_tags,
        } => Ok(Some(PublishArtifactResult::Duplicate {
            existing,
            mode,
            merged_tags,
        })),
        ArtifactOutcome::NoDuplicate | ArtifactOutcome::NeverHappened => Ok(None),
        ArtifactOutcome::Tagged(artifact) => {
            Err(Error::internal("a publish ended as a change of tags")
                .with("artifact", artifact.id))
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

fn check_limits(request: &PublishArtifactRequest) -> Result<()> {
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
