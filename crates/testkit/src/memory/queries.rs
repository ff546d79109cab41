use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::Arc;

use artstore_core::artifact::{Artifact, ArtifactStatus, DedupMode, DedupScope};
use artstore_core::backend::{
    ArtifactEventRow, ArtifactProbe, ArtifactQuery, Duplicate, Operation, ProbeAnswer,
};
use artstore_core::digest::{ContentHash, Digest};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::lineage::{Relation, Walk, WalkLimits, walk};
use artstore_core::maintenance::ArtifactCounts;

use super::rows::{Owner, Rows};

/// Where steps lead from each artifact, with the role of the input.
type Steps = BTreeMap<ArtifactId, Vec<(ArtifactId, Option<String>)>>;

impl Rows {
    pub(super) fn answer(&self, probe: &ArtifactProbe) -> ProbeAnswer {
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
                artifacts: Vec::new(),
            },
            ArtifactProbe::Change { op_id, ids } => ProbeAnswer {
                operation: self.operation(op_id),
                artifacts: ids.iter().map(|id| self.get(*id)).collect(),
                ..ProbeAnswer::default()
            },
            ArtifactProbe::Operation { op_id, inputs } => ProbeAnswer {
                operation: self.operation(op_id),
                missing_inputs: self.missing(inputs),
                ..ProbeAnswer::default()
            },
        }
    }

    fn duplicate(
        &self,
        scope: &DedupScope,
        file_hash: Digest,
        content_hash: Option<ContentHash>,
    ) -> Option<Duplicate> {
        let first_of = |is_same: &dyn Fn(&Artifact) -> bool, mode| {
            self.active_in(scope)
                .filter(|artifact| is_same(artifact))
                .min_by_key(|artifact| (artifact.created_at, artifact.id))
                .map(|artifact| Duplicate {
                    artifact: artifact.clone(),
                    mode,
                })
        };
        let by_file = first_of(
            &|artifact| artifact.file_hash == file_hash,
            DedupMode::FileHash,
        );
        by_file.or_else(|| {
            let wanted = content_hash?;
            first_of(
                &|artifact| artifact.content_hash == wanted,
                DedupMode::ContentHash,
            )
        })
    }

    fn missing(&self, ids: &[ArtifactId]) -> Vec<ArtifactId> {
        let mut seen = BTreeSet::new();
        let missing = ids
            .iter()
            .filter(|id| !self.artifacts.contains_key(id) && seen.insert(**id));
        missing.copied().collect()
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

    fn active_in<'a>(&'a self, scope: &'a DedupScope) -> impl Iterator<Item = &'a Artifact> {
        self.artifacts.values().map(Arc::as_ref).filter(|artifact| {
            artifact.status == ArtifactStatus::Active
                && artifact.kind == scope.kind
                && artifact.artifact_type == scope.artifact_type
                && artifact.schema_version == scope.schema_version
                && artifact.logical_key == scope.logical_key
        })
    }

    pub(super) fn may_have_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> bool {
        self.active_in(scope)
            .any(|artifact| artifact.size_bytes == size_bytes)
    }

    pub(super) fn get(&self, id: ArtifactId) -> Option<Artifact> {
        self.artifacts
            .get(&id)
            .map(|artifact| artifact.as_ref().clone())
    }

    pub(super) fn list(&self, query: &ArtifactQuery) -> Vec<Artifact> {
        let mut found: Vec<&Artifact> = self
            .artifacts
            .values()
            .map(Arc::as_ref)
            .filter(|artifact| matches(query, artifact))
            .collect();
        found.sort_by_key(|artifact| std::cmp::Reverse((artifact.created_at, artifact.id)));
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        found.into_iter().take(limit).cloned().collect()
    }

    pub(super) fn walk(
        &self,
        start: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Option<Walk> {
        self.artifacts.get(&start)?;
        let steps = self.steps(relation);
        let walked: Result<Walk, Infallible> = walk(start, limits, |from, useful, found| {
            let next = steps.get(&from).into_iter().flatten();
            found.extend(next.take(useful).cloned());
            Ok(())
        });
        let Ok(walked) = walked;
        Some(walked)
    }

    fn steps(&self, relation: Relation) -> Steps {
        let mut steps = Steps::new();
        // Artifacts come in ascending order, so what leads to them does too.
        for artifact in self.artifacts.values() {
            let told = match relation {
                Relation::Inputs | Relation::Downstream => artifact
                    .inputs
                    .iter()
                    .map(|input| (input.id, input.role.clone()))
                    .collect(),
                Relation::SupersededBy => without_role(artifact.superseded_by.as_slice()),
                Relation::Supersedes => without_role(&artifact.supersedes),
            };
            for (other, role) in told {
                let (from, to) = match relation {
                    Relation::Downstream => (other, artifact.id),
                    _ => (artifact.id, other),
                };
                steps.entry(from).or_default().push((to, role));
            }
        }
        steps
    }

    pub(super) fn scan(&self, after: Option<ArtifactId>, limit: u32) -> Vec<Artifact> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.artifacts
            .range((start, Bound::Unbounded))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|(_, artifact)| artifact.as_ref().clone())
            .collect()
    }

    pub(super) fn scan_events(&self, after: u64, limit: u32) -> Vec<ArtifactEventRow> {
        self.events
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|(_, event)| event.as_ref().clone())
            .collect()
    }

    pub(super) fn counts(&self) -> ArtifactCounts {
        let mut counts = ArtifactCounts::default();
        for artifact in self.artifacts.values() {
            match artifact.status {
                ArtifactStatus::Active => counts.active += 1,
                ArtifactStatus::Superseded => counts.superseded += 1,
                ArtifactStatus::Tombstoned => counts.tombstoned += 1,
            }
            counts.bytes += artifact.size_bytes;
        }
        counts
    }
}

fn without_role(ids: &[ArtifactId]) -> Vec<(ArtifactId, Option<String>)> {
    ids.iter().map(|id| (*id, None)).collect()
}

fn matches(query: &ArtifactQuery, artifact: &Artifact) -> bool {
    let filter = &query.filter;
    let key = artifact.logical_key.as_str();
    let type_matches = filter
        .artifact_type
        .as_ref()
        .is_none_or(|wanted| *wanted == artifact.artifact_type);
    let status_matches = filter.status.is_none_or(|wanted| wanted == artifact.status);
    let tags_match = artifact.tags.missing_from(&filter.tags).is_empty();
    let prefix_matches = filter
        .key_prefix
        .as_ref()
        .is_none_or(|prefix| key.starts_with(prefix.as_str()));
    let from_matches = filter
        .created_from
        .is_none_or(|from| artifact.created_at >= from);
    let before_matches = filter
        .created_before
        .is_none_or(|before| artifact.created_at < before);
    let overlap_matches = filter.overlaps.is_none_or(|span| {
        let times = artifact.min_timestamp.zip(artifact.max_timestamp);
        times.is_some_and(|(earliest, latest)| span.overlaps(earliest, latest))
    });
    let is_excluded = query.excluded_status == Some(artifact.status);
    let key_matches = query
        .logical_key
        .as_ref()
        .is_none_or(|wanted| *wanted == artifact.logical_key);
    let is_after = query
        .after
        .is_none_or(|cursor| (artifact.created_at, artifact.id) < (cursor.created_at, cursor.id));
    type_matches
        && status_matches
        && tags_match
        && prefix_matches
        && from_matches
        && before_matches
        && overlap_matches
        && !is_excluded
        && key_matches
        && is_after
}
