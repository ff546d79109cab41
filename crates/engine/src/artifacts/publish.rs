//! What happens to a publish before the lock: probing for a duplicate, then staging.

use std::sync::Arc;

use artstore_core::artifact::{
    ArtifactInput, DedupScope, Merged, PublishArtifactRequest, PublishArtifactResult, new_inputs,
};
use artstore_core::backend::{ArtifactProbe, ProbeAnswer, Progress};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::table::TableFormat;
use artstore_core::{Error, ErrorKind, Result};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::port::ArtifactEngine;
use super::rules::{ArtifactOutcome, ArtifactTask, ArtifactWork, MergeTask};
use super::{limits, request};
use crate::activity::{ActiveProgress, Activity};
use crate::committer::{heard, on_blocking_thread, wait_for_place};

/// Sources up to this size in bytes are prepared on one blocking thread, which cannot be stopped.
const SMALL_SOURCE_BYTES: u64 = 1024 * 1024;

/// What is still worth trying.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    /// A source that is gone may have been adopted by this operation before.
    may_be_replay: bool,
    /// There may be a duplicate, so that nothing need be staged.
    may_be_duplicate: bool,
    /// It runs where the caller can stop it, so that large sources and tables may be staged.
    pub(super) is_apart: bool,
}

/// A publish with what identifies it.
#[derive(Debug, Clone)]
pub(super) struct Publish {
    pub(super) request: Arc<PublishArtifactRequest>,
    /// The request's inputs, each once.
    pub(super) inputs: Vec<ArtifactInput>,
    pub(super) op_id: OpId,
    pub(super) request_digest: Digest,
    /// Lasts as long as anything is done for it.
    pub(super) activity: Activity,
}

/// Whether the operation of a publish was done before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WasDone {
    Yes,
    No,
}

/// What preparing came to.
pub(super) enum Prepared {
    /// It is decided already.
    Decided(Box<ArtifactOutcome>),
    /// This is to be done under the lock.
    Task(ArtifactTask),
}

impl ArtifactEngine {
    pub(super) async fn publish(
        &self,
        request: PublishArtifactRequest,
    ) -> Result<PublishArtifactResult> {
        let publish = self.identify(request, self.activities.begin())?;
        let attempt = Attempt::first(&publish);
        self.pursue(&publish, attempt).await
    }

    /// Fails if the request asks for more than a publish may.
    pub(super) fn identify(
        &self,
        request: PublishArtifactRequest,
        activity: Activity,
    ) -> Result<Publish> {
        limits::check(&request)?;
        Ok(Publish {
            inputs: new_inputs(&[], &request.inputs),
            op_id: match &request.op_id {
                Some(op_id) => op_id.clone(),
                None => self.new_op_id()?,
            },
            request_digest: request::of_publish(&request)?,
            request: Arc::new(request),
            activity,
        })
    }

    /// Tries until there is a result.
    pub(super) async fn pursue(
        &self,
        publish: &Publish,
        mut attempt: Attempt,
    ) -> Result<PublishArtifactResult> {
        loop {
            let outcome = match attempt.is_apart {
                true => self.attempt_here(publish, attempt).await?,
                false => self.attempt_on_one_thread(publish, attempt).await?,
            };
            if let Some(result) = attempt.conclude(outcome)? {
                return Ok(result);
            }
        }
    }

    /// Prepares on a blocking thread, which then leads if nobody does: a lone publish needs no other thread.
    async fn attempt_on_one_thread(
        &self,
        publish: &Publish,
        attempt: Attempt,
    ) -> Result<ArtifactOutcome> {
        let (this, preparing) = self.place_to_prepare().await?;
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

    /// The right to prepare on a blocking thread, and the engine for as long as that takes.
    pub(super) async fn place_to_prepare(&self) -> Result<(Arc<Self>, OwnedSemaphorePermit)> {
        let this = self.this()?;
        let busy = "too many publishes are being prepared";
        let places = Arc::clone(&self.preparations);
        let preparing = wait_for_place(places, self.settings.patience, busy).await?;
        Ok((this, preparing))
    }

    /// Tells the listener how long work goes on, which is under way until it cannot tell any more.
    pub(super) fn progress_of(&self, publish: &Publish) -> Arc<dyn Progress> {
        Arc::new(ActiveProgress {
            listener: Arc::clone(&self.parts.progress),
            _activity: publish.activity.clone(),
        })
    }

    async fn attempt_here(&self, publish: &Publish, attempt: Attempt) -> Result<ArtifactOutcome> {
        match self.prepare_here(publish, attempt).await? {
            Prepared::Decided(outcome) => Ok(*outcome),
            Prepared::Task(task) => self.committer.submit(publish.clone().into_work(task)).await,
        }
    }

    /// Prepares what is large, in steps that each can be given up.
    pub(super) async fn prepare_here(
        &self,
        publish: &Publish,
        attempt: Attempt,
    ) -> Result<Prepared> {
        let busy = "too many large publishes are being prepared";
        let places = Arc::clone(&self.large_preparations);
        let _preparing = wait_for_place(places, self.settings.patience, busy).await?;
        self.prepare(publish, attempt).await
    }

    pub(super) async fn prepare(&self, publish: &Publish, attempt: Attempt) -> Result<Prepared> {
        let source = &publish.request.source;
        let size = match self.parts.blobs.source_size(source).await {
            Ok(size) => size,
            // An adopted source is gone once it was published: the caller may be asking for the outcome.
            Err(error) if error.kind() == ErrorKind::NotFound && attempt.may_be_replay => {
                return Ok(Prepared::Task(ArtifactTask::Replay));
            }
            Err(error) => return Err(error),
        };
        if size > SMALL_SOURCE_BYTES && !attempt.is_apart {
            return Ok(Prepared::Decided(Box::new(ArtifactOutcome::StageApart)));
        }
        let was_done = self.look_up(publish).await?;
        let scope = publish.request.dedup_scope();
        let catalog = &self.parts.catalogs.artifacts;
        if attempt.may_be_duplicate
            && publish.is_stored_as_it_is()
            && self
                .query(|| catalog.may_have_active_of_size(&scope, size))
                .await?
            && let Some(prepared) = self.prepare_as_duplicate(publish, scope).await?
        {
            return Ok(prepared);
        }
        if publish.request.table.is_some() && !attempt.is_apart {
            return Ok(Prepared::Decided(Box::new(ArtifactOutcome::StageApart)));
        }
        let task = self.stage(publish, was_done).await?;
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
        let progress = self.progress_of(publish);
        let facts = self
            .parts
            .blobs
            .hash_source(&request.source, progress)
            .await?;
        let probe = ArtifactProbe::Publish {
            op_id: op_id.clone(),
            scope: scope.clone(),
            file_hash: facts.digest,
            content_hash: None,
            inputs: Vec::new(),
        };
        let answer = self.examine_one(probe).await?;
        let inputs = &publish.inputs;
        match (answer.operation, answer.duplicate) {
            (None, None) => Ok(None),
            (None, Some(duplicate))
                if duplicate
                    .artifact
                    .tags
                    .missing_from(&request.tags)
                    .is_empty()
                    && new_inputs(&duplicate.artifact.inputs, inputs).is_empty() =>
            {
                let outcome = ArtifactOutcome::duplicate(duplicate, Merged::default());
                Ok(Some(Prepared::Decided(Box::new(outcome))))
            }
            _ => Ok(Some(Prepared::Task(ArtifactTask::Merge(MergeTask {
                scope,
                facts,
                tags: request.tags.clone(),
                inputs: inputs.clone(),
            })))),
        }
    }

    /// Fails before anything is written if an input does not exist: artifacts are never removed, so that what exists now
    /// exists under the lock, too. Tells whether a repeated operation was done already.
    async fn look_up(&self, publish: &Publish) -> Result<WasDone> {
        let is_repeatable = publish.request.op_id.is_some() && publish.request.table.is_some();
        if publish.inputs.is_empty() && !is_repeatable {
            return Ok(WasDone::No);
        }
        let probe = ArtifactProbe::Operation {
            op_id: publish.op_id.clone(),
            inputs: publish.inputs.iter().map(|input| input.id).collect(),
        };
        let answer = self.examine_one(probe).await?;
        if answer.operation.is_some() {
            return Ok(WasDone::Yes);
        }
        no_input_missing(answer.missing_inputs.into_iter())?;
        Ok(WasDone::No)
    }

    async fn examine_one(&self, probe: ArtifactProbe) -> Result<ProbeAnswer> {
        let catalog = &self.parts.catalogs.artifacts;
        let examination = self.query(|| catalog.examine(vec![probe.clone()])).await?;
        Ok(examination.answers.into_iter().next().unwrap_or_default())
    }

    pub(super) fn new_op_id(&self) -> Result<OpId> {
        OpId::new(self.parts.ids.next_id().to_string())
    }
}

impl Attempt {
    pub(super) fn first(publish: &Publish) -> Self {
        Self {
            may_be_replay: publish.request.op_id.is_some(),
            may_be_duplicate: true,
            is_apart: false,
        }
    }

    /// The result of a publish that came to `outcome`, or `None` if it is to be tried again, with what is left to try.
    pub(super) fn conclude(
        &mut self,
        outcome: ArtifactOutcome,
    ) -> Result<Option<PublishArtifactResult>> {
        match outcome {
            ArtifactOutcome::Published(artifact) => {
                return Ok(Some(PublishArtifactResult::Published(artifact)));
            }
            ArtifactOutcome::Duplicate(duplicate) => {
                return Ok(Some(PublishArtifactResult::Duplicate {
                    existing: duplicate.existing,
                    mode: duplicate.mode,
                    merged: duplicate.merged,
                }));
            }
            ArtifactOutcome::Changed(artifact) => {
                return Err(Error::internal("a publish ended as another change")
                    .with("artifact", artifact.id));
            }
            // Each of these can come once only. Settling may just have put the source back in its place.
            ArtifactOutcome::NeverHappened => self.may_be_replay = false,
            ArtifactOutcome::NoDuplicate => self.may_be_duplicate = false,
            ArtifactOutcome::StageApart => self.is_apart = true,
        }
        Ok(None)
    }
}

impl Publish {
    /// Whether the stored bytes are those of the source, so that its hash tells duplicates.
    fn is_stored_as_it_is(&self) -> bool {
        !matches!(self.request.table, Some(TableFormat::Csv(_)))
    }

    pub(super) fn into_work(self, task: ArtifactTask) -> ArtifactWork {
        ArtifactWork {
            op_id: self.op_id,
            request_digest: self.request_digest,
            task,
        }
    }
}

/// Fails if there are `missing` inputs.
pub(super) fn no_input_missing(missing: impl Iterator<Item = ArtifactId>) -> Result<()> {
    const NAMED: usize = 10;
    let missing: Vec<String> = missing.map(|id| id.to_string()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let named = missing.get(..NAMED).unwrap_or(&missing);
    Err(Error::not_found("an input does not exist")
        .with("missing", named.join(", "))
        .with("count", missing.len()))
}
