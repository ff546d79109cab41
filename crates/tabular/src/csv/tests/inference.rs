use artstore_core::table::CsvOptions;

use super::support::{inspect, table};

/// The type of a column with these fields, in this order and in the opposite one.
fn check(fields: &[&str], expected: &str) {
    let mut fields: Vec<&str> = fields.to_vec();
    for _ in 0..2 {
        let csv = format!("v,other\n{}", lines(&fields));
        let table = table(&csv, &CsvOptions::default()).unwrap();
        let types = &table.inspection.options.column_types;
        assert_eq!(types["v"].to_string(), expected, "{fields:?}");
        // What is inferred converts: nothing becomes null that is not empty.
        let values = &table.columns()[0];
        let nulls = values.iter().map(Option::is_none);
        assert!(
            nulls.eq(fields.iter().map(|field| field.is_empty())),
            "{fields:?}"
        );
        fields.reverse();
    }
}

fn lines(fields: &[&str]) -> String {
    fields
        .iter()
        .map(|field| format!("\"{field}\",x\n"))
        .collect()
}

#[test]
fn booleans() {
    check(&["true", "False", "", "TRUE"], "bool");
    check(&["true", "yes"], "string");
    check(&["true", "1"], "string");
    check(&["t"], "string");
}

#[test]
fn integers() {
    check(&["0", "-0", "-7", "", "12"], "int");
    check(&["9223372036854775807", "-9223372036854775808"], "int");
    check(&["9223372036854775808", "0"], "uint");
    check(&["18446744073709551615"], "uint");
    check(&["9223372036854775808", "-1"], "string");
    check(&["18446744073709551616"], "string");
    check(&["-9223372036854775809"], "string");
    for text in [
        "007", "00", "-01", "+1", "1_000", " 1", "1 ", "0x10", "--1", "-",
    ] {
        check(&[text], "string");
        check(&["1", text], "string");
    }
}

#[test]
fn floats() {
    for text in [
        "1.5", "-.5", "5.", "0.0", "1e5", "1E+5", "-2.5e-3", "5.e3", "1e-400",
    ] {
        check(&[text], "float");
        check(&[text, "1"], "float");
    }
    for text in [
        "007.5", "+1.5", ".", "-.", "1e", "1e+", "e5", "1.5.2", "1e400", "1,5", "1.5f",
    ] {
        check(&[text], "string");
        check(&[text, "1.5"], "string");
    }
    check(&["18446744073709551616", "0.5"], "float");
    check(&["9223372036854775808", "-1", "0.5"], "float");
}

#[test]
fn what_is_not_a_number_counts_only_beside_numbers() {
    for text in [
        "NaN",
        "nan",
        "inf",
        "-inf",
        "Inf",
        "-Inf",
        "Infinity",
        "-Infinity",
    ] {
        check(&[text], "string");
        check(&[text, "1.5"], "float");
        check(&[text, "1"], "float");
        check(&[text, "18446744073709551616"], "string");
    }
    for text in ["-NaN", "NAN", "NA", "infinity", "None"] {
        check(&[text, "1.5"], "string");
    }
}

#[test]
fn dates_and_times() {
    check(&["2026-11-20", ""], "date");
    check(&["0000-01-01", "9999-12-31", "2024-02-29"], "date");
    for text in [
        "2026-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-04-31",
        "2026-1-1",
        "20261120",
    ] {
        check(&["2026-11-20", text], "string");
    }
    for text in [
        "2026-11-20T09:30",
        "2026-11-20 09:30:00",
        "2026-11-20T09:30:00.1",
        "2026-11-20 23:59:59.999999999",
    ] {
        check(&[text], "timestamp");
        check(&[text, "2026-11-20"], "timestamp");
        for zone in ["Z", "+05:30", "-0800", "+00"] {
            let zoned = format!("{text}{zone}");
            check(&[&zoned], "timestamptz");
            check(&[&zoned, text], "string");
            check(&[&zoned, "2026-11-20"], "string");
        }
    }
    for text in [
        "2026-11-20T24:00",
        "2026-11-20T23:59:60",
        "2026-11-20T23:60",
        "2026-11-20t09:30",
        "2026-11-20T09:30:00.",
        "2026-11-20T09:30:00.1234567890",
        "2026-11-20T09:30.5",
        "2026-11-20T9:30",
        "2026-11-20T09:30z",
        "2026-11-20T09:30 Z",
        "2026-11-20T09:30+5",
        "2026-11-20T09:30+24:00",
        "2026-11-20T09:30+05:60",
        "2026-11-20T",
        "09:30:00",
    ] {
        check(&[text], "string");
    }
}

#[test]
fn nanoseconds_reach_only_so_far() {
    let fine = "2026-11-20T09:30:00.1234567";
    check(&[fine, "1677-09-21T00:12:43.145224193"], "timestamp");
    check(&[fine, "2262-04-11T23:47:16.854775807"], "timestamp");
    check(&[fine, "2262-04-11T23:47:16.854775808"], "string");
    check(&[fine, "1677-09-21T00:12:43.145224191"], "string");
    check(&[fine, "2300-01-01"], "string");
    check(
        &["2026-11-20T09:30:00.123456", "9999-12-31T23:59:59"],
        "timestamp",
    );
}

#[test]
fn text_and_nothing() {
    check(&["", ""], "string");
    check(&[], "string");
    check(&["1", "x"], "string");
    check(&["1", "true"], "string");
    check(&["1", "2026-11-20"], "string");
    check(&["true", "2026-11-20"], "string");
    check(&["é", "\u{1f600}"], "string");
}

#[test]
fn given_types_win() {
    let options = CsvOptions {
        column_types: [("a".to_owned(), "string".parse().unwrap())].into(),
        ..CsvOptions::default()
    };
    let inspection = inspect("a,b\n1,2\n", &options).unwrap();
    assert_eq!(inspection.schema.columns[0].column_type, "string");
    assert_eq!(inspection.schema.columns[1].column_type, "int");
    let again = inspect("a,b\n1,2\n", &inspection.options).unwrap();
    assert_eq!(again, inspection);
}
