//! What is answered as a duplicate.

use artstore_core::artifact::{ArtifactInput, DedupMode, DedupScope};
use artstore_core::backend::{ArtifactProbe, ProbeAnswer};
use artstore_core::digest::{ContentHash, HashAlgorithm};

use super::*;

fn content(text: &str) -> ContentHash {
    ContentHash {
        algorithm: HashAlgorithm::Ch1,
        digest: Digest::of(text.as_bytes()),
    }
}

/// A table of the one scope, stored as `bytes`, that says `says`.
fn table(number: u64, bytes: &str, says: &str) -> Artifact {
    let mut table = artifact(number);
    table.kind = ArtifactKind::Table;
    table.logical_key = LogicalKey::new("same").unwrap();
    table.file_hash = Digest::of(bytes.as_bytes());
    table.content_hash = content(says);
    table
}

fn scope_of(artifact: &Artifact) -> DedupScope {
    DedupScope {
        kind: artifact.kind,
        artifact_type: artifact.artifact_type.clone(),
        schema_version: artifact.schema_version,
        logical_key: artifact.logical_key.clone(),
    }
}

impl World {
    async fn publish(&self, artifact: &Artifact, inputs: Vec<ArtifactId>) -> ProbeAnswer {
        let known = artifact.content_hash;
        let probe = ArtifactProbe::Publish {
            op_id: OpId::new("new").unwrap(),
            scope: scope_of(artifact),
            file_hash: artifact.file_hash,
            content_hash: (known != artifact.file_hash.into()).then_some(known),
            inputs,
        };
        let examined = self.catalog.examine(vec![probe]).await;
        examined.unwrap().answers.remove(0)
    }

    async fn duplicate_of(&self, artifact: &Artifact) -> Option<(ArtifactId, DedupMode)> {
        let found = self.publish(artifact, Vec::new()).await.duplicate;
        found.map(|found| (found.artifact.id, found.mode))
    }
}

#[tokio::test]
async fn the_same_bytes_come_before_the_same_table() {
    let world = World::empty().await;
    world
        .put(&[
            table(2, "parquet", "rows"),
            table(1, "other parquet", "rows"),
            table(3, "parquet", "rows"),
        ])
        .await;
    let cases = [
        (
            table(9, "parquet", "rows"),
            Some((id(2), DedupMode::FileHash)),
        ),
        (
            table(9, "csv", "rows"),
            Some((id(1), DedupMode::ContentHash)),
        ),
        (
            table(9, "other parquet", "unknown"),
            Some((id(1), DedupMode::FileHash)),
        ),
        (table(9, "csv", "other rows"), None),
    ];
    for (asked, expected) in cases {
        assert_eq!(world.duplicate_of(&asked).await, expected, "{asked:?}");
    }
}

#[tokio::test]
async fn every_part_of_the_scope_counts() {
    let world = World::empty().await;
    world.put(&[table(1, "parquet", "rows")]).await;
    let changes: [fn(&mut Artifact); 5] = [
        |asked| asked.kind = ArtifactKind::File,
        |asked| asked.artifact_type = ArtifactType::new("other").unwrap(),
        |asked| asked.schema_version = 2,
        |asked| asked.logical_key = LogicalKey::new("other").unwrap(),
        |asked| asked.content_hash.algorithm = HashAlgorithm::Sha256,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut asked = table(9, "csv", "rows");
        assert!(world.duplicate_of(&asked).await.is_some());
        change(&mut asked);
        assert_eq!(world.duplicate_of(&asked).await, None, "{number}");
    }
    let mut file = table(9, "parquet", "rows");
    file.kind = ArtifactKind::File;
    assert_eq!(world.duplicate_of(&file).await, None);
    for (asked, expected) in [(table(9, "", ""), true), (file, false)] {
        let scope = scope_of(&asked);
        let found = world.catalog.may_have_active_of_size(&scope, 1001).await;
        assert_eq!(found.unwrap(), expected);
    }
}

#[tokio::test]
async fn only_active_tables_are_answered() {
    let world = World::empty().await;
    let asked = table(9, "csv", "rows");
    let mut stored = table(1, "parquet", "rows");
    for status in ArtifactStatus::ALL.iter().chain(ArtifactStatus::ALL) {
        stored.status = *status;
        world.put(std::slice::from_ref(&stored)).await;
        let is_active = *status == ArtifactStatus::Active;
        let expected = is_active.then_some((id(1), DedupMode::ContentHash));
        assert_eq!(world.duplicate_of(&asked).await, expected, "{status:?}");
    }
}

#[tokio::test]
async fn a_fingerprint_that_others_share_proves_nothing() {
    let world = World::empty().await;
    world
        .put(&[table(1, "parquet", "rows"), table(2, "x", "y")])
        .await;
    let connection = rusqlite::Connection::open(world.path()).unwrap();
    connection
        .execute_batch(
            "INSERT OR IGNORE INTO artifact_fingerprint
             SELECT f.fingerprint, a.artifact_key FROM artifact_fingerprint AS f, artifact AS a",
        )
        .unwrap();
    let by_bytes = world.duplicate_of(&table(9, "x", "?")).await;
    assert_eq!(by_bytes, Some((id(2), DedupMode::FileHash)));
    let by_content = world.duplicate_of(&table(9, "?", "y")).await;
    assert_eq!(by_content, Some((id(2), DedupMode::ContentHash)));
}

#[tokio::test]
async fn inputs_without_a_row_are_named_once_in_their_order() {
    let world = World::empty().await;
    let mut made = artifact(4);
    made.inputs = vec![ArtifactInput::new(id(8))];
    world.put(&[artifact(2), made]).await;
    let asked = [8, 2, 5, 8, 4, 2, 3, 5].map(id).to_vec();
    let answer = world.publish(&artifact(9), asked).await;
    assert_eq!(answer.missing_inputs, [8, 5, 3].map(id));
    assert_eq!(answer.duplicate, None);
}
