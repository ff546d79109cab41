//! Hands checked pages to the library.

use std::sync::Arc;

use artstore_core::{Error, Result};
use parquet::basic::{Compression, Encoding, Type as PhysicalType};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::batch::{BatchBudget, HEAVY_BYTES};
use super::delta::{delta_byte_array_page, delta_length_page};
use super::footer::Chunk;
use super::inflate;
use super::levels::RowElements;
use super::page::{Leaf, PageHeader, PageKind, Parts};
use super::source::ChunkSource;
use crate::error::{above_limit, not_readable};
use crate::limits::{MAX_PAGE_BYTES, MAX_PAGE_HEADER_BYTES, MAX_ROW_BYTES, MAX_ROW_ELEMENTS};

/// Memory that a batch may take beyond one page of each column, if it can be made of fewer rows.
const BATCH_BYTES: u64 = 32 << 20;

/// Most headers fit.
const USUAL_HEADER_BYTES: u64 = 512;

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
    codec: Compression,
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
            codec: chunk.codec,
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
            self.check_header(&header)
                .map_err(|error| self.budget.failure.set(error))?;
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
            return if is_possible {
                Ok(())
            } else {
                Err(not_readable())
            };
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

    /// The library decompresses some codecs to their end, whatever the header says. What they hold is measured first.
    fn check_inflation(&self, header: &PageHeader) -> ParquetResult<()> {
        if !header.is_compressed || !inflate::is_unbounded(self.codec) {
            return Ok(());
        }
        let measured = || {
            let start = header.start.checked_add(header.level_bytes)?;
            let length = header.end.checked_sub(start)?;
            let limit = header.uncompressed.checked_sub(header.level_bytes)?;
            Some((start, length, limit))
        };
        let not_readable = || self.budget.failure.set(not_readable());
        let (start, length, limit) = measured().ok_or_else(not_readable)?;
        let bytes = self.source.up_to(start, length)?;
        let compressed = bytes.get(..length as usize).ok_or_else(not_readable)?;
        if inflate::fits(self.codec, compressed, limit) {
            return Ok(());
        }
        Err(not_readable())
    }

    /// Holds the rows of a page that takes `bytes` against what a batch may take.
    fn check_rows(&mut self, header: &PageHeader, parts: &Parts<'_>, bytes: u64) -> Result<()> {
        let max_level = self.leaf.descriptor.max_rep_level();
        if max_level > 0 {
            match parts.repetition {
                Some(levels) => {
                    self.elements
                        .read_page(levels, max_level, header.values)
                        .ok_or_else(not_readable)?;
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
                return if needed > MAX_ROW_BYTES {
                    Err(error())
                } else {
                    Ok(needed)
                };
            }
            let leaves = state.row_bytes.len() as u64;
            let elements = header.values.min(state.rows.saturating_mul(longest));
            let too_many_elements =
                max_level > 0 && elements.saturating_mul(value_bytes) > BATCH_BYTES / leaves;
            state.is_too_large |= too_many_elements || state.further_bytes > BATCH_BYTES;
            if state.is_too_large {
                Err(not_readable())
            } else {
                Ok(row_bytes)
            }
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
    above_limit(
        "a page of the Parquet file is too large",
        MAX_PAGE_BYTES,
        bytes,
    )
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
        self.budget
            .count_page(header.uncompressed)
            .map_err(|error| failure.set(error))?;
        self.check_inflation(&header)?;
        let page = self.inner.get_next_page()?;
        if let Some(page) = &page
            && header.kind != PageKind::Dictionary
        {
            self.check_page(&header, page)
                .map_err(|error| failure.set(error))?;
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
