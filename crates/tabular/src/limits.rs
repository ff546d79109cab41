//! How large, deep and many things in a source may be.
//!
//! Honest files stay far below; a file above a limit is refused with an error of kind
//! [`Invalid`](artstore_core::ErrorKind::Invalid) that names the limit, and can still be published as a file.

/// Columns: of a Parquet file counted at the leaves of its schema, of a CSV in its header.
pub const MAX_COLUMNS: usize = 10_000;

/// Bytes of a record of a CSV, line breaks within quotes included.
pub const MAX_RECORD_BYTES: u64 = 16 << 20;

/// Types within types. In Parquet's own schema a list takes two of them.
pub const MAX_DEPTH: usize = 64;

/// Bytes of a Parquet footer.
pub const MAX_FOOTER_BYTES: u64 = 32 << 20;

/// Bytes of the names of all columns of a Parquet file, each with the names of what it is nested in.
pub const MAX_NAME_BYTES: usize = 16 << 20;

/// Bytes of a page of Parquet, decompressed and decoded. The usual size is 1 MiB; a value is never larger than its page.
pub const MAX_PAGE_BYTES: u64 = 64 << 20;

/// Bytes of a header of a page of Parquet. It can hold two values of the column as statistics.
pub const MAX_PAGE_HEADER_BYTES: u64 = 1 << 20;

/// Bytes of a value in a column of fixed length.
pub const MAX_FIXED_LENGTH: usize = 1 << 20;

/// Elements of lists and maps that belong to one row, in one column.
pub const MAX_ROW_ELEMENTS: u64 = 4 << 20;

/// Bytes of memory that the values of one row may take.
pub const MAX_ROW_BYTES: u64 = 128 << 20;

/// Bytes of memory of a table that is sorted before it is hashed, with its sort keys.
pub const MAX_SORT_BYTES: u64 = 256 << 20;

/// Bytes that the smallest file may decode to.
pub const MAX_DECODED_BASE: u64 = 1 << 30;

/// How many times its size a file may decode to beyond [`MAX_DECODED_BASE`]. Long runs of equal values are the best case
/// of honest files.
pub const MAX_DECODED_FACTOR: u64 = 10_000;
