use artstore_core::artifact::{Artifact, ArtifactInput, ArtifactKind, ArtifactStatus};
use artstore_core::backend::{
    ArtifactChange, ArtifactCommit, ArtifactEventRow, CatalogHead, EventRef,
};
use artstore_core::digest::{ContentHash, Digest, DigestBuilder};
use artstore_core::id::{ArtifactId, RunId, StoreId};
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::path::RelPath;
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use artstore_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// What the first line says that the file is.
pub(crate) const FORMAT: &str = "artstore-example-journal";
/// The version of everything in this file.
pub(crate) const VERSION: u32 = 1;

/// The beginning of every first line, of whatever version.
#[derive(Debug, Deserialize)]
pub(crate) struct FormatLine {
    pub(crate) format: String,
    pub(crate) version: u32,
}

/// The first line: which store's catalog it is, and its head before any commit.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HeaderLine {
    pub(crate) format: String,
    pub(crate) version: u32,
    pub(crate) store_id: StoreId,
    pub(crate) commits: u64,
    pub(crate) last_event: u64,
}

/// Every other line: the changes of one commit, and the head after it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CommitLine {
    pub(crate) commits: u64,
    pub(crate) last_event: u64,
    pub(crate) changes: Vec<Change>,
}

/// A change of rows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all changes are artifacts"
)]
pub(crate) enum Change {
    Put(#[serde(with = "ArtifactRow")] Artifact),
    Record(#[serde(with = "EventRow")] ArtifactEventRow),
}

impl HeaderLine {
    pub(crate) fn new(head: CatalogHead) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            store_id: head.store_id,
            commits: head.commits,
            last_event: head.last_event,
        }
    }

    pub(crate) fn head(&self) -> CatalogHead {
        CatalogHead {
            store_id: self.store_id,
            commits: self.commits,
            last_event: self.last_event,
        }
    }
}

impl CommitLine {
    /// The line of a commit that is made on a catalog with this head.
    pub(crate) fn after(head: CatalogHead, commit: ArtifactCommit) -> Self {
        let mut line = Self {
            commits: head.commits + 1,
            last_event: head.last_event,
            changes: Vec::with_capacity(commit.changes.len()),
        };
        for change in commit.changes {
            match change {
                ArtifactChange::Put(artifact) => line.changes.push(Change::Put(*artifact)),
                ArtifactChange::Record(event) => {
                    line.last_event = line.last_event.max(event.event.sequence);
                    line.changes.push(Change::Record(event));
                }
                ArtifactChange::RaiseCommits(least) => line.commits = line.commits.max(least),
            }
        }
        line
    }

    /// The line of a part of a rebuild: the head is given.
    pub(crate) fn of_rebuild(head: CatalogHead, commit: ArtifactCommit) -> Self {
        Self {
            commits: head.commits,
            last_event: head.last_event,
            ..Self::after(head, commit)
        }
    }
}

/// A digest of everything up to the end of a line. Each line begins with that of itself and all before it, so that a line
/// can neither be torn nor follow another one than it was written after without being noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain(Digest);

impl Chain {
    /// Writes the first line.
    pub(crate) fn begin(header: &HeaderLine) -> Result<(Self, Vec<u8>)> {
        let mut line = serde_json::to_vec(header).map_err(cannot_be_written)?;
        line.push(b'\n');
        Ok((Self(Digest::of(&line)), line))
    }

    /// The chain that begins with this first line.
    pub(crate) fn of_first_line(line: &[u8]) -> Self {
        Self(Digest::of(line))
    }

    /// Writes the next line.
    pub(crate) fn write(self, commit: &CommitLine) -> Result<(Self, Vec<u8>)> {
        let json = serde_json::to_vec(commit).map_err(cannot_be_written)?;
        let next = self.extended_by(&json);
        let mut line = format!("{} ", next.0.to_hex()).into_bytes();
        line.extend(json);
        line.push(b'\n');
        Ok((next, line))
    }

    /// Reads the next line; `None` if it is not whole, or not the one after this.
    pub(crate) fn read(self, line: &[u8]) -> Option<(Self, CommitLine)> {
        let line = line.strip_suffix(b"\n")?;
        let space = line.iter().position(|byte| *byte == b' ')?;
        let (digest, json) = (&line[..space], &line[space + 1..]);
        let next = self.extended_by(json);
        if digest != next.0.to_hex().as_bytes() {
            return None;
        }
        Some((next, serde_json::from_slice(json).ok()?))
    }

    fn extended_by(self, json: &[u8]) -> Self {
        let mut digest = DigestBuilder::new();
        digest.update(self.0.as_bytes());
        digest.update(json);
        Self(digest.finish())
    }
}

fn cannot_be_written(error: serde_json::Error) -> Error {
    Error::internal("a line of the catalog cannot be written").caused_by(error)
}

/// [`Artifact`] as JSON: the compiler tells when it gets another field.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Artifact")]
struct ArtifactRow {
    id: ArtifactId,
    artifact_type: ArtifactType,
    schema_version: u32,
    logical_key: LogicalKey,
    kind: ArtifactKind,
    status: ArtifactStatus,
    data_path: RelPath,
    record_path: RelPath,
    file_hash: Digest,
    content_hash: ContentHash,
    size_bytes: u64,
    row_count: Option<u64>,
    min_timestamp: Option<Timestamp>,
    max_timestamp: Option<Timestamp>,
    created_at: Timestamp,
    tags: Tags,
    inputs: Vec<ArtifactInput>,
    superseded_by: Option<ArtifactId>,
    supersedes: Vec<ArtifactId>,
    tombstone_reason: Option<String>,
    run_id: Option<RunId>,
    op_id: OpId,
    request_digest: Digest,
    revision: u64,
    last_event: u64,
}

/// [`ArtifactEventRow`] as JSON.
#[derive(Serialize, Deserialize)]
#[serde(remote = "ArtifactEventRow")]
struct EventRow {
    #[serde(with = "EventRefRow")]
    event: EventRef,
    artifact_id: ArtifactId,
    op_id: OpId,
    request_digest: Digest,
}

/// [`EventRef`] as JSON.
#[derive(Serialize, Deserialize)]
#[serde(remote = "EventRef")]
struct EventRefRow {
    sequence: u64,
    kind: String,
    created_at: Timestamp,
}
