use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::artifact::{Artifact, DedupScope};
use artstore_core::backend::{
    ArtifactCatalog, ArtifactCommit, ArtifactCommits, ArtifactEventRow, ArtifactProbe,
    ArtifactQuery, CatalogHead, Examination, LockPermit,
};
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{Relation, Walk, WalkLimits};
use artstore_core::maintenance::ArtifactCounts;
use async_trait::async_trait;
use rusqlite::Connection;

use crate::place::Place;
use crate::readers::Readers;
use crate::rebuild;
use crate::settings::SqliteSettings;
use crate::slot::Slots;
use crate::writer::Writer;
use crate::{artifacts, connection};

/// The catalog of artifacts in one SQLite database.
///
/// One connection writes, used by one thread at a time; a few others read. `head`, `examine` and `apply`, which run one
/// after the other under the domain's lock, use the former, everything else the latter. Each call is one transaction; one that
/// was begun is finished, even if its caller goes away.
///
/// A database with an older schema is answered with [`catalog_outdated`](artstore_core::Error::catalog_outdated), so that it
/// is made anew from the records: nothing changes a schema. One with a newer schema is refused. A rebuild keeps another
/// store's catalog under another name, like one with a newer schema and one that cannot be read. It sorts entries of indexes
/// in SQLite's temporary directory (`SQLITE_TMPDIR`), which takes up to a hundred bytes for each artifact.
///
/// # Concurrency
/// Any number of instances and processes may use the same database. Each call looks whether the database still is the one
/// that its connection was opened on.
pub struct SqliteArtifactCatalog {
    place: Arc<Place>,
    settings: SqliteSettings,
    writer: Writer,
    readers: Readers,
}

impl SqliteArtifactCatalog {
    /// A catalog in the database at `path`. Nothing is opened or created yet.
    pub fn new(path: PathBuf, settings: SqliteSettings) -> Self {
        let place = Arc::new(Place::new(path));
        let slots = Arc::new(Slots::new(Arc::clone(&place), settings));
        Self {
            writer: Writer::new(Arc::clone(&slots)),
            readers: Readers::new(slots),
            place,
            settings,
        }
    }
}

impl fmt::Debug for SqliteArtifactCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteArtifactCatalog")
            .field("path", &self.place.path())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ArtifactCatalog for SqliteArtifactCatalog {
    async fn head(&self) -> Result<CatalogHead> {
        // Where it can, the connection that writes answers, because as the last one to be closed it removes the log.
        if connection::is_on_read_only_filesystem(self.place.path()) {
            return self.readers.run("read the head", artifacts::head).await;
        }
        self.writer
            .run("read the head", |connection| artifacts::head(connection))
            .await
    }

    fn epoch(&self) -> u64 {
        self.place.epoch()
    }

    async fn examine(&self, probes: Vec<ArtifactProbe>) -> Result<Examination> {
        self.writer
            .run("examine", move |connection| {
                let transaction = connection.transaction()?;
                let examination = artifacts::examine(&transaction, &probes)?;
                transaction.commit()?;
                Ok(examination)
            })
            .await
    }

    async fn apply(&self, permit: &LockPermit, commit: ArtifactCommit) -> Result<u64> {
        let permit = permit.clone();
        self.writer
            .run("apply", move |connection| {
                let _held = permit;
                artifacts::apply(connection, &commit)
            })
            .await
    }

    async fn get(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>> {
        if let [id] = *ids {
            let find = move |connection: &Connection| artifacts::find(connection, id);
            let found = self.readers.run_statement("get an artifact", find).await?;
            return Ok(vec![found]);
        }
        let ids = ids.to_vec();
        self.readers
            .run("get artifacts", move |connection| {
                artifacts::find_all(connection, &ids)
            })
            .await
    }

    async fn list(&self, query: &ArtifactQuery) -> Result<Vec<Artifact>> {
        let query = query.clone();
        self.readers
            .run("list artifacts", move |connection| {
                artifacts::list(connection, &query)
            })
            .await
    }

    async fn may_have_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> Result<bool> {
        let scope = scope.clone();
        self.readers
            .run("look for a size", move |connection| {
                artifacts::may_have_active_of_size(connection, &scope, size_bytes)
            })
            .await
    }

    async fn walk(
        &self,
        start: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Result<Option<Walk>> {
        self.readers
            .run("walk", move |connection| {
                artifacts::walk(connection, start, relation, limits)
            })
            .await
    }

    async fn scan(&self, after: Option<ArtifactId>, limit: u32) -> Result<Vec<Artifact>> {
        self.readers
            .run("scan artifacts", move |connection| {
                artifacts::scan(connection, after, limit)
            })
            .await
    }

    async fn scan_events(&self, after: u64, limit: u32) -> Result<Vec<ArtifactEventRow>> {
        self.readers
            .run("scan events", move |connection| {
                artifacts::scan_events(connection, after, limit)
            })
            .await
    }

    async fn counts(&self) -> Result<ArtifactCounts> {
        self.readers.run("count artifacts", artifacts::counts).await
    }

    async fn rebuild(
        &self,
        permit: &LockPermit,
        head: CatalogHead,
        commits: ArtifactCommits,
    ) -> Result<Option<String>> {
        rebuild::rebuild(
            Arc::clone(&self.place),
            self.settings,
            permit.clone(),
            head,
            commits,
        )
        .await
    }

    async fn close(&self) {
        // The writer last: the last connection copies the log into the database, which a reader may not.
        self.readers.close().await;
        self.writer.close().await;
    }
}
