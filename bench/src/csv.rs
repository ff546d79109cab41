//! A CSV with columns of every common type, always the same.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

use crate::random::Sequence;

const HEADER: &str = "id,symbol,price,volume,at,day,is_open,spread,note\n";

const SYMBOLS: [&str; 12] = [
    "AAPL", "MSFT", "NVDA", "AMZN", "META", "TSLA", "JPM", "XOM", "KO", "PFE", "BRK.B", "SAP",
];

const WORDS: [&str; 16] = [
    "opening",
    "auction",
    "delayed",
    "quote",
    "from",
    "the",
    "primary",
    "venue",
    "after",
    "halt",
    "corrected",
    "by",
    "vendor",
    "late",
    "odd",
    "lot",
];

const SEED: u64 = 200;
const FIRST_DAY: u64 = 14_610;
const MICROSECONDS_A_DAY: u64 = 86_400_000_000;

/// Writes and syncs at least so many bytes of whole records.
pub(crate) fn write(path: &Path, mebibytes: u64) -> Result<()> {
    let file =
        File::create_new(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut output = BufWriter::with_capacity(1 << 20, file);
    write_records(&mut output, mebibytes << 20)?;
    output.into_inner()?.sync_all()?;
    Ok(())
}

fn write_records(output: &mut impl Write, bytes: u64) -> Result<()> {
    let mut random = Sequence::new(SEED);
    let mut record = Vec::from(HEADER);
    let mut written = 0;
    let mut number = 0;
    loop {
        output.write_all(&record)?;
        written += record.len() as u64;
        if written >= bytes {
            return Ok(());
        }
        record.clear();
        write_record(&mut record, number, &mut random)?;
        number += 1;
    }
}

/// One field in twenty of those that may be null is.
fn write_record(record: &mut Vec<u8>, number: u64, random: &mut Sequence) -> Result<()> {
    let price = random.fraction() * 500.0;
    write!(record, "{number},{},{price:.4},", random.one_of(&SYMBOLS))?;
    if !random.one_in(20) {
        write!(record, "{}", random.below(1_000_000))?;
    }
    // A quarter of a second apart, more or less.
    let at = number * 250_000 + random.below(250_000);
    let (day, moment) = (at / MICROSECONDS_A_DAY, at % MICROSECONDS_A_DAY);
    let seconds = moment / 1_000_000;
    let (year, month, day) = civil(FIRST_DAY + day);
    write!(
        record,
        ",{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06},{year}-{month:02}-{day:02},{},",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        moment % 1_000_000,
        random.one_in(2),
    )?;
    if !random.one_in(20) {
        write!(record, "{}", random.fraction())?;
    }
    for position in 0..4 + random.below(5) {
        let before = if position == 0 { ',' } else { ' ' };
        write!(record, "{before}{}", random.one_of(&WORDS))?;
    }
    record.push(b'\n');
    Ok(())
}

/// Year, month and day of a number of days after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that the day that may be missing is the last one.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (era * 400 + year + u64::from(is_next_year), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(FIRST_DAY), (2010, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
    }

    #[test]
    fn records_are_whole_and_have_as_many_fields_as_the_header() {
        let mut output = Vec::new();
        write_records(&mut output, 100_000).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert!(text.len() >= 100_000 && text.ends_with('\n'));
        assert!(text.lines().all(|line| line.split(',').count() == 9));
    }
}
