use std::sync::{Arc, Mutex, MutexGuard};

use artstore_core::artifact::{Artifact, DedupScope};
use artstore_core::backend::{
    ArtifactCatalog, ArtifactCommit, ArtifactCommits, ArtifactEventRow, ArtifactProbe,
    ArtifactQuery, CatalogHead, Examination, LockPermit,
};
use artstore_core::id::{ArtifactId, StoreId};
use artstore_core::lineage::{Relation, Walk, WalkLimits};
use artstore_core::maintenance::ArtifactCounts;
use artstore_core::{Domain, Error, Result};
use async_trait::async_trait;
use futures_util::StreamExt as _;
use tokio::task::yield_now;

use super::rows::Rows;

/// A catalog in memory.
///
/// Every instance made by [`Self::instance`] is another opening of the same place, as several processes have one
/// database. Stricter than a real catalog, it refuses an operation id or a path that something else has, an event
/// about an artifact that there is not, a permit of another domain, and a rebuild whose head is behind its events.
#[derive(Debug)]
pub struct MemoryArtifactCatalog {
    place: Arc<Mutex<Place>>,
    opened: Mutex<Opened>,
}

/// Where a database lies, or does not.
#[derive(Debug)]
struct Place {
    database: Database,
    /// Which database it is: another number is another file under the same name.
    identity: u64,
}

#[derive(Debug, Clone)]
enum Database {
    Missing,
    Damaged,
    Newer,
    Rows(Rows),
}

/// What an instance knows of the database that it opened last.
#[derive(Debug, Default)]
struct Opened {
    identity: Option<u64>,
    epoch: u64,
}

/// A copy of a catalog's database.
#[derive(Debug, Clone)]
pub struct CatalogCopy(Database);

impl MemoryArtifactCatalog {
    /// A place without a database. `rebuild` makes one.
    pub fn missing() -> Self {
        Self::over(Database::Missing)
    }

    /// An empty catalog of the store `store_id`.
    pub fn empty(store_id: StoreId) -> Self {
        Self::over(Database::Rows(Rows::empty(CatalogHead {
            store_id,
            commits: 0,
            last_event: 0,
        })))
    }

    /// Another instance over the same place.
    pub fn instance(&self) -> Self {
        Self {
            place: Arc::clone(&self.place),
            opened: Mutex::default(),
        }
    }

    /// An instance over a place of its own with a copy of what is here now: what a crash would leave.
    pub fn clone_state(&self) -> Self {
        Self::over(self.place().database.clone())
    }

    /// Removes the database.
    pub fn delete(&self) {
        self.replace(Database::Missing);
    }

    /// Makes the database unreadable.
    pub fn damage(&self) {
        self.replace(Database::Damaged);
    }

    /// Puts the database of a later version in its place.
    pub fn make_newer(&self) {
        self.replace(Database::Newer);
    }

    /// A copy of the database.
    pub fn snapshot(&self) -> CatalogCopy {
        CatalogCopy(self.place().database.clone())
    }

    /// Puts a copy of a database in the place of this one.
    pub fn restore(&self, copy: &CatalogCopy) {
        self.replace(copy.0.clone());
    }

    fn over(database: Database) -> Self {
        let place = Place {
            database,
            identity: 1,
        };
        Self {
            place: Arc::new(Mutex::new(place)),
            opened: Mutex::default(),
        }
    }

    fn replace(&self, database: Database) {
        let mut place = self.place();
        place.database = database;
        place.identity += 1;
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().expect("no test panics holding it")
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().expect("no test panics holding it")
    }

    /// Does `work` on the rows of the database that is there now.
    async fn with_rows<T>(&self, work: impl FnOnce(&mut Rows) -> Result<T> + Send) -> Result<T> {
        yield_now().await;
        let mut place = self.place();
        let identity = place.identity;
        let rows = match &mut place.database {
            Database::Missing => return Err(Error::catalog_missing("memory")),
            Database::Damaged => {
                return Err(Error::corrupt("not a database").with("catalog", "memory"));
            }
            Database::Newer => {
                return Err(
                    Error::unsupported("the catalog was written by a newer artstore")
                        .with("catalog", "memory"),
                );
            }
            Database::Rows(rows) => rows,
        };
        let mut opened = self.opened();
        if opened.identity.is_some_and(|known| known != identity) {
            opened.epoch += 1;
        }
        opened.identity = Some(identity);
        work(rows)
    }
}

fn check_permit(permit: &LockPermit) -> Result<()> {
    if permit.domain() != Domain::Artifacts {
        return Err(Error::internal("a permit of another domain").with("domain", permit.domain()));
    }
    Ok(())
}

#[async_trait]
impl ArtifactCatalog for MemoryArtifactCatalog {
    async fn head(&self) -> Result<CatalogHead> {
        self.with_rows(|rows| Ok(rows.head)).await
    }

    fn epoch(&self) -> u64 {
        self.opened().epoch
    }

    async fn examine(&self, probes: Vec<ArtifactProbe>) -> Result<Examination> {
        self.with_rows(|rows| {
            Ok(Examination {
                head: rows.head,
                answers: probes.iter().map(|probe| rows.answer(probe)).collect(),
            })
        })
        .await
    }

    async fn apply(&self, permit: &LockPermit, commit: ArtifactCommit) -> Result<u64> {
        check_permit(permit)?;
        self.with_rows(|rows| {
            let mut changed = rows.clone();
            changed.change(&commit)?;
            changed.check_events_of(&commit)?;
            changed.head.commits += 1;
            *rows = changed;
            Ok(rows.head.commits)
        })
        .await
    }

    async fn get(&self, ids: &[ArtifactId]) -> Result<Vec<Option<Artifact>>> {
        self.with_rows(|rows| Ok(ids.iter().map(|id| rows.get(*id)).collect()))
            .await
    }

    async fn list(&self, query: &ArtifactQuery) -> Result<Vec<Artifact>> {
        self.with_rows(|rows| Ok(rows.list(query))).await
    }

    async fn may_have_active_of_size(&self, scope: &DedupScope, size_bytes: u64) -> Result<bool> {
        self.with_rows(|rows| Ok(rows.may_have_active_of_size(scope, size_bytes)))
            .await
    }

    async fn walk(
        &self,
        start: ArtifactId,
        relation: Relation,
        limits: WalkLimits,
    ) -> Result<Option<Walk>> {
        self.with_rows(|rows| Ok(rows.walk(start, relation, limits)))
            .await
    }

    async fn scan(&self, after: Option<ArtifactId>, limit: u32) -> Result<Vec<Artifact>> {
        self.with_rows(|rows| Ok(rows.scan(after, limit))).await
    }

    async fn scan_events(&self, after: u64, limit: u32) -> Result<Vec<ArtifactEventRow>> {
        self.with_rows(|rows| Ok(rows.scan_events(after, limit)))
            .await
    }

    async fn counts(&self) -> Result<ArtifactCounts> {
        self.with_rows(|rows| Ok(rows.counts())).await
    }

    async fn rebuild(
        &self,
        permit: &LockPermit,
        head: CatalogHead,
        mut commits: ArtifactCommits,
    ) -> Result<Option<String>> {
        check_permit(permit)?;
        yield_now().await;
        let mut rows = Rows::empty(head);
        while let Some(commit) = commits.next().await {
            rows.change(&commit?)?;
        }
        rows.head = head;
        rows.check_all()?;
        let mut place = self.place();
        let moved_aside = match &place.database {
            Database::Newer => Some(format!("memory.newer-{}", place.identity)),
            Database::Damaged => Some(format!("memory.damaged-{}", place.identity)),
            Database::Rows(former) if former.head.store_id != head.store_id => {
                Some(format!("memory.other-{}", place.identity))
            }
            Database::Missing | Database::Rows(_) => None,
        };
        place.database = Database::Rows(rows);
        place.identity += 1;
        self.opened().identity = Some(place.identity);
        Ok(moved_aside)
    }

    async fn close(&self) {
        yield_now().await;
    }
}
