//! The second entrance: writes a CSV as Parquet.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use artstore_core::backend::{
    ConvertedTable, CsvInspection, NoProgress, Progress, RandomRead, StagingWriter,
};
use artstore_core::table::{TableFacts, TableRules};
use artstore_core::{Error, Result};

use super::columns::{Target, schema};
use super::records::{Records, Tokenizer};
use super::scan::{header_names, scan};
use super::{CHUNK_BYTES, QUEUE, fine_times, inspect, source, worker};
use crate::cancel::Cancel;
use crate::facts::FactsCollector;
use crate::parquet_out::TableFile;

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
    let targets = targets(input, inspection, cancel)?;
    let schema = schema(targets.iter().cloned());
    let facts = FactsCollector::new(&schema, rules)?;
    let file = TableFile::new(schema.clone(), output)?;
    let decoder = Decoder {
        input,
        inspection,
        targets,
        schema,
        chunk_bytes: CHUNK_BYTES,
        progress: &**progress,
        cancel,
    };
    let (file, facts) = run(&decoder, facts, file)?;
    let writer = file.settings();
    Ok(ConvertedTable {
        staged: file.finish()?,
        facts,
        writer,
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
fn targets(
    input: &dyn RandomRead,
    inspection: &CsvInspection,
    cancel: &Cancel,
) -> Result<Vec<Target>> {
    // Which unit times need is not part of an inspection.
    if fine_times::may_occur(input, inspection, cancel)? {
        let scan = scan(input, &inspection.options, CHUNK_BYTES, &NoProgress, cancel)?;
        return Ok(scan.columns.iter().map(inspect::target).collect());
    }
    let columns = inspection.schema.columns.iter();
    columns
        .map(|column| {
            let column_type = inspection.options.column_types.get(&column.name);
            let column_type = column_type.ok_or_else(|| {
                Error::internal("an inspection lacks the type of a column")
                    .with("name", &column.name)
            })?;
            Ok(Target::new(&column.name, *column_type, false))
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

#[derive(Debug)]
struct Decoder<'a> {
    input: &'a dyn RandomRead,
    inspection: &'a CsvInspection,
    targets: Vec<Target>,
    schema: SchemaRef,
    chunk_bytes: usize,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
}

impl Decoder<'_> {
    /// Makes batches of all records and returns their number; fewer if nobody takes them any more. Whatever the first
    /// reading has not found is a change of the source.
    fn decode(&self, outlets: &Outlets) -> Result<u64> {
        let mut position = source::header_position(self.input)?;
        let mut tokenizer = Tokenizer::new(&self.inspection.options, position);
        let mut records = Records::header();
        let mut is_header = true;
        let mut row_count = 0;
        let mut buffer = vec![0; self.chunk_bytes];
        loop {
            self.cancel.check()?;
            let length = (self.input.size() - position).min(self.chunk_bytes as u64) as usize;
            let chunk = &mut buffer[..length];
            self.input.read_exact_at(position, chunk)?;
            position += length as u64;
            let is_end = length == 0;
            let mut rest: &[u8] = chunk;
            loop {
                if is_end {
                    tokenizer.finish(&mut records).map_err(|_| changed())?;
                } else {
                    let consumed = tokenizer.feed(rest, &mut records);
                    rest = &rest[consumed.map_err(|_| changed())?..];
                }
                if records.is_full() || is_end {
                    if is_header {
                        records = self.check_header(&mut tokenizer, &records)?;
                        is_header = false;
                    } else if !records.is_empty() {
                        row_count += records.len() as u64;
                        if !outlets.send(self.batch(&records)?) {
                            return Ok(row_count);
                        }
                        records.clear();
                    }
                }
                if rest.is_empty() {
                    break;
                }
            }
            if is_end {
                return Ok(row_count);
            }
            self.progress
                .report("converting", position, Some(self.input.size()));
        }
    }

    fn check_header(&self, tokenizer: &mut Tokenizer, records: &Records) -> Result<Records> {
        let names = header_names(records)?;
        let columns = &self.inspection.schema.columns;
        if !names.iter().eq(columns.iter().map(|column| &column.name)) {
            return Err(changed());
        }
        tokenizer.expect(names.len());
        Ok(Records::new(names.len()))
    }

    fn batch(&self, records: &Records) -> Result<RecordBatch> {
        let arrays: Option<Vec<_>> = self
            .targets
            .iter()
            .enumerate()
            .map(|(position, target)| target.array(records, position))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        let arrays = arrays.ok_or_else(changed)?;
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map_err(|error| {
            Error::internal("columns do not make a batch").caused_by(error)
        })
    }
}

fn changed() -> Error {
    Error::conflict("the source changed while it was read")
}
