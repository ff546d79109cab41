//! How much a compressed page holds, measured without keeping it.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;

/// Bytes that are decompressed at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Whether the library decompresses pages of this codec to their end, and not to what their header announces.
pub(super) fn is_unbounded(codec: Compression) -> bool {
    matches!(codec, Compression::GZIP(_) | Compression::BROTLI(_))
}

/// Whether `compressed` holds at most `limit` bytes. What cannot be decompressed does: the library says what is wrong.
pub(super) fn fits(codec: Compression, compressed: &[u8], limit: u64) -> bool {
    match codec {
        Compression::GZIP(_) => length_fits(MultiGzDecoder::new(compressed), limit),
        Compression::BROTLI(_) => {
            length_fits(brotli::Decompressor::new(compressed, PIECE_BYTES), limit)
        }
        _ => true,
    }
}

fn length_fits(mut decoder: impl Read, limit: u64) -> bool {
    let mut piece = vec![0; PIECE_BYTES];
    let mut length = 0;
    while length <= limit {
        match decoder.read(&mut piece) {
            Ok(0) | Err(_) => return true,
            Ok(read) => length += read as u64,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;
    use parquet::basic::{BrotliLevel, GzipLevel};

    use super::*;

    fn check(codec: Compression, compressed: &[u8]) {
        assert!(fits(codec, compressed, 100_000));
        assert!(!fits(codec, compressed, 99_999));
        assert!(fits(codec, b"not compressed at all", 0));
    }

    #[test]
    fn what_is_compressed_is_measured() {
        let plain = vec![7; 100_000];
        let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        check(
            Compression::GZIP(GzipLevel::default()),
            &gzip.finish().unwrap(),
        );
        let mut brotli = brotli::CompressorWriter::new(Vec::new(), PIECE_BYTES, 1, 20);
        brotli.write_all(&plain).unwrap();
        check(
            Compression::BROTLI(BrotliLevel::default()),
            &brotli.into_inner(),
        );
    }
}
