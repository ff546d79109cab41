//! Whatever the bytes are: an answer or a typed error, within bounds of memory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a harness of tests asserts"
)]

mod support;

use std::io::Write as _;

use artstore_core::ErrorKind;
use artstore_core::table::TableRules;
use bytes::Bytes;
use flate2::write::GzEncoder;
use support::craft::*;
use support::tables::{Random, Table};
use support::{describe, inspect, naive};

/// Silences the threads that decode, as a program may.
fn silence() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(artstore_tabular::THREAD_NAME) {
                usual(panic);
            }
        }));
    });
}

/// Checks that the most memory that this process ever had is bounded.
fn check_memory() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kibibytes < 600 << 10, "{kibibytes} KiB");
}

fn check_refused(file: &Bytes, kind: ErrorKind, message: &str) {
    silence();
    let error = describe(file, &TableRules::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (kind, message),
        "{error:?}"
    );
    check_memory();
}

const UNREADABLE: &str = "not a readable Parquet file";

fn check_unreadable(file: &Bytes) {
    check_refused(file, ErrorKind::Invalid, UNREADABLE);
}

fn one_column(leaf: Thrift, physical_type: i64, rows: i64, pages: Vec<u8>) -> Bytes {
    let column = Column {
        physical_type,
        codec: 0,
        values: rows,
        pages,
    };
    file(&[group("schema", 1, REQUIRED), leaf], rows, &[column])
}

/// A list of required integers.
fn list_schema() -> Vec<Thrift> {
    vec![group("schema", 1, REQUIRED), leaf("c", INT32, 0, REPEATED)]
}

#[test]
fn crafted_files_are_read_if_they_are_sound() {
    let plain = [7_i32, -1].map(i32::to_le_bytes).concat();
    let sound = one_column(
        leaf("c", INT32, 0, REQUIRED),
        INT32,
        2,
        data_page(2, 0, &plain),
    );
    let facts = describe(&sound, &TableRules::default()).unwrap();
    let column = naive::Column {
        name: "c".into(),
        column_type: naive::Type::Int,
        values: vec![naive::Value::Int(7), naive::Value::Int(-1)],
    };
    assert_eq!(
        facts.content_hash.unwrap().to_string(),
        naive::hash(&[column], 2)
    );
    // An empty page in between is no end.
    let pages = [
        data_page(1, 0, &plain[..4]),
        data_page(0, 0, &[]),
        data_page(1, 0, &plain[4..]),
    ]
    .concat();
    let pieces = one_column(leaf("c", INT32, 0, REQUIRED), INT32, 2, pages);
    assert_eq!(describe(&pieces, &TableRules::default()).unwrap(), facts);
}

#[test]
fn int96_interval_and_json_are_what_the_content_hash_says() {
    let mut int96 = 1_i64.to_le_bytes().to_vec();
    int96.extend(i32::MAX.to_le_bytes());
    let check = |leaf: Thrift, physical_type, body: &[u8], column_type, value| {
        let file = one_column(leaf, physical_type, 1, data_page(1, 0, body));
        let facts = describe(&file, &TableRules::default()).unwrap();
        let column = naive::Column {
            name: "c".into(),
            column_type,
            values: vec![value],
        };
        assert_eq!(
            facts.content_hash.unwrap().to_string(),
            naive::hash(&[column], 1)
        );
        facts
    };
    let days = i128::from(i32::MAX) - 2_440_588;
    let far = naive::Value::Instant(days * 86_400_000_000_000 + 1);
    let facts = check(
        leaf("c", INT96, 0, REQUIRED),
        INT96,
        &int96,
        naive::Type::Timestamp,
        far,
    );
    assert_eq!(facts.schema.columns[0].column_type, "timestamp");
    assert_eq!(facts.timestamp_column.as_deref(), Some("c"));
    assert_eq!(
        facts.max_timestamp.unwrap().to_string(),
        "9999-12-30T22:00:00.000Z"
    );
    let interval = naive::Value::Binary(int96.clone());
    check(
        annotated("c", FIXED, 12, 21),
        FIXED,
        &int96,
        naive::Type::Binary,
        interval,
    );
    let text = [&2_u32.to_le_bytes()[..], b"{}"].concat();
    let json = || naive::Value::String("{}".into());
    check(
        annotated("c", BYTE_ARRAY, 0, 19),
        BYTE_ARRAY,
        &text,
        naive::Type::String,
        json(),
    );
    check(
        annotated("c", BYTE_ARRAY, 0, 0),
        BYTE_ARRAY,
        &text,
        naive::Type::String,
        json(),
    );
    for annotation in [4, 20] {
        let bytes = naive::Value::Binary(b"{}".to_vec());
        check(
            annotated("c", BYTE_ARRAY, 0, annotation),
            BYTE_ARRAY,
            &text,
            naive::Type::Binary,
            bytes,
        );
    }
    let not_utf8 = [&1_u32.to_le_bytes()[..], &[0xff]].concat();
    for annotation in [0, 19] {
        let leaf = annotated("c", BYTE_ARRAY, 0, annotation);
        check_unreadable(&one_column(leaf, BYTE_ARRAY, 1, data_page(1, 0, &not_utf8)));
    }
}

#[test]
fn footers_that_lie_are_refused() {
    for bytes in [
        &b""[..],
        b"PAR1",
        b"PAR1PAR1",
        b"PAR1\0\0\0\0PAR1",
        b"not a table at all",
    ] {
        check_unreadable(&Bytes::copy_from_slice(bytes));
    }
    check_unreadable(&Bytes::from_static(b"PAR1\xff\xff\xff\xffPAR1"));
    check_refused(
        &Bytes::from_static(b"PAR1\x04\0\0\0PARE"),
        ErrorKind::Unsupported,
        "encrypted Parquet files are not supported",
    );
    let mut huge = vec![0; 40 << 20];
    huge[..4].copy_from_slice(b"PAR1");
    let length = huge.len() as u32 - 12;
    huge.extend_from_slice(&length.to_le_bytes());
    huge.extend_from_slice(b"PAR1");
    check_refused(
        &huge.into(),
        ErrorKind::Invalid,
        "the footer of the Parquet file is too large",
    );
    // Lists of two thousand million elements; integers that never end.
    for list in [
        [0xfc, 0xff, 0xff, 0xff, 0xff, 0x07],
        [0xf5, 0xff, 0xff, 0xff, 0xff, 0x07],
    ] {
        check_unreadable(&with_footer(
            b"PAR1".to_vec(),
            &[&[0x15, 2, 0x19][..], &list].concat(),
        ));
        check_unreadable(&with_footer(
            b"PAR1".to_vec(),
            &[&[0x15, 2, 0x49][..], &list].concat(),
        ));
    }
    check_unreadable(&with_footer(b"PAR1".to_vec(), &[0xff; 1000]));
    check_unreadable(&with_footer(b"PAR1".to_vec(), &[0x1c; 100_000]));
}

#[test]
fn schemas_beyond_the_limits_are_refused() {
    let many = |count: i64| {
        let mut schema = vec![group("schema", count, REQUIRED)];
        schema.extend((0..count).map(|at| leaf(&at.to_string(), INT32, 0, REQUIRED)));
        file(&schema, 0, &[])
    };
    check_refused(
        &many(50_000),
        ErrorKind::Invalid,
        "the Parquet file has too many columns",
    );
    let mut deep: Vec<Thrift> = (0..100_000).map(|_| group("g", 1, OPTIONAL)).collect();
    deep.push(leaf("c", INT32, 0, REQUIRED));
    let message = "the columns of the Parquet file are nested too deeply";
    check_refused(&file(&deep, 0, &[]), ErrorKind::Invalid, message);
    let long = "n".repeat(1 << 20);
    let mut named = vec![group("schema", 1, REQUIRED), group(&long, 1000, OPTIONAL)];
    named.extend((0..1000).map(|_| leaf("c", INT32, 0, REQUIRED)));
    let message = "the names of the columns of the Parquet file are too long";
    check_refused(&file(&named, 0, &[]), ErrorKind::Invalid, message);
    for children in [-1, 0, 2, 1 << 30] {
        let schema = [
            group("schema", children, REQUIRED),
            leaf("c", INT32, 0, REQUIRED),
        ];
        check_unreadable(&file(&schema, 0, &[]));
    }
    let fixed = |length| {
        one_column(
            leaf("c", FIXED, length, REQUIRED),
            FIXED,
            1,
            data_page(1, 0, &[]),
        )
    };
    check_refused(
        &fixed(i64::from(i32::MAX)),
        ErrorKind::Invalid,
        "the values of the column are too long",
    );
    check_unreadable(&fixed(-1));
    let error = describe(&fixed(0), &TableRules::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn ten_thousand_columns_are_read() {
    let count = 10_000;
    let mut schema = vec![group("schema", count, REQUIRED)];
    schema.extend((0..count).map(|at| leaf(&at.to_string(), INT64, 0, REQUIRED)));
    let columns = (0..count).map(|at: i64| Column {
        physical_type: INT64,
        codec: 0,
        values: 1,
        pages: data_page(1, 0, &at.to_le_bytes()),
    });
    let file = file(&schema, 1, &columns.collect::<Vec<_>>());
    assert_eq!(
        describe(&file, &TableRules::default())
            .unwrap()
            .schema
            .columns
            .len(),
        10_000
    );
    assert_eq!(inspect(&file).unwrap().columns.len(), 10_000);
    check_memory();
}

#[test]
fn row_groups_outside_of_the_data_are_refused() {
    let sound = |start: i64, length: i64, codec: i64| {
        let metadata = Thrift::structure(|it| {
            let it = it.i32(1, INT32).i32(3, codec).i64(1, 1);
            it.i64(1, 4).i64(1, length).i64(2, start)
        });
        let chunk = Thrift::structure(|it| it.i64(2, 0).nested(1, &metadata));
        let row_group = Thrift::structure(|it| it.list(1, &[chunk]).i64(1, 0).i64(1, 1));
        let schema = [group("schema", 1, REQUIRED), leaf("c", INT32, 0, REQUIRED)];
        let footer = Thrift::structure(|it| {
            it.i32(1, 2)
                .list(1, &schema)
                .i64(1, 1)
                .list(1, &[row_group])
        });
        let pages = data_page(1, 0, &[1, 0, 0, 0]);
        (
            with_footer([b"PAR1".to_vec(), pages.clone()].concat(), &footer.0),
            pages.len() as i64,
        )
    };
    let (_, length) = sound(4, 0, 0);
    assert!(describe(&sound(4, length, 0).0, &TableRules::default()).is_ok());
    for (start, length) in [
        (0, length),
        (-4, length),
        (4, length + 1),
        (4, -1),
        (5, length),
        (4, i64::MAX),
        (i64::MAX, 1),
        (i64::MIN, i64::MIN),
        (4, 0),
        (4, length - 1),
    ] {
        check_unreadable(&sound(start, length, 0).0);
    }
    for codec in [3, 5, 8, -1] {
        let message = "the compression of the Parquet file is not supported";
        check_refused(&sound(4, length, codec).0, ErrorKind::Unsupported, message);
    }
}

#[test]
fn counts_of_rows_that_lie_are_refused() {
    let page = || data_page(2, 0, &[0; 8]);
    for rows in [0, 1, 3, 1 << 40, i64::MAX] {
        let column = Column {
            physical_type: INT32,
            codec: 0,
            values: 2,
            pages: page(),
        };
        let schema = [group("schema", 1, REQUIRED), leaf("c", INT32, 0, REQUIRED)];
        if rows > 0 {
            check_unreadable(&file(&schema, rows, &[column]));
        }
    }
    for values in [-1, 3, 1 << 20, i64::from(i32::MAX)] {
        check_unreadable(&one_column(
            leaf("c", INT32, 0, REQUIRED),
            INT32,
            2,
            data_page(values, 0, &[0; 8]),
        ));
    }
}

#[test]
fn page_headers_that_promise_too_much_are_refused() {
    let inner = Thrift::structure(|it| it.i32(1, 1).i32(1, 0).i32(1, 3).i32(1, 3));
    for uncompressed in [i64::from(i32::MAX), 1 << 30, 65 << 20] {
        let pages = page(0, uncompressed, &[0; 4], |it| it.nested(2, &inner));
        let column = Column {
            physical_type: INT32,
            codec: 6,
            values: 1,
            pages,
        };
        let schema = [group("schema", 1, REQUIRED), leaf("c", INT32, 0, REQUIRED)];
        check_refused(
            &file(&schema, 1, &[column]),
            ErrorKind::Invalid,
            "a page of the Parquet file is too large",
        );
    }
    for pages in [
        page(0, -1, &[0; 4], |it| it.nested(2, &inner)),
        vec![0xff; 2000],
        vec![0x15; 2 << 20],
    ] {
        check_unreadable(&one_column(leaf("c", INT32, 0, REQUIRED), INT32, 1, pages));
    }
    let pages = page(1, 4, &[0; 4], |it| it);
    let error = describe(
        &one_column(leaf("c", INT32, 0, REQUIRED), INT32, 1, pages),
        &TableRules::default(),
    );
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
    for (physical_type, values) in [
        (INT64, 1 << 30),
        (INT32, i64::from(i32::MAX)),
        (BYTE_ARRAY, 1 << 28),
        (INT32, -5),
    ] {
        let pages = [dictionary_page(values, &[0; 8]), data_page(1, 8, &[0, 2])].concat();
        check_unreadable(&one_column(
            leaf("c", physical_type, 0, REQUIRED),
            physical_type,
            1,
            pages,
        ));
    }
}

#[test]
fn pages_that_hold_more_than_they_promise_are_refused() {
    let member = |length: usize| {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; length]).unwrap();
        encoder.finish().unwrap()
    };
    let inner = Thrift::structure(|it| it.i32(1, 1).i32(1, 0).i32(1, 3).i32(1, 3));
    let describe_page = |body: &[u8]| {
        let column = Column {
            physical_type: INT32,
            codec: 2,
            values: 1,
            pages: page(0, 4, body, |it| it.nested(2, &inner)),
        };
        let schema = [group("schema", 1, REQUIRED), leaf("c", INT32, 0, REQUIRED)];
        file(&schema, 1, &[column])
    };
    let honest = describe(&describe_page(&member(4)), &TableRules::default());
    assert_eq!(honest.unwrap().row_count, 1);
    // A gibibyte in a megabyte: gzip allows any number of members one after the other.
    check_unreadable(&describe_page(&member(1 << 20).repeat(1 << 10)));
}

#[test]
fn delta_encodings_that_promise_too_much_are_refused() {
    for encoding in [6, 7] {
        for header in [
            &[0x80, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0][..],
            &[
                0x80, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0,
            ],
            &[0x80, 1, 0, 1, 0],
            &[0x80, 0x80, 0x80, 0x80, 0x10, 1, 1, 0],
            &[],
        ] {
            let pages = data_page(1, encoding, header);
            check_unreadable(&one_column(
                leaf("c", BYTE_ARRAY, 0, REQUIRED),
                BYTE_ARRAY,
                1,
                pages,
            ));
        }
    }
    // The first value has a mebibyte, and a thousand others are the same.
    let mut body = [&[0x80, 1, 1][..], &varint(1025), &[0]].concat();
    let length = 1 << 20;
    let deltas: [u64; 8] = [length, 0, 0, 0, 0, 0, 0, 0];
    for (block, delta) in deltas.into_iter().enumerate() {
        // Every block of 128 has one width: 32 bits in the first, none in the others.
        body.push(0);
        body.push(if block == 0 { 32 } else { 0 });
        if block == 0 {
            body.extend((delta as u32).to_le_bytes());
            body.extend(vec![0; 127 * 4]);
        }
    }
    body.extend([&[0x80, 1, 1][..], &varint(1025), &varint(length << 1)].concat());
    body.extend([&varint((length << 1) - 1)[..], &[0]].concat());
    body.extend([0; 14]);
    body.extend(vec![b'x'; length as usize]);
    let pages = data_page(1025, 7, &body);
    let bomb = one_column(leaf("c", BYTE_ARRAY, 0, REQUIRED), BYTE_ARRAY, 1025, pages);
    check_refused(
        &bomb,
        ErrorKind::Invalid,
        "a page of the Parquet file is too large",
    );
}

#[test]
fn rows_with_too_many_elements_are_refused() {
    let elements = i64::from(i32::MAX);
    // One row: a level 0, then a run of ones; all are defined; indexes of no bits into a dictionary of one.
    let repetition = [&[2, 0][..], &varint((elements as u64 - 1) << 1), &[1]].concat();
    let definition = [&varint((elements as u64) << 1)[..], &[1]].concat();
    let mut body = (repetition.len() as u32).to_le_bytes().to_vec();
    body.extend(&repetition);
    body.extend((definition.len() as u32).to_le_bytes());
    body.extend(&definition);
    body.extend([&[0][..], &varint((elements as u64) << 1)].concat());
    let pages = [dictionary_page(1, &[0; 4]), data_page(elements, 8, &body)].concat();
    let column = Column {
        physical_type: INT32,
        codec: 0,
        values: elements,
        pages,
    };
    let bomb = file(&list_schema(), 1, &[column]);
    check_refused(
        &bomb,
        ErrorKind::Invalid,
        "a row of the table has too many elements",
    );
}

#[test]
fn long_runs_are_refused_when_they_decode_to_far_too_much() {
    let values = i64::from(i32::MAX);
    let body = [&[0][..], &varint((values as u64) << 1)].concat();
    let mut pages = dictionary_page(1, &[0; 4]);
    for _ in 0..4 {
        pages.extend(data_page(values, 8, &body));
    }
    let bomb = one_column(leaf("c", INT32, 0, REQUIRED), INT32, 4 * values, pages);
    check_refused(
        &bomb,
        ErrorKind::Invalid,
        "the table decodes to far more than its file",
    );
}

#[test]
fn cut_files_are_refused() {
    let random = &mut Random(5);
    let table = Table::random(&mut Random(11), 2);
    let file = table.write(random);
    for cut in (0..file.len()).step_by(7) {
        check_unreadable(&file.slice(..cut));
    }
}

#[test]
fn damaged_files_never_get_through() {
    silence();
    let random = &mut Random(2026);
    let mut answers = 0;
    for _ in 0..60 {
        let table = Table::random(random, 3);
        let file = table.write(random);
        let footer_length =
            u32::from_le_bytes(file[file.len() - 8..file.len() - 4].try_into().unwrap()) as usize;
        for _ in 0..50 {
            let mut bytes = file.to_vec();
            for _ in 0..1 + random.below(3) {
                // Half of the damage hits the footer.
                let from = if random.one_in(2) {
                    bytes.len().saturating_sub(footer_length + 8)
                } else {
                    0
                };
                let at = from + random.below((bytes.len() - from) as u64) as usize;
                damage(&mut bytes, at, random);
            }
            let file = Bytes::from(bytes);
            let rules = TableRules {
                sort_keys: if random.one_in(8) {
                    vec!["column 0".into()]
                } else {
                    Vec::new()
                },
                ..TableRules::default()
            };
            match describe(&file, &rules) {
                Ok(_) => answers += 1,
                Err(error) => {
                    let is_typed =
                        matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported);
                    assert!(is_typed, "{error:?}");
                }
            }
        }
    }
    assert!(answers > 0);
    check_memory();
}

fn damage(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    match random.below(6) {
        0 | 1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5) as usize],
        3 => {
            let end = bytes.len().min(at + 5);
            bytes[at..end].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x07][..end - at]);
        }
        4 => {
            let from = random.below(bytes.len() as u64) as usize;
            let length = (bytes.len() - from.max(at)).min(1 + random.below(64) as usize);
            bytes.copy_within(from..from + length, at);
        }
        _ => {
            bytes.remove(at);
        }
    }
}
