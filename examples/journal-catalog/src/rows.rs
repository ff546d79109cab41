use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use artstore_core::artifact::{Artifact, ArtifactStatus, DedupScope};
use artstore_core::backend::{ArtifactEventRow, CatalogHead};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;
use artstore_core::maintenance::ArtifactCounts;
use artstore_core::time::Timestamp;
use artstore_core::{Error, Result};

use crate::line::{Change, CommitLine};

/// What all lines come to. The maps below `operations` are indexes: they follow from the artifacts.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) head: CatalogHead,
    pub(crate) artifacts: BTreeMap<ArtifactId, Arc<Artifact>>,
    pub(crate) events: BTreeMap<u64, ArtifactEventRow>,
    pub(crate) operations: BTreeMap<OpId, Owner>,
    /// All artifacts in the order of lists, oldest first.
    pub(crate) by_creation: BTreeSet<(Timestamp, ArtifactId)>,
    /// Active artifacts by where they may be duplicates, oldest first.
    pub(crate) active: BTreeMap<DedupScope, BTreeSet<(Timestamp, ArtifactId)>>,
    /// What was made from an artifact, which may have no row itself, or was said to be: the row of the output decides.
    pub(crate) outputs: BTreeMap<ArtifactId, BTreeSet<ArtifactId>>,
    pub(crate) counts: ArtifactCounts,
}

/// Whose operation it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Artifact(ArtifactId),
    Event(u64),
}

impl Rows {
    pub(crate) fn empty(head: CatalogHead) -> Self {
        Self {
            head,
            artifacts: BTreeMap::new(),
            events: BTreeMap::new(),
            operations: BTreeMap::new(),
            by_creation: BTreeSet::new(),
            active: BTreeMap::new(),
            outputs: BTreeMap::new(),
            counts: ArtifactCounts::default(),
        }
    }

    /// Checks that no operation is claimed twice. Nothing is changed: a commit that is refused must leave no trace, and is
    /// therefore checked before a byte of it is written.
    pub(crate) fn check(&self, changes: &[Change]) -> Result<()> {
        let mut claims: BTreeMap<&OpId, Owner> = BTreeMap::new();
        let mut claimed_by: BTreeMap<Owner, &OpId> = BTreeMap::new();
        for change in changes {
            let (owner, op_id) = match change {
                Change::Put(artifact) => (Owner::Artifact(artifact.id), &artifact.op_id),
                Change::Record(event) => (Owner::Event(event.event.sequence), &event.op_id),
            };
            // What is replaced gives its operation back.
            if let Some(former) = claimed_by.insert(owner, op_id) {
                claims.remove(former);
            }
            let in_rows = self.operations.get(op_id);
            let still_in_rows = in_rows.filter(|other| !claimed_by.contains_key(other));
            if let Some(other) = claims.insert(op_id, owner).or(still_in_rows.copied()) {
                return Err(Error::conflict("two changes claim one operation")
                    .with("op_id", op_id)
                    .with("first", format_args!("{other:?}"))
                    .with("second", format_args!("{owner:?}")));
            }
        }
        Ok(())
    }

    /// Makes the changes of a line.
    pub(crate) fn change(&mut self, line: CommitLine) {
        for change in line.changes {
            match change {
                Change::Put(artifact) => self.put(artifact),
                Change::Record(event) => self.record(event),
            }
        }
        self.head.commits = line.commits;
        self.head.last_event = line.last_event;
    }

    fn put(&mut self, artifact: Artifact) {
        if let Some(former) = self.artifacts.remove(&artifact.id) {
            self.forget(&former);
        }
        let place = (artifact.created_at, artifact.id);
        self.by_creation.insert(place);
        if artifact.status == ArtifactStatus::Active {
            self.active
                .entry(scope_of(&artifact))
                .or_default()
                .insert(place);
        }
        for input in &artifact.inputs {
            self.outputs
                .entry(input.id)
                .or_default()
                .insert(artifact.id);
        }
        *self.count_of(artifact.status) += 1;
        self.counts.bytes += artifact.size_bytes;
        let owner = Owner::Artifact(artifact.id);
        self.operations.insert(artifact.op_id.clone(), owner);
        self.artifacts.insert(artifact.id, Arc::new(artifact));
    }

    /// Takes a row that is replaced out of everything that follows from it.
    fn forget(&mut self, former: &Artifact) {
        let place = (former.created_at, former.id);
        self.by_creation.remove(&place);
        if let Some(places) = self.active.get_mut(&scope_of(former)) {
            places.remove(&place);
        }
        *self.count_of(former.status) -= 1;
        self.counts.bytes -= former.size_bytes;
        self.release(&former.op_id, Owner::Artifact(former.id));
    }

    fn record(&mut self, event: ArtifactEventRow) {
        let sequence = event.event.sequence;
        if let Some(former) = self.events.remove(&sequence) {
            self.release(&former.op_id, Owner::Event(sequence));
        }
        let owner = Owner::Event(sequence);
        self.operations.insert(event.op_id.clone(), owner);
        self.events.insert(sequence, event);
    }

    fn release(&mut self, op_id: &OpId, owner: Owner) {
        // A rebuild is not checked: another row may have claimed it meanwhile, and keeps it.
        if self.operations.get(op_id) == Some(&owner) {
            self.operations.remove(op_id);
        }
    }

    fn count_of(&mut self, status: ArtifactStatus) -> &mut u64 {
        match status {
            ArtifactStatus::Active => &mut self.counts.active,
            ArtifactStatus::Superseded => &mut self.counts.superseded,
            ArtifactStatus::Tombstoned => &mut self.counts.tombstoned,
        }
    }
}

fn scope_of(artifact: &Artifact) -> DedupScope {
    DedupScope {
        kind: artifact.kind,
        artifact_type: artifact.artifact_type.clone(),
        schema_version: artifact.schema_version,
        logical_key: artifact.logical_key.clone(),
    }
}
