//! What is measured, in which cases and units.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Small things made durable, per second
    Publish,
    /// One big file copied into the store
    Big,
    /// One big file moved into the store
    Adopt,
    /// One file or table published again, which writes nothing; best with `--mebibytes 1`
    Duplicate,
    /// One big CSV published as a table
    Table,
    /// The content hash of columns in memory, by type
    Ch1,
    /// Walks through a graph with as many edges as `--artifacts`
    Lineage,
    /// Artifacts by random ids, among `--artifacts`
    Get,
    /// Pages of 100, at both ends and in the middle of lists of `--artifacts`
    Page,
}

/// What rates count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    /// One of them.
    pub(crate) one: &'static str,
    /// A rate of them.
    pub(crate) rate: &'static str,
    /// How much work, as contenders count it, one of them is.
    pub(crate) amount: u64,
}

/// What is there before anything is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Nothing,
    /// A file that neither repeats nor compresses.
    Blocks,
    Csv,
    Parquet,
    /// A store whose catalog has many artifacts.
    Population,
}

pub(crate) const FILE: &str = "file";
pub(crate) const TABLE: &str = "table";

pub(crate) const ONE_BY_ONE: &str = "one by one";
pub(crate) const TOGETHER: &str = "100 together";

pub(crate) const DEPTH_5: &str = "depth 5";
pub(crate) const DOWNSTREAM_5: &str = "downstream, depth 5";
pub(crate) const CLOSURE: &str = "closure";

impl Figure {
    /// Each is a comparison of its own.
    pub(crate) fn cases(self) -> Vec<&'static str> {
        match self {
            Self::Duplicate => vec![FILE, TABLE],
            Self::Ch1 => crate::columns::NAMES.to_vec(),
            Self::Lineage => vec![DEPTH_5, DOWNSTREAM_5, CLOSURE],
            Self::Page => crate::population::LISTS.to_vec(),
            Self::Get => vec![ONE_BY_ONE, TOGETHER],
            Self::Publish | Self::Big | Self::Adopt | Self::Table => vec![""],
        }
    }

    pub(crate) fn unit(self) -> Unit {
        let (one, rate, amount) = match self {
            Self::Publish => ("publish", "publishes/s", 1),
            Self::Lineage => ("node", "nodes/s", 1),
            Self::Get => ("artifact", "artifacts/s", 1),
            Self::Page => ("page", "pages/s", 1),
            Self::Big | Self::Adopt | Self::Duplicate | Self::Table | Self::Ch1 => {
                ("MiB", "MiB/s", 1 << 20)
            }
        };
        Unit { one, rate, amount }
    }

    pub(crate) fn source(self, case: &str) -> Source {
        match self {
            Self::Publish | Self::Ch1 => Source::Nothing,
            Self::Duplicate if case == TABLE => Source::Parquet,
            Self::Big | Self::Adopt | Self::Duplicate => Source::Blocks,
            Self::Table => Source::Csv,
            Self::Lineage | Self::Get | Self::Page => Source::Population,
        }
    }

    /// Whether all sides take turns in one process, as befits what only reads, and takes so little that two processes
    /// differ more than two sides. Otherwise each measurement has processes of its own.
    pub(crate) fn shares_a_process(self) -> bool {
        matches!(self, Self::Ch1 | Self::Lineage | Self::Get | Self::Page)
    }

    /// What a measurement leaves is removed at once where it is large. Removing many small files would slow the next
    /// one down.
    pub(crate) fn leaves_large_files(self) -> bool {
        !matches!(self, Self::Publish)
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Big => "big: a file copied into the store",
            Self::Adopt => "adopt: a file moved into the store",
            Self::Duplicate => "duplicate: published again",
            Self::Table => "table: a CSV published as Parquet",
            Self::Ch1 => "ch1: the content hash of a column",
            Self::Lineage => "lineage",
            Self::Get => "get: artifacts by random ids",
            Self::Page => "page: 100 artifacts of a list",
        }
    }
}
