//! Random tables, as values and as Parquet.

use std::sync::Arc;

use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{NullBuffer, OffsetBuffer, i256};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::naive::{Column, Type, Value};

/// Random numbers that are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// A column's type in Arrow, with what it is in the content hash.
#[derive(Debug, Clone)]
pub struct Kind(pub DataType);

impl Kind {
    pub fn random(random: &mut Random, depth: u32) -> Self {
        use DataType as T;
        let nested = |random: &mut Random, depth| Self::random(random, depth - 1).0;
        let item = |data_type| Arc::new(Field::new("element", data_type, true));
        let choices = if depth == 0 { 24 } else { 29 };
        Self(match random.below(choices) {
            0 => T::Boolean,
            1 => T::Int8,
            2 => T::Int16,
            3 => T::Int32,
            4 => T::Int64,
            5 => T::UInt8,
            6 => T::UInt32,
            7 => T::UInt64,
            8 => T::Float16,
            9 => T::Float32,
            10 => T::Float64,
            11 => T::Decimal128(9, 2),
            12 => T::Decimal128(18, 6),
            13 => T::Decimal128(30, 10),
            14 => T::Decimal256(50, 3),
            15 => T::Utf8,
            16 => T::LargeUtf8,
            17 => T::Binary,
            18 => T::FixedSizeBinary(5),
            19 => T::Date32,
            20 => T::Time32(TimeUnit::Millisecond),
            21 => T::Time64(TimeUnit::Microsecond),
            22 => T::Timestamp(TimeUnit::Microsecond, None),
            23 => T::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            24 | 25 => T::List(item(nested(random, depth))),
            26 => T::LargeList(item(nested(random, depth))),
            27 => {
                let fields = [("x", nested(random, depth)), ("y", nested(random, depth))];
                T::Struct(
                    fields
                        .map(|(name, inner)| Field::new(name, inner, true))
                        .to_vec()
                        .into(),
                )
            }
            _ => {
                let fields = vec![
                    Field::new("key", T::Utf8, false),
                    Field::new("value", nested(random, depth), true),
                ];
                T::Map(
                    Arc::new(Field::new("key_value", T::Struct(fields.into()), false)),
                    false,
                )
            }
        })
    }

    pub fn naive(&self) -> Type {
        use DataType as T;
        let inner = |field: &FieldRef| Self(field.data_type().clone()).naive();
        match &self.0 {
            T::Boolean => Type::Bool,
            T::UInt64 => Type::UInt,
            T::Float16 | T::Float32 | T::Float64 => Type::Float,
            T::Decimal128(..) | T::Decimal256(..) => Type::Decimal,
            T::Utf8 | T::LargeUtf8 => Type::String,
            T::Binary | T::FixedSizeBinary(_) => Type::Binary,
            T::Date32 => Type::Date,
            T::Time32(_) | T::Time64(_) => Type::Time,
            T::Timestamp(_, None) => Type::Timestamp,
            T::Timestamp(_, Some(_)) => Type::TimestampTz,
            T::List(item) | T::LargeList(item) => Type::List(Box::new(inner(item))),
            T::Map(entries, _) => match entries.data_type() {
                T::Struct(fields) => {
                    Type::Map(Box::new(inner(&fields[0])), Box::new(inner(&fields[1])))
                }
                other => panic!("{other}"),
            },
            T::Struct(fields) => Type::Struct(
                fields
                    .iter()
                    .map(|field| (field.name().clone(), inner(field)))
                    .collect(),
            ),
            _ => Type::Int,
        }
    }

    pub fn value(&self, random: &mut Random, nulls: u64) -> Value {
        use DataType as T;
        if nulls > 0 && random.one_in(nulls) {
            return Value::Null;
        }
        let bits = random.next();
        // Small numbers and equal values are as likely as large ones.
        let signed = if random.one_in(2) {
            bits as i64
        } else {
            (bits % 7) as i64 - 3
        };
        let text = || {
            let length = if bits.is_multiple_of(50) {
                3000
            } else {
                bits % 20
            };
            let shared = "a shared beginning ".repeat((bits >> 32) as usize % 2);
            let own: String = (0..length)
                .map(|at| ['a', 'é', '0', '\n'][(bits >> (at % 40)) as usize % 4])
                .collect();
            shared + &own
        };
        let inner = |field: &FieldRef| Self(field.data_type().clone());
        match &self.0 {
            T::Boolean => Value::Bool(bits & 1 == 1),
            T::Int8 => Value::Int((signed as i8).into()),
            T::Int16 => Value::Int((signed as i16).into()),
            T::Int32 => Value::Int((signed as i32).into()),
            T::Int64 => Value::Int(signed),
            T::UInt8 => Value::Int((signed as u8).into()),
            T::UInt32 => Value::Int((signed as u32).into()),
            T::UInt64 => Value::UInt(signed as u64),
            T::Float16 => Value::Float(f64::from((signed % 1000) as f32) / 8.0),
            T::Float32 => Value::Float(f32::from_bits(bits as u32).into()),
            T::Float64 => match bits % 6 {
                0 => Value::Float(f64::NAN),
                1 => Value::Float(-0.0),
                2 => Value::Float(0.0),
                _ => Value::Float(f64::from_bits(bits)),
            },
            T::Decimal128(9, _) => Value::Decimal((signed % 1_000_000_000).into(), 2),
            T::Decimal128(18, _) => Value::Decimal((signed % 1_000_000_000_000_000_000).into(), 6),
            T::Decimal128(..) => Value::Decimal(i128::from(signed) * 1000, 10),
            T::Decimal256(..) => Value::Decimal(i128::from(signed) * 1_000_000, 3),
            T::Utf8 | T::LargeUtf8 => Value::String(text()),
            T::Binary => Value::Binary(text().into_bytes()),
            T::FixedSizeBinary(_) => Value::Binary(bits.to_le_bytes()[..5].to_vec()),
            T::Date32 => Value::Date((signed as i32).into()),
            T::Time32(_) => Value::Time((bits % 86_400_000) as i64 * 1_000_000),
            T::Time64(_) => Value::Time((bits % 86_400_000_000) as i64 * 1000),
            T::Timestamp(TimeUnit::Microsecond, _) => Value::Instant(i128::from(signed) * 1000),
            T::Timestamp(..) => Value::Instant(signed.into()),
            T::List(item) | T::LargeList(item) => Value::List(
                (0..bits % 4)
                    .map(|_| inner(item).value(random, nulls))
                    .collect(),
            ),
            T::Struct(fields) => Value::Struct(
                fields
                    .iter()
                    .map(|field| inner(field).value(random, nulls))
                    .collect(),
            ),
            T::Map(entries, _) => match entries.data_type() {
                T::Struct(fields) => {
                    let entry = |_| {
                        (
                            inner(&fields[0]).value(random, 0),
                            inner(&fields[1]).value(random, nulls),
                        )
                    };
                    Value::Map((0..bits % 4).map(entry).collect())
                }
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        }
    }

    pub fn array(&self, values: &[&Value]) -> ArrayRef {
        use DataType as T;
        macro_rules! numbers {
            ($type:ty, $pattern:pat => $native:expr) => {{
                let natives = values.iter().map(|value| match value {
                    $pattern => Some($native),
                    Value::Null => None,
                    other => panic!("{other:?}"),
                });
                let array: PrimitiveArray<$type> = natives
                    .collect::<Vec<Option<<$type as ArrowPrimitiveType>::Native>>>()
                    .into();
                Arc::new(array.with_data_type(self.0.clone())) as ArrayRef
            }};
        }
        let texts = || {
            values.iter().map(|value| match value {
                Value::String(text) => Some(text.as_str()),
                _ => None,
            })
        };
        let bytes = || {
            values.iter().map(|value| match value {
                Value::Binary(bytes) => Some(bytes.as_slice()),
                _ => None,
            })
        };
        let nulls = NullBuffer::from_iter(values.iter().map(|value| **value != Value::Null));
        let child =
            |field: &FieldRef, values: &[&Value]| Self(field.data_type().clone()).array(values);
        match &self.0 {
            T::Boolean => Arc::new(BooleanArray::from_iter(values.iter().map(
                |value| match value {
                    Value::Bool(value) => Some(*value),
                    _ => None,
                },
            ))),
            T::Int8 => numbers!(Int8Type, Value::Int(value) => *value as i8),
            T::Int16 => numbers!(Int16Type, Value::Int(value) => *value as i16),
            T::Int32 => numbers!(Int32Type, Value::Int(value) => *value as i32),
            T::Int64 => numbers!(Int64Type, Value::Int(value) => *value),
            T::UInt8 => numbers!(UInt8Type, Value::Int(value) => *value as u8),
            T::UInt32 => numbers!(UInt32Type, Value::Int(value) => *value as u32),
            T::UInt64 => numbers!(UInt64Type, Value::UInt(value) => *value),
            T::Float16 => {
                numbers!(Float16Type, Value::Float(value) => <Float16Type as ArrowPrimitiveType>::Native::from_f64(*value))
            }
            T::Float32 => numbers!(Float32Type, Value::Float(value) => *value as f32),
            T::Float64 => numbers!(Float64Type, Value::Float(value) => *value),
            T::Decimal128(..) => numbers!(Decimal128Type, Value::Decimal(value, _) => *value),
            T::Decimal256(..) => {
                numbers!(Decimal256Type, Value::Decimal(value, _) => i256::from_i128(*value))
            }
            T::Utf8 => Arc::new(texts().collect::<StringArray>()),
            T::LargeUtf8 => Arc::new(texts().collect::<LargeStringArray>()),
            T::Binary => Arc::new(bytes().collect::<BinaryArray>()),
            T::FixedSizeBinary(width) => Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes(), *width).unwrap(),
            ),
            T::Date32 => numbers!(Date32Type, Value::Date(value) => *value as i32),
            T::Time32(_) => {
                numbers!(Time32MillisecondType, Value::Time(value) => (*value / 1_000_000) as i32)
            }
            T::Time64(_) => numbers!(Time64MicrosecondType, Value::Time(value) => *value / 1000),
            T::Timestamp(TimeUnit::Microsecond, _) => {
                numbers!(TimestampMicrosecondType, Value::Instant(value) => (*value / 1000) as i64)
            }
            T::Timestamp(..) => {
                numbers!(TimestampNanosecondType, Value::Instant(value) => *value as i64)
            }
            T::List(item) | T::LargeList(item) => {
                let items: Vec<&Value> = values
                    .iter()
                    .flat_map(|value| match value {
                        Value::List(items) => items.iter().collect(),
                        _ => Vec::new(),
                    })
                    .collect();
                let lengths = values.iter().map(|value| match value {
                    Value::List(items) => items.len(),
                    _ => 0,
                });
                let items = child(item, &items);
                if let T::List(_) = &self.0 {
                    Arc::new(ListArray::new(
                        item.clone(),
                        OffsetBuffer::from_lengths(lengths),
                        items,
                        Some(nulls),
                    ))
                } else {
                    Arc::new(LargeListArray::new(
                        item.clone(),
                        OffsetBuffer::from_lengths(lengths),
                        items,
                        Some(nulls),
                    ))
                }
            }
            T::Struct(fields) => {
                let columns = (0..fields.len()).map(|at| {
                    let of_field: Vec<&Value> = values
                        .iter()
                        .map(|value| match value {
                            Value::Struct(fields) => &fields[at],
                            _ => &Value::Null,
                        })
                        .collect();
                    child(&fields[at], &of_field)
                });
                Arc::new(StructArray::new(
                    fields.clone(),
                    columns.collect(),
                    Some(nulls),
                ))
            }
            T::Map(entries, _) => {
                let T::Struct(fields) = entries.data_type() else {
                    panic!()
                };
                let all: Vec<&(Value, Value)> = values
                    .iter()
                    .flat_map(|value| match value {
                        Value::Map(entries) => entries.iter().collect(),
                        _ => Vec::new(),
                    })
                    .collect();
                let lengths = values.iter().map(|value| match value {
                    Value::Map(entries) => entries.len(),
                    _ => 0,
                });
                let keys = child(
                    &fields[0],
                    &all.iter().map(|entry| &entry.0).collect::<Vec<_>>(),
                );
                let map_values = child(
                    &fields[1],
                    &all.iter().map(|entry| &entry.1).collect::<Vec<_>>(),
                );
                let structs = StructArray::new(fields.clone(), vec![keys, map_values], None);
                Arc::new(MapArray::new(
                    entries.clone(),
                    OffsetBuffer::from_lengths(lengths),
                    structs,
                    Some(nulls),
                    false,
                ))
            }
            other => panic!("{other}"),
        }
    }
}

/// A table of values.
#[derive(Debug, Clone)]
pub struct Table {
    pub kinds: Vec<Kind>,
    pub columns: Vec<Column>,
    pub rows: usize,
}

impl Table {
    pub fn random(random: &mut Random, depth: u32) -> Self {
        let rows = [0, 1, 7, 64, 300][random.below(5) as usize];
        let kinds: Vec<Kind> = (0..1 + random.below(5))
            .map(|_| Kind::random(random, depth))
            .collect();
        let columns = kinds.iter().enumerate().map(|(at, kind)| {
            let nulls = [0, 2, 10][random.below(3) as usize];
            Column {
                name: format!("column {at}"),
                column_type: kind.naive(),
                values: (0..rows).map(|_| kind.value(random, nulls)).collect(),
            }
        });
        Self {
            columns: columns.collect(),
            kinds,
            rows,
        }
    }

    pub fn hash(&self) -> String {
        super::naive::hash(&self.columns, self.rows)
    }

    pub fn batch(&self) -> RecordBatch {
        let arrays = self
            .columns
            .iter()
            .zip(&self.kinds)
            .map(|(column, kind)| kind.array(&column.values.iter().collect::<Vec<_>>()));
        let fields: Fields = self
            .columns
            .iter()
            .zip(&self.kinds)
            .map(|(column, kind)| Field::new(&column.name, kind.0.clone(), true))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect()).unwrap()
    }

    /// The table in an encoding that is like no other.
    pub fn write(&self, random: &mut Random) -> Bytes {
        let batch = self.batch();
        let compression = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::ZSTD(ZstdLevel::try_new(1).unwrap()),
            Compression::GZIP(GzipLevel::default()),
            Compression::BROTLI(BrotliLevel::try_new(1).unwrap()),
            Compression::LZ4_RAW,
        ][random.below(6) as usize];
        let versions = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0];
        let sizes = [1, 3, 50, 8192];
        let mut properties = WriterProperties::builder()
            .set_compression(compression)
            .set_writer_version(versions[random.below(2) as usize])
            .set_dictionary_enabled(random.one_in(2))
            .set_data_page_row_count_limit(sizes[random.below(4) as usize])
            .set_write_batch_size(sizes[random.below(4) as usize])
            .set_max_row_group_row_count(Some([10, 100, 100_000][random.below(3) as usize]));
        for (column, kind) in self.columns.iter().zip(&self.kinds) {
            let path = ColumnPath::from(column.name.as_str());
            let encoding = match &kind.0 {
                DataType::Utf8 | DataType::Binary => [
                    Encoding::PLAIN,
                    Encoding::DELTA_BYTE_ARRAY,
                    Encoding::DELTA_LENGTH_BYTE_ARRAY,
                ][random.below(3) as usize],
                DataType::Int64 | DataType::Int32 => {
                    [Encoding::PLAIN, Encoding::DELTA_BINARY_PACKED][random.below(2) as usize]
                }
                DataType::Float64 => {
                    [Encoding::PLAIN, Encoding::BYTE_STREAM_SPLIT][random.below(2) as usize]
                }
                _ => continue,
            };
            if random.one_in(2) {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, encoding);
            }
        }
        let options = ArrowWriterOptions::new()
            .with_properties(properties.build())
            .with_skip_arrow_metadata(random.one_in(2));
        let mut file = Vec::new();
        let mut writer =
            ArrowWriter::try_new_with_options(&mut file, batch.schema(), options).unwrap();
        let step = [1, 17, 1000][random.below(3) as usize];
        for start in (0..batch.num_rows()).step_by(step) {
            writer
                .write(&batch.slice(start, step.min(batch.num_rows() - start)))
                .unwrap();
        }
        writer.close().unwrap();
        file.into()
    }
}
