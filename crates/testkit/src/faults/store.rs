use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{
    BlobList, BlobReader, BlobStore, LockPermit, Progress, Publication, PublicationLog, RandomRead,
    SettledItem, SourceFacts, StagedFile, StagedSource, StagingWriter, SweepReport,
};
use artstore_core::format::{Intent, IntentItem};
use artstore_core::id::{PublicationId, StagingId};
use artstore_core::path::RelPath;
use artstore_core::{Domain, Result};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;

use super::Faults;
use super::io::{FaultyReader, FaultyWriter};

/// Bytes and publications whose calls fail as [`Faults`] say. Methods are named as in their traits, those of what is opened
/// for reading `read_exact_at` and `check_unchanged`, those of what is opened for staging `write_all` and `finish_staging`.
#[derive(Debug)]
pub struct FaultyStore {
    blobs: Arc<dyn BlobStore>,
    log: Arc<dyn PublicationLog>,
    faults: Faults,
}

impl FaultyStore {
    /// `blobs` and `log` with these faults.
    pub fn new(blobs: Arc<dyn BlobStore>, log: Arc<dyn PublicationLog>, faults: Faults) -> Self {
        Self { blobs, log, faults }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl BlobStore for FaultyStore {
    async fn source_size(&self, source: &ArtifactSource) -> Result<u64> {
        let call = self.faults.enter("source_size")?;
        call.with(self.blobs.source_size(source).await)
    }

    async fn hash_source(
        &self,
        source: &ArtifactSource,
        progress: Arc<dyn Progress>,
    ) -> Result<SourceFacts> {
        let call = self.faults.enter("hash_source")?;
        call.with(self.blobs.hash_source(source, progress).await)
    }

    async fn stage(
        &self,
        id: StagingId,
        source: &ArtifactSource,
        progress: Arc<dyn Progress>,
    ) -> Result<StagedSource> {
        let call = self.faults.enter("stage")?;
        call.with(self.blobs.stage(id, source, progress).await)
    }

    async fn stage_document(&self, id: StagingId, document: Bytes) -> Result<StagedFile> {
        let call = self.faults.enter("stage_document")?;
        call.with(self.blobs.stage_document(id, document).await)
    }

    async fn open_source(&self, source: &ArtifactSource) -> Result<Arc<dyn RandomRead>> {
        let call = self.faults.enter("open_source")?;
        let opened = call.with(self.blobs.open_source(source).await)?;
        Ok(Arc::new(FaultyReader::new(opened, self.faults.clone())))
    }

    async fn open_staged(&self, staged: &StagedFile) -> Result<Arc<dyn RandomRead>> {
        let call = self.faults.enter("open_staged")?;
        let opened = call.with(self.blobs.open_staged(staged).await)?;
        Ok(Arc::new(FaultyReader::new(opened, self.faults.clone())))
    }

    async fn begin_staging(&self, id: StagingId) -> Result<Box<dyn StagingWriter>> {
        let call = self.faults.enter("begin_staging")?;
        let begun = call.with(self.blobs.begin_staging(id).await)?;
        Ok(Box::new(FaultyWriter::new(begun, self.faults.clone())))
    }

    async fn discard(&self, staged: Vec<StagedFile>) {
        if self.faults.enter("discard").is_ok() {
            self.blobs.discard(staged).await;
        }
    }

    async fn close(&self) {
        if self.faults.enter("close").is_ok() {
            self.blobs.close().await;
        }
    }

    async fn open(&self, path: &RelPath) -> Result<Option<BlobReader>> {
        let call = self.faults.enter("open")?;
        call.with(self.blobs.open(path).await)
    }

    async fn size(&self, path: &RelPath) -> Result<Option<u64>> {
        let call = self.faults.enter("size")?;
        call.with(self.blobs.size(path).await)
    }

    async fn read_document(&self, path: &RelPath) -> Result<Option<Bytes>> {
        let call = self.faults.enter("read_document")?;
        call.with(self.blobs.read_document(path).await)
    }

    fn list(&self, directory: &RelPath) -> BlobList {
        let entered = self.faults.enter("list");
        match entered.and_then(|call| call.with(Ok(()))) {
            Ok(()) => self.blobs.list(directory),
            Err(error) => Box::pin(stream::iter([Err(error)])),
        }
    }

    fn local_path(&self, path: &RelPath) -> Option<PathBuf> {
        self.blobs.local_path(path)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl PublicationLog for FaultyStore {
    async fn publish(
        &self,
        permit: &LockPermit,
        publication: Publication,
    ) -> Result<Vec<Result<()>>> {
        let op_ids: Vec<_> = publication
            .items
            .iter()
            .map(|item| item.op_id.clone())
            .collect();
        let call = self.faults.enter("publish")?;
        let results = self.log.publish(permit, publication).await?;
        // A definite error of a publication that happened would be a lie.
        match call.with(Ok(())) {
            Ok(()) => Ok(results),
            Err(_) => Ok(op_ids
                .iter()
                .map(|op_id| Err(artstore_core::Error::commit_unknown(op_id)))
                .collect()),
        }
    }

    async fn replace_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()> {
        let call = self.faults.enter("replace_document")?;
        call.with(self.log.replace_document(permit, path, document).await)
    }

    async fn put_document(
        &self,
        permit: &LockPermit,
        path: &RelPath,
        document: Bytes,
    ) -> Result<()> {
        let call = self.faults.enter("put_document")?;
        call.with(self.log.put_document(permit, path, document).await)
    }

    async fn finish(&self, permit: &LockPermit, publication: PublicationId) -> Result<()> {
        let call = self.faults.enter("finish")?;
        call.with(self.log.finish(permit, publication).await)
    }

    async fn intents(&self, permit: &LockPermit) -> Result<Vec<Intent>> {
        let call = self.faults.enter("intents")?;
        call.with(self.log.intents(permit).await)
    }

    async fn pending(&self, domain: Domain) -> Result<u64> {
        let call = self.faults.enter("pending")?;
        call.with(self.log.pending(domain).await)
    }

    async fn settle_item(&self, permit: &LockPermit, item: &IntentItem) -> Result<SettledItem> {
        let call = self.faults.enter("settle_item")?;
        call.with(self.log.settle_item(permit, item).await)
    }

    async fn quarantine(&self, permit: &LockPermit, path: &RelPath) -> Result<RelPath> {
        let call = self.faults.enter("quarantine")?;
        call.with(self.log.quarantine(permit, path).await)
    }

    async fn sweep_staging(&self, permit: &LockPermit) -> Result<SweepReport> {
        let call = self.faults.enter("sweep_staging")?;
        call.with(self.log.sweep_staging(permit).await)
    }
}
