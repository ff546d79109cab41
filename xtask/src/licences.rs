//! `cargo xtask licences`: whose code is in the tree, and on which terms.
//!
//! Where cargo-deny is installed it decides. Elsewhere the same two lists of `deny.toml` are checked here: allowed
//! licences, and that nothing comes from anywhere but crates.io.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::{CargoOpt, MetadataCommand};
use spdx::{Expression, ParseMode};

use crate::workspace;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A package of the tree.
struct Package {
    /// Name and version.
    name: String,
    licence: Option<String>,
    /// `None` for a member of the workspace.
    source: Option<String>,
}

/// Checks licences and sources.
pub(crate) fn run() -> Result<()> {
    let root = workspace::root()?;
    if is_deny_installed() {
        let arguments = ["deny", "check", "bans", "licenses", "sources"];
        let status = Command::new("cargo")
            .args(arguments)
            .current_dir(&root)
            .status()
            .context("cannot start cargo deny")?;
        if !status.success() {
            bail!("cargo {} failed", arguments.join(" "));
        }
        return Ok(());
    }
    println!("cargo-deny is not installed: checking licences and sources only");
    let allowed = allowed_licences(&root)?;
    let packages = packages(&root)?;
    let refused = refused(&packages, &allowed);
    for refusal in &refused {
        println!("{refusal}");
    }
    if !refused.is_empty() {
        bail!("{} packages are not allowed", refused.len());
    }
    println!("{} packages are allowed", packages.len());
    Ok(())
}

fn is_deny_installed() -> bool {
    Command::new("cargo")
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn allowed_licences(root: &Path) -> Result<BTreeSet<String>> {
    let path = root.join("deny.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    parse_allowed(&text).with_context(|| format!("cannot use {}", path.display()))
}

fn parse_allowed(text: &str) -> Result<BTreeSet<String>> {
    let settings: toml::Table = toml::from_str(text)?;
    let allowed = settings
        .get("licenses")
        .and_then(|licenses| licenses.get("allow"))
        .and_then(toml::Value::as_array)
        .context("licenses.allow is missing")?;
    Ok(allowed
        .iter()
        .filter_map(toml::Value::as_str)
        .map(str::to_owned)
        .collect())
}

/// Everything that is built on this machine with all features, tests included.
fn packages(root: &Path) -> Result<Vec<Package>> {
    let version = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("cannot start rustc")?;
    let version = String::from_utf8(version.stdout).context("rustc -vV is not text")?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc -vV names no host")?;
    // Without the filter cargo downloads the sources of every other platform.
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked", "--filter-platform", host].map(str::to_owned))
        .exec()
        .context("cargo metadata failed")?;
    Ok(metadata
        .packages
        .into_iter()
        .map(|package| Package {
            name: format!("{} {}", package.name, package.version),
            licence: package.license,
            source: package.source.map(|source| source.repr),
        })
        .collect())
}

fn refused(packages: &[Package], allowed: &BTreeSet<String>) -> Vec<String> {
    let mut refused = Vec::new();
    for package in packages {
        let name = &package.name;
        match &package.licence {
            None => refused.push(format!("{name}: names no licence")),
            Some(licence) if !is_allowed(licence, allowed) => {
                refused.push(format!("{name}: {licence} is not allowed by deny.toml"));
            }
            Some(_) => {}
        }
        if let Some(source) = package
            .source
            .as_deref()
            .filter(|source| *source != CRATES_IO)
        {
            refused.push(format!("{name}: comes from {source}"));
        }
    }
    refused
}

/// Whether an SPDX expression can be met with allowed licences; one that cannot be read is not.
fn is_allowed(licence: &str, allowed: &BTreeSet<String>) -> bool {
    Expression::parse_mode(licence, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(|term| allowed.contains(&term.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = r#"
        [licenses]
        allow = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]
    "#;

    #[track_caller]
    fn check(licence: &str, expected: bool) {
        let allowed = parse_allowed(SETTINGS).unwrap();
        assert_eq!(is_allowed(licence, &allowed), expected, "{licence}");
    }

    fn package(licence: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: "sample 1.0.0".to_owned(),
            licence: licence.map(str::to_owned),
            source: source.map(str::to_owned),
        }
    }

    #[test]
    fn one_alternative_is_enough() {
        check("MIT", true);
        check("GPL-3.0-only OR MIT", true);
        check("MIT/Apache-2.0", true);
        check("GPL-3.0-only", false);
    }

    #[test]
    fn every_part_must_be_allowed() {
        check("MIT AND ISC", true);
        check("MIT AND MPL-2.0", false);
        check("(MPL-2.0 OR MIT) AND ISC", true);
        check("MPL-2.0 OR MIT AND GPL-2.0-only", false);
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        check("Apache-2.0 WITH LLVM-exception", true);
        check("Apache-2.0", false);
    }

    #[test]
    fn what_is_no_licence_is_not_allowed() {
        check("", false);
        check("MIT OR", false);
        check("Free as in beer", false);
    }

    #[test]
    fn packages_that_are_not_allowed_are_named() {
        let allowed = parse_allowed(SETTINGS).unwrap();
        let packages = [
            package(Some("MIT"), None),
            package(Some("MIT"), Some(CRATES_IO)),
            package(Some("MPL-2.0"), Some(CRATES_IO)),
            package(None, Some(CRATES_IO)),
            package(Some("MIT"), Some("git+https://example.org/sample")),
        ];
        assert_eq!(
            refused(&packages, &allowed),
            [
                "sample 1.0.0: MPL-2.0 is not allowed by deny.toml",
                "sample 1.0.0: names no licence",
                "sample 1.0.0: comes from git+https://example.org/sample",
            ]
        );
    }

    #[test]
    fn settings_without_a_list_are_refused() {
        assert!(parse_allowed("[licenses]\n").is_err());
    }
}
