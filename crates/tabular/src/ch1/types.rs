//! Types in the words of the content hash.

use arrow_schema::{DataType, Field, TimeUnit};

/// The key in a field's metadata that says that the 12 bytes of its values are a timestamp of Parquet's INT96. Only this
/// crate writes it: metadata of sources are not read.
pub(crate) const INT96_KEY: &str = "artstore.int96";

/// The type with the encodings of its values taken off.
pub(crate) fn decoded_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => decoded_type(values),
        DataType::RunEndEncoded(_, values) => decoded_type(values.data_type()),
        other => other,
    }
}

/// Whether the values of `field` are timestamps of Parquet's INT96.
pub(crate) fn is_int96(field: &Field) -> bool {
    matches!(field.data_type(), DataType::FixedSizeBinary(12))
        && field.metadata().contains_key(INT96_KEY)
}

/// The name of the type of `field` in the content hash; `None` if it has none.
pub(crate) fn type_name(field: &Field) -> Option<&'static str> {
    use DataType as T;
    if is_int96(field) {
        return Some("timestamp");
    }
    Some(match decoded_type(field.data_type()) {
        T::Null => "null",
        T::Boolean => "bool",
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => "int",
        T::UInt64 => "uint",
        T::Float16 | T::Float32 | T::Float64 => "float",
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => "decimal",
        T::Utf8 | T::LargeUtf8 | T::Utf8View => "string",
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => "binary",
        T::Date32 | T::Date64 => "date",
        T::Time32(_) | T::Time64(_) => "time",
        T::Timestamp(_, None) => "timestamp",
        T::Timestamp(_, Some(_)) => "timestamptz",
        T::Duration(_) => "duration",
        T::Interval(_) => "interval",
        T::List(_)
        | T::LargeList(_)
        | T::ListView(_)
        | T::LargeListView(_)
        | T::FixedSizeList(..) => "list",
        T::Map(..) => "map",
        T::Struct(_) => "struct",
        _ => return None,
    })
}

/// The type of `field` in words for people.
pub(crate) fn type_words(field: &Field) -> String {
    use DataType as T;
    match decoded_type(field.data_type()) {
        T::Decimal32(precision, scale)
        | T::Decimal64(precision, scale)
        | T::Decimal128(precision, scale)
        | T::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        T::List(item)
        | T::LargeList(item)
        | T::ListView(item)
        | T::LargeListView(item)
        | T::FixedSizeList(item, _) => format!("list<{}>", type_words(item)),
        T::Map(entries, _) => match entries.data_type() {
            T::Struct(fields) if fields.len() == 2 => {
                format!(
                    "map<{}, {}>",
                    type_words(&fields[0]),
                    type_words(&fields[1])
                )
            }
            _ => "map".to_owned(),
        },
        T::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}: {}", field.name(), type_words(field)))
                .collect();
            format!("struct<{}>", fields.join(", "))
        }
        T::Union(..) => "union".to_owned(),
        _ => type_name(field).unwrap_or("other").to_owned(),
    }
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    /// Since 1970-01-01, rounded down.
    pub(crate) seconds: i64,
    /// Less than a second.
    pub(crate) nanoseconds: u32,
}

impl Instant {
    const PER_SECOND: i64 = 1_000_000_000;

    /// `value` units after 1970-01-01.
    pub(crate) fn from_units(value: i64, unit: TimeUnit) -> Self {
        let per_second = match unit {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => Self::PER_SECOND,
        };
        let fraction = value.rem_euclid(per_second) * (Self::PER_SECOND / per_second);
        Self {
            seconds: value.div_euclid(per_second),
            nanoseconds: fraction as u32,
        }
    }

    /// Nanoseconds since 1970-01-01.
    pub(crate) fn as_nanoseconds(self) -> i128 {
        i128::from(self.seconds) * i128::from(Self::PER_SECOND) + i128::from(self.nanoseconds)
    }
}

/// A timestamp as Parquet's INT96: nanoseconds in a Julian day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int96 {
    nanoseconds_of_day: i64,
    julian_day: i32,
}

impl Int96 {
    const JULIAN_DAY_OF_EPOCH: i64 = 2_440_588;
    const DAY_SECONDS: i64 = 86_400;

    /// From 12 bytes; missing ones count as zero.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut all = [0; 12];
        all.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let [a, b, c, d, e, f, g, h, i, j, k, l] = all;
        Self {
            nanoseconds_of_day: i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            julian_day: i32::from_le_bytes([i, j, k, l]),
        }
    }

    /// The point in time: no value overflows.
    pub(crate) fn instant(self) -> Instant {
        let in_day = Instant::from_units(self.nanoseconds_of_day, TimeUnit::Nanosecond);
        let days = i64::from(self.julian_day) - Self::JULIAN_DAY_OF_EPOCH;
        Instant {
            seconds: days * Self::DAY_SECONDS + in_day.seconds,
            nanoseconds: in_day.nanoseconds,
        }
    }
}
