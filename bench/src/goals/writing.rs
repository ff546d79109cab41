//! What is wanted where something is written.

use super::{Goal, STORE};
use crate::contender::Load;
use crate::figure::{FILE, Figure, TABLE};
use crate::judge::Quantity::{
    self, CommitsPerThousand, PeakMemory, Rate, Share, ShareOfSlowest, Times, WorstP99,
};
use crate::judge::Wanted::{self, AtLeast, AtMost, Nothing};

const FLOOR: &str = "floor";

pub(super) const PUBLISH: &[Goal] = &[
    publish(1, "publish 8 KiB, 1 publisher", 0.6),
    publish(4, "4 publishers", 0.65),
    publish(16, "16 publishers", 0.65),
    publish(64, "64 publishers", 0.75),
    Goal::new(
        Figure::Batch,
        "64 publishers against one",
        Share("64 publishers", "one by one"),
        AtLeast(3.5),
    ),
    Goal::new(
        Figure::Batch,
        "1,000 x 8 KiB in one call, against one by one",
        Share(STORE, "one by one"),
        AtLeast(3.0),
    ),
    Goal::new(
        Figure::Batch,
        "the same, commits for 1,000",
        CommitsPerThousand(STORE),
        AtMost(20.0),
    ),
    Goal::new(
        Figure::Batch,
        "the same, against the floor with 64 publishers",
        Share(STORE, FLOOR),
        Nothing,
    ),
    processes(
        16,
        "16 processes with 1 publisher each, against one process",
        Share(STORE, "one process"),
        AtLeast(1.0),
    ),
    processes(
        64,
        "64 processes, against one process",
        Share(STORE, "one process"),
        AtLeast(0.8),
    ),
    processes(
        64,
        "the same, 99th percentile of the worst process",
        WorstP99(STORE),
        AtMost(500.0),
    ),
    processes(
        64,
        "the same, against the floor",
        Share(STORE, FLOOR),
        Nothing,
    ),
];

pub(super) const FILES: &[Goal] = &[
    Goal::new(
        Figure::Big,
        "{size} copied, against the slower of SHA-256 and the disk",
        ShareOfSlowest(STORE, &["sha256", "disk"]),
        AtLeast(0.7),
    ),
    Goal::new(
        Figure::Adopt,
        "{size} adopted, against SHA-256",
        Times(STORE, "sha256"),
        AtMost(1.15),
    ),
    Goal::new(
        Figure::Duplicate,
        "duplicate of {size}, against SHA-256",
        Share(STORE, "sha256"),
        AtLeast(0.5),
    )
    .case(FILE),
    Goal::new(
        Figure::Duplicate,
        "duplicate of the table of a CSV of {size}, against SHA-256",
        Share(STORE, "sha256"),
        AtLeast(0.6),
    )
    .case(TABLE),
    Goal::new(
        Figure::Table,
        "CSV of {size} to Parquet with both hashes, against the libraries alone",
        Times(STORE, "libraries"),
        AtMost(1.25),
    ),
    Goal::new(
        Figure::Table,
        "the same, peak memory",
        PeakMemory(STORE),
        AtMost(512.0),
    ),
    ch1("int64"),
    ch1("int64 with nulls"),
    ch1("float64"),
    ch1("float64 with NaN"),
    ch1("short string"),
    ch1("long string"),
    ch1("timestamp"),
    ch1("bool"),
    ch1("decimal"),
];

pub(super) const REBUILD: &[Goal] = &[
    Goal::new(
        Figure::Rebuild,
        "rebuild of {all}",
        Rate(STORE),
        AtLeast(5000.0),
    ),
    Goal::new(
        Figure::Rebuild,
        "the same, against {hundredth}",
        Share(STORE, "1/100"),
        AtLeast(0.8),
    ),
    Goal::new(
        Figure::Rebuild,
        "the same, against {tenth}",
        Share(STORE, "1/10"),
        Nothing,
    ),
    Goal::new(
        Figure::Rebuild,
        "the same, against reading and hashing all records",
        Share(STORE, "read and hash"),
        Nothing,
    ),
    Goal::new(
        Figure::Rebuild,
        "the same, peak memory",
        PeakMemory(STORE),
        Nothing,
    ),
];

const fn publish(publishers: usize, work: &'static str, least: f64) -> Goal {
    Goal::new(Figure::Publish, work, Share(STORE, FLOOR), AtLeast(least))
        .load(Load::publishers(publishers))
}

const fn processes(
    processes: usize,
    work: &'static str,
    quantity: Quantity,
    wanted: Wanted,
) -> Goal {
    Goal::new(Figure::Processes, work, quantity, wanted).load(Load::processes(processes))
}

const fn ch1(column: &'static str) -> Goal {
    Goal::new(Figure::Ch1, column, Share("ch1", "sha256"), AtLeast(0.6)).case(column)
}
