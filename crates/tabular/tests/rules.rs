//! What a registered type may say, and what it may not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a harness of tests asserts"
)]

mod support;

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use artstore_core::backend::{NoProgress, TableReader as _};
use artstore_core::table::TableRules;
use artstore_core::{Error, ErrorKind};
use artstore_tabular::TabularReader;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use support::{Memory, describe};

fn write(columns: Vec<(&str, ArrayRef)>) -> Bytes {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file.into()
}

fn table() -> Bytes {
    let list =
        arrow_array::ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>(vec![
            Some(vec![Some(1)]),
            None,
        ]);
    write(vec![
        ("day", Arc::new(Date32Array::from(vec![1, 2]))),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from(vec![1, 1_000_001])),
        ),
        ("text", Arc::new(StringArray::from(vec!["b", "a"]))),
        ("list", Arc::new(list)),
        ("empty", Arc::new(arrow_array::NullArray::new(2))),
    ])
}

fn refused(rules: &TableRules) -> Error {
    let error = describe(&table(), rules).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error
}

#[test]
fn the_first_timestamp_goes_before_the_first_date() {
    let facts = describe(&table(), &TableRules::default()).unwrap();
    assert_eq!(facts.timestamp_column.as_deref(), Some("at"));
    assert_eq!(
        facts.min_timestamp.unwrap().to_string(),
        "1970-01-01T00:00:00.000Z"
    );
    assert_eq!(
        facts.max_timestamp.unwrap().to_string(),
        "1970-01-01T00:00:01.001Z"
    );
    let words: Vec<&str> = facts
        .schema
        .columns
        .iter()
        .map(|column| column.column_type.as_str())
        .collect();
    assert_eq!(words, ["date", "timestamp", "string", "list<int>", "null"]);
}

#[test]
fn the_timestamp_column_can_be_given_and_need_not_be_canonical() {
    let rules = TableRules {
        timestamp_column: Some("day".into()),
        canonical_columns: vec!["text".into()],
        ..TableRules::default()
    };
    let facts = describe(&table(), &rules).unwrap();
    assert_eq!(facts.timestamp_column.as_deref(), Some("day"));
    assert_eq!(
        facts.max_timestamp.unwrap().to_string(),
        "1970-01-03T00:00:00.000Z"
    );
    let sorted = TableRules {
        sort_keys: vec!["at".into()],
        ..rules
    };
    assert_eq!(describe(&table(), &sorted).unwrap(), facts);
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let keys = |name: &str| TableRules {
        sort_keys: vec![name.into()],
        ..TableRules::default()
    };
    for name in ["list", "empty", "missing"] {
        assert_eq!(refused(&keys(name)).context_value("column"), Some(name));
    }
    let times = |name: &str| TableRules {
        timestamp_column: Some(name.into()),
        ..TableRules::default()
    };
    for name in ["text", "missing"] {
        assert_eq!(refused(&times(name)).context_value("column"), Some(name));
    }
    let canonical = TableRules {
        canonical_columns: vec!["missing".into()],
        ..TableRules::default()
    };
    assert_eq!(refused(&canonical).context_value("column"), Some("missing"));
}

#[test]
fn a_table_too_large_to_be_sorted_says_so() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..16_000_000));
    let file = write(vec![("n", numbers)]);
    let rules = TableRules {
        sort_keys: vec!["n".into()],
        ..TableRules::default()
    };
    let error = describe(&file, &rules).unwrap_err();
    assert_eq!(error.message(), "the table is too large to be sorted");
    assert_eq!(error.context_value("limit"), Some("268435456"));
    assert!(error.hint_text().is_some());
}

#[test]
fn a_source_that_changed_is_a_conflict() {
    #[derive(Debug)]
    struct Changed(Memory);
    impl artstore_core::backend::RandomRead for Changed {
        fn size(&self) -> u64 {
            self.0.size()
        }
        fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> artstore_core::Result<()> {
            // The footer is there, the columns are not.
            if position < self.0.size() / 2 && buffer.len() > 4 {
                return Err(Error::conflict("the source has changed"));
            }
            self.0.read_exact_at(position, buffer)
        }
        fn check_unchanged(&self) -> artstore_core::Result<()> {
            Ok(())
        }
    }
    let numbers: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..5000).map(|at| at.to_string()),
    ));
    let input = Arc::new(Changed(Memory(write(vec![("n", numbers)]))));
    let rules = TableRules::default();
    let error = support::wait(TabularReader::new().describe(input, &rules, Arc::new(NoProgress)));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
}
