use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use artstore_core::backend::{
    ConvertedTable, CsvInspection, NoProgress, Progress, RandomRead, SourceFacts, StagedFile,
    StagedLocation, StagedSource, StagingWriter,
};
use artstore_core::digest::Digest;
use artstore_core::path::RelPath;
use artstore_core::table::{CsvOptions, TableRules};
use artstore_core::{Error, Result};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::cancel::Cancel;

/// A source in memory.
#[derive(Debug)]
pub(super) struct MemorySource(pub(super) Vec<u8>);

impl RandomRead for MemorySource {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        let start = position as usize;
        let bytes = self.0.get(start..start + buffer.len());
        buffer.copy_from_slice(bytes.ok_or_else(|| Error::conflict("too short"))?);
        Ok(())
    }

    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

/// A staged file in memory, which is there only once it is finished.
#[derive(Debug, Default)]
pub(super) struct MemoryStaging {
    bytes: Vec<u8>,
    finished: Arc<Mutex<Option<Bytes>>>,
}

impl StagingWriter for MemoryStaging {
    fn write_all(&mut self, data: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<StagedSource> {
        let facts = SourceFacts {
            size_bytes: self.bytes.len() as u64,
            digest: Digest::of(&self.bytes),
        };
        *self.finished.lock().unwrap() = Some(self.bytes.into());
        let id = "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap();
        let file = StagedFile {
            id,
            location: StagedLocation::Staging(RelPath::new("staged").unwrap()),
            fingerprint: None,
        };
        Ok(StagedSource { file, facts })
    }
}

pub(super) fn source(csv: impl AsRef<[u8]>) -> Arc<dyn RandomRead> {
    Arc::new(MemorySource(csv.as_ref().to_vec()))
}

pub(super) fn inspect(csv: impl AsRef<[u8]>, options: &CsvOptions) -> Result<CsvInspection> {
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    crate::csv::inspect(&source(csv), options, &progress, &Cancel::new())
}

/// A table that was inspected, converted and read again.
pub(super) struct Table {
    pub(super) inspection: CsvInspection,
    pub(super) converted: ConvertedTable,
    pub(super) parquet: Bytes,
}

pub(super) fn table(csv: impl AsRef<[u8]>, options: &CsvOptions) -> Result<Table> {
    let input = source(csv);
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let cancel = Cancel::new();
    let inspection = crate::csv::inspect(&input, options, &progress, &cancel)?;
    let staging = MemoryStaging::default();
    let finished = staging.finished.clone();
    let converted = crate::csv::convert(
        &input,
        &inspection,
        &TableRules::default(),
        Box::new(staging),
        &progress,
        &cancel,
    )?;
    let parquet = finished.lock().unwrap().take().unwrap();
    assert_eq!(converted.staged.facts.digest, Digest::of(&parquet));
    assert_eq!(converted.facts.schema, inspection.schema);
    assert_eq!(converted.facts.row_count, inspection.row_count);
    Ok(Table {
        inspection,
        converted,
        parquet,
    })
}

impl Table {
    pub(super) fn batches(&self) -> Vec<RecordBatch> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(self.parquet.clone()).unwrap();
        builder.build().unwrap().map(Result::unwrap).collect()
    }

    /// All values as text by columns; nulls are `None`.
    pub(super) fn columns(&self) -> Vec<Vec<Option<String>>> {
        let format = FormatOptions::new();
        let mut columns = vec![Vec::new(); self.inspection.schema.columns.len()];
        for batch in self.batches() {
            for (values, array) in columns.iter_mut().zip(batch.columns()) {
                let array = with_known_zone(array);
                let formatter = ArrayFormatter::try_new(&array, &format).unwrap();
                let text = |row| (!array.is_null(row)).then(|| formatter.value(row).to_string());
                values.extend((0..array.len()).map(text));
            }
        }
        columns
    }
}

/// Only offsets are zones that can be shown.
fn with_known_zone(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let zoned = DataType::Timestamp(*unit, Some("+00:00".into()));
            arrow_cast::cast(array, &zoned).unwrap()
        }
        _ => array.clone(),
    }
}
