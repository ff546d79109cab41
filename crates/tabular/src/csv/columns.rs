//! Fields to Arrow arrays.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampNanosecondType, UInt64Type,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::{
    BooleanBufferBuilder, Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use artstore_core::table::ColumnType;

use super::records::Records;
use super::value::{self, Moment};

/// What becomes of a column.
#[derive(Debug, Clone)]
pub(super) struct Target {
    name: String,
    column_type: ColumnType,
    unit: TimeUnit,
}

impl Target {
    /// Times are kept in microseconds, or in nanoseconds where they need them.
    pub(super) fn new(name: &str, column_type: ColumnType, needs_nanoseconds: bool) -> Self {
        let unit = if needs_nanoseconds {
            TimeUnit::Nanosecond
        } else {
            TimeUnit::Microsecond
        };
        Self {
            name: name.to_owned(),
            column_type,
            unit,
        }
    }

    /// Whether it holds times in nanoseconds.
    pub(super) fn is_in_nanoseconds(&self) -> bool {
        let is_time = matches!(
            self.column_type,
            ColumnType::Time | ColumnType::Timestamp | ColumnType::TimestampTz
        );
        is_time && self.unit == TimeUnit::Nanosecond
    }

    fn data_type(&self) -> DataType {
        match self.column_type {
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Int => DataType::Int64,
            ColumnType::UInt => DataType::UInt64,
            ColumnType::Float => DataType::Float64,
            ColumnType::Decimal { precision, scale } => {
                DataType::Decimal128(precision, scale.cast_signed())
            }
            ColumnType::Date => DataType::Date32,
            ColumnType::Time => DataType::Time64(self.unit),
            ColumnType::Timestamp => DataType::Timestamp(self.unit, None),
            ColumnType::TimestampTz => DataType::Timestamp(self.unit, Some("UTC".into())),
            ColumnType::String => DataType::Utf8,
        }
    }

    /// The fields of `records` in the column at `position`; `None` if one is not of the type, which the first reading has
    /// ruled out.
    pub(super) fn array(&self, records: &Records, position: usize) -> Option<ArrayRef> {
        let fields = Fields {
            records,
            position,
            data_type: self.data_type(),
        };
        let is_fine = self.unit == TimeUnit::Nanosecond;
        match self.column_type {
            ColumnType::Bool => fields.booleans(),
            ColumnType::Int => fields.primitives::<Int64Type>(value::integer),
            ColumnType::UInt => fields.primitives::<UInt64Type>(value::unsigned),
            ColumnType::Float => fields.primitives::<Float64Type>(value::float),
            ColumnType::Decimal { precision, scale } => {
                fields.primitives::<Decimal128Type>(|field| value::decimal(field, precision, scale))
            }
            ColumnType::Date => fields.primitives::<Date32Type>(value::date),
            ColumnType::Time if is_fine => {
                fields.primitives::<Time64NanosecondType>(time_in_nanoseconds)
            }
            ColumnType::Time => fields.primitives::<Time64MicrosecondType>(time_in_microseconds),
            ColumnType::Timestamp | ColumnType::TimestampTz if is_fine => {
                fields.primitives::<TimestampNanosecondType>(|field| moment(field)?.nanoseconds())
            }
            ColumnType::Timestamp | ColumnType::TimestampTz => fields
                .primitives::<TimestampMicrosecondType>(|field| {
                    Some(moment(field)?.microseconds())
                }),
            ColumnType::String => fields.strings(),
        }
    }
}

/// The schema of a table with these columns.
pub(super) fn schema(targets: impl Iterator<Item = Target>) -> SchemaRef {
    let fields: Vec<Field> = targets
        .map(|target| Field::new(&target.name, target.data_type(), true))
        .collect();
    Arc::new(Schema::new(fields))
}

fn moment(field: &[u8]) -> Option<Moment> {
    if field.len() == 10 {
        return value::date(field).map(Moment::midnight);
    }
    value::moment(field)
}

fn time_in_nanoseconds(field: &[u8]) -> Option<i64> {
    let time = value::time(field)?;
    Some(i64::from(time.seconds) * 1_000_000_000 + i64::from(time.nanoseconds))
}

fn time_in_microseconds(field: &[u8]) -> Option<i64> {
    time_in_nanoseconds(field).map(|nanoseconds| nanoseconds / 1_000)
}

/// The fields of one column.
#[derive(Debug)]
struct Fields<'a> {
    records: &'a Records,
    position: usize,
    data_type: DataType,
}

impl<'a> Fields<'a> {
    fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (records, position) = (self.records, self.position);
        (0..records.len()).map(move |record| records.field(record, position))
    }

    fn primitives<T: ArrowPrimitiveType>(
        self,
        parse: impl Fn(&[u8]) -> Option<T::Native>,
    ) -> Option<ArrayRef> {
        let mut values = Vec::with_capacity(self.records.len());
        let mut nulls = NullBufferBuilder::new(self.records.len());
        for field in self.iter() {
            nulls.append(!field.is_empty());
            values.push(if field.is_empty() {
                T::Native::default()
            } else {
                parse(field)?
            });
        }
        let values = ScalarBuffer::from(values);
        let array = PrimitiveArray::<T>::try_new(values, nulls.finish()).ok()?;
        Some(Arc::new(array.with_data_type(self.data_type)))
    }

    fn booleans(self) -> Option<ArrayRef> {
        let mut values = BooleanBufferBuilder::new(self.records.len());
        let mut nulls = NullBufferBuilder::new(self.records.len());
        for field in self.iter() {
            nulls.append(!field.is_empty());
            values.append(!field.is_empty() && value::boolean(field)?);
        }
        Some(Arc::new(BooleanArray::new(values.finish(), nulls.finish())))
    }

    fn strings(self) -> Option<ArrayRef> {
        let mut text = Vec::with_capacity(self.records.column_bytes(self.position));
        let mut offsets = Vec::with_capacity(self.records.len() + 1);
        let mut nulls = NullBufferBuilder::new(self.records.len());
        offsets.push(0);
        for field in self.iter() {
            nulls.append(!field.is_empty());
            text.extend_from_slice(field);
            offsets.push(i32::try_from(text.len()).ok()?);
        }
        let nulls: Option<NullBuffer> = nulls.finish();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let array = StringArray::try_new(offsets, Buffer::from_vec(text), nulls).ok()?;
        Some(Arc::new(array))
    }
}
