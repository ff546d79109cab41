use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use artstore_core::artifact::{Artifact, ArtifactStatus, DedupScope};
use artstore_core::backend::{
    ArtifactChange, ArtifactCommit, ArtifactEventRow, ArtifactProbe, ArtifactQuery, CatalogHead,
    Operation, ProbeAnswer,
};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::maintenance::ArtifactCounts;
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};

/// The rows of one catalog. Cloning is cheap enough to make every transaction on a copy.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) head: CatalogHead,
    artifacts: BTreeMap<ArtifactId, Arc<Artifact>>,
    events: BTreeMap<u64, Arc<ArtifactEventRow>>,
    operations: BTreeMap<OpId, Owner>,
    paths: BTreeMap<RelPath, ArtifactId>,
}

/// Whose operation it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Artifact(ArtifactId),
    Event(u64),
}

impl Rows {
    pub(super) fn empty(head: CatalogHead) -> Self {
        Self {
            head,
            artifacts: BTreeMap::new(),
            events: BTreeMap::new(),
            operations: BTreeMap::new(),
            paths: BTreeMap::new(),
        }
    }

    /// Makes the changes; on an error the rows are to be thrown away.
    pub(super) fn change(&mut self, commit: &ArtifactCommit) -> Result<()> {
        for change in &commit.changes {
            match change {
                ArtifactChange::Put(artifact) => self.put(artifact)?,
                ArtifactChange::Record(event) => self.record(event)?,
                // The commit itself counts one more.
                ArtifactChange::RaiseCommits(least) => {
                    self.head.commits = self.head.commits.max(least.saturating_sub(1));
                }
            }
        }
        Ok(())
    }

    /// That every event of `commit` is about an artifact that there is.
    pub(super) fn check_events_of(&self, commit: &ArtifactCommit) -> Result<()> {
        for change in &commit.changes {
            if let ArtifactChange::Record(event) = change {
                self.check_event(event)?;
            }
        }
        Ok(())
    }

    /// That every event is about an artifact that there is, and that the head knows the last one.
    pub(super) fn check_all(&self) -> Result<()> {
        for event in self.events.values() {
            self.check_event(event)?;
        }
        let greatest = self.events.keys().next_back().copied().unwrap_or(0);
        if greatest > self.head.last_event {
            return Err(Error::internal("the head is behind the events")
                .with("last_event", self.head.last_event)
                .with("sequence", greatest));
        }
        Ok(())
    }

    fn check_event(&self, event: &ArtifactEventRow) -> Result<()> {
        if self.artifacts.contains_key(&event.artifact_id) {
            return Ok(());
        }
        Err(Error::internal("an event without its artifact")
            .with("sequence", event.event.sequence)
            .with("id", event.artifact_id))
    }

    fn put(&mut self, artifact: &Artifact) -> Result<()> {
        if let Some(former) = self.artifacts.remove(&artifact.id) {
            self.operations.remove(&former.op_id);
            self.paths.remove(&former.data_path);
            self.paths.remove(&former.record_path);
        }
        self.claim(&artifact.op_id, Owner::Artifact(artifact.id))?;
        for path in [&artifact.data_path, &artifact.record_path] {
            if let Some(other) = self.paths.insert(path.clone(), artifact.id) {
                return Err(Error::internal("two artifacts claim one path")
                    .with("path", path)
                    .with("id", other));
            }
        }
        self.artifacts
            .insert(artifact.id, Arc::new(artifact.clone()));
        Ok(())
    }

    fn record(&mut self, event: &ArtifactEventRow) -> Result<()> {
        let sequence = event.event.sequence;
        if let Some(former) = self.events.remove(&sequence) {
            self.operations.remove(&former.op_id);
        }
        self.claim(&event.op_id, Owner::Event(sequence))?;
        self.events.insert(sequence, Arc::new(event.clone()));
        self.head.last_event = self.head.last_event.max(sequence);
        Ok(())
    }

    fn claim(&mut self, op_id: &OpId, owner: Owner) -> Result<()> {
        match self.operations.insert(op_id.clone(), owner) {
            Some(other) if other != owner => {
                Err(Error::internal("two changes claim one operation")
                    .with("op_id", op_id)
                    .with("first", format_args!("{other:?}"))
                    .with("second", format_args!("{owner:?}")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn answer(&self, probe: &ArtifactProbe) -> ProbeAnswer {
        let (op_id, artifact) = match probe {
            ArtifactProbe::Publish {
                op_id,
                scope,
                file_hash,
            } => {
                let duplicates = self
                    .active_in(scope)
                    .filter(|artifact| artifact.file_hash == *file_hash);
                let first = duplicates.min_by_key(|artifact| (artifact.created_at, artifact.id));
                (op_id, first.cloned())
            }
            ArtifactProbe::Change { op_id, id } => (op_id, self.get(*id)),
            ArtifactProbe::Operation { op_id } => (op_id, None),
        };
        ProbeAnswer {
            operation: self.operation(op_id),
            artifact,
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

    fn active_in<'a>(&'a self, scope: &'a DedupScope) -> impl Iterator<Item = &'a Artifact> {
        self.artifacts.values().map(Arc::as_ref).filter(|artifact| {
            artifact.status == ArtifactStatus::Active
                && artifact.artifact_type == scope.artifact_type
                && artifact.schema_version == scope.schema_version
                && artifact.logical_key == scope.logical_key
        })
    }

    pub(super) fn has_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> bool {
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
        && key_matches
        && is_after
}
