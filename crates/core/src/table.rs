//! Tables: how a source is read as one, what is known of one, and how a registered type wants its tables identified.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::ContentHash;
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// How a source is read as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableFormat {
    /// Parquet, stored as it is, byte for byte.
    Parquet,
    /// CSV (RFC 4180), stored as Parquet.
    Csv(CsvOptions),
}

impl TableFormat {
    /// The format that a file's name tells by its extension, in any case: `parquet` and `pq`; `csv`; `tsv` and `tab`,
    /// which are CSV with tabs. `None` for every other name.
    pub fn of_file_name(name: &str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        if stem.is_empty() {
            return None;
        }
        match extension.to_ascii_lowercase().as_str() {
            "parquet" | "pq" => Some(Self::Parquet),
            "csv" => Some(Self::Csv(CsvOptions::default())),
            "tsv" | "tab" => Some(Self::Csv(CsvOptions {
                delimiter: b'\t',
                ..CsvOptions::default()
            })),
            _ => None,
        }
    }
}

/// How a CSV source is read.
///
/// The text is UTF-8, with or without byte order mark. The first record names the columns. An empty field is null. What
/// the types of columns are that are not given is found out from the whole file, see `docs/formats/csv.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvOptions {
    /// The byte between fields; a comma by default.
    pub delimiter: u8,
    /// The byte around fields that hold delimiters, quotes or line breaks; `"` by default. Inside it is written twice.
    pub quote: u8,
    /// The types of columns by name, where they are not to be found out.
    pub column_types: BTreeMap<String, ColumnType>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            column_types: BTreeMap::new(),
        }
    }
}

impl CsvOptions {
    /// Checks that delimiter and quote are two different ASCII characters that can stand in a line.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid).
    pub fn check(&self) -> Result<()> {
        for (what, byte) in [("delimiter", self.delimiter), ("quote", self.quote)] {
            if !byte.is_ascii() || matches!(byte, b'\n' | b'\r' | 0) {
                return Err(Error::invalid(format!(
                    "the {what} must be an ASCII character other than a line break"
                ))
                .with(what, byte.escape_ascii()));
            }
        }
        if self.delimiter == self.quote {
            return Err(
                Error::invalid("the delimiter and the quote are the same character")
                    .with("delimiter", self.delimiter.escape_ascii()),
            );
        }
        Ok(())
    }
}

/// The type of a CSV column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `true` or `false`, in any case.
    Bool,
    /// An integer of 64 bits with sign.
    Int,
    /// An integer of 64 bits without sign.
    UInt,
    /// A binary floating-point number of 64 bits.
    Float,
    /// A decimal number with `precision` digits, `scale` of them after the point.
    Decimal {
        /// All digits: 1 to 38.
        precision: u8,
        /// Digits after the point: 0 to `precision`.
        scale: u8,
    },
    /// A date, `2026-11-20`.
    Date,
    /// A time of day, `09:30:00.123`.
    Time,
    /// A time without time zone, `2026-11-20T09:30:00.123456`.
    Timestamp,
    /// An instant, `2026-11-20T09:30:00Z` or with another offset.
    TimestampTz,
    /// Text.
    String,
}

impl ColumnType {
    /// The words for all types, `decimal(P,S)` among them.
    pub const WORDS: &str =
        "bool, int, uint, float, decimal(P,S), date, time, timestamp, timestamptz, string";
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::UInt => "uint",
            Self::Float => "float",
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::String => "string",
        })
    }
}

impl FromStr for ColumnType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let decimal = || {
            let (precision, scale) = text
                .strip_prefix("decimal(")?
                .strip_suffix(')')?
                .split_once(',')?;
            let precision: u8 = precision.trim().parse().ok()?;
            let scale: u8 = scale.trim().parse().ok()?;
            let is_valid = (1..=38).contains(&precision) && scale <= precision;
            is_valid.then_some(Self::Decimal { precision, scale })
        };
        Ok(match text {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "uint" => Self::UInt,
            "float" => Self::Float,
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::TimestampTz,
            "string" => Self::String,
            _ => decimal().ok_or_else(|| {
                Error::invalid("not a valid column type")
                    .with("given", text.escape_debug())
                    .with("known", Self::WORDS)
            })?,
        })
    }
}

impl Serialize for ColumnType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ColumnType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The columns of a table, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableSchema {
    /// The columns.
    pub columns: Vec<TableColumn>,
}

impl TableSchema {
    /// Those of `names` that no column has.
    pub fn missing<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        let found: HashSet<&str> = self
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        names
            .into_iter()
            .filter(|name| !found.contains(name.as_str()))
            .cloned()
            .collect()
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type in words: the type names of the content hash with what they contain (`int`, `list<string>`,
    /// `timestamptz`), for people.
    #[serde(rename = "type")]
    pub column_type: String,
}

/// How a registered type wants its tables identified. The default takes every column in order and sorts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableRules {
    /// The columns that the content hash covers, in its order; all of them if empty.
    pub canonical_columns: Vec<String>,
    /// The columns by which rows are sorted before they are hashed; the file's order if empty.
    pub sort_keys: Vec<String>,
    /// The column of the earliest and latest time; found by rule if not given.
    pub timestamp_column: Option<String>,
}

/// What is known of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFacts {
    /// Its columns.
    pub schema: TableSchema,
    /// The number of its rows.
    pub row_count: u64,
    /// Its `ch1`; `None` if it has a column whose type has none.
    pub content_hash: Option<ContentHash>,
    /// The column of times: the one that the rules name; otherwise the first at the top level that is a timestamp, or
    /// else a date.
    pub timestamp_column: Option<String>,
    /// The earliest time in that column in UTC, rounded down to the millisecond; times without time zone count as UTC.
    /// What lies outside the years 0000 to 9999 counts as their beginning or end. `None` if all are null.
    pub min_timestamp: Option<Timestamp>,
    /// The latest time, rounded up.
    pub max_timestamp: Option<Timestamp>,
}

/// With which settings a table was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableWriter {
    /// The file's `created_by`.
    pub created_by: String,
    /// Codec and level, as `zstd(3)`.
    pub compression: String,
    /// The greatest number of rows of a row group.
    pub row_group_rows: u64,
    /// The size in bytes at which a row group is ended early.
    pub row_group_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_types_are_read_as_they_are_written() {
        for text in [
            "bool",
            "int",
            "uint",
            "float",
            "decimal(10,2)",
            "date",
            "time",
            "timestamp",
            "timestamptz",
            "string",
        ] {
            assert_eq!(text.parse::<ColumnType>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "integer",
            "decimal",
            "decimal(0,0)",
            "decimal(39,1)",
            "decimal(2,3)",
        ] {
            assert!(wrong.parse::<ColumnType>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn formats_follow_the_extension_in_any_case() {
        assert_eq!(
            TableFormat::of_file_name("a.PARQUET"),
            Some(TableFormat::Parquet)
        );
        let Some(TableFormat::Csv(options)) = TableFormat::of_file_name("a.b.Tsv") else {
            panic!("tab-separated values are a table");
        };
        assert_eq!(options.delimiter, b'\t');
        for other in ["csv", ".csv", "a.csv.gz", "a.txt", "a."] {
            assert_eq!(TableFormat::of_file_name(other), None, "{other}");
        }
    }

    #[test]
    fn options_that_cannot_work_are_refused() {
        let check = |delimiter, quote| {
            let options = CsvOptions {
                delimiter,
                quote,
                ..CsvOptions::default()
            };
            options.check().is_ok()
        };
        assert!(check(b';', b'\''));
        for (delimiter, quote) in [(b'"', b'"'), (b'\n', b'"'), (0xe9, b'"'), (b',', b'\r')] {
            assert!(!check(delimiter, quote));
        }
    }
}
