//! How long a source file may be.

use crate::tidy::Violations;
use crate::workspace::SourceFile;

/// Longer files are split.
const LIMIT: usize = 700;

/// Longer files are looked at twice.
const NOTED: usize = 400;

/// Names every source file with too many lines, those of its tests not counted.
pub(crate) fn check(files: &[SourceFile]) -> Violations {
    longer_than(LIMIT, files)
        .map(|(path, lines)| format!("{path}: {lines} lines without tests, {LIMIT} at most"))
        .collect()
}

/// Names the source files that are long, and allowed to be.
pub(crate) fn notes(files: &[SourceFile]) -> Vec<String> {
    longer_than(NOTED, files)
        .filter(|(_, lines)| *lines <= LIMIT)
        .map(|(path, lines)| format!("{path}: {lines} lines without tests"))
        .collect()
}

fn longer_than(limit: usize, files: &[SourceFile]) -> impl Iterator<Item = (&str, usize)> {
    files
        .iter()
        .filter(|file| file.extension() == "rs" && !holds_only_tests(file))
        .map(|file| (file.path.as_str(), production_lines(&file.text)))
        .filter(move |(_, lines)| *lines > limit)
}

fn holds_only_tests(file: &SourceFile) -> bool {
    file.name() == "tests.rs" || file.folder().split('/').any(|part| part == "tests")
}

/// The number of lines before a module of tests that ends the file.
fn production_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let last_is_brace = lines.iter().rfind(|line| !line.is_empty()) == Some(&"}");
    let Some(module) = lines.iter().rposition(|line| *line == "mod tests {") else {
        return lines.len();
    };
    // A closing brace in the first column ends the module: it must be the last line.
    let braces = lines[module..].iter().filter(|line| **line == "}").count();
    if !last_is_brace || braces != 1 {
        return lines.len();
    }
    let attributes = lines[..module]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("#["))
        .count();
    let start = module - attributes;
    if lines[start..module].contains(&"#[cfg(test)]") {
        start
    } else {
        lines.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn production(lines: usize) -> String {
        "const A: u8 = 1;\n".repeat(lines)
    }

    const TESTS: &str = "#[cfg(test)]\nmod tests {\n    use super::*;\n}\n";

    #[test]
    fn a_file_over_the_limit_is_found() {
        let files = [SourceFile::sample("crates/fs/src/a.rs", &production(701))];
        assert_eq!(
            check(&files),
            ["crates/fs/src/a.rs: 701 lines without tests, 700 at most"]
        );
        assert!(notes(&files).is_empty());
    }

    #[test]
    fn a_long_file_is_only_noted() {
        let files = [SourceFile::sample("crates/fs/src/a.rs", &production(401))];
        assert!(check(&files).is_empty());
        assert_eq!(
            notes(&files),
            ["crates/fs/src/a.rs: 401 lines without tests"]
        );
    }

    #[test]
    fn tests_at_the_end_do_not_count() {
        let text = format!("{}{TESTS}", production(700));
        assert!(check(&[SourceFile::sample("a.rs", &text)]).is_empty());
    }

    #[test]
    fn tests_in_the_middle_count() {
        let text = format!("{}{TESTS}{}", production(400), "fn a() {\n}\n".repeat(200));
        assert_eq!(production_lines(&text), 804);
    }

    #[test]
    fn a_module_that_is_always_compiled_counts() {
        let text = format!("{}mod tests {{\n}}\n", production(700));
        assert_eq!(production_lines(&text), 702);
    }

    #[test]
    fn files_of_tests_may_be_long() {
        let files = [
            SourceFile::sample("crates/fs/src/vfs/tests.rs", &production(900)),
            SourceFile::sample("tests/src/lib.rs", &production(900)),
        ];
        assert!(check(&files).is_empty());
    }
}
