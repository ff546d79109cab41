//! Takes dictionaries and runs off values.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, ArrayRef, RunArray, UInt64Array};
use arrow_schema::DataType;
use artstore_core::Result;

use crate::error::{OrComputation as _, wrong_array};

/// Slots that are decoded at once: bounds the memory that a dictionary of large values takes.
pub(super) const DECODED_SLOTS: usize = 1024;

/// Whether the values of `array` are encoded.
pub(super) fn is_encoded(array: &dyn Array) -> bool {
    matches!(
        array.data_type(),
        DataType::Dictionary(..) | DataType::RunEndEncoded(..)
    )
}

/// The slots of `array` as they are without encoding; itself if it has none.
pub(crate) fn decoded(array: &ArrayRef) -> Result<ArrayRef> {
    let mut array = array.clone();
    while is_encoded(&array) {
        array = decoded_once(&array)?;
    }
    Ok(array)
}

fn decoded_once(array: &dyn Array) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            take(dictionary.values(), dictionary.keys())
        }
        DataType::RunEndEncoded(run_ends, _) => match run_ends.data_type() {
            DataType::Int16 => runs(array.as_run::<Int16Type>()),
            DataType::Int32 => runs(array.as_run::<Int32Type>()),
            DataType::Int64 => runs(array.as_run::<Int64Type>()),
            other => Err(wrong_array("run ends", other)),
        },
        other => Err(wrong_array("an encoded type", other)),
    }
}

fn runs<R: RunEndIndexType>(array: &RunArray<R>) -> Result<ArrayRef> {
    let slots: UInt64Array = (0..array.len())
        .map(|slot| array.get_physical_index(slot) as u64)
        .collect();
    take(array.values(), &slots)
}

/// Views are taken without their bytes.
fn take(values: &ArrayRef, slots: &dyn Array) -> Result<ArrayRef> {
    let view = match values.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Some(DataType::Utf8View),
        DataType::Binary | DataType::LargeBinary => Some(DataType::BinaryView),
        _ => None,
    };
    let values = match view {
        Some(view) => &arrow_cast::cast(values, &view).or_computation()?,
        None => values,
    };
    arrow_select::take::take(values, slots, None).or_computation()
}
