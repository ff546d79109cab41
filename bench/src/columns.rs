//! Columns in memory, and how long their canonical form is.
//!
//! The lengths follow `docs/formats/content-hash.md`; what frames a column does not count.

use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{Field, Schema, SchemaRef};

use crate::random::Sequence;

/// What columns are called, with how they are made and about how many bytes a value takes.
const KINDS: &[(&str, u64, Make)] = &[
    ("int64", 8, int),
    ("int64 with nulls", 8, nullable_int),
    ("float64", 8, float),
    ("float64 with NaN", 8, float_with_nan),
    ("short string", 14, short_string),
    ("long string", 200, long_string),
    ("timestamp", 12, timestamp),
    ("bool", 1, boolean),
    ("decimal", 18, decimal),
];

pub(crate) const NAMES: [&str; KINDS.len()] = {
    let mut names = [""; KINDS.len()];
    let mut position = 0;
    while position < KINDS.len() {
        names[position] = KINDS[position].0;
        position += 1;
    }
    names
};

/// Makes so many values, and says how many bytes their canonical form has.
type Make = fn(&mut Sequence, usize) -> (ArrayRef, u64);

const CANONICAL_BYTES: u64 = 64 << 20;
const MAX_ROWS: u64 = 16 << 20;
const BATCH_ROWS: u64 = 8192;
const SEED: u64 = 400;

/// What a length, a count or the place of a null takes.
const NUMBER_BYTES: u64 = 8;

/// A table of one column.
pub(crate) struct Column {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) canonical_bytes: u64,
}

impl Column {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let kind = KINDS.iter().find(|(known, ..)| *known == name);
        let (_, width, make) = kind.with_context(|| format!("no column is called `{name}`"))?;
        Self::of_rows((CANONICAL_BYTES / width).min(MAX_ROWS), *make)
    }

    fn of_rows(rows: u64, make: Make) -> Result<Self> {
        let mut random = Sequence::new(SEED);
        let (empty, _) = make(&mut random, 0);
        let field = Field::new("column", empty.data_type().clone(), true);
        let schema = Arc::new(Schema::new(vec![field]));
        let mut batches = Vec::new();
        let mut canonical_bytes = 0;
        for first in (0..rows).step_by(BATCH_ROWS as usize) {
            let count = BATCH_ROWS.min(rows - first) as usize;
            let (array, bytes) = make(&mut random, count);
            canonical_bytes += bytes;
            batches.push(RecordBatch::try_new(Arc::clone(&schema), vec![array])?);
        }
        Ok(Self {
            schema,
            batches,
            canonical_bytes,
        })
    }
}

fn fixed(array: impl Array + 'static, width: u64) -> (ArrayRef, u64) {
    let values = (array.len() - array.null_count()) as u64;
    let bytes = values * width + array.null_count() as u64 * NUMBER_BYTES;
    (Arc::new(array), bytes)
}

fn int(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    let values = (0..count).map(|_| random.next() as i64);
    fixed(Int64Array::from_iter_values(values), 8)
}

/// One in ten is null.
fn nullable_int(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    let values = (0..count).map(|_| (!random.one_in(10)).then(|| random.next() as i64));
    fixed(values.collect::<Int64Array>(), 8)
}

fn float(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    let values = (0..count).map(|_| random.fraction());
    fixed(Float64Array::from_iter_values(values), 8)
}

/// One in ten is not a number.
fn float_with_nan(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    let mut value = || match random.below(10) {
        0 => f64::NAN,
        _ => random.fraction(),
    };
    let values = (0..count).map(|_| value());
    fixed(Float64Array::from_iter_values(values), 8)
}

fn short_string(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    strings(random, count, 2..=10)
}

fn long_string(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    strings(random, count, 100..=284)
}

fn strings(
    random: &mut Sequence,
    count: usize,
    lengths: std::ops::RangeInclusive<u64>,
) -> (ArrayRef, u64) {
    const TEXT: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    let spread = lengths.end() - lengths.start() + 1;
    let mut value = || {
        let length = (lengths.start() + random.below(spread)) as usize;
        let start = random.below(TEXT.len() as u64) as usize;
        TEXT.chars()
            .cycle()
            .skip(start)
            .take(length)
            .collect::<String>()
    };
    let array = StringArray::from_iter_values((0..count).map(|_| value()));
    let bytes = array.value_data().len() as u64 + count as u64 * NUMBER_BYTES;
    (Arc::new(array), bytes)
}

fn timestamp(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    let values = (0..count).map(|_| random.below(2_000_000_000_000_000) as i64);
    fixed(TimestampMicrosecondArray::from_iter_values(values), 12)
}

fn boolean(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    let values = (0..count).map(|_| Some(random.one_in(2)));
    fixed(values.collect::<BooleanArray>(), 1)
}

/// With two digits after the point.
fn decimal(random: &mut Sequence, count: usize) -> (ArrayRef, u64) {
    let values: Vec<i128> = (0..count)
        .map(|_| i128::from(random.next() as i64) / 1_000_000)
        .collect();
    let bytes = values
        .iter()
        .map(|value| NUMBER_BYTES + decimal_length(*value))
        .sum();
    let array =
        Decimal128Array::from(values).with_data_type(arrow_schema::DataType::Decimal128(18, 2));
    (Arc::new(array), bytes)
}

/// The length of a number of hundredths as plain decimal text.
fn decimal_length(hundredths: i128) -> u64 {
    let whole = hundredths.unsigned_abs() / 100;
    let digits = whole.checked_ilog10().unwrap_or(0) + 1;
    let fraction = match hundredths.unsigned_abs() % 100 {
        0 => 0,
        part if part % 10 == 0 => 2,
        _ => 3,
    };
    u64::from(u32::from(hundredths < 0) + digits + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_lengths_are_those_of_the_specification() {
        for (name, bytes) in [("int64", 8), ("timestamp", 12), ("bool", 1)] {
            let (_, _, make) = KINDS.iter().find(|(known, ..)| *known == name).unwrap();
            let column = Column::of_rows(10_000, *make).unwrap();
            assert_eq!(column.canonical_bytes, bytes * 10_000, "{name}");
            assert_eq!(column.batches.len(), 2);
        }
        // A null takes its place instead of its value, which are 8 bytes each.
        let column = Column::of_rows(10_000, nullable_int).unwrap();
        assert_eq!(column.canonical_bytes, 80_000);
        for (hundredths, text) in [
            (0, "0"),
            (-160, "-1.6"),
            (12_345, "123.45"),
            (-100, "-1"),
            (7, "0.07"),
        ] {
            assert_eq!(decimal_length(hundredths), text.len() as u64, "{text}");
        }
    }
}
