//! What is wrong with a CSV, and in which line.

use artstore_core::backend::RandomRead;
use artstore_core::{Error, Result};

use super::CHUNK_BYTES;
use crate::limits::{MAX_COLUMNS, MAX_RECORD_BYTES};

/// How many characters of a field an error shows.
const EXCERPT: usize = 40;

/// Something wrong at a place of the file.
#[derive(Debug)]
pub(super) struct Fault {
    offset: u64,
    problem: Problem,
}

/// What is wrong. Columns count from 0.
#[derive(Debug)]
pub(super) enum Problem {
    /// A record has another number of fields than the header.
    Ragged {
        /// The number of columns.
        expected: usize,
        /// The number of fields.
        found: usize,
    },
    /// The header has too many columns.
    TooManyColumns {
        /// Their number.
        found: usize,
    },
    /// A record is too long.
    LongRecord,
    /// The file ends within quotes.
    OpenQuote {
        /// In which column.
        column: usize,
    },
    /// Bytes are not UTF-8.
    NotUtf8 {
        /// In which column.
        column: usize,
    },
    /// A field is not of its column's given type.
    NotOfType {
        /// In which column.
        column: usize,
        /// The column's name.
        name: String,
        /// The given type.
        given: String,
        /// The field.
        value: Vec<u8>,
    },
}

impl Fault {
    /// `problem` in the record at `offset`.
    pub(super) fn new(offset: u64, problem: Problem) -> Self {
        Self { offset, problem }
    }

    /// The error for people. Lines are counted only now: reading the file once more costs less than counting them always.
    pub(super) fn into_error(self, input: &dyn RandomRead) -> Error {
        let line = match line_at(input, self.offset) {
            Ok(line) => line,
            Err(error) => return error,
        };
        match self.problem {
            Problem::Ragged { expected, found } => {
                Error::invalid("a record has another number of fields than the header")
                    .with("line", line)
                    .with("expected", expected)
                    .with("found", found)
                    .hint("check the delimiter, and that fields with delimiters are quoted")
            }
            Problem::TooManyColumns { found } => Error::invalid("too many columns")
                .with("line", line)
                .with("found", found)
                .with("limit", MAX_COLUMNS),
            Problem::LongRecord => Error::invalid("a record is too long")
                .with("line", line)
                .with("limit_bytes", MAX_RECORD_BYTES)
                .hint("check that every quote is closed"),
            Problem::OpenQuote { column } => Error::invalid("a quote is not closed")
                .with("line", line)
                .with("column", column + 1),
            Problem::NotUtf8 { column } => Error::invalid("the text is not valid UTF-8")
                .with("line", line)
                .with("column", column + 1)
                .hint("save it as UTF-8"),
            Problem::NotOfType {
                column,
                name,
                given,
                value,
            } => Error::invalid("a value is not of the type given for its column")
                .with("line", line)
                .with("column", column + 1)
                .with("name", name)
                .with("type", given)
                .with("value", excerpt(&value)),
        }
    }
}

/// The line of the byte at `offset`, from 1. A line ends with LF, CRLF or CR.
fn line_at(input: &dyn RandomRead, offset: u64) -> Result<u64> {
    let mut line = 1;
    let mut is_after_cr = false;
    let mut position = 0;
    let mut buffer = vec![0; CHUNK_BYTES];
    while position < offset {
        let length = (offset - position).min(CHUNK_BYTES as u64) as usize;
        let chunk = &mut buffer[..length];
        input.read_exact_at(position, chunk)?;
        for byte in chunk.iter() {
            let is_second_half = is_after_cr && *byte == b'\n';
            if matches!(byte, b'\n' | b'\r') && !is_second_half {
                line += 1;
            }
            is_after_cr = *byte == b'\r';
        }
        position += length as u64;
    }
    Ok(line)
}

fn excerpt(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut shown: String = text.chars().take(EXCERPT).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}
