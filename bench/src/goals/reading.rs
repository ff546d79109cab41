//! What is wanted where something is read.

use super::{Goal, STORE};
use crate::figure::{
    AT_ONCE, CLOSURE, DEPTH_5, DOWNSTREAM_5, FIND, Figure, GET, LINEAGE, LINES, LIST, ONE_BY_ONE,
    OPS, PROBE, STATUS, TOGETHER,
};
use crate::judge::Quantity::{self, Fact, Median, PeakMemory, Rate, Share, TimeEach, Times};
use crate::judge::Wanted::{self, AtLeast, AtMost, Nothing};
use crate::population::lists;
use crate::store::size::BYTES;

pub(super) const READING: &[Goal] = &[
    get(
        ONE_BY_ONE,
        "get one by one, against the statement",
        "statement",
        AtLeast(0.3),
    ),
    get(
        ONE_BY_ONE,
        "the same, against the statements with the inputs",
        "statements",
        Nothing,
    ),
    Goal::new(
        Figure::Get,
        "the catalog on the calling thread, against the statement",
        Share("catalog in place", "statement"),
        Nothing,
    )
    .case(ONE_BY_ONE),
    get(
        TOGETHER,
        "100 in one call, against the statement",
        "statement",
        Nothing,
    ),
    get(
        AT_ONCE,
        "64 gets under way at once, against the statement",
        "statement",
        Nothing,
    ),
    get(AT_ONCE, "the same, against one by one", ONE_BY_ONE, Nothing),
    lineage(DEPTH_5, "lineage, depth 5", Median("ids"), AtMost(1.0)),
    lineage(
        DEPTH_5,
        "the same, against the statements",
        Share("ids", "statements"),
        Nothing,
    ),
    lineage(
        DEPTH_5,
        "the same, with the artifacts of all nodes",
        Median("with artifacts"),
        Nothing,
    ),
    lineage(
        DOWNSTREAM_5,
        "downstream, depth 5",
        Median("ids"),
        AtMost(1.0),
    ),
    lineage(
        CLOSURE,
        "closure, for each node",
        TimeEach("ids"),
        AtMost(0.004),
    ),
    lineage(
        CLOSURE,
        "the same, against the statements",
        Share("ids", "statements"),
        Nothing,
    ),
    page(lists::ALL, "page of 100, all: last against first"),
    page(lists::BY_TYPE, "by type"),
    page(lists::BY_STATUS, "by status: superseded"),
    page(lists::ACTIVE, "by status: active"),
    page(lists::BY_TYPE_AND_STATUS, "by type and status"),
    page(lists::BY_TAG, "by a tag"),
    page(lists::BY_TWO_TAGS, "by two tags"),
    page(lists::BY_CREATION, "created in the middle half"),
    page(lists::BY_OVERLAP, "overlapping the middle half"),
    page(
        lists::BY_OVERLAP_FROM,
        "overlapping the last three quarters",
    ),
    page(lists::BY_PREFIX, "with a key prefix that one in eight has"),
    page(lists::BY_DAY, "with a key prefix of one day"),
    page(lists::BY_KEY, "by logical key"),
    Goal::new(
        Figure::Stream,
        "stream all {all}",
        Rate(STORE),
        AtLeast(300_000.0),
    ),
    Goal::new(
        Figure::Stream,
        "the same, peak memory",
        PeakMemory(STORE),
        AtMost(64.0),
    ),
    Goal::new(
        Figure::Stream,
        "the same, against the statement",
        Share(STORE, "statement"),
        Nothing,
    ),
    Goal::new(
        Figure::Stream,
        "the same, against the statements with the inputs",
        Share(STORE, "statements"),
        Nothing,
    ),
    Goal::new(
        Figure::Probe,
        "looking for a duplicate, against the statements",
        Share("catalog", "statements"),
        Nothing,
    ),
    Goal::new(
        Figure::Open,
        "open a store of {all}, get one, close",
        Median(STORE),
        AtMost(20.0),
    ),
    Goal::new(
        Figure::Open,
        "the same, against a store of one",
        Times(STORE, "empty store"),
        Nothing,
    ),
    Goal::new(
        Figure::Size,
        "bytes of the catalog for each artifact",
        Fact(STORE, BYTES),
        AtMost(450.0),
    ),
    Goal::new(
        Figure::Size,
        "the same, of {tenth} that came 50 at a time",
        Fact("grown", BYTES),
        Nothing,
    ),
    Goal::new(
        Figure::Size,
        "the same, of {tenth} files made from nothing",
        Fact("only files", BYTES),
        Nothing,
    ),
];

pub(super) const GROWTH: &[Goal] = &[
    growth(GET, "get, {all} against {hundredth}"),
    growth(FIND, "find by key"),
    growth(LIST, "page of 100 by type"),
    growth(LINEAGE, "lineage, depth 5, for each node"),
    growth(PROBE, "looking for a duplicate"),
    growth(STATUS, "status"),
];

pub(super) const COMMAND_LINE: &[Goal] = &[
    Goal::new(
        Figure::CommandLine,
        "`artstore get` among {all}",
        Median(STORE),
        AtMost(20.0),
    )
    .case(GET),
    Goal::new(
        Figure::CommandLine,
        "the same, against an empty program",
        Times(STORE, "empty program"),
        Nothing,
    )
    .case(GET),
    Goal::new(
        Figure::CommandLine,
        "`artstore ops` for one get",
        Median(STORE),
        AtMost(20.0),
    )
    .case(OPS),
    Goal::new(
        Figure::CommandLine,
        "`artstore ops --lines`, one get after the other",
        Rate(STORE),
        AtLeast(10_000.0),
    )
    .case(LINES),
    Goal::new(
        Figure::CommandLine,
        "the same, against `cat`",
        Share(STORE, "cat"),
        Nothing,
    )
    .case(LINES),
];

const fn get(case: &'static str, work: &'static str, floor: &'static str, wanted: Wanted) -> Goal {
    Goal::new(Figure::Get, work, Share(STORE, floor), wanted).case(case)
}

const fn lineage(
    case: &'static str,
    work: &'static str,
    quantity: Quantity,
    wanted: Wanted,
) -> Goal {
    Goal::new(Figure::Lineage, work, quantity, wanted).case(case)
}

const fn page(list: &'static str, work: &'static str) -> Goal {
    Goal::new(Figure::Page, work, Times("last", "first"), AtMost(1.5)).case(list)
}

const fn growth(case: &'static str, work: &'static str) -> Goal {
    Goal::new(Figure::Growth, work, Times("all", "1/100"), Nothing).case(case)
}
