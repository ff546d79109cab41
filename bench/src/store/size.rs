//! How large the catalog is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

use crate::contender::{Contender, Facts, World};
use crate::population;

/// The fact that is judged.
pub(crate) const BYTES: &str = "bytes per artifact";
pub(crate) const EDGES: &str = "edges per artifact";
pub(crate) const TAGS: &str = "tags per artifact";
pub(crate) const TABLES: &str = "tables in 100 artifacts";

/// What is counted, and of which it is a multiple.
const COUNTS: [(&str, &str, f64); 3] = [
    (EDGES, "SELECT count(*) FROM artifact_input", 1.0),
    (TAGS, "SELECT count(*) FROM artifact_tag", 1.0),
    (
        TABLES,
        "SELECT count(*) FROM artifact WHERE kind = 0",
        100.0,
    ),
];

struct SizeSide {
    path: PathBuf,
    artifacts: f64,
}

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(SizeSide {
        path: world.source.join(population::CATALOG),
        artifacts: world.artifacts as f64,
    }))
}

impl SizeSide {
    /// With the log, of which a closed catalog has none.
    fn bytes(&self) -> Result<u64> {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let log = fs::metadata(Path::new(&log)).map_or(0, |metadata| metadata.len());
        let database = fs::metadata(&self.path)
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        Ok(database.len() + log)
    }
}

impl Contender for SizeSide {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        self.bytes()?;
        Ok(1)
    }

    fn facts(&self) -> Result<Facts> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut facts = Facts::from([(BYTES.to_owned(), self.bytes()? as f64 / self.artifacts)]);
        for (name, statement, factor) in COUNTS {
            let count: i64 = connection.query_row(statement, [], |row| row.get(0))?;
            facts.insert(name.to_owned(), count as f64 * factor / self.artifacts);
        }
        Ok(facts)
    }
}
