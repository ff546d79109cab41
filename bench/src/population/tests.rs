use std::collections::HashSet;

use artstore_core::maintenance::StatusDetail;
use artstore_tests::store::LocalStore;

use super::lists::is_listed;
use super::*;

const SMALL: Population = Population::of(2_000);

fn all() -> Vec<Artifact> {
    let artifacts = (0..SMALL.artifacts).map(|number| SMALL.artifact(number));
    artifacts.collect::<Result<_>>().unwrap()
}

#[test]
fn there_are_about_as_many_edges_as_artifacts_and_none_leads_into_the_void() {
    let artifacts = all();
    let ids: HashSet<_> = artifacts.iter().map(|artifact| artifact.id).collect();
    assert_eq!(ids.len(), artifacts.len());
    let inputs: Vec<_> = artifacts.iter().flat_map(|one| &one.inputs).collect();
    assert!((1_900..2_100).contains(&inputs.len()), "{}", inputs.len());
    assert!(inputs.iter().all(|input| ids.contains(&input.id)));
}

#[test]
fn who_replaced_whom_is_told_by_both() {
    let artifacts = all();
    let mut replaced = 0;
    for pair in artifacts.windows(2) {
        let is_replaced = pair[0].superseded_by == Some(pair[1].id);
        assert_eq!(is_replaced, pair[1].supersedes == [pair[0].id]);
        assert_eq!(is_replaced, pair[0].status == ArtifactStatus::Superseded);
        replaced += usize::from(is_replaced);
    }
    assert!((100..200).contains(&replaced), "{replaced}");
}

#[tokio::test]
async fn a_store_answers_from_a_population_as_if_it_had_files() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path(), SMALL, Way::Rebuilt).await.unwrap();
    let store = LocalStore::open(directory.path()).await.unwrap();
    let port = store.artifacts();
    for number in [0, 999, 1_999] {
        let expected = SMALL.artifact(number).unwrap();
        assert_eq!(port.get_artifact(expected.id).await.unwrap(), expected);
    }
    let maintenance = store.maintenance();
    let status = maintenance.status(StatusDetail::Counts).await.unwrap();
    assert_eq!(status.artifacts.total(), SMALL.artifacts);
    store.close().await;
}

#[test]
fn cursors_leave_so_many() {
    let artifacts = all();
    for list in LISTS {
        let cursor = SMALL.before_the_last(list, 7).unwrap();
        let filter = filter(SMALL, list).unwrap();
        let left = artifacts.iter().filter(|one| {
            is_listed(one, list, &filter)
                && (list != BY_KEY || one.status != ArtifactStatus::Active)
                && (one.created_at, one.id) < (cursor.created_at, cursor.id)
        });
        assert_eq!(left.count(), 7, "{list}");
    }
}
