//! The seam: who can be measured.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// One side of a comparison, open in one process and used by all of its publishers at once.
pub(crate) trait Contender: Send + Sync {
    /// Puts in place what [`Self::work`] with the same arguments will need. Not timed.
    fn prepare(&self, _publisher: usize, _n: usize) -> Result<()> {
        Ok(())
    }

    /// Does one piece of work and returns how much it was, see [`Unit`](crate::figure::Unit); when it returns, what was
    /// published is durable. While a process lives no two calls have the same arguments, in any process, and what they
    /// publish must differ; only where nothing is written does every turn begin with the same ones.
    fn work(&self, publisher: usize, n: usize) -> Result<u64>;

    /// The syncs made so far by this process.
    fn syncs(&self) -> Syncs {
        Syncs::default()
    }
}

/// How often data was forced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Syncs {
    pub(crate) fsync: u64,
    pub(crate) fdatasync: u64,
}

/// Where a contender works.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    /// Empty before set-up, and shared by all processes of one measurement.
    pub(crate) directory: PathBuf,
    /// What the figure's [`Source`](crate::figure::Source) says, on the same filesystem and in the page cache. Must stay
    /// as it is.
    pub(crate) source: PathBuf,
    /// The number of artifacts of a population.
    pub(crate) artifacts: u64,
    /// One of the figure's cases.
    pub(crate) case: String,
    /// Which of the processes this is.
    pub(crate) process: usize,
}

#[cfg(test)]
impl World {
    /// With no source.
    pub(crate) fn at(directory: &Path) -> Self {
        Self {
            directory: directory.to_path_buf(),
            source: PathBuf::new(),
            artifacts: 0,
            case: String::new(),
            process: 0,
        }
    }
}

/// A contender that can be chosen by name.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) figure: Figure,
    pub(crate) name: &'static str,
    /// Called once per measurement, before any process opens.
    pub(crate) set_up: fn(&Path) -> Result<()>,
    /// Called in every process; where sides take turns in one, before each turn.
    pub(crate) open: fn(&World) -> Result<Box<dyn Contender>>,
}
