//! The earliest and the latest time of a column.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Date64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use artstore_core::Result;
use artstore_core::time::Timestamp;

use crate::ch1::{Instant, Int96, decoded};
use crate::error::wrong_array;

const DAY_SECONDS: i64 = 86_400;
const MILLISECOND: i128 = 1_000_000;

/// The first and the last millisecond that a [`Timestamp`] can say.
const MILLISECONDS: (i64, i64) = (-62_167_219_200_000, 253_402_207_200_000);

/// Keeps the earliest and the latest time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TimeRange(Option<(Instant, Instant)>);

impl TimeRange {
    /// Adds the times of `array`: timestamps, dates, or the 12 bytes of Parquet's INT96.
    ///
    /// # Errors
    /// [`Internal`](artstore_core::ErrorKind::Internal) if it holds anything else.
    pub(crate) fn update(&mut self, array: &ArrayRef) -> Result<()> {
        use TimeUnit as U;
        let array = decoded(array)?;
        let found = match array.data_type() {
            DataType::Timestamp(U::Second, _) => units::<TimestampSecondType>(&array, U::Second),
            DataType::Timestamp(U::Millisecond, _) => {
                units::<TimestampMillisecondType>(&array, U::Millisecond)
            }
            DataType::Timestamp(U::Microsecond, _) => {
                units::<TimestampMicrosecondType>(&array, U::Microsecond)
            }
            DataType::Timestamp(U::Nanosecond, _) => {
                units::<TimestampNanosecondType>(&array, U::Nanosecond)
            }
            DataType::Date32 => extremes::<Date32Type>(&array).map(|range| {
                range.map(|day| Instant::from_units(i64::from(day) * DAY_SECONDS, U::Second))
            }),
            DataType::Date64 => extremes::<Date64Type>(&array).map(|range| {
                range.map(|value| midnight(Instant::from_units(value, U::Millisecond)))
            }),
            DataType::FixedSizeBinary(12) => array.as_fixed_size_binary_opt().and_then(|values| {
                let instants = values
                    .iter()
                    .flatten()
                    .map(|bytes| Int96::from_bytes(bytes).instant());
                instants
                    .fold(None, |range, instant| Some(widened(range, instant)))
                    .map(|(a, b)| [a, b])
            }),
            other => return Err(wrong_array("times", other)),
        };
        for instant in found.into_iter().flatten() {
            self.0 = Some(widened(self.0, instant));
        }
        Ok(())
    }

    /// Adds the times of another part of the column.
    pub(crate) fn merge(&mut self, other: Self) {
        if let Some((earliest, latest)) = other.0 {
            self.0 = Some(widened(self.0, earliest));
            self.0 = Some(widened(self.0, latest));
        }
    }

    /// The earliest time, rounded down to the millisecond.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        let (earliest, _) = self.0?;
        saturated(earliest.as_nanoseconds().div_euclid(MILLISECOND))
    }

    /// The latest time, rounded up to the millisecond.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        let (_, latest) = self.0?;
        saturated((latest.as_nanoseconds() + MILLISECOND - 1).div_euclid(MILLISECOND))
    }
}

fn widened(range: Option<(Instant, Instant)>, instant: Instant) -> (Instant, Instant) {
    match range {
        None => (instant, instant),
        Some((earliest, latest)) => (earliest.min(instant), latest.max(instant)),
    }
}

fn midnight(instant: Instant) -> Instant {
    Instant {
        seconds: instant.seconds.div_euclid(DAY_SECONDS) * DAY_SECONDS,
        nanoseconds: 0,
    }
}

fn saturated(milliseconds: i128) -> Option<Timestamp> {
    let (first, last) = MILLISECONDS;
    let within = milliseconds.clamp(first.into(), last.into());
    Timestamp::from_unix_milliseconds(i64::try_from(within).ok()?).ok()
}

fn units<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    unit: TimeUnit,
) -> Option<[Instant; 2]> {
    extremes::<T>(array).map(|range| range.map(|value| Instant::from_units(value, unit)))
}

fn extremes<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<[T::Native; 2]>
where
    T::Native: Ord,
{
    let array: &PrimitiveArray<T> = array.as_primitive_opt()?;
    if array.null_count() == 0 {
        let values = array.values();
        return Some([*values.iter().min()?, *values.iter().max()?]);
    }
    let values = || array.iter().flatten();
    Some([values().min()?, values().max()?])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        Date32Array, Date64Array, TimestampMillisecondArray, TimestampNanosecondArray,
        TimestampSecondArray,
    };

    use super::*;

    fn check(array: impl Array + 'static, expected: Option<(&str, &str)>) {
        let mut range = TimeRange::default();
        range.update(&(Arc::new(array) as ArrayRef)).unwrap();
        let mut merged = TimeRange::default();
        merged.merge(range);
        let found = merged.earliest().zip(merged.latest());
        let found = found.map(|(a, b)| (a.to_string(), b.to_string()));
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn times_are_rounded_outwards() {
        check(
            TimestampNanosecondArray::from(vec![Some(-1), None, Some(1_000_001)]),
            Some(("1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.002Z")),
        );
        check(
            TimestampMillisecondArray::from(vec![5, 3]),
            Some(("1970-01-01T00:00:00.003Z", "1970-01-01T00:00:00.005Z")),
        );
    }

    #[test]
    fn dates_are_their_midnight() {
        let expected = Some(("1969-12-31T00:00:00.000Z", "1970-01-02T00:00:00.000Z"));
        check(Date32Array::from(vec![1, -1]), expected);
        check(Date64Array::from(vec![86_400_001, -1]), expected);
    }

    #[test]
    fn times_out_of_range_saturate() {
        let ends = Some(("0000-01-01T00:00:00.000Z", "9999-12-30T22:00:00.000Z"));
        check(TimestampSecondArray::from(vec![i64::MIN, i64::MAX]), ends);
        check(
            TimestampMillisecondArray::from(vec![i64::MIN, i64::MAX]),
            ends,
        );
        check(Date64Array::from(vec![i64::MIN, i64::MAX]), ends);
        assert!(Timestamp::from_unix_milliseconds(MILLISECONDS.0 - 1).is_err());
        assert!(Timestamp::from_unix_milliseconds(MILLISECONDS.1 + 1).is_err());
    }

    #[test]
    fn nulls_have_no_time() {
        check(TimestampSecondArray::from(vec![None, None]), None);
        check(TimestampSecondArray::from(Vec::<i64>::new()), None);
    }
}
