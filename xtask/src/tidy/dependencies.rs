//! Which crate may be built on which: the table of the architecture page.

use crate::tidy::Violations;
use crate::workspace::Package;

/// What a member of the workspace may depend on among the other members.
enum Allowed {
    Only(&'static [&'static str]),
    Everything,
}

use Allowed::{Everything, Only};

const ON_CORE: Allowed = Only(&["artstore-core"]);

const ON_CONTEXT: Allowed = Only(&["artstore-context", "artstore-wire", "artstore-core"]);

const ON_PORTS: Allowed = Only(&["artstore-context", "artstore-core"]);

/// Crates that are planned are listed, so that their first commit is checked.
const TABLE: &[(&str, Allowed)] = &[
    ("artstore-core", Only(&[])),
    ("artstore-engine", ON_CORE),
    ("artstore-wire", ON_CORE),
    ("artstore-testkit", ON_CORE),
    // Adapters: none names another.
    ("artstore-sqlite", ON_CORE),
    ("artstore-duckdb", ON_CORE),
    ("artstore-postgres", ON_CORE),
    ("artstore-fs", ON_CORE),
    ("artstore-s3", ON_CORE),
    ("artstore-tabular", ON_CORE),
    (
        "artstore-context",
        Only(&[
            "artstore-core",
            "artstore-engine",
            "artstore-sqlite",
            "artstore-duckdb",
            "artstore-postgres",
            "artstore-fs",
            "artstore-s3",
            "artstore-tabular",
        ]),
    ),
    ("artstore", ON_CONTEXT),
    ("artstore-server", ON_CONTEXT),
    // Examples: an application knows ports and what wires them, a backend knows the traits that it implements.
    ("artstore-example-daily-report", ON_PORTS),
    ("artstore-example-journal-catalog", ON_CORE),
    ("artstore-tests", Everything),
    ("artstore-bench", Everything),
    ("xtask", Only(&[])),
];

/// All that `core` may take from outside the workspace.
const OUTSIDE_OF_CORE: &[&str] = &[
    "async-trait",
    "bytes",
    "futures-core",
    "jiff",
    "mockall",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tracing",
    "unicode-normalization",
    "uuid",
];

/// Crates from outside that only one member may name: their C++ is compiled once.
const RESERVED: &[(&str, &str)] = &[
    ("duckdb", "artstore-duckdb"),
    ("libduckdb-sys", "artstore-duckdb"),
];

/// Names every dependency that the table does not allow. Dependencies of tests alone are free.
pub(crate) fn check(packages: &[Package]) -> Violations {
    let mut violations = Vec::new();
    for package in packages {
        let row = TABLE.iter().find(|(name, _)| *name == package.name);
        let Some((_, allowed)) = row else {
            violations.push(format!(
                "{}: {} has no row in the table of dependencies",
                package.folder, package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            if let Some(reason) = refusal(package, allowed, dependency, packages) {
                violations.push(format!("{}/Cargo.toml: {reason}", package.folder));
            }
        }
    }
    violations
}

fn refusal(
    package: &Package,
    allowed: &Allowed,
    dependency: &str,
    packages: &[Package],
) -> Option<String> {
    let name = &package.name;
    let is_member = packages.iter().any(|member| member.name == dependency);
    if is_member {
        return match allowed {
            Only(members) if !members.contains(&dependency) => {
                Some(format!("{name} must not depend on {dependency}"))
            }
            Only(_) | Everything => None,
        };
    }
    if name == "artstore-core" && !OUTSIDE_OF_CORE.contains(&dependency) {
        return Some(format!(
            "{dependency} is not on the list of what {name} may use"
        ));
    }
    RESERVED
        .iter()
        .find(|(reserved, user)| *reserved == dependency && user != name)
        .map(|(reserved, user)| format!("only {user} may depend on {reserved}, not {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    /// Checks one package in a workspace with all others.
    #[track_caller]
    fn check_one(name: &str, dependencies: &[&str], expected: &[&str]) {
        let mut packages: Vec<_> = TABLE
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(other, _)| package(other, &[]))
            .collect();
        packages.push(package(name, dependencies));
        assert_eq!(check(&packages), expected);
    }

    #[test]
    fn what_the_table_allows_passes() {
        check_one("artstore-core", &["serde", "mockall"], &[]);
        check_one("artstore-engine", &["artstore-core", "tokio"], &[]);
        check_one(
            "artstore-context",
            &["artstore-sqlite", "artstore-fs", "artstore-tabular"],
            &[],
        );
        check_one(
            "artstore",
            &["artstore-context", "artstore-wire", "clap"],
            &[],
        );
        check_one(
            "artstore-tests",
            &["artstore-sqlite", "artstore-testkit"],
            &[],
        );
        check_one("artstore-duckdb", &["duckdb"], &[]);
    }

    #[test]
    fn an_adapter_that_names_another_is_found() {
        check_one(
            "artstore-sqlite",
            &["artstore-core", "artstore-fs"],
            &["crates/artstore-sqlite/Cargo.toml: artstore-sqlite must not depend on artstore-fs"],
        );
    }

    #[test]
    fn a_binary_that_reaches_past_context_is_found() {
        check_one(
            "artstore",
            &["artstore-engine"],
            &["crates/artstore/Cargo.toml: artstore must not depend on artstore-engine"],
        );
    }

    #[test]
    fn an_example_that_reaches_past_its_ring_is_found() {
        check_one(
            "artstore-example-daily-report",
            &["artstore-core", "artstore-context", "artstore-engine"],
            &[
                "crates/artstore-example-daily-report/Cargo.toml: artstore-example-daily-report must not depend on artstore-engine",
            ],
        );
        check_one(
            "artstore-example-journal-catalog",
            &["artstore-core", "artstore-testkit"],
            &[
                "crates/artstore-example-journal-catalog/Cargo.toml: artstore-example-journal-catalog must not depend on artstore-testkit",
            ],
        );
    }

    #[test]
    fn testkit_outside_of_tests_is_found() {
        check_one(
            "artstore-context",
            &["artstore-testkit"],
            &[
                "crates/artstore-context/Cargo.toml: artstore-context must not depend on artstore-testkit",
            ],
        );
    }

    #[test]
    fn maintenance_that_needs_the_workspace_is_found() {
        check_one(
            "xtask",
            &["artstore-core"],
            &["crates/xtask/Cargo.toml: xtask must not depend on artstore-core"],
        );
    }

    #[test]
    fn a_runtime_in_core_is_found() {
        check_one(
            "artstore-core",
            &["tokio"],
            &[
                "crates/artstore-core/Cargo.toml: tokio is not on the list of what artstore-core may use",
            ],
        );
    }

    #[test]
    fn a_second_user_of_duckdb_is_found() {
        check_one(
            "artstore-tests",
            &["duckdb"],
            &[
                "crates/artstore-tests/Cargo.toml: only artstore-duckdb may depend on duckdb, not artstore-tests",
            ],
        );
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_found() {
        check_one(
            "artstore-cache",
            &[],
            &["crates/artstore-cache: artstore-cache has no row in the table of dependencies"],
        );
    }
}
