use artstore_core::artifact::ArtifactStatus;
use artstore_core::backend::ArtifactChange;
use artstore_core::maintenance::ArtifactCounts;

use super::{CatalogHarness, apply, created, created_with, put};
use crate::samples::{artifact, artifact_id, event_row};

/// `get` answers in the order asked for, with `None` for what is not there, and every repetition.
pub async fn get_answers_in_the_order_asked_for(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1), artifact(2), artifact(3)]).await;
    let wanted = [3, 99, 1, 3, 98, 2].map(artifact_id);
    let got = catalog.get(&wanted).await.unwrap();
    let expected = [Some(3), None, Some(1), Some(3), None, Some(2)];
    assert_eq!(got, expected.map(|number| number.map(artifact)));
    assert_eq!(catalog.get(&[]).await.unwrap(), []);
}

/// `get` answers ten thousand ids at once.
pub async fn get_answers_thousands(harness: &dyn CatalogHarness) {
    let artifacts: Vec<_> = (1..=1500).map(artifact).collect();
    let catalog = created_with(harness, &artifacts).await;
    let ids: Vec<_> = (1..=10_000).rev().map(artifact_id).collect();
    let got = catalog.get(&ids).await.unwrap();
    let expected = (1..=10_000_u64)
        .rev()
        .map(|number| (number <= 1500).then(|| artifact(number)));
    assert!(got.into_iter().eq(expected));
}

/// `scan` goes through all artifacts by ascending id, in pages after an id that need not exist.
pub async fn scan_goes_through_all_by_id(harness: &dyn CatalogHarness) {
    let mut artifacts: Vec<_> = [2, 4, 6, 8, 10].map(artifact).to_vec();
    // Creation runs against the ids.
    for (position, artifact) in (0..).zip(artifacts.iter_mut().rev()) {
        artifact.created_at = crate::samples::time(position);
        artifact.status = ArtifactStatus::ALL[usize::try_from(position).unwrap() % 3];
    }
    let mut shuffled = artifacts.clone();
    shuffled.swap(0, 3);
    let catalog = created_with(harness, &shuffled).await;
    assert_eq!(catalog.scan(None, 100).await.unwrap(), artifacts);
    for (after, limit, expected) in [
        (None, 2, &artifacts[..2]),
        (Some(4), 2, &artifacts[2..4]),
        (Some(5), 2, &artifacts[2..4]),
        (Some(8), 100, &artifacts[4..]),
        (Some(10), 100, &[]),
        (Some(1), 1, &artifacts[..1]),
    ] {
        let page = catalog.scan(after.map(artifact_id), limit).await.unwrap();
        assert_eq!(page, expected, "after {after:?}, at most {limit}");
    }
}

/// `scan_events` goes through all events by ascending sequence, in pages after a sequence that need not exist.
pub async fn scan_events_goes_through_all_by_sequence(harness: &dyn CatalogHarness) {
    let catalog = created_with(harness, &[artifact(1)]).await;
    let events: Vec<_> = [2, 3, 9, 10, 1000]
        .map(|sequence| event_row(sequence, artifact_id(1)))
        .into();
    for event in events.iter().rev() {
        apply(&*catalog, vec![ArtifactChange::Record(event.clone())]).await;
    }
    for (after, limit, expected) in [
        (0, 100, &events[..]),
        (0, 2, &events[..2]),
        (3, 2, &events[2..4]),
        (5, 1, &events[2..3]),
        (10, 100, &events[4..]),
        (1000, 100, &[]),
    ] {
        let page = catalog.scan_events(after, limit).await.unwrap();
        assert_eq!(page, expected, "after {after}, at most {limit}");
    }
}

/// Counts are by status, with all sizes together, and follow artifacts that are put again.
pub async fn counts_follow_replacing_puts(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    assert_eq!(catalog.counts().await.unwrap(), ArtifactCounts::default());
    let sized = |number: u64, status, size_bytes| {
        let mut one = artifact(number);
        one.status = status;
        one.size_bytes = size_bytes;
        put(&one)
    };
    let first = vec![
        sized(1, ArtifactStatus::Active, 10),
        sized(2, ArtifactStatus::Active, 200),
        sized(3, ArtifactStatus::Superseded, 3000),
        sized(4, ArtifactStatus::Tombstoned, 0),
    ];
    apply(&*catalog, first).await;
    let counts = ArtifactCounts {
        active: 2,
        superseded: 1,
        tombstoned: 1,
        bytes: 3210,
    };
    assert_eq!(catalog.counts().await.unwrap(), counts);
    let again = vec![
        sized(1, ArtifactStatus::Superseded, 10),
        sized(2, ArtifactStatus::Active, 100),
        sized(2, ArtifactStatus::Tombstoned, 150),
        sized(4, ArtifactStatus::Tombstoned, 0),
    ];
    apply(&*catalog, again).await;
    let counts = ArtifactCounts {
        active: 0,
        superseded: 2,
        tombstoned: 2,
        bytes: 3160,
    };
    assert_eq!(catalog.counts().await.unwrap(), counts);
}
