//! Documents that are written whole: staged, or in the place of another one.

use std::path::Path;

use artstore_core::Result;
use artstore_core::id::StagingId;
use artstore_core::path::RelPath;

use crate::copy;
use crate::staging::StagedKind;
use crate::store::Inner;

impl Inner {
    /// Writes and syncs a document in staging.
    pub(crate) fn stage_document(&self, id: StagingId, document: &[u8]) -> Result<RelPath> {
        let (path, mut output) = self.staging.create(id, StagedKind::Document)?;
        copy::write_small(document, output.as_mut()).map_err(|failure| {
            self.remove_quietly(&path);
            self.failure(failure, Path::new("document"), Some(&path))
        })?;
        Ok(path)
    }

    /// Replaces a document: written and synced in staging, then renamed over.
    ///
    /// The directory is not synced: such a document is brought up to date from its events, which are durable, and the
    /// old one is whole as well.
    pub(crate) fn replace_document(&self, path: &RelPath, document: &[u8]) -> Result<()> {
        self.replace_after(path, document, || Ok(()))
    }

    /// Gives `path` a document whatever was there, as [`Self::replace_document`] does, and makes its name durable.
    ///
    /// No intent tells of directories that were made for it. So those that exist are not believed either: who made them
    /// may have been killed before it synced them.
    pub(crate) fn put_document(&self, path: &RelPath, document: &[u8]) -> Result<()> {
        let directory = path.parent();
        self.replace_after(path, document, || {
            let wanted = directory.iter().cloned().collect();
            self.make_directories(&wanted, |_| self.sync_chain(directory.as_ref()))
                .map_err(|failed| failed.error)
        })?;
        self.sync_names(directory.as_ref())
    }

    /// Renames the staged document to `path` once `prepare` has succeeded; after an error it is not staged any more.
    fn replace_after(
        &self,
        path: &RelPath,
        document: &[u8],
        prepare: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let id = StagingId::from_uuid(self.ids.next_id());
        let staged = self.stage_document(id, document)?;
        let replace = || {
            self.vfs
                .rename_over(&staged, path)
                .map_err(|error| self.failed("replace", Some(path), error))
        };
        prepare()
            .and_then(|()| replace())
            .inspect_err(|_| self.remove_quietly(&staged))
    }
}
