//! The types that a file's own physical and logical types give.
//!
//! Each column at the top level gets a schema of its own, in which types that the library would interpret differently from
//! the content hash are given as the bytes that they are.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields};
use artstore_core::{Error, Result};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as PhysicalType};
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};

use crate::ch1::INT96_KEY;
use crate::error::{above_limit, guarded, not_readable, refused, unsupported};
use crate::limits::MAX_FIXED_LENGTH;

const INT96_BYTES: i32 = 12;

/// A column at the top level.
#[derive(Debug)]
pub(super) struct Root {
    /// Its type in Parquet.
    pub(super) parquet_type: TypePtr,
    /// Its name and type in Arrow, with views of byte arrays.
    pub(super) field: FieldRef,
    /// The physical types of its leaves in the file.
    pub(super) physical_types: Vec<PhysicalType>,
    /// The position of its first leaf among all of the file.
    pub(super) first_leaf: usize,
}

/// The columns of a file whose footer, `bytes`, has been checked.
pub(super) fn roots(bytes: &[u8]) -> Result<Vec<Root>> {
    guarded(|| {
        let schema = ParquetMetaDataReader::decode_schema(bytes).map_err(refused)?;
        let mut first_leaf = 0;
        let mut roots = Vec::new();
        for field in schema.root_schema().get_fields() {
            let root = root(field, first_leaf)
                .map_err(|error| error.with("column", field.name().escape_debug()))?;
            first_leaf += root.physical_types.len();
            roots.push(root);
        }
        Ok(roots)
    })
}

fn root(field: &Type, first_leaf: usize) -> Result<Root> {
    let mut physical_types = Vec::new();
    let parquet_type = Arc::new(readable(field, &mut physical_types)?);
    let descriptor = descriptor(vec![parquet_type.clone()])?;
    let schema = parquet_to_arrow_schema(&descriptor, None).map_err(refused)?;
    let [field] = schema.fields().as_ref() else {
        return Err(not_readable());
    };
    let mut leaves = physical_types.iter();
    Ok(Root {
        field: Arc::new(with_views(field, &mut leaves)),
        parquet_type,
        physical_types,
        first_leaf,
    })
}

/// A schema of some columns.
pub(super) fn descriptor(roots: Vec<TypePtr>) -> Result<SchemaDescriptor> {
    let root = Type::group_type_builder("schema")
        .with_fields(roots)
        .build()
        .map_err(refused)?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}

/// `field` with types that the library reads as the content hash wants them.
fn readable(field: &Type, physical_types: &mut Vec<PhysicalType>) -> Result<Type> {
    let info = field.get_basic_info();
    let repetition = if info.has_repetition() {
        info.repetition()
    } else {
        Repetition::REQUIRED
    };
    if field.is_primitive() {
        physical_types.push(field.get_physical_type());
        return readable_leaf(field, repetition);
    }
    if field.get_fields().is_empty() {
        return Err(unsupported("groups without fields are not supported"));
    }
    let fields: Result<Vec<TypePtr>> = field
        .get_fields()
        .iter()
        .map(|field| readable(field, physical_types).map(Arc::new))
        .collect();
    Type::group_type_builder(info.name())
        .with_repetition(repetition)
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_fields(fields?)
        .build()
        .map_err(refused)
}

fn readable_leaf(field: &Type, repetition: Repetition) -> Result<Type> {
    let info = field.get_basic_info();
    let physical_type = field.get_physical_type();
    let length = match field {
        Type::PrimitiveType { type_length, .. } => *type_length,
        Type::GroupType { .. } => 0,
    };
    let leaf = |physical_type| {
        Type::primitive_type_builder(info.name(), physical_type).with_repetition(repetition)
    };
    let logical = info.logical_type_ref();
    let built = match (physical_type, logical, info.converted_type()) {
        (_, Some(LogicalType::Unknown), _) => return Ok(field.clone()),
        (PhysicalType::INT96, ..) => leaf(PhysicalType::FIXED_LEN_BYTE_ARRAY)
            .with_length(INT96_BYTES)
            .build(),
        (PhysicalType::FIXED_LEN_BYTE_ARRAY, ..) if length < 1 => {
            return Err(unsupported("columns of length 0 are not supported"));
        }
        (PhysicalType::FIXED_LEN_BYTE_ARRAY, ..)
            if length.unsigned_abs() as usize > MAX_FIXED_LENGTH =>
        {
            let what = "the values of the column are too long";
            return Err(above_limit(
                what,
                MAX_FIXED_LENGTH as u64,
                u64::from(length.unsigned_abs()),
            ));
        }
        (_, None, ConvertedType::INTERVAL) => leaf(physical_type).with_length(length).build(),
        // The library does not check that JSON is UTF-8.
        (_, Some(LogicalType::Json), _) | (_, None, ConvertedType::JSON) => leaf(physical_type)
            .with_logical_type(Some(LogicalType::String))
            .build(),
        (_, Some(LogicalType::_Unknown { .. }), _) => {
            leaf(physical_type).with_length(length).build()
        }
        _ => return Ok(field.clone()),
    };
    built.map_err(refused)
}

/// `field` with views instead of copies of byte arrays, and with what INT96 is noted.
fn with_views<'a>(field: &Field, leaves: &mut impl Iterator<Item = &'a PhysicalType>) -> Field {
    let nested = |inner: &FieldRef, leaves: &mut _| Arc::new(with_views(inner, leaves));
    let data_type = match field.data_type() {
        DataType::List(item) => DataType::List(nested(item, leaves)),
        DataType::Map(entries, sorted) => DataType::Map(nested(entries, leaves), *sorted),
        DataType::Struct(fields) => {
            let fields: Fields = fields
                .iter()
                .map(|field| with_views(field, leaves))
                .collect();
            DataType::Struct(fields)
        }
        leaf => {
            let is_int96 = leaves.next() == Some(&PhysicalType::INT96);
            let data_type = match leaf {
                DataType::Utf8 => DataType::Utf8View,
                DataType::Binary => DataType::BinaryView,
                other => other.clone(),
            };
            let field = field.clone().with_data_type(data_type);
            return if is_int96 {
                field.with_metadata([(INT96_KEY.to_owned(), String::new())].into())
            } else {
                field
            };
        }
    };
    field.clone().with_data_type(data_type)
}

/// A bug: the library gave other types than it announced.
pub(super) fn wrong_schema() -> Error {
    Error::internal("the Parquet library gave other columns than it announced")
}
