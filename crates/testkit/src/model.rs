//! What an artifact store should answer, as a plain map.
//!
//! [`StoreModel`] follows the documentation of [`ArtifactStorePort`] and nothing else: it knows no files, rows or locks.
//! A property test makes up operations, gives each to [`StoreModel::step`] together with a store, and now and then asks
//! [`StoreModel::check_against`] whether the store still holds what the model holds.

use std::collections::BTreeMap;

use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactSource, ArtifactStatus, DedupMode, DedupScope,
    PublishArtifactRequest, PublishArtifactResult,
};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, ByteRange};
use artstore_core::tags::{TagChange, Tags};
use artstore_core::{ErrorKind, Result};
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::samples::artifact_id;

/// One call of a store that changes it.
#[derive(Debug, Clone)]
pub enum ModelOperation {
    /// Publishes a request whose source is [`ArtifactSource::Bytes`].
    Publish(Box<PublishArtifactRequest>),
    /// Changes the tags of the artifact that was published as the `artifact`th, counted from 0; one that was not
    /// published does not exist.
    Tag {
        /// Which artifact.
        artifact: usize,
        /// The change.
        change: TagChange,
        /// The operation.
        op_id: Option<OpId>,
    },
}

/// What a call should come to. Artifacts are named by the order of their publication, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A new artifact, or the answer to a repetition of the call that published it.
    Published(usize),
    /// An artifact that was there.
    Duplicate {
        /// Which one.
        artifact: usize,
        /// The tags that were new to it.
        merged_tags: Tags,
    },
    /// The artifact, with its tags as they are then.
    Tagged(usize),
    /// An error of this kind, and nothing changed.
    Failed(ErrorKind),
}

/// What an artifact store should hold.
#[derive(Debug, Clone, Default)]
pub struct StoreModel {
    artifacts: Vec<ModelArtifact>,
    operations: BTreeMap<OpId, (String, Expected)>,
}

#[derive(Debug, Clone)]
struct ModelArtifact {
    /// Which artifact of the store it is, once the store has said so.
    id: Option<ArtifactId>,
    scope: DedupScope,
    content: Bytes,
    tags: Tags,
    revision: u64,
    op_id: Option<OpId>,
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
        let (expected, has_changed) = match operation {
            ModelOperation::Publish(request) => self.publish(request),
            ModelOperation::Tag {
                artifact, change, ..
            } => self.tag(*artifact, change),
        };
        if let (Some(op_id), true) = (op_id, has_changed) {
            self.operations.insert(op_id, (request, expected.clone()));
        }
        expected
    }

    fn publish(&mut self, request: &PublishArtifactRequest) -> (Expected, bool) {
        let scope = request.dedup_scope();
        let content = content_of(request);
        let same =
            |artifact: &ModelArtifact| artifact.scope == scope && artifact.content == content;
        let Some(position) = self.artifacts.iter().position(same) else {
            self.artifacts.push(ModelArtifact {
                id: None,
                scope,
                content,
                tags: request.tags.clone(),
                revision: 1,
                op_id: request.op_id.clone(),
            });
            return (Expected::Published(self.artifacts.len() - 1), true);
        };
        let merged_tags = self.artifacts[position].tags.missing_from(&request.tags);
        let Ok(tags) = self.artifacts[position].tags.merged_with(&request.tags) else {
            return (Expected::Failed(ErrorKind::Invalid), false);
        };
        let has_changed = self.set_tags(position, tags);
        let duplicate = Expected::Duplicate {
            artifact: position,
            merged_tags,
        };
        (duplicate, has_changed)
    }

    fn tag(&mut self, position: usize, change: &TagChange) -> (Expected, bool) {
        let Some(artifact) = self.artifacts.get(position) else {
            return (Expected::Failed(ErrorKind::NotFound), false);
        };
        let Ok(tags) = change.applied_to(&artifact.tags) else {
            return (Expected::Failed(ErrorKind::Invalid), false);
        };
        let has_changed = self.set_tags(position, tags);
        (Expected::Tagged(position), has_changed)
    }

    fn set_tags(&mut self, position: usize, tags: Tags) -> bool {
        let artifact = &mut self.artifacts[position];
        let has_changed = artifact.tags != tags;
        if has_changed {
            artifact.tags = tags;
            artifact.revision += 1;
        }
        has_changed
    }

    /// Does `operation` in the model and in `store`, and asserts that the store answers as it should.
    pub async fn step(&mut self, store: &dyn ArtifactStorePort, operation: &ModelOperation) {
        let expected = self.apply(operation);
        match operation {
            ModelOperation::Publish(request) => {
                let result = store.publish_artifact(request.as_ref().clone()).await;
                self.check_published(&expected, result, operation);
            }
            ModelOperation::Tag {
                artifact,
                change,
                op_id,
            } => {
                let id = self
                    .id(*artifact)
                    .unwrap_or_else(|| artifact_id(u64::MAX >> 2));
                let result = store.tag(id, change.clone(), op_id.clone()).await;
                match (&expected, result) {
                    (Expected::Tagged(position), Ok(found)) => {
                        self.check_artifact(*position, &found);
                    }
                    (Expected::Failed(kind), Err(error)) if error.kind() == *kind => {}
                    (_, result) => panic!("{operation:?}: expected {expected:?}, got {result:?}"),
                }
            }
        }
    }

    fn check_published(
        &mut self,
        expected: &Expected,
        result: Result<PublishArtifactResult>,
        operation: &ModelOperation,
    ) {
        match (expected, result) {
            (Expected::Published(position), Ok(PublishArtifactResult::Published(found))) => {
                let id = *self.artifacts[*position].id.get_or_insert(found.id);
                assert_eq!(found.id, id, "{operation:?}");
                self.check_artifact(*position, &found);
            }
            (
                Expected::Duplicate {
                    artifact,
                    merged_tags,
                },
                Ok(PublishArtifactResult::Duplicate {
                    existing,
                    mode,
                    merged_tags: merged,
                }),
            ) => {
                assert_eq!(
                    (mode, &merged),
                    (DedupMode::FileHash, merged_tags),
                    "{operation:?}"
                );
                self.check_artifact(*artifact, &existing);
            }
            (Expected::Failed(kind), Err(error)) if error.kind() == *kind => {}
            (_, result) => panic!("{operation:?}: expected {expected:?}, got {result:?}"),
        }
    }

    /// Asserts that `found` is the artifact at `position` as it is now.
    fn check_artifact(&self, position: usize, found: &Artifact) {
        let wanted = &self.artifacts[position];
        assert_eq!(Some(found.id), wanted.id, "artifact {position}");
        let scope = DedupScope {
            artifact_type: found.artifact_type.clone(),
            schema_version: found.schema_version,
            logical_key: found.logical_key.clone(),
        };
        assert_eq!(scope, wanted.scope);
        assert_eq!(found.status, ArtifactStatus::Active);
        assert_eq!(found.tags, wanted.tags, "artifact {position}");
        assert_eq!(found.revision, wanted.revision, "artifact {position}");
        assert_eq!(found.size_bytes, wanted.content.len() as u64);
        assert_eq!(found.file_hash, Digest::of(&wanted.content));
        assert_eq!(found.content_hash, found.file_hash.into());
        if let Some(op_id) = &wanted.op_id {
            assert_eq!(found.op_id, *op_id);
        }
    }

    /// Asserts that `store` holds exactly what the model holds, by every way of asking.
    pub async fn check_against(&self, store: &dyn ArtifactStorePort) {
        assert!(store.is_available().await);
        self.check_get(store).await;
        let all = self.check_list(store, &ArtifactFilter::default()).await;
        for (position, artifact) in self.artifacts.iter().enumerate() {
            self.check_bytes(store, position).await;
            self.check_find(store, &artifact.scope).await;
            let filter = ArtifactFilter {
                artifact_type: Some(artifact.scope.artifact_type.clone()),
                status: Some(ArtifactStatus::Active),
                tags: artifact.tags.clone(),
                key_prefix: artifact
                    .scope
                    .logical_key
                    .as_str()
                    .chars()
                    .next()
                    .map(String::from),
                created_from: all.get(all.len() / 2).map(|middle| middle.created_at),
                created_before: all.first().map(|newest| newest.created_at),
            };
            self.check_list(store, &filter).await;
        }
    }

    async fn check_get(&self, store: &dyn ArtifactStorePort) {
        let missing = artifact_id(u64::MAX >> 2);
        let mut ids: Vec<_> = self
            .artifacts
            .iter()
            .map(|artifact| artifact.id.expect("a known id"))
            .collect();
        ids.push(missing);
        ids.reverse();
        let found = store.get_artifacts(&ids).await.unwrap();
        assert_eq!(found.len(), ids.len());
        assert_eq!(found[0], None);
        for (position, found) in found.iter().skip(1).rev().enumerate() {
            let found = found.as_ref().expect("a published artifact exists");
            self.check_artifact(position, found);
            assert_eq!(store.get_artifact(found.id).await.unwrap(), *found);
        }
        let error = store.get_artifact(missing).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    /// Lists by small pages; the list is newest first and holds exactly what matches.
    async fn check_list(
        &self,
        store: &dyn ArtifactStorePort,
        filter: &ArtifactFilter,
    ) -> Vec<Artifact> {
        let mut listed: Vec<Artifact> = Vec::new();
        let mut request = PageRequest::first(3).unwrap();
        loop {
            let page = store.list_artifacts(filter, &request).await.unwrap();
            assert!(page.items.len() <= 3);
            listed.extend(page.items);
            let Some(next) = page.next else { break };
            request = request.after(next);
        }
        assert!(
            listed.is_sorted_by(|a, b| (a.created_at, a.id) > (b.created_at, b.id)),
            "a list is newest first, and holds nothing twice"
        );
        let mut positions: Vec<_> = listed.iter().map(|found| self.position_of(found)).collect();
        positions.sort_unstable();
        let mut wanted = Vec::new();
        for position in 0..self.artifacts.len() {
            // Only the store knows when an artifact was created.
            let id = self.artifacts[position].id.expect("a known id");
            let created = store.get_artifact(id).await.unwrap().created_at;
            let in_time = filter.created_from.is_none_or(|from| created >= from)
                && filter.created_before.is_none_or(|before| created < before);
            if in_time && self.matches(position, filter) {
                wanted.push(position);
            }
        }
        assert_eq!(positions, wanted, "{filter:?}");
        listed
    }

    fn position_of(&self, found: &Artifact) -> usize {
        let position = self
            .artifacts
            .iter()
            .position(|artifact| artifact.id == Some(found.id));
        let position = position.expect("only published artifacts exist");
        self.check_artifact(position, found);
        position
    }

    fn matches(&self, position: usize, filter: &ArtifactFilter) -> bool {
        let artifact = &self.artifacts[position];
        let has_type = filter
            .artifact_type
            .as_ref()
            .is_none_or(|wanted| *wanted == artifact.scope.artifact_type);
        let has_status = filter
            .status
            .is_none_or(|wanted| wanted == ArtifactStatus::Active);
        let has_tags = filter
            .tags
            .pairs()
            .all(|(key, value)| artifact.tags.contains(key, value));
        let has_prefix = filter
            .key_prefix
            .as_ref()
            .is_none_or(|prefix| artifact.scope.logical_key.as_str().starts_with(prefix));
        has_type && has_status && has_tags && has_prefix
    }

    async fn check_find(&self, store: &dyn ArtifactStorePort, scope: &DedupScope) {
        let page = PageRequest::first(PageRequest::MAX_LIMIT).unwrap();
        let found = store
            .find_by_logical_key(&scope.artifact_type, &scope.logical_key, &page)
            .await
            .unwrap();
        assert_eq!(found.next, None);
        let mut positions: Vec<_> = found
            .items
            .iter()
            .map(|found| self.position_of(found))
            .collect();
        positions.sort_unstable();
        let wanted = self.artifacts.iter().enumerate().filter(|(_, artifact)| {
            artifact.scope.artifact_type == scope.artifact_type
                && artifact.scope.logical_key == scope.logical_key
        });
        assert!(
            positions
                .into_iter()
                .eq(wanted.map(|(position, _)| position)),
            "{scope:?}"
        );
    }

    async fn check_bytes(&self, store: &dyn ArtifactStorePort, position: usize) {
        let artifact = &self.artifacts[position];
        let id = artifact.id.expect("a known id");
        let middle = artifact.content.len() / 2;
        let range = ByteRange {
            offset: middle as u64,
            length: Some(1),
        };
        let whole = read(store, id, None).await;
        assert_eq!(whole, artifact.content, "artifact {position}");
        if !artifact.content.is_empty() {
            let part = read(store, id, Some(range)).await;
            assert_eq!(
                part,
                artifact.content[middle..=middle],
                "artifact {position}"
            );
        }
    }
}

async fn read(store: &dyn ArtifactStorePort, id: ArtifactId, range: Option<ByteRange>) -> Vec<u8> {
    let mut reader = store.open(id, range).await.unwrap();
    let mut whole = Vec::new();
    while let Some(piece) = reader.bytes.next().await {
        whole.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(reader.length, whole.len() as u64);
    whole
}

fn content_of(request: &PublishArtifactRequest) -> Bytes {
    match &request.source {
        ArtifactSource::Bytes(content) => content.clone(),
        source => panic!("a model publishes bytes only, not {source:?}"),
    }
}

/// The operation id of a call, and all that makes it this request and no other.
fn identity_of(operation: &ModelOperation) -> (Option<OpId>, String) {
    match operation {
        ModelOperation::Publish(request) => {
            let mut request = request.as_ref().clone();
            let op_id = request.op_id.take();
            (op_id, format!("publish {request:?}"))
        }
        ModelOperation::Tag {
            artifact,
            change,
            op_id,
        } => (op_id.clone(), format!("tag {artifact} {change:?}")),
    }
}
