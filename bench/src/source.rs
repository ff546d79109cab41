//! What is there before anything is measured. Making it is not timed.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::figure::Source;
use crate::floor::disk::write_blocks;
use crate::floor::table::convert;
use crate::population::{self, Population};
use crate::{csv, store};

/// How large sources are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Files. Parquet is what a CSV of that size is converted to.
    pub(crate) mebibytes: u64,
    /// Populations.
    pub(crate) artifacts: u64,
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
        Source::Population => {
            let artifacts = sizes.artifacts;
            eprintln!("making a catalog of {artifacts} artifacts ...");
            store::runtime()?.block_on(population::build(path, Population { artifacts }))
        }
    };
    made.with_context(|| format!("cannot make {}", path.display()))
}

fn write_parquet(path: &Path, mebibytes: u64) -> Result<()> {
    let csv = path.with_extension("csv");
    csv::write(&csv, mebibytes)?;
    convert(&csv, path)?.sync_all()?;
    std::fs::remove_file(&csv)?;
    Ok(())
}
