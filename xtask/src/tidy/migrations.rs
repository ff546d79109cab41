//! Migrations are append-only: what has run somewhere never changes.
//!
//! `crates/<crate>/src/migrations/checksums.txt` pins each of them by a line of `sha256sum`. Lines are added by
//! `cargo xtask tidy --write-checksums`, which alters none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::tidy::Violations;
use crate::workspace::SourceFile;

const PINS: &str = "checksums.txt";

/// The migrations of one crate.
#[derive(Default)]
struct Folder<'a> {
    /// Name below the folder and content, in order of names.
    migrations: Vec<(&'a str, &'a str)>,
    pins: &'a str,
}

/// Names every migration that is not what its pin says, and every one without a pin.
pub(crate) fn check(files: &[SourceFile]) -> Violations {
    let mut violations = Vec::new();
    for (path, folder) in folders(files) {
        violations.extend(broken_pins(&path, &folder));
        violations.extend(folder.unpinned().map(|(name, _)| {
            format!("{path}/{name}: not in {PINS}; add it by cargo xtask tidy --write-checksums")
        }));
    }
    violations
}

/// Adds a line for each migration without one and names the files written. Refuses if an existing line is broken.
pub(crate) fn write(root: &Path, files: &[SourceFile]) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for (path, mut folder) in folders(files) {
        let mut pins = folder.pins.to_owned();
        for (name, text) in folder.unpinned() {
            writeln!(pins, "{}  {name}", sha256(text))?;
        }
        if pins == folder.pins {
            continue;
        }
        folder.pins = &pins;
        let broken = broken_pins(&path, &folder);
        if !broken.is_empty() {
            bail!("nothing is written: {}", broken.join("; "));
        }
        let target = format!("{path}/{PINS}");
        fs::write(root.join(&target), &pins).with_context(|| format!("cannot write {target}"))?;
        written.push(target);
    }
    Ok(written)
}

impl<'a> Folder<'a> {
    /// Checksum and name of every line; a line of another form has an empty name.
    fn pinned(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pins
            .lines()
            .map(|line| line.split_once("  ").unwrap_or((line, "")))
    }

    fn unpinned(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.migrations
            .iter()
            .copied()
            .filter(|(migration, _)| self.pinned().all(|(_, name)| name != *migration))
    }
}

/// What contradicts the pins, or their order.
fn broken_pins(path: &str, folder: &Folder<'_>) -> Violations {
    let mut violations = Vec::new();
    let mut latest: BTreeMap<&str, &str> = BTreeMap::new();
    for (checksum, name) in folder.pinned() {
        let migration = folder
            .migrations
            .iter()
            .find(|(migration, _)| *migration == name);
        match migration {
            None => violations.push(format!(
                "{path}/{PINS}: `{checksum}  {name}` pins no migration"
            )),
            Some((_, text)) if sha256(text) != checksum => {
                violations.push(format!("{path}/{name}: changed after it was pinned"));
            }
            Some(_) => {}
        }
        // Each subfolder is the history of one database.
        let history = name.rsplit_once('/').map_or("", |(history, _)| history);
        if let Some(before) = latest
            .insert(history, name)
            .filter(|before| *before >= name)
        {
            violations.push(format!(
                "{path}/{name}: does not come after {before}, which is older"
            ));
        }
    }
    violations
}

fn folders(files: &[SourceFile]) -> BTreeMap<String, Folder<'_>> {
    let mut folders: BTreeMap<String, Folder<'_>> = BTreeMap::new();
    for file in files {
        let parts: Vec<&str> = file.path.splitn(5, '/').collect();
        let ["crates", crate_folder, "src", "migrations", name] = parts.as_slice() else {
            continue;
        };
        let folder = folders
            .entry(format!("crates/{crate_folder}/src/migrations"))
            .or_default();
        if *name == PINS {
            folder.pins = &file.text;
        } else if file.extension() == "sql" {
            folder.migrations.push((name, &file.text));
        }
    }
    for folder in folders.values_mut() {
        folder.migrations.sort_unstable();
    }
    folders
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "crates/sqlite/src/migrations";

    fn migration(name: &str, text: &str) -> SourceFile {
        SourceFile::sample(&format!("{FOLDER}/{name}"), text)
    }

    fn pins(pinned: &[(&str, &str)]) -> SourceFile {
        let lines: String = pinned
            .iter()
            .map(|(name, text)| format!("{}  {name}\n", sha256(text)))
            .collect();
        migration(PINS, &lines)
    }

    #[test]
    fn a_checksum_is_that_of_sha256sum() {
        assert_eq!(
            sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn pinned_migrations_pass() {
        let files = [
            migration("runs/0001_runs.sql", "create"),
            migration("artifacts/0001_artifacts.sql", "create"),
            migration("artifacts/0002_tags.sql", "alter"),
            pins(&[
                ("runs/0001_runs.sql", "create"),
                ("artifacts/0001_artifacts.sql", "create"),
                ("artifacts/0002_tags.sql", "alter"),
            ]),
        ];
        assert_eq!(check(&files), Violations::new());
    }

    #[test]
    fn a_changed_migration_is_found() {
        let files = [
            migration("0001.sql", "drop"),
            pins(&[("0001.sql", "create")]),
        ];
        assert_eq!(
            check(&files),
            ["crates/sqlite/src/migrations/0001.sql: changed after it was pinned"]
        );
    }

    #[test]
    fn a_deleted_migration_is_found() {
        let violations = check(&[pins(&[("0001.sql", "create")])]);
        assert_eq!(violations.len(), 1);
        assert!(
            violations[0].ends_with("0001.sql` pins no migration"),
            "{violations:?}"
        );
    }

    #[test]
    fn a_new_migration_without_a_pin_is_found() {
        let violations = check(&[migration("0001.sql", "create")]);
        assert_eq!(violations.len(), 1);
        assert!(
            violations[0].starts_with("crates/sqlite/src/migrations/0001.sql: not in"),
            "{violations:?}"
        );
    }

    #[test]
    fn a_migration_that_slips_in_before_another_is_found() {
        let files = [
            migration("0001.sql", "create"),
            migration("0002.sql", "alter"),
            pins(&[("0002.sql", "alter"), ("0001.sql", "create")]),
        ];
        assert_eq!(
            check(&files),
            ["crates/sqlite/src/migrations/0001.sql: does not come after 0002.sql, which is older"]
        );
    }

    #[test]
    fn writing_adds_lines_and_alters_none() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        let old = pins(&[("0001.sql", "create")]);
        let files = [
            migration("0001.sql", "create"),
            migration("0002.sql", "alter"),
            old,
        ];

        assert_eq!(
            write(root.path(), &files).unwrap(),
            [format!("{FOLDER}/{PINS}")]
        );

        let text = fs::read_to_string(root.path().join(FOLDER).join(PINS)).unwrap();
        assert_eq!(
            text,
            pins(&[("0001.sql", "create"), ("0002.sql", "alter")]).text
        );
    }

    #[test]
    fn writing_refuses_to_repair_a_changed_migration() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        let files = [
            migration("0001.sql", "drop"),
            migration("0002.sql", "alter"),
            pins(&[("0001.sql", "create")]),
        ];

        let error = write(root.path(), &files).unwrap_err();

        assert!(
            error
                .to_string()
                .contains("0001.sql: changed after it was pinned"),
            "{error}"
        );
        assert!(!root.path().join(FOLDER).join(PINS).exists());
    }

    #[test]
    fn writing_changes_nothing_where_all_are_pinned() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            migration("0001.sql", "create"),
            pins(&[("0001.sql", "create")]),
        ];
        assert!(write(root.path(), &files).unwrap().is_empty());
    }
}
