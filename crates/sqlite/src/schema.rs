//! What a new database is made of, and which databases are catalogs.

use std::path::Path;

use artstore_core::Error;
use rusqlite::Connection;

use crate::error::{Failure, damaged};

/// Marks a database as a catalog of artstore: `arts` in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x6172_7473;

/// The newest schema version that this crate knows: how many steps lead to it.
pub(crate) const NEWEST_VERSION: i32 = STEPS.len() as i32;

const STEPS: &[&str] = &[
    include_str!("migrations/0001_artifacts.sql"),
    include_str!("migrations/0002_tables.sql"),
];

/// Makes an empty database a catalog of the newest version.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    for step in STEPS {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "user_version", NEWEST_VERSION)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Indexes that no change of rows needs, as statements that make them.
///
/// One that is made when all rows are there is made in one go, from sorted entries; one that is kept up with every row is
/// written all over once it is larger than the cache.
pub(crate) struct DeferredIndexes(Vec<String>);

impl DeferredIndexes {
    /// Drops the indexes of an empty database.
    pub(crate) fn drop_from(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare(
            "SELECT found.name, made.sql FROM sqlite_schema AS made \
             JOIN pragma_index_list(made.tbl_name) AS found ON found.name = made.name \
             WHERE made.type = 'index' AND found.origin = 'c' AND NOT found.\"unique\"",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let indexes: Vec<(String, String)> = rows.collect::<rusqlite::Result<_>>()?;
        for (name, _) in &indexes {
            connection.execute_batch(&format!("DROP INDEX {name}"))?;
        }
        Ok(Self(indexes.into_iter().map(|(_, sql)| sql).collect()))
    }

    /// Makes the indexes.
    pub(crate) fn make(self, connection: &Connection) -> rusqlite::Result<()> {
        self.0
            .iter()
            .try_for_each(|sql| connection.execute_batch(sql))
    }
}

/// Which schema versions are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    /// The newest one.
    Newest,
    /// The newest one and every older one.
    Older,
}

/// Refuses a database that is not a catalog with an accepted version, without writing anything.
///
/// One with an older schema counts as missing: it is an index that can be deleted, and is made anew from the records under
/// the lock, like any other that is missing. Nothing changes the schema of a database that is there.
pub(crate) fn check(connection: &Connection, path: &Path, accept: Accept) -> Result<(), Failure> {
    let application_id: i32 = pragma(connection, "application_id")?;
    if application_id != APPLICATION_ID {
        return Err(refuse_foreign(connection, application_id)?.into());
    }
    let found: i32 = pragma(connection, "user_version")?;
    if found > NEWEST_VERSION {
        return Err(
            Error::unsupported("the catalog was written by a newer artstore")
                .with("found", found)
                .with("newest", NEWEST_VERSION)
                .hint("use the newer artstore, or rebuild the catalog with this one")
                .into(),
        );
    }
    if found < NEWEST_VERSION && accept == Accept::Newest {
        return Err(Error::catalog_outdated(path.display())
            .with("found_schema", found)
            .with("needed_schema", NEWEST_VERSION)
            .into());
    }
    Ok(())
}

fn refuse_foreign(connection: &Connection, application_id: i32) -> Result<Error, Failure> {
    let former_tables: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' \
         AND name IN ('artifacts', 'artifact_lineage', 'schema_migrations')",
        [],
        |row| row.get(0),
    )?;
    if former_tables == 3 {
        return Ok(
            Error::unsupported("this is a version 1 manifest of the former artifact store").hint(
                "keep it where it is, name another file as the catalog, and bring its artifacts over by publishing them",
            ),
        );
    }
    Ok(damaged("the database is not a catalog of artstore")
        .with("application_id", application_id)
        .hint("name another file as the catalog, or run `artstore admin rebuild`, which moves this one aside"))
}

pub(crate) fn pragma<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_database_is_a_catalog_of_the_newest_version() {
        let connection = Connection::open_in_memory().unwrap();
        create(&connection).unwrap();
        check(&connection, Path::new("catalog"), Accept::Newest).unwrap();
    }

    #[test]
    fn the_first_version_is_pinned() {
        assert_eq!(
            artstore_core::digest::Digest::of(STEPS[0].as_bytes()).to_string(),
            "sha256:0e18fec50435aaefdfc365bd8a67eaccdec40864ab9dace73bfea45b1ac4f183",
            "a schema that was published never changes"
        );
    }
}
