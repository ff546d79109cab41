//! A call of a store, and whether it answers as it should.

use artstore_core::Result;
use artstore_core::artifact::{Artifact, ArtifactKind, DedupScope, Merged, PublishArtifactResult};
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
    let mut request = publish.request.clone();
    request.inputs = model.inputs(&publish.inputs);
    store.publish_artifact(request).await
}

impl StoreModel {
    fn check_published(
        &mut self,
        expected: &Expected,
        result: Result<PublishArtifactResult>,
        operation: &ModelOperation,
    ) {
        match (expected, result) {
            (Expected::Published(position), Ok(PublishArtifactResult::Published(found))) => {
                self.learn(*position, &found);
                self.check_artifact(*position, &found);
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
            ) => {
                assert_eq!(found_mode, *mode, "{operation:?}");
                assert_eq!(found_merged, self.merged(merged), "{operation:?}");
                self.check_artifact(*artifact, &existing);
            }
            (Expected::Failed(kind), Err(error)) if error.kind() == *kind => {}
            (_, result) => panic!("{operation:?}: expected {expected:?}, got {result:?}"),
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
        let wanted = &self.artifacts[position];
        let name = format!("artifact {position}");
        assert_eq!(Some(found.id), wanted.id, "{name}");
        let scope = DedupScope {
            kind: found.kind,
            artifact_type: found.artifact_type.clone(),
            schema_version: found.schema_version,
            logical_key: found.logical_key.clone(),
        };
        assert_eq!(scope, wanted.scope, "{name}");
        assert_eq!(found.tags, wanted.tags, "{name}");
        assert_eq!(found.inputs, self.inputs(&wanted.inputs), "{name}");
        if let Some(op_id) = &wanted.op_id {
            assert_eq!(found.op_id, *op_id, "{name}");
        }
        self.check_content(position, found);
        self.check_state(position, found);
    }

    fn check_state(&self, position: usize, found: &Artifact) {
        let wanted = &self.artifacts[position];
        let name = format!("artifact {position}");
        assert_eq!(found.status, wanted.status, "{name}");
        assert_eq!(found.tombstone_reason, wanted.tombstone_reason, "{name}");
        let superseded_by = wanted.superseded_by.map(|by| self.id_or_unknown(by));
        assert_eq!(found.superseded_by, superseded_by, "{name}");
        let supersedes = wanted.supersedes.iter();
        let mut supersedes: Vec<_> = supersedes.map(|old| self.id_or_unknown(*old)).collect();
        supersedes.sort_unstable();
        assert_eq!(found.supersedes, supersedes, "{name}");
        assert_eq!(found.revision, wanted.revision, "{name}");
        assert_eq!(found.last_event, wanted.last_event, "{name}");
    }

    fn check_content(&self, position: usize, found: &Artifact) {
        let wanted = &self.artifacts[position];
        let name = format!("artifact {position}");
        let (size, digest) = match &wanted.content {
            Content::Given(bytes, digest) => (bytes.len() as u64, *digest),
            Content::Written(told) => told.expect("the store has told what it wrote"),
        };
        assert_eq!(
            (found.size_bytes, found.file_hash),
            (size, digest),
            "{name}"
        );
        let Some(table) = &wanted.table else {
            assert_eq!(found.kind, ArtifactKind::File, "{name}");
            assert_eq!(found.content_hash, digest.into(), "{name}");
            assert_eq!(found.row_count, None, "{name}");
            assert_eq!((found.min_timestamp, found.max_timestamp), (None, None));
            return;
        };
        let content_hash = table.content_hash.unwrap_or_else(|| digest.into());
        assert_eq!(found.content_hash, content_hash, "{name}");
        assert_eq!(found.row_count, Some(table.row_count), "{name}");
        let times = found.min_timestamp.zip(found.max_timestamp);
        assert_eq!(times, table.times, "{name}");
    }
}
