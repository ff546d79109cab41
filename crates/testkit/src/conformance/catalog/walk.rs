use std::collections::BTreeMap;
use std::convert::Infallible;

use artstore_core::artifact::Artifact;
use artstore_core::backend::ArtifactCatalog;
use artstore_core::id::ArtifactId;
use artstore_core::lineage::{Relation, Walk, WalkLimits, WalkNode, WalkStep, walk};

use super::{CatalogHarness, created_with, put_all};
use crate::samples::{artifact, artifact_id, input, made_from};

pub(super) const RELATIONS: [Relation; 4] = [
    Relation::Inputs,
    Relation::Downstream,
    Relation::SupersededBy,
    Relation::Supersedes,
];

pub(super) fn limits(depth: Option<u32>, nodes: usize) -> WalkLimits {
    WalkLimits { depth, nodes }
}

pub(super) async fn walked(
    catalog: &dyn ArtifactCatalog,
    start: u64,
    relation: Relation,
    limits: WalkLimits,
) -> Walk {
    let found = catalog.walk(artifact_id(start), relation, limits).await;
    found.unwrap().expect("the start has a row")
}

/// Everything that is reached, with its depth.
pub(super) async fn reached(
    catalog: &dyn ArtifactCatalog,
    start: u64,
    relation: Relation,
) -> Vec<WalkNode> {
    walked(catalog, start, relation, WalkLimits::default())
        .await
        .nodes
}

pub(super) fn nodes<const N: usize>(expected: [(u64, u32); N]) -> Vec<WalkNode> {
    let node = |(number, depth)| WalkNode {
        id: artifact_id(number),
        depth,
    };
    expected.map(node).to_vec()
}

pub(super) fn step(from: u64, to: u64, role: Option<&str>) -> WalkStep {
    WalkStep {
        from: artifact_id(from),
        to: artifact_id(to),
        role: role.map(str::to_owned),
    }
}

/// The artifact `new`, which replaced `old` and was replaced by `by`.
fn replacing(new: u64, old: &[u64], by: Option<u64>) -> Artifact {
    Artifact {
        supersedes: old.iter().copied().map(artifact_id).collect(),
        superseded_by: by.map(artifact_id),
        ..artifact(new)
    }
}

/// Inputs come in their order, nearest first, each once; every use of one is a step with its role, several of one input
/// included.
pub async fn inputs_are_walked_in_their_order(harness: &dyn CatalogHarness) {
    let mut first = artifact(9);
    first.inputs = vec![
        input(5, Some("right")),
        input(2, None),
        input(5, Some("left")),
        input(7, Some("ü")),
        input(5, None),
    ];
    let artifacts = [
        first,
        made_from(5, &[4, 1]),
        made_from(2, &[4, 3, 1]),
        made_from(7, &[2]),
        made_from(1, &[]),
        made_from(3, &[]),
        made_from(4, &[]),
    ];
    let catalog = created_with(harness, &artifacts).await;
    let walk = walked(&*catalog, 9, Relation::Inputs, WalkLimits::default()).await;
    let expected = Walk {
        nodes: nodes([(5, 1), (2, 1), (7, 1), (4, 2), (1, 2), (3, 2)]),
        steps: vec![
            step(9, 5, Some("right")),
            step(9, 2, None),
            step(9, 5, Some("left")),
            step(9, 7, Some("ü")),
            step(9, 5, None),
            step(5, 4, None),
            step(5, 1, None),
            step(2, 4, None),
            step(2, 3, None),
            step(2, 1, None),
            step(7, 2, None),
        ],
        truncated: false,
    };
    assert_eq!(walk, expected);
}

/// What was made from an artifact comes in ascending order of the ids, level by level, with the role of each use.
pub async fn downstream_is_walked_in_order_of_ids(harness: &dyn CatalogHarness) {
    let mut twice = artifact(4);
    twice.inputs = vec![input(1, Some("a")), input(2, None), input(1, Some("b"))];
    let artifacts = [
        made_from(8, &[1]),
        twice,
        made_from(6, &[8, 1]),
        made_from(3, &[8, 4]),
        made_from(1, &[]),
        made_from(2, &[]),
    ];
    let catalog = created_with(harness, &artifacts).await;
    let mut walk = walked(&*catalog, 1, Relation::Downstream, WalkLimits::default()).await;
    sort_roles(&mut walk);
    let expected = Walk {
        nodes: nodes([(4, 1), (6, 1), (8, 1), (3, 2)]),
        steps: vec![
            step(1, 4, Some("a")),
            step(1, 4, Some("b")),
            step(1, 6, None),
            step(1, 8, None),
            step(4, 3, None),
            step(8, 3, None),
            step(8, 6, None),
        ],
        truncated: false,
    };
    assert_eq!(walk, expected);
    assert_eq!(reached(&*catalog, 3, Relation::Downstream).await, []);
}

/// What an artifact replaced comes in ascending order of the ids, what replaced it one after the other; steps have no role.
pub async fn replacements_are_walked_in_both_directions(harness: &dyn CatalogHarness) {
    let artifacts = [
        replacing(9, &[2, 6, 8], None),
        replacing(2, &[7], Some(9)),
        replacing(6, &[1, 3], Some(9)),
        replacing(8, &[], Some(9)),
        replacing(7, &[], Some(2)),
        replacing(1, &[], Some(6)),
        replacing(3, &[], Some(6)),
        made_from(4, &[9, 2]),
    ];
    let catalog = created_with(harness, &artifacts).await;
    let back = walked(&*catalog, 9, Relation::Supersedes, WalkLimits::default()).await;
    let expected = Walk {
        nodes: nodes([(2, 1), (6, 1), (8, 1), (7, 2), (1, 2), (3, 2)]),
        steps: [(9, 2), (9, 6), (9, 8), (2, 7), (6, 1), (6, 3)]
            .map(|(from, to)| step(from, to, None))
            .to_vec(),
        truncated: false,
    };
    assert_eq!(back, expected);
    let on = walked(&*catalog, 3, Relation::SupersededBy, WalkLimits::default()).await;
    assert_eq!(on.nodes, nodes([(6, 1), (9, 2)]));
    assert_eq!(on.steps, [step(3, 6, None), step(6, 9, None)]);
    for (start, relation) in [(9, Relation::SupersededBy), (7, Relation::Supersedes)] {
        assert_eq!(reached(&*catalog, start, relation).await, []);
    }
}

/// In which order the several uses of one input are told, seen from the input, is not promised.
fn sort_roles(walk: &mut Walk) {
    let is_same_way = |a: &WalkStep, b: &WalkStep| (a.from, a.to) == (b.from, b.to);
    for uses in walk.steps.chunk_by_mut(is_same_way) {
        uses.sort_by(|a, b| a.role.cmp(&b.role));
    }
}

/// Where each step leads, said in the plainest way.
fn plain(
    artifacts: &[Artifact],
    start: ArtifactId,
    relation: Relation,
    limits: WalkLimits,
) -> Walk {
    let by_id: BTreeMap<_, _> = artifacts.iter().map(|one| (one.id, one)).collect();
    let walked: Result<Walk, Infallible> = walk(start, limits, |from, _, found| {
        let row = by_id.get(&from);
        let without_role = |id: &ArtifactId| (*id, None);
        match relation {
            Relation::Inputs => {
                let inputs = row.iter().flat_map(|row| &row.inputs);
                found.extend(inputs.map(|input| (input.id, input.role.clone())));
            }
            Relation::Downstream => {
                for output in by_id.values() {
                    let uses = output.inputs.iter().filter(|input| input.id == from);
                    found.extend(uses.map(|input| (output.id, input.role.clone())));
                }
            }
            Relation::SupersededBy => {
                found.extend(row.and_then(|row| row.superseded_by.as_ref().map(without_role)));
            }
            Relation::Supersedes => {
                found.extend(row.iter().flat_map(|row| &row.supersedes).map(without_role));
            }
        }
        Ok(())
    });
    let Ok(walked) = walked;
    walked
}

/// Sixty artifacts that are related in many ways, some of them to what has no row.
fn entangled() -> Vec<Artifact> {
    let mut artifacts: Vec<_> = (1..=60_u64)
        .map(|number| {
            let mut one = artifact(number);
            let uses = (1..=number % 6).map(|turn| {
                let role = ["a", "b"].get(usize::try_from((number + turn) % 3).unwrap());
                input(1 + (number * 7 + turn * turn * 13) % number, role.copied())
            });
            one.inputs = artstore_core::artifact::new_inputs(&[], &uses.collect::<Vec<_>>());
            one
        })
        .collect();
    for new in (10..60_usize).step_by(5) {
        for back in [3, 7] {
            let (old_id, new_id) = (artifacts[new - back].id, artifacts[new].id);
            if artifacts[new - back].superseded_by.is_none() {
                artifacts[new - back].superseded_by = Some(new_id);
                artifacts[new].supersedes.push(old_id);
            }
        }
        artifacts[new].supersedes.sort_unstable();
    }
    artifacts.retain(|one| one.id != artifact_id(17) && one.id != artifact_id(41));
    artifacts
}

/// Every walk from every start, in every relation and within any limits, is the one that `core` walks over plain rows.
pub async fn every_walk_is_the_plain_one(harness: &dyn CatalogHarness) {
    let artifacts = entangled();
    let catalog = created_with(harness, &artifacts).await;
    let mut nodes = 0;
    for relation in RELATIONS {
        for start in artifacts.iter().map(|one| one.id) {
            for limits in [
                WalkLimits::UNLIMITED,
                WalkLimits::default(),
                limits(Some(1), 1),
                limits(Some(2), 100),
                limits(None, 3),
                limits(Some(3), 5),
            ] {
                let found = catalog.walk(start, relation, limits).await.unwrap();
                let mut found = found.expect("the start has a row");
                let mut expected = plain(&artifacts, start, relation, limits);
                sort_roles(&mut found);
                sort_roles(&mut expected);
                assert_eq!(found, expected, "{relation:?} from {start}, {limits:?}");
                nodes += found.nodes.len();
            }
        }
    }
    assert!(nodes > 1000, "there is something to walk");
}

/// Thirty diamonds one after the other, through which 2^30 ways lead, are walked at once in both directions.
pub async fn two_to_the_thirtieth_ways_are_walked_at_once(harness: &dyn CatalogHarness) {
    let mut artifacts = vec![artifact(1)];
    for level in 0..30_u64 {
        let bottom = 3 * level + 1;
        artifacts.push(made_from(bottom + 1, &[bottom]));
        artifacts.push(made_from(bottom + 2, &[bottom]));
        artifacts.push(made_from(bottom + 3, &[bottom + 1, bottom + 2]));
    }
    let catalog = created_with(harness, &artifacts).await;
    for (start, relation) in [(91, Relation::Inputs), (1, Relation::Downstream)] {
        for limits in [WalkLimits::default(), WalkLimits::UNLIMITED] {
            let walk = walked(&*catalog, start, relation, limits).await;
            assert_eq!((walk.nodes.len(), walk.steps.len()), (90, 120));
            assert_eq!(walk.nodes.last().unwrap().depth, 60);
            assert!(!walk.truncated);
        }
    }
}

/// An artifact made from ten thousand others, and ten thousand made from one, are walked; a smaller number truncates.
pub async fn ten_thousand_inputs_are_walked(harness: &dyn CatalogHarness) {
    const MANY: u64 = 10_000;
    let inputs: Vec<u64> = (1..=MANY).rev().collect();
    let catalog = created_with(harness, &[made_from(20_001, &inputs)]).await;
    let outputs: Vec<_> = (1..=MANY)
        .map(|number| made_from(number, &[20_000]))
        .collect();
    put_all(&*catalog, &outputs).await;
    put_all(&*catalog, &[artifact(20_000)]).await;

    let nodes = usize::try_from(MANY).unwrap();
    let walk = walked(&*catalog, 20_001, Relation::Inputs, limits(Some(1), nodes)).await;
    assert!(!walk.truncated);
    let expected = inputs.iter().copied().map(artifact_id);
    assert!(walk.nodes.iter().map(|node| node.id).eq(expected));
    let walk = walked(
        &*catalog,
        20_000,
        Relation::Downstream,
        limits(Some(1), nodes),
    )
    .await;
    let expected = (1..=MANY).map(artifact_id);
    assert!(walk.nodes.iter().map(|node| node.id).eq(expected));
    assert!(!walk.truncated);
    let walk = walked(&*catalog, 20_001, Relation::Inputs, limits(None, nodes)).await;
    assert_eq!((walk.nodes.len(), walk.truncated), (nodes, true));
    let whole = limits(None, nodes + 1);
    let walk = walked(&*catalog, 20_001, Relation::Inputs, whole).await;
    assert_eq!((walk.nodes.len(), walk.steps.len()), (nodes + 1, 2 * nodes));
    assert!(!walk.truncated);
}
