//! Text that no source file may hold.

use crate::tidy::Violations;
use crate::workspace::SourceFile;

/// What is looked for, in two halves so that this file passes its own rule, and why it is refused.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("to", "do!("), "finish it or leave it out"),
    (concat!("unimple", "mented!("), "finish it or leave it out"),
    (
        concat!("#[ig", "nore"),
        "a test that does not run proves nothing",
    ),
    (
        concat!("db", "g!("),
        "left over from a search for a mistake",
    ),
    (
        concat!("[al", "low("),
        "use #[expect(lint, reason = \"...\")]",
    ),
];

/// Names every line of a source file that holds such text.
pub(crate) fn check(files: &[SourceFile]) -> Violations {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.extension() == "rs") {
        for (index, line) in file.text.lines().enumerate() {
            for (word, reason) in FORBIDDEN {
                if line.contains(word) {
                    violations.push(format!("{}:{}: `{word}`: {reason}", file.path, index + 1));
                }
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_with_its_line() {
        for (word, _) in FORBIDDEN {
            let files = [SourceFile::sample(
                "a.rs",
                &format!("fn a() {{\n    {word}\n}}\n"),
            )];
            let violations = check(&files);
            assert_eq!(violations.len(), 1, "{word}");
            assert!(violations[0].starts_with("a.rs:2: "), "{violations:?}");
        }
    }

    #[test]
    fn an_expectation_passes() {
        let text = "#[expect(dead_code, reason = \"a sample\")]\nfn a() {}\n";
        assert!(check(&[SourceFile::sample("a.rs", text)]).is_empty());
    }

    #[test]
    fn a_page_may_quote_the_words() {
        let files = [SourceFile::sample("docs/style.md", FORBIDDEN[0].0)];
        assert!(check(&files).is_empty());
    }
}
