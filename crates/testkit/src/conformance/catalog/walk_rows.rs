use artstore_core::artifact::Artifact;
use artstore_core::backend::ArtifactCommit;
use artstore_core::lineage::{Relation, WalkLimits};

use super::walk::{RELATIONS, limits, nodes, reached, step, walked};
use super::{CatalogHarness, apply, created, created_with, fill, put, put_all};
use crate::samples::{artifact, artifact_id, empty_head, input, made_from, permit};

/// A catalog stores what it is told: what leads back to where it came from, or to itself, is walked once all the same.
pub async fn circles_are_walked_once(harness: &dyn CatalogHarness) {
    let artifacts = [
        made_from(1, &[3, 1]),
        made_from(2, &[1]),
        made_from(3, &[2]),
    ];
    let catalog = created_with(harness, &artifacts).await;
    let back = walked(&*catalog, 1, Relation::Inputs, WalkLimits::UNLIMITED).await;
    assert_eq!(back.nodes, nodes([(3, 1), (2, 2)]));
    let steps = [(1, 3), (1, 1), (3, 2), (2, 1)].map(|(from, to)| step(from, to, None));
    assert_eq!(back.steps, steps);
    let on = walked(&*catalog, 1, Relation::Downstream, WalkLimits::UNLIMITED).await;
    assert_eq!(on.nodes, nodes([(2, 1), (3, 2)]));
}

/// A walk from what has no row is none, also where others name it; what has a row and leads nowhere is a walk to nothing.
pub async fn an_unknown_start_is_none(harness: &dyn CatalogHarness) {
    let mut names_it = made_from(1, &[7]);
    names_it.supersedes = vec![artifact_id(7)];
    names_it.superseded_by = Some(artifact_id(7));
    let catalog = created_with(harness, &[names_it, artifact(2)]).await;
    for relation in RELATIONS {
        for unknown in [7, 8] {
            let found = catalog
                .walk(artifact_id(unknown), relation, WalkLimits::default())
                .await;
            assert_eq!(found.unwrap(), None, "{relation:?}");
        }
        let walk = walked(&*catalog, 2, relation, WalkLimits::default()).await;
        assert_eq!((walk.nodes, walk.steps), (Vec::new(), Vec::new()));
        assert!(!walk.truncated);
    }
}

/// What has no row is reached like anything else, counts, and leads nowhere by the relations that rows tell.
pub async fn what_has_no_row_is_reached_and_leads_nowhere(harness: &dyn CatalogHarness) {
    let mut one = made_from(5, &[9, 2, 8]);
    one.supersedes = [8, 9].map(artifact_id).to_vec();
    one.superseded_by = Some(artifact_id(9));
    let catalog = created_with(harness, &[one, made_from(2, &[8])]).await;
    let inputs = reached(&*catalog, 5, Relation::Inputs).await;
    assert_eq!(inputs, nodes([(9, 1), (2, 1), (8, 1)]));
    let replaced = reached(&*catalog, 5, Relation::Supersedes).await;
    assert_eq!(replaced, nodes([(8, 1), (9, 1)]));
    let by = reached(&*catalog, 5, Relation::SupersededBy).await;
    assert_eq!(by, nodes([(9, 1)]));
    let few = walked(&*catalog, 5, Relation::Inputs, limits(None, 1)).await;
    assert_eq!((few.nodes, few.truncated), (nodes([(9, 1)]), true));
}

/// A put replaces where an artifact leads and what leads to it.
pub async fn walks_follow_replacing_puts(harness: &dyn CatalogHarness) {
    let mut before = made_from(3, &[1]);
    before.supersedes = vec![artifact_id(1)];
    before.superseded_by = Some(artifact_id(1));
    let catalog = created_with(harness, &[artifact(1), artifact(2), before]).await;
    let mut after = made_from(3, &[2]);
    after.supersedes = vec![artifact_id(2)];
    after.superseded_by = Some(artifact_id(2));
    apply(&*catalog, vec![put(&after)]).await;
    for relation in [
        Relation::Inputs,
        Relation::Supersedes,
        Relation::SupersededBy,
    ] {
        let found = reached(&*catalog, 3, relation).await;
        assert_eq!(found, nodes([(2, 1)]), "{relation:?}");
    }
    assert_eq!(reached(&*catalog, 1, Relation::Downstream).await, []);
    let downstream = reached(&*catalog, 2, Relation::Downstream).await;
    assert_eq!(downstream, nodes([(3, 1)]));
    apply(&*catalog, vec![put(&artifact(3))]).await;
    for relation in RELATIONS {
        assert_eq!(reached(&*catalog, 3, relation).await, [], "{relation:?}");
        assert_eq!(reached(&*catalog, 2, relation).await, [], "{relation:?}");
    }
}

/// After a rebuild walks follow its rows, the later put of an artifact instead of the earlier, and nothing of before.
pub async fn walks_follow_a_rebuild(harness: &dyn CatalogHarness) {
    let former = [artifact(1), made_from(2, &[1]), made_from(9, &[1])];
    let catalog = created_with(harness, &former).await;
    let commit = |artifacts: &[Artifact]| ArtifactCommit {
        changes: artifacts.iter().map(put).collect(),
    };
    let mut replaced = artifact(1);
    replaced.superseded_by = Some(artifact_id(3));
    let commits = vec![
        commit(&[made_from(4, &[1, 3]), made_from(3, &[2])]),
        commit(&[made_from(3, &[1]), artifact(2), replaced]),
    ];
    fill(&*catalog, empty_head(), commits).await;
    let downstream = reached(&*catalog, 1, Relation::Downstream).await;
    assert_eq!(downstream, nodes([(3, 1), (4, 1)]));
    let inputs = reached(&*catalog, 4, Relation::Inputs).await;
    assert_eq!(inputs, nodes([(1, 1), (3, 1)]));
    assert_eq!(reached(&*catalog, 2, Relation::Downstream).await, []);
    let by = reached(&*catalog, 1, Relation::SupersededBy).await;
    assert_eq!(by, nodes([(3, 1)]));
}

/// All of a walk is of one state of the database, while others commit.
pub async fn a_walk_sees_one_state(harness: &dyn CatalogHarness) {
    let round = |number: u64| -> Vec<_> {
        let role = format!("round {number}");
        let chain = (2..=12_u64).map(|one| Artifact {
            inputs: vec![input(one - 1, Some(&role))],
            ..artifact(one)
        });
        chain.map(|one| put(&one)).collect()
    };
    let catalog = created(harness).await;
    put_all(&*catalog, &[artifact(1)]).await;
    apply(&*catalog, round(0)).await;
    let other = harness.open().await;
    let writer = tokio::spawn(async move {
        for number in 1..=60 {
            let changes = round(number);
            let commit = ArtifactCommit { changes };
            other.apply(&permit(), commit).await.unwrap();
        }
    });
    while !writer.is_finished() {
        for (start, relation) in [(12, Relation::Inputs), (1, Relation::Downstream)] {
            let walk = walked(&*catalog, start, relation, WalkLimits::default()).await;
            assert_eq!(walk.steps.len(), 11);
            let role = &walk.steps[0].role;
            assert!(walk.steps.iter().all(|step| step.role == *role));
        }
    }
    writer.await.expect("the writer succeeds");
}
