//! Whether and how a file is published as a table.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use artstore_core::artifact::ArtifactKind;
use artstore_core::table::{ColumnType, CsvOptions, TableFormat};
use artstore_core::{Error, Result};
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
        let name = path.file_name().and_then(|name| name.to_str());
        let told = name.and_then(TableFormat::of_file_name);
        let format = match (self.format, told) {
            (None, told) => told,
            (Some(Format::Parquet), _) => Some(TableFormat::Parquet),
            (Some(Format::Csv), Some(TableFormat::Csv(options))) => Some(TableFormat::Csv(options)),
            (Some(Format::Csv), _) => Some(TableFormat::Csv(CsvOptions::default())),
        };
        match (self.kind, format) {
            (Some(ArtifactKind::File), _) if self.format.is_some() => Err(Error::invalid(
                "what is published as a file has no table format",
            )),
            (Some(ArtifactKind::File), _) | (None, None) => {
                self.refuse_csv_options()?;
                Ok(None)
            }
            (Some(ArtifactKind::Table), None) => Err(Error::invalid(
                "the file's name does not tell how the table is written",
            )
            .with("path", path.display())
            .hint("say it with --format csv or --format parquet")),
            (_, Some(TableFormat::Parquet)) => {
                self.refuse_csv_options()?;
                Ok(Some(TableFormat::Parquet))
            }
            (_, Some(TableFormat::Csv(options))) => {
                Ok(Some(TableFormat::Csv(self.csv_options(options)?)))
            }
        }
    }

    fn refuse_csv_options(&self) -> Result<()> {
        let given = [
            ("--delimiter", self.delimiter.is_some()),
            ("--quote", self.quote.is_some()),
            ("--column", !self.columns.is_empty()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((option, _)) => Err(Error::invalid(format!(
                "{option} is for tables that are written as CSV"
            ))
            .hint("say --format csv if the file is one")),
        }
    }

    fn csv_options(self, told: CsvOptions) -> Result<CsvOptions> {
        let mut column_types = BTreeMap::new();
        for Column { name, column_type } in self.columns {
            if let Some(former) = column_types.insert(name.clone(), column_type) {
                return Err(Error::invalid("the column is given two types")
                    .with("column", name.escape_debug())
                    .with("first", former)
                    .with("second", column_type));
            }
        }
        let options = CsvOptions {
            delimiter: self.delimiter.unwrap_or(told.delimiter),
            quote: self.quote.unwrap_or(told.quote),
            column_types,
        };
        options.check()?;
        Ok(options)
    }
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
