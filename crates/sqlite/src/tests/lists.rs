//! Lists against a model, over random contents and conditions.

use std::collections::BTreeMap;

use artstore_core::artifact::TimeSpan;
use artstore_core::page::{Cursor, ListPart};

use super::*;

/// Random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    fn sometimes<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) == 0).then(|| make(self))
    }
}

const KEYS: &[&str] = &[
    "a",
    "a%",
    "a_b",
    "ab",
    "é",
    "e\u{301}",
    "日本語",
    "\u{10ffff}",
    "\u{10ffff}x",
    "🦀/1",
    "🦀/2",
];
const PREFIXES: &[&str] = &[
    "",
    "a",
    "a%",
    "a_",
    "e",
    "é",
    "日",
    "\u{10ffff}",
    "🦀/",
    "zz",
    "A",
];
const TYPES: &[&str] = &["alerts_v1", "alerts_v2", "other"];
const TAGS: &[(&str, &str)] = &[
    ("env", "prod"),
    ("env", "test"),
    ("env", ""),
    ("chain", "solana"),
    ("ü", "'\"%"),
];

fn random_tags(dice: &mut Dice, most: u64) -> Tags {
    let mut tags = Tags::new();
    for _ in 0..dice.below(most + 1) {
        let (key, value) = dice.one_of(TAGS);
        tags.insert(key, value).unwrap();
    }
    tags
}

fn random_artifact(dice: &mut Dice) -> Artifact {
    let mut artifact = artifact(1 + dice.below(300));
    artifact.artifact_type = ArtifactType::new(dice.one_of(TYPES)).unwrap();
    artifact.logical_key = LogicalKey::new(dice.one_of(KEYS)).unwrap();
    artifact.status = dice.one_of(ArtifactStatus::ALL);
    artifact.created_at = time(i64::try_from(dice.below(20)).unwrap());
    artifact.tags = random_tags(dice, 4);
    if dice.below(3) > 0 {
        let (earliest, latest) = (dice.below(20), dice.below(20));
        artifact.kind = ArtifactKind::Table;
        artifact.min_timestamp = Some(hour(earliest.min(latest)));
        artifact.max_timestamp = Some(hour(earliest.max(latest)));
    }
    artifact
}

fn hour(number: u64) -> Timestamp {
    time(i64::try_from(number).unwrap() * 3_600_000)
}

fn random_span(dice: &mut Dice) -> TimeSpan {
    let from = dice.below(20);
    TimeSpan {
        from: (dice.below(4) > 0).then(|| hour(from)),
        before: (dice.below(4) > 0).then(|| hour(from + 1 + dice.below(5))),
    }
}

fn random_query(dice: &mut Dice) -> ArtifactQuery {
    let mut query = query(1 + u32::try_from(dice.below(60)).unwrap());
    query.filter.artifact_type =
        dice.sometimes(|dice| ArtifactType::new(dice.one_of(TYPES)).unwrap());
    query.filter.status = dice.sometimes(|dice| dice.one_of(ArtifactStatus::ALL));
    query.filter.key_prefix = dice.sometimes(|dice| dice.one_of(PREFIXES).to_owned());
    query.filter.created_from = dice.sometimes(|dice| time(i64::try_from(dice.below(20)).unwrap()));
    query.filter.created_before =
        dice.sometimes(|dice| time(i64::try_from(dice.below(20)).unwrap()));
    query.filter.tags = dice
        .sometimes(|dice| random_tags(dice, 3))
        .unwrap_or_default();
    query.logical_key = dice.sometimes(|dice| LogicalKey::new(dice.one_of(KEYS)).unwrap());
    query.after = dice.sometimes(|dice| Cursor {
        created_at: time(i64::try_from(dice.below(20)).unwrap()),
        id: id(dice.below(300)),
        part: dice.one_of(&[ListPart::First, ListPart::Inactive]),
    });
    query.excluded_status = dice.sometimes(|dice| dice.one_of(ArtifactStatus::ALL));
    query.filter.overlaps = dice.sometimes(random_span);
    query
}

pub(super) fn is_wanted(query: &ArtifactQuery, artifact: &Artifact) -> bool {
    let filter = &query.filter;
    let key = &artifact.logical_key;
    filter
        .artifact_type
        .as_ref()
        .is_none_or(|wanted| *wanted == artifact.artifact_type)
        && filter.status.is_none_or(|wanted| wanted == artifact.status)
        && filter
            .key_prefix
            .as_ref()
            .is_none_or(|prefix| key.as_str().starts_with(prefix.as_str()))
        && filter
            .created_from
            .is_none_or(|from| artifact.created_at >= from)
        && filter
            .created_before
            .is_none_or(|before| artifact.created_at < before)
        && filter.overlaps.is_none_or(|span| {
            let times = artifact.min_timestamp.zip(artifact.max_timestamp);
            times.is_some_and(|(earliest, latest)| span.overlaps(earliest, latest))
        })
        && query
            .excluded_status
            .is_none_or(|excluded| excluded != artifact.status)
        && filter
            .tags
            .pairs()
            .all(|(key, value)| artifact.tags.contains(key, value))
        && query
            .logical_key
            .as_ref()
            .is_none_or(|wanted| wanted == key)
        && query
            .after
            .is_none_or(|after| (artifact.created_at, artifact.id) < (after.created_at, after.id))
}

#[tokio::test]
async fn lists_answer_what_a_model_answers() {
    let world = World::empty().await;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut model = BTreeMap::new();
    for _ in 0..20 {
        let artifacts: Vec<_> = (0..50).map(|_| random_artifact(&mut dice)).collect();
        world.put(&artifacts).await;
        model.extend(
            artifacts
                .into_iter()
                .map(|artifact| (artifact.id, artifact)),
        );
    }
    let mut matches = 0;
    for _ in 0..2000 {
        let query = random_query(&mut dice);
        let mut expected: Vec<_> = model
            .values()
            .filter(|artifact| is_wanted(&query, artifact))
            .cloned()
            .collect();
        expected.sort_by_key(|artifact| std::cmp::Reverse((artifact.created_at, artifact.id)));
        expected.truncate(query.limit as usize);
        matches += expected.len();
        assert_eq!(
            world.catalog.list(&query).await.unwrap(),
            expected,
            "{query:?}"
        );
    }
    assert!(
        matches > 1000,
        "the conditions match too little to tell anything: {matches}"
    );
}

#[tokio::test]
async fn pages_give_everything_once_even_at_one_time() {
    let world = World::empty().await;
    let mut artifacts: Vec<_> = (1..=25).map(artifact).collect();
    for artifact in &mut artifacts {
        artifact.created_at = time(0);
    }
    world.put(&artifacts).await;
    let mut seen = Vec::new();
    let mut query = query(4);
    loop {
        let page = world.catalog.list(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(Cursor {
            created_at: last.created_at,
            id: last.id,
            part: ListPart::First,
        });
        seen.extend(page);
    }
    artifacts.reverse();
    assert_eq!(seen, artifacts);
}
