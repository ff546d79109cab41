//! What an artifact store should answer, as a plain map.
//!
//! [`StoreModel`] follows the documentation of [`ArtifactStorePort`] and nothing else: it knows no files, rows or locks.
//! A property test makes up operations, gives each to [`StoreModel::step`] together with a store, and now and then asks
//! [`StoreModel::check_against`] whether the store still holds what the model holds.
//!
//! Artifacts are named by the order of their publication, counted from 0, so that operations can be made up before a
//! store has given ids.

mod batch;
mod check;
mod rules;
mod step;
mod trace;

use std::collections::BTreeMap;

use artstore_core::ErrorKind;
use artstore_core::artifact::{
    ArtifactInput, ArtifactKind, ArtifactSource, ArtifactStatus, DedupMode, DedupScope,
    PublishArtifactRequest,
};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::tags::{TagChange, Tags};
use artstore_core::time::Timestamp;
use bytes::Bytes;

use crate::samples::artifact_id;

/// One call of a store that changes it. An artifact that was not published does not exist.
#[derive(Debug, Clone)]
pub enum ModelOperation {
    /// Publishes.
    Publish(Box<ModelPublish>),
    /// Changes the tags of an artifact.
    Tag {
        /// Which artifact.
        artifact: usize,
        /// The change.
        change: TagChange,
        /// The operation.
        op_id: Option<OpId>,
    },
    /// Replaces an artifact by another one.
    Supersede {
        /// The one that replaces.
        new: usize,
        /// The one that is replaced.
        old: usize,
        /// The operation.
        op_id: Option<OpId>,
    },
    /// Withdraws an artifact.
    Tombstone {
        /// Which artifact.
        artifact: usize,
        /// Why.
        reason: String,
        /// The operation.
        op_id: Option<OpId>,
    },
}

impl ModelOperation {
    /// Publishes a file.
    pub fn publish(request: PublishArtifactRequest) -> Self {
        Self::Publish(Box::new(ModelPublish {
            request,
            inputs: Vec::new(),
            table: None,
        }))
    }
}

/// What a model needs to know of a publish.
#[derive(Debug, Clone)]
pub struct ModelPublish {
    /// The request: its source is [`ArtifactSource::Bytes`], and its inputs are none but [`Self::inputs`].
    pub request: PublishArtifactRequest,
    /// What it was made from.
    pub inputs: Vec<ModelInput>,
    /// If the request publishes a table: what a store should find out about it.
    pub table: Option<ModelTable>,
}

/// An artifact that another one was made from, and its role.
pub type ModelInput = (usize, Option<String>);

/// What a store should find out about a table. A model reads no tables: who makes them up knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTable {
    /// Which bytes are stored.
    pub stored: ModelStored,
    /// Its `ch1`; `None` if it has none.
    pub content_hash: Option<ContentHash>,
    /// The number of its rows.
    pub row_count: u64,
    /// The earliest and the latest of its times.
    pub times: Option<(Timestamp, Timestamp)>,
}

/// Which bytes are stored of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelStored {
    /// Those of the source: Parquet.
    AsGiven,
    /// Those that the store writes: CSV. Tables with equal text here are written as equal bytes.
    Written(String),
}

/// What a call should come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A new artifact, or the answer to a repetition of the call that published it.
    Published(usize),
    /// An artifact that was there.
    Duplicate {
        /// Which one.
        artifact: usize,
        /// What is the same.
        mode: DedupMode,
        /// What of the request was new to it.
        merged: ModelMerged,
    },
    /// The artifact as it is then: with its tags changed, replaced, or withdrawn.
    Changed(usize),
    /// An error of this kind, and nothing changed.
    Failed(ErrorKind),
}

/// What of a publish was new to the artifact that was there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelMerged {
    /// Tags that are merged.
    pub tags: Tags,
    /// Inputs that are merged.
    pub inputs: Vec<ModelInput>,
    /// Inputs that are left out because they were made from the artifact.
    pub skipped_inputs: Vec<ModelInput>,
}

/// A change after creation. The first one has the sequence 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEvent {
    /// The word for it in documents.
    pub kind: &'static str,
    /// The artifacts that it changed, its subject first, with their revisions after it.
    pub changed: Vec<(usize, u64)>,
}

/// What an artifact store should hold.
#[derive(Debug, Clone, Default)]
pub struct StoreModel {
    artifacts: Vec<ModelArtifact>,
    events: Vec<ModelEvent>,
    operations: BTreeMap<OpId, (String, Expected)>,
}

#[derive(Debug, Clone)]
struct ModelArtifact {
    /// Which artifact of the store it is, once the store has said so.
    id: Option<ArtifactId>,
    scope: DedupScope,
    content: Content,
    table: Option<ModelTable>,
    tags: Tags,
    inputs: Vec<ModelInput>,
    status: ArtifactStatus,
    superseded_by: Option<usize>,
    supersedes: Vec<usize>,
    tombstone_reason: Option<String>,
    revision: u64,
    last_event: u64,
    op_id: Option<OpId>,
}

#[derive(Debug, Clone)]
enum Content {
    /// These bytes, with their digest.
    Given(Bytes, Digest),
    /// Bytes that the store wrote, with their size and digest once it has told them.
    Written(Option<(u64, Digest)>),
}

impl Content {
    fn digest(&self) -> Option<Digest> {
        match self {
            Self::Given(_, digest) => Some(*digest),
            Self::Written(told) => told.map(|(_, digest)| digest),
        }
    }
}

impl StoreModel {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of artifacts.
    pub fn len(&self) -> usize {
        self.artifacts.len()
    }

    /// Whether there are no artifacts.
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty()
    }

    /// The id that the store gave the artifact that was published as the `artifact`th.
    pub fn id(&self, artifact: usize) -> Option<ArtifactId> {
        self.artifacts.get(artifact)?.id
    }

    /// Every change after creation, in order: the events that a store should have written.
    pub fn events(&self) -> &[ModelEvent] {
        &self.events
    }

    /// Does `operation` in the model and says what a store should answer.
    ///
    /// A call that changes nothing writes nothing, so its operation is not remembered: repeating it is a new call.
    pub fn apply(&mut self, operation: &ModelOperation) -> Expected {
        let (op_id, request) = identity_of(operation);
        if let Some((known, outcome)) = op_id.as_ref().and_then(|op_id| self.operations.get(op_id))
        {
            return match *known == request {
                true => outcome.clone(),
                false => Expected::Failed(ErrorKind::Conflict),
            };
        }
        let before = self.extent();
        let expected = match operation {
            ModelOperation::Publish(publish) => self.publish(publish),
            ModelOperation::Tag {
                artifact, change, ..
            } => self.tag(*artifact, change),
            ModelOperation::Supersede { new, old, .. } => self.supersede(*new, *old),
            ModelOperation::Tombstone {
                artifact, reason, ..
            } => self.tombstone(*artifact, reason),
        };
        let has_changed = before != self.extent();
        if let (Some(op_id), true) = (op_id, has_changed) {
            self.operations.insert(op_id, (request, expected.clone()));
        }
        expected
    }

    /// Does `operation` in the model and in `store`, and asserts that the store answers as it should.
    pub async fn step(&mut self, store: &dyn ArtifactStorePort, operation: &ModelOperation) {
        step::step(self, store, operation).await;
    }

    /// Gives `publishes` to `store` in one call and does them in the model, and asserts that the store answers each as it
    /// should. Inputs that were not there before the call do not exist.
    pub async fn step_batch(&mut self, store: &dyn ArtifactStorePort, publishes: &[ModelPublish]) {
        batch::step(self, store, publishes).await;
    }

    /// Asserts that `store` holds exactly what the model holds, by every way of asking.
    pub async fn check_against(&self, store: &dyn ArtifactStorePort) {
        check::check_all(self, store).await;
        trace::check_all(self, store).await;
    }

    /// Grows with every change.
    fn extent(&self) -> (usize, usize) {
        (self.artifacts.len(), self.events.len())
    }

    /// The id of an artifact, or one that no artifact has.
    fn id_or_unknown(&self, artifact: usize) -> ArtifactId {
        self.id(artifact).unwrap_or_else(unknown_id)
    }

    fn inputs(&self, inputs: &[ModelInput]) -> Vec<ArtifactInput> {
        let inputs = inputs.iter().map(|(artifact, role)| ArtifactInput {
            id: self.id_or_unknown(*artifact),
            role: role.clone(),
        });
        inputs.collect()
    }
}

fn unknown_id() -> ArtifactId {
    artifact_id(u64::MAX >> 2)
}

fn bytes_of(publish: &ModelPublish) -> &Bytes {
    assert!(
        publish.request.inputs.is_empty(),
        "inputs are named by the order of publication"
    );
    let is_table = publish.request.kind() == ArtifactKind::Table;
    assert_eq!(is_table, publish.table.is_some(), "a table is described");
    match &publish.request.source {
        ArtifactSource::Bytes(content) => content,
        source => panic!("a model publishes bytes only, not {source:?}"),
    }
}

/// The operation id of a call, and all that makes it this request and no other.
fn identity_of(operation: &ModelOperation) -> (Option<OpId>, String) {
    match operation {
        ModelOperation::Publish(publish) => {
            let mut request = publish.request.clone();
            let op_id = request.op_id.take();
            let content_hash = publish.table.as_ref().and_then(|table| table.content_hash);
            if content_hash.is_some() {
                // The same table in other bytes is the same request.
                request.source = ArtifactSource::Bytes(Bytes::new());
            }
            let inputs = &publish.inputs;
            (
                op_id,
                format!("publish {request:?} {inputs:?} {content_hash:?}"),
            )
        }
        ModelOperation::Tag {
            artifact,
            change,
            op_id,
        } => (op_id.clone(), format!("tag {artifact} {change:?}")),
        ModelOperation::Supersede { new, old, op_id } => {
            (op_id.clone(), format!("supersede {new} {old}"))
        }
        ModelOperation::Tombstone {
            artifact,
            reason,
            op_id,
        } => (op_id.clone(), format!("tombstone {artifact} {reason}")),
    }
}
