//! Parquet with fixed, recorded settings.
//!
//! The settings are chosen for readers of every age: data pages of version 1, no Arrow schema in the metadata. The same
//! batches give the same bytes.

mod output;
mod wide;

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
use self::wide::WideWriter;
use crate::limits::MAX_FOOTER_BYTES;

/// Stays the same as long as the settings do, whatever the version of this crate.
const CREATED_BY: &str = "artstore tabular 1";

const ZSTD_LEVEL: i32 = 3;

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 20;

/// Bytes of a row group: encoded ones, of a wide table those in memory.
const GROUP_BYTES: usize = 64 << 20;

/// A table with more columns is wide. Each column that is being encoded takes up to four megabytes that its bytes do not tell
/// (dictionary, compressor), so the columns of wide tables are encoded one after the other.
const WIDE: usize = 32;

/// The name of the schema's root.
const ROOT: &str = "schema";

/// What a column chunk takes in the footer at least, beside the column's name.
const CHUNK_FOOTER_BYTES: usize = 50;

/// A Parquet file that is being staged. Dropped unfinished it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct TableFile {
    writer: Writer,
    columns: usize,
    /// What a row group takes in the footer at least.
    group_footer_bytes: u64,
}

#[derive(Debug)]
enum Writer {
    Narrow(ArrowWriter<Output>),
    Wide(WideWriter),
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
        let output = Output::new(output);
        let writer = if columns > WIDE {
            WideWriter::new(schema, output).map(Writer::Wide)
        } else {
            narrow(schema, output).map(Writer::Narrow)
        };
        Ok(Self {
            writer: writer.map_err(encoding)?,
            columns,
            group_footer_bytes,
        })
    }

    /// Appends the rows of `batch`.
    ///
    /// # Errors
    /// Those of [`StagingWriter`]; [`Invalid`](artstore_core::ErrorKind::Invalid) if the table has too many rows for its
    /// columns.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let written = match &mut self.writer {
            Writer::Narrow(writer) => writer.write(batch),
            Writer::Wide(writer) => writer.write(batch),
        };
        self.check(written)?;
        let groups = match &self.writer {
            Writer::Narrow(writer) => writer.flushed_row_groups().len(),
            Writer::Wide(writer) => writer.row_groups(),
        };
        self.check_footer(groups as u64 * self.group_footer_bytes)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn finish(mut self) -> Result<StagedSource> {
        let finished = match &mut self.writer {
            Writer::Narrow(writer) => writer.finish().map(drop),
            Writer::Wide(writer) => writer.finish(),
        };
        self.check(finished)?;
        let footer_bytes = self.output().footer_bytes();
        self.check_footer(footer_bytes)?;
        self.output().finish()
    }

    fn output(&mut self) -> &mut Output {
        match &mut self.writer {
            Writer::Narrow(writer) => writer.inner_mut(),
            Writer::Wide(writer) => writer.output(),
        }
    }

    /// A failure of the output is told as it is, not as the library tells it.
    fn check(&mut self, result: Result<(), ParquetError>) -> Result<()> {
        let failure = self.output().take_failure();
        match (result, failure) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(failure)) => Err(failure),
            (Err(error), None) => Err(encoding(error)),
        }
    }

    /// What is written must be read again.
    fn check_footer(&self, bytes: u64) -> Result<()> {
        if bytes <= MAX_FOOTER_BYTES {
            return Ok(());
        }
        Err(
            Error::invalid("the table has too many rows for its columns")
                .with("columns", self.columns)
                .with("footer_bytes", bytes)
                .with("limit", MAX_FOOTER_BYTES)
                .hint("split it into several tables, or publish it as a file"),
        )
    }
}

/// With which settings tables are written.
pub(crate) fn settings() -> TableWriter {
    TableWriter {
        created_by: CREATED_BY.to_owned(),
        compression: format!("zstd({ZSTD_LEVEL})"),
        row_group_rows: GROUP_ROWS as u64,
        row_group_bytes: GROUP_BYTES as u64,
    }
}

fn narrow(schema: SchemaRef, output: Output) -> Result<ArrowWriter<Output>, ParquetError> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties(EnabledStatistics::Page)?)
        .with_skip_arrow_metadata(true)
        .with_schema_root(ROOT.to_owned());
    ArrowWriter::try_new_with_options(output, schema, options)
}

fn properties(statistics: EnabledStatistics) -> Result<WriterProperties, ParquetError> {
    let level = ZstdLevel::try_new(ZSTD_LEVEL)?;
    Ok(WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(statistics)
        .set_offset_index_disabled(statistics != EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .build())
}

fn encoding(error: ParquetError) -> Error {
    Error::internal("a table could not be encoded as Parquet").caused_by(error)
}
