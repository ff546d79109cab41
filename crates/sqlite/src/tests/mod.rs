mod cost;
mod duplicates;
mod growth;
mod indexes;
mod life;
mod lists;
mod reads;
mod rebuilding;
mod refusals;
mod rows;
mod statements;
mod upgrade;
mod walks;

use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::artifact::{Artifact, ArtifactKind, ArtifactStatus};
use artstore_core::backend::{
    ArtifactCatalog as _, ArtifactChange, ArtifactCommit, ArtifactEventRow, ArtifactQuery,
    CatalogHead, EventRef, LockHold, LockPermit,
};
use artstore_core::digest::Digest;
use artstore_core::id::{ArtifactId, StoreId};
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::path::RelPath;
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use artstore_core::{Domain, Error, Result};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use crate::connection::{self, Role};
use crate::schema::Accept;
use crate::{SqliteArtifactCatalog, SqliteSettings};

const HEAD: CatalogHead = CatalogHead {
    store_id: StoreId::from_uuid(Uuid::from_u128(7)),
    commits: 0,
    last_event: 0,
};

const OTHER_STORE: StoreId = StoreId::from_uuid(Uuid::from_u128(8));

#[derive(Debug)]
struct NoLock;

impl LockHold for NoLock {}

fn permit() -> LockPermit {
    LockPermit::new(Domain::Artifacts, Arc::new(NoLock))
}

/// A directory with a catalog that has no database yet.
struct World {
    directory: TempDir,
    catalog: SqliteArtifactCatalog,
}

impl World {
    fn without_database() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("catalog.sqlite");
        Self {
            catalog: SqliteArtifactCatalog::new(path, SqliteSettings::default()),
            directory,
        }
    }

    async fn empty() -> Self {
        let world = Self::without_database();
        world.rebuild(Vec::new()).await.unwrap();
        world
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("catalog.sqlite")
    }

    fn another_instance(&self) -> SqliteArtifactCatalog {
        SqliteArtifactCatalog::new(self.path(), SqliteSettings::default())
    }

    /// The names of the files in the directory, sorted.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    async fn rebuild(&self, chunks: Vec<Result<ArtifactCommit>>) -> Result<Option<String>> {
        let chunks = Box::pin(futures_util::stream::iter(chunks));
        self.catalog.rebuild(&permit(), HEAD, chunks).await
    }

    /// A catalog whose changes are not all in memory at a time.
    async fn filled(commits: impl Iterator<Item = ArtifactCommit> + Send + 'static) -> Self {
        let world = Self::without_database();
        let commits = Box::pin(futures_util::stream::iter(commits.map(Ok)));
        let rebuilt = world.catalog.rebuild(&permit(), HEAD, commits).await;
        rebuilt.unwrap();
        world
    }

    /// A connection as the catalog reads with.
    fn reader(&self) -> Connection {
        let settings = SqliteSettings::default();
        connection::open(&self.path(), Role::Reader, Accept::Newest, &settings).unwrap()
    }

    /// Makes the catalog an empty one of `store_id`.
    async fn rebuild_of(&self, store_id: StoreId) -> Option<String> {
        let head = CatalogHead { store_id, ..HEAD };
        let nothing = Box::pin(futures_util::stream::empty());
        let rebuilt = self.catalog.rebuild(&permit(), head, nothing).await;
        rebuilt.unwrap()
    }

    async fn apply(&self, changes: Vec<ArtifactChange>) -> Result<u64, Error> {
        self.catalog
            .apply(&permit(), ArtifactCommit { changes })
            .await
    }

    async fn put(&self, artifacts: &[Artifact]) {
        self.apply(artifacts.iter().map(put).collect())
            .await
            .unwrap();
    }

    async fn everything(&self) -> Vec<Artifact> {
        self.catalog.scan(None, 10_000).await.unwrap()
    }
}

fn put(artifact: &Artifact) -> ArtifactChange {
    ArtifactChange::Put(Box::new(artifact.clone()))
}

fn id(number: u64) -> ArtifactId {
    ArtifactId::from_uuid(Uuid::from_u128(u128::from(number) << 64 | 0x70))
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_unix_milliseconds(1_763_600_000_000 + milliseconds).unwrap()
}

fn artifact(number: u64) -> Artifact {
    let id = id(number);
    let stem = format!("artifacts/alerts_v1/v1/2026-11-20/day={number:07}_chain=solana__{id}");
    Artifact {
        id,
        artifact_type: ArtifactType::new("alerts_v1").unwrap(),
        schema_version: 1,
        logical_key: LogicalKey::new(format!("day={number:07}/chain=solana")).unwrap(),
        kind: ArtifactKind::File,
        status: ArtifactStatus::Active,
        data_path: RelPath::new(format!("{stem}.csv")).unwrap(),
        record_path: RelPath::new(format!("{stem}.json")).unwrap(),
        file_hash: Digest::of(&number.to_le_bytes()),
        content_hash: Digest::of(&number.to_le_bytes()).into(),
        size_bytes: 1000 + number,
        row_count: None,
        min_timestamp: None,
        max_timestamp: None,
        created_at: time(i64::try_from(number).unwrap()),
        tags: Tags::new(),
        inputs: Vec::new(),
        superseded_by: None,
        supersedes: Vec::new(),
        tombstone_reason: None,
        run_id: None,
        op_id: OpId::new(Uuid::from_u128(u128::from(number) << 64 | 0x71).to_string()).unwrap(),
        request_digest: Digest::of(b"request"),
        revision: 1,
        last_event: 0,
    }
}

fn event(sequence: u64, artifact_id: ArtifactId) -> ArtifactEventRow {
    ArtifactEventRow {
        event: EventRef {
            sequence,
            kind: "tagged".into(),
            created_at: time(0),
        },
        artifact_id,
        op_id: OpId::new(format!("event {sequence}")).unwrap(),
        request_digest: Digest::of(b"change"),
    }
}

fn query(limit: u32) -> ArtifactQuery {
    ArtifactQuery {
        filter: artstore_core::artifact::ArtifactFilter::default(),
        logical_key: None,
        excluded_status: None,
        after: None,
        limit,
    }
}
