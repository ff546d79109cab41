//! The table reader.

use std::sync::Arc;

use artstore_core::backend::{
    ConvertedTable, CsvInspection, Progress, RandomRead, StagingWriter, TableInspection,
    TableReader, blocking,
};
use artstore_core::table::{TableFacts, TableFormat, TableRules};
use artstore_core::{Error, Result};
use async_trait::async_trait;

use crate::cancel::Cancel;
use crate::{csv, parquet};

/// The name of the threads that decode sources.
pub const THREAD_NAME: &str = "artstore-table";

/// Understands Parquet and CSV.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TabularReader;

impl TabularReader {
    /// A reader of tables.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl TableReader for TabularReader {
    async fn inspect(
        &self,
        input: Arc<dyn RandomRead>,
        format: &TableFormat,
        progress: Arc<dyn Progress>,
    ) -> Result<TableInspection> {
        let format = format.clone();
        run(move |cancel| match format {
            TableFormat::Parquet => parquet::inspect(&input).map(TableInspection::Parquet),
            TableFormat::Csv(options) => {
                csv::inspect(&input, &options, &progress, cancel).map(TableInspection::Csv)
            }
        })
        .await
    }

    async fn describe(
        &self,
        input: Arc<dyn RandomRead>,
        rules: &TableRules,
        progress: Arc<dyn Progress>,
    ) -> Result<TableFacts> {
        let rules = rules.clone();
        run(move |cancel| parquet::describe(&input, &rules, &*progress, cancel)).await
    }

    async fn convert(
        &self,
        input: Arc<dyn RandomRead>,
        inspection: &CsvInspection,
        rules: &TableRules,
        output: Box<dyn StagingWriter>,
        progress: Arc<dyn Progress>,
    ) -> Result<ConvertedTable> {
        let (inspection, rules) = (inspection.clone(), rules.clone());
        run(move |cancel| csv::convert(&input, &inspection, &rules, output, &progress, cancel))
            .await
    }
}

/// Runs `work` on a thread that may block. It is asked to end when this call is dropped.
async fn run<T: Send + 'static>(
    work: impl FnOnce(&Cancel) -> Result<T> + Send + 'static,
) -> Result<T> {
    let cancel = Cancel::new();
    if blocking::is_allowed() {
        return work(&cancel);
    }
    let _guard = cancel.guard();
    let joined = tokio::task::spawn_blocking(move || work(&cancel)).await;
    joined.unwrap_or_else(|error| {
        let public = if error.is_panic() {
            Error::internal("reading the table failed")
        } else {
            Error::unavailable("reading the table was interrupted")
        };
        Err(public.caused_by(error))
    })
}
