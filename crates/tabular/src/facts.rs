//! All facts of a table, from its batches.

mod times;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use artstore_core::table::{TableColumn, TableFacts, TableRules, TableSchema};
use artstore_core::{Error, Result};

use crate::ch1::{Sorter, TableHasher, type_name, type_words};

pub(crate) use times::TimeRange;

/// The columns of `schema` in words.
pub(crate) fn table_schema(schema: &Schema) -> TableSchema {
    let column = |field: &arrow_schema::FieldRef| TableColumn {
        name: field.name().clone(),
        column_type: type_words(field),
    };
    TableSchema {
        columns: schema.fields().iter().map(column).collect(),
    }
}

/// Which columns of a table do what.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The columns of the content hash, in its order.
    pub(crate) canonical: Vec<usize>,
    /// Their names.
    pub(crate) canonical_names: Vec<String>,
    /// The columns that rows are sorted by.
    pub(crate) sort_keys: Vec<usize>,
    /// The column of times.
    pub(crate) timestamp: Option<usize>,
}

impl Plan {
    /// Finds the columns that `rules` name.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if there is none of a name or more than one, if it cannot be sorted by,
    /// or if it holds no times.
    pub(crate) fn new(schema: &Schema, rules: &TableRules) -> Result<Self> {
        let find = |names: &[String], what| -> Result<Vec<usize>> {
            names
                .iter()
                .map(|name| find_column(schema, name, what))
                .collect()
        };
        let canonical = match rules.canonical_columns.as_slice() {
            [] => (0..schema.fields().len()).collect(),
            names => find(names, "canonical column")?,
        };
        let sort_keys = find(&rules.sort_keys, "sort key")?;
        for &key in &sort_keys {
            let field = schema.field(key);
            if !Sorter::can_sort_by(field) {
                return Err(
                    Error::invalid("the table cannot be sorted by a column of this type")
                        .with("column", field.name().escape_debug())
                        .with("type", type_words(field)),
                );
            }
        }
        Ok(Self {
            canonical_names: canonical
                .iter()
                .map(|&column| schema.field(column).name().clone())
                .collect(),
            canonical,
            sort_keys,
            timestamp: timestamp_column(schema, rules.timestamp_column.as_ref())?,
        })
    }

    /// Whether `column` takes part in anything.
    pub(crate) fn uses(&self, column: usize) -> bool {
        self.canonical.contains(&column)
            || self.sort_keys.contains(&column)
            || self.timestamp == Some(column)
    }
}

fn find_column(schema: &Schema, name: &String, what: &'static str) -> Result<usize> {
    let mut found =
        (0..schema.fields().len()).filter(|&column| schema.field(column).name() == name);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (None, _) => Err(
            Error::invalid(format!("the table does not have the {what}"))
                .with("column", name.escape_debug()),
        ),
        (Some(_), Some(_)) => Err(Error::invalid(format!(
            "the table has the {what} more than once"
        ))
        .with("column", name.escape_debug())),
    }
}

fn timestamp_column(schema: &Schema, given: Option<&String>) -> Result<Option<usize>> {
    let type_of = |column: usize| type_name(schema.field(column));
    if let Some(name) = given {
        let column = find_column(schema, name, "timestamp column")?;
        return match type_of(column) {
            Some("timestamp" | "timestamptz" | "date") => Ok(Some(column)),
            _ => Err(Error::invalid("the timestamp column holds no times")
                .with("column", name.escape_debug())
                .with("type", type_words(schema.field(column)))
                .hint("a timestamp column is a timestamp, a timestamptz or a date")),
        };
    }
    let mut columns = 0..schema.fields().len();
    let timestamp = columns
        .clone()
        .find(|&column| matches!(type_of(column), Some("timestamp" | "timestamptz")));
    Ok(timestamp.or_else(|| columns.find(|&column| type_of(column) == Some("date"))))
}

/// Collects the facts of a table from its batches, in file order, with all columns of its schema.
pub(crate) struct FactsCollector {
    schema: TableSchema,
    timestamp: Option<usize>,
    times: TimeRange,
    hasher: TableHasher,
    rows: u64,
}

impl FactsCollector {
    /// A collector that has seen no rows.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if `rules` do not fit `schema`.
    pub(crate) fn new(schema: &Schema, rules: &TableRules) -> Result<Self> {
        let plan = Plan::new(schema, rules)?;
        Ok(Self {
            schema: table_schema(schema),
            timestamp: plan.timestamp,
            times: TimeRange::default(),
            hasher: TableHasher::with_plan(schema, plan)?,
            rows: 0,
        })
    }

    /// Adds the rows of `batch`.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if a value has no canonical form or there is too much to be sorted.
    pub(crate) fn update(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        if let Some(column) = self.timestamp {
            self.times.update(batch.column(column))?;
        }
        self.hasher.update(batch)
    }

    /// The facts of all rows.
    ///
    /// # Errors
    /// As [`Self::update`].
    pub(crate) fn finish(self) -> Result<TableFacts> {
        let content_hash = self.hasher.finish()?;
        let name = |column: usize| {
            self.schema
                .columns
                .get(column)
                .map(|column| column.name.clone())
        };
        Ok(TableFacts {
            timestamp_column: self.timestamp.and_then(name),
            schema: self.schema,
            row_count: self.rows,
            content_hash,
            min_timestamp: self.times.earliest(),
            max_timestamp: self.times.latest(),
        })
    }
}
