//! Every decision of the artifacts domain: who is first, replays, and to whom the rest is given.

use std::collections::HashSet;

use artstore_core::artifact::{Artifact, ArtifactKind, DedupScope, Merged};
use artstore_core::backend::{
    ArtifactChange, ArtifactEventRow, CatalogHead, EventRef, Operation, ProbeAnswer,
    PublicationItem,
};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::format::event::EventOrigin;
use artstore_core::format::{ArtifactEvent, ArtifactEventChange};
use artstore_core::id::{ArtifactId, EventId};
use artstore_core::key::OpId;
use artstore_core::tags::TagChange;
use artstore_core::{Domain, Error, Result, layout};

use super::publish::no_input_missing;
use super::rules::{
    ArtifactOutcome, ArtifactRules, ArtifactTask, ArtifactWork, DuplicateOutcome, MergeTask,
    PublishTask,
};
use crate::protocol::{Verdict, Write};

/// What the earlier changes of a batch have claimed. A change that rests on one of them waits for the next pass, when
/// it is committed.
#[derive(Default)]
pub(super) struct Claims {
    operations: HashSet<OpId>,
    files: HashSet<(DedupScope, Digest)>,
    contents: HashSet<(DedupScope, ContentHash)>,
    artifacts: HashSet<ArtifactId>,
    /// An artifact that was there gets inputs: two such changes might close a cycle together.
    pub(super) inputs_added: bool,
}

/// A batch while it is decided.
pub(super) struct Batch {
    pub(super) claims: Claims,
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
        no_input_missing(answer.missing_inputs.into_iter())?;
        let mut artifacts = answer.artifacts.into_iter();
        let mut next = |id: ArtifactId| artifacts.next().flatten().ok_or_else(|| not_found(id));
        match &work.task {
            ArtifactTask::Replay => Ok(Verdict::Answer(Ok(ArtifactOutcome::NeverHappened))),
            ArtifactTask::Tag(id, change) => self.decide_tag(work, next(*id)?, change, batch).await,
            ArtifactTask::Supersede { new, old } => {
                let (new, old) = (next(*new)?, next(*old)?);
                self.decide_supersede(work, new, old, batch).await
            }
            ArtifactTask::Tombstone { id, reason } => {
                self.decide_tombstone(work, next(*id)?, reason, batch).await
            }
            ArtifactTask::Merge(task) => match answer.duplicate {
                None => Ok(Verdict::Answer(Ok(ArtifactOutcome::NoDuplicate))),
                Some(found) => {
                    let MergeTask { tags, inputs, .. } = task;
                    self.decide_merge(work, found, tags, inputs, batch).await
                }
            },
            ArtifactTask::Publish(task) => match answer.duplicate {
                None => Ok(decide_publish(work, task, batch)),
                Some(found) => {
                    let Artifact { tags, inputs, .. } = &task.artifact;
                    self.decide_merge(work, found, tags, inputs, batch).await
                }
            },
        }
    }

    async fn decide_tag(
        &self,
        work: &ArtifactWork,
        artifact: Artifact,
        change: &TagChange,
        batch: &mut Batch,
    ) -> Result<Verdict<Self>> {
        let tags = change.applied_to(&artifact.tags)?;
        if tags == artifact.tags {
            return Ok(Verdict::Answer(Ok(ArtifactOutcome::Changed(artifact))));
        }
        let change = ArtifactEventChange::Tagged { tags };
        self.change_artifact(work, artifact, change, batch).await
    }

    /// The event of a change of one artifact, which is answered with it.
    pub(super) async fn change_artifact(
        &self,
        work: &ArtifactWork,
        artifact: Artifact,
        change: ArtifactEventChange,
        batch: &mut Batch,
    ) -> Result<Verdict<Self>> {
        let outcome = ArtifactOutcome::Changed;
        self.write_event(work, artifact, None, change, batch, outcome)
            .await
    }

    /// The next event in the batch's sequence, with the rows and the records that follow from it: those of `subject`, and
    /// of `other` where the event changes that, too.
    pub(super) async fn write_event(
        &self,
        work: &ArtifactWork,
        mut subject: Artifact,
        other: Option<Artifact>,
        change: ArtifactEventChange,
        batch: &mut Batch,
        outcome: impl FnOnce(Artifact) -> ArtifactOutcome,
    ) -> Result<Verdict<Self>> {
        let ids = [Some(subject.id), other.as_ref().map(|other| other.id)];
        let ids = ids.into_iter().flatten();
        if ids.clone().any(|id| batch.claims.artifacts.contains(&id)) {
            return Ok(Verdict::Defer);
        }
        let origin = EventOrigin {
            id: EventId::from_uuid(self.parts.ids.next_id()),
            sequence: batch.last_event + 1,
            op_id: work.op_id.clone(),
            request_digest: work.request_digest,
            actor: self.actor.clone(),
            created_at: self.parts.clock.now(),
        };
        let event = ArtifactEvent::new(origin, &subject, change);
        let document = (event.path()?, event.to_bytes()?);
        event.apply_to(&mut subject);
        let other = other.map(|mut other| {
            event.apply_to(&mut other);
            other
        });
        let changed: Vec<Artifact> = std::iter::once(subject.clone()).chain(other).collect();
        for artifact in &changed {
            self.check_record_has_room(artifact).await?;
        }
        batch.claims.artifacts.extend(ids);
        batch.last_event = event.sequence;
        let puts = changed.iter().cloned().map(Box::new);
        let changes = puts
            .map(ArtifactChange::Put)
            .chain([ArtifactChange::Record(row_of(&event))]);
        Ok(Verdict::Write(Box::new(Write {
            publication: PublicationItem {
                op_id: work.op_id.clone(),
                files: Vec::new(),
                document: Some(document),
            },
            changes: changes.collect(),
            derived: changed,
            outcome: outcome(subject),
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
        match &work.task {
            ArtifactTask::Publish(task) if !has_content_of(&artifact, &task.artifact) => {
                return Err(reused(work, "the content is another one"));
            }
            ArtifactTask::Merge(task) if task.facts.digest != artifact.file_hash => {
                // Other bytes may still be the same table: that shows when it is staged.
                if artifact.kind == ArtifactKind::Table {
                    return Ok(ArtifactOutcome::NoDuplicate);
                }
                return Err(reused(work, "the bytes are others"));
            }
            _ => {}
        }
        tracing::debug!(op_id = %work.op_id, "operation was done already");
        let Some(event) = operation.event else {
            return Ok(ArtifactOutcome::Published(artifact));
        };
        match self.read_event(&event).await?.change {
            ArtifactEventChange::Tagged { .. }
            | ArtifactEventChange::Superseded { .. }
            | ArtifactEventChange::Tombstoned { .. } => Ok(ArtifactOutcome::Changed(artifact)),
            ArtifactEventChange::Republished {
                merged_tags,
                mode,
                merged_inputs,
                skipped_inputs,
                ..
            } => Ok(ArtifactOutcome::Duplicate(Box::new(DuplicateOutcome {
                existing: artifact,
                mode,
                merged: Merged {
                    tags: merged_tags,
                    inputs: merged_inputs,
                    skipped_inputs,
                },
            }))),
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
    let artifact = &task.artifact;
    let file = (task.scope(), artifact.file_hash);
    let content = (task.scope(), artifact.content_hash);
    let claims = &mut batch.claims;
    if claims.files.contains(&file) || claims.contents.contains(&content) {
        return Verdict::Defer;
    }
    claims.files.insert(file);
    claims.contents.insert(content);
    let names = [&artifact.data_path, &artifact.record_path];
    let files = task.staged.files().into_iter();
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

/// Whether `given` says the same as `artifact`, in the same bytes or others.
fn has_content_of(artifact: &Artifact, given: &Artifact) -> bool {
    artifact.file_hash == given.file_hash || artifact.content_hash == given.content_hash
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
