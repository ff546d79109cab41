//! Opening a connection, with everything that is checked and set.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use artstore_core::Error;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::StatVfsMountFlags;

use crate::error::Failure;
use crate::place::with_suffix;
use crate::schema::{self, Accept, pragma};
use crate::settings::SqliteSettings;

/// The oldest SQLite without a defect of write-ahead logs that can lose a commit: 3.51.3.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How much of the database a connection that reads keeps, in KiB as the negative number that SQLite wants: enough for the
/// inner pages of the indexes of a million artifacts.
const READER_CACHE_KIBIBYTES: i64 = -8 * 1024;

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 64;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Reader,
    Writer,
}

/// Opens the database at `path`, which must exist and be a catalog.
pub(crate) fn open(
    path: &Path,
    role: Role,
    accept: Accept,
    settings: &SqliteSettings,
) -> Result<Connection, Failure> {
    check_library(rusqlite::version_number())?;
    let access = match role {
        Role::Reader => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Role::Writer => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let connection = match role {
        Role::Reader if is_closed_and_read_only(path) => open_unchanging(path, access)?,
        _ => Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?,
    };
    connection.busy_timeout(settings.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    // Whatever it is, nothing is changed before it is known to be a catalog.
    schema::check(&connection, path, accept)?;
    match role {
        Role::Reader => {
            connection.pragma_update(None, "cache_size", READER_CACHE_KIBIBYTES)?;
            connection.pragma_update(None, "query_only", true)?;
        }
        Role::Writer => prepare_writer(&connection, settings)?,
    }
    Ok(connection)
}

/// Whether nobody can change the database: it is on a read-only filesystem, and there is no log of anybody who has it open.
fn is_closed_and_read_only(path: &Path) -> bool {
    is_on_read_only_filesystem(path) && !with_suffix(path, "-wal").exists()
}

pub(crate) fn is_on_read_only_filesystem(path: &Path) -> bool {
    let flags = rustix::fs::statvfs(path).map(|found| found.f_flag);
    flags.is_ok_and(|flags| flags.contains(StatVfsMountFlags::RDONLY))
}

/// Reads a database in write-ahead mode without its log and index, which SQLite could not make on a read-only filesystem.
fn open_unchanging(path: &Path, access: OpenFlags) -> Result<Connection, Failure> {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(uri, flags)?)
}

fn prepare_writer(connection: &Connection, settings: &SqliteSettings) -> Result<(), Failure> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(
            Error::unavailable("the catalog cannot use a write-ahead log")
                .with("journal_mode", mode)
                .hint("keep the catalog on a local filesystem")
                .into(),
        );
    }
    connection.pragma_update(None, "synchronous", "full")?;
    let synchronous: i64 = pragma(connection, "synchronous")?;
    if synchronous != 2 {
        return Err(Error::internal("the catalog does not sync its commits")
            .with("synchronous", synchronous)
            .into());
    }
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", settings.checkpoint_pages)?;
    let limit = i64::try_from(settings.journal_limit_bytes).unwrap_or(i64::MAX);
    connection.pragma_update_and_check(None, "journal_size_limit", limit, |_| Ok(()))?;
    Ok(())
}

fn check_library(version: i32) -> Result<(), Error> {
    if version >= OLDEST_SQLITE {
        return Ok(());
    }
    let text = |number: i32| {
        format!(
            "{}.{}.{}",
            number / 1_000_000,
            number / 1000 % 1000,
            number % 1000
        )
    };
    Err(
        Error::unsupported("this SQLite is too old to keep a catalog")
            .with("found", text(version))
            .with("oldest", text(OLDEST_SQLITE))
            .hint("build artstore with the SQLite that comes with it"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_library_is_refused_by_both_versions() {
        check_library(rusqlite::version_number()).unwrap();
        let error = check_library(3_051_002).unwrap_err();
        assert_eq!(error.kind(), artstore_core::ErrorKind::Unsupported);
        assert_eq!(error.context_value("found"), Some("3.51.2"));
        assert_eq!(error.context_value("oldest"), Some("3.51.3"));
    }
}
