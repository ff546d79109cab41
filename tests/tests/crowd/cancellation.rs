//! Callers who go away at any moment leave all or nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use artstore_core::Result;
use artstore_core::artifact::{Artifact, ArtifactSource, PublishArtifactRequest};
use artstore_core::id::ArtifactId;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::tags::TagChange;
use artstore_engine::EngineSettings;
use artstore_testkit::samples::{op_id, tags};
use artstore_tests::crowd::list_all;
use artstore_tests::kill::history::check_store;
use artstore_tests::store::LocalStore;
use artstore_tests::trial::script::Gate;
use artstore_tests::trial::{self, Trial};
use futures_util::future::join_all;

use crate::support::{
    GivenUpAfter, LARGE, Random, check_clean, large, left_over, open_with, own, owns, table,
};

const TASKS: u64 = 64;
const ROUNDS: u64 = 6;
/// How many artifacts are there before, for each task to tag and to replace.
const THERE: usize = 2 * TASKS as usize;

/// What a task does in a round.
#[derive(Debug, Clone)]
enum Deed {
    Publish(Box<PublishArtifactRequest>),
    PublishMany(Vec<PublishArtifactRequest>),
    Tag(usize, String),
    Supersede(usize, usize, String),
}

impl Deed {
    fn of(task: u64, round: u64, trial: &Trial) -> Self {
        let name = format!("{task}-{round}");
        match (task + round) % 8 {
            0 => Self::Publish(Box::new(own(&name))),
            1 => Self::PublishMany(owns(&name, 7)),
            2 => Self::Tag(task as usize, name),
            // One of them is there before; the other one is replaced by it, by a task and in a round of its own.
            3 if round == 0 => {
                let old = (TASKS + task) as usize;
                Self::Supersede(task as usize, old, name)
            }
            4 => {
                let content = vec![task as u8; LARGE + round as usize];
                let mut request = own(&name);
                request.source = ArtifactSource::File(trial.source(&name, &content));
                Self::Publish(Box::new(request))
            }
            5 => Self::Publish(Box::new(table(&name, task * ROUNDS + round))),
            6 => Self::PublishMany(vec![
                own(&format!("{name}-small")),
                large(&format!("{name}-large")),
                table(&format!("{name}-table"), task * ROUNDS + round),
            ]),
            _ => Self::Publish(Box::new(large(&name))),
        }
    }

    /// Does it, and tells the artifacts that it made or changed.
    async fn perform(
        self,
        port: Arc<dyn ArtifactStorePort>,
        there: Arc<Vec<ArtifactId>>,
    ) -> Result<Vec<Artifact>> {
        match self {
            Self::Publish(request) => {
                let result = port.publish_artifact(*request).await?;
                Ok(vec![result.artifact().clone()])
            }
            Self::PublishMany(requests) => {
                let results = port.publish_artifacts(requests).await.into_iter();
                results
                    .map(|result| Ok(result?.artifact().clone()))
                    .collect()
            }
            Self::Tag(place, name) => {
                let change = TagChange {
                    add: tags([("by", &name)]),
                    remove: Vec::new(),
                };
                let tagged = port.tag(there[place], change, Some(op_id(&name))).await?;
                Ok(vec![tagged])
            }
            Self::Supersede(new, old, name) => {
                let (new, old) = (there[new], there[old]);
                let replaced = port.supersede(new, old, Some(op_id(&name))).await?;
                Ok(vec![replaced])
            }
        }
    }

    /// The keys that it publishes.
    fn keys(&self) -> Vec<String> {
        match self {
            Self::Publish(request) => vec![request.logical_key.to_string()],
            Self::PublishMany(requests) => requests
                .iter()
                .map(|request| request.logical_key.to_string())
                .collect(),
            Self::Tag(..) | Self::Supersede(..) => Vec::new(),
        }
    }
}

/// How a caller goes away.
#[derive(Debug, Clone, Copy)]
enum Leaving {
    /// The call is dropped after some polls.
    Dropped,
    /// Its task is aborted while it waits or runs.
    Aborted,
}

async fn there_before(store: &LocalStore) -> Arc<Vec<ArtifactId>> {
    let requests = owns("there", THERE);
    let published = store.artifacts().publish_artifacts(requests).await;
    let ids = published.into_iter().map(|one| one.unwrap().artifact().id);
    Arc::new(ids.collect())
}

/// Begins all deeds and goes away. How many came to their end all the same?
async fn begin_all(
    store: &LocalStore,
    deeds: &[Deed],
    there: &Arc<Vec<ArtifactId>>,
    leaving: Leaving,
    random: &mut Random,
) -> usize {
    let tasks = deeds.iter().map(|deed| {
        let deed = deed.clone().perform(store.artifacts(), Arc::clone(there));
        let polls = random.below(10);
        match leaving {
            Leaving::Dropped => tokio::spawn(GivenUpAfter::new(polls, deed)),
            Leaving::Aborted => tokio::spawn(async { Some(deed.await) }),
        }
    });
    let mut tasks: Vec<_> = tasks.collect();
    let mut ended = 0;
    if let Leaving::Aborted = leaving {
        // While some are waited for, the others come to some point or other.
        let mut aborted = Vec::new();
        for task in tasks {
            if random.below(8) == 0 {
                task.await.unwrap().unwrap().unwrap();
                ended += 1;
                continue;
            }
            for _ in 0..1 << random.below(10) {
                tokio::task::yield_now().await;
            }
            task.abort();
            aborted.push(task);
        }
        tasks = aborted;
    }
    for task in join_all(tasks).await {
        match task {
            Ok(Some(result)) => {
                result.unwrap();
                ended += 1;
            }
            Ok(None) => {}
            Err(error) => assert!(error.is_cancelled(), "{error:?}"),
        }
    }
    ended
}

/// What a caller left in the middle is removed by the thread that worked on it.
async fn nothing_is_left_at_last(trial: &Trial) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) && !left_over(trial).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(left_over(trial), Vec::<String>::new());
}

async fn callers_go_away(seed: u64, leaving: Leaving) {
    let trial = Trial::new();
    let mut random = Random(seed);
    let store = trial.open().await;
    let there = there_before(&store).await;
    let mut ended = 0;
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let deeds: Vec<Deed> = (0..TASKS)
            .map(|task| Deed::of(task, round, &trial))
            .collect();
        ended += begin_all(&store, &deeds, &there, leaving, &mut random).await;
        all.extend(deeds);
        if round % 2 == 1 {
            store.close().await;
            assert_eq!(left_over(&trial), Vec::<String>::new());
        }
    }
    println!(
        "{leaving:?}: {ended} of {} calls came to their end",
        all.len()
    );
    assert!(ended > 0 && ended < all.len());

    // All or nothing, and what is there can be read.
    let port = store.artifacts();
    let mut before = Vec::new();
    for artifact in list_all(&*port).await.unwrap() {
        trial::read(&*port, artifact.id).await.unwrap();
        before.push((artifact.logical_key.to_string(), artifact.id));
    }
    let keys: BTreeSet<&String> = before.iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), before.len(), "nothing is there twice");
    let records = trial.files_in("artifacts").len();
    assert_eq!(records, 2 * before.len());

    // Repeated, each is there once, and what was there is told.
    let mut wanted = THERE;
    for deed in &all {
        let told = deed.clone().perform(Arc::clone(&port), Arc::clone(&there));
        let told = told.await.unwrap();
        let keys = deed.keys();
        wanted += keys.len();
        for (key, artifact) in keys.iter().zip(&told) {
            let mut known = before.iter().filter(|(known, _)| known == key);
            assert!(known.all(|(_, id)| *id == artifact.id), "{key} came twice");
        }
        if let Deed::Tag(..) | Deed::Supersede(..) = deed {
            let again = deed.clone().perform(Arc::clone(&port), Arc::clone(&there));
            assert_eq!(again.await.unwrap(), told);
        }
    }
    let after = list_all(&*port).await.unwrap();
    assert_eq!(after.len(), wanted);
    let changes: u64 = after.iter().map(|artifact| artifact.revision - 1).sum();
    let events = trial.files_in("events");
    let replaced = events.iter().filter(|name| name.contains("superseded"));
    // A replacement is one event of two artifacts.
    assert_eq!(changes as usize, events.len() + replaced.count());
    let deeds = all
        .iter()
        .filter(|deed| matches!(deed, Deed::Tag(..) | Deed::Supersede(..)));
    assert_eq!(events.len(), deeds.count());
    store.close().await;
    assert_eq!(left_over(&trial), Vec::<String>::new());
    drop((port, store));
    let store = trial.open().await;
    check_store(&*store.maintenance(), &trial.root())
        .await
        .unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_are_dropped_after_some_polls_leave_all_or_nothing() {
    callers_go_away(4, Leaving::Dropped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_that_are_aborted_leave_all_or_nothing() {
    callers_go_away(5, Leaving::Aborted).await;
}

#[tokio::test]
async fn calls_that_are_dropped_on_one_thread_leave_all_or_nothing() {
    callers_go_away(6, Leaving::Dropped).await;
}

/// A caller who goes away at a known moment: nothing of the call stays behind, but for what was published.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_dropped_while_it_stages_leaves_nothing() {
    for at in [
        "staged-data.create",
        "staged-data.write",
        "staged-data.sync",
        "table.write",
        "table.end",
        "staged-document.create",
        "staged-document.sync",
    ] {
        for (sort, request) in [own("small"), large("large"), table("table", 1)]
            .into_iter()
            .enumerate()
        {
            let is_passed = match at {
                at if at.starts_with("table") => sort == 2,
                _ => true,
            };
            if is_passed {
                drop_at(at, request.clone(), 1).await;
                drop_at(at, request, 3).await;
            }
        }
    }
}

/// Drops a publish, or a batch of such, when it has come to a point.
async fn drop_at(at: &'static str, request: PublishArtifactRequest, copies: usize) {
    let trial = Trial::new();
    let gate = Arc::new(Gate::closed(at));
    let store = open_with(&trial.root(), gate.clone(), EngineSettings::default()).await;
    let port = store.artifacts();
    let name = request.logical_key.to_string();
    let requests = (0..copies).map(|copy| {
        let mut request = request.clone();
        request.op_id = own(&format!("{name}-{copy}")).op_id;
        request
    });
    let requests: Vec<_> = requests.collect();
    let call = tokio::spawn(async move {
        match <[PublishArtifactRequest; 1]>::try_from(requests) {
            Ok([request]) => drop(port.publish_artifact(request).await),
            Err(requests) => drop(port.publish_artifacts(requests).await),
        }
    });
    tokio::task::block_in_place(|| gate.wait_for(1));
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    gate.open();
    println!("{name} dropped at {at}, {copies} in a call");
    store.close().await;
    nothing_is_left_at_last(&trial).await;
    let there = trial::find(&*store.artifacts(), &name).await.unwrap();
    assert!(there.len() <= 1, "{there:?}");
    let again = store.artifacts().publish_artifact(request).await.unwrap();
    assert_eq!(again.is_duplicate(), !there.is_empty());
    store.close().await;
    drop(store);
    check_clean(&trial).await;
}
