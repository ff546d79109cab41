use artstore_core::backend::blocking;
use artstore_core::{Error, Result};

/// Does `work`, which blocks, in place where the present thread may block, and otherwise on a thread that may. Once begun
/// it is finished, even if the caller goes away.
pub(crate) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if blocking::is_allowed() {
        return work();
    }
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Error::internal("work on the catalog was aborted").caused_by(error))
        })
}
