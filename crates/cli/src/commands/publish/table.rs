//! Whether and how a file is published as a table.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use artstore_core::artifact::ArtifactKind;
use artstore_core::table::{ColumnType, TableFormat};
use artstore_core::{Error, Result};
use artstore_wire::ops::{OptionNames, SourceFormat};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

#[derive(Debug, Default, Args)]
pub(super) struct TableOptions {
    /// Keep it as a table, stored as Parquet, or as the file that it is [default: table for names of CSV and Parquet files]
    #[arg(long = "as", value_name = "KIND", value_parser = kinds())]
    kind: Option<ArtifactKind>,
    /// How the table is written [default: as the file's name tells]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The character between the fields of a CSV file, `\t` for a tab [default: a comma, in .tsv and .tab a tab]
    #[arg(long, value_name = "C", value_parser = character)]
    delimiter: Option<u8>,
    /// The character around fields of a CSV file [default: "]
    #[arg(long, value_name = "C", value_parser = character)]
    quote: Option<u8>,
    /// The type of a CSV column [default: found out from the whole file]
    #[arg(long = "column", value_name = "NAME=TYPE", long_help = column_help())]
    columns: Vec<Column>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Parquet,
}

/// `NAME=TYPE`; the name may hold further `=`.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    column_type: ColumnType,
}

impl FromStr for Column {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, column_type) = text
            .rsplit_once('=')
            .ok_or_else(|| Error::invalid("a column is written NAME=TYPE"))?;
        Ok(Self {
            name: name.to_owned(),
            column_type: column_type.parse()?,
        })
    }
}

impl TableOptions {
    /// How the file at `path` is read as a table; `None` if it is published as a file.
    pub(super) fn format_of(self, path: &Path) -> Result<Option<TableFormat>> {
        let options = artstore_wire::ops::TableOptions {
            kind: self.kind,
            format: self.format.map(|format| match format {
                Format::Csv => SourceFormat::Csv,
                Format::Parquet => SourceFormat::Parquet,
            }),
            delimiter: self.delimiter,
            quote: self.quote,
            column_types: column_types(self.columns)?,
        };
        options.format_of(path, &OptionNames::COMMAND_LINE)
    }
}

fn column_types(columns: Vec<Column>) -> Result<BTreeMap<String, ColumnType>> {
    let mut column_types = BTreeMap::new();
    for Column { name, column_type } in columns {
        if let Some(former) = column_types.insert(name.clone(), column_type) {
            return Err(Error::invalid("the column is given two types")
                .with("column", name.escape_debug())
                .with("first", former)
                .with("second", column_type));
        }
    }
    Ok(column_types)
}

fn kinds() -> impl TypedValueParser<Value = ArtifactKind> {
    let words = ArtifactKind::ALL.iter().map(|kind| kind.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse::<ArtifactKind>())
}

fn column_help() -> String {
    let words = ColumnType::WORDS;
    format!(
        "The type of a CSV column [default: found out from the whole file]; may be given several times\n\nTypes: {words}"
    )
}

fn character(text: &str) -> Result<u8> {
    match text.as_bytes() {
        br"\t" => Ok(b'\t'),
        [byte] => Ok(*byte),
        _ => Err(Error::invalid(
            "not one ASCII character, or `\\t` for a tab",
        )),
    }
}

#[cfg(test)]
mod tests;
