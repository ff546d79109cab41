//! CSV from anywhere: every source ends in a table or a typed error, within bounds of memory.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a harness of tests asserts"
)]

#[path = "support/staging.rs"]
mod staging;

use artstore_core::table::CsvOptions;
use artstore_core::{ErrorKind, Result};
use bytes::Bytes;
use proptest::prelude::*;

use staging::{Table, describe, source, table};

const SEEDS: [&[u8]; 4] = [
    b"date,precipitation,weather\r\n2012-01-01,0.0,drizzle\r\n2012-01-02,10.9,rain\r\n2012-01-03,0.8,\r\n",
    b"Airport Name,Cost Total $,Speed\n\"O'HARE, CHICAGO\",0,300\n\"SAID \"\"HI\"\"\",12,\n\"A\nB\",-1,18446744073709551615\n",
    "\u{feff}id,wann,größe\r1,2026-11-20T09:30:00.123456789Z,1e5\r2,2026-11-20 09:30+05:30,NaN\r".as_bytes(),
    b"a\ntrue\nFALSE\n\"\"\n",
];

fn read(csv: impl Into<Bytes>) -> Result<Table> {
    table(&source(csv), &CsvOptions::default())
}

/// A table, or an error that says what is wrong with the source.
fn check(csv: Vec<u8>) {
    match read(csv.clone()) {
        Ok(table) => {
            assert_eq!(table.converted.facts.row_count, table.inspection.row_count);
            assert_eq!(describe(&table.parquet).unwrap(), table.converted.facts);
        }
        Err(error) => {
            let is_typed = matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported);
            assert!(is_typed, "{error:?} for {}", csv.escape_ascii());
        }
    }
}

#[derive(Debug, Clone)]
enum Mutation {
    FlipBit(usize, u8),
    Truncate(usize),
    Insert(usize, &'static [u8]),
    Repeat(usize, usize),
    Remove(usize, usize),
}

impl Mutation {
    fn apply(&self, csv: &mut Vec<u8>) {
        let place = |at: &usize| at % (csv.len() + 1);
        match self {
            Self::FlipBit(at, bit) => {
                let at = place(at).min(csv.len().saturating_sub(1));
                if let Some(byte) = csv.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Truncate(at) => csv.truncate(place(at)),
            Self::Insert(at, bytes) => {
                let at = place(at);
                csv.splice(at..at, bytes.iter().copied());
            }
            Self::Repeat(from, to) => {
                let (from, to) = (place(from), place(to));
                let part = csv[from.min(to)..from.max(to)].to_vec();
                csv.splice(to..to, part);
            }
            Self::Remove(from, to) => {
                let (from, to) = (place(from), place(to));
                csv.drain(from.min(to)..from.max(to));
            }
        }
    }
}

fn mutations() -> impl Strategy<Value = Mutation> {
    let pieces: [&[u8]; 10] = [
        b"\"",
        b"\"\"",
        b",",
        b"\r",
        b"\n",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\0",
        b"\xc3",
    ];
    let at = 0_usize..1_000;
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, bit)| Mutation::FlipBit(at, bit)),
        at.clone().prop_map(Mutation::Truncate),
        (at.clone(), 0..pieces.len())
            .prop_map(move |(at, piece)| Mutation::Insert(at, pieces[piece])),
        (at.clone(), at.clone()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        (at.clone(), at).prop_map(|(from, to)| Mutation::Remove(from, to)),
    ]
}

proptest! {
    #[test]
    fn mutated_tables_end_well(seed in 0..SEEDS.len(), mutations in prop::collection::vec(mutations(), 1..5)) {
        let mut csv = SEEDS[seed].to_vec();
        for mutation in &mutations {
            mutation.apply(&mut csv);
        }
        check(csv);
    }

    #[test]
    fn any_bytes_end_well(csv in prop::collection::vec(any::<u8>(), 0..200)) {
        check(csv);
    }

    #[test]
    fn bytes_that_mean_something_end_well(csv in "[ab01.,\"\n\r\u{e9}:T-]{0,60}") {
        check(csv.into_bytes());
    }
}

#[test]
fn seeds_are_tables() {
    for seed in SEEDS {
        assert!(read(seed).is_ok());
    }
}

#[test]
fn shapes_that_exhaust_end_within_bounds() {
    let message = |csv: Vec<u8>| match read(csv) {
        Ok(table) => format!("{} rows", table.converted.facts.row_count),
        Err(error) => error.message().to_owned(),
    };
    assert_eq!(message(vec![b'x'; 50 << 20]), "a record is too long");
    assert_eq!(
        message([b"a,b\n1,".as_slice(), &vec![b'y'; 50 << 20]].concat()),
        "a record is too long"
    );
    assert_eq!(
        message([b"a\n\"".as_slice(), &vec![b'\n'; 20 << 20]].concat()),
        "a record is too long"
    );
    assert_eq!(message(vec![b'\n'; 20 << 20]), "there is no header");
    assert_eq!(message(vec![b','; 1_000_000]), "too many columns");
    let names = |count: usize| {
        (0..count)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    assert_eq!(message(names(50_000).into_bytes()), "too many columns");
    assert_eq!(
        message([b"a,b\n".as_slice(), &vec![b','; 10 << 20]].concat()),
        "a record has another number of fields than the header"
    );
    assert_eq!(
        message([b"a\n".as_slice(), &vec![b'"'; 4 << 20]].concat()),
        "1 rows"
    );
    assert_eq!(
        message([b"a\n".as_slice(), &vec![b'"'; (4 << 20) + 1]].concat()),
        "a quote is not closed"
    );
    let wide = names(10_000) + "\n" + &("1,".repeat(9_999) + "x\n").repeat(300);
    assert_eq!(message(wide.into_bytes()), "300 rows");
    let long = "a,b\n".to_owned() + &format!("{},1\n", "z".repeat(15 << 20)).repeat(3);
    assert_eq!(message(long.into_bytes()), "3 rows");
    assert_peak_below(300 << 20);
}

/// The most memory that this process ever had, sources included.
fn assert_peak_below(limit: u64) {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes << 10 < limit, "{kilobytes} kB");
}
