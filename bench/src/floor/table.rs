//! The floor of `table`: the same libraries alone, one step after the other.
//!
//! The columns' types are inferred from the whole file, the file is converted with the writer settings of the store
//! (`crates/tabular/src/parquet_out`), and the source and the result are hashed. Nothing is synced.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::sha256::hash_file;
use crate::contender::{Contender, World};

const BUFFER_BYTES: usize = 1 << 20;
const BATCH_ROWS: usize = 8192;

struct TableFloor {
    source: PathBuf,
    directory: PathBuf,
}

/// Remembers the file.
pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(TableFloor {
        source: world.source.clone(),
        directory: world.directory.clone(),
    }))
}

impl Contender for TableFloor {
    /// Removes what the last call wrote, so that the disk does not fill up.
    fn prepare(&self, publisher: usize, n: usize) -> Result<()> {
        let Some(last) = n.checked_sub(1) else {
            return Ok(());
        };
        let path = self.path(publisher, last);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
    }

    fn work(&self, publisher: usize, n: usize) -> Result<u64> {
        let result = self.path(publisher, n);
        convert(&self.source, &result)?;
        let (source_hash, length) = hash_file(&self.source)?;
        black_box((source_hash, hash_file(&result)?));
        Ok(length)
    }
}

impl TableFloor {
    fn path(&self, publisher: usize, n: usize) -> PathBuf {
        self.directory.join(format!("{publisher}-{n}.parquet"))
    }
}

/// Writes a CSV as Parquet.
pub(crate) fn convert(csv: &Path, parquet: &Path) -> Result<File> {
    let (schema, _) = Format::default()
        .with_header(true)
        .infer_schema(open_file(csv)?, None)?;
    let schema = Arc::new(schema);
    let batches = ReaderBuilder::new(Arc::clone(&schema))
        .with_header(true)
        .with_batch_size(BATCH_ROWS)
        .build_buffered(BufReader::with_capacity(BUFFER_BYTES, open_file(csv)?))?;
    let file = File::create_new(parquet)
        .with_context(|| format!("cannot create {}", parquet.display()))?;
    let output = BufWriter::with_capacity(BUFFER_BYTES, file);
    let options = ArrowWriterOptions::new()
        .with_properties(properties()?)
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(output, schema, options)?;
    for batch in batches {
        writer.write(&batch?)?;
    }
    let output = writer.into_inner()?;
    Ok(output.into_inner()?)
}

fn properties() -> Result<WriterProperties> {
    Ok(WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by("artstore tabular 1".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(1 << 20))
        .set_max_row_group_bytes(Some(64 << 20))
        .build())
}

fn open_file(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}

#[cfg(test)]
mod tests;
