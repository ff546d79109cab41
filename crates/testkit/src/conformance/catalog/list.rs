use artstore_core::artifact::{Artifact, ArtifactFilter, ArtifactStatus, TimeSpan};
use artstore_core::backend::{ArtifactCatalog, ArtifactQuery};
use artstore_core::page::{Cursor, ListPart};

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
    if let Some(span) = filter.overlaps {
        left.retain(|artifact| {
            let (earliest, latest) = (artifact.min_timestamp, artifact.max_timestamp);
            earliest.is_some_and(|earliest| span.before.is_none_or(|before| earliest < before))
                && latest.is_some_and(|latest| span.from.is_none_or(|from| from <= latest))
        });
    }
    if let Some(excluded) = query.excluded_status {
        left.retain(|artifact| artifact.status != excluded);
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

pub(super) async fn check(
    catalog: &dyn ArtifactCatalog,
    artifacts: &[Artifact],
    query: &ArtifactQuery,
) {
    let ids = |artifacts: &[Artifact]| -> Vec<_> { artifacts.iter().map(|one| one.id).collect() };
    let found = catalog.list(query).await.unwrap();
    let expected = expected(artifacts, query);
    assert_eq!(ids(&found), ids(&expected), "{query:?}");
    assert_eq!(found, expected);
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
                part: ListPart::First,
            });
            paged.extend(page);
        }
        assert_eq!(paged, whole, "pages of {limit}");
    }
}

/// Artifacts of every status but one are listed, page by page; the part that a cursor names makes no difference.
pub async fn a_status_can_be_excluded(harness: &dyn CatalogHarness) {
    let artifacts: Vec<_> = (0..31_u64)
        .map(|number| {
            let mut one = artifact(number + 1);
            one.status = ArtifactStatus::ALL[usize::try_from(number % 3).unwrap()];
            one.logical_key = logical_key(["a", "b"][usize::try_from(number / 3 % 2).unwrap()]);
            one.created_at = time(i64::try_from(number % 4).unwrap());
            one
        })
        .collect();
    let catalog = created_with(harness, &artifacts).await;
    for excluded in ArtifactStatus::ALL {
        for key in [None, Some(logical_key("a"))] {
            let mut query = ArtifactQuery {
                excluded_status: Some(*excluded),
                logical_key: key,
                ..query(100)
            };
            check(&*catalog, &artifacts, &query).await;
            let whole = expected(&artifacts, &query);
            query.limit = 2;
            let mut paged = Vec::new();
            loop {
                let page = catalog.list(&query).await.unwrap();
                assert!(page.len() <= 2);
                let Some(last) = page.last() else { break };
                query.after = Some(Cursor {
                    created_at: last.created_at,
                    id: last.id,
                    part: ListPart::Inactive,
                });
                paged.extend(page);
            }
            assert_eq!(paged, whole, "all but {excluded}");
            assert!(whole.iter().all(|one| one.status != *excluded));
            query.after = None;
            query.filter.status = Some(*excluded);
            assert_eq!(catalog.list(&query).await.unwrap(), []);
        }
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
            part: ListPart::First,
        });
        check(&*catalog, &artifacts, &ArtifactQuery { after, ..query(10) }).await;
    }
}

/// Every combination of conditions, cursor and limit answers what a plain search of all artifacts answers.
pub async fn every_combination_of_conditions_holds(harness: &dyn CatalogHarness) {
    let artifacts = varied();
    let catalog = created_with(harness, &artifacts).await;
    for bits in 0..1_u32 << 11 {
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
            overlaps: has(9).then(|| TimeSpan {
                from: Some(time(5)),
                before: has(0).then(|| time(9)),
            }),
        };
        let query = ArtifactQuery {
            filter,
            logical_key: has(7).then(|| logical_key("k=1/x")),
            excluded_status: has(10).then_some(ArtifactStatus::Superseded),
            after: has(8).then(|| Cursor {
                created_at: time(6),
                id: artifact_id(30),
                part: ListPart::First,
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
            let seconds = i64::try_from(number * 7 % 13).unwrap();
            let has_times = number % 5 != 0;
            one.min_timestamp = has_times.then(|| time(seconds - 1));
            one.max_timestamp = has_times.then(|| time(seconds + 1));
            one
        })
        .collect()
}
