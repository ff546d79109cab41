//! Tables that a test can write down: a line of column names, then a line per row.
//!
//! "CSV" is such a text. "Parquet" is the same behind a line that stands for the encoding, so that one table can be spelled
//! in several ways. The content hash covers the text without the encoding.

use std::collections::BTreeSet;
use std::sync::Arc;

use artstore_core::backend::{
    ConvertedTable, CsvInspection, Progress, RandomRead, SourceFacts, StagingWriter,
    TableInspection, TableReader,
};
use artstore_core::digest::{ContentHash, Digest, HashAlgorithm};
use artstore_core::table::{
    CsvOptions, TableColumn, TableFacts, TableFormat, TableRules, TableSchema, TableWriter,
};
use artstore_core::{Error, Result};
use async_trait::async_trait;

#[derive(Debug)]
pub(crate) struct TextTables;

/// The bytes of a stored table in this encoding.
pub(crate) fn encoded(encoding: &str, table: &str) -> String {
    format!("#{encoding}\n{table}")
}

fn read(input: &dyn RandomRead) -> Result<String> {
    let mut bytes = vec![0; usize::try_from(input.size()).unwrap()];
    input.read_exact_at(0, &mut bytes)?;
    input.check_unchanged()?;
    String::from_utf8(bytes).map_err(|_| Error::invalid("not text"))
}

fn table_of(parquet: &str) -> Result<&str> {
    let rest = parquet.strip_prefix('#');
    let table = rest.and_then(|rest| rest.split_once('\n'));
    table
        .map(|(_, table)| table)
        .ok_or_else(|| Error::invalid("not a readable Parquet file"))
}

fn schema_of(table: &str) -> TableSchema {
    let names = table.lines().next().unwrap_or_default().split(',');
    let columns = names.map(|name| TableColumn {
        name: name.to_owned(),
        column_type: "string".to_owned(),
    });
    TableSchema {
        columns: columns.collect(),
    }
}

fn facts_of(table: &str, rules: &TableRules) -> TableFacts {
    let mut rows: Vec<&str> = table.lines().skip(1).collect();
    if !rules.sort_keys.is_empty() {
        rows.sort_unstable();
    }
    let header = table.lines().next().unwrap_or_default();
    TableFacts {
        schema: schema_of(table),
        row_count: rows.len() as u64,
        content_hash: Some(ContentHash {
            algorithm: HashAlgorithm::Ch1,
            digest: Digest::of(format!("{header}\n{}", rows.join("\n")).as_bytes()),
        }),
        timestamp_column: rules.timestamp_column.clone(),
        min_timestamp: None,
        max_timestamp: None,
    }
}

#[async_trait]
impl TableReader for TextTables {
    async fn inspect(
        &self,
        input: Arc<dyn RandomRead>,
        format: &TableFormat,
        _progress: Arc<dyn Progress>,
    ) -> Result<TableInspection> {
        let text = read(input.as_ref())?;
        match format {
            TableFormat::Parquet => Ok(TableInspection::Parquet(schema_of(table_of(&text)?))),
            TableFormat::Csv(_) if text.is_empty() => Err(Error::invalid("no header")),
            TableFormat::Csv(options) => Ok(TableInspection::Csv(CsvInspection {
                schema: schema_of(&text),
                options: CsvOptions::clone(options),
                nanosecond_columns: BTreeSet::new(),
                row_count: text.lines().skip(1).count() as u64,
                source: SourceFacts {
                    size_bytes: text.len() as u64,
                    digest: Digest::of(text.as_bytes()),
                },
            })),
        }
    }

    async fn describe(
        &self,
        input: Arc<dyn RandomRead>,
        rules: &TableRules,
        _progress: Arc<dyn Progress>,
    ) -> Result<TableFacts> {
        Ok(facts_of(table_of(&read(input.as_ref())?)?, rules))
    }

    async fn convert(
        &self,
        input: Arc<dyn RandomRead>,
        _inspection: &CsvInspection,
        rules: &TableRules,
        mut output: Box<dyn StagingWriter>,
        _progress: Arc<dyn Progress>,
    ) -> Result<ConvertedTable> {
        let table = read(input.as_ref())?;
        output.write_all(encoded("ours", &table).as_bytes())?;
        Ok(ConvertedTable {
            staged: output.finish()?,
            facts: facts_of(&table, rules),
            writer: TableWriter {
                created_by: "a test".to_owned(),
                compression: "none".to_owned(),
                row_group_rows: 1,
                row_group_bytes: 1,
            },
        })
    }
}
