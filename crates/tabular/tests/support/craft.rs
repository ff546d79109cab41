//! Parquet files that no writer makes.

use bytes::Bytes;

/// Writes the compact protocol of Thrift. Fields are given by their distance from the one before.
#[derive(Default, Clone)]
pub struct Thrift(pub Vec<u8>);

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

impl Thrift {
    pub fn structure(write: impl FnOnce(Self) -> Self) -> Self {
        let mut written = write(Self::default());
        written.0.push(0);
        written
    }

    fn field(mut self, distance: u8, wire_type: u8, bytes: &[u8]) -> Self {
        self.0.push(distance << 4 | wire_type);
        self.0.extend(bytes);
        self
    }

    pub fn i32(self, distance: u8, value: i64) -> Self {
        self.field(distance, 5, &varint(((value << 1) ^ (value >> 63)) as u64))
    }

    pub fn i64(self, distance: u8, value: i64) -> Self {
        self.field(distance, 6, &varint(((value << 1) ^ (value >> 63)) as u64))
    }

    pub fn binary(self, distance: u8, bytes: &[u8]) -> Self {
        self.field(distance, 8, &[&varint(bytes.len() as u64), bytes].concat())
    }

    pub fn nested(self, distance: u8, inner: &Self) -> Self {
        self.field(distance, 12, &inner.0)
    }

    pub fn list(self, distance: u8, items: &[Self]) -> Self {
        let items_bytes: Vec<u8> = items.iter().flat_map(|item| item.0.clone()).collect();
        let header = [vec![0xfc], varint(items.len() as u64), items_bytes].concat();
        self.field(distance, 9, &header)
    }
}

/// The repetition of a field.
pub const REQUIRED: i64 = 0;
pub const OPTIONAL: i64 = 1;
pub const REPEATED: i64 = 2;

/// Physical types.
pub const INT32: i64 = 1;
pub const INT64: i64 = 2;
pub const INT96: i64 = 3;
pub const BYTE_ARRAY: i64 = 6;
pub const FIXED: i64 = 7;

pub fn leaf(name: &str, physical_type: i64, length: i64, repetition: i64) -> Thrift {
    Thrift::structure(|it| {
        it.i32(1, physical_type)
            .i32(1, length)
            .i32(1, repetition)
            .binary(1, name.as_bytes())
    })
}

/// A leaf with a converted type.
pub fn annotated(name: &str, physical_type: i64, length: i64, converted: i64) -> Thrift {
    Thrift::structure(|it| {
        let it = it.i32(1, physical_type).i32(1, length).i32(1, REQUIRED);
        it.binary(1, name.as_bytes()).i32(2, converted)
    })
}

pub fn group(name: &str, children: i64, repetition: i64) -> Thrift {
    Thrift::structure(|it| {
        it.i32(3, repetition)
            .binary(1, name.as_bytes())
            .i32(1, children)
    })
}

/// A page and its header: version 1, not compressed.
pub fn data_page(values: i64, encoding: i64, body: &[u8]) -> Vec<u8> {
    page(0, body.len() as i64, body, |it| {
        let inner = Thrift::structure(|it| it.i32(1, values).i32(1, encoding).i32(1, 3).i32(1, 3));
        it.nested(2, &inner)
    })
}

pub fn dictionary_page(values: i64, body: &[u8]) -> Vec<u8> {
    page(2, body.len() as i64, body, |it| {
        it.nested(4, &Thrift::structure(|it| it.i32(1, values).i32(1, 0)))
    })
}

pub fn page(
    kind: i64,
    uncompressed: i64,
    body: &[u8],
    rest: impl FnOnce(Thrift) -> Thrift,
) -> Vec<u8> {
    let header = Thrift::structure(|it| {
        rest(
            it.i32(1, kind)
                .i32(1, uncompressed)
                .i32(1, body.len() as i64),
        )
    });
    [header.0, body.to_vec()].concat()
}

/// A column of a crafted file: its type, codec, values and pages.
pub struct Column {
    pub physical_type: i64,
    pub codec: i64,
    pub values: i64,
    pub pages: Vec<u8>,
}

/// A file of one row group.
pub fn file(schema: &[Thrift], rows: i64, columns: &[Column]) -> Bytes {
    let mut bytes = b"PAR1".to_vec();
    let mut chunks = Vec::new();
    for column in columns {
        let start = bytes.len() as i64;
        bytes.extend(&column.pages);
        let length = column.pages.len() as i64;
        let metadata = Thrift::structure(|it| {
            let it = it
                .i32(1, column.physical_type)
                .i32(3, column.codec)
                .i64(1, column.values);
            it.i64(1, length).i64(1, length).i64(2, start)
        });
        chunks.push(Thrift::structure(|it| it.i64(2, 0).nested(1, &metadata)));
    }
    let row_group = Thrift::structure(|it| it.list(1, &chunks).i64(1, 0).i64(1, rows));
    let footer = Thrift::structure(|it| {
        it.i32(1, 2)
            .list(1, schema)
            .i64(1, rows)
            .list(1, &[row_group])
    });
    with_footer(bytes, &footer.0)
}

pub fn with_footer(mut bytes: Vec<u8>, footer: &[u8]) -> Bytes {
    bytes.extend(footer);
    bytes.extend((footer.len() as u32).to_le_bytes());
    bytes.extend(b"PAR1");
    bytes.into()
}
