use std::path::Path;

use artstore_core::table::CsvOptions;
use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    table: TableOptions,
}

fn format_of(name: &str, options: &[&str]) -> Result<Option<TableFormat>> {
    let words = ["publish"].iter().chain(options);
    CommandLine::parse_from(words)
        .table
        .format_of(Path::new(name))
}

fn csv(name: &str, options: &[&str]) -> CsvOptions {
    match format_of(name, options).unwrap() {
        Some(TableFormat::Csv(options)) => options,
        other => panic!("{name} {options:?}: {other:?}"),
    }
}

#[test]
fn the_name_tells_unless_something_is_said() {
    assert_eq!(format_of("a.txt", &[]).unwrap(), None);
    assert_eq!(
        format_of("b/a.pq", &[]).unwrap(),
        Some(TableFormat::Parquet)
    );
    assert_eq!(csv("a.csv", &[]), CsvOptions::default());
    assert_eq!(csv("a.tsv", &[]).delimiter, b'\t');
    assert_eq!(format_of("a.csv", &["--as", "file"]).unwrap(), None);
    assert_eq!(csv("a.txt", &["--format", "csv"]), CsvOptions::default());
    assert_eq!(
        csv("a.parquet", &["--format", "csv", "--as", "table"]),
        CsvOptions::default()
    );
    assert_eq!(csv("a.tab", &["--format", "csv"]).delimiter, b'\t');
    let parquet = format_of("a.csv", &["--format", "parquet"]).unwrap();
    assert_eq!(parquet, Some(TableFormat::Parquet));
}

#[test]
fn csv_options_are_taken() {
    let options = csv(
        "a.tsv",
        &[
            "--delimiter",
            ";",
            "--quote",
            "'",
            "--column",
            "a=b=decimal(5,2)",
            "--column",
            "c=string",
        ],
    );
    assert_eq!((options.delimiter, options.quote), (b';', b'\''));
    let expected = [
        (
            "a=b".to_owned(),
            ColumnType::Decimal {
                precision: 5,
                scale: 2,
            },
        ),
        ("c".to_owned(), ColumnType::String),
    ];
    assert_eq!(options.column_types, BTreeMap::from(expected));
    assert_eq!(csv("a.csv", &["--delimiter", r"\t"]).delimiter, b'\t');
}

#[test]
fn contradictions_are_refused() {
    let check = |name: &str, options: &[&str], message: &str| {
        let error = format_of(name, options).unwrap_err();
        assert_eq!(error.message(), message);
    };
    check(
        "a.txt",
        &["--as", "table"],
        "the file's name does not tell how the table is written",
    );
    check(
        "a.csv",
        &["--as", "file", "--format", "csv"],
        "what is published as a file has no table format",
    );
    check(
        "a.csv",
        &["--as", "file", "--quote", "'"],
        "--quote is for tables that are written as CSV",
    );
    check(
        "a.txt",
        &["--delimiter", ";"],
        "--delimiter is for tables that are written as CSV",
    );
    check(
        "a.pq",
        &["--column", "a=int"],
        "--column is for tables that are written as CSV",
    );
    check(
        "a.csv",
        &["--column", "a=int", "--column", "a=uint"],
        "the column is given two types",
    );
    check(
        "a.csv",
        &["--delimiter", "\""],
        "the delimiter and the quote are the same character",
    );
    for wrong in [
        ["--delimiter", "ab"],
        ["--quote", "é"],
        ["--delimiter", ""],
        ["--column", "a"],
        ["--column", "a=text"],
    ] {
        assert!(
            CommandLine::try_parse_from([&["publish"], &wrong[..]].concat()).is_err(),
            "{wrong:?}"
        );
    }
}
