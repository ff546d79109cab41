//! A call of a store, and whether it answers as it should.

use artstore_core::Result;
use artstore_core::artifact::{
    Artifact, ArtifactKind, DedupScope, Merged, PublishArtifactRequest, PublishArtifactResult,
};
use artstore_core::ports::ArtifactStorePort;

use super::{Content, Expected, ModelMerged, ModelOperation, ModelPublish, StoreModel};

pub(super) async fn step(
    model: &mut StoreModel,
    store: &dyn ArtifactStorePort,
    operation: &ModelOperation,
) {
    let expected = model.apply(operation);
    let result = match operation {
        ModelOperation::Publish(publish) => {
            let result = publish_in(model, store, publish).await;
            model.check_published(&expected, result, operation);
            return;
        }
        ModelOperation::Tag {
            artifact,
            change,
            op_id,
        } => {
            let id = model.id_or_unknown(*artifact);
            store.tag(id, change.clone(), op_id.clone()).await
        }
        ModelOperation::Supersede { new, old, op_id } => {
            let (new, old) = (model.id_or_unknown(*new), model.id_or_unknown(*old));
            store.supersede(new, old, op_id.clone()).await
        }
        ModelOperation::Tombstone {
            artifact,
            reason,
            op_id,
        } => {
            let id = model.id_or_unknown(*artifact);
            store.tombstone(id, reason, op_id.clone()).await
        }
    };
    match (&expected, result) {
        (Expected::Changed(position), Ok(found)) => model.check_artifact(*position, &found),
        (Expected::Failed(kind), Err(error)) if error.kind() == *kind => {}
        (_, result) => panic!("{operation:?}: expected {expected:?}, got {result:?}"),
    }
}

async fn publish_in(
    model: &StoreModel,
    store: &dyn ArtifactStorePort,
    publish: &ModelPublish,
) -> Result<PublishArtifactResult> {
    store.publish_artifact(model.request_of(publish)).await
}

impl StoreModel {
    /// The request of a publish, with the inputs that the store knows.
    pub(super) fn request_of(&self, publish: &ModelPublish) -> PublishArtifactRequest {
        let mut request = publish.request.clone();
        request.inputs = self.inputs(&publish.inputs);
        request
    }

    fn check_published(
        &mut self,
        expected: &Expected,
        result: Result<PublishArtifactResult>,
        operation: &ModelOperation,
    ) {
        let difference = self.difference_of_answer(expected, &result);
        if let Some(difference) = difference {
            panic!("{operation:?}: {difference}");
        }
    }

    /// In what the answer to a publish is another one than expected. Learns from an answer about a new artifact.
    pub(super) fn difference_of_answer(
        &mut self,
        expected: &Expected,
        result: &Result<PublishArtifactResult>,
    ) -> Option<String> {
        match (expected, result) {
            (Expected::Published(position), Ok(PublishArtifactResult::Published(found))) => {
                self.learn(*position, found);
                self.difference(*position, found)
            }
            (
                Expected::Duplicate {
                    artifact,
                    mode,
                    merged,
                },
                Ok(PublishArtifactResult::Duplicate {
                    existing,
                    mode: found_mode,
                    merged: found_merged,
                }),
            ) if found_mode == mode && *found_merged == self.merged(merged) => {
                self.difference(*artifact, existing)
            }
            (Expected::Failed(kind), Err(error)) if error.kind() == *kind => None,
            _ => Some(format!("expected {expected:?}, got {result:?}")),
        }
    }

    /// Takes from the store's first answer about an artifact what only the store knows.
    fn learn(&mut self, position: usize, found: &Artifact) {
        let artifact = &mut self.artifacts[position];
        artifact.id.get_or_insert(found.id);
        if let Content::Written(told) = &mut artifact.content {
            told.get_or_insert((found.size_bytes, found.file_hash));
        }
        let written = |position: usize| {
            let artifact = &self.artifacts[position];
            let stored = artifact.table.as_ref().map(|table| &table.stored);
            match artifact.content {
                Content::Written(told) => stored.zip(told),
                Content::Given(..) => None,
            }
        };
        let Some((stored, told)) = written(position) else {
            return;
        };
        for (other_stored, other_told) in (0..position).filter_map(written) {
            if other_stored == stored {
                assert_eq!(told, other_told, "equal tables are written as equal bytes");
            }
        }
    }

    fn merged(&self, merged: &ModelMerged) -> Merged {
        Merged {
            tags: merged.tags.clone(),
            inputs: self.inputs(&merged.inputs),
            skipped_inputs: self.inputs(&merged.skipped_inputs),
        }
    }

    /// Asserts that `found` is the artifact at `position` as it is now.
    pub(super) fn check_artifact(&self, position: usize, found: &Artifact) {
        let difference = self.difference(position, found);
        assert_eq!(difference, None);
    }

    /// In what `found` is not the artifact at `position` as it is now.
    fn difference(&self, position: usize, found: &Artifact) -> Option<String> {
        let wanted = &self.artifacts[position];
        let scope = DedupScope {
            kind: found.kind,
            artifact_type: found.artifact_type.clone(),
            schema_version: found.schema_version,
            logical_key: found.logical_key.clone(),
        };
        let has_op_id = wanted.op_id.as_ref().is_none_or(|id| found.op_id == *id);
        let state = self.state_of(position, found);
        let content = self.content_of(position, found);
        let mut checks = [
            ("id", Some(found.id) == wanted.id),
            ("scope", scope == wanted.scope),
            ("tags", found.tags == wanted.tags),
            ("inputs", found.inputs == self.inputs(&wanted.inputs)),
            ("operation", has_op_id),
        ]
        .into_iter()
        .chain(state)
        .chain(content);
        let (what, _) = checks.find(|(_, is_right)| !is_right)?;
        let difference = format!("artifact {position}: {what} of {found:?}, wanted {wanted:?}");
        Some(difference)
    }

    fn state_of(&self, position: usize, found: &Artifact) -> [Check; 6] {
        let wanted = &self.artifacts[position];
        let superseded_by = wanted.superseded_by.map(|by| self.id_or_unknown(by));
        let supersedes = wanted.supersedes.iter();
        let mut supersedes: Vec<_> = supersedes.map(|old| self.id_or_unknown(*old)).collect();
        supersedes.sort_unstable();
        let has_reason = found.tombstone_reason == wanted.tombstone_reason;
        [
            ("status", found.status == wanted.status),
            ("tombstone reason", has_reason),
            ("successor", found.superseded_by == superseded_by),
            ("predecessors", found.supersedes == supersedes),
            ("revision", found.revision == wanted.revision),
            ("last event", found.last_event == wanted.last_event),
        ]
    }

    fn content_of(&self, position: usize, found: &Artifact) -> [Check; 5] {
        let wanted = &self.artifacts[position];
        let (size, digest) = match &wanted.content {
            Content::Given(bytes, digest) => (bytes.len() as u64, *digest),
            Content::Written(told) => told.expect("the store has told what it wrote"),
        };
        let table = wanted.table.as_ref();
        let kind = match table {
            Some(_) => ArtifactKind::Table,
            None => ArtifactKind::File,
        };
        let content_hash = table.and_then(|table| table.content_hash);
        let content_hash = content_hash.unwrap_or_else(|| digest.into());
        let times = table.and_then(|table| table.times);
        let found_times = (found.min_timestamp, found.max_timestamp);
        [
            ("kind", found.kind == kind),
            (
                "bytes",
                (found.size_bytes, found.file_hash) == (size, digest),
            ),
            ("content hash", found.content_hash == content_hash),
            (
                "number of rows",
                found.row_count == table.map(|table| table.row_count),
            ),
            ("times", found_times == times.unzip()),
        ]
    }
}

/// What is compared, and whether it is right.
type Check = (&'static str, bool);
