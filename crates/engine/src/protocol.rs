//! One pass of a leader, step by step. Written once for all domains; what differs between them is [`DomainRules`].
//!
//! | step | here |
//! |---|---|
//! | lock | [`Protocol::run`] takes the domain's lock |
//! | settle | [`Protocol::decide`] settles unless it can prove that there is nothing to settle |
//! | decide | [`DomainRules::decide`] |
//! | intend, publish | [`PublicationLog::publish`] |
//! | commit | [`DomainRules::apply`]: the linearisation point |
//! | derive | [`DomainRules::derive`] |
//! | answer | callers are answered, then the commit counter is left, the intent removed, the lock freed |
//!
//! Before its first final name exists, an operation fails definitely. After that there are only success and
//! [`CommitUnknown`](artstore_core::ErrorKind::CommitUnknown), and the intent stays until somebody has settled it.

use std::sync::Arc;
use std::time::Duration;

use artstore_core::backend::{
    Acquired, CatalogHead, Clock, DomainLock, IdSource, LockPermit, Publication, PublicationItem,
    PublicationLog,
};
use artstore_core::id::PublicationId;
use artstore_core::key::OpId;
use artstore_core::maintenance::{Fault, SettleReport};
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, ErrorKind, Result};
use async_trait::async_trait;

use crate::committer::Job;
use crate::settle::Comparison;
use crate::staged::StagedFiles;

/// What a domain decides for itself.
#[async_trait]
pub(crate) trait DomainRules: Send + Sync + Sized + 'static {
    /// A change that a caller asks for, with its staged files.
    type Work: Send + Sync + 'static;
    /// What a caller is told.
    type Outcome: Send + 'static;
    /// A change of rows.
    type Change: Send + Sync + 'static;
    /// Something to be derived from rows after they are committed.
    type Derived: Send + Sync + 'static;

    const DOMAIN: Domain;

    fn op_id(work: &Self::Work) -> &OpId;

    fn staged(work: &mut Self::Work) -> Option<&mut StagedFiles>;

    /// The catalog's head; fails if the catalog is another store's.
    async fn head(&self) -> Result<CatalogHead>;

    /// One verdict per work, all from one state of the catalog, whose head is returned too.
    async fn decide(&self, works: &[&Self::Work]) -> Result<(CatalogHead, Vec<Verdict<Self>>)>;

    /// Commits row changes in one transaction and returns the commit counter.
    async fn apply(&self, permit: &LockPermit, changes: Vec<Self::Change>) -> Result<u64>;

    /// Brings what is derived from rows up to them. What can never be brought up is reported; an error says that trying
    /// again later may help.
    async fn derive(&self, permit: &LockPermit, derived: Vec<Self::Derived>) -> Result<Vec<Fault>>;

    /// Gives operations that happened, named by their markers, their rows and what is derived from them.
    async fn adopt(
        &self,
        permit: &LockPermit,
        markers: &[RelPath],
        report: &mut SettleReport,
    ) -> Result<()>;

    /// Compares all records and events with the rows.
    async fn compare_all(&self, permit: &LockPermit, report: &mut SettleReport) -> Result<()>;

    /// Raises the commit counter to at least `least`.
    async fn raise_commits(&self, permit: &LockPermit, least: u64) -> Result<()>;

    /// Makes the catalog anew from records and events; its commit counter will be `commits`.
    async fn rebuild(&self, permit: &LockPermit, commits: u64) -> Result<RebuildCounts>;
}

/// What a rebuild read and found.
#[derive(Debug, Default)]
pub(crate) struct RebuildCounts {
    pub(crate) records: u64,
    pub(crate) events: u64,
    pub(crate) moved_aside: Option<String>,
    pub(crate) faults: Vec<Fault>,
}

/// What is decided about one change.
pub(crate) enum Verdict<R: DomainRules> {
    /// Nothing is to be written.
    Answer(Result<R::Outcome>),
    /// It rests on another change of the same batch and waits for the next pass.
    Defer,
    /// This is to be written.
    Write(Box<Write<R>>),
}

/// What a change writes, and what its caller is told once that is committed.
pub(crate) struct Write<R: DomainRules> {
    pub(crate) publication: PublicationItem,
    pub(crate) changes: Vec<R::Change>,
    pub(crate) derived: Vec<R::Derived>,
    pub(crate) outcome: R::Outcome,
}

/// The one protocol for every change of a domain.
pub(crate) struct Protocol<R: DomainRules> {
    pub(crate) rules: Arc<R>,
    pub(crate) publications: Arc<dyn PublicationLog>,
    pub(crate) lock: Arc<dyn DomainLock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) patience: Duration,
}

/// A change that is being published: its files get final names, then its rows are committed.
struct Published<R: DomainRules> {
    job: Job<R>,
    write: Write<R>,
}

impl<R: DomainRules> Published<R> {
    /// Staged files that have final names are staged no more. A late duplicate publishes only an event and leaves its own.
    async fn release_staged(&mut self) {
        if self.write.publication.files.is_empty() {
            discard(&mut self.job).await;
        } else if let Some(staged) = R::staged(&mut self.job.work) {
            staged.forget();
        }
    }
}

impl<R: DomainRules> Protocol<R> {
    /// Runs one pass for `batch`, answers its callers, and returns what waits for the next pass.
    ///
    /// # Errors
    /// `Busy` if the lock was not free in time; the callers know.
    pub(crate) async fn run(&self, mut batch: Vec<Job<R>>) -> Result<Vec<Job<R>>> {
        let patience = batch.iter().map(Job::patience).max().unwrap_or_default();
        let acquired = tokio::select! {
            biased;
            acquired = self.lock.acquire(R::DOMAIN, patience) => acquired,
            () = all_abandoned(&mut batch) => Err(Error::unavailable("nobody waits any more")),
        };
        let acquired = match acquired {
            Ok(acquired) => acquired,
            Err(error) => {
                fail_all(batch, &error).await;
                return match error.kind() {
                    ErrorKind::Busy => Err(error),
                    _ => Ok(Vec::new()),
                };
            }
        };
        let works: Vec<&R::Work> = batch.iter().map(|job| &job.work).collect();
        let decided = self.decide(&acquired, &works).await;
        let (head, verdicts) = match decided {
            Ok(decided) => decided,
            Err(error) => {
                fail_all(batch, &error).await;
                return Ok(Vec::new());
            }
        };
        let mut deferred = Vec::new();
        let mut writes = Vec::new();
        for (mut job, verdict) in batch.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Defer => deferred.push(job),
                Verdict::Answer(outcome) => {
                    discard(&mut job).await;
                    job.answer(outcome);
                }
                Verdict::Write(write) => writes.push(Published { job, write: *write }),
            }
        }
        if !writes.is_empty() {
            self.write(&acquired.permit, head, writes).await;
        }
        Ok(deferred)
    }

    /// Decides from a catalog that is this store's and complete, settling first where that is not certain.
    async fn decide(
        &self,
        acquired: &Acquired,
        works: &[&R::Work],
    ) -> Result<(CatalogHead, Vec<Verdict<R>>)> {
        let intents = self.publications.intents(&acquired.permit).await?;
        if intents.is_empty() && acquired.commits.is_some() {
            match self.rules.decide(works).await {
                Ok(decided) if Some(decided.0.commits) == acquired.commits => return Ok(decided),
                Ok(_) => {
                    tracing::info!(domain = %R::DOMAIN, "the catalog is not the one last committed to");
                }
                Err(error) if error.is_catalog_missing() => {}
                Err(error) => return Err(error),
            }
        }
        self.settle(acquired, intents, Comparison::WhereUnexplained)
            .await?;
        self.rules.decide(works).await
    }

    async fn write(&self, permit: &LockPermit, head: CatalogHead, writes: Vec<Published<R>>) {
        let publication = Publication {
            id: PublicationId::from_uuid(self.ids.next_id()),
            domain: R::DOMAIN,
            items: writes
                .iter()
                .map(|published| published.write.publication.clone())
                .collect(),
        };
        let id = publication.id;
        let results = match self.publications.publish(permit, publication).await {
            Ok(results) => results,
            Err(error) => {
                let jobs = writes.into_iter().map(|published| published.job).collect();
                fail_all(jobs, &error).await;
                return;
            }
        };
        let mut intent_stays = false;
        let mut published = Vec::new();
        for (mut item, result) in writes.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    item.release_staged().await;
                    published.push(item);
                }
                Err(error) if error.kind() == ErrorKind::CommitUnknown => {
                    intent_stays = true;
                    // What has a final name is staged no more; settling decides about it.
                    discard(&mut item.job).await;
                    item.job.answer(Err(error));
                }
                Err(error) => {
                    discard(&mut item.job).await;
                    item.job.answer(Err(error));
                }
            }
        }
        let Some(commits) = self
            .commit(permit, head, published, &mut intent_stays)
            .await
        else {
            return;
        };
        self.conclude(permit, id, commits, intent_stays).await;
    }

    /// Commits the rows of everything that has final names, derives, and answers. Returns the commit counter, or `None`
    /// if the intent must stay and nothing is known of the counter.
    async fn commit(
        &self,
        permit: &LockPermit,
        head: CatalogHead,
        mut published: Vec<Published<R>>,
        intent_stays: &mut bool,
    ) -> Option<u64> {
        if published.is_empty() {
            return Some(head.commits);
        }
        let changes = published
            .iter_mut()
            .flat_map(|item| std::mem::take(&mut item.write.changes))
            .collect();
        let commits = match self.rules.apply(permit, changes).await {
            Ok(commits) if commits == head.commits + 1 => commits,
            applied => match self.restore_after(permit, head, applied).await {
                Ok(commits) => commits,
                Err(error) => {
                    tracing::error!(domain = %R::DOMAIN, %error, "rows could not be committed");
                    for item in published {
                        let op_id = R::op_id(&item.job.work).clone();
                        item.job
                            .answer(Err(Error::commit_unknown(&op_id).caused_by(error.clone())));
                    }
                    return None;
                }
            },
        };
        let derived = published
            .iter_mut()
            .flat_map(|item| std::mem::take(&mut item.write.derived))
            .collect();
        match self.rules.derive(permit, derived).await {
            Ok(faults) => report_faults::<R>(&faults),
            Err(error) => {
                // The change is committed and its event durable; settling the intent derives again.
                tracing::warn!(domain = %R::DOMAIN, %error, "records could not be brought up to their rows");
                *intent_stays = true;
            }
        }
        for Published { job, write } in published {
            job.answer(Ok(write.outcome));
        }
        Some(commits)
    }

    /// The database was deleted or exchanged between deciding and committing: what was published is the truth, and rows
    /// are made from it.
    async fn restore_after(
        &self,
        permit: &LockPermit,
        head: CatalogHead,
        applied: Result<u64>,
    ) -> Result<u64> {
        match applied {
            Ok(_) => {
                let mut report = SettleReport::default();
                self.rules.compare_all(permit, &mut report).await?;
                let fresh =
                    self.fresh_counter(Some(head.commits), self.rules.head().await?.commits);
                self.rules.raise_commits(permit, fresh).await?;
            }
            Err(error) if error.is_catalog_missing() => {
                let fresh = self.fresh_counter(Some(head.commits), 0);
                self.rules.rebuild(permit, fresh).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(self.rules.head().await?.commits)
    }

    /// Leaves the commit counter for the next holder, then removes the intent: in this order a death in between is
    /// explained by the intent. Failures here cost the next holder time and nothing else.
    async fn conclude(
        &self,
        permit: &LockPermit,
        id: PublicationId,
        commits: u64,
        intent_stays: bool,
    ) {
        if let Err(error) = self.lock.leave_commits(permit, commits).await {
            tracing::warn!(domain = %R::DOMAIN, %error, "the commit counter could not be left");
        }
        if intent_stays {
            return;
        }
        if let Err(error) = self.publications.finish(permit, id).await {
            tracing::warn!(domain = %R::DOMAIN, %error, "an intent could not be removed");
        }
    }
}

async fn all_abandoned<R: DomainRules>(batch: &mut [Job<R>]) {
    for job in batch {
        job.abandoned().await;
    }
}

pub(crate) async fn fail_all<R: DomainRules>(jobs: Vec<Job<R>>, error: &Error) {
    for mut job in jobs {
        discard(&mut job).await;
        job.answer(Err(error.clone()));
    }
}

async fn discard<R: DomainRules>(job: &mut Job<R>) {
    if let Some(staged) = R::staged(&mut job.work) {
        staged.discard().await;
    }
}

pub(crate) fn report_faults<R: DomainRules>(faults: &[Fault]) {
    for fault in faults {
        tracing::warn!(domain = %R::DOMAIN, kind = %fault.kind, path = %fault.path, detail = fault.detail, "fault");
    }
}
