//! Rows in the order of sort keys.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date64Type, Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::{DataType, Field, Schema};
use artstore_core::{Error, Result};

use super::leaf::canonical_float;
use super::types::{Int96, decoded_type, is_int96};
use super::{ColumnHasher, Scratch, decoded, missing_column};
use crate::error::{OrComputation as _, wrong_array};
use crate::facts::Plan;
use crate::limits::MAX_SORT_BYTES;

/// Rows that are hashed at once.
const BATCH_ROWS: usize = 8192;

/// Keeps all rows and hashes them when they are complete.
pub(crate) struct Sorter {
    hashers: Vec<ColumnHasher>,
    canonical: Vec<usize>,
    keys: Vec<Key>,
    converter: RowConverter,
    batches: Vec<Batch>,
    bytes: u64,
}

struct Batch {
    columns: Vec<ArrayRef>,
    keys: Rows,
}

/// A column that rows are compared by.
struct Key {
    column: usize,
    normal: Normal,
}

/// How a column is brought into a form whose order is the right one.
#[derive(Clone, Copy)]
enum Normal {
    AsItIs,
    Float,
    Days,
    Int96,
}

impl Sorter {
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if a sort key cannot be sorted by.
    pub(crate) fn new(schema: &Schema, plan: &Plan, hashers: Vec<ColumnHasher>) -> Result<Self> {
        let mut keys = Vec::new();
        let mut fields = Vec::new();
        let ties = plan
            .canonical
            .iter()
            .filter(|column| !plan.sort_keys.contains(column));
        for &column in plan.sort_keys.iter().chain(ties) {
            let Some((normal, data_type)) = normal_form(schema.field(column)) else {
                continue;
            };
            keys.push(Key { column, normal });
            let options = arrow_schema::SortOptions {
                descending: false,
                nulls_first: false,
            };
            fields.push(SortField::new_with_options(data_type, options));
        }
        Ok(Self {
            hashers,
            canonical: plan.canonical.clone(),
            keys,
            converter: RowConverter::new(fields).or_computation()?,
            batches: Vec::new(),
            bytes: 0,
        })
    }

    /// Whether a column can be a sort key.
    pub(crate) fn can_sort_by(field: &Field) -> bool {
        normal_form(field).is_some()
    }

    /// Keeps `rows` rows.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if there are too many.
    pub(crate) fn update(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let column = |&index: &usize| columns.get(index).ok_or_else(missing_column);
        let mut kept = Vec::with_capacity(self.canonical.len());
        for index in &self.canonical {
            kept.push(compact(decoded(column(index)?)?));
        }
        let keys: Result<Vec<ArrayRef>> = self
            .keys
            .iter()
            .map(|key| normalised(&decoded(column(&key.column)?)?, key.normal))
            .collect();
        let keys = self.converter.convert_columns(&keys?).or_computation()?;
        let columns_bytes: usize = kept.iter().map(|array| array.get_array_memory_size()).sum();
        self.bytes += (columns_bytes + keys.size()) as u64;
        self.batches.push(Batch {
            columns: kept,
            keys,
        });
        if self.bytes > MAX_SORT_BYTES {
            return Err(too_large(self.bytes));
        }
        Ok(())
    }

    /// The hashers, fed with all rows in order.
    ///
    /// # Errors
    /// As hashers.
    pub(crate) fn finish(self, scratch: &mut Scratch) -> Result<Vec<ColumnHasher>> {
        let mut order: Vec<(u32, u32)> = Vec::new();
        for (batch, content) in self.batches.iter().enumerate() {
            order.extend((0..content.keys.num_rows()).map(|row| (batch as u32, row as u32)));
        }
        let key = |&(batch, row): &(u32, u32)| self.batches[batch as usize].keys.row(row as usize);
        order.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut hashers = self.hashers;
        for (position, hasher) in hashers.iter_mut().enumerate() {
            let arrays: Vec<&dyn Array> = self
                .batches
                .iter()
                .map(|batch| batch.columns[position].as_ref())
                .collect();
            for rows in order.chunks(BATCH_ROWS) {
                let rows: Vec<(usize, usize)> = rows
                    .iter()
                    .map(|&(batch, row)| (batch as usize, row as usize))
                    .collect();
                let array =
                    arrow_select::interleave::interleave(&arrays, &rows).or_computation()?;
                hasher.update(&array, scratch)?;
            }
        }
        Ok(hashers)
    }
}

fn too_large(bytes: u64) -> Error {
    Error::invalid("the table is too large to be sorted")
        .with("limit", MAX_SORT_BYTES)
        .with("needed", format_args!("{bytes} or more"))
        .hint("register the type without sort keys and write tables in a fixed order, or split the table")
}

/// How a column is normalised, and the type that it has then; `None` if it has no order.
fn normal_form(field: &Field) -> Option<(Normal, DataType)> {
    use DataType as T;
    if is_int96(field) {
        return Some((Normal::Int96, T::Decimal128(38, 0)));
    }
    let data_type = decoded_type(field.data_type());
    match data_type {
        T::Float16 | T::Float32 | T::Float64 => Some((Normal::Float, T::Float64)),
        T::Date64 => Some((Normal::Days, T::Int64)),
        T::Null
        | T::Interval(_)
        | T::List(_)
        | T::LargeList(_)
        | T::ListView(_)
        | T::LargeListView(_)
        | T::FixedSizeList(..)
        | T::Map(..)
        | T::Struct(_)
        | T::Union(..) => None,
        other => Some((Normal::AsItIs, other.clone())),
    }
}

fn normalised(array: &ArrayRef, normal: Normal) -> Result<ArrayRef> {
    let wrong = || wrong_array("a sort key", array.data_type());
    Ok(match normal {
        Normal::AsItIs => array.clone(),
        Normal::Float => {
            let floats: Float64Array = match array.data_type() {
                DataType::Float16 => array
                    .as_primitive_opt::<Float16Type>()
                    .ok_or_else(wrong)?
                    .unary(|value| canonical_float(value.to_f64())),
                DataType::Float32 => array
                    .as_primitive_opt::<Float32Type>()
                    .ok_or_else(wrong)?
                    .unary(|value| canonical_float(value.into())),
                _ => array
                    .as_primitive_opt::<Float64Type>()
                    .ok_or_else(wrong)?
                    .unary(canonical_float),
            };
            Arc::new(floats)
        }
        Normal::Days => {
            let dates = array.as_primitive_opt::<Date64Type>().ok_or_else(wrong)?;
            let days: Int64Array = dates.unary(|value| value.div_euclid(86_400_000));
            Arc::new(days)
        }
        Normal::Int96 => {
            let values = array.as_fixed_size_binary_opt().ok_or_else(wrong)?;
            let instants: Decimal128Array = values
                .iter()
                .map(|value| value.map(|bytes| Int96::from_bytes(bytes).instant().as_nanoseconds()))
                .collect();
            Arc::new(instants.with_precision_and_scale(38, 0).or_computation()?)
        }
    })
}

/// Views without the bytes of their neighbours.
fn compact(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::BinaryView => Arc::new(array.as_binary_view().gc()),
        _ => array,
    }
}
