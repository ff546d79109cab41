//! Bounded queues: who waits in vain is told `Busy`, leaves nothing behind, and may come again.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use artstore_core::artifact::PublishArtifactResult;
use artstore_core::backend::{Acquired, DomainLock, LockPermit};
use artstore_core::ports::ArtifactStorePort;
use artstore_core::tags::TagChange;
use artstore_core::{Domain, ErrorKind, Result};
use artstore_engine::EngineSettings;
use artstore_testkit::samples::{artifact_id, tags};
use artstore_tests::crowd::list_all;
use artstore_tests::store::{LocalStore, Wrapping};
use artstore_tests::trial::Trial;
use artstore_tests::trial::script::{Gate, Tally};
use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::{
    assert_published, check_clean, impatient, large, left_over, open_with, own, owns, table,
};

const SHORT: Duration = Duration::from_millis(40);

type Answer = Result<PublishArtifactResult>;

fn assert_busy(answer: &Answer, why: &str) {
    let error = answer.as_ref().expect_err("it is busy");
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    assert!(error.to_string().contains(why), "{error:?}");
}

fn spawn(port: &Arc<dyn ArtifactStorePort>, name: &str) -> JoinHandle<Answer> {
    let (port, request) = (Arc::clone(port), own(name));
    tokio::spawn(async move { port.publish_artifact(request).await })
}

/// The lock of the store of `trial`, held by another process until that is let go.
struct OtherProcess(std::process::Child);

impl OtherProcess {
    fn holding(trial: &Trial) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_crowd-worker"))
            .arg(trial.root())
            .arg("hold")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "READY\n");
        Self(child)
    }

    fn let_go(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_another_process_is_busy_after_a_while() {
    let trial = Trial::new();
    let store = open_with(&trial.root(), Arc::new(Tally::new()), impatient(SHORT)).await;
    let port = store.artifacts();
    let there = port.publish_artifact(own("there")).await.unwrap();
    let id = there.artifact().id;
    let other = OtherProcess::holding(&trial);

    let many = join_all((0..64).map(|number| port.publish_artifact(own(&format!("one-{number}")))));
    for answer in many.await {
        assert_busy(&answer, "another writer");
    }
    for answer in port.publish_artifacts(owns("batch", 150)).await {
        assert_busy(&answer, "another writer");
    }
    assert_busy(
        &port.publish_artifact(large("large")).await,
        "another writer",
    );
    assert_busy(
        &port.publish_artifact(table("table", 1)).await,
        "another writer",
    );
    let change = TagChange {
        add: tags([("late", "yes")]),
        remove: Vec::new(),
    };
    let changes = [
        port.tag(id, change.clone(), None).await,
        port.supersede(artifact_id(1), id, None).await,
        port.tombstone(id, "late", None).await,
    ];
    for changed in changes {
        assert_eq!(changed.unwrap_err().kind(), ErrorKind::Busy);
    }
    // Reading waits for nobody.
    assert_eq!(port.get_artifact(id).await.unwrap().revision, 1);
    // What was staged is discarded before anybody is told to be busy.
    assert_eq!(left_over(&trial), Vec::<String>::new());

    other.let_go();
    let requests = [owns("one", 64), owns("batch", 150)].concat();
    let answers = port.publish_artifacts(requests.clone()).await;
    assert_published(&requests, &answers);
    port.publish_artifact(large("large")).await.unwrap();
    port.publish_artifact(table("table", 1)).await.unwrap();
    assert_eq!(port.tag(id, change, None).await.unwrap().revision, 2);
    assert_eq!(list_all(&*port).await.unwrap().len(), 1 + 64 + 150 + 2);
    store.close().await;
    assert_eq!(left_over(&trial), Vec::<String>::new());
    drop((port, store));
    check_clean(&trial).await;
}

/// Who waits behind others waits no longer than they do: what is in the queue when the lock was not free in time has waited
/// as long, and does not wait anew, pass by pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_queued_does_not_wait_for_the_lock_once_more() {
    const CALLERS: u64 = 32;
    let trial = Trial::new();
    let (wanted, asked) = watch::channel(0);
    let (_open, is_open) = watch::channel(true);
    let wrapping = Wrapping {
        lock: Box::new(move |inner| {
            Arc::new(ClosedLock {
                inner,
                is_open,
                wanted,
            })
        }),
        settings: EngineSettings {
            batch_length: 1,
            ..impatient(10 * SHORT)
        },
        ..Wrapping::default()
    };
    let store = LocalStore::open_wrapped(&trial.root(), wrapping).await;
    let store = store.unwrap();
    let port = store.artifacts();
    port.publish_artifact(own("there")).await.unwrap();
    let before = *asked.borrow();
    let other = OtherProcess::holding(&trial);
    let many = (0..CALLERS).map(|number| spawn(&port, &format!("one-{number}")));
    for answer in join_all(many.collect::<Vec<_>>()).await {
        assert_busy(&answer.unwrap(), "");
    }
    let passes = *asked.borrow() - before;
    other.let_go();
    assert!(
        passes <= CALLERS / 4,
        "waited for the lock {passes} times in a row"
    );
    store.close().await;
    assert_eq!(left_over(&trial), Vec::<String>::new());
    drop((port, store));
    check_clean(&trial).await;
}

/// A lock that nobody gets before it is opened, however impatient they are.
#[derive(Debug)]
struct ClosedLock {
    inner: Arc<dyn DomainLock>,
    is_open: watch::Receiver<bool>,
    wanted: watch::Sender<u64>,
}

#[async_trait]
impl DomainLock for ClosedLock {
    async fn acquire(&self, domain: Domain, patience: Duration) -> Result<Acquired> {
        self.wanted.send_modify(|wanted| *wanted += 1);
        let mut is_open = self.is_open.clone();
        is_open.wait_for(|open| *open).await.unwrap();
        self.inner.acquire(domain, patience).await
    }

    async fn leave_commits(&self, permit: &LockPermit, commits: u64) -> Result<()> {
        self.inner.leave_commits(permit, commits).await
    }

    async fn last_commits(&self, domain: Domain) -> Result<Option<u64>> {
        self.inner.last_commits(domain).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_find_the_queue_full_are_busy() {
    let trial = Trial::new();
    let (open, is_open) = watch::channel(true);
    let (wanted, mut is_wanted) = watch::channel(0);
    let wanted_there = wanted.clone();
    // It lets everybody through, and tells how many came.
    let staging = Arc::new(Gate::closed("staged-data.create"));
    staging.open();
    let wrapping = Wrapping {
        lock: Box::new(move |inner| {
            Arc::new(ClosedLock {
                inner,
                is_open,
                wanted: wanted_there,
            })
        }),
        settings: EngineSettings {
            queue_length: 3,
            ..impatient(SHORT)
        },
        ..Wrapping::observed_by(staging.clone())
    };
    let store = LocalStore::open_wrapped(&trial.root(), wrapping).await;
    let store = store.unwrap();
    let port = store.artifacts();
    port.publish_artifact(own("before")).await.unwrap();
    open.send(false).unwrap();
    wanted.send_replace(0);
    // The leader keeps its place while it waits for the lock.
    let first = spawn(&port, "first");
    is_wanted.wait_for(|wanted| *wanted == 1).await.unwrap();
    // Whoever stages has a place.
    let early = [first, spawn(&port, "second"), spawn(&port, "third")];
    tokio::task::block_in_place(|| staging.wait_for(4));
    let why = "too many changes are waiting";
    let late =
        join_all((0..20).map(|number| port.publish_artifact(own(&format!("late-{number}")))));
    for answer in late.await {
        assert_busy(&answer, why);
    }
    for answer in port.publish_artifacts(owns("batch", 10)).await {
        assert_busy(&answer, why);
    }
    let change = TagChange::default();
    let tagged = port.tag(artifact_id(1), change, None).await;
    assert_eq!(tagged.unwrap_err().kind(), ErrorKind::Busy);

    open.send(true).unwrap();
    for answer in join_all(early).await {
        answer.unwrap().unwrap();
    }
    let requests = owns("batch", 10);
    let answers = port.publish_artifacts(requests.clone()).await;
    assert_published(&requests, &answers);
    assert_eq!(list_all(&*port).await.unwrap().len(), 14);
    store.close().await;
    assert_eq!(left_over(&trial), Vec::<String>::new());
    drop((port, store));
    check_clean(&trial).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_find_no_place_to_prepare_are_busy() {
    let trial = Trial::new();
    let gate = Arc::new(Gate::closed("staged-data.create"));
    let settings = EngineSettings {
        preparations: 2,
        ..impatient(SHORT)
    };
    let store = open_with(&trial.root(), gate.clone(), settings).await;
    let port = store.artifacts();
    let preparing = [spawn(&port, "first"), spawn(&port, "second")];
    tokio::task::block_in_place(|| gate.wait_for(2));
    let why = "too many publishes are being prepared";
    assert_busy(&port.publish_artifact(own("third")).await, why);
    assert_busy(&port.publish_artifact(large("large")).await, why);
    for answer in port.publish_artifacts(owns("batch", 10)).await {
        assert_busy(&answer, why);
    }
    gate.open();
    for answer in join_all(preparing).await {
        answer.unwrap().unwrap();
    }
    let requests = [owns("batch", 10), vec![own("third"), large("large")]].concat();
    let answers = port.publish_artifacts(requests.clone()).await;
    assert_published(&requests, &answers);
    store.close().await;
    assert_eq!(left_over(&trial), Vec::<String>::new());
    drop((port, store));
    check_clean(&trial).await;
}

/// How many large sources are staged at a time, and how many of those may be of one call.
const LARGE_PLACES: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_find_no_place_for_large_sources_are_busy() {
    let trial = Trial::new();
    let gate = Arc::new(Gate::closed("staged-data.create"));
    let store = open_with(&trial.root(), gate.clone(), impatient(SHORT)).await;
    let port = store.artifacts();
    // Siblings of one call take some of the places and wait for each other as long as it takes.
    let siblings: Vec<_> = (0..12)
        .map(|number| large(&format!("sibling-{number}")))
        .collect();
    let batch = tokio::spawn({
        let (port, siblings) = (Arc::clone(&port), siblings.clone());
        async move { port.publish_artifacts(siblings).await }
    });
    tokio::task::block_in_place(|| gate.wait_for(LARGE_PLACES / 2));
    let others = (0..LARGE_PLACES / 2).map(|number| {
        let (port, request) = (Arc::clone(&port), large(&format!("other-{number}")));
        tokio::spawn(async move { port.publish_artifact(request).await })
    });
    let others: Vec<_> = others.collect();
    tokio::task::block_in_place(|| gate.wait_for(LARGE_PLACES));
    let why = "too many large publishes are being prepared";
    for _ in 0..3 {
        assert_busy(&port.publish_artifact(large("late")).await, why);
        assert_busy(&port.publish_artifact(table("late table", 1)).await, why);
    }
    for answer in port
        .publish_artifacts(vec![large("late"), table("late table", 1)])
        .await
    {
        assert_busy(&answer, why);
    }
    gate.open();
    for answer in join_all(others).await {
        answer.unwrap().unwrap();
    }
    assert_published(&siblings, &batch.await.unwrap());
    port.publish_artifact(large("late")).await.unwrap();
    assert_eq!(list_all(&*port).await.unwrap().len(), 12 + 4 + 1);
    store.close().await;
    assert_eq!(left_over(&trial), Vec::<String>::new());
    drop((port, store));
    check_clean(&trial).await;
}
