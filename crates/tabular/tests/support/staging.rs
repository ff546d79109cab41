//! Sources and staged files in memory, and tables made of CSV.

use std::future::Future;
use std::sync::{Arc, Mutex};

use artstore_core::backend::{
    ConvertedTable, CsvInspection, NoProgress, RandomRead, SourceFacts, StagedFile, StagedLocation,
    StagedSource, StagingWriter, TableInspection, TableReader as _,
};
use artstore_core::digest::Digest;
use artstore_core::path::RelPath;
use artstore_core::table::{CsvOptions, TableFacts, TableFormat, TableRules};
use artstore_core::{Error, Result};
use artstore_tabular::TabularReader;
use bytes::Bytes;

/// A source in memory.
#[derive(Debug)]
struct MemorySource(Bytes);

impl RandomRead for MemorySource {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> Result<()> {
        let start = usize::try_from(position).unwrap();
        let bytes = self.0.get(start..start + buffer.len());
        let bytes = bytes.ok_or_else(|| Error::conflict("read outside of the source"))?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn check_unchanged(&self) -> Result<()> {
        Ok(())
    }
}

pub fn source(bytes: impl Into<Bytes>) -> Arc<dyn RandomRead> {
    Arc::new(MemorySource(bytes.into()))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// Takes bytes; they are there only once it is finished. Can be told to fail when it has taken so many.
#[derive(Debug, Default)]
pub struct MemoryStaging {
    pub bytes: Vec<u8>,
    pub limit: Option<usize>,
    pub finished: Arc<Mutex<Option<Bytes>>>,
}

impl StagingWriter for MemoryStaging {
    fn write_all(&mut self, data: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(data);
        match self.limit {
            Some(limit) if self.bytes.len() > limit => Err(Error::unavailable("no space")),
            _ => Ok(()),
        }
    }

    fn finish(self: Box<Self>) -> Result<StagedSource> {
        let facts = SourceFacts {
            size_bytes: self.bytes.len() as u64,
            digest: Digest::of(&self.bytes),
        };
        *self.finished.lock().unwrap() = Some(self.bytes.into());
        let file = StagedFile {
            id: "01932c07-7f3e-7cc2-9a52-3f1a3e9f4b11".parse().unwrap(),
            location: StagedLocation::Staging(RelPath::new("staged").unwrap()),
            fingerprint: None,
        };
        Ok(StagedSource { file, facts })
    }
}

/// A CSV that was read and written as Parquet.
pub struct Table {
    pub inspection: CsvInspection,
    pub converted: ConvertedTable,
    pub parquet: Bytes,
}

pub fn inspect_csv(input: &Arc<dyn RandomRead>, options: &CsvOptions) -> Result<CsvInspection> {
    let format = TableFormat::Csv(options.clone());
    let reader = TabularReader::new();
    match wait(reader.inspect(input.clone(), &format, Arc::new(NoProgress)))? {
        TableInspection::Csv(inspection) => Ok(inspection),
        TableInspection::Parquet(_) => panic!("CSV is not Parquet"),
    }
}

pub fn convert_csv(
    input: &Arc<dyn RandomRead>,
    inspection: &CsvInspection,
    staging: MemoryStaging,
) -> Result<ConvertedTable> {
    wait(TabularReader::new().convert(
        input.clone(),
        inspection,
        &TableRules::default(),
        Box::new(staging),
        Arc::new(NoProgress),
    ))
}

pub fn table(input: &Arc<dyn RandomRead>, options: &CsvOptions) -> Result<Table> {
    let inspection = inspect_csv(input, options)?;
    let staging = MemoryStaging::default();
    let finished = staging.finished.clone();
    let converted = convert_csv(input, &inspection, staging)?;
    let parquet = finished.lock().unwrap().take().unwrap();
    Ok(Table {
        inspection,
        converted,
        parquet,
    })
}

/// The facts of a Parquet file.
pub fn describe(parquet: &Bytes) -> Result<TableFacts> {
    let input = source(parquet.clone());
    let rules = TableRules::default();
    wait(TabularReader::new().describe(input, &rules, Arc::new(NoProgress)))
}
