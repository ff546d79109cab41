//! A floor of `big`: the disk alone. The bytes of the source are written and synced, and made rather than read.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Syncer;
use crate::contender::{Contender, Syncs, World};

const BLOCK_BYTES: usize = 1024 * 1024;

struct DiskFloor {
    directory: PathBuf,
    mebibytes: u64,
    syncer: Syncer,
}

/// Looks how much is to be written.
pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    let source = fs::metadata(&world.source)
        .with_context(|| format!("cannot read {}", world.source.display()))?;
    Ok(Box::new(DiskFloor {
        directory: world.directory.clone(),
        mebibytes: source.len() / BLOCK_BYTES as u64,
        syncer: Syncer::default(),
    }))
}

impl Contender for DiskFloor {
    /// Removes what the last call wrote, so that the disk does not fill up.
    fn prepare(&self, publisher: usize, n: usize) -> Result<()> {
        let Some(last) = n.checked_sub(1) else {
            return Ok(());
        };
        let path = self.path(publisher, last);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
    }

    fn work(&self, publisher: usize, n: usize) -> Result<u64> {
        let path = self.path(publisher, n);
        write_blocks(&path, self.mebibytes)
            .and_then(|file| self.syncer.data(&file))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(self.mebibytes * BLOCK_BYTES as u64)
    }

    fn syncs(&self) -> Syncs {
        self.syncer.count()
    }
}

impl DiskFloor {
    fn path(&self, publisher: usize, n: usize) -> PathBuf {
        self.directory.join(format!("{publisher}-{n}.data"))
    }
}

/// Writes a new file of blocks that neither repeat nor compress.
pub(crate) fn write_blocks(path: &Path, mebibytes: u64) -> io::Result<File> {
    let mut block = noise();
    let mut file = File::create_new(path)?;
    for index in 0..mebibytes {
        block[..8].copy_from_slice(&index.to_le_bytes());
        file.write_all(&block)?;
    }
    Ok(file)
}

/// One block from a xorshift generator.
fn noise() -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    while block.len() < BLOCK_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block.extend_from_slice(&state.to_le_bytes());
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_as_the_source_holds_is_written_with_one_sync_and_once_on_disk() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source");
        write_blocks(&source, 3).unwrap();
        let floor = open(&World {
            source: source.clone(),
            ..World::at(directory.path())
        })
        .unwrap();

        for n in 0..2 {
            floor.prepare(0, n).unwrap();
            assert_eq!(floor.work(0, n).unwrap(), 3 << 20);
        }

        assert_eq!(floor.syncs().fdatasync, 2);
        assert!(!directory.path().join("0-0.data").exists());
        let written = fs::read(directory.path().join("0-1.data")).unwrap();
        assert!(written == fs::read(source).unwrap());
    }
}
