use artstore_core::artifact::{Artifact, ArtifactFilter, ArtifactKind, TimeSpan};
use artstore_core::backend::{ArtifactCatalog, ArtifactQuery};
use artstore_core::time::Timestamp;

use super::list::check;
use super::{CatalogHarness, apply, created_with, put};
use crate::samples::{artifact, artifact_id, logical_key, query, table, tags, time};

async fn numbers(catalog: &dyn ArtifactCatalog, filter: ArtifactFilter) -> Vec<u64> {
    let query = ArtifactQuery {
        filter,
        ..query(100)
    };
    let found = catalog.list(&query).await.unwrap();
    let number = |one: &Artifact| (0..100).find(|number| artifact_id(*number) == one.id);
    let mut numbers: Vec<_> = found.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// A prefix of a key is compared byte for byte: case counts, nothing is a wildcard, any script is just bytes.
pub async fn key_prefixes_are_plain_text(harness: &dyn CatalogHarness) {
    let keys = [
        "day=1",
        "Day=1",
        "day%1",
        "dayX1",
        "day_1",
        "é/1",
        "e\u{301}/1",
        "日本/1",
        "日本語",
        "日",
        "\u{10ffff}a",
        "\u{10ffff}",
        "*day",
        "[d]ay",
        "\\day",
        "day",
        "da",
        "'day",
    ];
    let artifacts: Vec<_> = (1..)
        .zip(keys)
        .map(|(number, key)| {
            let mut one = artifact(number);
            one.logical_key = logical_key(key);
            one
        })
        .collect();
    let catalog = created_with(harness, &artifacts).await;
    let prefixes = [
        "",
        "d",
        "da",
        "day",
        "day=",
        "Day",
        "DAY",
        "day%",
        "day_",
        "%",
        "_",
        "é",
        "e",
        "日本",
        "日",
        "日本語/",
        "\u{10ffff}",
        "\u{10ffff}a",
        "*",
        "[d]",
        "\\",
        "\\%",
        "'",
        "day=1",
        "day=10",
        "z",
    ];
    for prefix in prefixes {
        let filter = ArtifactFilter {
            key_prefix: Some(prefix.to_owned()),
            ..ArtifactFilter::default()
        };
        check(
            &*catalog,
            &artifacts,
            &ArtifactQuery {
                filter,
                ..query(100)
            },
        )
        .await;
    }
    for key in keys {
        let exact = ArtifactQuery {
            logical_key: Some(logical_key(key)),
            ..query(100)
        };
        check(&*catalog, &artifacts, &exact).await;
        assert_eq!(catalog.list(&exact).await.unwrap().len(), 1, "{key}");
    }
}

/// An artifact is listed if it has every tag asked for, several values of one key included.
pub async fn all_tags_must_be_there(harness: &dyn CatalogHarness) {
    let mut artifacts: Vec<_> = (1..=5).map(artifact).collect();
    artifacts[0].tags = tags([("env", "prod")]);
    artifacts[1].tags = tags([("env", "prod"), ("env", "test")]);
    artifacts[2].tags = tags([("env", "test"), ("team", "a")]);
    artifacts[3].tags = tags([("ENV", "prod"), ("env", "")]);
    let catalog = created_with(harness, &artifacts).await;
    let with = |tags| ArtifactFilter {
        tags,
        ..ArtifactFilter::default()
    };
    assert_eq!(numbers(&*catalog, with(tags([]))).await, [1, 2, 3, 4, 5]);
    assert_eq!(
        numbers(&*catalog, with(tags([("env", "prod")]))).await,
        [1, 2]
    );
    assert_eq!(
        numbers(&*catalog, with(tags([("env", "prod"), ("env", "test")]))).await,
        [2]
    );
    assert_eq!(
        numbers(&*catalog, with(tags([("env", "test"), ("team", "a")]))).await,
        [3]
    );
    assert_eq!(numbers(&*catalog, with(tags([("env", "")]))).await, [4]);
    assert_eq!(numbers(&*catalog, with(tags([("ENV", "prod")]))).await, [4]);
    assert_eq!(numbers(&*catalog, with(tags([("env", "%")]))).await, [0; 0]);
    assert_eq!(
        numbers(&*catalog, with(tags([("team", "prod")]))).await,
        [0; 0]
    );
}

/// Creation times are taken from the first moment on and before the second, to the millisecond.
pub async fn creation_times_are_a_half_open_range(harness: &dyn CatalogHarness) {
    let artifacts: Vec<_> = (1..=5).map(artifact).collect();
    let catalog = created_with(harness, &artifacts).await;
    let between = |from: Option<i64>, before: Option<i64>| ArtifactFilter {
        created_from: from.map(time),
        created_before: before.map(time),
        ..ArtifactFilter::default()
    };
    assert_eq!(numbers(&*catalog, between(Some(2), Some(4))).await, [2, 3]);
    assert_eq!(numbers(&*catalog, between(Some(4), None)).await, [4, 5]);
    assert_eq!(numbers(&*catalog, between(None, Some(2))).await, [1]);
    assert_eq!(numbers(&*catalog, between(Some(3), Some(3))).await, [0; 0]);
    assert_eq!(numbers(&*catalog, between(Some(4), Some(2))).await, [0; 0]);
}

fn overlapping(from: Option<Timestamp>, before: Option<Timestamp>) -> ArtifactFilter {
    ArtifactFilter {
        overlaps: Some(TimeSpan { from, before }),
        ..ArtifactFilter::default()
    }
}

/// A table overlaps with a span if its latest time is not before the first moment and its earliest is before the second,
/// to the millisecond.
pub async fn overlaps_are_half_open(harness: &dyn CatalogHarness) {
    let with_times = |number: u64, earliest: Timestamp, latest: Timestamp| {
        let mut one = table(number);
        (one.min_timestamp, one.max_timestamp) = (Some(earliest), Some(latest));
        one
    };
    let at = |milliseconds| Timestamp::from_unix_milliseconds(milliseconds).unwrap();
    let artifacts = [
        with_times(1, at(-2_000), at(-1_000)),
        with_times(2, at(-1_000), at(999)),
        with_times(3, at(1_000), at(1_000)),
        with_times(4, at(1_001), at(2_000)),
        with_times(5, at(-5_000), at(5_000)),
        with_times(6, at(2_001), at(3_000)),
    ];
    let catalog = created_with(harness, &artifacts).await;
    for (from, before, expected) in [
        (Some(1_000), Some(2_000), &[3, 4, 5][..]),
        (Some(1_000), Some(1_001), &[3, 5]),
        (Some(2_000), Some(2_001), &[4, 5]),
        (Some(2_000), Some(2_002), &[4, 5, 6]),
        (Some(-1_000), Some(0), &[1, 2, 5]),
        (Some(-999), Some(1_000), &[2, 5]),
        (Some(3_001), None, &[5]),
        (Some(3_000), None, &[5, 6]),
        (None, Some(-2_000), &[5]),
        (None, Some(-1_999), &[1, 5]),
        (None, None, &[1, 2, 3, 4, 5, 6]),
        (Some(5_001), None, &[]),
        (None, Some(-5_000), &[]),
    ] {
        let filter = overlapping(from.map(at), before.map(at));
        let found = numbers(&*catalog, filter).await;
        assert_eq!(found, expected, "{from:?} to {before:?}");
    }
}

/// What has no times overlaps with nothing, not even with all time: files, and tables without a time.
pub async fn what_has_no_times_overlaps_with_nothing(harness: &dyn CatalogHarness) {
    let mut timeless = table(1);
    (timeless.min_timestamp, timeless.max_timestamp) = (None, None);
    let catalog = created_with(harness, &[timeless.clone(), artifact(2), table(3)]).await;
    for filter in [
        overlapping(None, None),
        overlapping(Some(time(-1_000_000)), None),
        overlapping(None, Some(time(1_000_000))),
        overlapping(Some(time(-1_000_000)), Some(time(1_000_000))),
    ] {
        assert_eq!(numbers(&*catalog, filter).await, [3]);
    }
    let mut without = table(3);
    (without.min_timestamp, without.max_timestamp) = (None, None);
    apply(&*catalog, vec![put(&without)]).await;
    assert_eq!(
        numbers(&*catalog, overlapping(None, None)).await,
        [0; 0],
        "a put replaces the times"
    );
    assert_eq!(timeless.kind, ArtifactKind::Table);
}
