//! A random history of a thousand operations, with kills in between.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test asserts, and says how much it did"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use artstore_core::ErrorKind;
use artstore_core::artifact::ArtifactFilter;
use artstore_core::id::ArtifactId;
use artstore_core::layout::{ArtifactFile, artifact_of_file_name};
use artstore_core::maintenance::StatusDetail;
use artstore_core::page::PageRequest;
use artstore_core::tags::TagChange;
use artstore_tests::kill::history::{Acknowledged, History, check_store};
use artstore_tests::kill::point::{KillPlan, POINTS};
use artstore_tests::kill::process::{Heard, WorkerPlan, listen};
use artstore_tests::store::LocalStore;
use artstore_tests::trial::{self, Trial};

const WORKER: &str = env!("CARGO_BIN_EXE_crash-worker");
const SEED: u64 = 20_261_120;
/// Steps of each of the two workers.
const STEPS: u64 = 500;

/// Numbers that follow from a seed alone.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// How a worker's next process comes to its end.
#[derive(Debug)]
enum End {
    Planned(KillPlan),
    After(Duration),
}

fn next_end(random: &mut Random) -> End {
    match random.below(5) {
        0 => End::After(Duration::from_millis(random.below(120))),
        1 => End::Planned(KillPlan::AtPoint {
            name: POINTS[random.below(POINTS.len() as u64) as usize].to_owned(),
            nth: 1 + random.below(12),
        }),
        // Soon: often while it settles what the one before left.
        2 => End::Planned(KillPlan::AtCall(1 + random.below(40))),
        _ => End::Planned(KillPlan::AtCall(1 + random.below(220))),
    }
}

/// One worker's way through its history.
struct Progress {
    history: History,
    next: u64,
    acknowledged: Acknowledged,
    is_finished: bool,
}

impl Progress {
    fn run(&mut self, root: &Path, end: &End) -> Heard {
        let kill = match end {
            End::Planned(plan) => plan.clone(),
            End::After(_) => KillPlan::Never,
        };
        let plan = WorkerPlan {
            root: root.to_owned(),
            history: self.history.clone(),
            first: self.next,
            count: STEPS - self.next,
            // One of them publishes what it can in one call.
            group: 1 + 7 * self.history.worker,
            kill,
        };
        let mut child = plan.start(Path::new(WORKER)).unwrap();
        if let End::After(time) = end {
            std::thread::sleep(*time);
            child.kill().unwrap();
        }
        let heard = listen(child).unwrap();
        assert_eq!(heard.errors, Vec::<String>::new(), "{plan:?}");
        for (number, answer) in &heard.acknowledged {
            let told = self.acknowledged.insert(*number, answer.clone());
            assert!(
                told.is_none_or(|told| told == *answer),
                "step {number} of {plan:?} happened twice"
            );
        }
        // The step that was begun last is begun again, whether or not it was acknowledged.
        self.next = heard.tried.unwrap_or(self.next);
        self.is_finished = heard.finished;
        heard
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_random_history_of_a_thousand_operations_with_kills_in_between() {
    let trial = Trial::new();
    let root = trial.root();
    let mut random = Random(SEED);
    let mut workers: Vec<Progress> = (0..2)
        .map(|worker| Progress {
            history: History {
                worker,
                seed: SEED,
                sources: trial.sources(),
            },
            next: 0,
            acknowledged: Acknowledged::new(),
            is_finished: false,
        })
        .collect();
    let mut kills = 0;
    while let Some(turn) = (0..workers.len())
        .filter(|turn| !workers[*turn].is_finished)
        .min_by_key(|turn| workers[*turn].next)
    {
        let end = next_end(&mut random);
        let heard = workers[turn].run(&root, &end);
        kills += u64::from(!heard.finished);
        assert!(kills < 2000, "the history comes to no end");
    }
    println!("{} operations, {kills} kills", 2 * STEPS);
    assert!(kills >= 60, "only {kills} kills");

    let store = trial.open().await;
    for worker in &workers {
        assert_eq!(worker.acknowledged.len() as u64, STEPS);
        let checked = worker
            .history
            .check(&store, STEPS, &worker.acknowledged)
            .await;
        checked.unwrap();
    }
    check_nothing_else(&store, &workers).await;
    check_quarantine(&trial, &store, kills).await;
    check_store(&*store.maintenance(), &root).await.unwrap();
    let dump = trial::dump(&*store.maintenance()).await.unwrap();
    store.close().await;
    drop(store);
    check_every_command_rebuilds(&trial, &dump).await;
}

/// Every artifact is one that some step published: nothing is there twice under another id.
async fn check_nothing_else(store: &LocalStore, workers: &[Progress]) {
    let acknowledged: BTreeSet<ArtifactId> = workers
        .iter()
        .flat_map(|worker| worker.acknowledged.values())
        .filter_map(|told| told.parse().ok())
        .collect();
    let page = PageRequest::first(PageRequest::MAX_LIMIT).unwrap();
    let all = store.artifacts();
    let all = all.list_artifacts(&ArtifactFilter::default(), &page).await;
    let listed: BTreeSet<ArtifactId> = all.unwrap().items.iter().map(|found| found.id).collect();
    assert_eq!(listed, acknowledged);
}

/// Quarantine holds bytes whose publication was cut off before its record had its name, and nothing that happened.
async fn check_quarantine(trial: &Trial, store: &LocalStore, kills: u64) {
    let quarantined = trial.files_in("quarantine");
    println!("{} halves in quarantine", quarantined.len());
    assert!(quarantined.len() as u64 <= kills, "{quarantined:?}");
    for name in quarantined {
        let (id, file) = artifact_of_file_name(&name).expect("a name that the store made");
        assert_eq!(file, ArtifactFile::Data, "{name} is half of a publication");
        let error = store.artifacts().get_artifact(id).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::NotFound,
            "{name} belongs to an artifact"
        );
    }
}

/// `rm catalog.sqlite*`, then any command: the dump is the same.
async fn check_every_command_rebuilds(trial: &Trial, dump: &str) {
    for command in ["status", "list", "bytes", "tag", "rebuild", "dump"] {
        trial.delete_catalog();
        let store = trial.open().await;
        perform(&store, command).await;
        let after = trial::dump(&*store.maintenance()).await.unwrap();
        assert!(after == *dump, "another dump after `{command}`");
        store.close().await;
    }
}

async fn perform(store: &LocalStore, command: &str) {
    let (port, maintenance) = (store.artifacts(), store.maintenance());
    let page = PageRequest::first(1).unwrap();
    let newest = || async {
        let listed = port.list_artifacts(&ArtifactFilter::default(), &page).await;
        listed.unwrap().items[0].id
    };
    match command {
        "status" => {
            let status = maintenance.status(StatusDetail::Counts).await.unwrap();
            assert!(status.artifacts.active > 0);
        }
        "list" => drop(newest().await),
        "bytes" => {
            let id = newest().await;
            trial::read(&*port, id).await.unwrap();
        }
        "tag" => {
            let (id, change) = (newest().await, TagChange::default());
            port.tag(id, change, None).await.unwrap();
        }
        "rebuild" => {
            let report = maintenance.rebuild().await.unwrap();
            assert_eq!(report.faults, []);
        }
        _ => {}
    }
}
