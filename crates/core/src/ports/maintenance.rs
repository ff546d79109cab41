use std::fmt::Debug;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use crate::error::Result;
use crate::maintenance::{RebuildReport, SettleReport, StatusDetail, StoreStatus};

/// The lines of a canonical dump, each with its newline.
pub type DumpLines = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Keeps a store healthy.
///
/// ```
/// use artstore_core::maintenance::StatusDetail;
/// use artstore_core::ports::Maintenance;
///
/// async fn rebuild_changes_nothing(store: &dyn Maintenance) -> artstore_core::Result<bool> {
///     let before = store.status(StatusDetail::Digest).await?.dump_digest;
///     store.rebuild().await?;
///     Ok(store.status(StatusDetail::Digest).await?.dump_digest == before)
/// }
/// ```
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Maintenance: Debug + Send + Sync + 'static {
    /// What the store holds.
    ///
    /// # Errors
    /// Such that concern the whole store.
    async fn status(&self, detail: StatusDetail) -> Result<StoreStatus>;

    /// Finishes or takes back what interrupted processes left, compares all records with the rows, and removes what dead
    /// processes left in staging.
    ///
    /// # Errors
    /// Such that concern the whole store.
    async fn settle(&self) -> Result<SettleReport>;

    /// Makes the catalog anew from records and events, and moves the former database aside if it cannot be read.
    ///
    /// # Concurrency
    /// Publishers wait; readers go on with the former catalog until the new one takes its place.
    ///
    /// # Errors
    /// Such that concern the whole store. The former catalog then stays where it was.
    async fn rebuild(&self) -> Result<RebuildReport>;

    /// Every fact that the catalog holds, as JSON lines sorted by (domain, kind, id), independent of how and when the
    /// catalog was made.
    ///
    /// # Errors
    /// Such that concern the whole store.
    async fn canonical_dump(&self) -> Result<DumpLines>;
}
