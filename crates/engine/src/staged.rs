//! Staged files that are discarded unless they are published.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use artstore_core::backend::{BlobStore, StagedFile, StagedSource, StagingWriter};
use artstore_core::id::StagingId;
use artstore_core::{Error, Result};
use bytes::Bytes;
use tokio::runtime::Handle;

use crate::activity::{Activity, to_its_end};

/// Staged files of one change. Dropping them before they are published discards them, so that no early return, error or
/// dropped caller leaves anything behind.
#[derive(Debug)]
pub(crate) struct StagedFiles {
    keeper: Keeper,
}

/// Takes staged files in for a caller who may go away meanwhile.
#[derive(Clone)]
struct Keeper {
    blobs: Arc<dyn BlobStore>,
    kept: Arc<Mutex<Kept>>,
    /// Lasts until everything is published or discarded.
    activity: Activity,
}

#[derive(Debug, Default)]
struct Kept {
    files: Vec<StagedFile>,
    is_given_up: bool,
}

impl StagedFiles {
    pub(crate) fn new(blobs: Arc<dyn BlobStore>, activity: Activity) -> Self {
        Self {
            keeper: Keeper {
                blobs,
                kept: Arc::default(),
                activity,
            },
        }
    }

    pub(crate) fn push(&mut self, file: StagedFile) {
        self.keeper.lock().files.push(file);
    }

    /// In the order in which they were staged.
    pub(crate) fn files(&self) -> Vec<StagedFile> {
        self.keeper.lock().files.clone()
    }

    /// Stages `document` as one of them.
    pub(crate) async fn stage_document(&mut self, id: StagingId, document: Bytes) -> Result<()> {
        let keeper = self.keeper.clone();
        to_its_end(keeper.activity.clone(), async move {
            let file = keeper.blobs.stage_document(id, document).await?;
            keeper.keep(&Handle::current(), file)
        })
        .await
    }

    /// A file that others write, and that is one of them once it is finished.
    pub(crate) async fn begin(&self, id: StagingId) -> Result<Box<dyn StagingWriter>> {
        let keeper = self.keeper.clone();
        let writer = to_its_end(keeper.activity.clone(), async move {
            let writer = keeper.blobs.begin_staging(id).await?;
            Ok(KeptWriter {
                writer,
                keeper,
                runtime: Handle::current(),
            })
        });
        Ok(Box::new(writer.await?))
    }

    /// The files have final names, or settling will find out: they are not to be discarded any more.
    pub(crate) fn forget(&mut self) {
        self.keeper.lock().files.clear();
    }

    pub(crate) async fn discard(&mut self) {
        let files = std::mem::take(&mut self.keeper.lock().files);
        if !files.is_empty() {
            self.keeper.blobs.discard(files).await;
        }
    }
}

impl Drop for StagedFiles {
    fn drop(&mut self) {
        let mut kept = self.keeper.lock();
        kept.is_given_up = true;
        let files = std::mem::take(&mut kept.files);
        drop(kept);
        if files.is_empty() {
            return;
        }
        // Without a runtime nobody can discard; the files are swept when their owner is dead.
        if let Ok(runtime) = Handle::try_current() {
            self.keeper.discard_on(&runtime, files);
        }
    }
}

impl Keeper {
    /// Takes `file` in, or discards it if nobody waits for it any more.
    fn keep(&self, runtime: &Handle, file: StagedFile) -> Result<()> {
        let mut kept = self.lock();
        if !kept.is_given_up {
            kept.files.push(file);
            return Ok(());
        }
        drop(kept);
        self.discard_on(runtime, vec![file]);
        Err(Error::unavailable("nobody waits any more"))
    }

    fn discard_on(&self, runtime: &Handle, files: Vec<StagedFile>) {
        let (blobs, activity) = (Arc::clone(&self.blobs), self.activity.clone());
        runtime.spawn(async move {
            blobs.discard(files).await;
            drop(activity);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keeper").field(&*self.lock()).finish()
    }
}

/// A staged file that is being written by a thread that does not know whether its caller still waits.
#[derive(Debug)]
struct KeptWriter {
    writer: Box<dyn StagingWriter>,
    keeper: Keeper,
    runtime: Handle,
}

impl StagingWriter for KeptWriter {
    fn write_all(&mut self, data: &[u8]) -> Result<()> {
        self.writer.write_all(data)
    }

    fn finish(self: Box<Self>) -> Result<StagedSource> {
        let staged = self.writer.finish()?;
        self.keeper.keep(&self.runtime, staged.file.clone())?;
        Ok(staged)
    }
}
