//! [`PublicationLog`]: every method's work keeps the permit of the domain's lock until it has really ended.

use artstore_core::backend::{
    LockPermit, Publication, PublicationLog, SettledItem, SweepReport, blocking,
};
use artstore_core::format::{Intent, IntentItem};
use artstore_core::id::PublicationId;
use artstore_core::key::OpId;
use artstore_core::path::RelPath;
use artstore_core::{Domain, Error, Result};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

use crate::error;
use crate::store::{FsStore, Inner};

#[async_trait]
impl PublicationLog for FsStore {
    async fn publish(
        &self,
        permit: &LockPermit,
        publication: Publication,
    ) -> Result<Vec<Result<()>>> {
        let op_ids: Vec<OpId> = publication.items.iter().map(|i| i.op_id.clone()).collect();
        let (inner, permit) = (Arc::clone(self.inner()), permit.clone());
        let work = move || {
            let published = inner.publish(publication);
            drop(permit);
            published
        };
        if blocking::is_allowed() {
            return work();
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(published) => published,
            Err(error) if error.is_cancelled() => Err(error::not_run(error)),
            // A panic may have come after a name was given.
            Err(_) => Ok(op_ids
                .iter()
                .map(|op| Err(Error::commit_unknown(op)))
                .collect()),
        }
    }

    async fn replace_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()> {
        let path = path.clone();
        self.run_under(permit, move |inner| {
            inner.replace_document(&path, &document)
        })
        .await
    }

    async fn put_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()> {
        let path = path.clone();
        self.run_under(permit, move |inner| inner.put_document(&path, &document))
            .await
    }

    async fn finish(&self, permit: &LockPermit, publication: PublicationId) -> Result<()> {
        let domain = permit.domain();
        self.run_under(permit, move |inner| {
            inner.remove_intent(domain, publication)
        })
        .await
    }

    async fn intents(&self, permit: &LockPermit) -> Result<Vec<Intent>> {
        let domain = permit.domain();
        self.run_under(permit, move |inner| inner.intents(domain))
            .await
    }

    async fn pending(&self, domain: Domain) -> Result<u64> {
        self.run(move |inner| Ok(inner.intent_ids(domain)?.len() as u64))
            .await
    }

    async fn settle_item(&self, permit: &LockPermit, item: &IntentItem) -> Result<SettledItem> {
        let item = item.clone();
        self.run_under(permit, move |inner| inner.settle_item(&item))
            .await
    }

    async fn quarantine(&self, permit: &LockPermit, path: &RelPath) -> Result<RelPath> {
        let path = path.clone();
        self.run_under(permit, move |inner| inner.quarantine(&path))
            .await
    }

    async fn sweep_staging(&self, permit: &LockPermit) -> Result<SweepReport> {
        self.run_under(permit, |inner| inner.staging.sweep()).await
    }
}

impl FsStore {
    async fn run_under<T: Send + 'static>(
        &self,
        permit: &LockPermit,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = permit.clone();
        self.run(move |inner| {
            let result = work(inner);
            drop(permit);
            result
        })
        .await
    }
}
