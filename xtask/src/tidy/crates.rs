//! Where a crate stands and how it begins.

use crate::tidy::Violations;
use crate::workspace::{Package, SourceFile};

/// Names every folder that does not follow from the name of its package.
pub(crate) fn check_names(packages: &[Package]) -> Violations {
    let mut violations = Vec::new();
    for package in packages {
        let expected = package_name(&package.folder);
        if package.name != expected {
            violations.push(format!(
                "{}: the package in this folder is {expected}, not {}",
                package.folder, package.name
            ));
        }
    }
    violations
}

/// Names every crate root that does not begin with a page of documentation.
pub(crate) fn check_documentation(packages: &[Package], files: &[SourceFile]) -> Violations {
    let mut violations = Vec::new();
    for package in packages {
        let roots: Vec<&SourceFile> = ["src/lib.rs", "src/main.rs"]
            .iter()
            .filter_map(|name| {
                let path = format!("{}/{name}", package.folder);
                files.iter().find(|file| file.path == path)
            })
            .collect();
        if roots.is_empty() {
            violations.push(format!(
                "{}: no src/lib.rs and no src/main.rs",
                package.folder
            ));
        }
        for root in roots {
            if !root.text.starts_with("//!") {
                violations.push(format!("{}: does not start with //!", root.path));
            }
        }
    }
    violations
}

/// Folder = crate name without the prefix; the command line is the product itself, maintenance is nobody's library.
fn package_name(folder: &str) -> String {
    match (folder, folder.split_once('/')) {
        ("xtask", _) => "xtask".to_owned(),
        ("crates/cli", _) => "artstore".to_owned(),
        (_, Some(("crates", name))) => format!("artstore-{name}"),
        (_, Some(("examples", name))) => format!("artstore-example-{name}"),
        _ => format!("artstore-{folder}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str) -> Package {
        Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            dependencies: Vec::new(),
        }
    }

    #[test]
    fn folders_named_as_their_crates_pass() {
        let packages = [
            package("artstore-fs", "crates/fs"),
            package("artstore", "crates/cli"),
            package("artstore-tests", "tests"),
            package(
                "artstore-example-journal-catalog",
                "examples/journal-catalog",
            ),
            package("xtask", "xtask"),
        ];
        assert!(check_names(&packages).is_empty());
    }

    #[test]
    fn a_folder_with_another_name_is_found() {
        assert_eq!(
            check_names(&[package("artstore-fs", "crates/filesystem")]),
            [
                "crates/filesystem: the package in this folder is artstore-filesystem, not artstore-fs"
            ]
        );
    }

    #[test]
    fn an_example_that_does_not_say_so_is_found() {
        assert_eq!(
            check_names(&[package("artstore-journal", "examples/journal")]),
            [
                "examples/journal: the package in this folder is artstore-example-journal, not artstore-journal"
            ]
        );
    }

    #[test]
    fn a_crate_without_documentation_is_found() {
        let packages = [
            package("artstore-fs", "crates/fs"),
            package("artstore-s3", "crates/s3"),
        ];
        let files = [
            SourceFile::sample("crates/fs/src/lib.rs", "mod vfs;\n"),
            SourceFile::sample("crates/s3/src/lib.rs", "//! Objects.\n"),
        ];
        assert_eq!(
            check_documentation(&packages, &files),
            ["crates/fs/src/lib.rs: does not start with //!"]
        );
    }

    #[test]
    fn a_crate_without_a_root_is_found() {
        assert_eq!(
            check_documentation(&[package("artstore-fs", "crates/fs")], &[]),
            ["crates/fs: no src/lib.rs and no src/main.rs"]
        );
    }
}
