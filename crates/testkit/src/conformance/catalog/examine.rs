use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use artstore_core::artifact::{Artifact, ArtifactStatus, DedupScope};
use artstore_core::backend::{
    ArtifactCatalog, ArtifactChange, ArtifactProbe, Operation, ProbeAnswer,
};
use artstore_core::digest::Digest;
use artstore_core::key::OpId;

use super::{CatalogHarness, apply, created, created_with, put};
use crate::samples::{
    artifact, artifact_id, artifact_type, event_row, logical_key, op_id, permit, tags, time,
};

fn scope_of(artifact: &Artifact) -> DedupScope {
    DedupScope {
        artifact_type: artifact.artifact_type.clone(),
        schema_version: artifact.schema_version,
        logical_key: artifact.logical_key.clone(),
    }
}

/// The probe that publishing what `artifact` holds once more would make.
fn publish_probe(artifact: &Artifact) -> ArtifactProbe {
    ArtifactProbe::Publish {
        op_id: op_id("never done"),
        scope: scope_of(artifact),
        file_hash: artifact.file_hash,
    }
}

async fn duplicate(catalog: &dyn ArtifactCatalog, probe: ArtifactProbe) -> Option<Artifact> {
    let mut examination = catalog.examine(vec![probe]).await.unwrap();
    assert_eq!(examination.answers.len(), 1);
    examination.answers.remove(0).artifact
}

pub(super) async fn operations(
    catalog: &dyn ArtifactCatalog,
    op_ids: &[&OpId],
) -> Vec<Option<Operation>> {
    let probes = op_ids.iter().map(|op_id| ArtifactProbe::Operation {
        op_id: (*op_id).clone(),
    });
    let examination = catalog.examine(probes.collect()).await.unwrap();
    let answers = examination.answers.into_iter();
    answers.map(|answer| answer.operation).collect()
}

/// Answers come in the order of the probes, one for each, with equal probes answered each time.
pub async fn answers_are_in_the_order_of_the_probes(harness: &dyn CatalogHarness) {
    let artifacts: Vec<_> = (1..=5).map(artifact).collect();
    let catalog = created_with(harness, &artifacts).await;
    let change = |id: u64| ArtifactProbe::Change {
        op_id: op_id("never done"),
        id: artifact_id(id),
    };
    let probes = vec![
        change(4),
        publish_probe(&artifact(2)),
        change(99),
        publish_probe(&artifact(5)),
        change(4),
        ArtifactProbe::Operation {
            op_id: artifact(3).op_id,
        },
        publish_probe(&artifact(98)),
        change(1),
    ];
    let examination = catalog.examine(probes).await.unwrap();
    let numbers: Vec<_> = examination
        .answers
        .iter()
        .map(|answer| answer.artifact.as_ref().map(|artifact| artifact.id))
        .collect();
    let expected = [
        Some(4),
        Some(2),
        None,
        Some(5),
        Some(4),
        None,
        None,
        Some(1),
    ];
    assert_eq!(numbers, expected.map(|number| number.map(artifact_id)));
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
        let expected = (number % 60 < 50).then(|| artifact(1 + number % 60));
        assert_eq!(answer.artifact, expected, "{number}");
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
        },
        ArtifactProbe::Change {
            op_id: op_id.clone(),
            id: artifact_id(2),
        },
        ArtifactProbe::Publish {
            op_id,
            scope: scope_of(&artifact(2)),
            file_hash: artifact(2).file_hash,
        },
    ];
    let examination = catalog.examine(probes).await.unwrap();
    for answer in &examination.answers {
        assert_eq!(answer.operation.as_ref(), Some(&expected));
    }
    assert_eq!(examination.answers[0].artifact, None);
    assert_eq!(examination.answers[1].artifact, Some(artifact(2)));
    assert_eq!(examination.answers[2].artifact, Some(artifact(2)));
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

/// Only an active artifact of the same type, schema version and logical key with the same hash is a duplicate.
pub async fn duplicates_are_of_one_scope_and_hash(harness: &dyn CatalogHarness) {
    let original = artifact(1);
    let catalog = created_with(harness, std::slice::from_ref(&original)).await;
    let found = duplicate(&*catalog, publish_probe(&original)).await;
    assert_eq!(found.as_ref(), Some(&original));

    let mut other_type = original.clone();
    other_type.artifact_type = artifact_type("SAMPLE_v1");
    let mut other_version = original.clone();
    other_version.schema_version = 2;
    let mut other_key = original.clone();
    other_key.logical_key = logical_key("N=1");
    let mut other_hash = original.clone();
    other_hash.file_hash = Digest::of(b"other");
    for other in [other_type, other_version, other_key, other_hash] {
        assert_eq!(duplicate(&*catalog, publish_probe(&other)).await, None);
    }
}

/// Duplicates are recognised by the hash of the stored bytes, not by that of the content.
pub async fn duplicates_are_recognised_by_file_hash(harness: &dyn CatalogHarness) {
    let mut table = artifact(1);
    table.content_hash = Digest::of(b"what it says").into();
    let catalog = created_with(harness, &[table.clone()]).await;
    let by_file = duplicate(&*catalog, publish_probe(&table)).await;
    assert_eq!(by_file.as_ref(), Some(&table));
    table.file_hash = Digest::of(b"what it says");
    assert_eq!(duplicate(&*catalog, publish_probe(&table)).await, None);
}

/// Superseded and tombstoned artifacts are never answered as duplicates, and are again once they are active.
pub async fn only_active_artifacts_are_duplicates(harness: &dyn CatalogHarness) {
    let mut one = artifact(1);
    let catalog = created(harness).await;
    for status in ArtifactStatus::ALL.iter().chain(&[ArtifactStatus::Active]) {
        one.status = *status;
        apply(&*catalog, vec![put(&one)]).await;
        let found = duplicate(&*catalog, publish_probe(&one)).await;
        assert_eq!(
            found.is_some(),
            *status == ArtifactStatus::Active,
            "{status}"
        );
        let has = catalog
            .has_active_of_size(&scope_of(&one), one.size_bytes)
            .await;
        assert_eq!(has.unwrap(), *status == ArtifactStatus::Active, "{status}");
    }
}

/// Of several duplicates the one created first is answered, however they were put and whatever their ids.
pub async fn the_oldest_duplicate_is_answered(harness: &dyn CatalogHarness) {
    let same = |number: u64, seconds: i64| {
        let mut one = artifact(number);
        one.logical_key = logical_key("same");
        one.file_hash = Digest::of(b"same");
        one.created_at = time(seconds);
        one
    };
    let (late, oldest, middle) = (same(1, 30), same(3, 10), same(2, 20));
    let catalog = created_with(harness, &[late.clone(), oldest.clone(), middle.clone()]).await;
    let found = duplicate(&*catalog, publish_probe(&late)).await;
    assert_eq!(found, Some(oldest.clone()));
    let mut gone = oldest;
    gone.status = ArtifactStatus::Superseded;
    apply(&*catalog, vec![put(&gone)]).await;
    assert_eq!(
        duplicate(&*catalog, publish_probe(&late)).await,
        Some(middle)
    );
}

/// A change is answered with the artifact in whatever state it is, or none.
pub async fn a_change_is_answered_with_its_artifact(harness: &dyn CatalogHarness) {
    let mut one = artifact(1);
    one.status = ArtifactStatus::Tombstoned;
    one.tags = tags([("a", "1"), ("a", "2")]);
    let catalog = created_with(harness, &[one.clone()]).await;
    let probe = |id| ArtifactProbe::Change {
        op_id: op_id("new"),
        id,
    };
    let examination = catalog
        .examine(vec![probe(one.id), probe(artifact_id(2))])
        .await;
    let answers = examination.unwrap().answers;
    let expected = ProbeAnswer {
        operation: None,
        artifact: Some(one),
    };
    assert_eq!(answers, [expected, ProbeAnswer::default()]);
}

/// Whether something active has a size is asked within a scope.
pub async fn sizes_are_found_in_their_scope(harness: &dyn CatalogHarness) {
    let one = artifact(1);
    let catalog = created_with(harness, &[one.clone(), artifact(2)]).await;
    let scope = scope_of(&one);
    let has =
        async |scope: &DedupScope, size| catalog.has_active_of_size(scope, size).await.unwrap();
    assert!(has(&scope, one.size_bytes).await);
    assert!(!has(&scope, one.size_bytes + 1).await);
    assert!(!has(&scope_of(&artifact(2)), one.size_bytes).await);
    for other in [
        DedupScope {
            artifact_type: artifact_type("other"),
            ..scope.clone()
        },
        DedupScope {
            schema_version: 2,
            ..scope.clone()
        },
        DedupScope {
            logical_key: logical_key("n=%"),
            ..scope.clone()
        },
    ] {
        assert!(!has(&other, one.size_bytes).await, "{other:?}");
    }
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
    let change = |id| ArtifactProbe::Change {
        op_id: op_id("none"),
        id: artifact_id(id),
    };
    while !is_done.load(Ordering::SeqCst) && !writer.is_finished() {
        let examination = catalog.examine(vec![change(1), change(2)]).await.unwrap();
        let revisions = examination.answers.iter();
        let revisions: Vec<_> = revisions
            .map(|answer| answer.artifact.as_ref().unwrap().revision)
            .collect();
        assert_eq!(revisions, [examination.head.commits; 2]);
    }
    writer.await.expect("the writer succeeds");
}
