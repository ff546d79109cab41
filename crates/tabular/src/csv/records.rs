//! Bytes to records of fields.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::fault::{Fault, Problem};
use crate::limits::{MAX_COLUMNS, MAX_RECORD_BYTES};
use artstore_core::table::CsvOptions;

/// A batch is full when its fields have so many bytes.
const BATCH_BYTES: usize = 4 << 20;

/// A batch has at most so many records ...
const BATCH_RECORDS: usize = 8_192;

/// ... and so many fields, if that is more than one record.
const BATCH_FIELDS: usize = 1 << 20;

/// The free space that a tokeniser is given at least.
const SPACE: usize = 64 << 10;

/// Some records, as fields without quotes.
#[derive(Debug)]
pub(super) struct Records {
    columns: usize,
    limit: usize,
    data: Vec<u8>,
    data_length: usize,
    /// Where fields end in `data`, after a leading zero. There is one place more than fields, see [`Tokenizer::step`].
    ends: Vec<usize>,
    ends_length: usize,
    /// Where records start in the file.
    starts: Vec<u64>,
}

impl Records {
    /// Room for the header.
    pub(super) fn header() -> Self {
        Self::with_limit(MAX_COLUMNS, 1)
    }

    /// Room for a batch of records with so many columns.
    pub(super) fn new(columns: usize) -> Self {
        let limit = (BATCH_FIELDS / columns.max(1)).clamp(1, BATCH_RECORDS);
        Self::with_limit(columns, limit)
    }

    fn with_limit(columns: usize, limit: usize) -> Self {
        Self {
            columns,
            limit,
            data: Vec::new(),
            data_length: 0,
            ends: vec![0; columns * limit + 2],
            ends_length: 1,
            starts: Vec::with_capacity(limit),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Whether there is no room for another record. That of a record that is being read is not counted.
    pub(super) fn is_full(&self) -> bool {
        let bytes = self.ends[self.ends_length - 1];
        self.len() == self.limit || bytes >= BATCH_BYTES
    }

    pub(super) fn clear(&mut self) {
        self.data_length = 0;
        self.ends_length = 1;
        self.starts.clear();
    }

    /// The field of `record` in `column`.
    pub(super) fn field(&self, record: usize, column: usize) -> &[u8] {
        let position = record * self.columns + column;
        &self.data[self.ends[position]..self.ends[position + 1]]
    }

    /// The fields of the header.
    pub(super) fn header_fields(&self) -> impl Iterator<Item = &[u8]> {
        self.ends[..self.ends_length]
            .windows(2)
            .map(|ends| &self.data[ends[0]..ends[1]])
    }

    /// Where `record` starts in the file.
    pub(super) fn start(&self, record: usize) -> u64 {
        self.starts.get(record).copied().unwrap_or_default()
    }

    /// How many bytes the fields of `column` have.
    pub(super) fn column_bytes(&self, column: usize) -> usize {
        (0..self.len())
            .map(|record| self.field(record, column).len())
            .sum()
    }

    fn make_space(&mut self) {
        if self.data.len() - self.data_length < SPACE {
            let length = (2 * self.data.len()).max(2 * SPACE);
            self.data.resize(length, 0);
        }
    }
}

/// Cuts bytes into records. Between calls it may be in the middle of a record.
#[derive(Debug)]
pub(super) struct Tokenizer {
    reader: Reader,
    /// How many fields a record must have; that of the header is not known.
    columns: Option<usize>,
    /// Where the next byte is in the file.
    position: u64,
    /// The record that is being read.
    current: Option<Current>,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    start: u64,
    fields: usize,
    data_start: usize,
    ends_start: usize,
}

impl Tokenizer {
    /// A tokenizer for the header, which starts at `position`.
    pub(super) fn new(options: &CsvOptions, position: u64) -> Self {
        let mut reader = ReaderBuilder::new()
            .delimiter(options.delimiter)
            .quote(options.quote)
            .build();
        // A reader passes over a byte order mark at its beginning; what is at the file's beginning is decided elsewhere.
        reader.read_record(b"\n", &mut [0], &mut [0]);
        Self {
            reader,
            columns: None,
            position,
            current: None,
        }
    }

    /// Expects records with so many fields from now on.
    pub(super) fn expect(&mut self, columns: usize) {
        self.columns = Some(columns);
    }

    /// The column in which the next byte is, from 0.
    pub(super) fn column(&self) -> usize {
        self.current.map_or(0, |current| current.fields)
    }

    /// Reads records from `input` until it ends or `records` are full; says how many bytes that took.
    pub(super) fn feed(&mut self, input: &[u8], records: &mut Records) -> Result<usize, Fault> {
        let mut consumed = 0;
        while consumed < input.len() {
            if self.current.is_none() {
                if records.is_full() {
                    break;
                }
                let breaks = leading_line_breaks(&input[consumed..]);
                consumed += breaks;
                self.position += breaks as u64;
                if consumed == input.len() {
                    break;
                }
            }
            consumed += self.step(&input[consumed..], records)?;
        }
        Ok(consumed)
    }

    /// Ends the last record, if the file does not end with a line break.
    pub(super) fn finish(&mut self, records: &mut Records) -> Result<(), Fault> {
        let Some(current) = self.current else {
            return Ok(());
        };
        let data_length = records.data_length;
        self.step(b"\n", records)?;
        // Only within quotes is a line break part of a field.
        if self.current.is_some() && records.data_length > data_length {
            let column = self.column();
            return Err(Fault::new(current.start, Problem::OpenQuote { column }));
        }
        Ok(())
    }

    /// Reads a part of a record, at most to its end.
    fn step(&mut self, input: &[u8], records: &mut Records) -> Result<usize, Fault> {
        let mut current = self.current.unwrap_or(Current {
            start: self.position,
            fields: 0,
            data_start: records.data_length,
            ends_start: records.ends_length,
        });
        records.make_space();
        // Fields that are too many all end in the spare place.
        let next = current.ends_start + current.fields.min(records.columns);
        let places = next..=current.ends_start + records.columns;
        let (result, read, written, ended) = self.reader.read_record(
            input,
            &mut records.data[records.data_length..],
            &mut records.ends[places],
        );
        self.position += read as u64;
        records.data_length += written;
        current.fields += ended;
        self.current = Some(current);

        let is_complete = result == ReadRecordResult::Record;
        let length = self.position - current.start - u64::from(is_complete);
        if length > MAX_RECORD_BYTES {
            return Err(Fault::new(current.start, Problem::LongRecord));
        }
        if is_complete {
            self.complete(current, records)?;
        }
        Ok(read)
    }

    fn complete(&mut self, current: Current, records: &mut Records) -> Result<(), Fault> {
        let found = current.fields;
        let problem = match self.columns {
            Some(expected) if expected != found => Some(Problem::Ragged { expected, found }),
            None if found > MAX_COLUMNS => Some(Problem::TooManyColumns { found }),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(Fault::new(current.start, problem));
        }
        let ends_length = current.ends_start + found;
        for end in &mut records.ends[current.ends_start..ends_length] {
            *end += current.data_start;
        }
        records.ends_length = ends_length;
        records.starts.push(current.start);
        self.current = None;
        Ok(())
    }
}

/// Lines without anything are no records.
fn leading_line_breaks(input: &[u8]) -> usize {
    input
        .iter()
        .take_while(|byte| matches!(byte, b'\n' | b'\r'))
        .count()
}
