use artstore_core::artifact::{Artifact, ArtifactFilter, ArtifactStatus};
use artstore_core::backend::{ArtifactCatalog, ArtifactQuery};
use artstore_core::page::Cursor;

use super::{CatalogHarness, created, created_with};
use crate::samples::{artifact, artifact_id, artifact_type, logical_key, query, tags, time};

/// What a query should answer, said in the plainest way.
fn expected(artifacts: &[Artifact], query: &ArtifactQuery) -> Vec<Artifact> {
    let mut left = artifacts.to_vec();
    left.sort_by_key(|artifact| (artifact.created_at, artifact.id));
    left.reverse();
    let filter = &query.filter;
    if let Some(wanted) = &filter.artifact_type {
        left.retain(|artifact| artifact.artifact_type == *wanted);
    }
    if let Some(wanted) = filter.status {
        left.retain(|artifact| artifact.status == wanted);
    }
    for (key, value) in filter.tags.pairs() {
        left.retain(|artifact| artifact.tags.contains(key, value));
    }
    if let Some(prefix) = &filter.key_prefix {
        left.retain(|artifact| {
            artifact
                .logical_key
                .as_str()
                .as_bytes()
                .starts_with(prefix.as_bytes())
        });
    }
    if let Some(from) = filter.created_from {
        left.retain(|artifact| artifact.created_at >= from);
    }
    if let Some(before) = filter.created_before {
        left.retain(|artifact| artifact.created_at < before);
    }
    if let Some(wanted) = &query.logical_key {
        left.retain(|artifact| artifact.logical_key == *wanted);
    }
    if let Some(cursor) = query.after {
        left.retain(|artifact| {
            artifact.created_at < cursor.created_at
                || (artifact.created_at == cursor.created_at && artifact.id < cursor.id)
        });
    }
    left.truncate(usize::try_from(query.limit).unwrap());
    left
}

async fn check(catalog: &dyn ArtifactCatalog, artifacts: &[Artifact], query: &ArtifactQuery) {
    let ids = |artifacts: &[Artifact]| -> Vec<_> { artifacts.iter().map(|one| one.id).collect() };
    let found = catalog.list(query).await.unwrap();
    let expected = expected(artifacts, query);
    assert_eq!(ids(&found), ids(&expected), "{query:?}");
    assert_eq!(found, expected);
}

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

/// A list is newest first by creation, then by id; an empty catalog lists nothing.
pub async fn lists_are_newest_first(harness: &dyn CatalogHarness) {
    let catalog = created(harness).await;
    assert_eq!(catalog.list(&query(10)).await.unwrap(), []);
    let at = |number, seconds| {
        let mut one = artifact(number);
        one.created_at = time(seconds);
        one
    };
    let artifacts = [at(1, 5), at(2, -5), at(3, 5), at(4, 0), at(5, 5)];
    super::put_all(&*catalog, &artifacts).await;
    let found = catalog.list(&query(10)).await.unwrap();
    let order: Vec<_> = found.iter().map(|one| one.id).collect();
    assert_eq!(order, [5, 3, 1, 4, 2].map(artifact_id));
}

/// Pages after a cursor give every artifact once, also where many were created at one time.
pub async fn pages_give_everything_once(harness: &dyn CatalogHarness) {
    let artifacts: Vec<_> = (0..23)
        .map(|number| {
            let mut one = artifact((number * 7) % 23 + 1);
            one.created_at = time(i64::try_from(number % 3).unwrap());
            one
        })
        .collect();
    let catalog = created_with(harness, &artifacts).await;
    let whole = expected(&artifacts, &query(100));
    for limit in [1, 2, 5, 22, 23, 24] {
        let mut query = query(limit);
        let mut paged = Vec::new();
        loop {
            let page = catalog.list(&query).await.unwrap();
            assert!(page.len() <= usize::try_from(limit).unwrap());
            let Some(last) = page.last() else { break };
            query.after = Some(Cursor {
                created_at: last.created_at,
                id: last.id,
            });
            paged.extend(page);
        }
        assert_eq!(paged, whole, "pages of {limit}");
    }
}

/// A cursor is a place: it need not name an artifact.
pub async fn a_cursor_need_not_name_an_artifact(harness: &dyn CatalogHarness) {
    let artifacts: Vec<_> = [2, 4, 6].map(artifact).to_vec();
    let catalog = created_with(harness, &artifacts).await;
    let cursors = [(5, 99), (4, 5), (4, 4), (4, 3), (0, 0), (99, 99)];
    for (seconds, number) in cursors {
        let after = Some(Cursor {
            created_at: time(seconds),
            id: artifact_id(number),
        });
        check(&*catalog, &artifacts, &ArtifactQuery { after, ..query(10) }).await;
    }
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

/// Every combination of conditions, cursor and limit answers what a plain search of all artifacts answers.
pub async fn every_combination_of_conditions_holds(harness: &dyn CatalogHarness) {
    let artifacts = varied();
    let catalog = created_with(harness, &artifacts).await;
    for bits in 0..1_u32 << 9 {
        let has = |bit: u32| bits & (1 << bit) != 0;
        let filter = ArtifactFilter {
            artifact_type: has(0).then(|| artifact_type("sample_v2")),
            status: has(1).then_some(ArtifactStatus::Active),
            tags: match (has(2), has(3)) {
                (false, false) => tags([]),
                (true, false) => tags([("env", "prod")]),
                (false, true) => tags([("env", "test")]),
                (true, true) => tags([("env", "prod"), ("env", "test")]),
            },
            key_prefix: has(4).then(|| "k=1".to_owned()),
            created_from: has(5).then(|| time(2)),
            created_before: has(6).then(|| time(8)),
        };
        let query = ArtifactQuery {
            filter,
            logical_key: has(7).then(|| logical_key("k=1/x")),
            after: has(8).then(|| Cursor {
                created_at: time(6),
                id: artifact_id(30),
            }),
            limit: if bits % 3 == 0 { 3 } else { 1000 },
        };
        check(&*catalog, &artifacts, &query).await;
    }
}

/// Artifacts of which every combination of conditions matches some.
fn varied() -> Vec<Artifact> {
    (0..144_u64)
        .map(|number| {
            let mut one = artifact(number + 1);
            one.artifact_type =
                artifact_type(["sample_v1", "sample_v2"][usize::from(number % 2 == 0)]);
            one.status = ArtifactStatus::ALL[usize::try_from(number / 2 % 3).unwrap()];
            one.tags = match number / 6 % 4 {
                0 => tags([]),
                1 => tags([("env", "prod")]),
                2 => tags([("env", "test"), ("team", "a")]),
                _ => tags([("env", "prod"), ("env", "test")]),
            };
            one.logical_key = logical_key(
                ["k=1/x", "k=1", "k=2/x", "K=1/x"][usize::try_from(number / 24 % 4).unwrap()],
            );
            one.created_at = time(i64::try_from(number * 5 % 11).unwrap());
            one
        })
        .collect()
}
