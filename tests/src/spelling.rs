//! One small table in many spellings: as CSV and as Parquet of several encodings.
//!
//! A table has the columns `ts` (instants), `n` (integers) and `name` (text, with nulls). Whatever its spelling, it is the
//! same table.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow_schema::{ArrowError, Schema};
use artstore_core::table::{CsvOptions, TableFormat};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterVersion};

/// When every table begins: 2026-11-20T09:30:00Z.
const START_SECONDS: i64 = 1_795_167_000;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Seconds after the beginning.
    pub second: i64,
    /// A number.
    pub n: i64,
    /// A text; null if it is not there.
    pub name: Option<String>,
}

/// How a table is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// CSV.
    Csv,
    /// CSV with tabs between fields that all stand in quotes.
    Tabs,
    /// Parquet without compression.
    Plain,
    /// Parquet in Snappy, without dictionaries, a row per row group.
    Snappy,
    /// Parquet in Zstandard with pages of the second version, and times in another unit.
    Zstandard,
}

impl Spelling {
    /// Every spelling.
    pub const ALL: [Self; 5] = [
        Self::Csv,
        Self::Tabs,
        Self::Plain,
        Self::Snappy,
        Self::Zstandard,
    ];

    /// How it is read as a table.
    pub fn format(self) -> TableFormat {
        match self {
            Self::Csv => TableFormat::Csv(CsvOptions::default()),
            Self::Tabs => TableFormat::Csv(CsvOptions {
                delimiter: b'\t',
                ..CsvOptions::default()
            }),
            Self::Plain | Self::Snappy | Self::Zstandard => TableFormat::Parquet,
        }
    }

    /// These rows as a file.
    pub fn of(self, rows: &[Row]) -> Bytes {
        match self {
            Self::Csv => csv(rows, ",", ""),
            Self::Tabs => csv(rows, "\t", "\""),
            Self::Plain | Self::Snappy | Self::Zstandard => {
                parquet(rows, self).expect("a small table is written")
            }
        }
    }
}

/// The `number`th table: rows with times, numbers and texts that no other one has.
pub fn rows(number: u64, count: u64) -> Vec<Row> {
    let number = i64::try_from(number).expect("a small number");
    let count = i64::try_from(count).expect("a small number");
    let row = |position: i64| Row {
        second: 60 * position,
        n: 1000 * number + position,
        name: (position % 3 != 1).then(|| format!("row {position}, table {number}")),
    };
    (0..count).map(row).collect()
}

fn csv(rows: &[Row], delimiter: &str, quote: &str) -> Bytes {
    let mut text = ["ts", "n", "name"].join(delimiter);
    text.push('\n');
    for row in rows {
        let time = artstore_core::time::Timestamp::from_unix_milliseconds(
            1000 * (START_SECONDS + row.second),
        );
        let time = time.expect("a time in range");
        let name = match (&row.name, quote) {
            (None, _) => String::new(),
            (Some(name), _) => format!("\"{name}\""),
        };
        let _ = writeln!(
            text,
            "{quote}{time}{quote}{delimiter}{quote}{}{quote}{delimiter}{name}",
            row.n
        );
    }
    text.into()
}

fn parquet(rows: &[Row], spelling: Spelling) -> Result<Bytes, ParquetError> {
    let properties = WriterProperties::builder();
    let properties = match spelling {
        Spelling::Snappy => properties
            .set_compression(Compression::SNAPPY)
            .set_dictionary_enabled(false)
            .set_max_row_group_row_count(Some(1)),
        Spelling::Zstandard => properties
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_writer_version(WriterVersion::PARQUET_2_0),
        _ => properties.set_compression(Compression::UNCOMPRESSED),
    };
    let batch = batch(rows, spelling)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build()))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes.into())
}

fn batch(rows: &[Row], spelling: Spelling) -> Result<RecordBatch, ArrowError> {
    let seconds = rows.iter().map(|row| START_SECONDS + row.second);
    let times: ArrayRef = match spelling {
        Spelling::Zstandard => Arc::new(
            TimestampMicrosecondArray::from_iter_values(seconds.map(|second| second * 1_000_000))
                .with_timezone("+02:00"),
        ),
        _ => Arc::new(
            TimestampMillisecondArray::from_iter_values(seconds.map(|second| second * 1000))
                .with_timezone("UTC"),
        ),
    };
    let numbers = Int64Array::from_iter_values(rows.iter().map(|row| row.n));
    let names = StringArray::from_iter(rows.iter().map(|row| row.name.as_deref()));
    let columns: [(&str, ArrayRef); 3] = [
        ("ts", times),
        ("n", Arc::new(numbers)),
        ("name", Arc::new(names)),
    ];
    let field = |(name, column): &(&str, ArrayRef)| {
        arrow_schema::Field::new(*name, column.data_type().clone(), true)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(
        Arc::new(schema),
        columns.into_iter().map(|(_, column)| column).collect(),
    )
}
