//! SQL statements stand in files of their own and are part of the binary.

use crate::tidy::Violations;
use crate::workspace::{SourceFile, resolve};

/// Names every statement file that no source embeds, and every one with more than ASCII.
pub(crate) fn check(files: &[SourceFile]) -> Violations {
    let embedded: Vec<String> = files
        .iter()
        .filter(|file| file.extension() == "rs")
        .flat_map(embedded_by)
        .collect();
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| is_statement(file)) {
        if !embedded.contains(&file.path) {
            violations.push(format!(
                "{}: no include_str! names this statement",
                file.path
            ));
        }
        if let Some(line) = file.text.lines().position(|line| !line.is_ascii()) {
            violations.push(format!("{}:{}: not ASCII", file.path, line + 1));
        }
    }
    violations
}

fn is_statement(file: &SourceFile) -> bool {
    let parts: Vec<&str> = file.path.split('/').collect();
    file.extension() == "sql" && matches!(parts.as_slice(), ["crates", _, "src", "sql", ..])
}

/// The paths that a source names in `include_str!`: a literal, or in a macro `concat!("before", $name, "after")`, where
/// `$name` may be any literal of the same source.
fn embedded_by(file: &SourceFile) -> Vec<String> {
    let quoted: Vec<&str> = file.text.split('"').collect();
    let mut paths = Vec::new();
    for argument in file.text.split("include_str!(").skip(1) {
        let argument = argument.trim_start();
        let parts: Vec<&str> = argument.splitn(5, '"').collect();
        match parts.as_slice() {
            ["", path, ..] => paths.push((*path).to_owned()),
            ["concat!(", before, between, after, ..] if between.trim_start().starts_with(", $") => {
                paths.extend(quoted.iter().map(|name| format!("{before}{name}{after}")));
            }
            _ => {}
        }
    }
    paths
        .iter()
        .filter_map(|path| resolve(file.folder(), path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &str = "crates/sqlite/src/sql/artifacts/get.sql";

    #[test]
    fn an_embedded_statement_passes() {
        let files = [
            SourceFile::sample(STATEMENT, "select 1\n"),
            SourceFile::sample(
                "crates/sqlite/src/artifacts/rows.rs",
                "const GET: &str = include_str!(\n    \"../sql/artifacts/get.sql\"\n);\n",
            ),
        ];
        assert!(check(&files).is_empty());
    }

    #[test]
    fn a_statement_that_nothing_embeds_is_found() {
        let files = [
            SourceFile::sample(STATEMENT, "select 1\n"),
            SourceFile::sample(
                "crates/sqlite/src/artifacts.rs",
                "const GET: &str = include_str!(\"sql/artifacts/get_many.sql\");\n",
            ),
        ];
        assert_eq!(
            check(&files),
            ["crates/sqlite/src/sql/artifacts/get.sql: no include_str! names this statement"]
        );
    }

    #[test]
    fn a_macro_embeds_what_it_is_called_with_and_nothing_else() {
        let files = [
            SourceFile::sample(STATEMENT, "select 1\n"),
            SourceFile::sample("crates/sqlite/src/sql/artifacts/put.sql", "select 1\n"),
            SourceFile::sample(
                "crates/sqlite/src/artifacts/statements.rs",
                "const $name: &str = include_str!(concat!(\"../sql/artifacts/\", $file, \".sql\"));\nstatements! { GET = \"get\" }\n",
            ),
        ];
        assert_eq!(
            check(&files),
            ["crates/sqlite/src/sql/artifacts/put.sql: no include_str! names this statement"]
        );
    }

    #[test]
    fn a_statement_with_more_than_ascii_is_found() {
        let files = [
            SourceFile::sample(STATEMENT, "select 1\n-- caf\u{e9}\n"),
            SourceFile::sample(
                "crates/sqlite/src/artifacts.rs",
                "const GET: &str = include_str!(\"sql/artifacts/get.sql\");\n",
            ),
        ];
        assert_eq!(
            check(&files),
            ["crates/sqlite/src/sql/artifacts/get.sql:2: not ASCII"]
        );
    }
}
