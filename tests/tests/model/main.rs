//! Random operations on a store, beside a plain map that says what it should hold.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test asserts")]

mod subject;

use std::future::Future;
use std::sync::{Arc, LazyLock};

use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactSource, ArtifactStatus, PublishArtifactRequest, TimeSpan,
};
use artstore_core::backend::{BlobStore as _, NoProgress, TableReader as _};
use artstore_core::page::PageRequest;
use artstore_core::ports::ArtifactStorePort;
use artstore_core::table::{TableFacts, TableFormat, TableRules};
use artstore_core::tags::{TagChange, TagRemoval, Tags};
use artstore_tabular::TabularReader;
use artstore_testkit::memory::MemoryStore;
use artstore_testkit::model::{ModelOperation, ModelPublish, ModelStored, ModelTable, StoreModel};
use artstore_testkit::samples;
use artstore_tests::spelling::{Row, Spelling, rows};
use artstore_tests::trial::{self, Trial};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

use subject::{InMemory, OnDisk, Subject};

/// One thing that is done to a store. All numbers are small, so that the same thing is met again and again.
#[derive(Debug, Clone)]
enum Action {
    Publish {
        kind: u8,
        version: u32,
        key: u8,
        content: Content,
        inputs: Vec<(usize, Option<u8>)>,
        tags: Vec<Pair>,
        op_id: Option<u8>,
    },
    /// Several publishes in one call.
    PublishMany(Vec<Action>),
    Supersede {
        new: usize,
        old: usize,
        op_id: Option<u8>,
    },
    Tombstone {
        artifact: usize,
        reason: u8,
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
        /// Of tables, the number of a row whose minute they cover.
        row: Option<u8>,
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

#[derive(Debug, Clone, Copy)]
enum Content {
    File(u8),
    Table(Spelling, u8),
}

#[derive(Debug, Clone)]
enum Removal {
    Pair(Pair),
    Key(u8),
}

fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    vec((0..3_u8, 0..3_u8), 0..3)
}

fn publish() -> impl Strategy<Value = Action> {
    let op_id = option::weighted(0.5, 0..12_u8);
    let spelling = (0..Spelling::ALL.len()).prop_map(|number| Spelling::ALL[number]);
    let content = prop_oneof![
        3 => (0..5_u8).prop_map(Content::File),
        2 => (spelling, 0..TABLES).prop_map(|(spelling, table)| Content::Table(spelling, table)),
    ];
    let inputs = vec((0..8_usize, option::of(0..2_u8)), 0..3);
    let scope = (0..2_u8, 1..3_u32, 0..4_u8);
    (scope, content, inputs, pairs(), op_id).prop_map(
        |((kind, version, key), content, inputs, tags, op_id)| Action::Publish {
            kind,
            version,
            key,
            content,
            inputs,
            tags,
            op_id,
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let op_id = || option::weighted(0.5, 0..12_u8);
    let supersede = (0..8_usize, 0..8_usize, op_id())
        .prop_map(|(new, old, op_id)| Action::Supersede { new, old, op_id });
    let tombstone =
        (0..8_usize, 0..4_u8, op_id()).prop_map(|(artifact, reason, op_id)| Action::Tombstone {
            artifact,
            reason,
            op_id,
        });
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
        option::of(0..4_u8),
        1..5_u32,
    )
        .prop_map(
            |(kind, is_active, tags, prefix, from, before, row, limit)| Action::List {
                kind,
                is_active,
                tags,
                prefix,
                from,
                before,
                row,
                limit,
            },
        );
    prop_oneof![
        12 => publish(),
        3 => vec(publish(), 0..8).prop_map(Action::PublishMany),
        6 => tag,
        4 => supersede,
        2 => tombstone,
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

/// How many tables there are.
const TABLES: u8 = 3;

/// What a store should find out about each of them.
static FACTS: LazyLock<Vec<TableFacts>> = LazyLock::new(|| {
    // Not on a thread of the runtime that asks first.
    let reading = std::thread::spawn(|| {
        let facts = async |number| {
            let source = ArtifactSource::Bytes(Spelling::Plain.of(&table_rows(number)));
            let input = MemoryStore::new().open_source(&source).await.unwrap();
            let (tables, rules) = (TabularReader::new(), TableRules::default());
            let described = tables.describe(input, &rules, Arc::new(NoProgress));
            described.await.unwrap()
        };
        block_on(async {
            let mut all = Vec::new();
            for number in 0..TABLES {
                all.push(facts(number).await);
            }
            all
        })
    });
    reading.join().unwrap()
});

fn table_rows(number: u8) -> Vec<Row> {
    rows(u64::from(number), 1 + u64::from(number))
}

/// Gives `content` to the request, and tells what is known of it if it is a table.
fn give(given: Content, request: &mut PublishArtifactRequest) -> Option<ModelTable> {
    let (bytes, table) = match given {
        Content::File(number) => (content(number).into(), None),
        Content::Table(spelling, number) => {
            let facts = &FACTS[usize::from(number)];
            request.table = Some(spelling.format());
            let stored = match spelling.format() {
                TableFormat::Parquet => ModelStored::AsGiven,
                TableFormat::Csv(_) => ModelStored::Written(format!("table {number}")),
            };
            let known = ModelTable {
                stored,
                content_hash: facts.content_hash,
                row_count: facts.row_count,
                times: facts.min_timestamp.zip(facts.max_timestamp),
            };
            (spelling.of(&table_rows(number)), Some(known))
        }
    };
    request.source = ArtifactSource::Bytes(bytes);
    table
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
            content: given,
            inputs,
            tags: pairs,
            op_id: op_number,
        } => {
            let mut request = samples::request(key(*key_number), Vec::new());
            request.artifact_type = samples::artifact_type(&format!("kind{kind}"));
            request.schema_version = *version;
            request.tags = tags(pairs);
            request.op_id = op_id(*op_number);
            let table = give(*given, &mut request);
            let role = |role: &Option<u8>| role.map(|role| format!("r{role}"));
            let inputs = inputs.iter().map(|(input, given)| (*input, role(given)));
            Some(ModelOperation::Publish(Box::new(ModelPublish {
                request,
                inputs: inputs.collect(),
                table,
            })))
        }
        Action::Supersede {
            new,
            old,
            op_id: op_number,
        } => Some(ModelOperation::Supersede {
            new: *new,
            old: *old,
            op_id: op_id(*op_number),
        }),
        Action::Tombstone {
            artifact,
            reason,
            op_id: op_number,
        } => Some(ModelOperation::Tombstone {
            artifact: *artifact,
            // One of them is refused.
            reason: "x".repeat(usize::from(*reason)),
            op_id: op_id(*op_number),
        }),
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

/// Which of two reasons to refuse a call is told is not promised: what is invalid or missing is asked for without
/// operation id, which might have been used before.
fn without_two_reasons_to_fail(operation: &mut ModelOperation, model: &StoreModel) {
    match operation {
        ModelOperation::Publish(publish)
            if publish
                .inputs
                .iter()
                .any(|(input, _)| *input >= model.len()) =>
        {
            publish.request.op_id = None;
        }
        ModelOperation::Tombstone { reason, op_id, .. } if reason.is_empty() => *op_id = None,
        _ => {}
    }
}

/// The requests of one call.
fn publishes_of(actions: &[Action], model: &StoreModel) -> Vec<ModelPublish> {
    let publishes = actions.iter().filter_map(change).filter_map(|mut change| {
        without_two_reasons_to_fail(&mut change, model);
        match change {
            ModelOperation::Publish(publish) => Some(*publish),
            _ => None,
        }
    });
    publishes.collect()
}

/// Does `actions` to `subject` and to a model, and compares.
async fn perform(subject: &mut impl Subject, actions: &[Action]) {
    let mut model = StoreModel::new();
    for action in actions {
        if let Some(mut operation) = change(action) {
            without_two_reasons_to_fail(&mut operation, &model);
            model.step(&*subject.port(), &operation).await;
            continue;
        }
        match action {
            Action::PublishMany(publishes) => {
                let publishes = publishes_of(publishes, &model);
                model.step_batch(&*subject.port(), &publishes).await;
            }
            Action::Publish { .. }
            | Action::Tag { .. }
            | Action::Supersede { .. }
            | Action::Tombstone { .. } => {}
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

/// The time of a row, and half a minute more.
fn minute_of(row: u8) -> TimeSpan {
    let start = 60 * i64::from(row);
    let (from, before) = (samples::time(start), samples::time(start + 30));
    TimeSpan::new(Some(from), Some(before)).unwrap()
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
        row,
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
        overlaps: row.map(minute_of),
    };
    let matches = |artifact: &&Artifact| {
        let name = kind.map(|kind| format!("kind{kind}"));
        name.is_none_or(|name| artifact.artifact_type.as_str() == name)
            && pairs.iter().all(|(key, value)| {
                let (key, value) = (format!("t{key}"), format!("v{value}"));
                artifact.tags.contains(&key, &value)
            })
            && prefix.is_none_or(|number| artifact.logical_key.as_str().starts_with(key(number)))
            && (!is_active || artifact.status == ArtifactStatus::Active)
            && row.is_none_or(|row| {
                let times = artifact.min_timestamp.zip(artifact.max_timestamp);
                times.is_some_and(|(earliest, latest)| minute_of(row).overlaps(earliest, latest))
            })
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
    explore(200, 80, |actions| {
        block_on(async { perform(&mut InMemory::new(), &actions).await });
    });
}

#[test]
fn a_store_on_disk_holds_what_the_model_holds() {
    explore(60, 50, |actions| {
        block_on(async { perform(&mut OnDisk::new().await, &actions).await });
    });
}

fn publishing(content: u8) -> Action {
    Action::Publish {
        kind: 0,
        version: 1,
        key: 0,
        content: Content::File(content),
        inputs: Vec::new(),
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
