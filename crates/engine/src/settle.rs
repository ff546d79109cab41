//! What a leader does with the remains of others before it decides.
//!
//! Nobody can be in the middle of a publication while one holds the lock: every intent found belongs to a pass that ended,
//! whether its writer is dead or alive. What each intent names either happened (its marker has its final name), and gets
//! its row, or did not, and is taken back. Then the catalog is complete if its commit counter is the one that the last
//! holder left, or one more and there is an intent that explains it; otherwise all records are compared with the rows.

use artstore_core::Result;
use artstore_core::backend::{Acquired, CatalogHead, LockPermit, SettledItem};
use artstore_core::format::Intent;
use artstore_core::maintenance::{Fault, FaultKind, SettleReport};
use artstore_core::path::RelPath;

use crate::protocol::{DomainRules, Protocol, RebuildCounts, report_faults};

/// When all records are compared with the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Where the commit counter does not show that the catalog is complete.
    WhereUnexplained,
    /// In any case.
    Always,
}

impl<R: DomainRules> Protocol<R> {
    /// Settles under a lock that is held already.
    pub(crate) async fn settle(
        &self,
        acquired: &Acquired,
        intents: Vec<Intent>,
        comparison: Comparison,
    ) -> Result<SettleReport> {
        let permit = &acquired.permit;
        let mut report = SettleReport {
            intents: intents.len() as u64,
            ..SettleReport::default()
        };
        let head = match self.rules.head().await {
            Ok(head) => Some(head),
            Err(error) if error.is_catalog_missing() => None,
            Err(error) => return Err(error),
        };
        let markers = self.settle_intents(permit, &intents, &mut report).await?;
        match head {
            None => {
                let fresh = self.fresh_counter(acquired.commits, 0);
                let rebuilt = self.rules.rebuild(permit, fresh).await?;
                tracing::info!(domain = %R::DOMAIN, records = rebuilt.records, "a missing catalog was rebuilt");
                report.compared_all = true;
                report.adopted = rebuilt.records + rebuilt.events;
                report.checked = rebuilt.records;
                if let Some(place) = rebuilt.moved_aside {
                    tracing::warn!(domain = %R::DOMAIN, %place, "a database that was not this store's was kept under another name");
                }
                report.faults.extend(rebuilt.faults);
            }
            Some(head) => {
                let is_explained = is_explained(head, acquired.commits, !intents.is_empty());
                let compares = comparison == Comparison::Always || !is_explained;
                if compares {
                    // First: what the intents name may rest on events that an older catalog does not know.
                    self.rules.compare_all(permit, &mut report).await?;
                    report.compared_all = true;
                }
                self.rules.adopt(permit, &markers, &mut report).await?;
                if compares {
                    let fresh = self.fresh_counter(acquired.commits, head.commits);
                    self.rules.raise_commits(permit, fresh).await?;
                }
            }
        }
        self.leave(permit, &intents).await?;
        // Only now: until its intent is settled, a dead process's staging may hold what settling looks for.
        report.swept = self.publications.sweep_staging(permit).await?.removed;
        report_faults::<R>(&report.faults);
        Ok(report)
    }

    /// Takes the lock, settles, and compares everything whether or not that is needed.
    pub(crate) async fn settle_explicitly(&self) -> Result<SettleReport> {
        let acquired = self.lock.acquire(R::DOMAIN, self.patience).await?;
        let intents = self.publications.intents(&acquired.permit).await?;
        self.settle(&acquired, intents, Comparison::Always).await
    }

    /// Takes the lock and settles what must be settled: a missing catalog, intents, a catalog that is not the last one.
    pub(crate) async fn settle_if_needed(&self) -> Result<()> {
        let acquired = self.lock.acquire(R::DOMAIN, self.patience).await?;
        let intents = self.publications.intents(&acquired.permit).await?;
        match self.rules.head().await {
            Ok(head) if intents.is_empty() && acquired.commits == Some(head.commits) => Ok(()),
            Err(error) if !error.is_catalog_missing() => Err(error),
            // Somebody else may have rebuilt a missing one while this one waited for the lock; `settle` looks again.
            _ => self
                .settle(&acquired, intents, Comparison::WhereUnexplained)
                .await
                .map(drop),
        }
    }

    /// A counter that no copy of the catalog made so far has: more than any that is known, and where none is known, more
    /// than any that was reached by counting, because no store commits once a microsecond.
    pub(crate) fn fresh_counter(&self, left: Option<u64>, present: u64) -> u64 {
        let now = self.clock.now().as_unix_milliseconds();
        let microseconds = u64::try_from(now).unwrap_or(0).saturating_mul(1000);
        let known = left.unwrap_or(0).max(present);
        microseconds.max(known + 1)
    }

    /// Takes the lock, settles the intents and makes the catalog anew.
    pub(crate) async fn rebuild_explicitly(&self) -> Result<RebuildCounts> {
        let acquired = self.lock.acquire(R::DOMAIN, self.patience).await?;
        let permit = &acquired.permit;
        let intents = self.publications.intents(permit).await?;
        let mut report = SettleReport::default();
        self.settle_intents(permit, &intents, &mut report).await?;
        // A catalog that cannot be read tells no counter; the one that was left is as good, and none means that the
        // next holder compares.
        let known = self.rules.head().await.ok().map(|head| head.commits);
        let fresh = self.fresh_counter(acquired.commits, known.unwrap_or(0));
        let mut rebuilt = self.rules.rebuild(permit, fresh).await?;
        self.leave(permit, &intents).await?;
        rebuilt.faults.extend(report.faults);
        Ok(rebuilt)
    }

    /// Finishes or takes back every item of every intent, and returns the markers of those that happened.
    async fn settle_intents(
        &self,
        permit: &LockPermit,
        intents: &[Intent],
        report: &mut SettleReport,
    ) -> Result<Vec<RelPath>> {
        let mut markers = Vec::new();
        for item in intents.iter().flat_map(|intent| &intent.items) {
            match self.publications.settle_item(permit, item).await? {
                SettledItem::Happened => markers.push(item.marker.clone()),
                SettledItem::TakenBack(places) if places.is_empty() => {}
                SettledItem::TakenBack(places) => report.faults.push(Fault {
                    kind: FaultKind::InterruptedPublication,
                    path: item.marker.clone(),
                    detail: format!("taken back: {}", places.join(", ")),
                }),
            }
        }
        Ok(markers)
    }

    /// Leaves the commit counter, then removes the intents.
    async fn leave(&self, permit: &LockPermit, intents: &[Intent]) -> Result<()> {
        let head = self.rules.head().await?;
        self.lock.leave_commits(permit, head.commits).await?;
        for intent in intents {
            self.publications.finish(permit, intent.id).await?;
        }
        Ok(())
    }
}

fn is_explained(head: CatalogHead, left: Option<u64>, has_intents: bool) -> bool {
    let Some(left) = left else {
        return false;
    };
    head.commits == left || (has_intents && head.commits == left + 1)
}
