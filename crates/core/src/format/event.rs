//! `artstore.event`: an immutable document for every change after creation.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::artifact::{Artifact, ArtifactInput, ArtifactStatus, DedupMode, new_inputs};
use crate::digest::Digest;
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::id::{ArtifactId, EventId};
use crate::key::OpId;
use crate::layout;
use crate::path::RelPath;
use crate::tags::Tags;
use crate::time::Timestamp;

/// The name of the format.
pub const FORMAT: &str = "artstore.event";
/// The version that is written.
pub const VERSION: u64 = 2;

/// A change of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactEvent {
    format: String,
    format_version: u64,
    domain: Domain,
    /// The event's id.
    pub id: EventId,
    /// Its place among the domain's events: 1, 2, 3 ...
    pub sequence: u64,
    /// The operation that made it.
    pub op_id: OpId,
    /// Digest of the request that made it.
    pub request_digest: Digest,
    /// Who made it.
    pub actor: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The artifact that it is about. What replaces another artifact is changed by the event too.
    pub subject: ArtifactId,
    /// The artifact's revision after the change.
    pub revision: u64,
    /// What happened.
    #[serde(flatten)]
    pub change: ArtifactEventChange,
}

/// What happened to an artifact, with the values that the event sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ArtifactEventChange {
    /// Its tags were changed.
    Tagged {
        /// All its tags after the change.
        tags: Tags,
    },
    /// The same content was published again with something new.
    Republished {
        /// All its tags after the change.
        tags: Tags,
        /// The tags that were new.
        merged_tags: Tags,
        /// How the duplicate was recognised.
        mode: DedupMode,
        /// The inputs that were new.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        merged_inputs: Vec<ArtifactInput>,
        /// The inputs that were left out because they were made from the artifact.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skipped_inputs: Vec<ArtifactInput>,
    },
    /// Another artifact replaced it.
    Superseded {
        /// The other artifact, which this event changes too.
        by: ArtifactId,
        /// The other artifact's revision after the change.
        by_revision: u64,
    },
    /// It was withdrawn.
    Tombstoned {
        /// Why.
        reason: String,
    },
}

impl ArtifactEventChange {
    /// The word for the change in file names and documents.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Tagged { .. } => "tagged",
            Self::Republished { .. } => "republished",
            Self::Superseded { .. } => "superseded",
            Self::Tombstoned { .. } => "tombstoned",
        }
    }
}

/// Who asks for a change, and with which operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventOrigin {
    /// The event's id.
    pub id: EventId,
    /// Its place among the domain's events.
    pub sequence: u64,
    /// The operation that makes it.
    pub op_id: OpId,
    /// Digest of the request that makes it.
    pub request_digest: Digest,
    /// Who makes it.
    pub actor: String,
    /// When it is made.
    pub created_at: Timestamp,
}

impl ArtifactEvent {
    /// The event of a change of `artifact`, which is the artifact before the change.
    pub fn new(origin: EventOrigin, artifact: &Artifact, change: ArtifactEventChange) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: VERSION,
            domain: Domain::Artifacts,
            id: origin.id,
            sequence: origin.sequence,
            op_id: origin.op_id,
            request_digest: origin.request_digest,
            actor: origin.actor,
            created_at: origin.created_at,
            subject: artifact.id,
            revision: artifact.revision + 1,
            change,
        }
    }

    /// Where the event is kept.
    ///
    /// # Errors
    /// Never for an event made by [`Self::new`].
    pub fn path(&self) -> Result<RelPath> {
        layout::event_path(
            Domain::Artifacts,
            self.sequence,
            self.change.kind(),
            self.created_at,
        )
    }

    /// The document's bytes.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it would be too large.
    pub fn to_bytes(&self) -> Result<Bytes> {
        Document::of(self)?.into_bytes()
    }

    /// Reads the event that was found at `path`.
    ///
    /// # Errors
    /// As [`Document::parse`], and [`Corrupt`](crate::ErrorKind::Corrupt) if the event belongs to another path.
    pub fn parse(bytes: &[u8], path: &RelPath) -> Result<Self> {
        let with_path = |error: Error| error.with("path", path);
        let document = Document::parse(bytes, FORMAT, VERSION).map_err(with_path)?;
        let event: Self = document.to_typed().map_err(with_path)?;
        if event.path()? != *path {
            return Err(Error::corrupt("the event belongs to another path")
                .with("path", path)
                .with("sequence", event.sequence));
        }
        Ok(event)
    }

    /// The artifacts that the event changes, its subject first.
    pub fn changed(&self) -> impl Iterator<Item = ArtifactId> {
        let other = match self.change {
            ArtifactEventChange::Superseded { by, .. } => Some(by),
            _ => None,
        };
        std::iter::once(self.subject).chain(other)
    }

    /// Brings `artifact`, one of those that the event changes, up to this event, unless it includes the event already.
    pub fn apply_to(&self, artifact: &mut Artifact) {
        if artifact.last_event >= self.sequence {
            return;
        }
        artifact.last_event = self.sequence;
        if artifact.id != self.subject {
            self.apply_to_other(artifact);
            return;
        }
        artifact.revision = self.revision;
        match &self.change {
            ArtifactEventChange::Tagged { tags } => artifact.tags = tags.clone(),
            ArtifactEventChange::Republished {
                tags,
                merged_inputs,
                ..
            } => {
                artifact.tags = tags.clone();
                let new = new_inputs(&artifact.inputs, merged_inputs);
                artifact.inputs.extend(new);
            }
            ArtifactEventChange::Superseded { by, .. } => {
                artifact.status = ArtifactStatus::Superseded;
                artifact.superseded_by = Some(*by);
            }
            ArtifactEventChange::Tombstoned { reason } => {
                artifact.status = ArtifactStatus::Tombstoned;
                artifact.tombstone_reason = Some(reason.clone());
            }
        }
    }

    fn apply_to_other(&self, artifact: &mut Artifact) {
        if let ArtifactEventChange::Superseded { by_revision, .. } = self.change {
            artifact.revision = by_revision;
            if let Err(place) = artifact.supersedes.binary_search(&self.subject) {
                artifact.supersedes.insert(place, self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event as version 1 wrote it. Never changed: every later version must read it.
    const FIXTURE_V1: &str = include_str!("fixtures/event-v1.json");

    #[test]
    fn version_1_is_read_and_written_back_byte_for_byte() {
        let path =
            RelPath::new("events/artifacts/2026-11/00000000000000000007-republished.json").unwrap();
        let event = ArtifactEvent::parse(FIXTURE_V1.as_bytes(), &path).unwrap();
        assert_eq!((event.sequence, event.revision), (7, 2));
        assert_eq!(event.to_bytes().unwrap(), FIXTURE_V1.as_bytes());
        let elsewhere =
            RelPath::new("events/artifacts/2026-11/00000000000000000008-republished.json").unwrap();
        assert!(ArtifactEvent::parse(FIXTURE_V1.as_bytes(), &elsewhere).is_err());
    }

    #[test]
    fn version_2_is_read_and_written_back_byte_for_byte() {
        let check = |document: &str, sequence: u64, kind: &str| {
            let path = format!("events/artifacts/2026-11/{sequence:020}-{kind}.json");
            let path = RelPath::new(path).unwrap();
            let event = ArtifactEvent::parse(document.as_bytes(), &path).unwrap();
            assert_eq!(event.to_bytes().unwrap(), document.as_bytes());
            event
        };
        let republished = include_str!("fixtures/event-republished-v2.json");
        check(republished, 7, "republished");
        let superseded = include_str!("fixtures/event-superseded-v2.json");
        let superseded = check(superseded, 8, "superseded");
        assert_eq!(superseded.changed().count(), 2);
        check(
            include_str!("fixtures/event-tombstoned-v2.json"),
            9,
            "tombstoned",
        );
    }
}
