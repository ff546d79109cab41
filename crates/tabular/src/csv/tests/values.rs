use artstore_core::table::CsvOptions;

use super::support::table;

/// The values of a column with a given type, `auto` if it is to be found out, of which the first field is in the first row.
fn check(column_type: &str, fields: &[(&str, &str)]) {
    let csv: String = fields
        .iter()
        .map(|(field, _)| format!("\"{field}\",\n"))
        .collect();
    let mut options = CsvOptions::default();
    if column_type != "auto" {
        options
            .column_types
            .insert("v".to_owned(), column_type.parse().unwrap());
    }
    let table = table(format!("v,other\n{csv}"), &options).unwrap();
    let values: Vec<Option<String>> = table.columns().swap_remove(0);
    for ((field, expected), value) in fields.iter().zip(&values) {
        assert_eq!(
            value.as_deref().unwrap_or("null"),
            *expected,
            "{field} as {column_type}"
        );
    }
    assert_eq!(values.len(), fields.len());
}

#[test]
fn of_every_type() {
    check(
        "auto",
        &[("true", "true"), ("", "null"), ("FALSE", "false")],
    );
    check(
        "auto",
        &[
            ("-0", "0"),
            ("", "null"),
            ("-9223372036854775808", "-9223372036854775808"),
        ],
    );
    check(
        "auto",
        &[
            ("18446744073709551615", "18446744073709551615"),
            ("", "null"),
        ],
    );
    check(
        "auto",
        &[
            (".5", "0.5"),
            ("5.", "5.0"),
            ("-0", "-0.0"),
            ("NaN", "NaN"),
            ("-inf", "-inf"),
            ("", "null"),
        ],
    );
    check(
        "auto",
        &[
            ("0.1", "0.1"),
            ("1e300", "1e300"),
            ("9007199254740993", "9007199254740992.0"),
        ],
    );
    check(
        "auto",
        &[
            ("2026-11-20", "2026-11-20"),
            ("0000-02-29", "0000-02-29"),
            ("", "null"),
        ],
    );
    check(
        "auto",
        &[
            ("\u{e9}\n\r\n,", "\u{e9}\n\r\n,"),
            ("", "null"),
            ("NULL", "NULL"),
            (" ", " "),
        ],
    );
}

#[test]
fn of_times() {
    check(
        "auto",
        &[
            ("2026-11-20", "2026-11-20T00:00:00"),
            ("2026-11-20 09:30", "2026-11-20T09:30:00"),
            ("1969-12-31T23:59:59.5", "1969-12-31T23:59:59.500"),
            ("0000-01-01T00:00:00", "0000-01-01T00:00:00"),
            ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),
        ],
    );
    check(
        "auto",
        &[
            (
                "2026-11-20T09:30:00.000000001",
                "2026-11-20T09:30:00.000000001",
            ),
            (
                "1969-12-31T23:59:59.999999999",
                "1969-12-31T23:59:59.999999999",
            ),
        ],
    );
    check(
        "auto",
        &[
            ("2026-11-20T09:30:00Z", "2026-11-20T09:30:00Z"),
            ("2026-11-20T09:30:00+05:30", "2026-11-20T04:00:00Z"),
            ("2026-11-20 09:30:00-0800", "2026-11-20T17:30:00Z"),
            ("2026-11-20 09:30-03", "2026-11-20T12:30:00Z"),
        ],
    );
}

#[test]
fn given_types_allow_more_spellings() {
    check("int", &[("007", "7"), ("+5", "5"), ("-00", "0")]);
    check("uint", &[("007", "7"), ("+5", "5"), ("-0", "0")]);
    check(
        "float",
        &[
            ("007.5", "7.5"),
            ("+5", "5.0"),
            ("18446744073709551616", "1.8446744073709552e19"),
            ("NaN", "NaN"),
        ],
    );
    check("string", &[("007", "007"), ("2026-11-20", "2026-11-20")]);
    check(
        "time",
        &[
            ("09:30", "09:30:00"),
            ("23:59:59.5", "23:59:59.500"),
            ("", "null"),
        ],
    );
    check("time", &[("09:30:00.000000001", "09:30:00.000000001")]);
    check("timestamp", &[("2026-11-20", "2026-11-20T00:00:00")]);
    check(
        "decimal(5,2)",
        &[
            ("1.5", "1.50"),
            ("-.05", "-0.05"),
            ("+999.990", "999.99"),
            ("007", "7.00"),
            ("", "null"),
        ],
    );
    check(
        "decimal(38,0)",
        &[(
            "99999999999999999999999999999999999999",
            "99999999999999999999999999999999999999",
        )],
    );
}

#[test]
fn of_excerpts_of_real_tables() {
    let weather = "date,precipitation,temp_max,temp_min,wind,weather\r\n2012-01-01,0.0,12.8,5.0,4.7,drizzle\r\n2012-01-02,10.9,10.6,2.8,4.5,rain\r\n";
    let table = table(weather, &CsvOptions::default()).unwrap();
    let types: Vec<_> = table
        .inspection
        .schema
        .columns
        .iter()
        .map(|column| column.column_type.as_str())
        .collect();
    assert_eq!(
        types,
        ["date", "float", "float", "float", "float", "string"]
    );
    assert_eq!(
        table.columns()[1],
        [Some("0.0".to_owned()), Some("10.9".to_owned())]
    );
    let facts = &table.converted.facts;
    assert_eq!(facts.timestamp_column.as_deref(), Some("date"));
    assert_eq!(
        facts.max_timestamp.unwrap().to_string(),
        "2012-01-02T00:00:00.000Z"
    );

    let strikes =
        "Airport Name,Cost Total $,Speed\n\"O'HARE, CHICAGO\",0,300\n\"SAID \"\"HI\"\"\",12,\n";
    let table = super::support::table(strikes, &CsvOptions::default()).unwrap();
    assert_eq!(
        table.columns()[0],
        [
            Some("O'HARE, CHICAGO".to_owned()),
            Some("SAID \"HI\"".to_owned())
        ]
    );
    assert_eq!(table.columns()[2], [Some("300".to_owned()), None]);
    assert_eq!(table.inspection.schema.columns[1].name, "Cost Total $");
}

#[test]
fn without_rows() {
    for csv in ["a,b", "a,b\n", "\n\na,b\r\n\r\n"] {
        let table = table(csv, &CsvOptions::default()).unwrap();
        assert_eq!(table.inspection.row_count, 0);
        assert_eq!(table.columns(), [vec![], vec![]]);
        assert!(table.converted.facts.content_hash.is_some());
    }
}

#[test]
fn line_breaks_quotes_and_delimiters_of_every_kind() {
    let expected = [
        vec![Some("1".to_owned()), None],
        vec![Some("x\ny".to_owned()), Some("\"".to_owned())],
    ];
    for csv in [
        "a,b\n1,\"x\ny\"\n,\"\"\"\"\n",
        "a,b\r\n1,\"x\ny\"\r\n,\"\"\"\"",
        "a,b\r1,\"x\ny\"\r,\"\"\"\"\r",
        "\u{feff}a,b\n\n1,\"x\ny\"\n\r\n\n\"\",\"\"\"\"\n\n",
        "a,b\n1,\"x\n\"y\n,\"\"\"\"\n",
        "a,\"b\"\n\"1\",\"x\ny\"\n\"\",\"\"\"\"",
    ] {
        let table = table(csv, &CsvOptions::default()).unwrap();
        assert_eq!(table.columns(), expected, "{csv:?}");
    }
    let options = CsvOptions {
        delimiter: b';',
        quote: b'\'',
        ..CsvOptions::default()
    };
    let table = table("a;b\n1;'x\ny'\n;\"\n", &options).unwrap();
    assert_eq!(table.columns(), expected);
}

#[test]
fn the_same_bytes_give_the_same_file() {
    let csv = "a,b,c\n1,x,2026-11-20T00:00:00Z\n2,,\n";
    let first = table(csv, &CsvOptions::default()).unwrap();
    let second = table(csv, &CsvOptions::default()).unwrap();
    assert_eq!(first.parquet, second.parquet);
    let writer = first.converted.writer;
    assert_eq!(
        (writer.created_by.as_str(), writer.compression.as_str()),
        ("artstore tabular 1", "zstd(3)")
    );
}
