//! Every list with every condition of a filter.

use std::rc::Rc;

use artstore_core::artifact::TimeSpan;
use artstore_core::page::{Cursor, ListPart};

use super::*;
use crate::tests::lists::is_wanted;

type Condition = (&'static str, fn(&mut ArtifactQuery, u64));

/// What chooses the statement of a list.
const LISTS: [Condition; 8] = [
    ("everything", |_, _| {}),
    ("a type", of_type),
    ("active", |query, _| {
        query.filter.status = Some(ArtifactStatus::Active);
    }),
    ("superseded", |query, _| {
        query.filter.status = Some(ArtifactStatus::Superseded);
    }),
    ("a type, superseded", |query, size| {
        of_type(query, size);
        query.filter.status = Some(ArtifactStatus::Superseded);
    }),
    ("a tag", |query, _| tagged(query, ENVIRONMENT)),
    ("a key, active", |query, size| {
        of_key(query, size);
        query.filter.status = Some(ArtifactStatus::Active);
    }),
    ("a key, not active", |query, size| {
        of_key(query, size);
        query.excluded_status = Some(ArtifactStatus::Active);
    }),
];

/// What is asked for besides.
const CONDITIONS: [Condition; 9] = [
    ("nothing else", |_, _| {}),
    ("a type", of_type),
    ("active", |query, _| {
        query.filter.status.get_or_insert(ArtifactStatus::Active);
    }),
    ("superseded", |query, _| {
        query
            .filter
            .status
            .get_or_insert(ArtifactStatus::Superseded);
    }),
    ("a tag", |query, _| tagged(query, TEAM)),
    ("two tags", |query, _| {
        tagged(query, ENVIRONMENT);
        tagged(query, TEAM);
    }),
    ("a prefix", |query, _| {
        let is_shared = query.logical_key.is_some();
        let prefix = if is_shared { "sha" } else { "region=a/" };
        query.filter.key_prefix = Some(prefix.to_owned());
    }),
    ("a period", |query, size| {
        let quarter = i64::try_from(size / 4).unwrap();
        query.filter.created_from = Some(time(quarter));
        query.filter.created_before = Some(time(3 * quarter));
    }),
    ("overlapping times", |query, _| {
        query.filter.overlaps = Some(TimeSpan {
            from: Some(day(0)),
            before: Some(day(2)),
        });
    }),
];

fn of_type(query: &mut ArtifactQuery, _size: u64) {
    query.filter.artifact_type = Some(artifact(1).artifact_type);
}

fn of_key(query: &mut ArtifactQuery, size: u64) {
    of_type(query, size);
    query.logical_key = Some(LogicalKey::new(SHARED_KEY).unwrap());
}

fn tagged(query: &mut ArtifactQuery, (key, value): (&str, &str)) {
    query.filter.tags.insert(key, value).unwrap();
}

/// Every list with every condition: its first page, one in the middle and its last one.
pub(super) fn lists() -> Vec<Case> {
    let members: Vec<_> = (0..PERIOD).map(|number| member(PERIOD + number)).collect();
    let mut cases = Vec::new();
    for (list_name, choose) in LISTS {
        for (condition_name, add) in CONDITIONS {
            let query_in = move |size: u64| {
                let mut query = query(0);
                choose(&mut query, size);
                add(&mut query, size);
                query
            };
            let expected = Expected::new(&members, query_in(SIZES[0]));
            // As many in every catalog, and pages that do not touch each other in the smallest one.
            let found = expected.numbers(&query_in(SIZES[0]), SIZES[0]).count();
            let page = (found / 3).min(100);
            if page == 0 {
                continue;
            }
            for place in [Place::First, Place::Middle, Place::Last] {
                let name = format!("list {list_name} with {condition_name}, {place:?} page");
                let expected = expected.clone();
                cases.push(Case::new(name, move |catalog| {
                    let query = query_in(catalog.size);
                    expected.check_page(catalog, query, place, page);
                }));
            }
        }
    }
    cases
}

/// Of each number of a period, whether a query asks for it at any time.
#[derive(Clone)]
struct Expected(Rc<[bool]>);

impl Expected {
    fn new(members: &[Artifact], mut query: ArtifactQuery) -> Self {
        query.filter.created_from = None;
        query.filter.created_before = None;
        let wanted = members.iter().map(|member| is_wanted(&query, member));
        Self(wanted.collect())
    }

    /// The numbers of those that `query` asks for, in the order of the list.
    fn numbers(&self, query: &ArtifactQuery, size: u64) -> impl DoubleEndedIterator<Item = u64> {
        let filter = &query.filter;
        let (from, before) = (filter.created_from, filter.created_before);
        let is_in_period = move |number: &u64| {
            let created_at = time(i64::try_from(*number).unwrap());
            from.is_none_or(|from| created_at >= from)
                && before.is_none_or(|before| created_at < before)
        };
        let is_wanted = |number: &u64| self.0[usize::try_from(number % PERIOD).unwrap()];
        let numbers = (1..=size).rev().filter(is_wanted);
        numbers.filter(is_in_period)
    }

    /// Asks for a page as a store does: for one more, which tells whether there is another page.
    fn check_page(&self, catalog: &Catalog, mut query: ArtifactQuery, place: Place, page: usize) {
        let after = match place {
            Place::First => None,
            Place::Middle => Some(catalog.size / 2),
            Place::Last => self.numbers(&query, catalog.size).rev().nth(page),
        };
        query.limit = u32::try_from(page + 1).unwrap();
        query.after = after.map(|after| Cursor {
            created_at: time(i64::try_from(after).unwrap()),
            id: id(after),
            part: ListPart::First,
        });
        let found = list(&catalog.connection, &query).unwrap();
        let found: Vec<_> = found.iter().map(|found| found.id).collect();
        let end = after.map_or(catalog.size, |after| after - 1);
        let expected: Vec<_> = self.numbers(&query, end).take(page + 1).map(id).collect();
        assert_eq!(found, expected, "{query:?}");
        let has_next = !matches!(place, Place::Last);
        assert_eq!(found.len(), page + usize::from(has_next), "{query:?}");
    }
}
