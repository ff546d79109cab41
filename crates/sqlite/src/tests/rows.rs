//! What is put is kept, replaced and counted.

use artstore_core::ErrorKind;
use artstore_core::artifact::{ArtifactInput, DedupMode, DedupScope};
use artstore_core::backend::{ArtifactProbe, Duplicate};
use artstore_core::digest::{ContentHash, HashAlgorithm};
use artstore_core::id::RunId;
use artstore_core::maintenance::ArtifactCounts;

use super::*;

fn full() -> Artifact {
    let mut full = artifact(1);
    full.kind = ArtifactKind::Table;
    full.status = ArtifactStatus::Superseded;
    full.content_hash = ContentHash {
        algorithm: HashAlgorithm::Ch1,
        digest: Digest::of(b"table"),
    };
    full.row_count = Some(5);
    full.min_timestamp = Some(time(-5));
    full.max_timestamp = Some(time(5));
    full.tags = Tags::try_from([("a", "1"), ("a", "2"), ("ü", "")]).unwrap();
    full.inputs = vec![
        ArtifactInput {
            id: id(9),
            role: Some("left".into()),
        },
        ArtifactInput {
            id: id(3),
            role: None,
        },
        ArtifactInput {
            id: id(9),
            role: Some("left".into()),
        },
    ];
    full.superseded_by = Some(id(2));
    full.supersedes = vec![id(5), id(6), id(7)];
    full.tombstone_reason = Some("wrong day".into());
    full.run_id = Some(RunId::from_uuid(Uuid::from_u128(3)));
    full.revision = 4;
    full.last_event = 12;
    full
}

#[tokio::test]
async fn every_field_is_kept_and_replaced() {
    let world = World::empty().await;
    let full = full();
    world.put(std::slice::from_ref(&full)).await;
    assert_eq!(world.everything().await, std::slice::from_ref(&full));
    let mut bare = artifact(1);
    bare.created_at = time(77);
    bare.data_path = RelPath::new("data").unwrap();
    bare.record_path = RelPath::new("elsewhere/record.json").unwrap();
    world.put(std::slice::from_ref(&bare)).await;
    assert_eq!(world.everything().await, [bare]);
    world.put(std::slice::from_ref(&full)).await;
    assert_eq!(world.everything().await, [full]);
}

#[tokio::test]
async fn operation_ids_are_kept_as_they_are_written() {
    let world = World::empty().await;
    let text = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11";
    let spellings = [
        text.to_owned(),
        text.to_uppercase(),
        text.replace('-', ""),
        "x".into(),
    ];
    let artifacts: Vec<_> = (1..)
        .zip(&spellings)
        .map(|(number, op_id)| {
            let mut artifact = artifact(number);
            artifact.op_id = OpId::new(op_id.clone()).unwrap();
            artifact
        })
        .collect();
    world.put(&artifacts).await;
    assert_eq!(world.everything().await, artifacts);
    for artifact in artifacts {
        let probe = ArtifactProbe::Operation {
            op_id: artifact.op_id,
            inputs: Vec::new(),
        };
        let examination = world.catalog.examine(vec![probe]).await.unwrap();
        let operation = examination.answers[0].operation.clone().unwrap();
        assert_eq!(
            (operation.artifact_id, operation.event),
            (artifact.id, None)
        );
    }
}

#[tokio::test]
async fn the_oldest_active_duplicate_is_found() {
    let world = World::empty().await;
    let mut artifacts: Vec<_> = (1..=4).map(artifact).collect();
    for artifact in &mut artifacts {
        artifact.logical_key = LogicalKey::new("same").unwrap();
        artifact.file_hash = Digest::of(b"same");
        artifact.size_bytes = 8;
    }
    artifacts[0].status = ArtifactStatus::Tombstoned;
    artifacts[3].created_at = artifacts[1].created_at;
    world.put(&artifacts).await;
    let scope = DedupScope {
        kind: ArtifactKind::File,
        artifact_type: artifacts[0].artifact_type.clone(),
        schema_version: 1,
        logical_key: artifacts[0].logical_key.clone(),
    };
    let probe = ArtifactProbe::Publish {
        op_id: OpId::new("new").unwrap(),
        scope: scope.clone(),
        file_hash: Digest::of(b"same"),
        content_hash: None,
        inputs: Vec::new(),
    };
    let answers = world
        .catalog
        .examine(vec![probe.clone()])
        .await
        .unwrap()
        .answers;
    let expected = Duplicate {
        artifact: artifacts[1].clone(),
        mode: DedupMode::FileHash,
    };
    assert_eq!(answers[0].duplicate.as_ref(), Some(&expected));
    assert!(
        world
            .catalog
            .may_have_active_of_size(&scope, 8)
            .await
            .unwrap()
    );
    for artifact in &mut artifacts {
        artifact.status = ArtifactStatus::Superseded;
    }
    world.put(&artifacts).await;
    assert_eq!(
        world.catalog.examine(vec![probe]).await.unwrap().answers[0].duplicate,
        None
    );
    assert!(
        !world
            .catalog
            .may_have_active_of_size(&scope, 8)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn events_are_recorded_and_found_by_operation() {
    let world = World::empty().await;
    world
        .apply(vec![
            ArtifactChange::Record(event(3, id(1))),
            put(&artifact(1)),
        ])
        .await
        .unwrap();
    world
        .apply(vec![ArtifactChange::Record(event(2, id(1)))])
        .await
        .unwrap();
    assert_eq!(
        world.catalog.head().await.unwrap(),
        CatalogHead {
            commits: 2,
            last_event: 3,
            ..HEAD
        }
    );
    assert_eq!(
        world.catalog.scan_events(0, 9).await.unwrap(),
        [event(2, id(1)), event(3, id(1))]
    );
    assert_eq!(
        world.catalog.scan_events(2, 9).await.unwrap(),
        [event(3, id(1))]
    );
    let probe = ArtifactProbe::Change {
        op_id: event(3, id(1)).op_id,
        ids: vec![id(9), id(1), id(1)],
    };
    let answer = world
        .catalog
        .examine(vec![probe])
        .await
        .unwrap()
        .answers
        .remove(0);
    assert_eq!(
        answer.artifacts,
        [None, Some(artifact(1)), Some(artifact(1))]
    );
    assert_eq!(answer.operation.unwrap().event, Some(event(3, id(1)).event));
}

#[tokio::test]
async fn a_commit_that_fails_changes_nothing() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    let orphan = ArtifactChange::Record(event(1, id(5)));
    let error = world
        .apply(vec![put(&artifact(2)), orphan])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let mut thief = artifact(3);
    thief.op_id = artifact(1).op_id;
    let error = world
        .apply(vec![put(&artifact(2)), put(&thief)])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(world.everything().await, [artifact(1)]);
    assert_eq!(world.catalog.head().await.unwrap().commits, 1);
    assert_eq!(world.catalog.counts().await.unwrap().total(), 1);
}

#[tokio::test]
async fn counters_follow_every_put() {
    let world = World::empty().await;
    world.put(&[artifact(1), artifact(2), artifact(3)]).await;
    let mut changed = artifact(2);
    changed.status = ArtifactStatus::Superseded;
    changed.size_bytes = 5;
    world.put(&[changed.clone(), changed.clone()]).await;
    let mut gone = artifact(3);
    gone.status = ArtifactStatus::Tombstoned;
    world.put(&[gone]).await;
    let expected = ArtifactCounts {
        active: 1,
        superseded: 1,
        tombstoned: 1,
        bytes: 1001 + 5 + 1003,
    };
    assert_eq!(world.catalog.counts().await.unwrap(), expected);
    world.put(&[artifact(2)]).await;
    assert_eq!(world.catalog.counts().await.unwrap().active, 2);
}
