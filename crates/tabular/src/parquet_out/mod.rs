//! Parquet with fixed, recorded settings.
//!
//! The settings are chosen for readers of every age: data pages of version 1, no Arrow schema in the metadata. The same
//! batches give the same bytes.

mod output;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use artstore_core::backend::{StagedSource, StagingWriter};
use artstore_core::table::TableWriter;
use artstore_core::{Error, Result};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use self::output::Output;
use crate::limits::MAX_FOOTER_BYTES;

/// Stays the same as long as the settings do, whatever the version of this crate.
const CREATED_BY: &str = "artstore tabular 1";

const ZSTD_LEVEL: i32 = 3;

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 20;

/// Encoded bytes of a row group.
const GROUP_BYTES: usize = 64 << 20;

/// A table with more columns is wide. An open column takes memory that its bytes do not tell: what its compressor needs
/// after the first page, and its rows since the last one. So row groups of wide tables end before a page is full.
const WIDE: usize = 64;

/// Rows of a row group of a wide table; less than a page has ...
const WIDE_GROUP_ROWS: usize = 16_384;

/// ... and its values.
const WIDE_GROUP_VALUES: usize = 8 << 20;

/// What a column chunk takes in the footer at least, beside the column's name.
const CHUNK_FOOTER_BYTES: usize = 50;

/// A Parquet file that is being staged. Dropped unfinished it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct TableFile {
    writer: ArrowWriter<Output>,
    columns: usize,
    /// What a row group takes in the footer at least.
    group_footer_bytes: u64,
}

impl TableFile {
    /// A file without rows.
    ///
    /// # Errors
    /// Those of [`StagingWriter`].
    pub(crate) fn new(schema: SchemaRef, output: Box<dyn StagingWriter>) -> Result<Self> {
        let columns = schema.fields().len();
        let names = schema.fields().iter().map(|field| field.name().len());
        let group_footer_bytes = names.map(|name| name + CHUNK_FOOTER_BYTES).sum::<usize>() as u64;
        let options = ArrowWriterOptions::new()
            .with_properties(properties(columns)?)
            .with_skip_arrow_metadata(true)
            .with_schema_root("schema".to_owned());
        let writer = ArrowWriter::try_new_with_options(Output::new(output), schema, options)
            .map_err(encoding)?;
        Ok(Self {
            writer,
            columns,
            group_footer_bytes,
        })
    }

    /// With which settings it is written.
    pub(crate) fn settings(&self) -> TableWriter {
        settings(self.columns)
    }

    /// Appends the rows of `batch`.
    ///
    /// # Errors
    /// Those of [`StagingWriter`]; [`Invalid`](artstore_core::ErrorKind::Invalid) if the table has too many rows for its
    /// columns.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let written = self.writer.write(batch);
        self.check(written)?;
        let groups = self.writer.flushed_row_groups().len() as u64;
        self.check_footer(groups * self.group_footer_bytes)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Those of [`StagingWriter`].
    pub(crate) fn finish(mut self) -> Result<StagedSource> {
        let finished = self.writer.finish().map(drop);
        self.check(finished)?;
        let footer_bytes = self.writer.inner().footer_bytes();
        self.check_footer(footer_bytes)?;
        self.writer.inner_mut().finish()
    }

    /// What is written must be read again.
    fn check_footer(&self, bytes: u64) -> Result<()> {
        if bytes <= MAX_FOOTER_BYTES {
            return Ok(());
        }
        Err(Error::invalid("the table has too many rows for its columns")
            .with("columns", self.columns)
            .with("footer_bytes", bytes)
            .with("limit", MAX_FOOTER_BYTES)
            .hint("split it into several tables, or publish it as a file"))
    }

    /// A failure of the output is told as it is, not as the library tells it.
    fn check(&mut self, result: Result<(), ParquetError>) -> Result<()> {
        let failure = self.writer.inner_mut().take_failure();
        match (result, failure) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(failure)) => Err(failure),
            (Err(error), None) => Err(encoding(error)),
        }
    }
}

fn settings(columns: usize) -> TableWriter {
    TableWriter {
        created_by: CREATED_BY.to_owned(),
        compression: format!("zstd({ZSTD_LEVEL})"),
        row_group_rows: group_rows(columns) as u64,
        row_group_bytes: GROUP_BYTES as u64,
    }
}

fn properties(columns: usize) -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(encoding)?;
    let is_wide = columns > WIDE;
    // The pages of a wide table are as large as its row groups.
    let statistics = if is_wide {
        EnabledStatistics::Chunk
    } else {
        EnabledStatistics::Page
    };
    Ok(WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(statistics)
        .set_offset_index_disabled(is_wide)
        .set_max_row_group_row_count(Some(group_rows(columns)))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .build())
}

fn group_rows(columns: usize) -> usize {
    if columns <= WIDE {
        return GROUP_ROWS;
    }
    (WIDE_GROUP_VALUES / columns).min(WIDE_GROUP_ROWS)
}

fn encoding(error: ParquetError) -> Error {
    Error::internal("a table could not be encoded as Parquet").caused_by(error)
}
