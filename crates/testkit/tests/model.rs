//! The model agrees with a store written in the plainest way, and notices each way in which one can be wrong.

#![expect(clippy::unwrap_used, reason = "a store of tests asserts")]

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Mutex;

use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactSource, DedupMode, PublishArtifactRequest,
    PublishArtifactResult,
};
use artstore_core::digest::Digest;
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::page::{Cursor, Page, PageRequest};
use artstore_core::ports::{ArtifactReader, ArtifactStorePort, ByteRange};
use artstore_core::tags::{TagChange, TagRemoval};
use artstore_core::{Error, Result};
use artstore_testkit::model::{ModelOperation, StoreModel};
use artstore_testkit::samples::{artifact, logical_key, op_id, request, tags, time};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt as _, stream};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    NoDeduplication,
    DuplicateOfAnotherKey,
    TagsNotMerged,
    OperationForgotten,
    OperationNotCompared,
    ListLosesEqualTimes,
    WrongBytes,
    RevisionStays,
}

#[derive(Debug)]
struct PlainStore {
    flaw: Flaw,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    artifacts: Vec<(Artifact, Bytes)>,
    operations: Vec<(OpId, String, Outcome)>,
}

#[derive(Debug, Clone)]
enum Outcome {
    Published(ArtifactId),
    Merged(ArtifactId, artstore_core::tags::Tags),
    Tagged(ArtifactId),
}

impl Held {
    fn find(&mut self, id: ArtifactId) -> Result<&mut (Artifact, Bytes)> {
        let found = self
            .artifacts
            .iter_mut()
            .find(|(artifact, _)| artifact.id == id);
        found.ok_or_else(|| Error::not_found("no such artifact"))
    }
}

impl PlainStore {
    fn with(flaw: Flaw) -> Self {
        Self {
            flaw,
            held: Mutex::default(),
        }
    }

    fn known(&self, held: &Held, op_id: Option<&OpId>, request: &str) -> Result<Option<Outcome>> {
        let known = held
            .operations
            .iter()
            .find(|(known, _, _)| Some(known) == op_id);
        match known {
            _ if self.flaw == Flaw::OperationForgotten => Ok(None),
            Some((_, first, outcome))
                if first == request || self.flaw == Flaw::OperationNotCompared =>
            {
                Ok(Some(outcome.clone()))
            }
            Some(_) => Err(Error::conflict(
                "the operation id was used for another request",
            )),
            None => Ok(None),
        }
    }

    fn retag(&self, found: &mut Artifact, tags: artstore_core::tags::Tags) -> bool {
        let has_changed = found.tags != tags;
        if has_changed {
            found.tags = tags;
            found.revision += u64::from(self.flaw != Flaw::RevisionStays);
        }
        has_changed
    }

    fn pages(&self, page: &PageRequest, wanted: impl Fn(&Artifact) -> bool) -> Page<Artifact> {
        let held = self.held.lock().unwrap();
        let place = |one: &Artifact| (one.created_at, one.id);
        let is_after = |one: &Artifact| match page.cursor() {
            Some(cursor) if self.flaw == Flaw::ListLosesEqualTimes => {
                one.created_at < cursor.created_at
            }
            Some(cursor) => place(one) < (cursor.created_at, cursor.id),
            None => true,
        };
        let all = held.artifacts.iter().map(|(artifact, _)| artifact.clone());
        let mut items: Vec<_> = all.filter(|one| wanted(one) && is_after(one)).collect();
        items.sort_by_key(|one| std::cmp::Reverse(place(one)));
        let limit = usize::try_from(page.limit()).unwrap();
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().map(|last| Cursor {
            created_at: last.created_at,
            id: last.id,
        });
        Page {
            items,
            next: last.filter(|_| has_more),
        }
    }
}

#[async_trait]
impl ArtifactStorePort for PlainStore {
    async fn publish_artifact(
        &self,
        request: PublishArtifactRequest,
    ) -> Result<PublishArtifactResult> {
        let mut held = self.held.lock().unwrap();
        let asked = format!("{request:?}");
        let duplicate = |existing, merged_tags| PublishArtifactResult::Duplicate {
            existing,
            mode: DedupMode::FileHash,
            merged_tags,
        };
        match self.known(&held, request.op_id.as_ref(), &asked)? {
            Some(Outcome::Merged(id, merged)) => {
                return Ok(duplicate(held.find(id)?.0.clone(), merged));
            }
            Some(Outcome::Published(id) | Outcome::Tagged(id)) => {
                return Ok(PublishArtifactResult::Published(held.find(id)?.0.clone()));
            }
            None => {}
        }
        let ArtifactSource::Bytes(content) = request.source.clone() else {
            return Err(Error::unsupported("bytes only"));
        };
        let flaw = self.flaw;
        let twin = held.artifacts.iter_mut().find(|(one, bytes)| {
            let same_key =
                one.logical_key == request.logical_key || flaw == Flaw::DuplicateOfAnotherKey;
            let same_scope = one.artifact_type == request.artifact_type
                && one.schema_version == request.schema_version;
            *bytes == content && same_key && same_scope && flaw != Flaw::NoDeduplication
        });
        if let Some((existing, _)) = twin {
            let merged = existing.tags.missing_from(&request.tags);
            let tags = existing.tags.merged_with(&request.tags)?;
            let has_changed = flaw != Flaw::TagsNotMerged && self.retag(existing, tags);
            let existing = existing.clone();
            if let (Some(op_id), true) = (request.op_id, has_changed) {
                held.operations
                    .push((op_id, asked, Outcome::Merged(existing.id, merged.clone())));
            }
            return Ok(duplicate(existing, merged));
        }
        let number = held.artifacts.len() as u64;
        let mut new = artifact(number);
        new.artifact_type = request.artifact_type;
        new.schema_version = request.schema_version;
        new.logical_key = request.logical_key;
        new.tags = request.tags;
        new.file_hash = Digest::of(&content);
        new.content_hash = new.file_hash.into();
        new.size_bytes = content.len() as u64;
        new.created_at = time(i64::try_from(number / 4).unwrap());
        if let Some(op_id) = request.op_id {
            new.op_id = op_id.clone();
            held.operations
                .push((op_id, asked, Outcome::Published(new.id)));
        }
        held.artifacts.push((new.clone(), content));
        Ok(PublishArtifactResult::Published(new))
    }

    async fn get_artifact(&self, id: ArtifactId) -> Result<Artifact> {
        Ok(self.held.lock().unwrap().find(id)?.0.clone())
    }

    async fn get_artifacts(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>> {
        let mut held = self.held.lock().unwrap();
        Ok(ids
            .iter()
            .map(|id| held.find(*id).ok().map(|(one, _)| one.clone()))
            .collect())
    }

    async fn list_artifacts(
        &self,
        filter: &ArtifactFilter,
        page: &PageRequest,
    ) -> Result<Page<Artifact>> {
        let wanted = |one: &Artifact| {
            let key = one.logical_key.as_str();
            filter
                .artifact_type
                .as_ref()
                .is_none_or(|wanted| *wanted == one.artifact_type)
                && filter.status.is_none_or(|wanted| wanted == one.status)
                && one.tags.missing_from(&filter.tags).is_empty()
                && filter
                    .key_prefix
                    .as_ref()
                    .is_none_or(|prefix| key.starts_with(prefix))
                && filter
                    .created_from
                    .is_none_or(|from| one.created_at >= from)
                && filter
                    .created_before
                    .is_none_or(|before| one.created_at < before)
        };
        Ok(self.pages(page, wanted))
    }

    async fn find_by_logical_key(
        &self,
        artifact_type: &ArtifactType,
        logical_key: &LogicalKey,
        page: &PageRequest,
    ) -> Result<Page<Artifact>> {
        let wanted =
            |one: &Artifact| one.artifact_type == *artifact_type && one.logical_key == *logical_key;
        Ok(self.pages(page, wanted))
    }

    async fn tag(
        &self,
        id: ArtifactId,
        change: TagChange,
        op_id: Option<OpId>,
    ) -> Result<Artifact> {
        let mut held = self.held.lock().unwrap();
        let asked = format!("{id} {change:?}");
        if let Some(Outcome::Tagged(id)) = self.known(&held, op_id.as_ref(), &asked)? {
            return Ok(held.find(id)?.0.clone());
        }
        let (found, _) = held.find(id)?;
        let changed = change.applied_to(&found.tags)?;
        let has_changed = self.retag(found, changed);
        let found = found.clone();
        if let (Some(op_id), true) = (op_id, has_changed) {
            held.operations.push((op_id, asked, Outcome::Tagged(id)));
        }
        Ok(found)
    }

    async fn open(&self, id: ArtifactId, range: Option<ByteRange>) -> Result<ArtifactReader> {
        let mut held = self.held.lock().unwrap();
        let (artifact, content) = held.find(id)?.clone();
        let start = range.map_or(0, |range| usize::try_from(range.offset).unwrap());
        let mut bytes = content.slice(start..);
        if let Some(length) = range.and_then(|range| range.length) {
            bytes.truncate(usize::try_from(length).unwrap());
        }
        if self.flaw == Flaw::WrongBytes {
            bytes = bytes.iter().map(|byte| byte ^ 1).collect();
        }
        let length = bytes.len() as u64;
        let bytes = Box::pin(stream::iter([Ok(bytes)]));
        Ok(ArtifactReader {
            artifact,
            length,
            bytes,
        })
    }

    async fn local_path(&self, _id: ArtifactId) -> Result<PathBuf> {
        Err(Error::unsupported("in memory"))
    }

    async fn is_available(&self) -> bool {
        true
    }
}

fn publish(key: &str, content: &str, operation: Option<&str>, tag: &str) -> ModelOperation {
    let mut request = request(key, content.to_owned());
    request.op_id = operation.map(op_id);
    request.tags = tags([("step", tag)]);
    ModelOperation::Publish(Box::new(request))
}

fn tag(artifact: usize, value: &str, operation: Option<&str>) -> ModelOperation {
    let change = TagChange {
        add: tags([("env", value)]),
        remove: vec![TagRemoval::Key("env".to_owned())],
    };
    ModelOperation::Tag {
        artifact,
        change,
        op_id: operation.map(op_id),
    }
}

fn operations() -> Vec<ModelOperation> {
    let mut operations = vec![
        publish("a", "one", Some("p1"), "x"),
        publish("a", "one", Some("p1"), "x"),
        publish("a", "two", Some("p1"), "x"),
        publish("a", "one", Some("p2"), "y"),
        publish("a", "one", Some("p2"), "y"),
        publish("a", "one", None, "y"),
        publish("b", "one", Some("p3"), "x"),
        publish("a", "", None, "x"),
        tag(0, "prod", Some("t1")),
        tag(0, "test", Some("t2")),
        tag(0, "prod", Some("t1")),
        tag(1, "prod", Some("t1")),
        tag(0, "test", Some("p1")),
        tag(77, "test", None),
        publish("a", "one", Some("t2"), "x"),
        publish("a", "one", Some("p1"), "x"),
    ];
    operations.extend((0..9).map(|number| publish("many", &format!("{number}"), None, "x")));
    operations
}

async fn compare(flaw: Flaw) {
    let (store, mut model) = (PlainStore::with(flaw), StoreModel::new());
    model.check_against(&store).await;
    for operation in operations() {
        model.step(&store, &operation).await;
        model.check_against(&store).await;
    }
    assert_eq!(model.len(), 12);
    assert_eq!(model.id(12), None);
    assert_eq!(
        store
            .get_artifact(model.id(1).unwrap())
            .await
            .unwrap()
            .logical_key,
        logical_key("b")
    );
}

#[tokio::test]
async fn a_right_store_agrees_with_the_model() {
    compare(Flaw::None).await;
}

#[tokio::test]
async fn every_flaw_is_noticed() {
    for flaw in [
        Flaw::NoDeduplication,
        Flaw::DuplicateOfAnotherKey,
        Flaw::TagsNotMerged,
        Flaw::OperationForgotten,
        Flaw::OperationNotCompared,
        Flaw::ListLosesEqualTimes,
        Flaw::WrongBytes,
        Flaw::RevisionStays,
    ] {
        let outcome = AssertUnwindSafe(compare(flaw)).catch_unwind().await;
        assert!(outcome.is_err(), "{flaw:?} was not noticed");
    }
}
