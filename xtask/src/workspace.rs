//! What the checks look at: the files of the working tree and the packages that cargo sees in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// Files of these kinds are read; of all others only the name is known.
const READ: &[&str] = &["rs", "sql", "md", "toml", "txt"];

/// Directories that hold no part of the project.
const SKIPPED: &[&str] = &[".git", "target", "artstore-data"];

/// The working tree.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<SourceFile>,
    pub(crate) packages: Vec<Package>,
}

/// One file of the working tree.
pub(crate) struct SourceFile {
    /// From the root, with `/` between its parts.
    pub(crate) path: String,
    /// Empty where the file is of a kind that is not read.
    pub(crate) text: String,
}

/// One member of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// From the root, with `/` between its parts.
    pub(crate) folder: String,
    /// Names of the packages that it needs to be built, optional ones included; not those of its tests.
    pub(crate) dependencies: Vec<String>,
}

impl Workspace {
    /// Reads the working tree that this program was built from.
    pub(crate) fn load() -> Result<Self> {
        let root = root()?;
        let mut files = Vec::new();
        collect_files(&root, &root, &mut files)?;
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let packages = packages(&root)?;
        Ok(Self {
            root,
            files,
            packages,
        })
    }
}

impl SourceFile {
    /// What stands after the last dot of the name.
    pub(crate) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, end)| end)
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or(self.path.as_str(), |(_, name)| name)
    }

    /// The path without its last part; empty for a file in the root.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    #[cfg(test)]
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// The directory of the workspace.
pub(crate) fn root() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = folder
        .parent()
        .context("the folder of xtask has no parent")?;
    Ok(root.to_path_buf())
}

/// Follows `relative` from `folder`, both with `/` between their parts. `None` if it leaves the root.
pub(crate) fn resolve(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn collect_files(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> Result<()> {
    let at = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(at)? {
        let entry = entry.with_context(at)?;
        let path = entry.path();
        let kind = entry.file_type().with_context(at)?;
        if kind.is_dir() {
            let name = entry.file_name();
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                collect_files(root, &path, files)?;
            }
        } else if kind.is_file() {
            files.push(read(root, &path)?);
        }
    }
    Ok(())
}

fn read(root: &Path, path: &Path) -> Result<SourceFile> {
    let is_read = path
        .extension()
        .is_some_and(|extension| READ.iter().any(|read| extension == *read));
    let text = if is_read {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
    } else {
        String::new()
    };
    Ok(SourceFile {
        path: relative(root, path)?,
        text,
    })
}

fn relative(root: &Path, path: &Path) -> Result<String> {
    let inside = path
        .strip_prefix(root)
        .with_context(|| format!("{} is not in {}", path.display(), root.display()))?;
    let parts: Vec<_> = inside
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    Ok(parts.join("/"))
}

fn packages(root: &Path) -> Result<Vec<Package>> {
    // Symbolic links would make cargo's paths differ from those of the walk.
    let root = root
        .canonicalize()
        .with_context(|| format!("cannot resolve {}", root.display()))?;
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata failed")?;
    let mut packages = Vec::new();
    for package in &metadata.packages {
        let folder = package
            .manifest_path
            .as_std_path()
            .parent()
            .context("a manifest has no folder")?;
        let dependencies = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.clone())
            .collect();
        packages.push(Package {
            name: package.name.to_string(),
            folder: relative(&root, folder)?,
            dependencies,
        });
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_followed_up_to_the_root() {
        assert_eq!(
            resolve("docs/guides", "../formats/a.md").as_deref(),
            Some("docs/formats/a.md")
        );
        assert_eq!(resolve("", "./README.md").as_deref(), Some("README.md"));
        assert_eq!(resolve("docs", "../../secret"), None);
    }

    #[test]
    fn this_crate_is_found_in_the_working_tree() {
        let workspace = Workspace::load().unwrap();
        let here = workspace
            .packages
            .iter()
            .find(|package| package.name == "xtask")
            .unwrap();
        assert_eq!(here.folder, "xtask");
        assert!(here.dependencies.iter().any(|name| name == "anyhow"));
        assert!(!here.dependencies.iter().any(|name| name == "tempfile"));
        assert!(
            workspace
                .files
                .iter()
                .any(|file| file.path == "xtask/src/workspace.rs")
        );
    }
}
