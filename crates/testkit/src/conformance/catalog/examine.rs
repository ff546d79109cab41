use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use artstore_core::artifact::{ArtifactStatus, DedupMode};
use artstore_core::backend::{
    ArtifactCatalog, ArtifactChange, ArtifactProbe, Duplicate, Operation, ProbeAnswer,
};
use artstore_core::id::ArtifactId;
use artstore_core::key::OpId;

use super::{CatalogHarness, apply, created, created_with, publish_probe, put};
use crate::samples::{artifact, artifact_id, event_row, op_id, permit, tags};

fn change_probe(ids: &[u64]) -> ArtifactProbe {
    ArtifactProbe::Change {
        op_id: op_id("never done"),
        ids: ids.iter().copied().map(artifact_id).collect(),
    }
}

/// What an answer names: the duplicate, or the artifacts of a change.
fn named(answer: &ProbeAnswer) -> Vec<Option<ArtifactId>> {
    let duplicate = answer.duplicate.iter().map(|found| Some(found.artifact.id));
    let artifacts = answer.artifacts.iter();
    let artifacts = artifacts.map(|found| found.as_ref().map(|artifact| artifact.id));
    duplicate.chain(artifacts).collect()
}

pub(super) async fn operations(
    catalog: &dyn ArtifactCatalog,
    op_ids: &[&OpId],
) -> Vec<Option<Operation>> {
    let probes = op_ids.iter().map(|op_id| ArtifactProbe::Operation {
        op_id: (*op_id).clone(),
        inputs: Vec::new(),
    });
    let examination = catalog.examine(probes.collect()).await.unwrap();
    let answers = examination.answers.into_iter();
    answers.map(|answer| answer.operation).collect()
}

/// Answers come in the order of the probes, one for each, with equal probes answered each time.
pub async fn answers_are_in_the_order_of_the_probes(harness: &dyn CatalogHarness) {
    let artifacts: Vec<_> = (1..=5).map(artifact).collect();
    let catalog = created_with(harness, &artifacts).await;
    let probes = vec![
        change_probe(&[4]),
        publish_probe(&artifact(2)),
        change_probe(&[99, 3]),
        publish_probe(&artifact(5)),
        change_probe(&[4]),
        ArtifactProbe::Operation {
            op_id: artifact(3).op_id,
            inputs: Vec::new(),
        },
        publish_probe(&artifact(98)),
        change_probe(&[1]),
        change_probe(&[]),
    ];
    let examination = catalog.examine(probes).await.unwrap();
    let named: Vec<_> = examination.answers.iter().map(named).collect();
    let one = |number| vec![Some(artifact_id(number))];
    let expected = [
        one(4),
        one(2),
        vec![None, Some(artifact_id(3))],
        one(5),
        one(4),
        vec![],
        vec![],
        one(1),
        vec![],
    ];
    assert_eq!(named, expected);
    let operation = examination.answers[5].operation.as_ref().unwrap();
    assert_eq!(operation.artifact_id, artifact_id(3));
    assert_eq!(examination.head, catalog.head().await.unwrap());
}

/// No probes get no answers, and the head.
pub async fn no_probes_get_the_head(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    let examination = catalog.examine(Vec::new()).await.unwrap();
    assert!(examination.answers.is_empty());
    assert_eq!(examination.head, catalog.head().await.unwrap());
}

/// Thousands of probes are answered together.
pub async fn thousands_of_probes_are_answered(harness: &dyn CatalogHarness) {
    let artifacts: Vec<_> = (1..=50).map(artifact).collect();
    let catalog = created_with(harness, &artifacts).await;
    let probes = (0..3000).map(|number| publish_probe(&artifact(1 + number % 60)));
    let examination = catalog.examine(probes.collect()).await.unwrap();
    for (number, answer) in (0..3000).zip(&examination.answers) {
        let expected = (number % 60 < 50).then(|| Duplicate {
            artifact: artifact(1 + number % 60),
            mode: DedupMode::FileHash,
        });
        assert_eq!(answer.duplicate, expected, "{number}");
    }
    assert_eq!(examination.answers.len(), 3000);
}

/// The operation that created an artifact is known with its request and without an event, whatever asks.
pub async fn the_operation_of_a_creation_is_known(harness: &dyn CatalogHarness) {
    let mut created = artifact(1);
    created.revision = 3;
    created.last_event = 9;
    let catalog = created_with(harness, &[created.clone(), artifact(2)]).await;
    let expected = Operation {
        request_digest: created.request_digest,
        artifact_id: created.id,
        event: None,
    };
    let op_id = created.op_id.clone();
    let probes = vec![
        ArtifactProbe::Operation {
            op_id: op_id.clone(),
            inputs: Vec::new(),
        },
        ArtifactProbe::Change {
            op_id: op_id.clone(),
            ids: vec![artifact_id(2)],
        },
        super::publish_probe_as(op_id, &artifact(2)),
    ];
    let examination = catalog.examine(probes).await.unwrap();
    for answer in &examination.answers {
        assert_eq!(answer.operation.as_ref(), Some(&expected));
    }
    let [operation, change, publish] = &examination.answers[..] else {
        panic!("one answer per probe");
    };
    assert_eq!(
        (&operation.duplicate, operation.artifacts.len()),
        (&None, 0)
    );
    assert_eq!(change.artifacts, [Some(artifact(2))]);
    assert_eq!(publish.duplicate.as_ref().unwrap().artifact, artifact(2));
}

/// The operation that made an event is known with its request and the event.
pub async fn the_operation_of_an_event_is_known(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    let mut row = event_row(5, artifact_id(1));
    row.event.kind = "republished".to_owned();
    apply(&*catalog, vec![ArtifactChange::Record(row.clone())]).await;
    let expected = Operation {
        request_digest: row.request_digest,
        artifact_id: row.artifact_id,
        event: Some(row.event),
    };
    assert_eq!(operations(&*catalog, &[&row.op_id]).await, [Some(expected)]);
}

/// An operation that was never done is not known; ids are compared byte for byte.
pub async fn unknown_operations_are_not_answered(harness: &dyn CatalogHarness) {
    let mut one = artifact(1);
    one.op_id = op_id("Op-é");
    let catalog = created_with(harness, &[one]).await;
    let others = ["op-é", "Op-e\u{301}", "Op-", "Op-é ", "Op-%"].map(op_id);
    let others: Vec<_> = others.iter().collect();
    assert_eq!(
        operations(&*catalog, &others).await,
        vec![None; others.len()]
    );
    assert!(operations(&*catalog, &[&op_id("Op-é")]).await[0].is_some());
}

/// A change is answered with its artifacts in the order asked for, each in whatever state it is, or none.
pub async fn a_change_is_answered_with_its_artifacts(harness: &dyn CatalogHarness) {
    let mut one = artifact(1);
    one.status = ArtifactStatus::Tombstoned;
    one.tags = tags([("a", "1"), ("a", "2")]);
    let catalog = created_with(harness, &[one.clone(), artifact(3)]).await;
    let probes = vec![
        change_probe(&[1]),
        change_probe(&[2]),
        change_probe(&[3, 2, 1, 3]),
    ];
    let examination = catalog.examine(probes).await.unwrap();
    let (one, three) = (Some(one), Some(artifact(3)));
    let expected = [
        vec![one.clone()],
        vec![None],
        vec![three.clone(), None, one, three],
    ];
    let expected = expected.map(|artifacts| ProbeAnswer {
        artifacts,
        ..ProbeAnswer::default()
    });
    assert_eq!(examination.answers, expected);
}

/// A publish and an operation are told which of their inputs have no row, in the order asked for and each once; whether it
/// is a duplicate or was done already makes no difference.
pub async fn missing_inputs_are_told_in_order(harness: &dyn CatalogHarness) {
    let mut gone = artifact(3);
    gone.status = ArtifactStatus::Tombstoned;
    let catalog = created_with(harness, &[artifact(1), artifact(2), gone]).await;
    for of in [1, 50] {
        for (inputs, expected) in [
            (&[][..], &[][..]),
            (&[1, 3, 2, 1], &[]),
            (&[9], &[9]),
            (&[9, 2, 7, 9, 1, 8, 7], &[9, 7, 8]),
        ] {
            let asked: Vec<_> = inputs.iter().copied().map(artifact_id).collect();
            let mut publish = publish_probe(&artifact(of));
            if let ArtifactProbe::Publish { inputs, .. } = &mut publish {
                inputs.clone_from(&asked);
            }
            let operation = ArtifactProbe::Operation {
                op_id: artifact(of).op_id,
                inputs: asked,
            };
            let examination = catalog.examine(vec![publish, operation]).await.unwrap();
            let [publish, operation] = &examination.answers[..] else {
                panic!("one answer per probe");
            };
            let expected: Vec<_> = expected.iter().copied().map(artifact_id).collect();
            assert_eq!(publish.missing_inputs, expected, "of {inputs:?}");
            assert_eq!(operation.missing_inputs, expected, "of {inputs:?}");
            assert_eq!(publish.duplicate.is_some(), of == 1);
            assert_eq!(operation.operation.is_some(), of == 1);
            assert_eq!((&operation.duplicate, &publish.artifacts), (&None, &vec![]));
        }
    }
}

/// Ten thousand inputs of one publish are looked up.
pub async fn thousands_of_inputs_are_looked_up(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(5_000)]).await;
    let ids: Vec<_> = (1..=10_000).rev().map(artifact_id).collect();
    let mut probe = publish_probe(&artifact(1));
    if let ArtifactProbe::Publish { inputs, .. } = &mut probe {
        inputs.clone_from(&ids);
    }
    let examination = catalog.examine(vec![probe]).await.unwrap();
    let expected = ids.into_iter().filter(|id| *id != artifact_id(5_000));
    let found = &examination.answers[0].missing_inputs;
    assert!(found.iter().copied().eq(expected));
}

/// All answers of an examination, and its head, are of one state of the database, while others commit.
pub async fn an_examination_sees_one_state(harness: &dyn CatalogHarness) {
    let round = |number: u64, revision: u64| {
        let mut one = artifact(number);
        one.revision = revision;
        put(&one)
    };
    let catalog = created(harness).await;
    apply(&*catalog, vec![round(1, 1), round(2, 1)]).await;
    let is_done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (catalog, is_done) = (harness.open().await, Arc::clone(&is_done));
        tokio::spawn(async move {
            for revision in 2..=60 {
                let changes = vec![round(1, revision), round(2, revision)];
                let commit = artstore_core::backend::ArtifactCommit { changes };
                catalog.apply(&permit(), commit).await.unwrap();
            }
            is_done.store(true, Ordering::SeqCst);
        })
    };
    while !is_done.load(Ordering::SeqCst) && !writer.is_finished() {
        let examination = catalog
            .examine(vec![change_probe(&[1]), change_probe(&[1, 2])])
            .await
            .unwrap();
        let answers = examination.answers.iter();
        let revisions: Vec<_> = answers
            .flat_map(|answer| &answer.artifacts)
            .map(|artifact| artifact.as_ref().unwrap().revision)
            .collect();
        assert_eq!(revisions, [examination.head.commits; 3]);
    }
    writer.await.expect("the writer succeeds");
}
