//! The floor of `rebuild`: all records and events are read and hashed, and all files looked at, on one thread.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use artstore_core::layout;
use sha2::{Digest, Sha256};

use crate::contender::{Contender, World};

struct ReadAndHash {
    root: PathBuf,
}

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(ReadAndHash {
        root: world.source.clone(),
    }))
}

impl Contender for ReadAndHash {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        let events = self.root.join(layout::EVENTS);
        if events.exists() {
            read_below(&events)?;
        }
        read_below(&self.root.join(layout::ARTIFACTS))
    }
}

/// Returns the number of documents.
fn read_below(directory: &Path) -> Result<u64> {
    let mut documents = 0;
    let entries = fs::read_dir(directory);
    let entries = entries.with_context(|| format!("cannot list {}", directory.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", directory.display()))?;
        let path = entry.path();
        let unreadable = || format!("cannot read {}", path.display());
        let metadata = entry.metadata().with_context(unreadable)?;
        if metadata.is_dir() {
            documents += read_below(&path)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let bytes = fs::read(&path).with_context(unreadable)?;
            black_box(Sha256::digest(&bytes));
            documents += 1;
        }
    }
    Ok(documents)
}
