//! Work that blocks.

use artstore_core::{Error, Result};

/// Does `work` where blocking is allowed. It is finished even if the caller goes away.
pub(crate) async fn on_thread<T: Send + 'static>(
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
