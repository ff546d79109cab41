//! The test command stands in the readme, where people copy it from, and in `.ci/run`. Both must be what is run here.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// Languages of the code blocks that hold commands.
const SHELLS: &[&str] = &["sh", "bash", "shell", "console"];

/// Fails unless the section `Test` of `README.md` begins with the command cargo with these arguments, and `.ci/run` has it on
/// a line.
pub(crate) fn check(root: &Path, arguments: &[&str]) -> Result<()> {
    let expected = format!("cargo {}", arguments.join(" "));
    let readme = read(root, "README.md")?;
    let script = read(root, ".ci/run")?;
    check_texts(&readme, &script, &expected)
}

fn read(root: &Path, name: &str) -> Result<String> {
    fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))
}

fn check_texts(readme: &str, script: &str, expected: &str) -> Result<()> {
    match commands(readme, "Test").first() {
        None => bail!("README.md: no command under the heading Test; `{expected}` must be it"),
        Some(command) if command != expected => {
            bail!(
                "README.md: the command under the heading Test is `{command}` and must be `{expected}`"
            );
        }
        Some(_) => {}
    }
    if !script.lines().any(|line| line == expected) {
        bail!(".ci/run: has no line `{expected}`");
    }
    Ok(())
}

/// The lines of the fenced shell blocks between a heading and the next one, without prompts, comments and blank lines.
fn commands(page: &str, heading: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut title: Option<String> = None;
    let mut is_in_heading = false;
    let mut is_shell = false;
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                title = Some(String::new());
                is_in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) => is_in_heading = false,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                is_shell = SHELLS.contains(&language.as_ref());
            }
            Event::End(TagEnd::CodeBlock) => is_shell = false,
            Event::Text(text) if is_in_heading => {
                title.get_or_insert_default().push_str(&text);
            }
            Event::Text(text) if is_shell && title.as_deref() == Some(heading) => {
                let lines = text
                    .lines()
                    .map(|line| line.trim_start_matches("$ ").trim());
                let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
                commands.extend(lines.map(str::to_owned));
            }
            _ => {}
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = "cargo test --workspace --locked";

    #[track_caller]
    fn check_error(readme: &str, script: &str, expected: &str) {
        let error = check_texts(readme, script, TEST).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn commands_are_the_lines_of_shell_blocks_of_the_section() {
        let page = "```sh\nls\n```\n## Test\n\n```sh\n# all\n$ cargo test\n```\n\n```json\n{}\n```\n\n    indented\n\n```bash\ncargo doc\n\n```\n## Next\n```sh\nrm\n```\n";
        assert_eq!(commands(page, "Test"), ["cargo test", "cargo doc"]);
    }

    #[test]
    fn the_same_command_in_both_passes() {
        let readme =
            format!("# artstore\n\n```sh\ncargo build\n```\n\n## Test\n\n```sh\n{TEST}\n```\n");
        check_texts(&readme, &format!("set -e\n{TEST}\n"), TEST).unwrap();
    }

    #[test]
    fn a_readme_without_a_test_command_is_found() {
        check_error(
            &format!("```sh\n{TEST}\n```\n## Test\n"),
            TEST,
            "README.md: no command under the heading Test; `cargo test --workspace --locked` must be it",
        );
    }

    #[test]
    fn another_test_command_is_found() {
        check_error(
            "## Test\n```sh\ncargo test\n```\n",
            TEST,
            "README.md: the command under the heading Test is `cargo test` and must be `cargo test --workspace --locked`",
        );
    }

    #[test]
    fn a_script_that_runs_another_command_is_found() {
        check_error(
            &format!("## Test\n```sh\n{TEST}\n```\n"),
            "cargo test\n",
            ".ci/run: has no line `cargo test --workspace --locked`",
        );
    }

    #[test]
    fn the_readme_and_the_script_of_this_project_agree() {
        let root = crate::workspace::root().unwrap();
        check(&root, crate::ci::TEST).unwrap();
    }
}
