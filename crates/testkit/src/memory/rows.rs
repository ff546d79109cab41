use std::collections::BTreeMap;
use std::sync::Arc;

use artstore_core::artifact::{Artifact, new_inputs};
use artstore_core::backend::{ArtifactChange, ArtifactCommit, ArtifactEventRow, CatalogHead};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};

/// The rows of one catalog. Cloning is cheap enough to make every transaction on a copy.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) head: CatalogHead,
    pub(super) artifacts: BTreeMap<ArtifactId, Arc<Artifact>>,
    pub(super) events: BTreeMap<u64, Arc<ArtifactEventRow>>,
    pub(super) operations: BTreeMap<OpId, Owner>,
    paths: BTreeMap<RelPath, ArtifactId>,
}

/// Whose operation it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
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
        check_lists(artifact)?;
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
}

/// That lists hold nothing twice and are in the order that they promise.
fn check_lists(artifact: &Artifact) -> Result<()> {
    let has_each_once = new_inputs(&[], &artifact.inputs).len() == artifact.inputs.len();
    let is_ascending = artifact.supersedes.is_sorted_by(|a, b| a < b);
    if has_each_once && is_ascending {
        return Ok(());
    }
    Err(
        Error::internal("an artifact whose inputs or predecessors are not a proper list")
            .with("id", artifact.id),
    )
}
