//! Reads and checks the footer.

use artstore_core::Result;
use artstore_core::backend::RandomRead;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, Type as PhysicalType, ZstdLevel};

use super::schema::{Root, roots};
use super::thrift::{Cursor, Field, Visited, wire};
use crate::error::{above_limit, not_readable, unsupported};
use crate::limits::{MAX_COLUMNS, MAX_DEPTH, MAX_FOOTER_BYTES, MAX_NAME_BYTES};

const MAGIC: [u8; 4] = *b"PAR1";
const ENCRYPTED_MAGIC: [u8; 4] = *b"PARE";
/// The length of the footer and the magic bytes after it.
const TAIL_BYTES: u64 = 8;

/// What a file says of itself, checked against its size and the limits.
#[derive(Debug)]
pub(super) struct Footer {
    /// Its columns at the top level.
    pub(super) roots: Vec<Root>,
    /// Its row groups.
    pub(super) row_groups: Vec<RowGroup>,
    /// The number of its rows.
    pub(super) rows: u64,
}

/// Some rows of all columns.
#[derive(Debug)]
pub(super) struct RowGroup {
    /// How many rows.
    pub(super) rows: u64,
    /// The leaf columns.
    pub(super) chunks: Vec<Chunk>,
}

/// Some rows of a leaf column.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) codec: Compression,
    /// Values and nulls, of lists their elements.
    pub(super) values: u64,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) uncompressed_length: u64,
}

/// Reads the footer of `input`.
///
/// # Errors
/// [`Invalid`](artstore_core::ErrorKind::Invalid), [`Unsupported`](artstore_core::ErrorKind::Unsupported), those of `input`.
pub(super) fn read_footer(input: &dyn RandomRead) -> Result<Footer> {
    let size = input.size();
    let smallest = MAGIC.len() as u64 + TAIL_BYTES;
    if size < smallest {
        return Err(not_readable().with("size", size));
    }
    let mut head = [0; 4];
    input.read_exact_at(0, &mut head)?;
    let mut tail = [0; TAIL_BYTES as usize];
    input.read_exact_at(size - TAIL_BYTES, &mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    if magic == ENCRYPTED_MAGIC || head == ENCRYPTED_MAGIC {
        return Err(unsupported("encrypted Parquet files are not supported"));
    }
    if magic != MAGIC || head != MAGIC {
        return Err(not_readable());
    }
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if length > size - smallest {
        return Err(not_readable().with("footer", length).with("size", size));
    }
    if length > MAX_FOOTER_BYTES {
        return Err(above_limit(
            "the footer of the Parquet file is too large",
            MAX_FOOTER_BYTES,
            length,
        ));
    }
    let data_end = size - TAIL_BYTES - length;
    let mut bytes = vec![0; length as usize];
    input.read_exact_at(data_end, &mut bytes)?;
    parse(&bytes, data_end)
}

fn parse(bytes: &[u8], data_end: u64) -> Result<Footer> {
    let outline = outline(bytes).ok_or_else(not_readable)?;
    if outline.is_encrypted {
        return Err(unsupported("encrypted Parquet files are not supported"));
    }
    check_schema(&outline.schema)?;
    let roots = roots(bytes)?;
    let physical_types: Vec<PhysicalType> = roots
        .iter()
        .flat_map(|root| root.physical_types.iter().copied())
        .collect();
    let mut cursor = Cursor::new(&bytes[outline.row_groups_at..]);
    let count = cursor.structs().ok_or_else(not_readable)?;
    let mut row_groups = Vec::new();
    for _ in 0..count {
        let row_group = row_group(&mut cursor, physical_types.len()).ok_or_else(not_readable)?;
        row_groups.push(row_group.checked(&physical_types, data_end)?);
    }
    let rows = row_groups
        .iter()
        .try_fold(0_u64, |sum, row_group: &RowGroup| {
            sum.checked_add(row_group.rows)
        })
        .filter(|sum| *sum == outline.rows)
        .ok_or_else(|| not_readable().with("rows", outline.rows))?;
    Ok(Footer {
        roots,
        row_groups,
        rows,
    })
}

/// What must be known before the library sees the footer.
struct Outline {
    schema: Vec<SchemaNode>,
    row_groups_at: usize,
    rows: u64,
    is_encrypted: bool,
}

struct SchemaNode {
    children: usize,
    name_bytes: usize,
}

fn outline(bytes: &[u8]) -> Option<Outline> {
    let mut schema = None;
    let mut row_groups_at = None;
    let mut rows = None;
    let mut is_encrypted = false;
    Cursor::new(bytes).for_each_field(|cursor, field| match (field.id, field.wire_type) {
        (2, wire::LIST) if schema.is_none() => {
            let count = cursor.structs()?;
            let nodes: Option<Vec<SchemaNode>> = (0..count).map(|_| schema_node(cursor)).collect();
            schema = Some(nodes?);
            Some(Visited::Yes)
        }
        (3, wire::I64) => {
            rows = Some(u64::try_from(cursor.integer()?).ok()?);
            Some(Visited::Yes)
        }
        (4, wire::LIST) if row_groups_at.is_none() => {
            row_groups_at = Some(cursor.position());
            Some(Visited::No)
        }
        (2..=4, _) => None,
        (8, _) => {
            is_encrypted = true;
            Some(Visited::No)
        }
        _ => Some(Visited::No),
    })?;
    Some(Outline {
        schema: schema?,
        row_groups_at: row_groups_at?,
        rows: rows?,
        is_encrypted,
    })
}

fn schema_node(cursor: &mut Cursor<'_>) -> Option<SchemaNode> {
    let mut node = SchemaNode {
        children: 0,
        name_bytes: 0,
    };
    cursor.for_each_field(|cursor, field| match (field.id, field.wire_type) {
        (4, wire::BINARY) => {
            node.name_bytes = cursor.binary()?.len();
            Some(Visited::Yes)
        }
        (5, wire::I32) => {
            node.children = usize::try_from(cursor.integer()?).ok()?;
            Some(Visited::Yes)
        }
        (4 | 5, _) => None,
        _ => Some(Visited::No),
    })?;
    Some(node)
}

/// The library builds the schema recursively and gives every leaf the names of all above it.
fn check_schema(nodes: &[SchemaNode]) -> Result<()> {
    let leaves = nodes.iter().filter(|node| node.children == 0).count();
    if leaves > MAX_COLUMNS {
        let what = "the Parquet file has too many columns";
        return Err(above_limit(what, MAX_COLUMNS as u64, leaves as u64));
    }
    // For each open group: its children that are still to come, and the bytes of its path.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut name_bytes = 0_usize;
    for (position, node) in nodes.iter().enumerate() {
        while open.last().is_some_and(|(children, _)| *children == 0) {
            open.pop();
        }
        let above = match open.last_mut() {
            Some((children, path)) => {
                *children -= 1;
                *path
            }
            None if position == 0 => 0,
            None => return Err(not_readable()),
        };
        let path = above + node.name_bytes;
        if node.children > 0 {
            open.push((node.children, path));
        } else {
            name_bytes = name_bytes.saturating_add(path);
        }
        if open.len() > MAX_DEPTH {
            let what = "the columns of the Parquet file are nested too deeply";
            return Err(above_limit(what, MAX_DEPTH as u64, open.len() as u64));
        }
    }
    if open.iter().any(|(children, _)| *children > 0) || nodes.is_empty() {
        return Err(not_readable());
    }
    if name_bytes > MAX_NAME_BYTES {
        let what = "the names of the columns of the Parquet file are too long";
        return Err(above_limit(what, MAX_NAME_BYTES as u64, name_bytes as u64));
    }
    Ok(())
}

struct RawRowGroup {
    rows: u64,
    chunks: Vec<RawChunk>,
}

#[derive(Default)]
struct RawChunk {
    has_other_file: bool,
    is_encrypted: bool,
    physical_type: Option<i64>,
    codec: Option<i64>,
    values: Option<u64>,
    uncompressed_length: Option<u64>,
    length: Option<u64>,
    data_start: Option<u64>,
    dictionary_start: Option<u64>,
}

fn row_group(cursor: &mut Cursor<'_>, leaves: usize) -> Option<RawRowGroup> {
    let mut chunks = None;
    let mut rows = None;
    cursor.for_each_field(|cursor, field| match (field.id, field.wire_type) {
        (1, wire::LIST) if chunks.is_none() => {
            let count = cursor.structs().filter(|count| *count == leaves)?;
            let all: Option<Vec<RawChunk>> = (0..count).map(|_| chunk(cursor)).collect();
            chunks = Some(all?);
            Some(Visited::Yes)
        }
        (3, wire::I64) => {
            rows = Some(u64::try_from(cursor.integer()?).ok()?);
            Some(Visited::Yes)
        }
        (1 | 3, _) => None,
        _ => Some(Visited::No),
    })?;
    Some(RawRowGroup {
        rows: rows?,
        chunks: chunks?,
    })
}

fn chunk(cursor: &mut Cursor<'_>) -> Option<RawChunk> {
    let mut chunk = RawChunk::default();
    cursor.for_each_field(|cursor, field| match (field.id, field.wire_type) {
        (1, _) => {
            chunk.has_other_file = true;
            Some(Visited::No)
        }
        (3, wire::STRUCT) => {
            cursor.for_each_field(|cursor, field| column_field(cursor, field, &mut chunk))?;
            Some(Visited::Yes)
        }
        (8 | 9, _) => {
            chunk.is_encrypted = true;
            Some(Visited::No)
        }
        _ => Some(Visited::No),
    })?;
    Some(chunk)
}

fn column_field(cursor: &mut Cursor<'_>, field: Field, chunk: &mut RawChunk) -> Option<Visited> {
    let target = match (field.id, field.wire_type) {
        (1, wire::I32) => {
            chunk.physical_type = Some(cursor.integer()?);
            return Some(Visited::Yes);
        }
        (4, wire::I32) => {
            chunk.codec = Some(cursor.integer()?);
            return Some(Visited::Yes);
        }
        (5, wire::I64) => &mut chunk.values,
        (6, wire::I64) => &mut chunk.uncompressed_length,
        (7, wire::I64) => &mut chunk.length,
        (9, wire::I64) => &mut chunk.data_start,
        (11, wire::I64) => &mut chunk.dictionary_start,
        _ => return Some(Visited::No),
    };
    *target = Some(u64::try_from(cursor.integer()?).ok()?);
    Some(Visited::Yes)
}

impl RawRowGroup {
    fn checked(self, physical_types: &[PhysicalType], data_end: u64) -> Result<RowGroup> {
        let chunks = self.chunks.into_iter().zip(physical_types);
        let chunks: Result<Vec<Chunk>> = chunks
            .map(|(chunk, physical_type)| chunk.checked(*physical_type, data_end))
            .collect();
        Ok(RowGroup {
            rows: self.rows,
            chunks: chunks?,
        })
    }
}

impl RawChunk {
    fn checked(self, physical_type: PhysicalType, data_end: u64) -> Result<Chunk> {
        if self.is_encrypted {
            return Err(unsupported("encrypted Parquet files are not supported"));
        }
        if self.has_other_file {
            return Err(unsupported(
                "Parquet files whose columns are in other files are not supported",
            ));
        }
        self.within(physical_type, data_end)?
            .ok_or_else(not_readable)
    }

    fn within(&self, physical_type: PhysicalType, data_end: u64) -> Result<Option<Chunk>> {
        let codec = match self.codec {
            None => return Ok(None),
            Some(codec) => supported_codec(codec)?,
        };
        let checked = || {
            if self.physical_type? != physical_type as i64 {
                return None;
            }
            let data_start = self.data_start?;
            // Some writers give 0 where there is no dictionary, or no data.
            let dictionary_start = self
                .dictionary_start
                .filter(|start| *start > 0 && (data_start == 0 || *start < data_start));
            let start = dictionary_start.unwrap_or(data_start);
            let length = self.length?;
            let end = start.checked_add(length)?;
            let is_inside = start >= MAGIC.len() as u64 && end <= data_end;
            is_inside.then_some(Chunk {
                codec,
                values: self.values?,
                start,
                length,
                uncompressed_length: self.uncompressed_length?,
            })
        };
        Ok(checked())
    }
}

fn supported_codec(codec: i64) -> Result<Compression> {
    let name = match codec {
        0 => return Ok(Compression::UNCOMPRESSED),
        1 => return Ok(Compression::SNAPPY),
        2 => return Ok(Compression::GZIP(GzipLevel::default())),
        4 => return Ok(Compression::BROTLI(BrotliLevel::default())),
        6 => return Ok(Compression::ZSTD(ZstdLevel::default())),
        7 => return Ok(Compression::LZ4_RAW),
        3 => "lzo",
        5 => "lz4",
        _ => "unknown",
    };
    Err(
        unsupported("the compression of the Parquet file is not supported")
            .with("codec", name)
            .with(
                "supported",
                "uncompressed, snappy, gzip, brotli, zstd, lz4_raw",
            ),
    )
}
