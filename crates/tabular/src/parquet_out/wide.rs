//! Tables with many columns, encoded one column after the other.

use std::io;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;

use super::output::Output;
use super::{GROUP_BYTES, GROUP_ROWS, ROOT, properties};

type Result<T> = std::result::Result<T, ParquetError>;

/// Keeps the batches of a row group and encodes them when it is complete.
#[derive(Debug)]
pub(super) struct WideWriter {
    file: SerializedFileWriter<Output>,
    schema: SchemaRef,
    properties: Arc<WriterProperties>,
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl WideWriter {
    pub(super) fn new(schema: SchemaRef, output: Output) -> Result<Self> {
        // The few rows of a row group make one page: an index of pages would tell nothing new.
        let properties = Arc::new(properties(EnabledStatistics::Chunk)?);
        Ok(Self {
            file: open(output, &schema, &properties)?,
            schema,
            properties,
            batches: Vec::new(),
            rows: 0,
            bytes: 0,
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let bytes = batch.get_array_memory_size();
        let exceeds = self.rows + batch.num_rows() > GROUP_ROWS || self.bytes + bytes > GROUP_BYTES;
        if exceeds {
            self.end_group()?;
        }
        self.rows += batch.num_rows();
        self.bytes += bytes;
        self.batches.push(batch.clone());
        Ok(())
    }

    /// How many row groups are complete.
    pub(super) fn row_groups(&self) -> usize {
        self.file.flushed_row_groups().len()
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        self.end_group()?;
        self.file.finish().map(drop)
    }

    pub(super) fn output(&mut self) -> &mut Output {
        self.file.inner_mut()
    }

    fn end_group(&mut self) -> Result<()> {
        if self.batches.is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for (position, field) in self.schema.fields().iter().enumerate() {
            let chunk = encode(&self.batches, position, field, &self.properties)?;
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        self.batches.clear();
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

/// Encodes one column, as that of a file of its own: a file with all columns would make the encoders of all.
fn encode(
    batches: &[RecordBatch],
    position: usize,
    field: &FieldRef,
    properties: &Arc<WriterProperties>,
) -> Result<ArrowColumnChunk> {
    let schema: SchemaRef = Arc::new(Schema::new(vec![field.clone()]));
    let file = open(io::sink(), &schema, properties)?;
    let mut columns = ArrowRowGroupWriterFactory::new(&file, schema).create_column_writers(0)?;
    let missing = || ParquetError::General("a column has no encoder".to_owned());
    let mut column = columns.pop().ok_or_else(missing)?;
    for batch in batches {
        for leaf in compute_leaves(field, batch.column(position))? {
            column.write(&leaf)?;
        }
    }
    column.close()
}

fn open<W: io::Write + Send>(
    output: W,
    schema: &Schema,
    properties: &Arc<WriterProperties>,
) -> Result<SerializedFileWriter<W>> {
    let converted = ArrowSchemaConverter::new()
        .schema_root(ROOT)
        .convert(schema)?;
    SerializedFileWriter::new(output, converted.root_schema_ptr(), properties.clone())
}
