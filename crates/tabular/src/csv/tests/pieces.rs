//! In which pieces a file is read makes no difference.

use artstore_core::backend::NoProgress;
use artstore_core::table::CsvOptions;

use super::support::MemorySource;
use crate::cancel::Cancel;
use crate::csv::inspect::inspect_in_chunks;

fn check(csv: &[u8]) {
    let input = MemorySource(csv.to_vec());
    let options = CsvOptions::default();
    let inspect = |chunk_bytes| {
        let inspected =
            inspect_in_chunks(&input, &options, chunk_bytes, &NoProgress, &Cancel::new());
        inspected.map_err(|error| error.to_string())
    };
    let whole = inspect(csv.len().max(1));
    for chunk_bytes in (1..=17).chain([64, 255]) {
        assert_eq!(
            inspect(chunk_bytes),
            whole,
            "{chunk_bytes} bytes of {}",
            csv.escape_ascii()
        );
    }
}

#[test]
fn of_tables() {
    check("\u{feff}a,b\r\n1,\"x\r\n\"\"y\"\"\"\r\n\r\n-2.5e3,é\u{1f600}ß\r\n".as_bytes());
    check("\u{feff}\u{feff}a,b\r1,2\r".as_bytes());
    check("date,t\n2026-11-20,2026-11-20T09:30:00.1234567Z\n,\"\"\n".as_bytes());
}

#[test]
fn of_what_is_wrong() {
    check(b"a,b\r\n1,2\r\n\"\xe2\x82\xac\r\n\",\xe2\x82\r\n");
    check(b"a,b\n1,\xf0\x9f\x98");
    check(b"a,b\r\r1,2,3\r");
    check(b"a,b\n1,2\n3,\"4\n");
    check(b"a,a\n");
    check(b"\xef\xbb\xbf\xff");
}
