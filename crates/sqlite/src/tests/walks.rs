//! Walks from one artifact to others.

use std::collections::HashMap;

use artstore_core::artifact::ArtifactInput;
use artstore_core::lineage::{Relation, Walk, WalkLimits};
use rusqlite::Connection;

use super::*;

fn made_from(number: u64, inputs: &[(u64, Option<&str>)]) -> Artifact {
    let mut artifact = artifact(number);
    artifact.inputs = inputs
        .iter()
        .map(|(input, role)| ArtifactInput {
            id: id(*input),
            role: role.map(str::to_owned),
        })
        .collect();
    artifact
}

/// Numbers and depths of the nodes.
fn nodes(walk: &Walk) -> Vec<(ArtifactId, u32)> {
    walk.nodes
        .iter()
        .map(|node| (node.id, node.depth))
        .collect()
}

fn at(numbers: &[(u64, u32)]) -> Vec<(ArtifactId, u32)> {
    let at = numbers.iter().map(|(number, depth)| (id(*number), *depth));
    at.collect()
}

fn steps(walk: &Walk) -> Vec<(ArtifactId, ArtifactId, Option<&str>)> {
    let steps = walk.steps.iter();
    steps
        .map(|step| (step.from, step.to, step.role.as_deref()))
        .collect()
}

impl World {
    async fn walk(&self, start: u64, relation: Relation, limits: WalkLimits) -> Walk {
        let walk = self.catalog.walk(id(start), relation, limits).await;
        walk.unwrap().unwrap()
    }

    async fn rebuilt_from(artifacts: impl Iterator<Item = Artifact>) -> Self {
        let world = Self::without_database();
        let artifacts: Vec<_> = artifacts.collect();
        let chunks = artifacts.chunks(1000).map(|chunk| {
            Ok(ArtifactCommit {
                changes: chunk.iter().map(put).collect(),
            })
        });
        world.rebuild(chunks.collect()).await.unwrap();
        world
    }
}

#[tokio::test]
async fn inputs_come_in_their_order_and_outputs_in_that_of_ids() {
    let world = World::empty().await;
    let diamond = [
        made_from(1, &[]),
        made_from(4, &[(3, Some("b")), (2, None), (3, Some("a"))]),
        made_from(3, &[(1, Some("left"))]),
        made_from(2, &[(1, None)]),
        artifact(9),
    ];
    world.put(&diamond).await;
    let up = world.walk(4, Relation::Inputs, WalkLimits::default()).await;
    assert_eq!(nodes(&up), at(&[(3, 1), (2, 1), (1, 2)]));
    let expected = [
        (id(4), id(3), Some("b")),
        (id(4), id(2), None),
        (id(4), id(3), Some("a")),
        (id(3), id(1), Some("left")),
        (id(2), id(1), None),
    ];
    assert_eq!(steps(&up), expected);
    let down = world
        .walk(1, Relation::Downstream, WalkLimits::default())
        .await;
    assert_eq!(nodes(&down), at(&[(2, 1), (3, 1), (4, 2)]));
    let expected = [
        (id(1), id(2), None),
        (id(1), id(3), Some("left")),
        (id(2), id(4), None),
        (id(3), id(4), Some("b")),
        (id(3), id(4), Some("a")),
    ];
    assert_eq!(steps(&down), expected);
    for relation in [Relation::Inputs, Relation::Downstream] {
        let alone = world.walk(9, relation, WalkLimits::default()).await;
        assert!(alone.nodes.is_empty() && alone.steps.is_empty() && !alone.truncated);
    }
    let shallow = WalkLimits::new(Some(1), 10).unwrap();
    let near = world.walk(1, Relation::Downstream, shallow).await;
    assert_eq!(nodes(&near), at(&[(2, 1), (3, 1)]));
}

#[tokio::test]
async fn a_start_without_a_row_leads_nowhere_and_a_neighbour_without_one_is_reached() {
    let world = World::empty().await;
    world
        .put(&[made_from(2, &[(1, None)]), made_from(3, &[(2, None)])])
        .await;
    for relation in [
        Relation::Inputs,
        Relation::Downstream,
        Relation::SupersededBy,
    ] {
        let answer = world
            .catalog
            .walk(id(1), relation, WalkLimits::default())
            .await;
        assert_eq!(answer.unwrap(), None);
    }
    let up = world.walk(3, Relation::Inputs, WalkLimits::default()).await;
    assert_eq!(nodes(&up), at(&[(2, 1), (1, 2)]));
}

#[tokio::test]
async fn changed_inputs_replace_the_former_ones() {
    let world = World::empty().await;
    let states: [&[(u64, Option<&str>)]; 6] = [
        &[(1, None)],
        &[(1, None), (2, Some("later"))],
        &[(1, None), (2, Some("other"))],
        &[(2, Some("other"))],
        &[],
        &[(3, None), (1, None)],
    ];
    world.put(&[artifact(1), artifact(2), artifact(3)]).await;
    for state in states {
        let expected = made_from(5, state);
        world.put(std::slice::from_ref(&expected)).await;
        assert_eq!(world.catalog.get(&[id(5)]).await.unwrap(), [Some(expected)]);
        for input in 1..=3 {
            let down = world
                .walk(input, Relation::Downstream, WalkLimits::default())
                .await;
            let is_input = state.iter().any(|(number, _)| *number == input);
            assert_eq!(
                down.nodes.len(),
                usize::from(is_input),
                "{input} of {state:?}"
            );
        }
    }
}

#[tokio::test]
async fn supersession_is_walked_both_ways() {
    let world = World::empty().await;
    let mut artifacts: Vec<_> = (1..=5).map(artifact).collect();
    for (former, later) in [(1, 3), (2, 3), (3, 4)] {
        artifacts[former - 1].status = ArtifactStatus::Superseded;
        artifacts[former - 1].superseded_by = Some(artifacts[later - 1].id);
        let id = artifacts[former - 1].id;
        artifacts[later - 1].supersedes.push(id);
    }
    world.put(&artifacts).await;
    let later = world
        .walk(1, Relation::SupersededBy, WalkLimits::default())
        .await;
    assert_eq!(nodes(&later), at(&[(3, 1), (4, 2)]));
    let former = world
        .walk(4, Relation::Supersedes, WalkLimits::default())
        .await;
    assert_eq!(nodes(&former), at(&[(3, 1), (1, 2), (2, 2)]));
    let none = world
        .walk(5, Relation::Supersedes, WalkLimits::default())
        .await;
    assert!(none.nodes.is_empty());
}

#[tokio::test]
async fn a_chain_of_100_000_is_walked_to_its_end_or_its_limit() {
    let length = 100_000;
    let world = World::empty().await;
    world.put(&[artifact(1), artifact(length)]).await;
    let mut connection = Connection::open(world.path()).unwrap();
    let transaction = connection.transaction().unwrap();
    let blob = |number: u64| id(number).as_uuid().into_bytes();
    for number in 2..=length {
        transaction
            .prepare_cached("INSERT INTO artifact_input VALUES (?1, 0, ?2, NULL)")
            .unwrap()
            .execute([blob(number), blob(number - 1)])
            .unwrap();
    }
    transaction.commit().unwrap();
    for (start, relation) in [(length, Relation::Inputs), (1, Relation::Downstream)] {
        let whole = world.walk(start, relation, WalkLimits::UNLIMITED).await;
        assert_eq!(whole.nodes.len() as u64, length - 1);
        assert_eq!(u64::from(whole.nodes.last().unwrap().depth), length - 1);
        assert!(!whole.truncated);
        let limited = world.walk(start, relation, WalkLimits::default()).await;
        assert_eq!(limited.nodes.len(), WalkLimits::DEFAULT_NODES);
        assert!(limited.truncated);
    }
}

#[tokio::test]
async fn a_wide_graph_is_walked_once_per_node() {
    let (layers, width) = (20, 50);
    let number = |layer: u64, place: u64| 1 + layer * width + place;
    let graph = (0..layers).flat_map(|layer| {
        (0..width).map(move |place| {
            let inputs: Vec<_> = match layer {
                0 => Vec::new(),
                _ => (0..width)
                    .map(|input| (number(layer - 1, input), None))
                    .collect(),
            };
            made_from(number(layer, place), &inputs)
        })
    });
    let world = World::rebuilt_from(graph).await;
    let last = number(layers - 1, 7);
    let up = world
        .walk(last, Relation::Inputs, WalkLimits::UNLIMITED)
        .await;
    let depths = up.nodes.iter().fold(HashMap::new(), |mut depths, node| {
        *depths.entry(node.depth).or_insert(0_u64) += 1;
        depths
    });
    assert_eq!(depths.len() as u64, layers - 1);
    assert!(depths.values().all(|count| *count == width));
    assert_eq!(up.steps.len() as u64, width + (layers - 2) * width * width);
    let down = world
        .walk(1, Relation::Downstream, WalkLimits::UNLIMITED)
        .await;
    assert_eq!(down.steps.len(), up.steps.len());
}

#[tokio::test]
async fn cycles_in_damaged_rows_end() {
    let world = World::empty().await;
    let mut artifacts = [
        made_from(1, &[(2, None)]),
        made_from(2, &[(1, None), (2, None)]),
    ];
    for (number, other) in [(0, 1), (1, 0)] {
        let other = artifacts[other].id;
        artifacts[number].superseded_by = Some(other);
        artifacts[number].supersedes = vec![other];
    }
    world.put(&artifacts).await;
    for relation in [
        Relation::Inputs,
        Relation::Downstream,
        Relation::SupersededBy,
        Relation::Supersedes,
    ] {
        let walk = world.walk(1, relation, WalkLimits::UNLIMITED).await;
        assert_eq!(nodes(&walk), at(&[(2, 1)]), "{relation:?}");
    }
}

#[tokio::test]
async fn a_walk_over_damaged_ids_is_an_error() {
    let world = World::empty().await;
    world.put(&[artifact(1)]).await;
    let connection = Connection::open(world.path()).unwrap();
    connection
        .execute_batch(
            "PRAGMA ignore_check_constraints = 1; UPDATE artifact SET supersedes = x'0102'",
        )
        .unwrap();
    let walked = world
        .catalog
        .walk(id(1), Relation::Supersedes, WalkLimits::default())
        .await;
    let read = world.catalog.get(&[id(1)]).await;
    for error in [walked.unwrap_err(), read.unwrap_err()] {
        assert_eq!(error.kind(), artstore_core::ErrorKind::Corrupt);
    }
}

#[tokio::test]
async fn ten_thousand_are_got_in_one_call() {
    let count = 10_000;
    let world = World::rebuilt_from((1..=count).map(artifact)).await;
    let ids: Vec<_> = (0..count).map(|number| id(2 * (count - number))).collect();
    let found = world.catalog.get(&ids).await.unwrap();
    assert_eq!(found.len() as u64, count);
    for (wanted, found) in ids.iter().zip(&found) {
        let is_there = *wanted <= id(count);
        assert_eq!(
            found.as_ref().map(|artifact| artifact.id),
            is_there.then_some(*wanted)
        );
    }
}
