//! Work that blocks.

use artstore_core::backend::blocking;
use artstore_core::{Error, Result};

/// Does `work` in place where the present thread may block, otherwise on a thread that may. It is finished even if the
/// caller goes away.
pub(crate) async fn on_thread<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if blocking::is_allowed() {
        return work();
    }
    on_another_thread(operation, work).await
}

/// Does `work` on a thread that may block, while the present one goes on. It is finished even if the caller goes away.
pub(crate) async fn on_another_thread<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Error::internal("work on the catalog was aborted")
                .with("operation", operation)
                .caused_by(error))
        })
}
