//! No query does more work in a large catalog than in a small one: asserted on what SQLite counts, not on time.

mod lists;

use artstore_core::artifact::{ArtifactInput, DedupScope};
use artstore_core::backend::ArtifactProbe;
use artstore_core::digest::{ContentHash, HashAlgorithm};
use artstore_core::lineage::{Relation, WalkLimits};
use futures_util::future::join_all;
use rusqlite::StatementStatus;

use self::lists::lists;
use super::*;
use crate::artifacts::statements::ALL;
use crate::artifacts::{
    counts, examine, find, find_all, head, list, may_have_active_of_size, scan, scan_events, walk,
};

const SIZES: [u64; 3] = [1_000, 10_000, 100_000];

/// After so many artifacts everything that lists ask for comes again.
const PERIOD: u64 = 1024;

/// What one version of many is of.
const SHARED_KEY: &str = "shared";

const ENVIRONMENT: (&str, &str) = ("env", "prod");
const TEAM: (&str, &str) = ("team", "a");

/// One artifact of a catalog in which every condition of a list holds for a part that does not depend on the size, and
/// evenly so.
fn member(number: u64) -> Artifact {
    // Neighbours differ in every bit.
    let bits = number * 633 % PERIOD;
    let bit = |position: u32| bits >> position & 1 == 1;
    let mut member = artifact(number);
    if bit(0) {
        member.artifact_type = ArtifactType::new("other").unwrap();
    }
    member.status = match bits >> 1 & 15 {
        0..8 => ArtifactStatus::Active,
        8..15 => ArtifactStatus::Superseded,
        _ => ArtifactStatus::Tombstoned,
    };
    for (position, (key, value)) in [(5, ENVIRONMENT), (6, TEAM)] {
        if bit(position) {
            member.tags.insert(key, value).unwrap();
        }
    }
    let key = match (bit(7), bit(8)) {
        (true, _) => SHARED_KEY.to_owned(),
        (false, true) => format!("region=a/day={number:07}"),
        (false, false) => format!("region=b/day={number:07}"),
    };
    member.logical_key = LogicalKey::new(key).unwrap();
    let days = if bit(9) { 0 } else { 10 };
    member.kind = ArtifactKind::Table;
    member.content_hash = ContentHash {
        algorithm: HashAlgorithm::Ch1,
        digest: Digest::of(&number.to_be_bytes()),
    };
    member.min_timestamp = Some(day(days));
    member.max_timestamp = Some(day(days + 1));
    member.inputs = vec![ArtifactInput::new(id(number / 2))];
    member.superseded_by = Some(id(number + 1));
    member.supersedes = vec![id(number - 1)];
    member
}

fn day(number: i64) -> Timestamp {
    time(number * 86_400_000)
}

struct Catalog {
    size: u64,
    connection: Connection,
    world: World,
}

impl Catalog {
    async fn new(size: u64) -> Self {
        let changes = |number: u64| {
            let about = number.is_multiple_of(3).then_some(number / 3);
            let event = about.map(|sequence| ArtifactChange::Record(event(sequence, id(number))));
            [Some(put(&member(number))), event].into_iter().flatten()
        };
        let commits = (0..size / 1000).map(move |chunk| ArtifactCommit {
            changes: (chunk * 1000 + 1..=chunk * 1000 + 1000)
                .flat_map(changes)
                .collect(),
        });
        let world = World::filled(commits).await;
        Self {
            size,
            connection: world.reader(),
            world,
        }
    }
}

/// What SQLite counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Work {
    steps: i32,
    scanned: i32,
    sorts: i32,
    indexes_made: i32,
    /// How often a statement that was prepared already was prepared anew.
    prepared_anew: i32,
}

/// The work of all statements since this was asked last.
fn work_done(connection: &Connection) -> Work {
    let mut work = Work::default();
    for (_, text) in ALL {
        let statement = connection.prepare_cached(text).unwrap();
        work.steps += statement.reset_status(StatementStatus::VmStep);
        work.scanned += statement.reset_status(StatementStatus::FullscanStep);
        work.sorts += statement.reset_status(StatementStatus::Sort);
        work.indexes_made += statement.reset_status(StatementStatus::AutoIndex);
        work.prepared_anew += statement.reset_status(StatementStatus::RePrepare);
    }
    work
}

/// Where a page is.
#[derive(Debug, Clone, Copy)]
enum Place {
    First,
    Middle,
    Last,
}

/// A query that asks for the same in a catalog of any size, and checks that it is answered.
struct Case {
    name: String,
    ask: Box<dyn Fn(&Catalog)>,
    /// How often it may sort.
    sorts: i32,
}

impl Case {
    fn new(name: impl Into<String>, ask: impl Fn(&Catalog) + 'static) -> Self {
        Self {
            name: name.into(),
            ask: Box::new(ask),
            sorts: 0,
        }
    }

    fn work_in(&self, catalog: &Catalog) -> Work {
        work_done(&catalog.connection);
        (self.ask)(catalog);
        let work = work_done(&catalog.connection);
        assert!(work.steps > 0, "{} asks nothing", self.name);
        work
    }

    /// What is wrong with the growth of its work from the smallest catalog on.
    fn complaints(&self, catalogs: &[Catalog]) -> Vec<String> {
        let all: Vec<_> = catalogs
            .iter()
            .map(|catalog| self.work_in(catalog))
            .collect();
        let enough = all[0].steps * 13 / 10 + 60;
        let is_fine = |work: &Work| {
            work.steps <= enough
                && (work.scanned, work.indexes_made, work.prepared_anew) == (0, 0, 0)
                && work.sorts <= self.sorts
        };
        let wrong = catalogs.iter().zip(&all).filter(|(_, work)| !is_fine(work));
        wrong
            .map(|(catalog, work)| {
                format!(
                    "{} of {}: {work:?}, {enough} steps are enough",
                    self.name, catalog.size
                )
            })
            .collect()
    }
}

#[tokio::test]
async fn no_query_does_more_in_a_larger_catalog() {
    let catalogs = join_all(SIZES.map(Catalog::new)).await;
    let mut cases = single_rows();
    cases.extend(duplicates());
    cases.extend(walks());
    cases.extend(scans());
    cases.extend(lists());
    assert!(cases.len() > 150, "{}", cases.len());
    let complaints: Vec<_> = cases
        .iter()
        .flat_map(|case| case.complaints(&catalogs))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn single_rows() -> Vec<Case> {
    let get = |name: &str, number: fn(u64) -> u64| {
        Case::new(format!("get {name}"), move |catalog| {
            let number = number(catalog.size);
            let found = find(&catalog.connection, id(number)).unwrap();
            let is_there = (1..=catalog.size).contains(&number);
            assert_eq!(found, is_there.then(|| member(number)));
        })
    };
    vec![
        get("the oldest", |_| 1),
        get("one in the middle", |size| size / 2),
        get("the newest", |size| size),
        get("what is missing before all", |_| 0),
        get("what is missing behind all", |size| size + 1),
        Case::new("get what is missing between", |catalog| {
            let between = u128::from(catalog.size / 2) << 64 | 0x71;
            let between = ArtifactId::from_uuid(Uuid::from_u128(between));
            assert_eq!(find(&catalog.connection, between).unwrap(), None);
        }),
        Case::new("get a hundred", |catalog| {
            let ids: Vec<_> = (1..=100)
                .map(|part| id(part * catalog.size / 100))
                .collect();
            let found = find_all(&catalog.connection, &ids).unwrap();
            assert!(found.iter().all(Option::is_some));
        }),
        Case::new("find by key", |catalog| {
            let one = single(catalog, ArtifactStatus::Active);
            let mut query = query_of(&one);
            query.filter.status = Some(ArtifactStatus::Active);
            assert_eq!(list(&catalog.connection, &query).unwrap(), [one]);
        }),
        Case::new("find by key what is replaced", |catalog| {
            let one = single(catalog, ArtifactStatus::Superseded);
            let mut query = query_of(&one);
            query.excluded_status = Some(ArtifactStatus::Active);
            assert_eq!(list(&catalog.connection, &query).unwrap(), [one]);
        }),
        Case::new("counts", |catalog| {
            let counts = counts(&catalog.connection).unwrap();
            assert_eq!(counts.total(), catalog.size);
        }),
        Case::new("head", |catalog| {
            assert_eq!(head(&catalog.connection).unwrap(), HEAD);
        }),
    ]
}

/// The first in the second half that is alone with its key and has this status.
fn single(catalog: &Catalog, status: ArtifactStatus) -> Artifact {
    let mut members = (catalog.size / 2..).map(member);
    let is_single =
        |member: &Artifact| member.status == status && member.logical_key.as_str() != SHARED_KEY;
    members.find(is_single).unwrap()
}

fn query_of(artifact: &Artifact) -> ArtifactQuery {
    let mut query = query(101);
    query.filter.artifact_type = Some(artifact.artifact_type.clone());
    query.logical_key = Some(artifact.logical_key.clone());
    query
}

fn scope_of(artifact: &Artifact) -> DedupScope {
    DedupScope {
        kind: artifact.kind,
        artifact_type: artifact.artifact_type.clone(),
        schema_version: artifact.schema_version,
        logical_key: artifact.logical_key.clone(),
    }
}

fn duplicates() -> Vec<Case> {
    let size = |name: &str, more: u64| {
        Case::new(format!("look for a size {name}"), move |catalog| {
            let one = single(catalog, ArtifactStatus::Active);
            let size = one.size_bytes + more;
            let found = may_have_active_of_size(&catalog.connection, &scope_of(&one), size);
            assert_eq!(found.unwrap(), more == 0);
        })
    };
    let among_very_many = Case::new("look for a size among very many".to_owned(), |catalog| {
        let mut scope = scope_of(&single(catalog, ArtifactStatus::Active));
        scope.logical_key = LogicalKey::new(SHARED_KEY).unwrap();
        let found = may_have_active_of_size(&catalog.connection, &scope, u64::MAX >> 1);
        assert!(found.unwrap(), "there are too many to look through");
    });
    let publish = |name: &str, change: fn(&mut Artifact), is_there: bool| {
        let ask = move |catalog: &Catalog| {
            // One of very many with its key.
            let mut members = (catalog.size / 2..).map(member);
            let is_shared = |member: &Artifact| {
                member.status == ArtifactStatus::Active && member.logical_key.as_str() == SHARED_KEY
            };
            let known = members.find(is_shared).unwrap();
            let mut asked = known.clone();
            change(&mut asked);
            let probe = ArtifactProbe::Publish {
                op_id: OpId::new("new").unwrap(),
                scope: scope_of(&asked),
                file_hash: asked.file_hash,
                content_hash: Some(asked.content_hash),
                inputs: vec![id(1), id(catalog.size), id(catalog.size + 1)],
            };
            let examined = examine(&catalog.connection, &[probe]).unwrap();
            let answer = &examined.answers[0];
            let duplicate = answer.duplicate.as_ref().map(|found| found.artifact.id);
            assert_eq!(duplicate, is_there.then_some(known.id));
            assert_eq!(answer.missing_inputs, [id(catalog.size + 1)]);
        };
        Case {
            // Those with one fingerprint are sorted: hardly ever more than one.
            sorts: 2,
            ..Case::new(format!("look for a duplicate by {name}"), ask)
        }
    };
    let known_operation = |name: &str, op_id: fn(u64) -> OpId| {
        Case::new(
            format!("look for the operation of {name}"),
            move |catalog| {
                let probe = ArtifactProbe::Change {
                    op_id: op_id(catalog.size / 3),
                    ids: vec![id(1), id(catalog.size)],
                };
                let examined = examine(&catalog.connection, &[probe]).unwrap();
                assert!(examined.answers[0].operation.is_some());
            },
        )
    };
    vec![
        size("that is there", 0),
        size("that is not there", 1),
        among_very_many,
        publish("bytes", |_| {}, true),
        publish(
            "content",
            |asked| asked.file_hash = Digest::of(b"new"),
            true,
        ),
        publish(
            "what is new",
            |asked| {
                asked.file_hash = Digest::of(b"new");
                asked.content_hash.digest = Digest::of(b"new");
            },
            false,
        ),
        known_operation("a publish", |number| artifact(number).op_id),
        known_operation("an event", |number| event(number, id(1)).op_id),
    ]
}

fn walks() -> Vec<Case> {
    let relations = [
        (Relation::Inputs, 5),
        (Relation::Downstream, 2 + 4 + 8 + 16 + 32),
        (Relation::SupersededBy, 5),
        (Relation::Supersedes, 5),
    ];
    let walk_of = |(relation, count): (Relation, usize)| {
        Case::new(format!("walk {relation:?}"), move |catalog| {
            let limits = WalkLimits::new(Some(5), 10_000).unwrap();
            // As far from the ends as needed in the smallest one.
            let start = id(catalog.size / 1000 * 31 + 1);
            let start = if count > 5 {
                id(catalog.size / 1000 * 15)
            } else {
                start
            };
            let walked = walk(&catalog.connection, start, relation, limits).unwrap();
            assert_eq!(walked.unwrap().nodes.len(), count);
        })
    };
    relations.into_iter().map(walk_of).collect()
}

fn scans() -> Vec<Case> {
    let mut cases = Vec::new();
    for place in [Place::First, Place::Middle, Place::Last] {
        let before = move |count: u64| match place {
            Place::First => 0,
            Place::Middle => count / 2,
            Place::Last => count - 100,
        };
        let page = if matches!(place, Place::Last) {
            100
        } else {
            101
        };
        cases.push(Case::new(format!("scan, {place:?} page"), move |catalog| {
            let after = before(catalog.size);
            let found = scan(&catalog.connection, Some(id(after)), 101).unwrap();
            assert_eq!(found[0].id, id(after + 1));
            assert_eq!(found.len(), page);
        }));
        cases.push(Case::new(
            format!("events, {place:?} page"),
            move |catalog| {
                let after = before(catalog.size / 3);
                let found = scan_events(&catalog.connection, after, 101).unwrap();
                assert_eq!(found[0].event.sequence, after + 1);
                assert_eq!(found.len(), page);
            },
        ));
    }
    cases
}

#[tokio::test]
async fn the_counters_see_a_scan_and_a_sort() {
    let catalogs = [Catalog::new(1000).await];
    let of_one_type = lists()
        .into_iter()
        .find(|case| case.name == "list a type with nothing else, First page");
    let of_one_type = of_one_type.unwrap();
    assert_eq!(of_one_type.complaints(&catalogs), [""; 0]);
    let connection = Connection::open(catalogs[0].world.path()).unwrap();
    let other_order = "DROP INDEX artifact_by_type;
        CREATE INDEX artifact_by_type ON artifact (artifact_id, created_at)";
    connection.execute_batch(other_order).unwrap();
    let work = of_one_type.work_in(&catalogs[0]);
    assert!(work.scanned > 500 && work.sorts == 1, "{work:?}");
    assert_eq!(of_one_type.complaints(&catalogs).len(), 1);
}
