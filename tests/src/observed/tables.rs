//! A reader of tables that is observed.

use std::sync::Arc;

use artstore_core::backend::{
    ConvertedTable, CsvInspection, Progress, RandomRead, StagingWriter, TableInspection,
    TableReader,
};
use artstore_core::table::{TableFacts, TableFormat, TableRules};
use artstore_core::{Error, Result};
use async_trait::async_trait;

use super::{Call, Next, Observer};

/// Passes every call on, and asks an [`Observer`] before each, when a conversion writes, and when one has ended.
#[derive(Debug)]
pub struct ObservedTables {
    inner: Arc<dyn TableReader>,
    observer: Arc<dyn Observer>,
}

impl ObservedTables {
    /// Observes the users of `inner`.
    pub fn new(inner: Arc<dyn TableReader>, observer: Arc<dyn Observer>) -> Self {
        Self { inner, observer }
    }
}

/// What a table says cannot be pretended.
fn ask(observer: &dyn Observer, verb: &str) -> Result<()> {
    let call = Call {
        area: "table",
        verb,
        path: None,
    };
    match observer.before(&call) {
        Next::Proceed | Next::Pretend => Ok(()),
        Next::Fail(_) => Err(Error::unavailable("made to fail").with("call", call)),
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl TableReader for ObservedTables {
    async fn inspect(
        &self,
        input: Arc<dyn RandomRead>,
        format: &TableFormat,
        progress: Arc<dyn Progress>,
    ) -> Result<TableInspection> {
        ask(&*self.observer, "inspect")?;
        self.inner.inspect(input, format, progress).await
    }

    async fn describe(
        &self,
        input: Arc<dyn RandomRead>,
        rules: &TableRules,
        progress: Arc<dyn Progress>,
    ) -> Result<TableFacts> {
        ask(&*self.observer, "describe")?;
        self.inner.describe(input, rules, progress).await
    }

    async fn convert(
        &self,
        input: Arc<dyn RandomRead>,
        inspection: &CsvInspection,
        rules: &TableRules,
        output: Box<dyn StagingWriter>,
        progress: Arc<dyn Progress>,
    ) -> Result<ConvertedTable> {
        ask(&*self.observer, "convert")?;
        let observer = Arc::clone(&self.observer);
        let output = Box::new(ObservedWriter {
            inner: output,
            observer,
        });
        let converted = self
            .inner
            .convert(input, inspection, rules, output, progress)
            .await?;
        ask(&*self.observer, "converted")?;
        Ok(converted)
    }
}

#[derive(Debug)]
struct ObservedWriter {
    inner: Box<dyn StagingWriter>,
    observer: Arc<dyn Observer>,
}

#[deny(clippy::missing_trait_methods)]
impl StagingWriter for ObservedWriter {
    fn write_all(&mut self, data: &[u8]) -> Result<()> {
        ask(&*self.observer, "write")?;
        self.inner.write_all(data)
    }

    fn finish(self: Box<Self>) -> Result<artstore_core::backend::StagedSource> {
        ask(&*self.observer, "end")?;
        self.inner.finish()
    }
}
