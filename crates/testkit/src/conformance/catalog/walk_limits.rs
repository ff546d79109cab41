use artstore_core::artifact::Artifact;
use artstore_core::lineage::{Relation, WalkLimits};

use super::walk::{limits, nodes, walked};
use super::{CatalogHarness, created_with};
use crate::samples::{artifact, artifact_id, input, made_from};

/// A walk goes as many steps and reaches as many artifacts as it may; it is truncated only where the number left something
/// out, and its steps are between what it reached.
pub async fn walks_end_at_their_limits(harness: &dyn CatalogHarness) {
    let chain = (2..=40_u64).map(|number| made_from(number, &[number - 1]));
    let mut artifacts: Vec<_> = std::iter::once(artifact(1)).chain(chain).collect();
    artifacts.push(made_from(50, &[40, 39, 38]));
    let catalog = created_with(harness, &artifacts).await;
    let walk = async |start, relation, depth, count| {
        let walk = walked(&*catalog, start, relation, limits(depth, count)).await;
        let deepest = walk.nodes.last().map_or(0, |node| node.depth);
        (walk.nodes.len(), walk.steps.len(), deepest, walk.truncated)
    };
    for (start, relation) in [(40, Relation::Inputs), (1, Relation::Downstream)] {
        assert_eq!(walk(start, relation, Some(1), 1).await, (1, 1, 1, false));
        assert_eq!(walk(start, relation, Some(5), 5).await, (5, 5, 5, false));
        assert_eq!(walk(start, relation, Some(5), 4).await, (4, 4, 4, true));
    }
    let (from_end, inputs) = (50, Relation::Inputs);
    assert_eq!(walk(from_end, inputs, Some(1), 3).await, (3, 3, 1, false));
    assert_eq!(walk(from_end, inputs, Some(2), 4).await, (4, 6, 2, false));
    assert_eq!(walk(from_end, inputs, Some(1), 2).await, (2, 2, 1, true));
    assert_eq!(walk(from_end, inputs, None, 2).await, (2, 2, 1, true));
    assert_eq!(walk(from_end, inputs, None, 40).await, (40, 42, 38, false));
    assert_eq!(walk(from_end, inputs, None, 39).await, (39, 41, 37, true));
}

/// A walk ends where it meets one artifact more than allowed: it holds the first of them in their order and nothing of what
/// comes after, neither of that artifact nor of the others of its level.
pub async fn a_walk_ends_early_at_a_hub(harness: &dyn CatalogHarness) {
    let many: Vec<u64> = (101..=500).collect();
    let mut hub = made_from(1, &many);
    hub.supersedes = many.iter().copied().map(artifact_id).collect();
    let outputs = many.iter().map(|number| made_from(*number, &[2, 3]));
    let between = [made_from(2, &[4]), made_from(3, &[4]), artifact(4)];
    let artifacts: Vec<_> = outputs.chain(between).chain([hub]).collect();
    let catalog = created_with(harness, &artifacts).await;
    let first = nodes([(101, 1), (102, 1), (103, 1)]);
    for (start, relation) in [
        (1, Relation::Inputs),
        (1, Relation::Supersedes),
        (2, Relation::Downstream),
    ] {
        for depth in [None, Some(1), Some(9)] {
            let walk = walked(&*catalog, start, relation, limits(depth, 3)).await;
            assert_eq!((&walk.nodes, walk.truncated), (&first, true));
            let steps = walk.steps.iter().map(|step| (step.from, step.to));
            let expected = first.iter().map(|node| (artifact_id(start), node.id));
            assert!(steps.eq(expected), "{relation:?}");
        }
    }
    // The second artifact of the first level leads to the same, and is not looked at any more.
    let walk = walked(&*catalog, 4, Relation::Downstream, limits(None, 4)).await;
    assert_eq!(walk.nodes, nodes([(2, 1), (3, 1), (101, 2), (102, 2)]));
    let steps = walk.steps.iter().map(|step| (step.from, step.to));
    let expected = [(4, 2), (4, 3), (2, 101), (2, 102)];
    let expected = expected.map(|(from, to)| (artifact_id(from), artifact_id(to)));
    assert!(steps.eq(expected));
    assert!(walk.truncated);
}

/// The artifact `number`, which uses each of `inputs` in so many roles.
fn using(number: u64, inputs: &[u64], roles: usize) -> Artifact {
    let uses = inputs.iter().flat_map(|used| {
        (0..roles).map(move |role| input(*used, Some(&format!("role {role:02}"))))
    });
    Artifact {
        inputs: uses.collect(),
        ..artifact(number)
    }
}

/// A walk takes [`WalkLimits::STEPS_PER_NODE`] steps for each artifact that it may reach; where there are more it is
/// truncated, however few artifacts it has reached.
pub async fn a_walk_takes_a_bounded_number_of_steps(harness: &dyn CatalogHarness) {
    const ROLES: usize = WalkLimits::STEPS_PER_NODE;
    let mut artifacts = vec![
        using(1, &[11, 12], ROLES),
        using(2, &[21, 22], ROLES + 1),
        artifact(12),
        artifact(22),
        artifact(31),
    ];
    artifacts.extend((32..=40).map(|number| using(number, &[number - 1], ROLES + 4)));
    let catalog = created_with(harness, &artifacts).await;
    let walk = async |start, relation, count| {
        let walk = walked(&*catalog, start, relation, limits(None, count)).await;
        (walk.nodes.len(), walk.steps.len(), walk.truncated)
    };
    let (inputs, downstream) = (Relation::Inputs, Relation::Downstream);
    assert_eq!(walk(1, inputs, 2).await, (2, 2 * ROLES, false));
    assert_eq!(walk(2, inputs, 2).await, (2, 2 * ROLES, true));
    assert_eq!(walk(2, inputs, 3).await, (2, 2 * ROLES + 2, false));
    assert_eq!(walk(12, downstream, 1).await, (1, ROLES, false));
    assert_eq!(walk(22, downstream, 1).await, (1, ROLES, true));
    assert_eq!(walk(22, downstream, 2).await, (1, ROLES + 1, false));
    // Nine artifacts are reached by 180 steps; 144 of them reach eight.
    for (start, relation) in [(40, inputs), (31, downstream)] {
        assert_eq!(walk(start, relation, 9).await, (8, 9 * ROLES, true));
        let all = 9 * (ROLES + 4);
        assert_eq!(walk(start, relation, 12).await, (9, all, false));
    }
}
