//! The store on a filesystem, and how its work gets off the async threads.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use artstore_core::backend::{IdSource, blocking};
use artstore_core::path::RelPath;
use artstore_core::{Error, Result};

use crate::error;
use crate::staging::Staging;
use crate::vfs::Vfs;

/// Bytes, publications and the root of a store on a filesystem: implements
/// [`BlobStore`](artstore_core::backend::BlobStore), [`PublicationLog`](artstore_core::backend::PublicationLog) and
/// [`StoreRoot`](artstore_core::backend::StoreRoot).
///
/// Every call does its work in one closure where blocking is allowed. Such a closure is never interrupted: it owns the
/// permit of the lock under which it works.
#[derive(Debug)]
pub struct FsStore {
    inner: Arc<Inner>,
}

impl FsStore {
    /// A store on `vfs`, whose root need not exist yet. `ids` names what is staged and set aside.
    pub fn new(vfs: Arc<dyn Vfs>, ids: Arc<dyn IdSource>) -> Arc<Self> {
        let staging = Staging::new(Arc::clone(&vfs), Arc::clone(&ids));
        Arc::new(Self {
            inner: Arc::new(Inner { vfs, ids, staging }),
        })
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// Runs `work` to its end where blocking is allowed.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        run_blocking(move || work(&inner)).await
    }
}

/// Runs `work` to its end: in place where the present thread may block, otherwise on one of tokio's blocking threads.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if blocking::is_allowed() {
        return work();
    }
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(error::not_run(error)))
}

/// What blocking work needs.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) staging: Staging,
}

impl Inner {
    /// An error of `operation` on `path` below the root.
    pub(crate) fn failed(
        &self,
        operation: &'static str,
        path: Option<&RelPath>,
        error: io::Error,
    ) -> Error {
        error::below(self.vfs.as_ref(), operation, path, error)
    }

    /// `None` for a name that does not exist.
    pub(crate) fn optional<T>(
        &self,
        operation: &'static str,
        path: Option<&RelPath>,
        result: io::Result<T>,
    ) -> Result<Option<T>> {
        error::missing_is_none(self.vfs.as_ref(), operation, path, result)
    }

    /// Removes a file where failing does no harm, because what stays behind is swept or settled later.
    pub(crate) fn remove_quietly(&self, path: &RelPath) {
        let _ = self.vfs.remove_file(path);
    }
}

/// Tells long work that nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Abandoned(Arc<AtomicBool>);

impl Abandoned {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets it when the returned guard is dropped.
    pub(crate) fn when_dropped(&self) -> SetWhenDropped {
        SetWhenDropped(self.clone())
    }
}

pub(crate) struct SetWhenDropped(Abandoned);

impl Drop for SetWhenDropped {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}
