//! CSV to Parquet from outside.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a harness of tests asserts"
)]

#[path = "support/staging.rs"]
mod staging;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use artstore_core::ErrorKind;
use artstore_core::table::{ColumnType, CsvOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::collection::vec;
use proptest::prelude::*;

use staging::{MemoryStaging, Table, convert_csv, describe, inspect_csv, source, table};

fn batches(table: &Table) -> Vec<RecordBatch> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(table.parquet.clone()).unwrap();
    builder.build().unwrap().map(Result::unwrap).collect()
}

/// How a table is spelled.
#[derive(Debug, Clone)]
struct Spelling {
    delimiter: u8,
    quote: u8,
    line_ends: Vec<&'static str>,
    quoted: Vec<bool>,
    ends_with_line: bool,
}

impl Spelling {
    fn plain() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            line_ends: vec!["\n"],
            quoted: vec![true],
            ends_with_line: true,
        }
    }

    fn options(&self) -> CsvOptions {
        CsvOptions {
            delimiter: self.delimiter,
            quote: self.quote,
            ..CsvOptions::default()
        }
    }

    fn spell(&self, rows: &[Vec<String>]) -> String {
        let mut csv = String::new();
        let mut quoted = self.quoted.iter().cycle();
        let mut line_ends = self.line_ends.iter().cycle();
        for row in rows {
            for (position, field) in row.iter().enumerate() {
                if position > 0 {
                    csv.push(self.delimiter.into());
                }
                // A record whose fields are all empty and bare is no record if it has one column.
                let is_quoted = *quoted.next().unwrap() || row.len() == 1;
                csv.push_str(&self.field(field, is_quoted));
            }
            csv.push_str(line_ends.next().unwrap());
        }
        if !self.ends_with_line {
            csv.truncate(csv.trim_end_matches(['\r', '\n']).len());
        }
        csv
    }

    fn field(&self, field: &str, is_quoted: bool) -> String {
        let (delimiter, quote) = (char::from(self.delimiter), char::from(self.quote));
        if is_quoted || field.contains([delimiter, quote, '\n', '\r']) {
            let doubled = field.replace(quote, &format!("{quote}{quote}"));
            return format!("{quote}{doubled}{quote}");
        }
        field.to_owned()
    }
}

fn spellings() -> impl Strategy<Value = Spelling> {
    let ends = prop_oneof![
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just("\n\n"),
        Just("\r\n\r\n")
    ];
    (
        prop_oneof![Just(b','), Just(b';'), Just(b'\t'), Just(b'|')],
        prop_oneof![Just(b'"'), Just(b'\'')],
        vec(ends, 1..4),
        vec(any::<bool>(), 1..8),
        any::<bool>(),
    )
        .prop_map(
            |(delimiter, quote, line_ends, quoted, ends_with_line)| Spelling {
                delimiter,
                quote,
                line_ends,
                quoted,
                ends_with_line,
            },
        )
}

fn fields() -> impl Strategy<Value = BoxedStrategy<String>> {
    let nothing = Just(String::new());
    let kinds: Vec<BoxedStrategy<String>> = vec![
        any::<i64>().prop_map(|n| n.to_string()).boxed(),
        any::<u64>().prop_map(|n| n.to_string()).boxed(),
        any::<f64>().prop_map(|n| format!("{n:e}")).boxed(),
        any::<bool>().prop_map(|b| b.to_string()).boxed(),
        "20[0-9]{2}-0[1-9]-[0-2][1-8]".boxed(),
        "20[0-9]{2}-0[1-9]-[0-2][1-8][T ][01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?".boxed(),
        "20[0-9]{2}-0[1-9]-[0-2][1-8]T[01][0-9]:[0-5][0-9](Z|[+-][01][0-9]:?[0-5][0-9])".boxed(),
        "[a-zé\u{1f600},;|\"' \t\n\r]{1,6}".boxed(),
    ];
    (0..kinds.len())
        .prop_map(move |kind| prop_oneof![1 => nothing.clone(), 4 => kinds[kind].clone()].boxed())
}

/// Rows of up to five columns, the header first.
fn tables() -> impl Strategy<Value = Vec<Vec<String>>> {
    (vec(fields(), 1..6), 0_usize..20).prop_flat_map(|(columns, rows)| {
        let names = (0..columns.len())
            .map(|position| format!("c{position}"))
            .collect::<Vec<_>>();
        vec(columns, rows..=rows).prop_map(move |mut rows| {
            rows.insert(0, names.clone());
            rows
        })
    })
}

proptest! {
    #[test]
    fn spelling_makes_no_difference(rows in tables(), spelling in spellings()) {
        let plain = Spelling::plain();
        let expected = table(&source(plain.spell(&rows)), &plain.options()).unwrap();
        // The last line is needed where the last field is bare and empty in a table with one column; quotes see to that.
        let found = table(&source(spelling.spell(&rows)), &spelling.options()).unwrap();
        prop_assert_eq!(&found.inspection.options.column_types, &expected.inspection.options.column_types);
        prop_assert_eq!(&found.converted.facts, &expected.converted.facts);
        prop_assert_eq!(&found.parquet, &expected.parquet);
        let described = describe(&found.parquet).unwrap();
        prop_assert_eq!(&described, &found.converted.facts);
    }

    #[test]
    fn text_comes_back_as_it_was(rows in tables(), spelling in spellings()) {
        let mut options = spelling.options();
        options.column_types = rows[0].iter().map(|name| (name.clone(), ColumnType::String)).collect();
        let table = table(&source(spelling.spell(&rows)), &options).unwrap();
        let mut found = vec![Vec::new(); rows[0].len()];
        for batch in batches(&table) {
            for (values, array) in found.iter_mut().zip(batch.columns()) {
                values.extend(array.as_string::<i32>().iter().map(|value| value.unwrap_or_default().to_owned()));
            }
        }
        for (position, values) in found.iter().enumerate() {
            let expected: Vec<_> = rows[1..].iter().map(|row| row[position].clone()).collect();
            prop_assert_eq!(values, &expected);
        }
    }
}

#[test]
fn many_rows_and_columns_come_back() {
    for (columns, rows) in [(1, 20_000), (32, 9_000), (33, 9_000), (2_000, 600)] {
        let names: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
        let mut csv = names.join(",") + "\n";
        for row in 0..rows {
            let fields: Vec<String> = (0..columns)
                .map(|column| (row * columns + column).to_string())
                .collect();
            csv += &(fields.join(",") + "\n");
        }
        let table = table(&source(csv), &CsvOptions::default()).unwrap();
        assert_eq!(table.inspection.row_count, rows as u64);
        let mut next = 0;
        for batch in batches(&table) {
            for row in 0..batch.num_rows() {
                for column in [0, columns - 1] {
                    let values = batch
                        .column(column)
                        .as_primitive::<arrow_array::types::Int64Type>();
                    assert_eq!(values.value(row), ((next + row) * columns + column) as i64);
                }
            }
            next += batch.num_rows();
        }
        assert_eq!(next, rows);
        assert_eq!(describe(&table.parquet).unwrap(), table.converted.facts);
    }
}

#[test]
fn a_source_that_changed_stages_nothing() {
    let before = "a,b\n1,x\n2,y\n";
    let inspection = inspect_csv(&source(before), &CsvOptions::default()).unwrap();
    for after in [
        "a,b\n1,x\n2,yy\n",
        "a,b\n1,xxxxx\n",
        "a,b\nq,x\n2,y\n",
        "a,c\n1,x\n2,y\n",
        "a,b\n1,x\n,2,y",
        "a,b\n1,\"x\n2,y",
        "\n\n\n\n\n\n\n\n\n\n\n\n",
    ] {
        let staging = MemoryStaging::default();
        let finished = staging.finished.clone();
        let error = convert_csv(&source(after), &inspection, staging).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{after:?}");
        assert!(finished.lock().unwrap().is_none());
    }
}

#[test]
fn a_failing_output_is_told_as_it_is() {
    let rows = (0..200_000_u64).map(|n| format!("{}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let csv = "a\n".to_owned() + &rows.collect::<String>();
    let input = source(csv);
    let inspection = inspect_csv(&input, &CsvOptions::default()).unwrap();
    for limit in [0, 1_200_000] {
        let staging = MemoryStaging {
            limit: Some(limit),
            ..MemoryStaging::default()
        };
        let finished = staging.finished.clone();
        let error = convert_csv(&input, &inspection, staging).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Unavailable, "no space")
        );
        assert!(finished.lock().unwrap().is_none());
    }
}
