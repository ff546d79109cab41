//! [`BlobStore`]: staging sources and documents, and the way into [`crate::read`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use artstore_core::Result;
use artstore_core::artifact::ArtifactSource;
use artstore_core::backend::{
    BlobList, BlobReader, BlobStore, Progress, RandomRead, SourceFacts, StagedFile, StagedLocation,
    StagedSource, StagingWriter,
};
use artstore_core::digest::Digest;
use artstore_core::id::StagingId;
use artstore_core::layout::STAGING;
use artstore_core::path::RelPath;
use async_trait::async_trait;
use bytes::Bytes;

use crate::copy::{self, Failure, Watch};
use crate::error;
use crate::input::OpenInput;
use crate::read;
use crate::source;
use crate::staging::StagedKind;
use crate::staging_writer::FsStagingWriter;
use crate::store::{Abandoned, FsStore, Inner};
use crate::vfs::VfsFile;

#[async_trait]
impl BlobStore for FsStore {
    async fn source_size(&self, source: &ArtifactSource) -> Result<u64> {
        let path = match source {
            ArtifactSource::Bytes(bytes) => return Ok(bytes.len() as u64),
            ArtifactSource::File(path) | ArtifactSource::AdoptFile(path) => path.clone(),
        };
        self.run(move |inner| source::size(inner.vfs.as_ref(), &path))
            .await
    }

    async fn hash_source(
        &self,
        source: &ArtifactSource,
        progress: Arc<dyn Progress>,
    ) -> Result<SourceFacts> {
        let source = source.clone();
        let abandoned = Abandoned::default();
        let _guard = abandoned.when_dropped();
        self.run(move |inner| inner.hash_source(&source, &progress, abandoned))
            .await
    }

    async fn stage(
        &self,
        id: StagingId,
        source: &ArtifactSource,
        progress: Arc<dyn Progress>,
    ) -> Result<StagedSource> {
        let source = source.clone();
        let abandoned = Abandoned::default();
        let _guard = abandoned.when_dropped();
        let inner = Arc::clone(self.inner());
        let staged = self
            .run(move |_| {
                let staged = inner.stage(id, &source, &progress, abandoned)?;
                let unclaimed = Unclaimed::new(inner, staged.file.clone(), staged);
                Ok(unclaimed.told_to(progress))
            })
            .await?;
        staged.claim()
    }

    async fn stage_document(&self, id: StagingId, document: Bytes) -> Result<StagedFile> {
        let inner = Arc::clone(self.inner());
        let staged = self
            .run(move |_| {
                let path = inner.stage_document(id, &document)?;
                let file = in_staging(id, path);
                Ok(Unclaimed::new(inner, file.clone(), file))
            })
            .await?;
        staged.claim()
    }

    async fn open_source(&self, source: &ArtifactSource) -> Result<Arc<dyn RandomRead>> {
        let source = source.clone();
        self.run(move |inner| inner.open_source(&source)).await
    }

    async fn open_staged(&self, staged: &StagedFile) -> Result<Arc<dyn RandomRead>> {
        let staged = staged.clone();
        self.run(move |inner| inner.open_staged(staged)).await
    }

    async fn begin_staging(&self, id: StagingId) -> Result<Box<dyn StagingWriter>> {
        let inner = Arc::clone(self.inner());
        self.run(
            move |_| Ok(Box::new(FsStagingWriter::begin(inner, id)?) as Box<dyn StagingWriter>),
        )
        .await
    }

    async fn discard(&self, staged: Vec<StagedFile>) {
        let removed = self.run(move |inner| {
            staged.iter().for_each(|file| inner.discard(file));
            Ok(())
        });
        // What stays behind is swept later.
        let _ = removed.await;
    }

    async fn close(&self) {
        let released = self.run(|inner| {
            inner.staging.release();
            Ok(())
        });
        // What is not released is swept when this process is dead.
        let _ = released.await;
    }

    async fn open(&self, path: &RelPath) -> Result<Option<BlobReader>> {
        read::open(self, path.clone()).await
    }

    async fn size(&self, path: &RelPath) -> Result<Option<u64>> {
        let path = path.clone();
        self.run(move |inner| inner.size(&path)).await
    }

    async fn read_document(&self, path: &RelPath) -> Result<Option<Bytes>> {
        let path = path.clone();
        self.run(move |inner| inner.read_document(&path)).await
    }

    fn list(&self, directory: &RelPath) -> BlobList {
        read::list(Arc::clone(self.inner()), directory.clone())
    }

    fn local_path(&self, path: &RelPath) -> Option<PathBuf> {
        Some(self.inner().vfs.root().join(path))
    }
}

impl Inner {
    fn hash_source(
        &self,
        source: &ArtifactSource,
        progress: &Arc<dyn Progress>,
        abandoned: Abandoned,
    ) -> Result<SourceFacts> {
        match source {
            ArtifactSource::Bytes(bytes) => Ok(SourceFacts {
                size_bytes: bytes.len() as u64,
                digest: Digest::of(bytes),
            }),
            ArtifactSource::File(path) => self.hash_file(path, progress, abandoned),
            ArtifactSource::AdoptFile(path) => {
                let path = source::adoptable(self.vfs.as_ref(), path)?;
                self.hash_file(&path, progress, abandoned)
            }
        }
    }

    fn hash_file(
        &self,
        path: &Path,
        progress: &Arc<dyn Progress>,
        abandoned: Abandoned,
    ) -> Result<SourceFacts> {
        let mut opened = self.open_input(path)?;
        let watch = watch("hashing", opened.before.size, progress, abandoned);
        let facts = copy::hash(opened.file.as_mut(), &watch)
            .map_err(|failure| self.failure(failure, path, None))?;
        opened.check_unchanged()?;
        Ok(facts)
    }

    fn stage(
        &self,
        id: StagingId,
        source: &ArtifactSource,
        progress: &Arc<dyn Progress>,
        abandoned: Abandoned,
    ) -> Result<StagedSource> {
        match source {
            ArtifactSource::Bytes(bytes) => {
                let watch = watch("staging", bytes.len() as u64, progress, abandoned);
                let given = Path::new("bytes given by the caller");
                let (path, facts) =
                    self.stage_with(id, given, |output| copy::store(bytes, output, &watch))?;
                Ok(staged(in_staging(id, path), facts))
            }
            ArtifactSource::File(from) => {
                let mut opened = self.open_input(from)?;
                let watch = watch("staging", opened.before.size, progress, abandoned);
                let (path, facts) = self.stage_with(id, from, |output| {
                    copy::copy(opened.file.as_mut(), output, &watch)
                })?;
                opened
                    .check_unchanged()
                    .inspect_err(|_| self.remove_quietly(&path))?;
                Ok(staged(in_staging(id, path), facts))
            }
            ArtifactSource::AdoptFile(from) => {
                let from = source::adoptable(self.vfs.as_ref(), from)?;
                self.stage_in_place(id, from, progress, abandoned)
            }
        }
    }

    /// Creates the staged file and lets `write` fill and sync it; after an error nothing is left.
    fn stage_with(
        &self,
        id: StagingId,
        from: &Path,
        write: impl FnOnce(&mut dyn VfsFile) -> Result<SourceFacts, Failure>,
    ) -> Result<(RelPath, SourceFacts)> {
        let (path, mut output) = self.staging.create(id, StagedKind::Data)?;
        let written = write(output.as_mut());
        drop(output);
        match written {
            Ok(facts) => Ok((path, facts)),
            Err(failure) => {
                self.remove_quietly(&path);
                Err(self.failure(failure, from, Some(&path)))
            }
        }
    }

    fn open_input(&self, path: &Path) -> Result<OpenInput> {
        OpenInput::open(&self.vfs, StagedLocation::Source(path.to_owned()))
    }

    /// Hashes and syncs a file to be adopted where it is, both at once.
    fn stage_in_place(
        &self,
        id: StagingId,
        from: PathBuf,
        progress: &Arc<dyn Progress>,
        abandoned: Abandoned,
    ) -> Result<StagedSource> {
        let mut opened = self.open_input(&from)?;
        let watch = watch("staging", opened.before.size, progress, abandoned);
        let failure = |failure| self.failure(failure, &from, None);
        let facts = copy::hash_and_sync(opened.file.as_mut(), &watch).map_err(failure)?;
        opened.check_unchanged()?;
        let fingerprint = source::fingerprint(&opened.before);
        let file = StagedFile {
            id,
            location: StagedLocation::Source(from.clone()),
            fingerprint: Some(fingerprint),
        };
        Ok(staged(file, facts))
    }

    /// Removes a staged file; sources to be adopted are the caller's.
    fn discard(&self, file: &StagedFile) {
        if let StagedLocation::Staging(path) = &file.location
            && path.components().next() == Some(STAGING)
        {
            self.remove_quietly(path);
        }
    }

    pub(crate) fn failure(
        &self,
        failure: Failure,
        from: &Path,
        to: Option<&RelPath>,
    ) -> artstore_core::Error {
        match failure {
            Failure::Source(error) => error::source("read", from, error),
            // The system may call the pages of a failed sync clean: another sync of this file would prove nothing.
            Failure::Target(operation, error) if to.is_none() => {
                error::source(operation, from, error).hint("publish a copy instead of adopting it")
            }
            Failure::Target(operation, error) => self.failed(operation, to, error),
            Failure::Changed => error::source_changed(from),
            Failure::Abandoned => error::abandoned(from),
            Failure::NoThread(error) => error::no_thread(error),
            Failure::Panicked(work) => error::thread_lost(work),
        }
    }
}

fn watch(
    activity: &'static str,
    total: u64,
    progress: &Arc<dyn Progress>,
    abandoned: Abandoned,
) -> Watch {
    Watch {
        progress: Arc::clone(progress),
        activity,
        total,
        abandoned,
    }
}

pub(crate) fn in_staging(id: StagingId, path: RelPath) -> StagedFile {
    StagedFile {
        id,
        location: StagedLocation::Staging(path),
        fingerprint: None,
    }
}

pub(crate) fn staged(file: StagedFile, facts: SourceFacts) -> StagedSource {
    StagedSource { file, facts }
}

/// The result of staging on its way to the caller; removed if the caller is gone.
struct Unclaimed<T> {
    inner: Arc<Inner>,
    file: StagedFile,
    result: Option<T>,
    /// Whoever is told of the progress may wait until nothing is left of the work.
    _listener: Option<Arc<dyn Progress>>,
}

impl<T> Unclaimed<T> {
    fn new(inner: Arc<Inner>, file: StagedFile, result: T) -> Self {
        Self {
            inner,
            file,
            result: Some(result),
            _listener: None,
        }
    }

    fn told_to(mut self, listener: Arc<dyn Progress>) -> Self {
        self._listener = Some(listener);
        self
    }

    fn claim(mut self) -> Result<T> {
        self.result
            .take()
            .ok_or_else(|| artstore_core::Error::internal("a staged file was claimed twice"))
    }
}

impl<T> Drop for Unclaimed<T> {
    fn drop(&mut self) {
        if self.result.is_some() {
            self.inner.discard(&self.file);
        }
    }
}
