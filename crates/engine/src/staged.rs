//! Staged files that are discarded unless they are published.

use std::sync::Arc;

use artstore_core::backend::{BlobStore, StagedFile};

/// Staged files of one change. Dropping them before they are published discards them, so that no early return, error or
/// dropped caller leaves anything behind.
#[derive(Debug)]
pub(crate) struct StagedFiles {
    blobs: Arc<dyn BlobStore>,
    files: Vec<StagedFile>,
}

impl StagedFiles {
    pub(crate) fn new(blobs: Arc<dyn BlobStore>) -> Self {
        Self {
            blobs,
            files: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, file: StagedFile) {
        self.files.push(file);
    }

    pub(crate) fn files(&self) -> &[StagedFile] {
        &self.files
    }

    /// The files have final names, or settling will find out: they are not to be discarded any more.
    pub(crate) fn forget(&mut self) {
        self.files.clear();
    }

    pub(crate) async fn discard(&mut self) {
        let files = std::mem::take(&mut self.files);
        if !files.is_empty() {
            self.blobs.discard(files).await;
        }
    }
}

impl Drop for StagedFiles {
    fn drop(&mut self) {
        let files = std::mem::take(&mut self.files);
        if files.is_empty() {
            return;
        }
        // Without a runtime nobody can discard; the files are swept when their owner is dead.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let blobs = Arc::clone(&self.blobs);
            runtime.spawn(async move { blobs.discard(files).await });
        }
    }
}
