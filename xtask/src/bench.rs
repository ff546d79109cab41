//! `cargo xtask bench`: builds what is released and what measures it, and lets that make the page of benchmarks.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;

use crate::workspace;

/// The page that is made, from the root.
const PAGE: &str = "docs/benchmarks.md";

/// Where results are kept, from the target directory: a figure can be measured alone.
const RESULTS: &str = "bench/results.json";

/// Measures what `arguments` name, everything if they name nothing.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let root = workspace::root()?;
    let target = target_directory(&root)?;
    let mut build = Command::new("cargo");
    build.current_dir(&root).args([
        "build",
        "--release",
        "--locked",
        "--package",
        "artstore",
        "--package",
        "artstore-bench",
    ]);
    finish(build, "cargo build")?;
    let mut suite = Command::new(target.join("release/artstore-bench"));
    suite
        .current_dir(&root)
        .args(suite_arguments(&root, &target, arguments));
    finish(suite, "artstore-bench suite")
}

fn suite_arguments(root: &Path, target: &Path, arguments: &[&str]) -> Vec<String> {
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let mut all = vec![
        "suite".to_owned(),
        "--results".to_owned(),
        path(target.join(RESULTS)),
        "--page".to_owned(),
        path(root.join(PAGE)),
    ];
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    all
}

fn target_directory(root: &Path) -> Result<PathBuf> {
    let metadata = MetadataCommand::new().current_dir(root).no_deps().exec();
    let metadata = metadata.context("cannot ask cargo for the target directory")?;
    Ok(metadata.target_directory.into())
}

fn finish(mut command: Command, name: &str) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_comes_after_the_paths() {
        let arguments = suite_arguments(Path::new("/r"), Path::new("/t"), &["--quick", "get"]);
        let expected = [
            "suite",
            "--results",
            "/t/bench/results.json",
            "--page",
            "/r/docs/benchmarks.md",
            "--quick",
            "get",
        ];
        assert_eq!(arguments, expected);
    }
}
