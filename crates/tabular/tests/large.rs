//! Large values and long lists: read within bounds of memory, whatever batches they fall into.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a harness of tests asserts"
)]

mod support;

use std::sync::Arc;

use arrow_schema::{DataType, Field};
use artstore_core::table::TableRules;
use support::describe;
use support::naive::{Column, Value};
use support::tables::{Kind, Random, Table};

fn check(kind: DataType, values: Vec<Value>) {
    let kind = Kind(kind);
    let table = Table {
        rows: values.len(),
        columns: vec![Column {
            name: "c".into(),
            column_type: kind.naive(),
            values,
        }],
        kinds: vec![kind],
    };
    let expected = table.hash();
    for seed in 0..3 {
        let facts = describe(&table.write(&mut Random(seed)), &TableRules::default()).unwrap();
        assert_eq!(facts.content_hash.unwrap().to_string(), expected);
    }
}

#[test]
fn a_few_large_values_among_small_ones() {
    let sizes = (0..20_000).map(|row| {
        if (9_000..9_100).contains(&row) {
            1 << 20
        } else {
            row % 5
        }
    });
    let values = sizes.map(|size| Value::String("x".repeat(size)));
    check(DataType::Utf8, values.collect());
}

#[test]
fn a_few_long_lists_among_short_ones() {
    let item = Arc::new(Field::new("element", DataType::Int32, true));
    let lengths = (0..6_000_i64).map(|row| {
        if (3_000..3_008).contains(&row) {
            200_000
        } else {
            row % 3
        }
    });
    let lists =
        lengths.map(|length| Value::List((0..length).map(|at| Value::Int(at % 1000)).collect()));
    check(DataType::List(item), lists.collect());
}

#[test]
fn a_dictionary_of_large_values() {
    let values = (0..400).map(|row| Value::Binary(vec![row as u8 % 2; 1 << 20]));
    check(DataType::Binary, values.collect());
}

#[test]
fn wide_values_of_fixed_length() {
    let values = (0..200).map(|row| {
        if row % 7 == 0 {
            Value::Null
        } else {
            Value::Binary(vec![row as u8; 200_000])
        }
    });
    check(DataType::FixedSizeBinary(200_000), values.collect());
}
