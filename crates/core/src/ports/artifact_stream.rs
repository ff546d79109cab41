use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::ArtifactStorePort;
use crate::artifact::{Artifact, ArtifactFilter};
use crate::error::Result;
use crate::page::{Page, PageRequest};

/// How many artifacts are asked for at a time: enough that asking costs little, few enough that two pages are small.
const PAGE: u32 = 2_000;

/// All artifacts that match `filter`, newest first by (`created_at`, `id`), however many there are: page after page, the
/// next one asked for while the present one is consumed. At most two pages are held.
///
/// What is begun after the first page was read is not among them; what was begun before and is published meanwhile may be.
/// What is changed meanwhile is given as it is when its page is read. After an error the stream ends.
///
/// ```
/// use std::future::poll_fn;
/// use std::pin::Pin;
/// use std::sync::Arc;
///
/// use artstore_core::artifact::ArtifactFilter;
/// use artstore_core::ports::{ArtifactStorePort, stream_artifacts};
/// use futures_core::Stream;
///
/// async fn total_bytes(store: Arc<dyn ArtifactStorePort>) -> artstore_core::Result<u64> {
///     let mut artifacts = stream_artifacts(store, ArtifactFilter::default());
///     let mut bytes = 0;
///     while let Some(artifact) = poll_fn(|context| Pin::new(&mut artifacts).poll_next(context)).await {
///         bytes += artifact?.size_bytes;
///     }
///     Ok(bytes)
/// }
/// ```
pub fn stream_artifacts(
    store: Arc<dyn ArtifactStorePort>,
    filter: ArtifactFilter,
) -> ArtifactStream {
    let first = PageRequest::of_valid_limit(PAGE);
    let filter = Arc::new(filter);
    ArtifactStream {
        next_page: Some(ask(Arc::clone(&store), Arc::clone(&filter), first)),
        read_ahead: None,
        items: VecDeque::new(),
        store,
        filter,
    }
}

/// All artifacts that match a filter, see [`stream_artifacts`].
pub struct ArtifactStream {
    store: Arc<dyn ArtifactStorePort>,
    filter: Arc<ArtifactFilter>,
    items: VecDeque<Artifact>,
    /// A question under way; polled also while there are items, so that it makes progress meanwhile.
    next_page: Option<Question>,
    /// Its answer, if it came while there were still items.
    read_ahead: Option<Result<Page<Artifact>>>,
}

type Question = Pin<Box<dyn Future<Output = Result<Page<Artifact>>> + Send>>;

fn ask(
    store: Arc<dyn ArtifactStorePort>,
    filter: Arc<ArtifactFilter>,
    request: PageRequest,
) -> Question {
    Box::pin(async move { store.list_artifacts(&filter, &request).await })
}

impl ArtifactStream {
    fn poll_read_ahead(&mut self, context: &mut Context<'_>) {
        if let Some(question) = &mut self.next_page
            && let Poll::Ready(page) = question.as_mut().poll(context)
        {
            self.next_page = None;
            self.read_ahead = Some(page);
        }
    }

    fn take_page(&mut self, page: Page<Artifact>) {
        self.items = page.items.into();
        self.next_page = page.next.map(|cursor| {
            let request = PageRequest::of_valid_limit(PAGE).after(cursor);
            ask(Arc::clone(&self.store), Arc::clone(&self.filter), request)
        });
    }
}

impl Stream for ArtifactStream {
    type Item = Result<Artifact>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        // Asked once per page and then only now and then: a question that is under way wakes this task by itself.
        if this.items.len().is_multiple_of(READ_AHEAD_EVERY) && this.read_ahead.is_none() {
            this.poll_read_ahead(context);
        }
        loop {
            if let Some(artifact) = this.items.pop_front() {
                return Poll::Ready(Some(Ok(artifact)));
            }
            let page = match (this.read_ahead.take(), &mut this.next_page) {
                (Some(page), _) => page,
                (None, Some(question)) => {
                    let page = ready!(question.as_mut().poll(context));
                    this.next_page = None;
                    page
                }
                (None, None) => return Poll::Ready(None),
            };
            match page {
                Ok(page) => this.take_page(page),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            this.poll_read_ahead(context);
        }
    }
}

/// After how many items the question for the next page is looked after.
const READ_AHEAD_EVERY: usize = 256;

impl fmt::Debug for ArtifactStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactStream")
            .field("filter", &self.filter)
            .field("items", &self.items.len())
            .finish_non_exhaustive()
    }
}
