//! What the tests of crowds have in common.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use artstore_core::Result;
use artstore_core::artifact::{ArtifactSource, PublishArtifactRequest, PublishArtifactResult};
use artstore_core::table::{CsvOptions, TableFormat};
use artstore_engine::EngineSettings;
use artstore_tests::kill::history::check_store;
use artstore_tests::observed::Observer;
use artstore_tests::spelling::{Spelling, rows};
use artstore_tests::store::{LocalStore, Wrapping};
use artstore_tests::trial::{Trial, request};

/// Larger than what is prepared on one thread.
pub(crate) const LARGE: usize = 1_500_000;

/// Settles and rebuilds by a store of its own, which has staged nothing.
pub(crate) async fn check_clean(trial: &Trial) {
    let store = trial.open().await;
    let checked = check_store(&*store.maintenance(), &trial.root()).await;
    checked.unwrap();
    store.close().await;
}

/// What a store that is closed has left over: staged files and intents.
pub(crate) fn left_over(trial: &Trial) -> Vec<String> {
    [trial.files_in("staging"), trial.files_in("intents")].concat()
}

/// The usual settings but for the patience.
pub(crate) fn impatient(patience: Duration) -> EngineSettings {
    EngineSettings {
        patience,
        ..EngineSettings::default()
    }
}

/// A store with these settings, observed.
pub(crate) async fn open_with(
    root: &Path,
    observer: Arc<dyn Observer>,
    settings: EngineSettings,
) -> LocalStore {
    let wrapping = Wrapping {
        settings,
        ..Wrapping::observed_by(observer)
    };
    LocalStore::open_wrapped(root, wrapping).await.unwrap()
}

/// A request with a key, an operation id and bytes of its own.
pub(crate) fn own(name: &str) -> PublishArtifactRequest {
    request(name, &format!("content of {name}"), name)
}

/// So many requests with keys, operation ids and bytes of their own.
pub(crate) fn owns(prefix: &str, count: usize) -> Vec<PublishArtifactRequest> {
    let names = (0..count).map(|number| own(&format!("{prefix}-{number}")));
    names.collect()
}

/// A large request of its own.
pub(crate) fn large(name: &str) -> PublishArtifactRequest {
    let line = format!("a line of {name}\n");
    let content: String = line.chars().cycle().take(LARGE).collect();
    request(name, &content, name)
}

/// A table of its own, as CSV.
pub(crate) fn table(name: &str, number: u64) -> PublishArtifactRequest {
    let mut table = own(name);
    table.source = ArtifactSource::Bytes(Spelling::Csv.of(&rows(number, 20)));
    table.table = Some(TableFormat::Csv(CsvOptions::default()));
    table
}

/// Asserts that each request was published as something new, in their order.
pub(crate) fn assert_published(
    requests: &[PublishArtifactRequest],
    results: &[Result<PublishArtifactResult>],
) {
    assert_eq!(results.len(), requests.len());
    for (request, result) in requests.iter().zip(results) {
        match result {
            Ok(PublishArtifactResult::Published(artifact)) => {
                assert_eq!(artifact.logical_key, request.logical_key);
                assert_eq!(Some(&artifact.op_id), request.op_id.as_ref());
            }
            other => panic!("{}: {other:?}", request.logical_key),
        }
    }
}

/// Numbers that follow from a seed alone.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A future that is given up after so many polls.
pub(crate) struct GivenUpAfter<F> {
    polls: u64,
    inner: Option<Pin<Box<F>>>,
}

impl<F: Future> GivenUpAfter<F> {
    pub(crate) fn new(polls: u64, inner: F) -> Self {
        let inner = Some(Box::pin(inner));
        Self { polls, inner }
    }
}

impl<F: Future> Future for GivenUpAfter<F> {
    /// `None` if it was given up.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(output) = inner.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        match self.polls.checked_sub(1) {
            Some(left) => {
                self.polls = left;
                Poll::Pending
            }
            None => {
                self.inner = None;
                Poll::Ready(None)
            }
        }
    }
}
