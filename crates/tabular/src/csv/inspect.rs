//! The first entrance: which columns a CSV has.

use std::sync::Arc;

use artstore_core::Result;
use artstore_core::backend::{CsvInspection, Progress, RandomRead};
use artstore_core::table::CsvOptions;

use super::CHUNK_BYTES;
use super::columns::{Target, schema};
use super::scan::{Column, scan};
use crate::cancel::Cancel;
use crate::facts::table_schema;

/// Reads all of `input` once: its columns with their types, the number of its records, facts about its bytes.
///
/// # Errors
/// Those of [`TableReader`](artstore_core::backend::TableReader).
pub(crate) fn inspect(
    input: &Arc<dyn RandomRead>,
    options: &CsvOptions,
    progress: &Arc<dyn Progress>,
    cancel: &Cancel,
) -> Result<CsvInspection> {
    inspect_in_chunks(&**input, options, CHUNK_BYTES, &**progress, cancel)
}

/// As [`inspect`]; in which pieces the file is read makes no difference.
pub(super) fn inspect_in_chunks(
    input: &dyn RandomRead,
    options: &CsvOptions,
    chunk_bytes: usize,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<CsvInspection> {
    let scan = scan(input, options, chunk_bytes, progress, cancel)?;
    let targets = scan.columns.iter().map(target);
    let schema = schema(targets);
    let column_types = scan
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.column_type()))
        .collect();
    let nanosecond_columns = scan
        .columns
        .iter()
        .filter(|column| target(column).is_in_nanoseconds())
        .map(|column| column.name.clone())
        .collect();
    Ok(CsvInspection {
        nanosecond_columns,
        schema: table_schema(&schema),
        options: CsvOptions {
            column_types,
            ..options.clone()
        },
        row_count: scan.row_count,
        source: scan.source,
    })
}

/// What becomes of a column.
fn target(column: &Column) -> Target {
    Target::new(
        &column.name,
        column.column_type(),
        column.needs_nanoseconds(),
    )
}
