//! How much a query reads: as much as it answers, whatever lies beside it.

use artstore_core::artifact::{ArtifactInput, DedupScope};
use artstore_core::lineage::{Relation, WalkLimits};
use rusqlite::{Connection, StatementStatus};

use crate::artifacts::statements::{
    FIND_OUTPUTS, LIST_ACTIVE_BY_KEY, LIST_INACTIVE_BY_KEY, MAY_HAVE_ACTIVE_OF_SIZE,
};
use crate::artifacts::{list, may_have_active_of_size, walk};

use super::*;

/// How many steps of SQLite's machine `statement` takes while `work` is done.
fn steps_of(connection: &Connection, statement: &str, work: impl FnOnce(&Connection)) -> i32 {
    let status = |connection: &Connection| {
        let statement = connection.prepare_cached(statement).unwrap();
        statement.reset_status(StatementStatus::VmStep)
    };
    status(connection);
    work(connection);
    let steps = status(connection);
    assert!(steps > 0, "the statement is used: {statement}");
    steps
}

async fn world_of(artifacts: impl Iterator<Item = Artifact>) -> World {
    let world = World::without_database();
    let changes = artifacts.map(|artifact| put(&artifact)).collect();
    world
        .rebuild(vec![Ok(ArtifactCommit { changes })])
        .await
        .unwrap();
    world
}

/// A version of the one key.
fn version(number: u64, status: ArtifactStatus) -> Artifact {
    Artifact {
        logical_key: LogicalKey::new("same").unwrap(),
        status,
        ..artifact(number)
    }
}

/// One version of `status` in the middle of `others` of another one.
async fn versions(status: ArtifactStatus, others: u64, other: ArtifactStatus) -> Connection {
    let before = (1..=others / 2).map(|number| version(number, other));
    let after = (0..others / 2).map(|number| version(9_001 + number, other));
    let one = std::iter::once(version(9_000, status));
    let world = world_of(before.chain(after).chain(one)).await;
    world.reader()
}

fn query_by_key() -> ArtifactQuery {
    let mut query = query(10);
    query.filter.artifact_type = Some(artifact(1).artifact_type);
    query.logical_key = Some(LogicalKey::new("same").unwrap());
    query
}

#[tokio::test]
async fn replaced_versions_are_not_read_for_the_active_one() {
    let mut query = query_by_key();
    query.filter.status = Some(ArtifactStatus::Active);
    let steps = async |others| {
        let connection = versions(ArtifactStatus::Active, others, ArtifactStatus::Superseded).await;
        let listed = steps_of(&connection, LIST_ACTIVE_BY_KEY, |connection| {
            let found = list(connection, &query).unwrap();
            assert_eq!(found, [version(9_000, ArtifactStatus::Active)]);
        });
        let scope = DedupScope {
            kind: ArtifactKind::File,
            artifact_type: artifact(1).artifact_type,
            schema_version: 1,
            logical_key: LogicalKey::new("same").unwrap(),
        };
        let probed = steps_of(&connection, MAY_HAVE_ACTIVE_OF_SIZE, |connection| {
            // A size that only a replaced version has.
            assert!(!may_have_active_of_size(connection, &scope, 1001).unwrap());
        });
        (listed, probed)
    };
    assert_eq!(steps(2_000).await, steps(0).await);
}

#[tokio::test]
async fn active_versions_are_not_read_for_the_others() {
    let mut query = query_by_key();
    query.excluded_status = Some(ArtifactStatus::Active);
    let steps = async |others| {
        let connection = versions(ArtifactStatus::Tombstoned, others, ArtifactStatus::Active).await;
        steps_of(&connection, LIST_INACTIVE_BY_KEY, |connection| {
            let found = list(connection, &query).unwrap();
            assert_eq!(found, [version(9_000, ArtifactStatus::Tombstoned)]);
        })
    };
    assert_eq!(steps(2_000).await, steps(0).await);
}

#[tokio::test]
async fn a_walk_reads_no_more_than_it_may_answer() {
    let limits = WalkLimits::new(None, 10).unwrap();
    let steps = async |outputs: u64| {
        let made = (2..2 + outputs).map(|number| Artifact {
            inputs: vec![ArtifactInput::new(id(1))],
            ..artifact(number)
        });
        let world = world_of(std::iter::once(artifact(1)).chain(made)).await;
        steps_of(&world.reader(), FIND_OUTPUTS, |connection| {
            let walked = walk(connection, id(1), Relation::Downstream, limits).unwrap();
            let walked = walked.unwrap();
            assert_eq!((walked.nodes.len(), walked.truncated), (10, true));
        })
    };
    assert_eq!(steps(5_000).await, steps(500).await);
}
