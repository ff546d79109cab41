//! Reads a set of columns, batch by batch.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{FieldRef, Fields};
use artstore_core::backend::RandomRead;
use artstore_core::{Error, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::RowGroups;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowSelection, RowSelector};
use parquet::arrow::{FieldLevels, parquet_to_arrow_field_levels};
use parquet::column::page::PageIterator;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::schema::types::SchemaDescriptor;

use super::batch::BatchBudget;
use super::budget::{Failure, FileBudget};
use super::footer::{Footer, RowGroup};
use super::page::Leaf;
use super::pages::{CheckedPages, OneChunk};
use super::schema::{descriptor, wrong_schema};
use super::source::ChunkSource;
use crate::error::{guarded, not_readable, refused};

/// Rows of a batch, if they are small.
const BATCH_ROWS: u64 = 8192;

/// What a batch should take at most by what the footer says.
const BATCH_BYTES: u64 = 4 << 20;

/// By how much smaller a batch is when one was too large.
const SHRINK: u64 = 8;

/// A file whose footer has been read.
pub(super) struct ParquetFile {
    pub(super) input: Arc<dyn RandomRead>,
    pub(super) footer: Footer,
    pub(super) budget: Arc<FileBudget>,
}

/// Some columns at the top level of a file, which are read together.
pub(super) struct ColumnSet<'a> {
    file: &'a ParquetFile,
    fields: Vec<FieldRef>,
    levels: FieldLevels,
    leaves: Vec<Leaf>,
    /// The position of each leaf among all of the file.
    leaf_positions: Vec<usize>,
    metadata: ParquetMetaData,
}

impl<'a> ColumnSet<'a> {
    /// The columns at `positions`.
    pub(super) fn new(file: &'a ParquetFile, positions: &[usize]) -> Result<Self> {
        let roots = || {
            positions
                .iter()
                .filter_map(|position| file.footer.roots.get(*position))
        };
        let descriptor = Arc::new(descriptor(
            roots().map(|root| root.parquet_type.clone()).collect(),
        )?);
        let fields: Fields = roots().map(|root| root.field.clone()).collect();
        let levels =
            parquet_to_arrow_field_levels(&descriptor, ProjectionMask::all(), Some(&fields))
                .map_err(refused)?;
        let leaf_positions: Vec<usize> = roots()
            .flat_map(|root| root.first_leaf..root.first_leaf + root.physical_types.len())
            .collect();
        let leaves: Vec<Leaf> = descriptor
            .columns()
            .iter()
            .enumerate()
            .map(|(position, descriptor)| Leaf {
                descriptor: descriptor.clone(),
                position,
            })
            .collect();
        if leaves.len() != leaf_positions.len() {
            return Err(wrong_schema());
        }
        Ok(Self {
            file,
            fields: fields.iter().cloned().collect(),
            levels,
            leaves,
            leaf_positions,
            metadata: no_metadata(descriptor),
        })
    }

    /// Hands all batches to `visit`, which says how many bytes it made of one.
    pub(super) fn read(&self, visit: &mut dyn FnMut(&RecordBatch) -> Result<u64>) -> Result<()> {
        let mut rows = u64::MAX;
        for row_group in &self.file.footer.row_groups {
            rows = self.usual_rows(row_group).min(rows.saturating_mul(SHRINK));
            let mut done = 0;
            while let Progress::TooLarge = self.read_on(row_group, rows, &mut done, visit)? {
                rows = (rows / SHRINK).max(1);
            }
        }
        Ok(())
    }

    /// The bytes of all its chunks in the file.
    pub(super) fn file_bytes(&self) -> u64 {
        let row_groups = self.file.footer.row_groups.iter();
        row_groups
            .flat_map(|row_group| {
                self.leaf_positions
                    .iter()
                    .filter_map(|leaf| row_group.chunks.get(*leaf))
            })
            .map(|chunk| chunk.length)
            .fold(0, u64::saturating_add)
    }

    /// How many rows a batch has, by what the footer says.
    fn usual_rows(&self, row_group: &RowGroup) -> u64 {
        let mut total: u64 = 0;
        for (leaf, position) in self.leaves.iter().zip(&self.leaf_positions) {
            let Some(chunk) = row_group.chunks.get(*position) else {
                continue;
            };
            let values = chunk
                .values
                .max(row_group.rows)
                .saturating_mul(leaf.value_bytes());
            total = total
                .saturating_add(values)
                .saturating_add(chunk.uncompressed_length);
        }
        let row_bytes = total / row_group.rows.max(1);
        (BATCH_BYTES / row_bytes.max(1)).clamp(1, BATCH_ROWS)
    }

    /// Reads the rows after the first `done` in batches of `rows`.
    fn read_on(
        &self,
        row_group: &RowGroup,
        rows: u64,
        done: &mut u64,
        visit: &mut dyn FnMut(&RecordBatch) -> Result<u64>,
    ) -> Result<Progress> {
        if row_group.rows == 0 {
            return Ok(Progress::Complete);
        }
        let failure = Failure::default();
        let budget = BatchBudget::new(
            self.file.budget.clone(),
            failure.clone(),
            self.leaves.len(),
            rows,
        );
        let chunks = Chunks {
            set: self,
            row_group,
            budget: budget.clone(),
            failure: failure.clone(),
        };
        let explained = |error: Error| failure.take().unwrap_or(error);
        let read = guarded(|| {
            let mut reader = self.reader(&chunks, rows, *done)?;
            loop {
                budget.begin();
                let Some(batch) = reader.next() else { break };
                let batch = batch.map_err(refused)?;
                if !batch
                    .schema_ref()
                    .fields()
                    .iter()
                    .map(|field| field.data_type())
                    .eq(self.types())
                {
                    return Err(wrong_schema());
                }
                *done += batch.num_rows() as u64;
                if *done > row_group.rows {
                    return Err(not_readable());
                }
                self.file.budget.count(visit(&batch)?)?;
            }
            if *done < row_group.rows {
                Err(not_readable())
            } else {
                Ok(Progress::Complete)
            }
        });
        match read {
            Err(_) if budget.is_too_large() => Ok(Progress::TooLarge),
            other => other.map_err(explained),
        }
    }

    fn reader(
        &self,
        chunks: &Chunks<'_>,
        rows: u64,
        done: u64,
    ) -> Result<ParquetRecordBatchReader> {
        let count = |rows: u64| usize::try_from(rows).map_err(|_| not_readable());
        let rows = count(rows.min(chunks.row_group.rows))?;
        let selection = if done == 0 {
            None
        } else {
            Some(RowSelection::from(vec![
                RowSelector::skip(count(done)?),
                RowSelector::select(count(chunks.row_group.rows - done)?),
            ]))
        };
        ParquetRecordBatchReader::try_new_with_row_groups(&self.levels, chunks, rows, selection)
            .map_err(refused)
    }

    fn types(&self) -> impl Iterator<Item = &arrow_schema::DataType> {
        self.fields.iter().map(|field| field.data_type())
    }
}

enum Progress {
    Complete,
    /// A batch of fewer rows is needed.
    TooLarge,
}

fn no_metadata(descriptor: Arc<SchemaDescriptor>) -> ParquetMetaData {
    ParquetMetaData::new(
        FileMetaData::new(2, 0, None, None, descriptor, None),
        Vec::new(),
    )
}

/// The chunks of a row group.
struct Chunks<'a> {
    set: &'a ColumnSet<'a>,
    row_group: &'a RowGroup,
    budget: BatchBudget,
    failure: Failure,
}

impl RowGroups for Chunks<'_> {
    fn num_rows(&self) -> usize {
        usize::try_from(self.row_group.rows).unwrap_or(usize::MAX)
    }

    fn column_chunks(&self, leaf: usize) -> ParquetResult<Box<dyn PageIterator>> {
        let position = self.set.leaf_positions.get(leaf);
        let chunk = position.and_then(|position| self.row_group.chunks.get(*position));
        let (Some(chunk), Some(leaf)) = (chunk, self.set.leaves.get(leaf)) else {
            return Err(self.failure.set(wrong_schema()));
        };
        let input = self.set.file.input.clone();
        let source = ChunkSource::new(input, chunk.start, chunk.length, self.failure.clone());
        let pages = CheckedPages::new(source, chunk, leaf.clone(), self.budget.clone())?;
        Ok(Box::new(OneChunk(Some(pages))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::empty())
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.set.metadata
    }
}
