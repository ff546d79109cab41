//! Sources in memory, and calls that wait.

#![expect(dead_code, reason = "every test uses a part")]

pub mod craft;
pub mod naive;
pub mod tables;

use std::future::Future;
use std::sync::Arc;

use artstore_core::backend::{NoProgress, RandomRead, TableInspection, TableReader as _};
use artstore_core::table::{TableFacts, TableFormat, TableRules, TableSchema};
use artstore_core::{Error, Result};
use artstore_tabular::TabularReader;
use bytes::Bytes;

/// A source in memory.
#[derive(Debug)]
pub struct Memory(pub Bytes);

impl RandomRead for Memory {
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

/// Waits for `future`.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

pub fn describe(file: &Bytes, rules: &TableRules) -> Result<TableFacts> {
    let input = Arc::new(Memory(file.clone()));
    wait(TabularReader::new().describe(input, rules, Arc::new(NoProgress)))
}

pub fn inspect(file: &Bytes) -> Result<TableSchema> {
    let input = Arc::new(Memory(file.clone()));
    let found =
        wait(TabularReader::new().inspect(input, &TableFormat::Parquet, Arc::new(NoProgress)));
    match found? {
        TableInspection::Parquet(schema) => Ok(schema),
        TableInspection::Csv(_) => panic!("Parquet is not CSV"),
    }
}
