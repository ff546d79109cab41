//! What a call changes, without a store.

use std::collections::BTreeSet;

use artstore_core::ErrorKind;
use artstore_core::artifact::{Artifact, ArtifactInput, ArtifactStatus, DedupMode, DedupScope};
use artstore_core::digest::Digest;
use artstore_core::tags::TagChange;

use super::{
    Content, Expected, ModelArtifact, ModelEvent, ModelInput, ModelMerged, ModelPublish,
    ModelStored, ModelTable, StoreModel, bytes_of,
};

/// The greatest length of the reason of a tombstone in bytes.
const MAX_REASON_BYTES: usize = 1000;

impl StoreModel {
    pub(super) fn publish(&mut self, publish: &ModelPublish) -> Expected {
        if publish.inputs.iter().any(|(input, _)| *input >= self.len()) {
            return Expected::Failed(ErrorKind::NotFound);
        }
        let bytes = bytes_of(publish);
        let digest = Digest::of(bytes);
        let scope = publish.request.dedup_scope();
        if let Some((position, mode)) = self.duplicate(&scope, digest, publish.table.as_ref()) {
            return self.merge(position, mode, publish);
        }
        let stored = publish.table.as_ref().map(|table| &table.stored);
        let content = match stored {
            Some(ModelStored::Written(_)) => Content::Written(None),
            Some(ModelStored::AsGiven) | None => Content::Given(bytes.clone(), digest),
        };
        self.artifacts.push(ModelArtifact {
            id: None,
            scope,
            content,
            table: publish.table.clone(),
            tags: publish.request.tags.clone(),
            inputs: new_inputs(&[], &publish.inputs),
            status: ArtifactStatus::Active,
            superseded_by: None,
            supersedes: Vec::new(),
            tombstone_reason: None,
            revision: 1,
            last_event: 0,
            op_id: publish.request.op_id.clone(),
        });
        Expected::Published(self.len() - 1)
    }

    /// The active artifact of the scope with the same stored bytes, or else with the same content hash.
    fn duplicate(
        &self,
        scope: &DedupScope,
        digest: Digest,
        table: Option<&ModelTable>,
    ) -> Option<(usize, DedupMode)> {
        let active_where = |is_same: &dyn Fn(&ModelArtifact) -> bool| {
            self.artifacts.iter().position(|one| {
                one.status == ArtifactStatus::Active && one.scope == *scope && is_same(one)
            })
        };
        let same_bytes = active_where(&|one| match table.map(|table| &table.stored) {
            Some(written @ ModelStored::Written(_)) => {
                let known = one.table.as_ref().map(|table| &table.stored);
                known == Some(written)
            }
            Some(ModelStored::AsGiven) | None => one.content.digest() == Some(digest),
        });
        if let Some(position) = same_bytes {
            return Some((position, DedupMode::FileHash));
        }
        let hash = table?.content_hash?;
        let same_content = active_where(&|one| {
            let known = one.table.as_ref().and_then(|table| table.content_hash);
            known == Some(hash)
        });
        same_content.map(|position| (position, DedupMode::ContentHash))
    }

    fn merge(&mut self, position: usize, mode: DedupMode, publish: &ModelPublish) -> Expected {
        let made_from_it = self.made_from(position);
        let existing = &self.artifacts[position];
        let new = new_inputs(&existing.inputs, &publish.inputs);
        let (skipped_inputs, inputs) = new
            .into_iter()
            .partition(|(input, _)| made_from_it.contains(input));
        let merged = ModelMerged {
            tags: existing.tags.missing_from(&publish.request.tags),
            inputs,
            skipped_inputs,
        };
        let Ok(tags) = existing.tags.merged_with(&publish.request.tags) else {
            return Expected::Failed(ErrorKind::Invalid);
        };
        if existing.inputs.len() + merged.inputs.len() > ArtifactInput::MAX_COUNT {
            return Expected::Failed(ErrorKind::Invalid);
        }
        if !merged.tags.is_empty() || !merged.inputs.is_empty() {
            let existing = &mut self.artifacts[position];
            existing.tags = tags;
            existing.inputs.extend(merged.inputs.iter().cloned());
            self.record("republished", &[position]);
        }
        Expected::Duplicate {
            artifact: position,
            mode,
            merged,
        }
    }

    /// The artifact itself and everything that was made from it, directly or by way of others.
    fn made_from(&self, position: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([position]);
        loop {
            let is_made_from_found = |one: &ModelArtifact| {
                let mut inputs = one.inputs.iter();
                inputs.any(|(input, _)| found.contains(input))
            };
            let more: Vec<_> = (0..self.len())
                .filter(|one| !found.contains(one) && is_made_from_found(&self.artifacts[*one]))
                .collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    pub(super) fn tag(&mut self, position: usize, change: &TagChange) -> Expected {
        let Some(artifact) = self.artifacts.get_mut(position) else {
            return Expected::Failed(ErrorKind::NotFound);
        };
        let Ok(tags) = change.applied_to(&artifact.tags) else {
            return Expected::Failed(ErrorKind::Invalid);
        };
        if artifact.tags != tags {
            artifact.tags = tags;
            self.record("tagged", &[position]);
        }
        Expected::Changed(position)
    }

    pub(super) fn supersede(&mut self, new: usize, old: usize) -> Expected {
        let (Some(by), Some(replaced)) = (self.artifacts.get(new), self.artifacts.get(old)) else {
            return Expected::Failed(ErrorKind::NotFound);
        };
        if replaced.superseded_by == Some(new) {
            return Expected::Changed(old);
        }
        let both_active =
            by.status == ArtifactStatus::Active && replaced.status == ArtifactStatus::Active;
        let same_type = by.scope.artifact_type == replaced.scope.artifact_type;
        let has_room = by.supersedes.len() < Artifact::MAX_SUPERSEDES;
        if new == old || !both_active || !same_type || !has_room {
            return Expected::Failed(ErrorKind::Conflict);
        }
        self.artifacts[old].status = ArtifactStatus::Superseded;
        self.artifacts[old].superseded_by = Some(new);
        self.artifacts[new].supersedes.push(old);
        self.record("superseded", &[old, new]);
        Expected::Changed(old)
    }

    pub(super) fn tombstone(&mut self, position: usize, reason: &str) -> Expected {
        if reason.is_empty()
            || reason.len() > MAX_REASON_BYTES
            || reason.chars().any(char::is_control)
        {
            return Expected::Failed(ErrorKind::Invalid);
        }
        let Some(artifact) = self.artifacts.get_mut(position) else {
            return Expected::Failed(ErrorKind::NotFound);
        };
        if artifact.status != ArtifactStatus::Tombstoned {
            artifact.status = ArtifactStatus::Tombstoned;
            artifact.tombstone_reason = Some(reason.to_owned());
            self.record("tombstoned", &[position]);
        }
        Expected::Changed(position)
    }

    fn record(&mut self, kind: &'static str, changed: &[usize]) {
        let sequence = self.events.len() as u64 + 1;
        let mut revisions = Vec::new();
        for position in changed {
            let artifact = &mut self.artifacts[*position];
            artifact.revision += 1;
            artifact.last_event = sequence;
            revisions.push((*position, artifact.revision));
        }
        self.events.push(ModelEvent {
            kind,
            changed: revisions,
        });
    }
}

/// Those of `given` that are not among `known`, each once.
fn new_inputs(known: &[ModelInput], given: &[ModelInput]) -> Vec<ModelInput> {
    let mut new: Vec<ModelInput> = Vec::new();
    for input in given {
        if !known.contains(input) && !new.contains(input) {
            new.push(input.clone());
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelOperation;

    #[test]
    fn an_artifact_replaces_no_more_than_it_may() {
        let mut model = StoreModel::default();
        for number in 0..3 {
            let request = crate::samples::request("key", format!("content {number}"));
            model.apply(&ModelOperation::publish(request));
        }
        model.artifacts[0].supersedes = vec![9; Artifact::MAX_SUPERSEDES - 1];
        assert_eq!(model.supersede(0, 1), Expected::Changed(1));
        let refused = Expected::Failed(ErrorKind::Conflict);
        assert_eq!(model.supersede(0, 2), refused);
        assert_eq!(model.supersede(0, 1), Expected::Changed(1), "once more");
    }
}
