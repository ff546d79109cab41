//! Many publishes in one call.
//!
//! Requests are prepared side by side and handed over in groups, in their order. While a group is in its pass, the next one
//! is prepared; a group is no larger than a pass, so that other callers come in between.

use std::sync::Arc;

use artstore_core::artifact::{PublishArtifactRequest, PublishArtifactResult};
use artstore_core::{Error, Result};
use futures_util::{StreamExt as _, future, stream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::port::{ArtifactEngine, LARGE_PREPARATIONS};
use super::publish::{Attempt, Prepared, Publish};
use super::rules::{ArtifactOutcome, ArtifactTask};
use crate::activity::Activity;
use crate::committer::{heard, on_blocking_thread};

/// A request as far as it goes by itself.
enum Ready {
    /// It has its result.
    Decided(Box<Result<PublishArtifactResult>>),
    /// This is to be done under the lock.
    Task(Box<ReadyTask>),
}

struct ReadyTask {
    publish: Publish,
    attempt: Attempt,
    task: ArtifactTask,
}

/// A request that was handed over.
struct Pending {
    position: usize,
    publish: Publish,
    attempt: Attempt,
    outcome: oneshot::Receiver<Result<ArtifactOutcome>>,
}

/// A task that ends when nobody waits for it any more.
struct Preparing(JoinHandle<Result<Ready>>);

impl Drop for Preparing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A result with the position of its request.
type Placed = (usize, Result<PublishArtifactResult>);

impl ArtifactEngine {
    pub(super) async fn publish_all(
        &self,
        requests: Vec<PublishArtifactRequest>,
    ) -> Vec<Result<PublishArtifactResult>> {
        let mut results: Vec<Placed> = Vec::with_capacity(requests.len());
        let mut pending = Vec::new();
        // Siblings wait for each other without a deadline, and for everybody else as any publish does.
        let large = Arc::new(Semaphore::new(LARGE_PREPARATIONS / 2));
        let activity = self.activities.begin();
        let preparing = stream::iter(requests)
            .map(|request| self.make_ready(request, activity.clone(), Arc::clone(&large)));
        let ready = preparing.buffered(self.settings.preparations.max(1));
        let mut ready = std::pin::pin!(ready.enumerate());
        let group_length = self.committer.group_length();
        let mut group = Vec::new();
        while let Some((position, next)) = ready.next().await {
            match next {
                Ready::Decided(result) => results.push((position, *result)),
                Ready::Task(task) => group.push((position, *task)),
            }
            if group.len() == group_length {
                let full = std::mem::take(&mut group);
                self.hand_over(full, &mut pending, &mut results).await;
            }
        }
        self.hand_over(group, &mut pending, &mut results).await;
        let heard = pending
            .into_iter()
            .map(|pending| self.hear(pending, &large));
        results.extend(future::join_all(heard).await);
        results.sort_by_key(|(position, _)| *position);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Prepares a request as far as it can be before the lock, in a task of its own: it must not keep what others wait for
    /// while the batch waits for something else.
    async fn make_ready(
        &self,
        request: PublishArtifactRequest,
        activity: Activity,
        large: Arc<Semaphore>,
    ) -> Ready {
        let this = match self.this() {
            Ok(this) => this,
            Err(error) => return Ready::Decided(Box::new(Err(error))),
        };
        let mut preparing = Preparing(tokio::spawn(async move {
            this.try_make_ready(request, activity, &large).await
        }));
        let ended =
            |error| Err(Error::unavailable("preparing a publish was ended").caused_by(error));
        match (&mut preparing.0).await.unwrap_or_else(ended) {
            Ok(ready) => ready,
            Err(error) => Ready::Decided(Box::new(Err(error))),
        }
    }

    async fn try_make_ready(
        &self,
        request: PublishArtifactRequest,
        activity: Activity,
        large: &Semaphore,
    ) -> Result<Ready> {
        let publish = self.identify(request, activity)?;
        let mut attempt = Attempt::first(&publish);
        loop {
            let prepared = if attempt.is_apart {
                // It is never closed, so that this cannot fail.
                let _turn = large.acquire().await;
                self.prepare_here(&publish, attempt).await?
            } else {
                self.prepare_on_one_thread(&publish, attempt).await?
            };
            match prepared {
                Prepared::Decided(outcome) => {
                    if let Some(result) = attempt.conclude(*outcome)? {
                        return Ok(Ready::Decided(Box::new(Ok(result))));
                    }
                }
                Prepared::Task(task) => {
                    return Ok(Ready::Task(Box::new(ReadyTask {
                        publish,
                        attempt,
                        task,
                    })));
                }
            }
        }
    }

    /// Prepares what is small. If the caller goes away, what is staged then is discarded.
    async fn prepare_on_one_thread(&self, publish: &Publish, attempt: Attempt) -> Result<Prepared> {
        let (this, preparing) = self.place_to_prepare().await?;
        let (reply, prepared) = oneshot::channel();
        let work = publish.clone();
        on_blocking_thread(async move {
            let _preparing = preparing;
            // The caller may have gone away.
            drop(reply.send(this.prepare(&work, attempt).await));
        });
        let ended = |_| Err(Error::unavailable("preparing a publish was ended"));
        prepared.await.unwrap_or_else(ended)
    }

    /// Hands a group over as one piece.
    async fn hand_over(
        &self,
        group: Vec<(usize, ReadyTask)>,
        pending: &mut Vec<Pending>,
        results: &mut Vec<Placed>,
    ) {
        if group.is_empty() {
            return;
        }
        let places = match self.committer.places(group.len()).await {
            Ok(places) => places,
            Err(error) => {
                let busy = group.into_iter();
                results.extend(busy.map(|(position, _)| (position, Err(error.clone()))));
                return;
            }
        };
        let mut works = Vec::with_capacity(group.len());
        for (position, ready) in group {
            let (reply, outcome) = oneshot::channel();
            works.push((ready.publish.clone().into_work(ready.task), reply));
            pending.push(Pending {
                position,
                publish: ready.publish,
                attempt: ready.attempt,
                outcome,
            });
        }
        if let Some(leadership) = self.committer.enqueue_all(works, places) {
            on_blocking_thread(leadership.lead());
        }
    }

    /// The result of a request that was handed over.
    async fn hear(&self, pending: Pending, large: &Semaphore) -> Placed {
        let Pending {
            position,
            publish,
            mut attempt,
            outcome,
        } = pending;
        let heard = heard(outcome, &publish.op_id).await;
        let result = match heard.and_then(|outcome| attempt.conclude(outcome)) {
            Ok(Some(result)) => Ok(result),
            // What it was taken for is so no more: it is tried again by itself.
            Ok(None) => {
                let _turn = large.acquire().await;
                self.pursue(&publish, attempt).await
            }
            Err(error) => Err(error),
        };
        (position, result)
    }
}
