//! Processes killed with SIGKILL: at every named point, at every call while settling, at random times beside others.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test asserts"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use artstore_tests::kill::history::{Acknowledged, History, check_store};
use artstore_tests::kill::point::{KillPlan, POINTS};
use artstore_tests::kill::process::{Heard, WorkerPlan, listen};
use artstore_tests::store::LocalStore;

const WORKER: &str = env!("CARGO_BIN_EXE_crash-worker");

struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("sources")).unwrap();
        Self { directory }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    fn plan(&self, worker: u64, seed: u64, count: u64, kill: KillPlan) -> WorkerPlan {
        WorkerPlan {
            root: self.root(),
            history: History {
                worker,
                seed,
                sources: self.directory.path().join("sources"),
            },
            first: 0,
            count,
            group: 1,
            kill,
        }
    }
}

fn run(plan: &WorkerPlan) -> Heard {
    let heard = plan.run(Path::new(WORKER)).expect("the worker runs");
    assert_eq!(heard.errors, Vec::<String>::new(), "{plan:?}");
    heard
}

/// Repeats every step that was begun, then checks all of them and the store.
async fn complete_and_check(plan: &WorkerPlan, heard: &[&Heard]) {
    let mut acknowledged = Acknowledged::new();
    for heard in heard {
        acknowledged.extend(heard.acknowledged.clone());
    }
    let end = heard.iter().map(|heard| heard.end).max().unwrap_or(0);
    let store = LocalStore::open(&plan.root).await.unwrap();
    let steps = plan.history.plan(end).steps;
    for number in 0..end {
        let is_last = number + 1 == end;
        if !is_last && !steps[number as usize].is_remembered() {
            continue;
        }
        let told_now = plan
            .history
            .perform(&store, number)
            .await
            .unwrap_or_else(|error| {
                panic!("repeating step {number} of {plan:?}: {error:?}");
            });
        if let Some(told) = acknowledged.insert(number, told_now.clone()) {
            assert_eq!(told, told_now, "step {number} of {plan:?} happened twice");
        }
    }
    let checked = plan.history.check(&store, end, &acknowledged).await;
    checked.unwrap_or_else(|error| panic!("{plan:?}: {error:?}"));
    store.close().await;
    drop(store);
    // A store of its own, which has staged nothing: all staging that is left is left over.
    let store = LocalStore::open(&plan.root).await.unwrap();
    let checked = check_store(&*store.maintenance(), &plan.root).await;
    checked.unwrap_or_else(|error| panic!("{plan:?}: {error:?}"));
    store.close().await;
}

/// The fewest steps that do everything.
const STEPS: u64 = 16;
const SEED: u64 = 2107;

/// What a worker that nobody kills passes.
fn points_passed() -> BTreeMap<String, u64> {
    let world = World::new();
    let heard = run(&world.plan(0, SEED, STEPS, KillPlan::Never));
    assert!(heard.finished);
    heard.points
}

#[tokio::test]
async fn a_worker_killed_at_any_named_point_loses_nothing() {
    let passed = points_passed();
    let known: BTreeSet<&str> = POINTS.iter().copied().collect();
    let missed: Vec<_> = known
        .iter()
        .filter(|point| !passed.contains_key(**point))
        .collect();
    assert!(
        missed.is_empty(),
        "points that the history never passes: {missed:?}"
    );
    let mut kills = 0;
    for (name, times) in &passed {
        // The first time, the second, and the last: new directories, the ordinary case, a late one.
        for nth in BTreeSet::from([1, 2.min(*times), *times]) {
            let world = World::new();
            let kill = KillPlan::AtPoint {
                name: name.clone(),
                nth,
            };
            let plan = world.plan(0, SEED, STEPS, kill);
            let heard = run(&plan);
            assert!(!heard.finished, "{plan:?} was not killed");
            complete_and_check(&plan, &[&heard]).await;
            kills += 1;
        }
    }
    println!("{kills} kills at {} points", passed.len());
}

#[tokio::test]
async fn a_worker_killed_while_it_settles_loses_nothing_either() {
    // Each leaves other remains: data alone, both names, an event without rows, rows without the counter.
    let first_kills = [
        ("record.rename", 3),
        ("directory.sync", 9),
        ("catalog.before-commit", 5),
        ("catalog.after-commit", 6),
        ("record.replace", 1),
        ("intent.remove", 4),
        ("data.adopt", 2),
        ("table.end", 1),
        ("catalog.before-commit-of-superseded", 1),
        ("catalog.after-commit-of-superseded", 1),
        ("catalog.before-commit-of-tombstoned", 1),
        ("catalog.before-commit-of-republished", 1),
        ("type.replace", 1),
    ];
    let mut kills = 0;
    for (name, nth) in first_kills {
        for second in 1..=16 {
            let world = World::new();
            let kill = KillPlan::AtPoint {
                name: name.to_owned(),
                nth,
            };
            let first_plan = world.plan(0, SEED, STEPS, kill);
            let first = run(&first_plan);
            assert!(!first.finished, "{first_plan:?} was not killed");
            // The first calls of the next process settle what the first one left.
            let again = WorkerPlan {
                first: first.tried.expect("it was killed in a step"),
                count: 1,
                kill: KillPlan::AtCall(second),
                ..first_plan.clone()
            };
            let heard = run(&again);
            complete_and_check(&first_plan, &[&first, &heard]).await;
            kills += 1;
            if heard.finished {
                break;
            }
        }
    }
    println!("{kills} kills, twice in a row");
}

/// Some steps in which most publishes come in a row.
const BATCH_STEPS: u64 = 24;

/// Each publish of a call that was cut off is wholly there or wholly absent, and comes once when it is repeated: by itself,
/// or in the same call.
#[tokio::test]
async fn a_worker_killed_amid_a_batch_loses_nothing() {
    let batches = |kill| {
        let world = World::new();
        let plan = WorkerPlan {
            group: 8,
            ..world.plan(0, SEED, BATCH_STEPS, kill)
        };
        (world, plan)
    };
    let (_world, plan) = batches(KillPlan::Never);
    let unharmed = run(&plan);
    assert!(unharmed.finished);
    let commits = unharmed.points["catalog.before-commit"];
    assert!(commits < BATCH_STEPS - 4, "{commits} commits");
    let mut kills = 0;
    for (name, times) in &unharmed.points {
        for nth in BTreeSet::from([times.div_ceil(2), *times]) {
            let kill = KillPlan::AtPoint {
                name: name.clone(),
                nth,
            };
            let (_world, plan) = batches(kill);
            let first = run(&plan);
            // Threads that prepare side by side need not pass as many points each time.
            if first.finished {
                continue;
            }
            kills += 1;
            if kills % 2 == 0 {
                complete_and_check(&plan, &[&first]).await;
                continue;
            }
            let again = WorkerPlan {
                first: first.tried.unwrap_or(0),
                count: first.end - first.tried.unwrap_or(0),
                kill: KillPlan::Never,
                ..plan.clone()
            };
            let repeated = run(&again);
            assert!(repeated.finished);
            complete_and_check(&plan, &[&first, &repeated]).await;
        }
    }
    assert!(kills > 40, "only {kills} kills");
    println!("{kills} kills amid batches");
}

#[tokio::test]
async fn processes_race_while_one_of_them_is_killed() {
    for round in 0..6 {
        let world = World::new();
        let plans: Vec<WorkerPlan> = (0..3)
            .map(|worker| world.plan(worker, 100 + round, 60, KillPlan::Never))
            .collect();
        let mut victim = plans[0].start(Path::new(WORKER)).unwrap();
        let others: Vec<_> = plans[1..]
            .iter()
            .map(|plan| {
                let child = plan.start(Path::new(WORKER)).unwrap();
                std::thread::spawn(move || listen(child).unwrap())
            })
            .collect();
        std::thread::sleep(Duration::from_millis(15 + 23 * round));
        victim.kill().unwrap();
        let mut heard = vec![listen(victim).unwrap()];
        heard.extend(others.into_iter().map(|thread| thread.join().unwrap()));
        for (plan, heard) in plans.iter().zip(&heard) {
            assert_eq!(heard.errors, Vec::<String>::new(), "{plan:?}");
            complete_and_check(plan, &[heard]).await;
        }
        for heard in &heard[1..] {
            assert!(heard.finished, "a survivor came to its end");
        }
    }
}
