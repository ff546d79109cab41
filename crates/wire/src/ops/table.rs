//! Whether and how a file is published as a table.

use std::collections::BTreeMap;
use std::path::Path;

use artstore_core::artifact::ArtifactKind;
use artstore_core::table::{ColumnType, CsvOptions, TableFormat};
use artstore_core::{Error, Result};

/// What a request says about a file as a table. The file's name tells the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// Keep it as a table, or as the file that it is.
    pub kind: Option<ArtifactKind>,
    /// How the table is written.
    pub format: Option<SourceFormat>,
    /// The character between the fields of a CSV file.
    pub delimiter: Option<u8>,
    /// The character around fields of a CSV file.
    pub quote: Option<u8>,
    /// The types of columns of a CSV file by name.
    pub column_types: BTreeMap<String, ColumnType>,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// CSV.
    Csv,
    /// Parquet.
    Parquet,
}

/// What the options are called where they are given, for messages.
#[derive(Debug, Clone, Copy)]
pub struct OptionNames {
    format: &'static str,
    delimiter: &'static str,
    quote: &'static str,
    column_types: &'static str,
}

impl OptionNames {
    /// On the command line.
    pub const COMMAND_LINE: Self = Self {
        format: "--format",
        delimiter: "--delimiter",
        quote: "--quote",
        column_types: "--column",
    };

    /// In JSON.
    pub const FIELDS: Self = Self {
        format: "format",
        delimiter: "delimiter",
        quote: "quote",
        column_types: "columns",
    };
}

impl TableOptions {
    /// How the file at `path` is read as a table; `None` if it is published as a file.
    ///
    /// # Errors
    /// [`Invalid`](artstore_core::ErrorKind::Invalid) if the options contradict each other, or if a table is asked for and
    /// nothing tells how it is written.
    pub fn format_of(self, path: &Path, names: &OptionNames) -> Result<Option<TableFormat>> {
        let name = path.file_name().and_then(|name| name.to_str());
        let told = name.and_then(TableFormat::of_file_name);
        let format = match (self.format, told) {
            (None, told) => told,
            (Some(SourceFormat::Parquet), _) => Some(TableFormat::Parquet),
            (Some(SourceFormat::Csv), Some(TableFormat::Csv(options))) => {
                Some(TableFormat::Csv(options))
            }
            (Some(SourceFormat::Csv), _) => Some(TableFormat::Csv(CsvOptions::default())),
        };
        match (self.kind, format) {
            (Some(ArtifactKind::File), _) if self.format.is_some() => Err(Error::invalid(
                "what is published as a file has no table format",
            )),
            (Some(ArtifactKind::File), _) | (None, None) => {
                self.refuse_csv_options(names)?;
                Ok(None)
            }
            (Some(ArtifactKind::Table), None) => {
                let option = names.format;
                Err(
                    Error::invalid("the file's name does not tell how the table is written")
                        .with("path", path.display())
                        .hint(format!("say it with {option} csv or {option} parquet")),
                )
            }
            (_, Some(TableFormat::Parquet)) => {
                self.refuse_csv_options(names)?;
                Ok(Some(TableFormat::Parquet))
            }
            (_, Some(TableFormat::Csv(options))) => {
                Ok(Some(TableFormat::Csv(self.csv_options(options)?)))
            }
        }
    }

    fn refuse_csv_options(&self, names: &OptionNames) -> Result<()> {
        let given = [
            (names.delimiter, self.delimiter.is_some()),
            (names.quote, self.quote.is_some()),
            (names.column_types, !self.column_types.is_empty()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((option, _)) => Err(Error::invalid(format!(
                "{option} is for tables that are written as CSV"
            ))
            .hint(format!("say {} csv if the file is one", names.format))),
        }
    }

    fn csv_options(self, told: CsvOptions) -> Result<CsvOptions> {
        let options = CsvOptions {
            delimiter: self.delimiter.unwrap_or(told.delimiter),
            quote: self.quote.unwrap_or(told.quote),
            column_types: self.column_types,
        };
        options.check()?;
        Ok(options)
    }
}
