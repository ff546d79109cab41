//! Many processes, tasks and stores on one root, catalogs that vanish beside them, callers who go away; and mutants that
//! these checks must notice.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test asserts")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use artstore_core::artifact::{ArtifactFilter, PublishArtifactResult};
use artstore_core::backend::DomainLock;
use artstore_core::id::ArtifactId;
use artstore_core::lineage::WalkLimits;
use artstore_core::maintenance::StatusDetail;
use artstore_core::page::PageRequest;
use artstore_core::tags::Tags;
use artstore_testkit::faults::NoLock;
use artstore_tests::kill::history::{History, check_store};
use artstore_tests::kill::mutant::Mutant;
use artstore_tests::kill::point::KillPlan;
use artstore_tests::kill::process::{WorkerPlan, listen, listen_and};
use artstore_tests::kill::race::{self, Race, Turn};
use artstore_tests::store::{LocalStore, Wrapping};
use artstore_tests::trial::{self, Trial, find, request};
use futures_util::future::join_all;

const WORKER: &str = env!("CARGO_BIN_EXE_crash-worker");
const RACER: &str = env!("CARGO_BIN_EXE_race-worker");

fn plan(trial: &Trial, worker: u64, count: u64) -> WorkerPlan {
    WorkerPlan {
        root: trial.root(),
        history: History {
            worker,
            seed: 77,
            sources: trial.sources(),
        },
        first: 0,
        count,
        group: 1,
        kill: KillPlan::Never,
    }
}

/// Settles and rebuilds by a store of its own, which has staged nothing.
async fn check_clean(trial: &Trial) {
    let store = trial.open().await;
    let checked = check_store(&*store.maintenance(), &trial.root()).await;
    checked.unwrap();
    store.close().await;
}

#[tokio::test]
async fn sixteen_processes_write_to_one_store() {
    let trial = Trial::new();
    let plans: Vec<WorkerPlan> = (0..16).map(|worker| plan(&trial, worker, 25)).collect();
    let children: Vec<_> = plans
        .iter()
        .map(|plan| plan.start(Path::new(WORKER)).unwrap())
        .collect();
    let listening: Vec<_> = children
        .into_iter()
        .map(|child| std::thread::spawn(move || listen(child).unwrap()))
        .collect();
    let heard: Vec<_> = listening
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    let store = trial.open().await;
    for (plan, heard) in plans.iter().zip(&heard) {
        assert_eq!(heard.errors, Vec::<String>::new(), "{plan:?}");
        assert!(heard.finished, "{plan:?}");
        let checked = plan.history.check(&store, 25, &heard.acknowledged).await;
        checked.unwrap();
    }
    store.close().await;
    check_clean(&trial).await;
}

/// Runs sixteen processes at once.
fn race_processes(trial: &Trial, turn: Turn, tables: u64) {
    let races = (0..16).map(|worker| Race {
        worker,
        turn,
        tables,
    });
    let children: Vec<_> = races
        .map(|race| race.start(Path::new(RACER), &trial.root()).unwrap())
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "DONE\n");
    }
}

/// Equal tables in different encodings are one artifact with every tag, no inputs close a circle, and what is then
/// replaced and withdrawn has one history.
#[tokio::test]
async fn sixteen_processes_publish_and_retire_equal_tables() {
    const TABLES: u64 = 4;
    let trial = Trial::new();
    trial.open().await.close().await;
    race_processes(&trial, Turn::Publish, TABLES);
    let store = trial.open().await;
    let port = store.artifacts();
    let mut ids = Vec::new();
    for table in 0..TABLES {
        let found = race::find(&*port, table).await.unwrap();
        assert_eq!(found.len(), 1, "one artifact: {found:?}");
        assert_eq!(found[0].tags.len(), 16, "{found:?}");
        ids.push(found[0].id);
    }
    for id in &ids {
        let lineage = port.get_lineage(*id, WalkLimits::default()).await.unwrap();
        assert!(
            lineage.edges.iter().all(|edge| edge.input != *id),
            "{id} is made from itself: {lineage:?}"
        );
    }
    store.close().await;
    drop((port, store));

    race_processes(&trial, Turn::Retire, TABLES);
    let store = trial.open().await;
    let port = store.artifacts();
    let found = port.get_artifacts(&ids).await.unwrap();
    let found: Vec<_> = found.into_iter().flatten().collect();
    let replaced = found.iter().filter(|one| one.superseded_by.is_some());
    let withdrawn = found.iter().filter(|one| one.tombstone_reason.is_some());
    let (replaced, withdrawn) = (replaced.count(), withdrawn.count());
    let events = trial.files_in("events");
    let events_of = |kind: &str| events.iter().filter(|name| name.contains(kind)).count();
    assert_eq!(
        (events_of("superseded"), events_of("tombstoned")),
        (replaced, withdrawn)
    );
    assert!(replaced > 0 && withdrawn > 0, "{found:?}");
    let replacing: usize = found.iter().map(|one| one.supersedes.len()).sum();
    assert_eq!(replacing, replaced);
    for artifact in &found {
        let chain = port.get_supersession(artifact.id).await.unwrap();
        let chain = chain.successors.iter().chain(&chain.predecessors);
        let mut chain: Vec<_> = chain.map(|one| one.id).collect();
        assert!(!chain.contains(&artifact.id), "a chain closes");
        chain.sort_unstable();
        chain.dedup();
        assert!(chain.len() < found.len());
    }
    store.close().await;
    drop((port, store));
    check_clean(&trial).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn equal_content_of_many_tasks_is_one_artifact() {
    let trial = Trial::new();
    let store = trial.open().await;
    let tasks = (0..64).map(|task| {
        let port = store.artifacts();
        tokio::spawn(async move {
            let own = format!("own-{task}");
            let own = port.publish_artifact(request(&own, &own, &own)).await;
            let op_id = format!("shared-{task}");
            let shared = port.publish_artifact(request("shared", "shared", &op_id));
            (own.unwrap(), shared.await.unwrap())
        })
    });
    let results: Vec<_> = join_all(tasks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let is_new = |result: &PublishArtifactResult| !result.is_duplicate();
    assert!(results.iter().all(|(own, _)| is_new(own)));
    let own: BTreeSet<ArtifactId> = results.iter().map(|(own, _)| own.artifact().id).collect();
    assert_eq!(own.len(), 64);
    let first = results.iter().filter(|(_, shared)| is_new(shared)).count();
    assert_eq!(first, 1);
    let shared: BTreeSet<ArtifactId> = results
        .iter()
        .map(|(_, shared)| shared.artifact().id)
        .collect();
    assert_eq!(shared.len(), 1);
    store.close().await;
    assert_eq!(trial.files_in("artifacts").len(), 2 * 65);
    drop(store);
    check_clean(&trial).await;
}

/// What every task of every store publishes is equal; each adds a tag of its own.
const SHARED: usize = 5;
const TASKS: usize = 6;

/// Races on `stores`, and says what is wrong afterwards.
async fn race(stores: &[LocalStore]) -> Vec<String> {
    let mut tasks = Vec::new();
    for (store_number, store) in stores.iter().enumerate() {
        for task in 0..TASKS {
            let port = store.artifacts();
            let name = format!("{store_number}-{task}");
            tasks.push(tokio::spawn(async move {
                let mut results = Vec::new();
                for number in 0..SHARED {
                    let key = format!("shared-{number}");
                    let mut request = request(&key, &key, &format!("{name}-{number}"));
                    request.tags = Tags::try_from([("by", name.as_str())]).unwrap();
                    results.push((number, port.publish_artifact(request).await));
                }
                results
            }));
        }
    }
    let mut wrong = Vec::new();
    let mut new = vec![0; SHARED];
    for results in join_all(tasks).await {
        for (number, result) in results.unwrap() {
            match result {
                Ok(result) => new[number] += usize::from(!result.is_duplicate()),
                Err(error) => wrong.push(format!("error: {error:?}")),
            }
        }
    }
    for (number, new) in new.into_iter().enumerate() {
        if new != 1 {
            wrong.push(format!("{new} new artifacts of the content {number}"));
        }
    }
    wrong.extend(look(&stores[0], stores.len()).await);
    wrong
}

/// What a store does not hold after a race of `racers`.
async fn look(store: &LocalStore, racers: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    for number in 0..SHARED {
        let port = store.artifacts();
        let found = find(&*port, &format!("shared-{number}")).await;
        match found.as_deref() {
            Ok([artifact]) if artifact.tags.len() == racers * TASKS => {}
            Ok([artifact]) => wrong.push(format!("lost tags: {:?}", artifact.tags)),
            Ok(others) => wrong.push(format!("{} artifacts of one content", others.len())),
            Err(error) => wrong.push(format!("error: {error:?}")),
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stores_in_one_process_race_and_lose_nothing() {
    for _ in 0..3 {
        let trial = Trial::new();
        let stores = [trial.open().await, trial.open().await, trial.open().await];
        assert_eq!(race(&stores).await, Vec::<String>::new());
        // What one store has answered, another one sees at once.
        let published = stores[0]
            .artifacts()
            .publish_artifact(request("seen", "seen", "seen"))
            .await;
        let id = published.unwrap().artifact().id;
        stores[1].artifacts().get_artifact(id).await.unwrap();
        for store in &stores {
            store.close().await;
        }
        drop(stores);
        trial.delete_catalog();
        let store = trial.open().await;
        assert_eq!(look(&store, 3).await, Vec::<String>::new());
        store.close().await;
        drop(store);
        check_clean(&trial).await;
    }
}

/// A publish that was staged and then turns out to be a duplicate with new tags writes an event only.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_staged_for_a_late_duplicate_is_discarded_at_once() {
    let trial = Trial::new();
    let stores = [trial.open().await, trial.open().await];
    assert_eq!(race(&stores).await, Vec::<String>::new());
    for store in &stores {
        store.close().await;
    }
    // Both stores are alive: nobody has swept.
    assert_eq!(trial.files_in("staging"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_lock_the_race_harness_fails() {
    let mut wrong = Vec::new();
    for _ in 0..20 {
        let trial = Trial::new();
        let lock = NoLock::new();
        let mut stores = Vec::new();
        for _ in 0..3 {
            let instance: Arc<dyn DomainLock> = Arc::new(lock.instance());
            let wrapping = Wrapping {
                lock: Box::new(move |_| instance),
                ..Wrapping::default()
            };
            let store = LocalStore::open_wrapped(&trial.root(), wrapping).await;
            stores.push(store.unwrap());
        }
        wrong = race(&stores).await;
        if !wrong.is_empty() {
            break;
        }
    }
    assert!(!wrong.is_empty(), "nobody noticed that nothing is locked");
}

#[tokio::test]
async fn the_catalog_is_deleted_again_and_again_beside_a_writing_process() {
    let trial = Trial::new();
    let plan = plan(&trial, 0, 80);
    let child = plan.start(Path::new(WORKER)).unwrap();
    let mut deleted = 0;
    // The worker is at its next step already when its answer is heard.
    let heard = listen_and(child, |line| {
        if line.starts_with("ACK") {
            trial.delete_catalog();
            deleted += 1;
        }
    })
    .unwrap();
    assert_eq!(heard.errors, Vec::<String>::new());
    assert!(heard.finished);
    assert_eq!(deleted, 80);
    let store = trial.open().await;
    let checked = plan.history.check(&store, 80, &heard.acknowledged).await;
    checked.unwrap();
    store.close().await;
    drop(store);
    check_clean(&trial).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_is_deleted_again_and_again_beside_a_reader() {
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let mut ids = Vec::new();
    for number in 0..20 {
        let name = number.to_string();
        let published = port.publish_artifact(request(&name, &name, &name)).await;
        ids.push(published.unwrap().artifact().id);
    }
    let dump = trial::dump(&*store.maintenance()).await.unwrap();
    let (go, going) = std::sync::mpsc::channel::<()>();
    let root = trial.root();
    let deleting = std::thread::spawn(move || {
        let mut times = 0;
        while going.recv().is_ok() {
            trial::delete_catalog(&root);
            times += 1;
        }
        times
    });
    for round in 0..60 {
        go.send(()).unwrap();
        for id in &ids[..10] {
            assert_eq!(port.get_artifact(*id).await.unwrap().id, *id, "{round}");
        }
        let page = PageRequest::first(100).unwrap();
        let listed = port.list_artifacts(&ArtifactFilter::default(), &page).await;
        assert_eq!(listed.unwrap().items.len(), 20, "{round}");
    }
    drop(go);
    assert_eq!(deleting.join().unwrap(), 60);
    assert_eq!(trial::dump(&*store.maintenance()).await.unwrap(), dump);
    store.close().await;
    drop((port, store));
    check_clean(&trial).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_go_away_leave_all_or_nothing() {
    const CALLS: u64 = 120;
    let trial = Trial::new();
    let store = trial.open().await;
    let port = store.artifacts();
    let name = |number: u64| format!("call-{number}");
    let content = |number: u64| name(number).repeat(1 + 400 * (number as usize % 30));
    let mut gone = 0;
    for number in 0..CALLS {
        let name = name(number);
        let call = port.publish_artifact(request(&name, &content(number), &name));
        // Anywhere from before its first step to after its last.
        let patience = Duration::from_micros(number * number);
        gone += u64::from(tokio::time::timeout(patience, call).await.is_err());
    }
    assert!(gone > 10, "only {gone} callers went away");
    for number in 0..CALLS {
        let name = name(number);
        let before = find(&*port, &name).await.unwrap();
        assert!(before.len() <= 1);
        let request = request(&name, &content(number), &name);
        let result = port.publish_artifact(request).await.unwrap();
        assert!(
            !result.is_duplicate(),
            "a repetition tells the first outcome"
        );
        let id = result.artifact().id;
        assert!(before.iter().all(|artifact| artifact.id == id));
        assert_eq!(find(&*port, &name).await.unwrap().len(), 1);
        let bytes = trial::read(&*port, id).await.unwrap();
        assert!(bytes == content(number).as_bytes());
    }
    store.close().await;
    assert_eq!(trial.files_in("artifacts").len() as u64, 2 * CALLS);
    drop((port, store));
    check_clean(&trial).await;
}

/// Kills a worker between the rename of a record and the commit of its row, has another process repeat that step, and
/// says what is wrong. Nobody settles or rebuilds before.
async fn kill_before_commit(nth: u64, mutant: Mutant) -> Vec<String> {
    let trial = Trial::new();
    let mut first = plan(&trial, 0, 30);
    first.kill = KillPlan::AtPoint {
        name: "catalog.before-commit".to_owned(),
        nth,
    };
    let program = Path::new(WORKER);
    let killed = listen(first.start_mutant(program, mutant).unwrap()).unwrap();
    assert!(!killed.finished, "{first:?} was not killed");
    let again = WorkerPlan {
        first: killed.tried.expect("it was killed in a step"),
        count: 1,
        kill: KillPlan::Never,
        ..first
    };
    let repeated = listen(again.start_mutant(program, mutant).unwrap()).unwrap();
    assert!(repeated.finished);
    let mut wrong = repeated.errors;
    let store = trial.open().await;
    let status = store.maintenance().status(StatusDetail::Counts).await;
    let rows = status.unwrap().artifacts.total();
    let records = trial.files_in("artifacts");
    let records = records.iter().filter(|name| name.ends_with(".json"));
    let records = records.count() as u64;
    if records != rows {
        wrong.push(format!("{records} records, {rows} rows"));
    }
    let dump = trial::dump(&*store.maintenance()).await.unwrap();
    trial.delete_catalog();
    match trial::dump(&*store.maintenance()).await {
        Ok(rebuilt) if rebuilt == dump => {}
        Ok(_) => wrong.push("the rebuilt catalog is another one".to_owned()),
        Err(error) => wrong.push(format!("the catalog cannot be rebuilt: {error:?}")),
    }
    store.close().await;
    wrong
}

/// Which commits of the history above are cut off.
const COMMITS: std::ops::RangeInclusive<u64> = 1..=8;

#[tokio::test]
async fn a_kill_before_the_commit_is_mended_by_the_repetition() {
    for nth in COMMITS {
        let wrong = kill_before_commit(nth, Mutant::None).await;
        assert_eq!(wrong, Vec::<String>::new(), "killed at commit {nth}");
    }
}

#[tokio::test]
async fn without_the_intent_the_kill_harness_fails() {
    let mut noticed = 0;
    for nth in COMMITS {
        let wrong = kill_before_commit(nth, Mutant::NoIntent).await;
        noticed += u64::from(!wrong.is_empty());
    }
    assert!(noticed > 0, "nobody noticed that there are no intents");
}
