//! What is there before anything is measured. Making it is not timed.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::figure::Source;
use crate::floor::disk::write_blocks;
use crate::floor::table::convert;
use crate::population::{self, Population, Way};
use crate::{csv, place, store};

/// What the files of an artifact and its rows take on a disk with blocks of 4 KiB, the catalog while it is replaced included.
const FILES_BYTES: u64 = 11 * 1024;
/// What others are left.
const SPARE_BYTES: u64 = 1 << 30;

/// How large sources are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sizes {
    /// Files. Parquet is what a CSV of that size is converted to.
    pub(crate) mebibytes: u64,
    /// Populations.
    pub(crate) artifacts: u64,
}

impl Sizes {
    /// With so many times fewer artifacts.
    pub(crate) fn divided(self, divisor: u64) -> Self {
        Self {
            artifacts: self.artifacts / divisor,
            ..self
        }
    }
}

/// The name of a source, which no other one has.
pub(crate) fn name(source: Source, sizes: Sizes) -> String {
    let size = match source {
        Source::Nothing => 0,
        Source::Blocks | Source::Csv | Source::Parquet => sizes.mebibytes,
        Source::Population | Source::Plain | Source::Grown | Source::Files => sizes.artifacts,
    };
    format!("source-{source:?}-{size}").to_lowercase()
}

/// Makes `source` at `path` if nothing is there.
pub(crate) fn provide(path: &Path, source: Source, sizes: Sizes) -> Result<()> {
    if source == Source::Nothing || path.exists() {
        return Ok(());
    }
    ensure!(sizes.mebibytes > 0, "--mebibytes must be at least 1");
    let made = match source {
        Source::Nothing => Ok(()),
        Source::Blocks => write_blocks(path, sizes.mebibytes)
            .and_then(|file| file.sync_all())
            .map_err(Into::into),
        Source::Csv => csv::write(path, sizes.mebibytes),
        Source::Parquet => write_parquet(path, sizes.mebibytes),
        Source::Population => build(path, Population::of(sizes.artifacts), Way::Rebuilt),
        Source::Plain => build(path, Population::of_files(sizes.artifacts), Way::Rebuilt),
        Source::Grown => build(path, Population::of(sizes.artifacts), Way::Grown),
        Source::Files => write_files(path, Population::of(sizes.artifacts)),
    };
    made.with_context(|| format!("cannot make {}", path.display()))
}

fn build(path: &Path, population: Population, way: Way) -> Result<()> {
    eprintln!("making a catalog of {} artifacts ...", population.artifacts);
    store::runtime()?.block_on(population::build(path, population, way))
}

fn write_files(path: &Path, population: Population) -> Result<()> {
    place::ensure_free(path, population.artifacts * FILES_BYTES + SPARE_BYTES)?;
    eprintln!("making the files of {} artifacts ...", population.artifacts);
    let start = Instant::now();
    population::write_files(path, population)?;
    eprintln!("... in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn write_parquet(path: &Path, mebibytes: u64) -> Result<()> {
    let csv = path.with_extension("csv");
    csv::write(&csv, mebibytes)?;
    convert(&csv, path)?.sync_all()?;
    std::fs::remove_file(&csv)?;
    Ok(())
}
