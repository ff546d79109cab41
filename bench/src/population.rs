//! Many artifacts in a catalog, without files: what reading from a large store takes.
//!
//! Artifact `n` of a population is always the same. It is made like those of a store that gets a new one every 40 seconds:
//! half of them tables, half of them of one type, an eighth under one and the same logical key, nearly nine in ten active.
//! Two in five were made from 1 to 4 others, see [`graph`], so that there are as many edges as artifacts.

mod files;
pub(crate) mod graph;
pub(crate) mod lists;
mod store;

use anyhow::Result;
use artstore_core::artifact::{Artifact, ArtifactInput, ArtifactKind, ArtifactStatus, DedupScope};
use artstore_core::backend::{ArtifactChange, ArtifactEventRow, EventRef};
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::id::ArtifactId;
use artstore_core::key::{ArtifactType, LogicalKey, OpId};
use artstore_core::layout::{ArtifactNaming, artifact_paths};
use artstore_core::tags::Tags;
use artstore_core::time::Timestamp;
use uuid::Uuid;

use crate::random::{self, Sequence};

pub(crate) use files::write as write_files;
pub(crate) use lists::{BY_KEY, BY_TYPE, LISTS, common_key, filter};
pub(crate) use store::{CATALOG, Way, build};

/// 2025-01-01.
const FIRST_MILLISECOND: u64 = 1_735_689_600_000;
const MILLISECONDS_APART: u64 = 40_000;

/// The type of every other artifact.
const COMMON_TYPE: &str = "prices";
/// The logical key of a quarter of them.
const COMMON_KEY: &str = "latest";
const RARE_TYPES: u64 = 16;

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
    /// No tables, and nothing made from anything.
    has_only_files: bool,
}

impl Population {
    pub(crate) const fn of(artifacts: u64) -> Self {
        Self {
            artifacts,
            has_only_files: false,
        }
    }

    /// Without tables and edges.
    pub(crate) const fn of_files(artifacts: u64) -> Self {
        Self {
            artifacts,
            has_only_files: true,
        }
    }

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
        let kind = self.kind(&mut random);
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
        let was_replaced = |other: &u64| self.status(*other) == ArtifactStatus::Superseded;
        let predecessor = number.checked_sub(1).filter(was_replaced);
        // What replaces another one is changed by the same event.
        let last_event = match status {
            ArtifactStatus::Active => predecessor.map_or(0, event_of),
            _ => event_of(number),
        };
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
            revision: if last_event == 0 { 1 } else { 2 },
            last_event,
        })
    }

    fn kind(self, random: &mut Sequence) -> ArtifactKind {
        let kind = random.one_of(ArtifactKind::ALL);
        if self.has_only_files {
            ArtifactKind::File
        } else {
            kind
        }
    }

    /// Where duplicates of artifact `number` are looked for.
    pub(crate) fn scope(self, number: u64) -> Result<DedupScope> {
        let mut random = Sequence::new(random::at(seed::FACTS, number));
        Ok(DedupScope {
            kind: self.kind(&mut random),
            artifact_type: artifact_type(number)?,
            schema_version: 1,
            logical_key: logical_key(number)?,
        })
    }

    fn inputs(self, number: u64) -> Vec<ArtifactInput> {
        if self.has_only_files {
            return Vec::new();
        }
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
        let has_ended = artifact.status != ArtifactStatus::Active;
        let event = has_ended.then(|| -> Result<_> {
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
                op_id: event_operation(number)?,
                request_digest: artifact.request_digest,
            }))
        });
        let event = event.transpose()?;
        Ok(std::iter::once(ArtifactChange::Put(Box::new(artifact)))
            .chain(event)
            .collect())
    }

    /// How many artifacts have ended, each by one event.
    pub(crate) fn events(self) -> u64 {
        let has_ended = |number: &u64| self.status(*number) != ArtifactStatus::Active;
        (0..self.artifacts).filter(has_ended).count() as u64
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
}

/// The sequence of the event that ended artifact `number`.
fn event_of(number: u64) -> u64 {
    number + 1
}

fn event_operation(number: u64) -> Result<OpId> {
    Ok(OpId::new(uuid(seed::EVENT, number).to_string())?)
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

pub(crate) fn digest(random: &mut Sequence) -> Digest {
    let mut bytes = [0; 32];
    for piece in bytes.chunks_exact_mut(8) {
        piece.copy_from_slice(&random.next().to_le_bytes());
    }
    Digest::from_bytes(bytes)
}

/// A UUID of version 7.
pub(crate) fn uuid(seed: u64, number: u64) -> Uuid {
    let mut random = Sequence::new(random::at(seed, number));
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.next().to_le_bytes());
    bytes[8..].copy_from_slice(&random.next().to_le_bytes()[..2]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds(number), &bytes).into_uuid()
}

#[cfg(test)]
mod tests;
