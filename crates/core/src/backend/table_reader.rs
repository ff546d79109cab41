use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Progress, RandomRead, SourceFacts, StagedSource, StagingWriter};
use crate::error::Result;
use crate::table::{CsvOptions, TableFacts, TableFormat, TableRules, TableSchema, TableWriter};

/// Understands tables: reads their schema, computes their facts, writes them as Parquet.
///
/// Sources come from anywhere. Whatever their bytes are, every method ends with an answer or a typed error, within
/// bounds of time and memory that are proportional to the size of the source.
///
/// # Errors
/// * [`Invalid`](crate::ErrorKind::Invalid): the source is not a table of that format; of CSV, with the line. Or a
///   limit is exceeded.
/// * [`Unsupported`](crate::ErrorKind::Unsupported): it uses a feature or an encoding that is not supported.
/// * [`Conflict`](crate::ErrorKind::Conflict): it changed while it was read.
/// * Those of [`RandomRead`] and [`StagingWriter`].
///
/// # Concurrency
/// Work is done on threads that may block. A call that is dropped ends soon.
#[async_trait]
pub trait TableReader: Debug + Send + Sync + 'static {
    /// Finds out which columns `input` has: of Parquet from its footer, of CSV by reading all of it once.
    ///
    /// The same bytes with the same options always give the same answer.
    async fn inspect(
        &self,
        input: Arc<dyn RandomRead>,
        format: &TableFormat,
        progress: Arc<dyn Progress>,
    ) -> Result<TableInspection>;

    /// The facts of the Parquet file `input`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) also if `rules` name a column that the table does not have, one that cannot be
    /// sorted by or holds no times, or if it is too large to be sorted in memory.
    async fn describe(
        &self,
        input: Arc<dyn RandomRead>,
        rules: &TableRules,
        progress: Arc<dyn Progress>,
    ) -> Result<TableFacts>;

    /// Writes the CSV `input` as Parquet to `output`, as `inspection` of the same input says. After an error nothing
    /// is staged.
    ///
    /// The same bytes give the same Parquet file, as long as [`TableWriter`] is the same.
    ///
    /// # Errors
    /// As [`Self::describe`].
    async fn convert(
        &self,
        input: Arc<dyn RandomRead>,
        inspection: &CsvInspection,
        rules: &TableRules,
        output: Box<dyn StagingWriter>,
        progress: Arc<dyn Progress>,
    ) -> Result<ConvertedTable>;
}

/// Which columns a source has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableInspection {
    /// Of Parquet.
    Parquet(TableSchema),
    /// Of CSV, with what writing it needs.
    Csv(CsvInspection),
}

impl TableInspection {
    /// The columns.
    pub fn schema(&self) -> &TableSchema {
        match self {
            Self::Parquet(schema) => schema,
            Self::Csv(inspection) => &inspection.schema,
        }
    }
}

/// What reading a CSV source once has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvInspection {
    /// The columns.
    pub schema: TableSchema,
    /// How it was read, with the type of every column, in order of the columns' names.
    pub options: CsvOptions,
    /// The columns whose times need nanoseconds; other times are kept in microseconds.
    pub nanosecond_columns: BTreeSet<String>,
    /// The number of records after the header.
    pub row_count: u64,
    /// Facts about the source's bytes.
    pub source: SourceFacts,
}

/// A table that was written.
#[derive(Debug)]
pub struct ConvertedTable {
    /// The staged Parquet file.
    pub staged: StagedSource,
    /// Facts about the table.
    pub facts: TableFacts,
    /// With which settings it was written.
    pub writer: TableWriter,
}
