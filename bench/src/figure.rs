//! What is measured, in which cases and units.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Small things made durable, per second
    Publish,
    /// The same, a thousand in one call
    Batch,
    /// The same, by many processes with one publisher each
    Processes,
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
    /// Artifacts by random ids, among `--artifacts`
    Get,
    /// Walks through a graph with as many edges as `--artifacts`
    Lineage,
    /// Pages of 100, at both ends and in the middle of lists of `--artifacts`
    Page,
    /// All of `--artifacts`, one after the other
    Stream,
    /// What a publish asks the catalog: is it there already?
    Probe,
    /// A store opened, asked for one artifact, and closed
    Open,
    /// Bytes of the catalog for each artifact
    Size,
    /// The same questions to catalogs of 1/100 of `--artifacts`, of 1/10, and of all
    Growth,
    /// The program `artstore`, started for one question or kept for many
    CommandLine,
    /// The catalog made anew from the files of 1/100 of `--artifacts`, of 1/10, and of all
    Rebuild,
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
    /// A store whose catalog has many artifacts, without files.
    Population,
    /// The same with files only: no tables, and nothing made from anything.
    Plain,
    /// The same as [`Self::Population`], in many commits instead of one.
    Grown,
    /// The files of a population, and no catalog.
    Files,
}

pub(crate) const FILE: &str = "file";
pub(crate) const TABLE: &str = "table";

pub(crate) const ONE_BY_ONE: &str = "one by one";
pub(crate) const TOGETHER: &str = "100 together";
pub(crate) const AT_ONCE: &str = "64 at once";

pub(crate) const DEPTH_5: &str = "depth 5";
pub(crate) const DOWNSTREAM_5: &str = "downstream, depth 5";
pub(crate) const CLOSURE: &str = "closure";

pub(crate) const GET: &str = "get";
pub(crate) const FIND: &str = "find";
pub(crate) const LIST: &str = "list";
pub(crate) const LINEAGE: &str = "lineage";
pub(crate) const PROBE: &str = "probe";
pub(crate) const STATUS: &str = "status";

pub(crate) const OPS: &str = "ops";
pub(crate) const LINES: &str = "ops --lines";

impl Figure {
    /// Each is a comparison of its own.
    pub(crate) fn cases(self) -> Vec<&'static str> {
        match self {
            Self::Duplicate => vec![FILE, TABLE],
            Self::Ch1 => crate::columns::NAMES.to_vec(),
            Self::Lineage => vec![DEPTH_5, DOWNSTREAM_5, CLOSURE],
            Self::Page => crate::population::LISTS.to_vec(),
            Self::Get => vec![ONE_BY_ONE, TOGETHER, AT_ONCE],
            Self::Growth => vec![GET, FIND, LIST, LINEAGE, PROBE, STATUS],
            Self::CommandLine => vec![GET, OPS, LINES],
            Self::Publish
            | Self::Batch
            | Self::Processes
            | Self::Big
            | Self::Adopt
            | Self::Table
            | Self::Stream
            | Self::Probe
            | Self::Open
            | Self::Size
            | Self::Rebuild => vec![""],
        }
    }

    pub(crate) fn unit(self) -> Unit {
        let (one, rate, amount) = match self {
            Self::Publish | Self::Batch | Self::Processes => ("publish", "publishes/s", 1),
            Self::Lineage => ("node", "nodes/s", 1),
            Self::Get | Self::Stream => ("artifact", "artifacts/s", 1),
            Self::Page => ("page", "pages/s", 1),
            Self::Probe => ("probe", "probes/s", 1),
            Self::Open => ("opening", "openings/s", 1),
            Self::Size => ("look", "looks/s", 1),
            Self::Growth | Self::CommandLine => ("answer", "answers/s", 1),
            Self::Rebuild => ("record", "records/s", 1),
            Self::Big | Self::Adopt | Self::Duplicate | Self::Table | Self::Ch1 => {
                ("MiB", "MiB/s", 1 << 20)
            }
        };
        Unit { one, rate, amount }
    }

    pub(crate) fn source(self, case: &str) -> Source {
        match self {
            Self::Publish | Self::Batch | Self::Processes | Self::Ch1 => Source::Nothing,
            Self::Duplicate if case == TABLE => Source::Parquet,
            Self::Big | Self::Adopt | Self::Duplicate => Source::Blocks,
            Self::Table => Source::Csv,
            Self::Rebuild => Source::Files,
            Self::Get
            | Self::Lineage
            | Self::Page
            | Self::Stream
            | Self::Probe
            | Self::Open
            | Self::Size
            | Self::Growth
            | Self::CommandLine => Source::Population,
        }
    }

    /// Whether all sides take turns in one process, as befits what only reads, and takes so little that two processes
    /// differ more than two sides. Otherwise each measurement has processes of its own.
    pub(crate) fn shares_a_process(self) -> bool {
        match self {
            Self::Ch1
            | Self::Get
            | Self::Lineage
            | Self::Page
            | Self::Probe
            | Self::Open
            | Self::Size
            | Self::Growth
            | Self::CommandLine => true,
            // Peak memory is one of the figures.
            Self::Stream
            | Self::Rebuild
            | Self::Publish
            | Self::Batch
            | Self::Processes
            | Self::Big
            | Self::Adopt
            | Self::Duplicate
            | Self::Table => false,
        }
    }

    /// What a measurement leaves is removed at once where it is large. Removing many small files would slow the next
    /// one down.
    pub(crate) fn leaves_large_files(self) -> bool {
        !matches!(self, Self::Publish | Self::Batch | Self::Processes)
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Batch => "batch: 1,000 published in one call",
            Self::Processes => "processes: published by many of them",
            Self::Big => "big: a file copied into the store",
            Self::Adopt => "adopt: a file moved into the store",
            Self::Duplicate => "duplicate: published again",
            Self::Table => "table: a CSV published as Parquet",
            Self::Ch1 => "ch1: the content hash of a column",
            Self::Get => "get: artifacts by random ids",
            Self::Lineage => "lineage",
            Self::Page => "page: 100 artifacts of a list",
            Self::Stream => "stream: all artifacts",
            Self::Probe => "probe: is it there already?",
            Self::Open => "open: a store opened, asked and closed",
            Self::Size => "size: the catalog",
            Self::Growth => "growth: the same questions to larger catalogs",
            Self::CommandLine => "command line",
            Self::Rebuild => "rebuild: the catalog from the files",
        }
    }
}
