//! Random operations on a store, beside a plain map that says what it should hold.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test asserts")]

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use artstore_core::artifact::{Artifact, ArtifactFilter, ArtifactStatus};
use artstore_core::backend::NoProgress;
use artstore_core::format::{CatalogUrls, StoreDocument};
use artstore_core::page::PageRequest;
use artstore_core::ports::{ArtifactStorePort, Maintenance};
use artstore_core::tags::{TagChange, TagRemoval, Tags};
use artstore_engine::{CatalogSet, Engine, EngineParts, EngineSettings};
use artstore_testkit::environment::{ManualClock, SequentialIds};
use artstore_testkit::memory::{CatalogCopy, MemoryArtifactCatalog, MemoryLock, MemoryStore};
use artstore_testkit::model::{ModelOperation, StoreModel};
use artstore_testkit::samples;
use artstore_tests::store::LocalStore;
use artstore_tests::trial::{self, Trial};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

/// One thing that is done to a store. All numbers are small, so that the same thing is met again and again.
#[derive(Debug, Clone)]
enum Action {
    Publish {
        kind: u8,
        version: u32,
        key: u8,
        content: u8,
        tags: Vec<Pair>,
        op_id: Option<u8>,
    },
    Tag {
        artifact: usize,
        add: Vec<Pair>,
        remove: Vec<Removal>,
        op_id: Option<u8>,
    },
    List {
        kind: Option<u8>,
        is_active: bool,
        tags: Vec<Pair>,
        prefix: Option<u8>,
        /// Created not before, and before, artifacts of the list, counted from its end.
        from: Option<usize>,
        before: Option<usize>,
        limit: u32,
    },
    /// Ask for everything in every way.
    Look,
    Reopen,
    DeleteCatalog,
    KeepCatalog(u8),
    /// Put a kept, older catalog in the place of the present one.
    PutBackCatalog(u8),
    Settle,
    Rebuild,
}

type Pair = (u8, u8);

#[derive(Debug, Clone)]
enum Removal {
    Pair(Pair),
    Key(u8),
}

fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    vec((0..3_u8, 0..3_u8), 0..3)
}

fn action() -> impl Strategy<Value = Action> {
    let op_id = || option::weighted(0.5, 0..12_u8);
    let publish = (0..2_u8, 1..3_u32, 0..4_u8, 0..5_u8, pairs(), op_id()).prop_map(
        |(kind, version, key, content, tags, op_id)| Action::Publish {
            kind,
            version,
            key,
            content,
            tags,
            op_id,
        },
    );
    let removal = prop_oneof![
        (0..3_u8, 0..3_u8).prop_map(Removal::Pair),
        (0..3_u8).prop_map(Removal::Key)
    ];
    let tag = (0..8_usize, pairs(), vec(removal, 0..3), op_id()).prop_map(
        |(artifact, add, remove, op_id)| Action::Tag {
            artifact,
            add,
            remove,
            op_id,
        },
    );
    let list = (
        option::of(0..2_u8),
        any::<bool>(),
        vec((0..3_u8, 0..3_u8), 0..2),
        option::of(0..4_u8),
        option::of(0..6_usize),
        option::of(0..6_usize),
        1..5_u32,
    )
        .prop_map(
            |(kind, is_active, tags, prefix, from, before, limit)| Action::List {
                kind,
                is_active,
                tags,
                prefix,
                from,
                before,
                limit,
            },
        );
    prop_oneof![
        12 => publish,
        6 => tag,
        4 => list,
        1 => Just(Action::Look),
        1 => Just(Action::Reopen),
        1 => Just(Action::DeleteCatalog),
        1 => (0..2_u8).prop_map(Action::KeepCatalog),
        1 => (0..2_u8).prop_map(Action::PutBackCatalog),
        1 => Just(Action::Settle),
        1 => Just(Action::Rebuild),
    ]
}

/// A store that the actions can be done to.
trait Subject {
    fn port(&self) -> Arc<dyn ArtifactStorePort>;
    fn maintenance(&self) -> Arc<dyn Maintenance>;
    fn reopen(&mut self) -> impl Future<Output = ()>;
    fn delete_catalog(&mut self);
    fn keep_catalog(&mut self, place: u8) -> impl Future<Output = ()>;
    fn put_back_catalog(&mut self, place: u8) -> impl Future<Output = ()>;
}

struct InMemory {
    files: Arc<MemoryStore>,
    catalog: Arc<MemoryArtifactCatalog>,
    lock: Arc<MemoryLock>,
    clock: Arc<ManualClock>,
    ids: Arc<SequentialIds>,
    kept: BTreeMap<u8, CatalogCopy>,
    engine: Engine,
}

impl InMemory {
    fn new() -> Self {
        Self::over(
            Arc::new(MemoryStore::new()),
            Arc::new(MemoryArtifactCatalog::missing()),
            Arc::new(MemoryLock::new()),
            Arc::new(ManualClock::at(samples::time(0))),
            Arc::new(SequentialIds::starting_at(1000)),
        )
    }

    fn over(
        files: Arc<MemoryStore>,
        catalog: Arc<MemoryArtifactCatalog>,
        lock: Arc<MemoryLock>,
        clock: Arc<ManualClock>,
        ids: Arc<SequentialIds>,
    ) -> Self {
        let urls = CatalogUrls::default();
        let parts = EngineParts {
            store: StoreDocument::new(samples::store_id(), samples::time(0), urls),
            blobs: files.clone(),
            publications: files.clone(),
            lock: lock.clone(),
            catalogs: CatalogSet {
                artifacts: catalog.clone(),
            },
            clock: clock.clone(),
            ids: ids.clone(),
            progress: Arc::new(NoProgress),
        };
        let engine = Engine::new(parts, EngineSettings::default());
        Self {
            files,
            catalog,
            lock,
            clock,
            ids,
            kept: BTreeMap::new(),
            engine,
        }
    }
}

impl Subject for InMemory {
    fn port(&self) -> Arc<dyn ArtifactStorePort> {
        self.clock.advance(std::time::Duration::from_millis(1));
        self.engine.artifact_store()
    }

    fn maintenance(&self) -> Arc<dyn Maintenance> {
        self.engine.maintenance()
    }

    async fn reopen(&mut self) {
        self.engine.close().await;
        self.files.die();
        let opened = Self::over(
            Arc::new(self.files.another_process()),
            Arc::new(self.catalog.instance()),
            Arc::new(self.lock.instance()),
            Arc::clone(&self.clock),
            Arc::clone(&self.ids),
        );
        let kept = std::mem::take(&mut self.kept);
        *self = Self { kept, ..opened };
    }

    fn delete_catalog(&mut self) {
        self.catalog.delete();
    }

    async fn keep_catalog(&mut self, place: u8) {
        self.engine.close().await;
        self.kept.insert(place, self.catalog.snapshot());
    }

    async fn put_back_catalog(&mut self, place: u8) {
        if let Some(kept) = self.kept.get(&place) {
            self.engine.close().await;
            self.catalog.restore(kept);
        }
    }
}

struct OnDisk {
    trial: Trial,
    store: LocalStore,
}

impl OnDisk {
    async fn new() -> Self {
        let trial = Trial::new();
        let store = trial.open().await;
        Self { trial, store }
    }

    fn kept(&self, place: u8) -> PathBuf {
        self.trial.beside(&format!("kept-{place}.sqlite"))
    }
}

impl Subject for OnDisk {
    fn port(&self) -> Arc<dyn ArtifactStorePort> {
        self.store.artifacts()
    }

    fn maintenance(&self) -> Arc<dyn Maintenance> {
        self.store.maintenance()
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = self.trial.open().await;
    }

    fn delete_catalog(&mut self) {
        self.trial.delete_catalog();
    }

    async fn keep_catalog(&mut self, place: u8) {
        // Closing copies the log into the database, so that one file is all of it.
        self.store.close().await;
        let _ = std::fs::copy(self.trial.catalog(), self.kept(place));
    }

    async fn put_back_catalog(&mut self, place: u8) {
        if self.kept(place).exists() {
            self.store.close().await;
            self.trial.delete_catalog();
            std::fs::copy(self.kept(place), self.trial.catalog()).unwrap();
        }
    }
}

fn tags(pairs: &[Pair]) -> Tags {
    let mut tags = Tags::new();
    for (key, value) in pairs {
        tags.insert(format!("t{key}"), format!("v{value}")).unwrap();
    }
    tags
}

/// Keys of several lengths and scripts; one is the start of another.
fn key(number: u8) -> &'static str {
    ["a", "a/../b", "日=本", "🦀"][usize::from(number)]
}

fn content(number: u8) -> Vec<u8> {
    match number {
        0 => Vec::new(),
        _ => vec![b'0' + number; 1 << (3 * number)],
    }
}

fn op_id(number: Option<u8>) -> Option<artstore_core::key::OpId> {
    number.map(|number| samples::op_id(&format!("op-{number}")))
}

/// What `action` changes through the port; `None` if it only looks or mends.
fn change(action: &Action) -> Option<ModelOperation> {
    match action {
        Action::Publish {
            kind,
            version,
            key: key_number,
            content: content_number,
            tags: pairs,
            op_id: op_number,
        } => {
            let mut request = samples::request(key(*key_number), content(*content_number));
            request.artifact_type = samples::artifact_type(&format!("kind{kind}"));
            request.schema_version = *version;
            request.tags = tags(pairs);
            request.op_id = op_id(*op_number);
            Some(ModelOperation::Publish(Box::new(request)))
        }
        Action::Tag {
            artifact,
            add,
            remove,
            op_id: op_number,
        } => {
            let remove = remove.iter().map(|removal| match removal {
                Removal::Pair((key, value)) => {
                    TagRemoval::Pair(format!("t{key}"), format!("v{value}"))
                }
                Removal::Key(key) => TagRemoval::Key(format!("t{key}")),
            });
            Some(ModelOperation::Tag {
                artifact: *artifact,
                change: TagChange {
                    add: tags(add),
                    remove: remove.collect(),
                },
                op_id: op_id(*op_number),
            })
        }
        _ => None,
    }
}

/// Does `actions` to `subject` and to a model, and compares.
async fn perform(subject: &mut impl Subject, actions: &[Action]) {
    let mut model = StoreModel::new();
    for action in actions {
        if let Some(operation) = change(action) {
            model.step(&*subject.port(), &operation).await;
            continue;
        }
        match action {
            Action::Publish { .. } | Action::Tag { .. } => {}
            Action::List { .. } => check_list(&*subject.port(), action).await,
            Action::Look => model.check_against(&*subject.port()).await,
            Action::Reopen => subject.reopen().await,
            Action::DeleteCatalog => subject.delete_catalog(),
            Action::KeepCatalog(place) => subject.keep_catalog(*place).await,
            Action::PutBackCatalog(place) => subject.put_back_catalog(*place).await,
            Action::Settle => {
                let report = subject.maintenance().settle().await.unwrap();
                assert_eq!(report.faults, []);
            }
            Action::Rebuild => {
                let report = subject.maintenance().rebuild().await.unwrap();
                assert_eq!(report.faults, []);
                assert_eq!(report.records, model.len() as u64);
            }
        }
    }
    model.check_against(&*subject.port()).await;
    let before = trial::dump(&*subject.maintenance()).await.unwrap();
    subject.delete_catalog();
    let after = trial::dump(&*subject.maintenance()).await.unwrap();
    assert_eq!(before, after, "a rebuilt catalog has the same dump");
    subject.reopen().await;
    model.check_against(&*subject.port()).await;
}

/// A filtered list by pages is what a filter written here leaves of the whole list.
async fn check_list(port: &dyn ArtifactStorePort, action: &Action) {
    let Action::List {
        kind,
        is_active,
        tags: pairs,
        prefix,
        from,
        before,
        limit,
    } = action
    else {
        return;
    };
    let whole = PageRequest::first(PageRequest::MAX_LIMIT).unwrap();
    let all = port
        .list_artifacts(&ArtifactFilter::default(), &whole)
        .await;
    let all = all.unwrap().items;
    let time_of = |place: &Option<usize>| {
        let artifact = all.iter().rev().nth((*place)?)?;
        Some(artifact.created_at)
    };
    let filter = ArtifactFilter {
        artifact_type: kind.map(|kind| samples::artifact_type(&format!("kind{kind}"))),
        status: is_active.then_some(ArtifactStatus::Active),
        tags: tags(pairs),
        key_prefix: prefix.map(|number| key(number).to_owned()),
        created_from: time_of(from),
        created_before: time_of(before),
    };
    let matches = |artifact: &&Artifact| {
        let name = kind.map(|kind| format!("kind{kind}"));
        name.is_none_or(|name| artifact.artifact_type.as_str() == name)
            && pairs.iter().all(|(key, value)| {
                let (key, value) = (format!("t{key}"), format!("v{value}"));
                artifact.tags.contains(&key, &value)
            })
            && prefix.is_none_or(|number| artifact.logical_key.as_str().starts_with(key(number)))
            && time_of(from).is_none_or(|from| artifact.created_at >= from)
            && time_of(before).is_none_or(|before| artifact.created_at < before)
    };
    let wanted: Vec<Artifact> = all.iter().filter(matches).cloned().collect();
    let mut listed = Vec::new();
    let mut page = PageRequest::first(*limit).unwrap();
    loop {
        let found = port.list_artifacts(&filter, &page).await.unwrap();
        assert!(found.items.len() <= *limit as usize);
        listed.extend(found.items);
        let Some(next) = found.next else { break };
        page = page.after(next);
    }
    assert_eq!(listed, wanted, "{filter:?}");
}

/// Runs `cases` random sequences and panics with the shortest one that fails.
fn explore(cases: u32, length: usize, run: impl Fn(Vec<Action>)) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&vec(action(), 1..length), |actions| {
        run(actions);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, actions)) => {
            let steps: Vec<String> = actions
                .iter()
                .map(|action| format!("  {action:?}"))
                .collect();
            let steps = steps.join("\n");
            panic!("{reason}\nafter\n{steps}");
        }
        Err(TestError::Abort(reason)) => panic!("given up: {reason}"),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

#[test]
fn the_engine_over_memory_holds_what_the_model_holds() {
    explore(300, 80, |actions| {
        block_on(async { perform(&mut InMemory::new(), &actions).await });
    });
}

#[test]
fn a_store_on_disk_holds_what_the_model_holds() {
    explore(80, 50, |actions| {
        block_on(async { perform(&mut OnDisk::new().await, &actions).await });
    });
}

fn publishing(content: u8) -> Action {
    Action::Publish {
        kind: 0,
        version: 1,
        key: 0,
        content,
        tags: Vec::new(),
        op_id: None,
    }
}

fn check_everywhere(actions: &[Action]) {
    block_on(async {
        perform(&mut InMemory::new(), actions).await;
        perform(&mut OnDisk::new().await, actions).await;
    });
}

/// Found by the tests above: an explicit settling that makes a missing catalog anew must not begin to count anew.
#[test]
fn an_older_copy_is_recognised_after_a_missing_catalog_was_settled() {
    check_everywhere(&[
        publishing(1),
        Action::KeepCatalog(0),
        publishing(2),
        Action::DeleteCatalog,
        Action::Settle,
        Action::PutBackCatalog(0),
    ]);
}

/// What is settled into an older copy must count on from the last commit, not from the copy's.
#[test]
fn an_older_copy_is_recognised_after_a_still_older_one_was_settled() {
    check_everywhere(&[
        publishing(1),
        Action::KeepCatalog(0),
        publishing(2),
        Action::KeepCatalog(1),
        publishing(3),
        Action::PutBackCatalog(0),
        Action::Look,
        Action::PutBackCatalog(1),
    ]);
}

/// A harness that does not notice a lost change proves nothing.
#[test]
fn the_model_notices_an_event_that_is_lost() {
    let actions = [
        publishing(1),
        Action::Tag {
            artifact: 0,
            add: vec![(0, 0)],
            remove: Vec::new(),
            op_id: None,
        },
    ];
    let noticed = std::panic::catch_unwind(|| {
        block_on(async {
            let mut subject = OnDisk::new().await;
            let mut model = StoreModel::new();
            for action in &actions {
                let operation = change(action).expect("a change");
                model.step(&*subject.port(), &operation).await;
            }
            model.check_against(&*subject.port()).await;
            subject.store.close().await;
            lose_the_last_change(&subject.trial);
            subject.delete_catalog();
            model.check_against(&*subject.port()).await;
        });
    });
    let reason = noticed.expect_err("a lost tag is noticed");
    let reason = reason.downcast_ref::<String>().expect("an assertion");
    assert!(
        reason.contains("artifact 0"),
        "for its own reason: {reason}"
    );
}

/// As if neither the event nor the record that includes it had ever been written.
fn lose_the_last_change(trial: &Trial) {
    for event in trial.files_in("events") {
        std::fs::remove_file(trial.root().join("events").join(event)).unwrap();
    }
    let records = trial.files_in("artifacts");
    let record = records.iter().find(|name| name.ends_with(".json")).unwrap();
    let path = trial.root().join("artifacts").join(record);
    let bytes = std::fs::read(&path).unwrap();
    let at = artstore_core::path::RelPath::new(format!("artifacts/{record}")).unwrap();
    let mut artifact = artstore_core::format::ArtifactRecord::parse(&bytes, &at)
        .unwrap()
        .into_artifact();
    artifact.tags = Tags::new();
    (artifact.revision, artifact.last_event) = (1, 0);
    let document = artstore_core::format::ArtifactRecord::rewritten(&bytes, &artifact).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, document).unwrap();
}
