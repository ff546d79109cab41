//! The header and the parts of a page.

use artstore_core::Result;
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::column::page::Page;
use parquet::schema::types::ColumnDescPtr;

use super::thrift::{Cursor, Visited, wire};
use crate::error::{not_readable, unsupported};

/// Memory that an element of a list takes beside its value: levels, offsets, bits for nulls.
const ELEMENT_BYTES: u64 = 24;

/// A leaf column and what its pages may hold.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) descriptor: ColumnDescPtr,
    pub(super) position: usize,
}

impl Leaf {
    pub(super) fn is_byte_array(&self) -> bool {
        self.descriptor.physical_type() == PhysicalType::BYTE_ARRAY
    }

    /// The memory that a value takes in an array, without the bytes that a view points at.
    pub(super) fn value_bytes(&self) -> u64 {
        let value = match self.descriptor.physical_type() {
            PhysicalType::FIXED_LEN_BYTE_ARRAY => {
                self.descriptor.type_length().unsigned_abs().max(16)
            }
            PhysicalType::BYTE_ARRAY => 32,
            _ => 16,
        };
        let is_repeated = self.descriptor.max_rep_level() > 0;
        u64::from(value) + if is_repeated { ELEMENT_BYTES } else { 0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Data,
    Dictionary,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct PageHeader {
    pub(super) kind: PageKind,
    pub(super) uncompressed: u64,
    pub(super) values: u64,
    pub(super) rows: Option<u64>,
    /// Bytes of levels before what is compressed.
    pub(super) level_bytes: u64,
    pub(super) is_compressed: bool,
    /// Where the page begins in the file, behind its header.
    pub(super) start: u64,
    /// Where the page ends in the file.
    pub(super) end: u64,
}

impl PageHeader {
    /// Reads the header at the beginning of `bytes`, which is at `position` in the file. `None` if it does not end there.
    pub(super) fn read(bytes: &[u8], position: u64) -> Option<Result<Self>> {
        let mut cursor = Cursor::new(bytes);
        let (mut kind, mut uncompressed, mut compressed) = (None, None, None);
        let (mut values, mut rows) = (None, None);
        let (mut definition_bytes, mut repetition_bytes) = (Some(0), Some(0));
        let mut is_compressed = true;
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
                            (5, wire::I32) if is_second_version => &mut definition_bytes,
                            (6, wire::I32) if is_second_version => &mut repetition_bytes,
                            (7, wire::FALSE) if is_second_version => {
                                is_compressed = false;
                                return Some(Visited::No);
                            }
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
            let start = position.checked_add(cursor.position() as u64)?;
            let end = start.checked_add(size(compressed)?)?;
            let level_bytes = size(definition_bytes)?.checked_add(size(repetition_bytes)?)?;
            Some(Self {
                kind,
                uncompressed: size(uncompressed)?,
                values: size(values)?,
                rows: size(rows),
                level_bytes,
                is_compressed,
                start,
                end,
            })
        };
        Some(header().ok_or_else(not_readable))
    }
}

/// The parts of a decompressed data page.
pub(super) struct Parts<'a> {
    pub(super) encoding: Encoding,
    /// Runs of repetition levels; `None` if they are written otherwise.
    pub(super) repetition: Option<&'a [u8]>,
    pub(super) values: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn of(page: &'a Page, leaf: &Leaf) -> Option<Self> {
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
                let repetition = levels(
                    has_repetition,
                    rep_level_encoding,
                    leaf.descriptor.max_rep_level(),
                )?;
                levels(
                    has_definition,
                    def_level_encoding,
                    leaf.descriptor.max_def_level(),
                )?;
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
