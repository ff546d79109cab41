//! What is said about the sources: the guides show code that exists, and the library knows ports only.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test asserts")]

use std::fs;
use std::path::{Path, PathBuf};

/// The guides all of whose code is taken from examples.
const GUIDES: [&str; 2] = ["library.md", "writing-a-catalog.md"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below `directory`.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The lines between two line ends each, without what stands before and behind them.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    format!("\n{}\n", lines.join("\n"))
}

/// The code blocks in Rust, with the line that each begins in. One with an attribute (`rust,ignore`) counts too.
fn rust_blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim_start().starts_with("```rust") {
            let code = lines.by_ref().map(|(_, line)| line);
            let code: Vec<_> = code.take_while(|line| line.trim() != "```").collect();
            blocks.push((number + 1, code.join("\n")));
        }
    }
    blocks
}

/// Where blocks begin that stand in none of the sources.
fn invented(page: &str, sources: &[String]) -> Vec<usize> {
    let blocks = rust_blocks(page).into_iter();
    blocks
        .filter(|(_, code)| !sources.iter().any(|source| source.contains(&plain(code))))
        .map(|(line, _)| line)
        .collect()
}

#[test]
fn the_guides_show_code_that_is_compiled() {
    let files = rust_files(&repository().join("examples"));
    let sources: Vec<String> = files.iter().map(|file| plain(&read(file))).collect();
    for guide in GUIDES {
        let page = read(&repository().join("docs/guides").join(guide));
        assert!(!rust_blocks(&page).is_empty(), "{guide} shows code");
        let invented = invented(&page, &sources);
        assert!(
            invented.is_empty(),
            "docs/guides/{guide}: the blocks in lines {invented:?} are in no example"
        );
    }
}

#[test]
fn invented_code_is_found() {
    let sources = [plain("fn a() {\n    b();\n    c();\n}\n")];
    let page = "Text.\n```rust\nb();\nc();\n```\n```sh\nls\n```\n```rust\nb();\nd();\n```\n\
                ```rust,ignore\nc()\n```\n";
    assert_eq!(invented(page, &sources), [9, 13]);
}

#[test]
fn the_library_knows_ports_only() {
    let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let library = files.iter().filter(|file| !file.ends_with("main.rs"));
    let mut count = 0;
    for file in library {
        let text = read(file);
        let names = text.match_indices("artstore_").map(|(position, _)| {
            let name =
                text[position..].split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            name.into_iter().next().unwrap_or_default().to_owned()
        });
        let others: Vec<String> = names.filter(|name| name != "artstore_core").collect();
        assert!(others.is_empty(), "{}: {others:?}", file.display());
        assert!(
            !text.contains("artstore_core::backend"),
            "{}",
            file.display()
        );
        count += 1;
    }
    assert!(count >= 5, "{count} files");
}
