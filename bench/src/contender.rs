//! The seam: what is measured, and who can be measured.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::{floor, store};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Small things made durable, per second
    Publish,
    /// One big file copied into the store
    Big,
    /// One big file moved into the store
    Adopt,
    /// One file published again, which writes nothing; best with `--mebibytes 1`
    Duplicate,
}

/// One side of a comparison, open in one process and used by all of its publishers at once.
pub(crate) trait Contender: Send + Sync {
    /// Puts in place what [`Self::publish`] with the same arguments will need. Not timed.
    fn prepare(&self, publisher: usize, n: usize) -> Result<()>;

    /// Does one unit of work; when it returns the work is durable, or hashed where that is all there is to it. No two calls
    /// have the same arguments, in any process, and what they publish must differ.
    fn publish(&self, publisher: usize, n: usize) -> Result<()>;

    /// The syncs made so far by this process.
    fn syncs(&self) -> Syncs;
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
    /// The big file of `big` and `adopt`, on the same filesystem and in the page cache. Must stay as it is.
    pub(crate) source: PathBuf,
    /// Which of the processes this is.
    pub(crate) process: usize,
}

/// A contender that can be chosen by name.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) figure: Figure,
    pub(crate) name: &'static str,
    /// Called once per measurement, before any process opens.
    pub(crate) set_up: fn(&Path) -> Result<()>,
    /// Called in every process.
    pub(crate) open: fn(&World) -> Result<Box<dyn Contender>>,
}

/// Everybody, floors first. The last one of a figure is what its ratios are about.
const ENTRIES: &[Entry] = &[
    Entry {
        figure: Figure::Publish,
        name: "floor",
        set_up: floor::publish::set_up,
        open: floor::publish::open,
    },
    Entry {
        figure: Figure::Publish,
        name: "artstore",
        set_up: store::set_up,
        open: store::open_small,
    },
    Entry {
        figure: Figure::Big,
        name: "disk",
        set_up: floor::nothing,
        open: floor::disk::open,
    },
    Entry {
        figure: Figure::Big,
        name: "sha256",
        set_up: floor::nothing,
        open: floor::sha256::open,
    },
    Entry {
        figure: Figure::Big,
        name: "artstore",
        set_up: store::set_up,
        open: store::open_copy,
    },
    Entry {
        figure: Figure::Adopt,
        name: "sha256",
        set_up: floor::nothing,
        open: floor::sha256::open,
    },
    Entry {
        figure: Figure::Adopt,
        name: "artstore",
        set_up: store::set_up,
        open: store::open_adopt,
    },
    Entry {
        figure: Figure::Duplicate,
        name: "sha256",
        set_up: floor::nothing,
        open: floor::sha256::open,
    },
    Entry {
        figure: Figure::Duplicate,
        name: "artstore",
        set_up: store::set_up,
        open: store::open_duplicate,
    },
];

/// The contender of this name.
pub(crate) fn find(figure: Figure, name: &str) -> Result<&'static Entry> {
    of(figure)
        .find(|entry| entry.name == name)
        .with_context(|| {
            let known: Vec<_> = of(figure).map(|entry| entry.name).collect();
            format!(
                "no contender `{name}` for this figure; known are {}",
                known.join(", ")
            )
        })
}

/// The contenders of these names, or all of the figure if none is named. A lone one is compared with itself, which shows
/// how far ratios stray by chance.
pub(crate) fn sides(figure: Figure, names: &[String]) -> Result<Vec<&'static Entry>> {
    let mut sides: Vec<&Entry> = if names.is_empty() {
        of(figure).collect()
    } else {
        let found = names.iter().map(|name| find(figure, name));
        found.collect::<Result<_>>()?
    };
    match sides.first() {
        None => bail!("this figure has no contenders"),
        Some(&first) if sides.len() == 1 => sides.push(first),
        Some(_) => {}
    }
    Ok(sides)
}

fn of(figure: Figure) -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().filter(move |entry| entry.figure == figure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_two_sides() {
        for figure in Figure::value_variants() {
            assert!(sides(*figure, &[]).unwrap().len() >= 2, "{figure:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = sides(Figure::Big, &["tape".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no contender `tape` for this figure; known are disk, sha256, artstore"
        );
    }
}
