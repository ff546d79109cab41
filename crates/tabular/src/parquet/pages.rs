//! Hands checked pages to the library.

use std::sync::{Arc, Mutex, PoisonError};

use artstore_core::{Error, Result};
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescPtr;

use super::budget::{Failure, FileBudget, HeavyPermit};
use super::delta::{delta_byte_array_page, delta_length_page};
use super::footer::Chunk;
use super::levels::RowElements;
use super::source::ChunkSource;
use super::thrift::{Cursor, Visited, wire};
use crate::error::{above_limit, not_readable, unsupported};
use crate::limits::{MAX_PAGE_BYTES, MAX_PAGE_HEADER_BYTES, MAX_ROW_BYTES, MAX_ROW_ELEMENTS};

/// Bytes of a page from which on only one thread at a time reads such pages.
const HEAVY_BYTES: u64 = 4 << 20;

/// Memory that a batch may take beyond one page of each column, if it can be made of fewer rows.
const BATCH_BYTES: u64 = 32 << 20;

/// Memory that an element of a list takes beside its value: levels, offsets, bits for nulls.
const ELEMENT_BYTES: u64 = 24;

/// Most headers fit.
const USUAL_HEADER_BYTES: u64 = 512;

/// What the readers of some columns share while they read a batch.
#[derive(Debug, Clone)]
pub(super) struct BatchBudget {
    file: Arc<FileBudget>,
    failure: Failure,
    state: Arc<Mutex<BatchState>>,
}

#[derive(Debug, Default)]
struct BatchState {
    rows: u64,
    /// Of pages of byte arrays after the first of each column.
    further_bytes: u64,
    /// For each leaf, the memory of the largest row of its page.
    row_bytes: Vec<u64>,
    has_page: Vec<bool>,
    is_too_large: bool,
    heavy: Option<HeavyPermit>,
}

impl BatchBudget {
    pub(super) fn new(file: Arc<FileBudget>, failure: Failure, leaves: usize, rows: u64) -> Self {
        let state = BatchState {
            rows,
            row_bytes: vec![0; leaves],
            has_page: vec![false; leaves],
            ..BatchState::default()
        };
        Self {
            file,
            failure,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A batch begins; what the one before took is free.
    pub(super) fn begin(&self) {
        self.with_state(|state| {
            state.further_bytes = 0;
            state.has_page.fill(false);
        });
    }

    /// Whether reading ended because the batch would be too large, though one of fewer rows would not.
    pub(super) fn is_too_large(&self) -> bool {
        self.with_state(|state| state.is_too_large)
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut BatchState) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count_page(&self, bytes: u64) -> Result<()> {
        if bytes > HEAVY_BYTES {
            self.enter_heavy();
        }
        self.file.count(bytes)
    }

    /// Memory is taken that not every thread can take at the same time.
    fn enter_heavy(&self) {
        if self.with_state(|state| state.heavy.is_none()) {
            let permit = self.file.enter_heavy();
            self.with_state(|state| state.heavy = Some(permit));
        }
    }
}

/// A leaf column and what its pages may hold.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) descriptor: ColumnDescPtr,
    pub(super) position: usize,
}

impl Leaf {
    fn is_byte_array(&self) -> bool {
        self.descriptor.physical_type() == PhysicalType::BYTE_ARRAY
    }

    /// The memory that a value takes in an array, without the bytes that a view points at.
    pub(super) fn value_bytes(&self) -> u64 {
        let value = match self.descriptor.physical_type() {
            PhysicalType::FIXED_LEN_BYTE_ARRAY => self.descriptor.type_length().unsigned_abs().max(16),
            PhysicalType::BYTE_ARRAY => 32,
            _ => 16,
        };
        let is_repeated = self.descriptor.max_rep_level() > 0;
        u64::from(value) + if is_repeated { ELEMENT_BYTES } else { 0 }
    }
}

/// The pages of one column chunk.
pub(super) struct CheckedPages {
    inner: SerializedPageReader<ChunkSource>,
    source: Arc<ChunkSource>,
    leaf: Leaf,
    position: u64,
    end: u64,
    values_left: u64,
    next: Option<PageHeader>,
    elements: RowElements,
    budget: BatchBudget,
}

impl CheckedPages {
    pub(super) fn new(
        source: ChunkSource,
        chunk: &Chunk,
        leaf: Leaf,
        budget: BatchBudget,
    ) -> ParquetResult<Self> {
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let metadata = ColumnChunkMetaData::builder(leaf.descriptor.clone())
            .set_compression(chunk.codec)
            .set_num_values(signed(chunk.values))
            .set_data_page_offset(signed(chunk.start))
            .set_total_compressed_size(signed(chunk.length))
            .build()?;
        let source = Arc::new(source);
        Ok(Self {
            inner: SerializedPageReader::new(source.clone(), &metadata, 0, None)?,
            source,
            leaf,
            position: chunk.start,
            end: chunk.start.saturating_add(chunk.length),
            values_left: chunk.values,
            next: None,
            elements: RowElements::default(),
            budget,
        })
    }

    /// The header of the next page that holds anything.
    fn next_header(&mut self) -> ParquetResult<Option<PageHeader>> {
        loop {
            if let Some(header) = self.next {
                return Ok(Some(header));
            }
            if self.position >= self.end {
                return Ok(None);
            }
            let header = self.read_header()?;
            self.check_header(&header).map_err(|error| self.budget.failure.set(error))?;
            let is_empty = header.values == 0 && header.kind != PageKind::Dictionary;
            if is_empty {
                // The library would take it for the end of the column.
                self.inner.skip_next_page()?;
                self.position = header.end;
            } else {
                self.next = Some(header);
            }
        }
    }

    fn read_header(&self) -> ParquetResult<PageHeader> {
        let mut length = USUAL_HEADER_BYTES;
        loop {
            let bytes = self.source.up_to(self.position, length)?;
            if let Some(header) = PageHeader::read(&bytes, self.position) {
                return header.map_err(|error| self.budget.failure.set(error));
            }
            let was_all = self.position + bytes.len() as u64 >= self.end;
            if was_all || bytes.len() as u64 >= MAX_PAGE_HEADER_BYTES {
                return Err(self.budget.failure.set(not_readable()));
            }
            length = MAX_PAGE_HEADER_BYTES.min(bytes.len() as u64 * 8);
        }
    }

    fn check_header(&self, header: &PageHeader) -> Result<()> {
        if header.end > self.end {
            return Err(not_readable());
        }
        if header.uncompressed > MAX_PAGE_BYTES {
            return Err(too_large_page(header.uncompressed));
        }
        if header.kind == PageKind::Dictionary {
            let smallest = match self.leaf.descriptor.physical_type() {
                PhysicalType::BOOLEAN => 1,
                PhysicalType::INT32 | PhysicalType::FLOAT | PhysicalType::BYTE_ARRAY => 4,
                PhysicalType::FIXED_LEN_BYTE_ARRAY => {
                    u64::from(self.leaf.descriptor.type_length().unsigned_abs())
                }
                _ => 8,
            };
            let is_possible = header.values.saturating_mul(smallest) <= header.uncompressed;
            return if is_possible { Ok(()) } else { Err(not_readable()) };
        }
        if header.values > self.values_left {
            return Err(not_readable());
        }
        Ok(())
    }

    fn check_page(&mut self, header: &PageHeader, page: &Page) -> Result<()> {
        let Some(parts) = Parts::of(page, &self.leaf) else {
            return Err(not_readable());
        };
        let shared_bytes = match parts.encoding {
            Encoding::DELTA_LENGTH_BYTE_ARRAY => {
                delta_length_page(parts.values).filter(|page| page.values <= header.values)
            }
            Encoding::DELTA_BYTE_ARRAY => delta_byte_array_page(parts.values, header.values),
            _ => return self.check_rows(header, &parts, header.uncompressed),
        };
        let Some(page) = shared_bytes else {
            return Err(not_readable());
        };
        let bytes = header.uncompressed.saturating_add(page.shared_bytes);
        if bytes > MAX_PAGE_BYTES {
            return Err(too_large_page(bytes));
        }
        self.budget.count_page(bytes)?;
        self.check_rows(header, &parts, bytes)
    }

    /// Holds the rows of a page that takes `bytes` against what a batch may take.
    fn check_rows(&mut self, header: &PageHeader, parts: &Parts<'_>, bytes: u64) -> Result<()> {
        let max_level = self.leaf.descriptor.max_rep_level();
        if max_level > 0 {
            match parts.repetition {
                Some(levels) => {
                    self.elements.read_page(levels, max_level, header.values).ok_or_else(not_readable)?;
                }
                None => self.elements.read_unknown(header.values),
            }
            if self.elements.longest > MAX_ROW_ELEMENTS {
                let what = "a row of the table has too many elements";
                return Err(above_limit(what, MAX_ROW_ELEMENTS, self.elements.longest));
            }
        }
        let longest = self.elements.longest.max(1);
        let value_bytes = self.leaf.value_bytes();
        let (position, is_byte_array) = (self.leaf.position, self.leaf.is_byte_array());
        let row_bytes = self.budget.with_state(|state| {
            state.row_bytes[position] = longest.saturating_mul(value_bytes);
            let is_further = std::mem::replace(&mut state.has_page[position], true);
            if is_further && is_byte_array {
                state.further_bytes = state.further_bytes.saturating_add(bytes);
            }
            let row_bytes: u64 = state.row_bytes.iter().sum();
            if state.rows <= 1 {
                let needed = row_bytes.saturating_add(state.further_bytes);
                let what = "a row of the table is too large";
                let error = || above_limit(what, MAX_ROW_BYTES, needed);
                return if needed > MAX_ROW_BYTES { Err(error()) } else { Ok(needed) };
            }
            let leaves = state.row_bytes.len() as u64;
            let elements = header.values.min(state.rows.saturating_mul(longest));
            let too_many_elements = max_level > 0 && elements.saturating_mul(value_bytes) > BATCH_BYTES / leaves;
            state.is_too_large |= too_many_elements || state.further_bytes > BATCH_BYTES;
            if state.is_too_large { Err(not_readable()) } else { Ok(row_bytes) }
        })?;
        if row_bytes > HEAVY_BYTES {
            self.budget.enter_heavy();
        }
        Ok(())
    }

    fn pass(&mut self, header: &PageHeader) {
        self.next = None;
        self.position = header.end;
        if header.kind != PageKind::Dictionary {
            self.values_left -= header.values;
        }
    }
}

fn too_large_page(bytes: u64) -> Error {
    above_limit("a page of the Parquet file is too large", MAX_PAGE_BYTES, bytes)
}

impl Iterator for CheckedPages {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        let Some(header) = self.next_header()? else {
            return Ok(None);
        };
        let failure = self.budget.failure.clone();
        self.budget.count_page(header.uncompressed).map_err(|error| failure.set(error))?;
        let page = self.inner.get_next_page()?;
        if let Some(page) = &page
            && header.kind != PageKind::Dictionary
        {
            self.check_page(&header, page).map_err(|error| failure.set(error))?;
        }
        self.pass(&header);
        Ok(page)
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        let header = self.next_header()?;
        Ok(header.map(|header| PageMetadata {
            num_rows: header.rows.and_then(|rows| usize::try_from(rows).ok()),
            num_levels: usize::try_from(header.values).ok(),
            is_dict: header.kind == PageKind::Dictionary,
        }))
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        if let Some(header) = self.next_header()? {
            self.inner.skip_next_page()?;
            self.pass(&header);
        }
        Ok(())
    }
}

/// The pages of one column chunk, as the library wants to be given them.
pub(super) struct OneChunk(pub(super) Option<CheckedPages>);

impl Iterator for OneChunk {
    type Item = ParquetResult<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let pages = self.0.take()?;
        Some(Ok(Box::new(pages)))
    }
}

impl PageIterator for OneChunk {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageKind {
    Data,
    Dictionary,
}

#[derive(Debug, Clone, Copy)]
struct PageHeader {
    kind: PageKind,
    uncompressed: u64,
    values: u64,
    rows: Option<u64>,
    /// Where the page ends in the file.
    end: u64,
}

impl PageHeader {
    /// Reads the header at the beginning of `bytes`, which is at `position` in the file. `None` if it does not end there.
    fn read(bytes: &[u8], position: u64) -> Option<Result<Self>> {
        let mut cursor = Cursor::new(bytes);
        let (mut kind, mut uncompressed, mut compressed) = (None, None, None);
        let (mut values, mut rows) = (None, None);
        cursor.for_each_field(|cursor, field| {
            let target = match (field.id, field.wire_type) {
                (1, wire::I32) => &mut kind,
                (2, wire::I32) => &mut uncompressed,
                (3, wire::I32) => &mut compressed,
                (5 | 7 | 8, wire::STRUCT) => {
                    let is_second_version = field.id == 8;
                    cursor.for_each_field(|cursor, field| {
                        let target = match (field.id, field.wire_type) {
                            (1, wire::I32) => &mut values,
                            (3, wire::I32) if is_second_version => &mut rows,
                            _ => return Some(Visited::No),
                        };
                        *target = Some(cursor.integer()?);
                        Some(Visited::Yes)
                    })?;
                    return Some(Visited::Yes);
                }
                _ => return Some(Visited::No),
            };
            *target = Some(cursor.integer()?);
            Some(Visited::Yes)
        })?;
        let size = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
        let kind = match kind {
            Some(0 | 3) => PageKind::Data,
            Some(2) => PageKind::Dictionary,
            Some(_) => return Some(Err(unsupported("a kind of page is not supported"))),
            None => return Some(Err(not_readable())),
        };
        let header = || {
            let end = position.checked_add(cursor.position() as u64)?.checked_add(size(compressed)?)?;
            Some(Self {
                kind,
                uncompressed: size(uncompressed)?,
                values: size(values)?,
                rows: size(rows),
                end,
            })
        };
        Some(header().ok_or_else(not_readable))
    }
}

/// The parts of a decompressed data page.
struct Parts<'a> {
    encoding: Encoding,
    /// Runs of repetition levels; `None` if they are written otherwise.
    repetition: Option<&'a [u8]>,
    values: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(page: &'a Page, leaf: &Leaf) -> Option<Self> {
        let has_repetition = leaf.descriptor.max_rep_level() > 0;
        let has_definition = leaf.descriptor.max_def_level() > 0;
        match page {
            Page::DataPage {
                buf,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                num_values,
                ..
            } => {
                let mut rest: &[u8] = buf;
                let mut levels = |is_there: bool, encoding: &Encoding, max_level: i16| {
                    if !is_there {
                        return Some(None);
                    }
                    let is_packed = *encoding != Encoding::RLE;
                    let length = if is_packed {
                        let width = (u16::BITS - max_level.unsigned_abs().leading_zeros()) as usize;
                        (*num_values as usize * width).div_ceil(8)
                    } else {
                        let (length, after) = rest.split_first_chunk()?;
                        rest = after;
                        u32::from_le_bytes(*length) as usize
                    };
                    let (levels, after) = rest.split_at_checked(length)?;
                    rest = after;
                    Some((!is_packed).then_some(levels))
                };
                let repetition =
                    levels(has_repetition, rep_level_encoding, leaf.descriptor.max_rep_level())?;
                levels(has_definition, def_level_encoding, leaf.descriptor.max_def_level())?;
                Some(Self {
                    encoding: *encoding,
                    repetition,
                    values: rest,
                })
            }
            Page::DataPageV2 {
                buf,
                encoding,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => {
                let (repetition, rest) = buf.split_at_checked(*rep_levels_byte_len as usize)?;
                let (_, values) = rest.split_at_checked(*def_levels_byte_len as usize)?;
                Some(Self {
                    encoding: *encoding,
                    repetition: Some(repetition),
                    values,
                })
            }
            Page::DictionaryPage { .. } => None,
        }
    }
}
