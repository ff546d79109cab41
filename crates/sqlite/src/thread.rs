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
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Error::internal("work on the catalog was aborted")
                .with("operation", operation)
                .caused_by(error))
        })
}

/// Does `work` on a thread of its own, while the present one goes on: one of tokio's may be waiting for it already. It is
/// finished even if the caller goes away.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("artstore-sqlite".into())
        .spawn(move || {
            // Nobody may be left to hear it.
            let _ = answer.send(work());
        })
        .map_err(|error| {
            Error::unavailable("no thread can be started for the catalog").caused_by(error)
        })?;
    answered.await.unwrap_or_else(|error| {
        Err(Error::internal("work on the catalog was aborted")
            .with("operation", operation)
            .caused_by(error))
    })
}
