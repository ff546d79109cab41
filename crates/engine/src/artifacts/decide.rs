//! Every decision of the artifacts domain: duplicates, replays, merges, tags.

use std::collections::HashSet;

use artstore_core::artifact::{Artifact, DedupMode, DedupScope};
use artstore_core::backend::{
    ArtifactChange, ArtifactEventRow, CatalogHead, EventRef, Operation, ProbeAnswer,
    PublicationItem,
};
use artstore_core::digest::Digest;
use artstore_core::format::event::EventOrigin;
use artstore_core::format::{ArtifactEvent, ArtifactEventChange};
use artstore_core::id::{ArtifactId, EventId};
use artstore_core::key::OpId;
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{Domain, Error, Result, layout};

use super::rules::{ArtifactOutcome, ArtifactRules, ArtifactTask, ArtifactWork, PublishTask};
use crate::protocol::{Verdict, Write};

/// What the earlier changes of a batch have claimed. A change that rests on one of them waits for the next pass, when
/// it is committed.
#[derive(Default)]
struct Claims {
    operations: HashSet<OpId>,
    contents: HashSet<(DedupScope, Digest)>,
    artifacts: HashSet<ArtifactId>,
}

/// A batch while it is decided.
struct Batch {
    claims: Claims,
    last_event: u64,
}

impl ArtifactRules {
    pub(super) async fn decide_batch(
        &self,
        works: &[&ArtifactWork],
    ) -> Result<(CatalogHead, Vec<Verdict<Self>>)> {
        let probes = works.iter().map(|work| Self::probe_of(work)).collect();
        let examination = self.parts.catalogs.artifacts.examine(probes).await?;
        let head = self.check_store(examination.head)?;
        let mut batch = Batch {
            claims: Claims::default(),
            last_event: head.last_event,
        };
        let mut verdicts = Vec::with_capacity(works.len());
        for (work, answer) in works.iter().zip(examination.answers) {
            let verdict = match self.decide_one(work, answer, &mut batch).await {
                Ok(verdict) => verdict,
                Err(error) => Verdict::Answer(Err(error)),
            };
            verdicts.push(verdict);
        }
        Ok((head, verdicts))
    }

    async fn decide_one(
        &self,
        work: &ArtifactWork,
        answer: ProbeAnswer,
        batch: &mut Batch,
    ) -> Result<Verdict<Self>> {
        if let Some(operation) = answer.operation {
            return self
                .replay(work, operation)
                .await
                .map(|outcome| Verdict::Answer(Ok(outcome)));
        }
        if !batch.claims.operations.insert(work.op_id.clone()) {
            return Ok(Verdict::Defer);
        }
        match &work.task {
            ArtifactTask::Replay => Ok(Verdict::Answer(Ok(ArtifactOutcome::NeverHappened))),
            ArtifactTask::Tag(id, change) => {
                let artifact = answer.artifact.ok_or_else(|| not_found(*id))?;
                self.decide_tag(work, artifact, change, batch)
            }
            ArtifactTask::Merge(task) => match answer.artifact {
                None => Ok(Verdict::Answer(Ok(ArtifactOutcome::NoDuplicate))),
                Some(existing) => self.decide_merge(work, existing, &task.tags, batch),
            },
            ArtifactTask::Publish(task) => match answer.artifact {
                Some(existing) => self.decide_merge(work, existing, &task.artifact.tags, batch),
                None => Ok(decide_publish(work, task, batch)),
            },
        }
    }

    fn decide_merge(
        &self,
        work: &ArtifactWork,
        existing: Artifact,
        tags: &Tags,
        batch: &mut Batch,
    ) -> Result<Verdict<Self>> {
        let merged_tags = existing.tags.missing_from(tags);
        let mode = DedupMode::FileHash;
        if merged_tags.is_empty() {
            return Ok(Verdict::Answer(Ok(ArtifactOutcome::Duplicate {
                existing,
                mode,
                merged_tags,
            })));
        }
        let change = ArtifactEventChange::Republished {
            tags: existing.tags.merged_with(&merged_tags)?,
            merged_tags: merged_tags.clone(),
            mode,
        };
        self.write_event(work, existing, change, batch, |existing| {
            ArtifactOutcome::Duplicate {
                existing,
                mode,
                merged_tags,
            }
        })
    }

    fn decide_tag(
        &self,
        work: &ArtifactWork,
        artifact: Artifact,
        change: &TagChange,
        batch: &mut Batch,
    ) -> Result<Verdict<Self>> {
        let tags = change.applied_to(&artifact.tags)?;
        if tags == artifact.tags {
            return Ok(Verdict::Answer(Ok(ArtifactOutcome::Tagged(artifact))));
        }
        let change = ArtifactEventChange::Tagged { tags };
        self.write_event(work, artifact, change, batch, ArtifactOutcome::Tagged)
    }

    /// The next event in the batch's sequence, with the rows and the record that follow from it.
    fn write_event(
        &self,
        work: &ArtifactWork,
        mut artifact: Artifact,
        change: ArtifactEventChange,
        batch: &mut Batch,
        outcome: impl FnOnce(Artifact) -> ArtifactOutcome,
    ) -> Result<Verdict<Self>> {
        if !batch.claims.artifacts.insert(artifact.id) {
            return Ok(Verdict::Defer);
        }
        batch.last_event += 1;
        let origin = EventOrigin {
            id: EventId::from_uuid(self.parts.ids.next_id()),
            sequence: batch.last_event,
            op_id: work.op_id.clone(),
            request_digest: work.request_digest,
            actor: self.actor.clone(),
            created_at: self.parts.clock.now(),
        };
        let event = ArtifactEvent::new(origin, &artifact, change);
        event.apply_to(&mut artifact);
        let publication = PublicationItem {
            op_id: work.op_id.clone(),
            files: Vec::new(),
            document: Some((event.path()?, event.to_bytes()?)),
        };
        Ok(Verdict::Write(Box::new(Write {
            publication,
            changes: vec![
                ArtifactChange::Put(Box::new(artifact.clone())),
                ArtifactChange::Record(row_of(&event)),
            ],
            derived: vec![artifact.clone()],
            outcome: outcome(artifact),
        })))
    }

    /// What an operation that was done already did, provided that this is the same request.
    async fn replay(&self, work: &ArtifactWork, operation: Operation) -> Result<ArtifactOutcome> {
        if operation.request_digest != work.request_digest {
            return Err(reused(work, "the request is another one"));
        }
        let found = self
            .parts
            .catalogs
            .artifacts
            .get(&[operation.artifact_id])
            .await?;
        let artifact = found
            .into_iter()
            .flatten()
            .next()
            .ok_or_else(|| not_found(operation.artifact_id))?;
        let given_hash = match &work.task {
            ArtifactTask::Publish(task) => Some(task.artifact.file_hash),
            ArtifactTask::Merge(task) => Some(task.facts.digest),
            ArtifactTask::Replay | ArtifactTask::Tag(..) => None,
        };
        if given_hash.is_some_and(|hash| hash != artifact.file_hash) {
            return Err(reused(work, "the bytes are others"));
        }
        tracing::debug!(op_id = %work.op_id, "operation was done already");
        let Some(event) = operation.event else {
            return Ok(ArtifactOutcome::Published(artifact));
        };
        match self.read_event(&event).await?.change {
            ArtifactEventChange::Tagged { .. } => Ok(ArtifactOutcome::Tagged(artifact)),
            ArtifactEventChange::Republished {
                merged_tags, mode, ..
            } => Ok(ArtifactOutcome::Duplicate {
                existing: artifact,
                mode,
                merged_tags,
            }),
        }
    }

    pub(super) async fn read_event(&self, event: &EventRef) -> Result<ArtifactEvent> {
        let path = layout::event_path(
            Domain::Artifacts,
            event.sequence,
            &event.kind,
            event.created_at,
        )?;
        match self.parts.blobs.read_document(&path).await? {
            Some(document) => ArtifactEvent::parse(&document, &path),
            None => Err(Error::corrupt("an event is missing").with("path", path)),
        }
    }
}

fn decide_publish(
    work: &ArtifactWork,
    task: &PublishTask,
    batch: &mut Batch,
) -> Verdict<ArtifactRules> {
    let content = (task.scope(), task.artifact.file_hash);
    if !batch.claims.contents.insert(content) {
        return Verdict::Defer;
    }
    let artifact = &task.artifact;
    let names = [&artifact.data_path, &artifact.record_path];
    let files = task.staged.files().iter().cloned();
    Verdict::Write(Box::new(Write {
        publication: PublicationItem {
            op_id: work.op_id.clone(),
            files: files.zip(names.map(Clone::clone)).collect(),
            document: None,
        },
        changes: vec![ArtifactChange::Put(Box::new(artifact.clone()))],
        derived: Vec::new(),
        outcome: ArtifactOutcome::Published(artifact.clone()),
    }))
}

/// The catalog's row of an event.
pub(super) fn row_of(event: &ArtifactEvent) -> ArtifactEventRow {
    ArtifactEventRow {
        event: EventRef {
            sequence: event.sequence,
            kind: event.change.kind().to_owned(),
            created_at: event.created_at,
        },
        artifact_id: event.subject,
        op_id: event.op_id.clone(),
        request_digest: event.request_digest,
    }
}

pub(super) fn not_found(id: ArtifactId) -> Error {
    Error::not_found("artifact not found").with("id", id)
}

fn reused(work: &ArtifactWork, why: &str) -> Error {
    Error::conflict(format!("the operation id was used before, and {why}"))
        .with("op_id", &work.op_id)
        .hint("use a new operation id, or repeat the request unchanged")
}
