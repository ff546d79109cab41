//! Lists of a population, and places in them.

use std::ops::Range;

use anyhow::{Result, bail};
use artstore_core::artifact::{Artifact, ArtifactFilter, ArtifactStatus, TimeSpan};
use artstore_core::key::{ArtifactType, LogicalKey};
use artstore_core::page::{Cursor, ListPart};
use artstore_core::tags::Tags;

use super::{COMMON_KEY, COMMON_TYPE, MILLISECONDS_APART, Population, created_at};

pub(crate) const ALL: &str = "all";
pub(crate) const BY_TYPE: &str = "type";
pub(crate) const BY_STATUS: &str = "status";
pub(crate) const ACTIVE: &str = "status active";
pub(crate) const BY_TYPE_AND_STATUS: &str = "type and status";
pub(crate) const BY_TAG: &str = "tag";
pub(crate) const BY_TWO_TAGS: &str = "two tags";
pub(crate) const BY_CREATION: &str = "created range";
pub(crate) const BY_OVERLAP: &str = "overlaps";
pub(crate) const BY_OVERLAP_FROM: &str = "overlaps, open end";
pub(crate) const BY_PREFIX: &str = "key prefix";
pub(crate) const BY_DAY: &str = "key prefix of a day";
pub(crate) const BY_KEY: &str = "key";
/// The lists of which pages are read.
pub(crate) const LISTS: [&str; 13] = [
    ALL,
    BY_TYPE,
    BY_STATUS,
    ACTIVE,
    BY_TYPE_AND_STATUS,
    BY_TAG,
    BY_TWO_TAGS,
    BY_CREATION,
    BY_OVERLAP,
    BY_OVERLAP_FROM,
    BY_PREFIX,
    BY_DAY,
    BY_KEY,
];

/// Artifacts of one day.
const A_DAY: u64 = 86_400_000 / MILLISECONDS_APART;

impl Population {
    /// The place after which at most `count` artifacts of a list are left.
    pub(crate) fn before_the_last(self, list: &str, count: usize) -> Result<Cursor> {
        let numbers = self.numbers_of(list);
        self.cursor(list, numbers, count, ListPart::Inactive)
    }

    /// A place in the middle of a list.
    pub(crate) fn in_the_middle(self, list: &str) -> Result<Cursor> {
        let Range { start, end } = self.numbers_of(list);
        self.cursor(list, u64::midpoint(start, end)..end, 0, ListPart::First)
    }

    /// The numbers among which those of a list are.
    fn numbers_of(self, list: &str) -> Range<u64> {
        let quarter = self.artifacts / 4;
        match list {
            BY_CREATION | BY_OVERLAP => quarter..3 * quarter,
            BY_OVERLAP_FROM => quarter..self.artifacts,
            BY_DAY => {
                let first = 2 * quarter / A_DAY * A_DAY;
                first..self.artifacts.min(first + A_DAY)
            }
            _ => 0..self.artifacts,
        }
    }

    /// The place of the artifact of a list before which, among `numbers`, there are `skipped` others. Of the list by key
    /// only those in `part` are counted.
    fn cursor(
        self,
        list: &str,
        numbers: Range<u64>,
        skipped: usize,
        part: ListPart,
    ) -> Result<Cursor> {
        let has_parts = list == BY_KEY;
        let is_in_part = |artifact: &Artifact| {
            let is_active = artifact.status == ArtifactStatus::Active;
            !has_parts || is_active == (part == ListPart::First)
        };
        let filter = filter(self, list)?;
        let mut left = skipped;
        for number in numbers {
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
        bail!("the list `{list}` is too short; more artifacts are needed")
    }
}

/// The conditions of a list. Of that by key, the type.
pub(crate) fn filter(population: Population, list: &str) -> Result<ArtifactFilter> {
    let numbers = population.numbers_of(list);
    let begin = created_at(numbers.start)?;
    let end = created_at(numbers.end)?;
    let mut filter = ArtifactFilter::default();
    match list {
        ALL => {}
        BY_TYPE | BY_KEY => filter.artifact_type = Some(ArtifactType::new(COMMON_TYPE)?),
        BY_STATUS => filter.status = Some(ArtifactStatus::Superseded),
        ACTIVE => filter.status = Some(ArtifactStatus::Active),
        BY_TYPE_AND_STATUS => {
            filter.artifact_type = Some(ArtifactType::new(COMMON_TYPE)?);
            filter.status = Some(ArtifactStatus::Superseded);
        }
        BY_TAG => filter.tags = Tags::try_from([("env", "prod")])?,
        BY_TWO_TAGS => filter.tags = Tags::try_from([("env", "prod"), ("team", "team-3")])?,
        BY_CREATION => {
            filter.created_from = Some(begin);
            filter.created_before = Some(end);
        }
        BY_OVERLAP => filter.overlaps = Some(TimeSpan::new(Some(begin), Some(end))?),
        BY_OVERLAP_FROM => filter.overlaps = Some(TimeSpan::new(Some(begin), None)?),
        BY_PREFIX => filter.key_prefix = Some("lat".to_owned()),
        BY_DAY => filter.key_prefix = Some(format!("day={}/", begin.date())),
        _ => bail!("no list is called `{list}`"),
    }
    Ok(filter)
}

/// The logical key that many artifacts have, with its type.
pub(crate) fn common_key() -> Result<(ArtifactType, LogicalKey)> {
    Ok((
        ArtifactType::new(COMMON_TYPE)?,
        LogicalKey::new(COMMON_KEY)?,
    ))
}

pub(super) fn is_listed(artifact: &Artifact, list: &str, filter: &ArtifactFilter) -> bool {
    let has_type = |wanted: &ArtifactType| *wanted == artifact.artifact_type;
    let key = artifact.logical_key.as_str();
    let times = artifact.min_timestamp.zip(artifact.max_timestamp);
    let overlaps = |span: TimeSpan| times.is_some_and(|(min, max)| span.overlaps(min, max));
    filter.artifact_type.as_ref().is_none_or(has_type)
        && filter.status.is_none_or(|wanted| wanted == artifact.status)
        && artifact.tags.missing_from(&filter.tags).is_empty()
        && filter
            .created_from
            .is_none_or(|from| artifact.created_at >= from)
        && filter
            .created_before
            .is_none_or(|before| artifact.created_at < before)
        && filter.overlaps.is_none_or(overlaps)
        && filter
            .key_prefix
            .as_ref()
            .is_none_or(|prefix| key.starts_with(prefix))
        && (list != BY_KEY || key == COMMON_KEY)
}
