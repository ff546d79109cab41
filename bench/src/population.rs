//! Many artifacts in a catalog, without files: what reading from a large store takes.
//!
//! Artifact `n` of a population is always the same. It is made like those of a store that gets a new one every 40 seconds:
//! half of them tables, half of them of one type, an eighth under one and the same logical key, nearly nine in ten active.
//! Two in five were made from 1 to 4 others, see [`graph`], so that there are as many edges as artifacts.

pub(crate) mod graph;
mod store;

use anyhow::Result;
use artstore_core::artifact::{
    Artifact, ArtifactFilter, ArtifactInput, ArtifactKind, ArtifactStatus,
};
use artstore_core::backend::{ArtifactChange, ArtifactEventRow, EventRef};
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::layout::{ArtifactNaming, artifact_paths};
use artstore_core::page::{Cursor, ListPart};
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use uuid::Uuid;

use crate::random::{self, Sequence};

pub(crate) use store::{CATALOG, build};

/// 2025-01-01.
const FIRST_MILLISECOND: u64 = 1_735_689_600_000;
const MILLISECONDS_APART: u64 = 40_000;

/// The type of every other artifact.
const COMMON_TYPE: &str = "prices";
/// The logical key of a quarter of them.
const COMMON_KEY: &str = "latest";
const RARE_TYPES: u64 = 16;

pub(crate) const ALL: &str = "all";
pub(crate) const BY_TYPE: &str = "type";
pub(crate) const BY_TAG: &str = "tag";
pub(crate) const BY_STATUS: &str = "status";
pub(crate) const BY_KEY: &str = "key";
/// The lists of which pages are read.
pub(crate) const LISTS: [&str; 5] = [ALL, BY_TYPE, BY_TAG, BY_STATUS, BY_KEY];

/// What seeds are for.
mod seed {
    pub(super) const ID: u64 = 1;
    pub(super) const OPERATION: u64 = 2;
    pub(super) const EVENT: u64 = 3;
    pub(super) const FACTS: u64 = 4;
    pub(super) const STATUS: u64 = 5;
    pub(super) const NAME: u64 = 6;
}

/// So and so many artifacts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Population {
    pub(crate) artifacts: u64,
}

impl Population {
    /// The id of artifact `number`. Ids ascend with the number.
    pub(crate) fn id(self, number: u64) -> ArtifactId {
        ArtifactId::from_uuid(uuid(seed::ID, number))
    }

    pub(crate) fn artifact(self, number: u64) -> Result<Artifact> {
        let id = self.id(number);
        let artifact_type = artifact_type(number)?;
        let logical_key = logical_key(number)?;
        let created_at = created_at(number)?;
        let mut random = Sequence::new(random::at(seed::FACTS, number));
        let kind = random.one_of(ArtifactKind::ALL);
        let source_name = match kind {
            ArtifactKind::Table => "source.parquet",
            ArtifactKind::File => "source.csv.gz",
        };
        let paths = artifact_paths(&ArtifactNaming {
            id,
            artifact_type: &artifact_type,
            schema_version: 1,
            created_at,
            hint: None,
            logical_key: &logical_key,
            source_name: Some(source_name),
        })?;
        let file_hash = digest(&mut random);
        let is_table = kind == ArtifactKind::Table;
        let status = self.status(number);
        let is_active = status == ArtifactStatus::Active;
        let was_replaced = |other: &u64| self.status(*other) == ArtifactStatus::Superseded;
        let predecessor = number.checked_sub(1).filter(was_replaced);
        Ok(Artifact {
            id,
            artifact_type,
            schema_version: 1,
            logical_key,
            kind,
            status,
            data_path: paths.data,
            record_path: paths.record,
            file_hash,
            content_hash: if is_table {
                ContentHash {
                    algorithm: HashAlgorithm::Ch1,
                    digest: digest(&mut random),
                }
            } else {
                file_hash.into()
            },
            size_bytes: 1_000 + random.below(10_000_000),
            row_count: is_table.then(|| random.below(100_000)),
            min_timestamp: is_table.then_some(created_at),
            max_timestamp: is_table.then_some(created_at),
            created_at,
            tags: tags(&mut random)?,
            inputs: self.inputs(number),
            superseded_by: (status == ArtifactStatus::Superseded).then(|| self.id(number + 1)),
            supersedes: predecessor
                .map(|other| self.id(other))
                .into_iter()
                .collect(),
            tombstone_reason: (status == ArtifactStatus::Tombstoned)
                .then(|| "the source was wrong".to_owned()),
            run_id: None,
            op_id: OpId::new(uuid(seed::OPERATION, number).to_string())?,
            request_digest: digest(&mut random),
            revision: if is_active { 1 } else { 2 },
            last_event: if is_active { 0 } else { number + 1 },
        })
    }

    fn inputs(self, number: u64) -> Vec<ArtifactInput> {
        let inputs = graph::inputs(self, number).into_iter();
        inputs
            .enumerate()
            .map(|(position, input)| ArtifactInput {
                id: self.id(input),
                role: (position == 0).then(|| "base".to_owned()),
            })
            .collect()
    }

    /// How the catalog comes to know artifact `number`.
    fn changes(self, number: u64) -> Result<Vec<ArtifactChange>> {
        let artifact = self.artifact(number)?;
        let event = (artifact.last_event > 0).then(|| -> Result<_> {
            let kind = match artifact.status {
                ArtifactStatus::Tombstoned => "tombstoned",
                _ => "superseded",
            };
            Ok(ArtifactChange::Record(ArtifactEventRow {
                event: EventRef {
                    sequence: artifact.last_event,
                    kind: kind.to_owned(),
                    created_at: artifact.created_at,
                },
                artifact_id: artifact.id,
                op_id: OpId::new(uuid(seed::EVENT, number).to_string())?,
                request_digest: artifact.request_digest,
            }))
        });
        let event = event.transpose()?;
        Ok(std::iter::once(ArtifactChange::Put(Box::new(artifact)))
            .chain(event)
            .collect())
    }

    /// Nine in a hundred are replaced by the next one, which is not replaced itself; three are withdrawn.
    fn status(self, number: u64) -> ArtifactStatus {
        let draw = |number: u64| random::at(seed::STATUS, number) % 100;
        match draw(number) {
            0..9 if number + 1 < self.artifacts && draw(number + 1) >= 12 => {
                ArtifactStatus::Superseded
            }
            9..12 => ArtifactStatus::Tombstoned,
            _ => ArtifactStatus::Active,
        }
    }

    /// The place after which at most `count` artifacts of a list are left.
    pub(crate) fn before_the_last(self, list: &str, count: usize) -> Result<Cursor> {
        self.cursor(list, 0, count, ListPart::Inactive)
    }

    /// A place in the middle of a list.
    pub(crate) fn in_the_middle(self, list: &str) -> Result<Cursor> {
        self.cursor(list, self.artifacts / 2, 0, ListPart::First)
    }

    /// The place of the artifact of a list before which, from `oldest` on, there are `skipped` others. Of the list by key
    /// only those in `part` are counted.
    fn cursor(self, list: &str, oldest: u64, skipped: usize, part: ListPart) -> Result<Cursor> {
        let has_parts = list == BY_KEY;
        let is_in_part = |artifact: &Artifact| {
            let is_active = artifact.status == ArtifactStatus::Active;
            !has_parts || is_active == (part == ListPart::First)
        };
        let filter = filter(list)?;
        let mut left = skipped;
        for number in oldest..self.artifacts {
            let artifact = self.artifact(number)?;
            if !is_listed(&artifact, list, &filter) || !is_in_part(&artifact) {
                continue;
            }
            if left == 0 {
                return Ok(Cursor {
                    created_at: artifact.created_at,
                    id: artifact.id,
                    part: if has_parts { part } else { ListPart::First },
                });
            }
            left -= 1;
        }
        anyhow::bail!("the list `{list}` is too short; more artifacts are needed");
    }
}

/// The conditions of a list. Of that by key, the type.
pub(crate) fn filter(list: &str) -> Result<ArtifactFilter> {
    let everything = ArtifactFilter::default();
    Ok(match list {
        BY_TYPE | BY_KEY => ArtifactFilter {
            artifact_type: Some(ArtifactType::new(COMMON_TYPE)?),
            ..everything
        },
        BY_TAG => ArtifactFilter {
            tags: Tags::try_from([("env", "prod")])?,
            ..everything
        },
        BY_STATUS => ArtifactFilter {
            status: Some(ArtifactStatus::Superseded),
            ..everything
        },
        _ => everything,
    })
}

/// The logical key that many artifacts have, with its type.
pub(crate) fn common_key() -> Result<(ArtifactType, LogicalKey)> {
    Ok((
        ArtifactType::new(COMMON_TYPE)?,
        LogicalKey::new(COMMON_KEY)?,
    ))
}

fn is_listed(artifact: &Artifact, list: &str, filter: &ArtifactFilter) -> bool {
    let has_type = |wanted: &ArtifactType| *wanted == artifact.artifact_type;
    filter.artifact_type.as_ref().is_none_or(has_type)
        && filter.status.is_none_or(|wanted| wanted == artifact.status)
        && artifact.tags.missing_from(&filter.tags).is_empty()
        && (list != BY_KEY || artifact.logical_key.as_str() == COMMON_KEY)
}

fn artifact_type(number: u64) -> Result<ArtifactType> {
    let draw = random::at(seed::NAME, number);
    let name = if draw.is_multiple_of(2) {
        COMMON_TYPE.to_owned()
    } else {
        format!("type_{}", draw / 2 % RARE_TYPES)
    };
    Ok(ArtifactType::new(name)?)
}

fn logical_key(number: u64) -> Result<LogicalKey> {
    let draw = random::at(seed::NAME, number);
    let key = if draw.is_multiple_of(8) {
        COMMON_KEY.to_owned()
    } else {
        let venue = draw / 64 % 100;
        format!("day={}/venue={venue:02}", created_at(number)?.date())
    };
    Ok(LogicalKey::new(key)?)
}

fn created_at(number: u64) -> Result<Timestamp> {
    Ok(Timestamp::from_unix_milliseconds(i64::try_from(
        milliseconds(number),
    )?)?)
}

fn milliseconds(number: u64) -> u64 {
    FIRST_MILLISECOND + number * MILLISECONDS_APART
}

fn tags(random: &mut Sequence) -> Result<Tags> {
    let mut tags = Tags::new();
    let is_rare = random.one_in(10);
    tags.insert("env", if is_rare { "dev" } else { "prod" })?;
    tags.insert("team", format!("team-{}", random.below(8)))?;
    if random.one_in(3) {
        tags.insert("source", format!("source-{}", random.below(100)))?;
    }
    Ok(tags)
}

fn digest(random: &mut Sequence) -> Digest {
    let mut bytes = [0; 32];
    for piece in bytes.chunks_exact_mut(8) {
        piece.copy_from_slice(&random.next().to_le_bytes());
    }
    Digest::from_bytes(bytes)
}

/// A UUID of version 7.
fn uuid(seed: u64, number: u64) -> Uuid {
    let mut random = Sequence::new(random::at(seed, number));
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.next().to_le_bytes());
    bytes[8..].copy_from_slice(&random.next().to_le_bytes()[..2]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds(number), &bytes).into_uuid()
}

#[cfg(test)]
mod tests;
