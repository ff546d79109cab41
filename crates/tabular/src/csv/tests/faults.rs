use artstore_core::ErrorKind;
use artstore_core::table::CsvOptions;

use super::support::inspect;

/// What is wrong with `csv`, and where.
fn check(csv: impl AsRef<[u8]>, message: &str, places: &[(&str, &str)]) {
    check_with(&CsvOptions::default(), csv, message, places);
}

fn check_with(options: &CsvOptions, csv: impl AsRef<[u8]>, message: &str, places: &[(&str, &str)]) {
    let error = inspect(csv, options).unwrap_err();
    assert_eq!(error.message(), message);
    for (name, value) in places {
        assert_eq!(error.context_value(name), Some(*value), "{error}");
    }
}

fn given(name: &str, column_type: &str) -> CsvOptions {
    CsvOptions {
        column_types: [(name.to_owned(), column_type.parse().unwrap())].into(),
        ..CsvOptions::default()
    }
}

#[test]
fn records_with_other_numbers_of_fields() {
    let message = "a record has another number of fields than the header";
    check(
        "a,b\n1,2\n3\n",
        message,
        &[("line", "3"), ("expected", "2"), ("found", "1")],
    );
    check(
        "a,b\r\n\r\n1,2\r\n3,4,5,6",
        message,
        &[("line", "4"), ("found", "4")],
    );
    check(
        "a,b\r1,\"x\r\ny\nz\"\r\r3,4,5",
        message,
        &[("line", "6"), ("found", "3")],
    );
    check("\u{feff}a\n1,2\n", message, &[("line", "2")]);
}

#[test]
fn quotes_that_are_not_closed() {
    let message = "a quote is not closed";
    check(
        "a,b\n1,2\n3,\"4\n5,6\n",
        message,
        &[("line", "3"), ("column", "2")],
    );
    check("a,b\n1,\"", message, &[("line", "2"), ("column", "2")]);
    check("\"a", message, &[("line", "1"), ("column", "1")]);
    check("a\n\"x\"\"", message, &[("line", "2")]);
    assert!(inspect("a\n\"x\"", &CsvOptions::default()).is_ok());
    assert!(inspect("a\nx\"", &CsvOptions::default()).is_ok());
}

#[test]
fn text_that_is_not_utf8() {
    let message = "the text is not valid UTF-8";
    check(
        b"a,b\n1,2\n3,x\xffy\n",
        message,
        &[("line", "3"), ("column", "2")],
    );
    check(
        b"a,b\n\"1\n\n\xe9\",2\n",
        message,
        &[("line", "4"), ("column", "1")],
    );
    check(b"a,b\n1,\xc3", message, &[("line", "2"), ("column", "2")]);
    check(
        b"a,b\n\xc3,\xa9\n",
        message,
        &[("line", "2"), ("column", "1")],
    );
    check(b"\xe9", message, &[("line", "1"), ("column", "1")]);
    // What comes first is told.
    check(
        b"a,b\n1\n\xff,1\n",
        "a record has another number of fields than the header",
        &[("line", "2")],
    );
    check(b"a,b\n\"\xff", message, &[("line", "2")]);
}

#[test]
fn other_encodings() {
    for (csv, encoding) in [
        (&b"\xff\xfea\0"[..], "UTF-16"),
        (b"\xfe\xff\0a", "UTF-16"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
        (b"\0\0\xfe\xff\0\0\0a", "UTF-32"),
    ] {
        let error = inspect(csv, &CsvOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.context_value("encoding"), Some(encoding));
        assert!(error.hint_text().is_some());
    }
}

#[test]
fn headers() {
    check("", "the file is empty", &[]);
    for csv in ["\n\r\n", "\u{feff}", "\u{feff}\n"] {
        check(csv, "there is no header", &[]);
    }
    check(
        "a,b,a\n",
        "two columns have the same name",
        &[("name", "a"), ("columns", "1 and 3")],
    );
    check(
        ",\n",
        "two columns have the same name",
        &[("columns", "1 and 2")],
    );
    assert!(inspect(",a\n0,1\n", &CsvOptions::default()).is_ok());
    let names = |count: usize| {
        (0..count)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    assert_eq!(
        inspect(names(10_000), &CsvOptions::default())
            .unwrap()
            .schema
            .columns
            .len(),
        10_000
    );
    check(
        names(10_001),
        "too many columns",
        &[("found", "10001"), ("line", "1")],
    );
}

#[test]
fn values_that_are_not_of_a_given_type() {
    let message = "a value is not of the type given for its column";
    let check = |column_type: &str, value: &str| {
        let csv = format!("k,v\n\n1,\n2,\"{value}\"\n3,x\n");
        let places = [
            ("line", "4"),
            ("column", "2"),
            ("name", "v"),
            ("type", column_type),
            ("value", value),
        ];
        check_with(&given("v", column_type), csv, message, &places);
    };
    check("bool", "1");
    check("int", "1.0");
    check("int", "9223372036854775808");
    check("uint", "-1");
    check("float", "1e400");
    check("float", "1,5");
    check("decimal(3,1)", "100.0");
    check("decimal(3,1)", "1.25");
    check("decimal(3,1)", "1e1");
    check("decimal(3,1)", ".");
    check("decimal(38,38)", "1.5");
    check("date", "2026-02-29");
    check("date", "2026-02-28T00:00");
    check("time", "24:00");
    check("time", "09:30Z");
    check("timestamp", "2026-11-20T09:30Z");
    check("timestamptz", "2026-11-20T09:30");
    check("timestamptz", "2026-11-20");
    check_with(
        &given("w", "int"),
        "v\n1\n",
        "a type is given for a column that does not exist",
        &[("name", "w")],
    );
    check_with(
        &given("v", "timestamp"),
        "v\n2026-11-20T00:00:00.123456789\n2300-01-01\n",
        "a column has both times finer than microseconds and times that nanoseconds do not reach",
        &[("name", "v")],
    );
}

#[test]
fn records_that_are_too_long() {
    let field = "x".repeat(8 << 20);
    check(
        format!("a,b\n1,2\n{field},{field}\n"),
        "a record is too long",
        &[("line", "3")],
    );
    let longest = format!("a,b\n1,2\n{field},{}\n3,4", &field[1..]);
    let inspection = inspect(longest, &CsvOptions::default()).unwrap();
    assert_eq!(inspection.row_count, 3);
}

#[test]
fn options_that_cannot_work() {
    let options = CsvOptions {
        delimiter: b'"',
        ..CsvOptions::default()
    };
    assert_eq!(
        inspect("a", &options).unwrap_err().kind(),
        ErrorKind::Invalid
    );
}
