//! The model agrees with a store written in the plainest way, and notices each way in which one can be wrong.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a store of tests asserts"
)]

mod plain;

use std::panic::AssertUnwindSafe;

use artstore_core::ErrorKind;
use artstore_core::artifact::{DedupMode, PublishArtifactRequest};
use artstore_core::ports::ArtifactStorePort as _;
use artstore_core::table::{CsvOptions, TableFormat};
use artstore_core::tags::{TagChange, TagRemoval};
use artstore_testkit::model::{
    Expected, ModelOperation, ModelPublish, ModelStored, ModelTable, StoreModel,
};
use artstore_testkit::samples::{artifact_type, logical_key, op_id, request, tags};
use futures_util::FutureExt as _;

use plain::{Flaw, PlainStore, pretended};

fn publish(key: &str, content: &str, operation: Option<&str>, tag: &str) -> ModelOperation {
    let mut request = request(key, content.to_owned());
    request.op_id = operation.map(op_id);
    request.tags = tags([("step", tag)]);
    ModelOperation::publish(request)
}

fn from(key: &str, content: &str, inputs: &[(usize, Option<&str>)]) -> ModelOperation {
    let inputs = inputs
        .iter()
        .map(|(one, role)| (*one, role.map(str::to_owned)));
    ModelOperation::Publish(Box::new(ModelPublish {
        request: request(key, content.to_owned()),
        inputs: inputs.collect(),
        table: None,
    }))
}

/// A pretended table that says what follows the first colon.
fn parquet(key: &str, content: &str, tag: &str) -> ModelOperation {
    let mut request = request(key, content.to_owned());
    request.table = Some(TableFormat::Parquet);
    let says = content.split_once(':').unwrap().1;
    table(request, ModelStored::AsGiven, says, tag)
}

/// A pretended table that says what is left without white space around it.
fn csv(key: &str, content: &str, tag: &str) -> ModelOperation {
    let mut request = request(key, content.to_owned());
    request.table = Some(TableFormat::Csv(CsvOptions::default()));
    let says = content.trim();
    table(request, ModelStored::Written(says.to_owned()), says, tag)
}

fn table(
    mut request: PublishArtifactRequest,
    stored: ModelStored,
    says: &str,
    tag: &str,
) -> ModelOperation {
    request.tags = tags([("step", tag)]);
    let pretended = pretended(says);
    ModelOperation::Publish(Box::new(ModelPublish {
        request,
        inputs: Vec::new(),
        table: Some(ModelTable {
            stored,
            content_hash: pretended.content_hash,
            row_count: pretended.row_count,
            times: pretended.times,
        }),
    }))
}

fn tag(artifact: usize, value: &str, operation: Option<&str>) -> ModelOperation {
    let change = TagChange {
        add: tags([("env", value)]),
        remove: vec![TagRemoval::Key("env".to_owned())],
    };
    ModelOperation::Tag {
        artifact,
        change,
        op_id: operation.map(op_id),
    }
}

fn supersede(new: usize, old: usize, operation: Option<&str>) -> ModelOperation {
    ModelOperation::Supersede {
        new,
        old,
        op_id: operation.map(op_id),
    }
}

fn tombstone(artifact: usize, reason: &str, operation: Option<&str>) -> ModelOperation {
    ModelOperation::Tombstone {
        artifact,
        reason: reason.to_owned(),
        op_id: operation.map(op_id),
    }
}

/// Artifacts 0 to 11: files, tags and operations.
fn files() -> Vec<ModelOperation> {
    let mut operations = vec![
        publish("a", "one", Some("p1"), "x"),
        publish("a", "one", Some("p1"), "x"),
        publish("a", "two", Some("p1"), "x"),
        publish("a", "one", Some("p2"), "y"),
        publish("a", "one", Some("p2"), "y"),
        publish("a", "one", None, "y"),
        publish("b", "one", Some("p3"), "x"),
        publish("a", "", None, "x"),
        tag(0, "prod", Some("t1")),
        tag(0, "test", Some("t2")),
        tag(0, "prod", Some("t1")),
        tag(1, "prod", Some("t1")),
        tag(0, "test", Some("p1")),
        tag(77, "test", None),
        publish("a", "one", Some("t2"), "x"),
        publish("a", "one", Some("p1"), "x"),
    ];
    operations.extend((0..9).map(|number| publish("many", &format!("{number}"), None, "x")));
    operations
}

/// Artifacts 12 to 19: tables.
fn tables() -> Vec<ModelOperation> {
    vec![
        parquet("t", "p1:rows", "x"),
        parquet("t", "p1:rows", "x"),
        parquet("t", "p2:rows", "y"),
        csv("t", " rows\n", "z"),
        parquet("u", "p1:rows", "x"),
        publish("t", "p1:rows", None, "x"),
        csv("v", "rows\n", "x"),
        csv("v", " rows", "y"),
        parquet("v", "p1:rows", "z"),
        csv("w", "timeless rows of another table", "x"),
        parquet("w", "p1:hashless", "x"),
        parquet("w", "p2:hashless", "x"),
        parquet("w", "p1:hashless", "y"),
        csv("w", "hashless and timeless", "x"),
    ]
}

/// Artifacts 20 to 24: what was made from what.
fn lineage() -> Vec<ModelOperation> {
    vec![
        from(
            "l",
            "a",
            &[(0, Some("left")), (1, None), (0, Some("right")), (1, None)],
        ),
        from("l", "b", &[(20, None), (2, Some("x"))]),
        from("l", "c", &[(20, None)]),
        from("l", "d", &[(22, None), (21, None)]),
        from("l", "lost", &[(0, None), (99, None)]),
        from("l", "a", &[(1, None), (3, Some("late")), (3, None)]),
        // Circles: to itself, to what was made from it at once, and later on.
        from("l", "a", &[(20, None), (21, None), (23, None), (4, None)]),
        from("l", "a", &[(23, None)]),
        from("l", "b", &[(22, None)]),
        from("l", "c", &[(21, None)]),
        from("l", "e", &[(23, Some("a")), (23, Some("b")), (0, None)]),
    ]
}

/// Artifacts 25 to 31: what replaced what, and what was withdrawn.
fn retirement() -> Vec<ModelOperation> {
    let other_type = || {
        let mut request = request("r", "other type");
        request.artifact_type = artifact_type("other_v1");
        ModelOperation::publish(request)
    };
    let mut operations: Vec<_> = (0..6)
        .map(|number| publish("r", &format!("version {number}"), None, "x"))
        .collect();
    operations.extend([
        other_type(),
        supersede(26, 25, Some("s1")),
        supersede(26, 25, Some("s1")),
        supersede(26, 25, None),
        supersede(27, 25, None),
        supersede(25, 26, None),
        supersede(25, 27, None),
        supersede(26, 26, None),
        supersede(31, 26, None),
        supersede(26, 99, None),
        supersede(99, 26, None),
        supersede(27, 26, Some("s1")),
        supersede(27, 26, None),
        supersede(29, 28, None),
        supersede(27, 29, None),
        tag(25, "old", None),
        publish("r", "version 0", None, "new"),
        tombstone(30, "", None),
        tombstone(30, "two\nlines", None),
        tombstone(30, &"é".repeat(501), None),
        tombstone(99, "wrong", None),
        tombstone(30, "wrong", Some("d1")),
        tombstone(30, "wrong", Some("d1")),
        tombstone(30, "still wrong", None),
        tombstone(25, "replaced and wrong", None),
        supersede(30, 27, None),
        supersede(27, 30, None),
        publish("r", "version 5", None, "again"),
        from("r", "made from what is gone", &[(30, None), (25, None)]),
    ]);
    operations
}

/// One call each: artifacts 0 to 2, then 3 to 5, then nothing new.
fn batches() -> Vec<Vec<ModelOperation>> {
    let first = vec![
        publish("a", "one", Some("b1"), "x"),
        publish("a", "one", Some("b2"), "y"),
        publish("a", "one", Some("b1"), "x"),
        publish("a", "two", Some("b1"), "x"),
        from("a", "made from what comes later", &[(2, None)]),
        publish("b", "one", None, "x"),
        publish("a", "one", Some("b3"), "x"),
        publish("a", "one", None, "z"),
        parquet("t", "p1:rows", "x"),
    ];
    let second = vec![
        publish("a", "one", None, "x"),
        parquet("t", "p2:rows", "y"),
        from("a", "made from the first", &[(0, Some("left"))]),
        from("a", "made from the first", &[(0, Some("right")), (1, None)]),
        csv("w", "rows", "x"),
        csv("w", " rows\n", "y"),
        from("b", "one", &[(99, None)]),
        publish("c", "one", Some("b2"), "y"),
        publish("c", "one", Some("b4"), "x"),
    ];
    let again = vec![
        publish("c", "one", Some("b4"), "x"),
        publish("a", "one", Some("b2"), "y"),
        publish("a", "one", Some("b1"), "x"),
    ];
    vec![first, second, again, Vec::new()]
}

async fn compare_batches(flaw: Flaw) -> StoreModel {
    let (store, mut model) = (PlainStore::with(flaw), StoreModel::new());
    for batch in batches() {
        let publishes = batch.into_iter().map(|operation| match operation {
            ModelOperation::Publish(publish) => *publish,
            other => panic!("{other:?} is no publish"),
        });
        let publishes: Vec<ModelPublish> = publishes.collect();
        model.step_batch(&store, &publishes).await;
        model.check_against(&store).await;
    }
    model
}

async fn compare(flaw: Flaw, operations: &[ModelOperation]) -> (StoreModel, PlainStore) {
    let (store, mut model) = (PlainStore::with(flaw), StoreModel::new());
    model.check_against(&store).await;
    for operation in operations {
        model.step(&store, operation).await;
        model.check_against(&store).await;
    }
    (model, store)
}

fn everything() -> Vec<ModelOperation> {
    [files(), tables(), lineage(), retirement()].concat()
}

#[tokio::test]
async fn a_right_store_agrees_with_the_model() {
    let (model, store) = compare(Flaw::None, &everything()).await;
    assert_eq!(model.id(model.len()), None);
    let second = store.get_artifact(model.id(1).unwrap()).await.unwrap();
    assert_eq!(second.logical_key, logical_key("b"));
}

#[tokio::test]
async fn a_right_store_agrees_with_the_model_about_batches() {
    let model = compare_batches(Flaw::None).await;
    assert_eq!((model.len(), model.events().len()), (6, 5));
}

/// The expectations themselves, told by hand: a store and a model with one mistake in common would agree.
#[test]
fn the_model_expects_what_the_documents_say() {
    let mut model = StoreModel::new();
    let mut apply = |operations: Vec<ModelOperation>| -> Vec<Expected> {
        operations.iter().map(|one| model.apply(one)).collect()
    };
    let count = apply(files());
    let published = |all: &[Expected]| {
        let published = all
            .iter()
            .filter(|one| matches!(one, Expected::Published(_)));
        published.count()
    };
    // Two of them are the answer to a repetition.
    assert_eq!(published(&count), 14);

    let modes = apply(tables()).into_iter().map(|expected| match expected {
        Expected::Published(_) => None,
        Expected::Duplicate { mode, .. } => Some(mode),
        other => panic!("{other:?}"),
    });
    let (file, content) = (Some(DedupMode::FileHash), Some(DedupMode::ContentHash));
    assert_eq!(
        modes.collect::<Vec<_>>(),
        [
            None, file, content, content, None, None, None, file, content, None, None, None, file,
            None
        ]
    );

    let merged = apply(lineage()).into_iter().map(|expected| match expected {
        Expected::Published(position) => format!("{position}"),
        Expected::Failed(kind) => format!("{kind:?}"),
        Expected::Duplicate { merged, .. } => {
            let numbers = |inputs: &[(usize, Option<String>)]| -> Vec<usize> {
                inputs.iter().map(|(input, _)| *input).collect()
            };
            let (new, skipped) = (numbers(&merged.inputs), numbers(&merged.skipped_inputs));
            format!("{new:?} without {skipped:?}")
        }
        Expected::Changed(position) => panic!("{position} was changed"),
    });
    assert_eq!(
        merged.collect::<Vec<_>>(),
        [
            "20",
            "21",
            "22",
            "23",
            "NotFound",
            "[3, 3] without []",
            "[4] without [20, 21, 23]",
            "[] without [23]",
            "[22] without []",
            "[] without [21]",
            "24",
        ]
    );

    let retired = apply(retirement());
    let failed = retired.iter().map(|expected| match expected {
        Expected::Failed(kind) => Some(*kind),
        _ => None,
    });
    let failed: Vec<_> = failed.collect();
    let (conflict, missing) = (Some(ErrorKind::Conflict), Some(ErrorKind::NotFound));
    let invalid = Some(ErrorKind::Invalid);
    assert_eq!(
        failed[..10],
        [None; 10],
        "seven versions, then one replacement"
    );
    assert_eq!(failed[10..15], [conflict; 5]);
    assert_eq!(failed[15..18], [missing, missing, conflict]);
    assert_eq!(failed[18..22], [None; 4]);
    assert_eq!(retired[22], Expected::Published(32), "version 0 comes anew");
    assert_eq!(failed[23..27], [invalid, invalid, invalid, missing]);
    assert_eq!(failed[27..31], [None; 4]);
    assert_eq!(failed[31..33], [conflict; 2]);
    assert_eq!(retired[33], Expected::Published(33), "version 5 comes anew");

    let replaced = model
        .events()
        .iter()
        .filter(|event| event.kind == "superseded");
    let replaced: Vec<_> = replaced.map(|event| event.changed.clone()).collect();
    assert_eq!(
        replaced,
        [
            vec![(25, 2), (26, 2)],
            vec![(26, 3), (27, 2)],
            vec![(28, 2), (29, 2)],
            vec![(29, 3), (27, 3)],
        ]
    );
    let withdrawn = model
        .events()
        .iter()
        .filter(|event| event.kind == "tombstoned");
    let withdrawn: Vec<_> = withdrawn.map(|event| event.changed.clone()).collect();
    assert_eq!(withdrawn, [vec![(30, 2)], vec![(25, 4)]]);
}

#[tokio::test]
async fn every_flaw_is_noticed() {
    for (flaw, operations) in [
        (Flaw::NoDeduplication, files()),
        (Flaw::DuplicateOfAnotherKey, files()),
        (Flaw::TagsNotMerged, files()),
        (Flaw::OperationForgotten, files()),
        (Flaw::OperationNotCompared, files()),
        (Flaw::ListLosesEqualTimes, files()),
        (Flaw::WrongBytes, files()),
        (Flaw::RevisionStays, files()),
        (Flaw::DuplicateOfAnotherKind, everything()),
        (Flaw::ContentHashIgnored, everything()),
        (Flaw::ContentHashFirst, everything()),
        (Flaw::OverlapsIgnored, everything()),
        (Flaw::InputsNotMerged, everything()),
        (Flaw::CirclesMerged, everything()),
        (Flaw::CirclesNotTold, everything()),
        (Flaw::MissingInputsAccepted, everything()),
        (Flaw::DeepestFirst, everything()),
        (Flaw::RolesForgotten, everything()),
        (Flaw::TruncationNotTold, everything()),
        (Flaw::DuplicateOfInactive, everything()),
        (Flaw::FindByTimeOnly, everything()),
        (Flaw::OtherRevisionStays, everything()),
        (Flaw::InactiveReplaced, everything()),
        (Flaw::InactiveReplaces, everything()),
        (Flaw::OtherTypeReplaces, everything()),
        (Flaw::ReplacedAgain, everything()),
        (Flaw::WithdrawnAgain, everything()),
        (Flaw::ReplacedIsNotWithdrawn, everything()),
        (Flaw::OnlyDirectPredecessors, everything()),
    ] {
        let run = AssertUnwindSafe(compare(flaw, &operations));
        assert!(
            run.catch_unwind().await.is_err(),
            "{flaw:?} was not noticed"
        );
    }
}

#[tokio::test]
async fn every_flaw_of_a_batch_is_noticed() {
    for flaw in [
        Flaw::BatchBackwards,
        Flaw::BatchAnswersElsewhere,
        Flaw::BatchAnswersTooFew,
        Flaw::BatchEndsAtFailure,
        Flaw::BatchOperationsForgotten,
        Flaw::BatchTagsNotMerged,
        Flaw::NoDeduplication,
        Flaw::OperationNotCompared,
        Flaw::MissingInputsAccepted,
        Flaw::InputsNotMerged,
        Flaw::RevisionStays,
        Flaw::WrongBytes,
    ] {
        let run = AssertUnwindSafe(compare_batches(flaw));
        assert!(
            run.catch_unwind().await.is_err(),
            "{flaw:?} was not noticed"
        );
    }
}
