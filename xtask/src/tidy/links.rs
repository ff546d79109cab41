//! Links between the pages of the project.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use crate::tidy::Violations;
use crate::workspace::{SourceFile, resolve};

/// Names every relative link to a place that does not exist. Addresses elsewhere are not looked up.
pub(crate) fn check(files: &[SourceFile]) -> Violations {
    let mut violations = Vec::new();
    for page in files.iter().filter(|file| file.extension() == "md") {
        for (target, range) in links(&page.text) {
            if !resolves(&target, page, files) {
                let line = 1 + page.text[..range.start].matches('\n').count();
                violations.push(format!("{}:{line}: {target} does not exist", page.path));
            }
        }
    }
    violations
}

fn links(text: &str) -> Vec<(String, Range<usize>)> {
    Parser::new(text)
        .into_offset_iter()
        .filter_map(|(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some((dest_url.into_string(), range))
            }
            _ => None,
        })
        .collect()
}

fn resolves(target: &str, page: &SourceFile, files: &[SourceFile]) -> bool {
    let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
    let path = target.split_once('#').map_or(target, |(path, _)| path);
    if is_elsewhere || path.is_empty() {
        return true;
    }
    let Some(path) = resolve(page.folder(), path).filter(|_| !path.starts_with('/')) else {
        return false;
    };
    let folder = if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    };
    files
        .iter()
        .any(|file| file.path == path || file.path.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a page in a project with one other page.
    #[track_caller]
    fn check_page(text: &str, expected: &[&str]) {
        let files = [
            SourceFile::sample("docs/guides/start.md", text),
            SourceFile::sample("docs/formats/record.md", ""),
        ];
        assert_eq!(check(&files), expected);
    }

    #[test]
    fn links_that_resolve_pass() {
        check_page(
            "[a](../formats/record.md#fields) [b](../formats) [c](#here)",
            &[],
        );
        check_page("[a](https://example.org/x) [b](mailto:a@example.org)", &[]);
    }

    #[test]
    fn a_link_to_nothing_is_found() {
        check_page(
            "text\n\n[a](record.md) and ![b](../c.png)\n",
            &[
                "docs/guides/start.md:3: record.md does not exist",
                "docs/guides/start.md:3: ../c.png does not exist",
            ],
        );
    }

    #[test]
    fn a_reference_to_nothing_is_found() {
        check_page(
            "[a][one]\n\n[one]: ../formats/event.md\n",
            &["docs/guides/start.md:1: ../formats/event.md does not exist"],
        );
    }

    #[test]
    fn a_link_out_of_the_project_is_found() {
        check_page(
            "[a](../../../b.md) [c](/docs/formats/record.md)",
            &[
                "docs/guides/start.md:1: ../../../b.md does not exist",
                "docs/guides/start.md:1: /docs/formats/record.md does not exist",
            ],
        );
    }

    #[test]
    fn code_holds_no_links() {
        check_page("`[a](b.md)`\n\n```text\n[c](d.md)\n```\n", &[]);
    }
}
