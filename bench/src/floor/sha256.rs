//! The floor of everything that is hashed: SHA-256 of the file alone, read from the page cache, or of memory.

use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::columns::Column;
use crate::contender::{Contender, World};

const BUFFER_BYTES: usize = 1024 * 1024;

struct Sha256Floor {
    source: PathBuf,
}

/// Remembers the file.
pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Sha256Floor {
        source: world.source.clone(),
    }))
}

impl Contender for Sha256Floor {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        let (digest, length) = hash_file(&self.source)?;
        black_box(digest);
        Ok(length)
    }
}

/// The digest of a file and its length.
pub(super) fn hash_file(path: &Path) -> Result<([u8; 32], u64)> {
    let at = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(at)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut hasher = Sha256::new();
    let mut total = 0;
    loop {
        let length = file.read(&mut buffer).with_context(at)?;
        if length == 0 {
            return Ok((hasher.finalize().into(), total));
        }
        hasher.update(&buffer[..length]);
        total += length as u64;
    }
}

/// Hashes as many bytes of memory as the canonical form of the case's column has.
pub(crate) fn open_column(world: &World) -> Result<Box<dyn Contender>> {
    let length = usize::try_from(Column::new(&world.case)?.canonical_bytes)?;
    Ok(Box::new(MemoryFloor {
        bytes: vec![0x5a; length],
    }))
}

struct MemoryFloor {
    bytes: Vec<u8>,
}

impl Contender for MemoryFloor {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        black_box(Sha256::digest(&self.bytes));
        Ok(self.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_whole_file_is_hashed() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source");
        let bytes = vec![7; BUFFER_BYTES + 5];
        fs::write(&source, &bytes).unwrap();
        let expected: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(hash_file(&source).unwrap(), (expected, bytes.len() as u64));
    }
}
