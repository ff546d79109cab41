//! Things to test with. Equal arguments give equal things, so that a failing test can be read.

use std::sync::{Arc, Mutex};

use artstore_core::Domain;
use artstore_core::artifact::{
    Artifact, ArtifactInput, ArtifactKind, ArtifactSource, ArtifactStatus, PublishArtifactRequest,
};
use artstore_core::backend::{
    ArtifactEventRow, ArtifactQuery, CatalogHead, EventRef, LockHold, LockPermit,
};
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::id::{ArtifactId, PublicationId, StagingId, StoreId};
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::layout::{ArtifactNaming, artifact_paths};
use artstore_core::path::RelPath;
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::environment::{START_MILLISECONDS, sequential_id};

/// The time `seconds` after 2026-11-20T09:30:00Z.
pub fn time(seconds: i64) -> Timestamp {
    Timestamp::from_unix_milliseconds(START_MILLISECONDS + 1000 * seconds).expect("a time in range")
}

/// The `number`th artifact id; greater numbers give greater ids.
pub fn artifact_id(number: u64) -> ArtifactId {
    ArtifactId::from_uuid(sequential_id(number))
}

/// The `number`th staging id.
pub fn staging_id(number: u64) -> StagingId {
    StagingId::from_uuid(sequential_id(number))
}

/// The `number`th publication id.
pub fn publication_id(number: u64) -> PublicationId {
    PublicationId::from_uuid(sequential_id(number))
}

/// The id of the store that samples belong to.
pub fn store_id() -> StoreId {
    StoreId::from_uuid(sequential_id(0))
}

/// The head of an empty catalog of that store.
pub fn empty_head() -> CatalogHead {
    CatalogHead {
        store_id: store_id(),
        commits: 0,
        last_event: 0,
    }
}

/// An operation id.
pub fn op_id(text: &str) -> OpId {
    OpId::new(text).expect("a valid operation id")
}

/// A logical key.
pub fn logical_key(text: &str) -> LogicalKey {
    LogicalKey::new(text).expect("a valid logical key")
}

/// An artifact type.
pub fn artifact_type(text: &str) -> ArtifactType {
    ArtifactType::new(text).expect("a valid artifact type")
}

/// A path inside a store.
pub fn path(text: &str) -> RelPath {
    RelPath::new(text).expect("a valid path")
}

/// Tags.
pub fn tags<const N: usize>(pairs: [(&str, &str); N]) -> Tags {
    Tags::try_from(pairs).expect("valid tags")
}

/// The `number`th artifact: active, without tags or inputs, created `number` seconds after the start. Everything about
/// it but its type, kind and status differs from that of other numbers.
pub fn artifact(number: u64) -> Artifact {
    let id = artifact_id(number);
    let artifact_type = artifact_type("sample_v1");
    let logical_key = logical_key(&format!("n={number}"));
    let created_at = time(i64::try_from(number).expect("a small number"));
    let paths = artifact_paths(&ArtifactNaming {
        id,
        artifact_type: &artifact_type,
        schema_version: 1,
        created_at,
        hint: None,
        logical_key: &logical_key,
        source_name: Some("sample.bin"),
    })
    .expect("valid names");
    let file_hash = Digest::of(format!("content {number}").as_bytes());
    Artifact {
        id,
        artifact_type,
        schema_version: 1,
        logical_key,
        kind: ArtifactKind::File,
        status: ArtifactStatus::Active,
        data_path: paths.data,
        record_path: paths.record,
        file_hash,
        content_hash: file_hash.into(),
        size_bytes: 100 + number,
        row_count: None,
        min_timestamp: None,
        max_timestamp: None,
        created_at,
        tags: Tags::new(),
        inputs: Vec::new(),
        superseded_by: None,
        supersedes: Vec::new(),
        tombstone_reason: None,
        run_id: None,
        op_id: op_id(&format!("create-{number}")),
        request_digest: Digest::of(format!("request {number}").as_bytes()),
        revision: 1,
        last_event: 0,
    }
}

/// The `number`th table: as [`artifact`], but of kind table with [`ch1`] of its number, 10 rows, and times in the minute
/// that begins `number` minutes after the start.
pub fn table(number: u64) -> Artifact {
    let minute = 60 * i64::try_from(number).expect("a small number");
    Artifact {
        kind: ArtifactKind::Table,
        content_hash: ch1(&format!("table {number}")),
        row_count: Some(10),
        min_timestamp: Some(time(minute)),
        max_timestamp: Some(time(minute + 59)),
        ..artifact(number)
    }
}

/// A content hash of a table.
pub fn ch1(text: &str) -> ContentHash {
    ContentHash {
        algorithm: HashAlgorithm::Ch1,
        digest: Digest::of(text.as_bytes()),
    }
}

/// The `number`th artifact as an input.
pub fn input(number: u64, role: Option<&str>) -> ArtifactInput {
    ArtifactInput {
        id: artifact_id(number),
        role: role.map(str::to_owned),
    }
}

/// The `number`th artifact, made from the artifacts `inputs`, without roles.
pub fn made_from(number: u64, inputs: &[u64]) -> Artifact {
    Artifact {
        inputs: inputs.iter().map(|one| input(*one, None)).collect(),
        ..artifact(number)
    }
}

/// The event `sequence` that changed `artifact`, made by the operation `event-<sequence>`.
pub fn event_row(sequence: u64, artifact: ArtifactId) -> ArtifactEventRow {
    ArtifactEventRow {
        event: EventRef {
            sequence,
            kind: "tagged".to_owned(),
            created_at: time(i64::try_from(sequence).expect("a small number")),
        },
        artifact_id: artifact,
        op_id: op_id(&format!("event-{sequence}")),
        request_digest: Digest::of(format!("event request {sequence}").as_bytes()),
    }
}

/// A request to publish `content` under `key`, with the type `sample_v1`.
pub fn request(key: &str, content: impl Into<Bytes>) -> PublishArtifactRequest {
    PublishArtifactRequest::file(
        artifact_type("sample_v1"),
        logical_key(key),
        ArtifactSource::Bytes(content.into()),
    )
}

/// A query for everything, at most `limit`.
pub fn query(limit: u32) -> ArtifactQuery {
    ArtifactQuery {
        filter: artstore_core::artifact::ArtifactFilter::default(),
        logical_key: None,
        excluded_status: None,
        after: None,
        limit,
    }
}

/// Bytes without a pattern of the size of a block: the same for the same length.
pub fn content(length: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
    let next = std::iter::from_fn(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state.to_le_bytes()[0])
    });
    next.take(length).collect::<Vec<u8>>().into()
}

/// A permit that no lock gave: for tests of backends, which only keep it.
pub fn permit() -> LockPermit {
    watched_permit().0
}

/// A permit that no lock gave, and what tells when its last clone is gone.
pub fn watched_permit() -> (LockPermit, PermitGone) {
    let (sender, receiver) = oneshot::channel();
    let hold = WatchedHold(Mutex::new(Some(sender)));
    let permit = LockPermit::new(Domain::Artifacts, Arc::new(hold));
    (permit, PermitGone(receiver))
}

/// Tells when the last clone of a permit is gone.
#[derive(Debug)]
pub struct PermitGone(oneshot::Receiver<()>);

impl PermitGone {
    /// Waits until the last clone is gone.
    pub async fn wait(self) {
        self.0.await.expect("a hold tells when it is dropped");
    }

    /// Whether the last clone is gone already.
    pub fn is_gone(&mut self) -> bool {
        self.0.try_recv().is_ok()
    }
}

#[derive(Debug)]
struct WatchedHold(Mutex<Option<oneshot::Sender<()>>>);

impl LockHold for WatchedHold {}

impl Drop for WatchedHold {
    fn drop(&mut self) {
        let sender = self.0.lock().ok().and_then(|mut sender| sender.take());
        // Nobody may be waiting any more.
        let _ = sender.map(|sender| sender.send(()));
    }
}
