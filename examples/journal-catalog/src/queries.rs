use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::Arc;

use artstore_core::artifact::{Artifact, DedupMode, DedupScope};
use artstore_core::backend::{
    ArtifactEventRow, ArtifactProbe, ArtifactQuery, Duplicate, Examination, Operation, ProbeAnswer,
};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::lineage::{Relation, Walk, WalkLimits, walk};

use crate::rows::{Owner, Rows};

impl Rows {
    pub(crate) fn examine(&self, probes: &[ArtifactProbe]) -> Examination {
        Examination {
            head: self.head,
            answers: probes.iter().map(|probe| self.answer(probe)).collect(),
        }
    }

    fn answer(&self, probe: &ArtifactProbe) -> ProbeAnswer {
        match probe {
            ArtifactProbe::Publish {
                op_id,
                scope,
                file_hash,
                content_hash,
                inputs,
            } => ProbeAnswer {
                operation: self.operation(op_id),
                duplicate: self.duplicate(scope, *file_hash, *content_hash),
                missing_inputs: self.missing(inputs),
                ..ProbeAnswer::default()
            },
            ArtifactProbe::Change { op_id, ids } => ProbeAnswer {
                operation: self.operation(op_id),
                artifacts: self.get(ids),
                ..ProbeAnswer::default()
            },
            ArtifactProbe::Operation { op_id, inputs } => ProbeAnswer {
                operation: self.operation(op_id),
                missing_inputs: self.missing(inputs),
                ..ProbeAnswer::default()
            },
        }
    }

    fn operation(&self, op_id: &OpId) -> Option<Operation> {
        match self.operations.get(op_id)? {
            Owner::Artifact(id) => self.artifacts.get(id).map(|artifact| Operation {
                request_digest: artifact.request_digest,
                artifact_id: artifact.id,
                event: None,
            }),
            Owner::Event(sequence) => self.events.get(sequence).map(|row| Operation {
                request_digest: row.request_digest,
                artifact_id: row.artifact_id,
                event: Some(row.event.clone()),
            }),
        }
    }

    /// The same bytes first, wherever they stand in the order; the same content only if there are none.
    fn duplicate(
        &self,
        scope: &DedupScope,
        file_hash: Digest,
        content_hash: Option<ContentHash>,
    ) -> Option<Duplicate> {
        let same_bytes = |artifact: &&Artifact| artifact.file_hash == file_hash;
        let same_content = |artifact: &&Artifact| Some(artifact.content_hash) == content_hash;
        let answer = |mode| {
            move |artifact: &Artifact| Duplicate {
                artifact: artifact.clone(),
                mode,
            }
        };
        let by_bytes = self.active_in(scope).find(same_bytes);
        by_bytes.map(answer(DedupMode::FileHash)).or_else(|| {
            let by_content = self.active_in(scope).find(same_content);
            by_content.map(answer(DedupMode::ContentHash))
        })
    }

    fn missing(&self, inputs: &[ArtifactId]) -> Vec<ArtifactId> {
        let mut seen = BTreeSet::new();
        let missing = inputs
            .iter()
            .filter(|id| !self.artifacts.contains_key(id) && seen.insert(**id));
        missing.copied().collect()
    }

    /// Active artifacts of a scope, oldest first.
    fn active_in(&self, scope: &DedupScope) -> impl Iterator<Item = &Artifact> {
        let places = self.active.get(scope).into_iter().flatten();
        places.filter_map(|(_, id)| self.artifacts.get(id).map(Arc::as_ref))
    }

    pub(crate) fn may_have_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> bool {
        self.active_in(scope)
            .any(|artifact| artifact.size_bytes == size_bytes)
    }

    pub(crate) fn get(&self, ids: &[ArtifactId]) -> Vec<Option<Artifact>> {
        let found = ids.iter().map(|id| self.artifacts.get(id));
        found
            .map(|artifact| artifact.map(|artifact| artifact.as_ref().clone()))
            .collect()
    }

    pub(crate) fn list(&self, query: &ArtifactQuery) -> Vec<Artifact> {
        let cursor = query.after.map(|cursor| (cursor.created_at, cursor.id));
        let end = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let newest_first = self.by_creation.range((Bound::Unbounded, end)).rev();
        newest_first
            .filter_map(|(_, id)| self.artifacts.get(id))
            .filter(|artifact| matches(query, artifact))
            .take(at_most(query.limit))
            .map(|artifact| artifact.as_ref().clone())
            .collect()
    }

    pub(crate) fn walk(
        &self,
        start: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Option<Walk> {
        self.artifacts.get(&start)?;
        let walked: Result<Walk, Infallible> = walk(start, limits, |from, useful, found| {
            found.extend(self.neighbours(from, relation).take(useful));
            Ok(())
        });
        let Ok(walked) = walked;
        Some(walked)
    }

    /// Where one step leads from an artifact, which may have no row, with the role of the input.
    fn neighbours(
        &self,
        from: ArtifactId,
        relation: Relation,
    ) -> Box<dyn Iterator<Item = (ArtifactId, Option<String>)> + '_> {
        let row = self.artifacts.get(&from).into_iter();
        let without_role = |id: &ArtifactId| (*id, None);
        match relation {
            Relation::Inputs => {
                let inputs = row.flat_map(|row| &row.inputs);
                Box::new(inputs.map(|input| (input.id, input.role.clone())))
            }
            Relation::Downstream => {
                let outputs = self.outputs.get(&from).into_iter().flatten();
                let outputs = outputs.filter_map(|id| self.artifacts.get(id));
                Box::new(outputs.flat_map(move |output| {
                    let uses = output.inputs.iter().filter(move |input| input.id == from);
                    uses.map(|input| (output.id, input.role.clone()))
                }))
            }
            Relation::SupersededBy => {
                Box::new(row.flat_map(|row| &row.superseded_by).map(without_role))
            }
            Relation::Supersedes => Box::new(row.flat_map(|row| &row.supersedes).map(without_role)),
        }
    }

    pub(crate) fn scan(&self, after: Option<ArtifactId>, limit: u32) -> Vec<Artifact> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.artifacts.range((start, Bound::Unbounded));
        rows.take(at_most(limit))
            .map(|(_, artifact)| artifact.as_ref().clone())
            .collect()
    }

    pub(crate) fn scan_events(&self, after: u64, limit: u32) -> Vec<ArtifactEventRow> {
        let rows = self
            .events
            .range((Bound::Excluded(after), Bound::Unbounded));
        rows.take(at_most(limit))
            .map(|(_, event)| event.clone())
            .collect()
    }
}

/// Whether an artifact has everything that a query asks for, its place in the list apart.
fn matches(query: &ArtifactQuery, artifact: &Artifact) -> bool {
    let filter = &query.filter;
    let has_type = filter
        .artifact_type
        .as_ref()
        .is_none_or(|wanted| *wanted == artifact.artifact_type);
    let has_status = filter.status.is_none_or(|wanted| wanted == artifact.status)
        && query.excluded_status != Some(artifact.status);
    let has_tags = artifact.tags.missing_from(&filter.tags).is_empty();
    let key = artifact.logical_key.as_str();
    let has_key = filter
        .key_prefix
        .as_ref()
        .is_none_or(|prefix| key.starts_with(prefix))
        && query
            .logical_key
            .as_ref()
            .is_none_or(|wanted| wanted.as_str() == key);
    let created = artifact.created_at;
    let is_of_time = filter.created_from.is_none_or(|from| created >= from)
        && filter.created_before.is_none_or(|before| created < before);
    let overlaps = filter.overlaps.is_none_or(|span| {
        let times = artifact.min_timestamp.zip(artifact.max_timestamp);
        times.is_some_and(|(earliest, latest)| span.overlaps(earliest, latest))
    });
    has_type && has_status && has_tags && has_key && is_of_time && overlaps
}

fn at_most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
