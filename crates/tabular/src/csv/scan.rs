//! The first reading: columns, their types, the number of records.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use artstore_core::backend::{Progress, RandomRead, SourceFacts};
use artstore_core::table::{ColumnType, CsvOptions};
use artstore_core::{Error, Result};

use super::fault::{Fault, Problem};
use super::infer::{self, Seen};
use super::records::{Records, Tokenizer};
use super::source::{self, SourceFault};
use super::{QUEUE, worker};
use crate::cancel::Cancel;

/// What reading a CSV once shows.
#[derive(Debug)]
pub(super) struct Scan {
    /// Its columns in order.
    pub(super) columns: Vec<Column>,
    /// The number of records after the header.
    pub(super) row_count: u64,
    /// Facts about the bytes.
    pub(super) source: SourceFacts,
}

/// A column and what its fields look like.
#[derive(Debug)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    given: Option<ColumnType>,
    seen: Seen,
}

impl Column {
    /// The type that is given, or else the narrowest one that holds every field.
    pub(super) fn column_type(&self) -> ColumnType {
        self.given.unwrap_or_else(|| self.seen.column_type())
    }

    /// Whether times of the column need nanoseconds.
    pub(super) fn needs_nanoseconds(&self) -> bool {
        self.seen.needs_nanoseconds()
    }

    /// Takes the fields of `records` in the column at `position`.
    fn look_at(&mut self, records: &Records, position: usize) -> Result<(), Fault> {
        match self.given {
            Some(ColumnType::String) => Ok(()),
            Some(given) => self.look_for(given, records, position),
            None => {
                self.look_freely(records, position);
                Ok(())
            }
        }
    }

    fn look_freely(&mut self, records: &Records, position: usize) {
        if self.seen.is_settled() {
            return;
        }
        for record in 0..records.len() {
            let field = records.field(record, position);
            if !field.is_empty() {
                self.seen |= infer::look(field);
            }
        }
    }

    fn look_for(
        &mut self,
        given: ColumnType,
        records: &Records,
        position: usize,
    ) -> Result<(), Fault> {
        for record in 0..records.len() {
            let field = records.field(record, position);
            if field.is_empty() {
                continue;
            }
            let Some(seen) = infer::look_for(given, field) else {
                let problem = Problem::NotOfType {
                    column: position,
                    name: self.name.clone(),
                    given: given.to_string(),
                    value: field.to_vec(),
                };
                return Err(Fault::new(records.start(record), problem));
            };
            self.seen |= seen;
        }
        Ok(())
    }

    fn check_range(&self) -> Result<()> {
        let is_time = matches!(
            self.given,
            Some(ColumnType::Timestamp | ColumnType::TimestampTz)
        );
        if is_time && self.seen.exceeds_nanoseconds() {
            return Err(Error::invalid(
                "a column has both times finer than microseconds and times that nanoseconds do not reach",
            )
            .with("name", &self.name)
            .hint("nanoseconds reach from 1677 to 2262; give the type string"));
        }
        Ok(())
    }
}

/// Reads all of `input` in pieces of `chunk_bytes`.
pub(super) fn scan(
    input: &dyn RandomRead,
    options: &CsvOptions,
    chunk_bytes: usize,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Scan> {
    options.check()?;
    let position = source::header_position(input)?;
    let scanned = thread::scope(|scope| {
        let (sender, receiver) = sync_channel(QUEUE);
        let reading = worker::spawn(scope, move || {
            source::read_all(input, position, chunk_bytes, &sender, cancel)
        })?;
        let mut scanner = Scanner::new(options, position);
        let taken = scanner.take_all(receiver, input, progress);
        // A fault found here lies before whatever the other thread has found.
        let read = worker::join(reading)?;
        taken?;
        match read {
            Ok(facts) => scanner.finish(facts),
            Err(SourceFault::Error(error)) => Err(error.into()),
            Err(SourceFault::NotUtf8 { offset }) => Err(scanner.not_utf8(offset).into()),
        }
    });
    let scan = scanned.map_err(|failure| failure.into_error(input))?;
    input.check_unchanged()?;
    Ok(scan)
}

/// Why a scan failed.
#[derive(Debug)]
enum Failure {
    Fault(Fault),
    Error(Error),
}

impl Failure {
    fn into_error(self, input: &dyn RandomRead) -> Error {
        match self {
            Self::Fault(fault) => fault.into_error(input),
            Self::Error(error) => error,
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

#[derive(Debug)]
struct Scanner<'a> {
    options: &'a CsvOptions,
    tokenizer: Tokenizer,
    records: Records,
    /// `None` until the header is read.
    columns: Option<Vec<Column>>,
    row_count: u64,
    position: u64,
}

impl<'a> Scanner<'a> {
    fn new(options: &'a CsvOptions, position: u64) -> Self {
        Self {
            options,
            tokenizer: Tokenizer::new(options, position),
            records: Records::header(),
            columns: None,
            row_count: 0,
            position,
        }
    }

    fn take_all(
        &mut self,
        chunks: Receiver<Vec<u8>>,
        input: &dyn RandomRead,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        for chunk in chunks {
            let mut rest = chunk.as_slice();
            while !rest.is_empty() {
                let consumed = self.tokenizer.feed(rest, &mut self.records)?;
                rest = &rest[consumed..];
                if self.records.is_full() {
                    self.take_records()?;
                }
            }
            self.position += chunk.len() as u64;
            progress.report("reading", self.position, Some(input.size()));
        }
        Ok(())
    }

    fn take_records(&mut self) -> Result<(), Failure> {
        let Some(columns) = &mut self.columns else {
            return self.take_header();
        };
        for (position, column) in columns.iter_mut().enumerate() {
            column.look_at(&self.records, position)?;
        }
        self.row_count += self.records.len() as u64;
        self.records.clear();
        Ok(())
    }

    fn take_header(&mut self) -> Result<(), Failure> {
        let names = header_names(&self.records)?;
        check_given(&names, &self.options.column_types)?;
        self.tokenizer.expect(names.len());
        self.records = Records::new(names.len());
        let column = |name: String| Column {
            given: self.options.column_types.get(&name).copied(),
            name,
            seen: Seen::default(),
        };
        self.columns = Some(names.into_iter().map(column).collect());
        Ok(())
    }

    fn not_utf8(&self, offset: u64) -> Fault {
        let column = self.tokenizer.column();
        Fault::new(offset, Problem::NotUtf8 { column })
    }

    fn finish(mut self, source: SourceFacts) -> Result<Scan, Failure> {
        self.tokenizer.finish(&mut self.records)?;
        if !self.records.is_empty() {
            self.take_records()?;
        }
        let Some(columns) = self.columns else {
            let error = Error::invalid("there is no header")
                .hint("a CSV begins with the names of its columns");
            return Err(error.into());
        };
        for column in &columns {
            column.check_range()?;
        }
        Ok(Scan {
            columns,
            row_count: self.row_count,
            source,
        })
    }
}

/// The names of the columns.
pub(super) fn header_names(records: &Records) -> Result<Vec<String>> {
    let names: Vec<String> = records
        .header_fields()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let mut places = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        if let Some(first) = places.insert(name, place) {
            return Err(Error::invalid("two columns have the same name")
                .with("name", name.escape_debug())
                .with("columns", format!("{} and {}", first + 1, place + 1)));
        }
    }
    Ok(names)
}

fn check_given(names: &[String], given: &BTreeMap<String, ColumnType>) -> Result<()> {
    let unknown = given.keys().find(|name| !names.contains(name));
    match unknown {
        Some(name) => Err(
            Error::invalid("a type is given for a column that does not exist")
                .with("name", name.escape_debug())
                .hint("names are compared exactly, with upper and lower case"),
        ),
        None => Ok(()),
    }
}
