//! What a row costs on disk and a commit in the log.

use artstore_core::artifact::ArtifactInput;
use artstore_core::digest::{ContentHash, HashAlgorithm};

use super::*;

fn log_frames(world: &World) -> u64 {
    let log = world.directory.path().join("catalog.sqlite-wal");
    let size = std::fs::metadata(log).map_or(0, |metadata| metadata.len());
    size.saturating_sub(32) / (4096 + 24)
}

#[tokio::test]
async fn a_lone_put_writes_few_frames() {
    let world = World::empty().await;
    let chunk: Vec<_> = (0..5000).map(|number| put(&artifact(number))).collect();
    world
        .rebuild(vec![Ok(ArtifactCommit { changes: chunk })])
        .await
        .unwrap();
    let rounds = 200;
    for number in 5000..5000 + rounds {
        world.put(&[artifact(number)]).await;
    }
    let average = log_frames(&world) as f64 / rounds as f64;
    assert!(average <= 9.5, "{average} frames for each commit");
}

#[tokio::test]
async fn a_row_with_its_indexes_is_small() {
    let world = World::without_database();
    let count = 20_000;
    let chunks = (0..count / 1000).map(|chunk| {
        let changes = (chunk * 1000..(chunk + 1) * 1000).map(|number| put(&artifact(number)));
        Ok(ArtifactCommit {
            changes: changes.collect(),
        })
    });
    world.rebuild(chunks.collect()).await.unwrap();
    let bytes = std::fs::metadata(world.path()).unwrap().len() / count;
    assert!(bytes <= 450, "{bytes} bytes for each artifact");
}

#[tokio::test]
async fn a_table_with_an_input_costs_little_more() {
    let world = World::without_database();
    let count = 20_000;
    let table = |number: u64| {
        let mut table = artifact(number);
        table.kind = ArtifactKind::Table;
        table.content_hash = ContentHash {
            algorithm: HashAlgorithm::Ch1,
            digest: Digest::of(&(number + count).to_le_bytes()),
        };
        table.row_count = Some(1000 + number);
        table.min_timestamp = Some(time(0));
        table.max_timestamp = Some(time(86_400_000));
        table.inputs = vec![ArtifactInput::new(id(number / 2))];
        table
    };
    let chunks = (0..count / 1000).map(|chunk| {
        let changes = (chunk * 1000..(chunk + 1) * 1000).map(|number| put(&table(number)));
        Ok(ArtifactCommit {
            changes: changes.collect(),
        })
    });
    world.rebuild(chunks.collect()).await.unwrap();
    let bytes = std::fs::metadata(world.path()).unwrap().len() / count;
    assert!(bytes <= 620, "{bytes} bytes for each table");
}
