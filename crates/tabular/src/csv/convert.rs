//! The second entrance: writes a CSV as Parquet.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use artstore_core::backend::{ConvertedTable, CsvInspection, Progress, RandomRead, StagingWriter};
use artstore_core::table::{TableFacts, TableRules};
use artstore_core::{Error, Result};

use super::columns::{Target, schema};
use super::records::{Records, Tokenizer};
use super::scan::header_names;
use super::{CHUNK_BYTES, QUEUE, source, worker};
use crate::cancel::Cancel;
use crate::facts::FactsCollector;
use crate::parquet_out::{TableFile, settings};

/// Writes `input` as Parquet to `output`, as `inspection` of the same input says. Nothing is staged after an error.
///
/// # Errors
/// Those of [`TableReader`](artstore_core::backend::TableReader).
pub(crate) fn convert(
    input: &Arc<dyn RandomRead>,
    inspection: &CsvInspection,
    rules: &TableRules,
    output: Box<dyn StagingWriter>,
    progress: &Arc<dyn Progress>,
    cancel: &Cancel,
) -> Result<ConvertedTable> {
    let input = &**input;
    if input.size() != inspection.source.size_bytes {
        return Err(changed());
    }
    let targets = targets(inspection)?;
    let schema = schema(targets.iter().cloned());
    let facts = FactsCollector::new(&schema, rules)?;
    let file = TableFile::new(schema.clone(), output)?;
    let decoder = Decoder {
        input,
        inspection,
        targets,
        schema,
        progress: &**progress,
        cancel,
    };
    let (file, facts) = run(&decoder, facts, file)?;
    Ok(ConvertedTable {
        staged: file.finish()?,
        facts,
        writer: settings(),
    })
}

/// Decodes on this thread, while one thread collects facts and another encodes.
fn run(
    decoder: &Decoder<'_>,
    facts: FactsCollector,
    file: TableFile,
) -> Result<(TableFile, TableFacts)> {
    thread::scope(|scope| {
        let (to_facts, for_facts) = sync_channel(QUEUE);
        let (to_file, for_file) = sync_channel(QUEUE);
        let collecting = worker::spawn(scope, move || collect(facts, for_facts))?;
        let writing = worker::spawn(scope, move || write(file, for_file))?;
        let decoded = decoder.decode(&Outlets { to_facts, to_file });
        let facts = worker::join(collecting)?;
        let file = worker::join(writing)?;
        let row_count = decoded?;
        // The file is ended only after everything else is known to be well: dropped unfinished it leaves nothing behind.
        let (facts, file) = (facts?, file?);
        if row_count != decoder.inspection.row_count {
            return Err(changed());
        }
        decoder.input.check_unchanged()?;
        Ok((file, facts))
    })
}

fn collect(mut facts: FactsCollector, batches: Receiver<RecordBatch>) -> Result<TableFacts> {
    for batch in batches {
        facts.update(&batch)?;
    }
    facts.finish()
}

fn write(mut file: TableFile, batches: Receiver<RecordBatch>) -> Result<TableFile> {
    for batch in batches {
        file.write(&batch)?;
    }
    Ok(file)
}

/// What becomes of each column, as the first reading has found.
fn targets(inspection: &CsvInspection) -> Result<Vec<Target>> {
    let columns = inspection.schema.columns.iter();
    columns
        .map(|column| {
            let column_type = inspection.options.column_types.get(&column.name);
            let column_type = column_type.ok_or_else(|| {
                Error::internal("an inspection lacks the type of a column")
                    .with("name", &column.name)
            })?;
            let is_fine = inspection.nanosecond_columns.contains(&column.name);
            Ok(Target::new(&column.name, *column_type, is_fine))
        })
        .collect()
}

/// Where batches go.
#[derive(Debug)]
struct Outlets {
    to_facts: SyncSender<RecordBatch>,
    to_file: SyncSender<RecordBatch>,
}

impl Outlets {
    /// Whether both still take batches. One that does not has failed and says why when it is joined.
    fn send(&self, batch: RecordBatch) -> bool {
        self.to_facts.send(batch.clone()).is_ok() && self.to_file.send(batch).is_ok()
    }
}

/// What decoding needs to know. Whatever the first reading has not found is a change of the source.
#[derive(Debug)]
struct Decoder<'a> {
    input: &'a dyn RandomRead,
    inspection: &'a CsvInspection,
    targets: Vec<Target>,
    schema: SchemaRef,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
}

impl Decoder<'_> {
    /// Makes batches of all records and returns their number; fewer if nobody takes them any more.
    fn decode(&self, outlets: &Outlets) -> Result<u64> {
        let size = self.input.size();
        let mut position = source::header_position(self.input)?;
        let mut decoding = Decoding {
            decoder: self,
            outlets,
            tokenizer: Tokenizer::new(&self.inspection.options, position),
            records: Records::header(),
            row_count: None,
        };
        let mut buffer = vec![0; CHUNK_BYTES];
        while position < size {
            self.cancel.check()?;
            let length = (size - position).min(CHUNK_BYTES as u64) as usize;
            let chunk = &mut buffer[..length];
            self.input.read_exact_at(position, chunk)?;
            if !decoding.take(chunk)? {
                return Ok(decoding.row_count.unwrap_or_default());
            }
            position += length as u64;
            self.progress.report("converting", position, Some(size));
        }
        decoding.finish()
    }

    fn batch(&self, records: &Records) -> Result<RecordBatch> {
        let columns = self.targets.iter().enumerate();
        let arrays: Option<Vec<_>> = columns
            .map(|(position, target)| target.array(records, position))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        let arrays = arrays.ok_or_else(changed)?;
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .map_err(|error| Error::internal("columns do not make a batch").caused_by(error))
    }
}

#[derive(Debug)]
struct Decoding<'a> {
    decoder: &'a Decoder<'a>,
    outlets: &'a Outlets,
    tokenizer: Tokenizer,
    records: Records,
    /// `None` until the header is read.
    row_count: Option<u64>,
}

impl Decoding<'_> {
    /// Whether batches are still taken.
    fn take(&mut self, chunk: &[u8]) -> Result<bool> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let consumed = self.tokenizer.feed(rest, &mut self.records);
            rest = &rest[consumed.map_err(|_fault| changed())?..];
            if self.records.is_full() && !self.take_records()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take_records(&mut self) -> Result<bool> {
        let Some(row_count) = self.row_count else {
            self.take_header()?;
            return Ok(true);
        };
        self.row_count = Some(row_count + self.records.len() as u64);
        let is_taken = self.outlets.send(self.decoder.batch(&self.records)?);
        self.records.clear();
        Ok(is_taken)
    }

    fn take_header(&mut self) -> Result<()> {
        let names = header_names(&self.records)?;
        let columns = self.decoder.inspection.schema.columns.iter();
        if !names.iter().eq(columns.map(|column| &column.name)) {
            return Err(changed());
        }
        self.tokenizer.expect(names.len());
        self.records = Records::new(names.len());
        self.row_count = Some(0);
        Ok(())
    }

    fn finish(mut self) -> Result<u64> {
        let finished = self.tokenizer.finish(&mut self.records);
        finished.map_err(|_fault| changed())?;
        if !self.records.is_empty() {
            self.take_records()?;
        }
        self.row_count.ok_or_else(changed)
    }
}

fn changed() -> Error {
    Error::conflict("the source changed while it was read")
}
