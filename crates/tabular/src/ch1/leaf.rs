//! The values streams of types without children.

use arrow_array::cast::AsArray as _;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType, GenericByteArray, GenericByteViewArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use artstore_core::{Error, Result};

use super::decimal::DecimalText;
use super::rows::Rows;
use super::short_decimal::ShortDecimal;
use super::stream::Feed;
use super::types::{Instant, Int96};
use crate::error::wrong_array;

const NANOSECONDS: i64 = 1_000_000_000;
const DAY_MILLISECONDS: i64 = 86_400_000;

/// Feeds the values of `array` that are not null.
pub(super) fn feed_values(array: &dyn Array, rows: Rows<'_>, feed: &mut Feed<'_>) -> Result<()> {
    use DataType as T;
    let canonical_int = |value: i64| value.to_le_bytes();
    let float = |value: f64| canonical_float(value).to_le_bytes();
    match array.data_type() {
        T::Null => Ok(()),
        T::Boolean => booleans(array, rows, feed),
        T::Int8 => fixed::<Int8Type, 8>(array, rows, feed, |v| canonical_int(v.into())),
        T::Int16 => fixed::<Int16Type, 8>(array, rows, feed, |v| canonical_int(v.into())),
        T::Int32 => fixed::<Int32Type, 8>(array, rows, feed, |v| canonical_int(v.into())),
        T::Int64 => fixed::<Int64Type, 8>(array, rows, feed, canonical_int),
        T::UInt8 => fixed::<UInt8Type, 8>(array, rows, feed, |v| canonical_int(v.into())),
        T::UInt16 => fixed::<UInt16Type, 8>(array, rows, feed, |v| canonical_int(v.into())),
        T::UInt32 => fixed::<UInt32Type, 8>(array, rows, feed, |v| canonical_int(v.into())),
        T::UInt64 => fixed::<UInt64Type, 8>(array, rows, feed, u64::to_le_bytes),
        T::Float16 => fixed::<Float16Type, 8>(array, rows, feed, |v| float(v.to_f64())),
        T::Float32 => fixed::<Float32Type, 8>(array, rows, feed, |v| float(v.into())),
        T::Float64 => fixed::<Float64Type, 8>(array, rows, feed, float),
        T::Decimal32(_, scale) => decimals::<Decimal32Type>(array, rows, feed, *scale),
        T::Decimal64(_, scale) => decimals::<Decimal64Type>(array, rows, feed, *scale),
        T::Decimal128(_, scale) => decimals::<Decimal128Type>(array, rows, feed, *scale),
        T::Decimal256(_, scale) => wide_decimals(array, rows, feed, *scale),
        T::Utf8 => byte_array::<Utf8Type>(array, rows, feed),
        T::LargeUtf8 => byte_array::<LargeUtf8Type>(array, rows, feed),
        T::Binary => byte_array::<BinaryType>(array, rows, feed),
        T::LargeBinary => byte_array::<LargeBinaryType>(array, rows, feed),
        T::Utf8View => byte_views::<StringViewType>(array, rows, feed),
        T::BinaryView => byte_views::<BinaryViewType>(array, rows, feed),
        T::FixedSizeBinary(width) => fixed_size_binary(array, rows, feed, *width),
        _ => feed_times(array, rows, feed),
    }
}

fn feed_times(array: &dyn Array, rows: Rows<'_>, feed: &mut Feed<'_>) -> Result<()> {
    use DataType as T;
    use TimeUnit as U;
    let canonical_int = |value: i64| value.to_le_bytes();
    match array.data_type() {
        T::Date32 => fixed::<Date32Type, 8>(array, rows, feed, |v| canonical_int(v.into())),
        T::Date64 => fixed::<Date64Type, 8>(array, rows, feed, |v| {
            canonical_int(v.div_euclid(DAY_MILLISECONDS))
        }),
        T::Time32(U::Second) => times::<Time32SecondType>(array, rows, feed, NANOSECONDS),
        T::Time32(_) => times::<Time32MillisecondType>(array, rows, feed, 1_000_000),
        T::Time64(U::Microsecond) => times::<Time64MicrosecondType>(array, rows, feed, 1000),
        T::Time64(_) => times::<Time64NanosecondType>(array, rows, feed, 1),
        T::Timestamp(U::Second, _) => {
            fixed::<TimestampSecondType, 12>(array, rows, feed, parts::<1>)
        }
        T::Timestamp(U::Millisecond, _) => {
            fixed::<TimestampMillisecondType, 12>(array, rows, feed, parts::<1_000>)
        }
        T::Timestamp(U::Microsecond, _) => {
            fixed::<TimestampMicrosecondType, 12>(array, rows, feed, parts::<1_000_000>)
        }
        T::Timestamp(U::Nanosecond, _) => {
            fixed::<TimestampNanosecondType, 12>(array, rows, feed, parts::<NANOSECONDS>)
        }
        T::Duration(U::Second) => fixed::<DurationSecondType, 12>(array, rows, feed, parts::<1>),
        T::Duration(U::Millisecond) => {
            fixed::<DurationMillisecondType, 12>(array, rows, feed, parts::<1_000>)
        }
        T::Duration(U::Microsecond) => {
            fixed::<DurationMicrosecondType, 12>(array, rows, feed, parts::<1_000_000>)
        }
        T::Duration(U::Nanosecond) => {
            fixed::<DurationNanosecondType, 12>(array, rows, feed, parts::<NANOSECONDS>)
        }
        T::Interval(IntervalUnit::YearMonth) => {
            fixed::<IntervalYearMonthType, 16>(array, rows, feed, |months| interval(months, 0, 0))
        }
        T::Interval(IntervalUnit::DayTime) => {
            fixed::<IntervalDayTimeType, 16>(array, rows, feed, |value| {
                interval(0, value.days, i64::from(value.milliseconds) * 1_000_000)
            })
        }
        T::Interval(IntervalUnit::MonthDayNano) => {
            fixed::<IntervalMonthDayNanoType, 16>(array, rows, feed, |value| {
                interval(value.months, value.days, value.nanoseconds)
            })
        }
        other => Err(wrong_array("a type without children", other)),
    }
}

/// Feeds timestamps of Parquet's INT96, which come as their 12 raw bytes.
pub(super) fn feed_int96(array: &dyn Array, rows: Rows<'_>, feed: &mut Feed<'_>) -> Result<()> {
    let array = array
        .as_fixed_size_binary_opt()
        .filter(|array| array.value_length() == 12)
        .ok_or_else(|| wrong_array("INT96", array.data_type()))?;
    rows.for_each_valid(|row| {
        let Instant {
            seconds,
            nanoseconds,
        } = Int96::from_bytes(array.value(row)).instant();
        feed.one(joined(seconds, nanoseconds));
    });
    Ok(())
}

fn fixed<T: ArrowPrimitiveType, const N: usize>(
    array: &dyn Array,
    rows: Rows<'_>,
    feed: &mut Feed<'_>,
    canonical: impl Fn(T::Native) -> [u8; N],
) -> Result<()> {
    let array = array
        .as_primitive_opt::<T>()
        .ok_or_else(|| wrong_array("a primitive type", array.data_type()))?;
    let is_memory = cfg!(target_endian = "little")
        && matches!(array.data_type(), DataType::Int64 | DataType::UInt64);
    for range in rows.ranges {
        let values = &array.values()[range.clone()];
        match rows.nulls {
            None if is_memory => {
                let bytes = array.values().inner().as_slice();
                feed.bytes(&bytes[range.start * N..range.end * N]);
            }
            None => feed.all(values, &canonical),
            Some(nulls) => {
                feed.chosen(values, |at| nulls.is_valid(range.start + at), &canonical);
            }
        }
    }
    Ok(())
}

/// Every NaN is the same, and so is every zero.
pub(super) fn canonical_float(value: f64) -> f64 {
    if value.is_nan() {
        f64::from_bits(0x7ff8_0000_0000_0000)
    } else {
        value + 0.0
    }
}

/// Seconds, rounded down, and nanoseconds of `value` / `PER_SECOND` seconds.
fn parts<const PER_SECOND: i64>(value: i64) -> [u8; 12] {
    let seconds = value.div_euclid(PER_SECOND);
    let nanoseconds = value.rem_euclid(PER_SECOND) * (NANOSECONDS / PER_SECOND);
    joined(seconds, nanoseconds as u32)
}

fn joined(seconds: i64, nanoseconds: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&seconds.to_le_bytes());
    bytes[8..].copy_from_slice(&nanoseconds.to_le_bytes());
    bytes
}

fn interval(months: i32, days: i32, nanoseconds: i64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&months.to_le_bytes());
    bytes[4..8].copy_from_slice(&days.to_le_bytes());
    bytes[8..].copy_from_slice(&nanoseconds.to_le_bytes());
    bytes
}

fn times<T: ArrowPrimitiveType>(
    array: &dyn Array,
    rows: Rows<'_>,
    feed: &mut Feed<'_>,
    nanoseconds: i64,
) -> Result<()>
where
    T::Native: Into<i64>,
{
    let typed = array
        .as_primitive_opt::<T>()
        .ok_or_else(|| wrong_array("a time", array.data_type()))?;
    let mut out_of_range = None;
    rows.for_each_valid(|row| {
        let value: i64 = typed.values()[row].into();
        match value.checked_mul(nanoseconds) {
            Some(value) => feed.one(value.to_le_bytes()),
            None => out_of_range = Some(value),
        }
    });
    match out_of_range {
        None => Ok(()),
        Some(value) => Err(Error::invalid("a time of day is out of range").with("value", value)),
    }
}

fn decimals<T: ArrowPrimitiveType>(
    array: &dyn Array,
    rows: Rows<'_>,
    feed: &mut Feed<'_>,
    scale: i8,
) -> Result<()>
where
    T::Native: Into<i128>,
{
    let array = array
        .as_primitive_opt::<T>()
        .ok_or_else(|| wrong_array("a decimal", array.data_type()))?;
    let mut short = ShortDecimal::new(scale);
    let mut long = DecimalText::new();
    rows.for_each_valid(|row| {
        let value = array.values()[row].into();
        match short.as_mut().and_then(|short| short.of(value)) {
            Some((text, length)) => feed.prefixed(text, length),
            None => {
                let text = long.of(value, scale);
                feed.prefixed(text, text.len());
            }
        }
    });
    Ok(())
}

fn wide_decimals(array: &dyn Array, rows: Rows<'_>, feed: &mut Feed<'_>, scale: i8) -> Result<()> {
    let array = array
        .as_primitive_opt::<Decimal256Type>()
        .ok_or_else(|| wrong_array("a decimal", array.data_type()))?;
    let mut text = DecimalText::new();
    rows.for_each_valid(|row| {
        let value = array.values()[row];
        let text = match value.to_i128() {
            Some(value) => text.of(value, scale),
            None => text.of_text(&value.to_string(), scale),
        };
        feed.prefixed(text, text.len());
    });
    Ok(())
}

fn byte_array<T: ByteArrayType>(
    array: &dyn Array,
    rows: Rows<'_>,
    feed: &mut Feed<'_>,
) -> Result<()> {
    use arrow_buffer::ArrowNativeType as _;
    let array: &GenericByteArray<T> = array
        .as_bytes_opt::<T>()
        .ok_or_else(|| wrong_array("bytes", array.data_type()))?;
    let offsets = array.value_offsets();
    let data = array.value_data();
    rows.for_each_valid(|row| {
        let start = offsets[row].as_usize();
        let length = offsets[row + 1].as_usize() - start;
        feed.prefixed(&data[start..], length);
    });
    Ok(())
}

fn byte_views<T: ByteViewType>(
    array: &dyn Array,
    rows: Rows<'_>,
    feed: &mut Feed<'_>,
) -> Result<()> {
    let array: &GenericByteViewArray<T> = array
        .as_byte_view_opt::<T>()
        .ok_or_else(|| wrong_array("views of bytes", array.data_type()))?;
    let views = array.views();
    let buffers: Vec<&[u8]> = array
        .data_buffers()
        .iter()
        .map(|buffer| buffer.as_slice())
        .collect();
    rows.for_each_valid(|row| {
        let view = views[row];
        // The length is first. A short value follows it; of a long one four bytes, then its buffer and where it is there.
        let length = view as u32;
        if length <= MAX_INLINE_VIEW {
            feed.short(view >> 32, length);
        } else {
            let (buffer, start) = ((view >> 64) as u32, (view >> 96) as u32);
            feed.prefixed(&buffers[buffer as usize][start as usize..], length as usize);
        }
    });
    Ok(())
}

const MAX_INLINE_VIEW: u32 = 12;

fn fixed_size_binary(
    array: &dyn Array,
    rows: Rows<'_>,
    feed: &mut Feed<'_>,
    width: i32,
) -> Result<()> {
    let array = array
        .as_fixed_size_binary_opt()
        .ok_or_else(|| wrong_array("bytes of fixed length", array.data_type()))?;
    let width = width.unsigned_abs() as usize;
    rows.for_each_valid(|row| feed.prefixed(array.value(row), width));
    Ok(())
}

fn booleans(array: &dyn Array, rows: Rows<'_>, feed: &mut Feed<'_>) -> Result<()> {
    let array = array
        .as_boolean_opt()
        .ok_or_else(|| wrong_array("booleans", array.data_type()))?;
    for range in rows.ranges {
        let values = array.values().slice(range.start, range.len());
        match rows.nulls {
            None => bits(&values, None, feed),
            Some(nulls) => {
                let validity = nulls.inner().slice(range.start, range.len());
                bits(&values, Some(&validity), feed);
            }
        }
    }
    Ok(())
}

/// Feeds every bit as a byte, 64 at a time.
fn bits(values: &BooleanBuffer, validity: Option<&BooleanBuffer>, feed: &mut Feed<'_>) {
    let mut words = values.bit_chunks().iter_padded();
    let valid_chunks = validity.map(BooleanBuffer::bit_chunks);
    let mut valid_words = valid_chunks.as_ref().map(|chunks| chunks.iter_padded());
    let mut left = values.len();
    while left > 0 {
        let count = left.min(64);
        left -= count;
        let mask = if count == 64 {
            u64::MAX
        } else {
            (1 << count) - 1
        };
        let word = words.next().unwrap_or_default();
        let valid = valid_words
            .as_mut()
            .map_or(u64::MAX, |words| words.next().unwrap_or_default());
        feed.bits(word, valid & mask);
    }
}
