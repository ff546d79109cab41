//! The seam: who can be measured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::figure::{Figure, Source};
use crate::floor;

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

    /// The process that does the work, if it is another one: it is counted too, and its memory in the place of this one's.
    fn companion(&self) -> Option<u32> {
        None
    }

    /// What is known after a turn, by name, besides what is counted of everybody.
    fn facts(&self) -> Result<Facts> {
        Ok(Facts::new())
    }
}

/// Numbers by their names.
pub(crate) type Facts = BTreeMap<String, f64>;

/// How often data was forced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Syncs {
    pub(crate) fsync: u64,
    pub(crate) fdatasync: u64,
    /// How many of them were commits of a database, or of what stands for one.
    pub(crate) commits: u64,
}

/// How many work at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) processes: usize,
    /// In each process.
    pub(crate) publishers: usize,
}

impl Load {
    pub(crate) const ONE: Self = Self {
        processes: 1,
        publishers: 1,
    };

    pub(crate) const fn publishers(publishers: usize) -> Self {
        Self {
            publishers,
            ..Self::ONE
        }
    }

    pub(crate) const fn processes(processes: usize) -> Self {
        Self {
            processes,
            ..Self::ONE
        }
    }
}

/// Where a contender works.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    /// Empty before set-up, and shared by all processes of one measurement.
    pub(crate) directory: PathBuf,
    /// What the figure's [`Source`] says, on the same filesystem and in the page cache. Must stay as it is, except for the
    /// catalog of one that comes without.
    pub(crate) source: PathBuf,
    /// The number of artifacts of a population.
    pub(crate) artifacts: u64,
    /// One of the figure's cases.
    pub(crate) case: String,
    /// The program `artstore`.
    pub(crate) binary: PathBuf,
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
            binary: PathBuf::new(),
            process: 0,
        }
    }
}

/// A contender that can be chosen by name.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) figure: Figure,
    pub(crate) name: &'static str,
    /// Called once per measurement, before any process opens; not where sides take turns in one.
    pub(crate) set_up: fn(&Path) -> Result<()>,
    /// Called in every process; where sides take turns in one, before each turn.
    pub(crate) open: Open,
    /// How many work at once, if not as many as are asked for.
    pub(crate) load: Option<Load>,
    /// What is there before, if it is not what the figure says.
    pub(crate) source: Option<Source>,
    /// Its population is so many times smaller.
    pub(crate) divisor: u64,
    /// The only cases that it is for; all if there are none.
    pub(crate) cases: &'static [&'static str],
}

type Open = fn(&World) -> Result<Box<dyn Contender>>;

impl Entry {
    pub(crate) const fn new(figure: Figure, name: &'static str, open: Open) -> Self {
        Self {
            figure,
            name,
            set_up: floor::nothing,
            open,
            load: None,
            source: None,
            divisor: 1,
            cases: &[],
        }
    }

    pub(crate) const fn after(self, set_up: fn(&Path) -> Result<()>) -> Self {
        Self { set_up, ..self }
    }

    pub(crate) const fn with_load(self, load: Load) -> Self {
        Self {
            load: Some(load),
            ..self
        }
    }

    pub(crate) const fn reading(self, source: Source) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }

    pub(crate) const fn of_one_in(self, divisor: u64) -> Self {
        Self { divisor, ..self }
    }

    pub(crate) const fn only_for(self, cases: &'static [&'static str]) -> Self {
        Self { cases, ..self }
    }

    pub(crate) fn is_for(&self, case: &str) -> bool {
        self.cases.is_empty() || self.cases.contains(&case)
    }
}
