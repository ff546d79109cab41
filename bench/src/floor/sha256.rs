//! A floor of `big` and the floor of `adopt`: SHA-256 of the file alone, read from the page cache.

use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::contender::{Contender, Syncs, World};

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
    fn prepare(&self, _publisher: usize, _n: usize) -> Result<()> {
        Ok(())
    }

    fn publish(&self, _publisher: usize, _n: usize) -> Result<()> {
        black_box(self.hash()?);
        Ok(())
    }

    fn syncs(&self) -> Syncs {
        Syncs::default()
    }
}

impl Sha256Floor {
    fn hash(&self) -> Result<[u8; 32]> {
        let at = || format!("cannot read {}", self.source.display());
        let mut file = File::open(&self.source).with_context(at)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut hasher = Sha256::new();
        loop {
            let length = file.read(&mut buffer).with_context(at)?;
            if length == 0 {
                return Ok(hasher.finalize().into());
            }
            hasher.update(&buffer[..length]);
        }
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
        assert_eq!(Sha256Floor { source }.hash().unwrap(), expected);
    }
}
