//! Maintenance of the workspace, one file per command:
//!
//! | command | what it does |
//! |---|---|
//! | `cargo xtask ci [--no-test]` | everything that continuous integration asks, in order, up to the first failure |
//! | `cargo xtask tidy [--write-checksums]` | the rules of the workspace that no compiler checks |
//! | `cargo xtask licences` | licences and sources of everything in `Cargo.lock` |
//! | `cargo xtask bench [--quick] [FIGURE...]` | what the store reaches on this machine, and the page that tells it |

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to its terminal"
)]

mod bench;
mod ci;
mod licences;
mod tidy;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask ci [--no-test] | tidy [--write-checksums] | licences | bench [--quick] [FIGURE...]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["ci"] => ci::run(ci::Tests::Run),
        ["ci", "--no-test"] => ci::run(ci::Tests::RunAlready),
        ["tidy"] => tidy::run(),
        ["tidy", "--write-checksums"] => tidy::write_checksums(),
        ["licences"] => licences::run(),
        ["bench", rest @ ..] => bench::run(rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
