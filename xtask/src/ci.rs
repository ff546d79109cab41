//! `cargo xtask ci`: what continuous integration asks, in order, up to the first failure.
//!
//! Clippy and documentation are built with the default features and `artstore-core/mocks`; the test command is the
//! readme's and names no feature. Tests of the workspace turn `mocks` on as a dependency of theirs, so all three see
//! the same features of every dependency and none is compiled twice. `--all-features` would break that as soon as a
//! feature reaches a dependency with C code.

mod readme;

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{licences, tidy, workspace};

/// The readme's test command.
const TEST: &[&str] = &["test", "--workspace", "--locked"];

/// Whether the tests run as part of this.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tests {
    /// In their place between the lints and the documentation.
    Run,
    /// Not again: the caller ran the readme's command.
    RunAlready,
}

/// One thing that must succeed.
struct Step {
    name: &'static str,
    action: Action,
}

enum Action {
    Cargo(&'static [&'static str]),
    /// With one variable in its environment.
    CargoWith((&'static str, &'static str), &'static [&'static str]),
    Check(fn() -> Result<()>),
}

use Action::{Cargo, CargoWith, Check};

const STEPS: &[Step] = &[
    Step {
        name: "format",
        action: Cargo(&["fmt", "--all", "--", "--check"]),
    },
    Step {
        name: "clippy",
        action: Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "artstore-core/mocks",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    },
    Step {
        name: "readme",
        action: Check(|| readme::check(&workspace::root()?, TEST)),
    },
    Step {
        name: "test",
        action: Cargo(TEST),
    },
    Step {
        name: "documentation",
        action: CargoWith(
            ("RUSTDOCFLAGS", "-D warnings"),
            &[
                "doc",
                "--workspace",
                "--no-deps",
                "--features",
                "artstore-core/mocks",
                "--locked",
            ],
        ),
    },
    Step {
        name: "tidy",
        action: Check(tidy::run),
    },
    Step {
        name: "licences",
        action: Check(licences::run),
    },
];

/// Runs every step and prints a summary; stops at the first that fails.
pub(crate) fn run(tests: Tests) -> Result<()> {
    let left_out = match tests {
        Tests::Run => None,
        Tests::RunAlready => Some("test"),
    };
    let steps: Vec<&Step> = STEPS
        .iter()
        .filter(|step| Some(step.name) != left_out)
        .collect();
    run_steps(&steps, |step| step.action.run())
}

fn run_steps(steps: &[&Step], mut run: impl FnMut(&Step) -> Result<()>) -> Result<()> {
    let mut summary = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("== {}: {}", step.name, step.action.describe());
        let start = Instant::now();
        let outcome = run(step);
        let seconds = start.elapsed().as_secs_f64();
        let Err(error) = outcome else {
            summary.push(format!("ok       {} ({seconds:.1} s)", step.name));
            continue;
        };
        summary.push(format!("FAILED   {} ({seconds:.1} s)", step.name));
        let rest = steps[index + 1..].iter();
        summary.extend(rest.map(|step| format!("not run  {}", step.name)));
        println!("\n{}", summary.join("\n"));
        return Err(error.context(format!("{} failed", step.name)));
    }
    println!("\n{}", summary.join("\n"));
    Ok(())
}

impl Action {
    fn describe(&self) -> String {
        match self {
            Cargo(arguments) => format!("cargo {}", arguments.join(" ")),
            CargoWith((name, value), arguments) => {
                format!("{name}='{value}' cargo {}", arguments.join(" "))
            }
            Check(_) => "in this program".to_owned(),
        }
    }

    fn run(&self) -> Result<()> {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(workspace::root()?);
        match self {
            Cargo(arguments) => cargo.args(*arguments),
            CargoWith((name, value), arguments) => cargo.env(name, value).args(*arguments),
            Check(check) => return check(),
        };
        let status = cargo.status().context("cannot start cargo")?;
        if !status.success() {
            bail!("{} ended with {status}", self.describe());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_after_a_failure_do_not_run() {
        let steps: Vec<&Step> = STEPS.iter().collect();
        let mut ran = Vec::new();

        let outcome = run_steps(&steps, |step| {
            ran.push(step.name);
            if step.name == "clippy" {
                bail!("a warning");
            }
            Ok(())
        });

        assert_eq!(ran, ["format", "clippy"]);
        assert_eq!(
            format!("{:#}", outcome.unwrap_err()),
            "clippy failed: a warning"
        );
    }

    #[test]
    fn a_failing_command_is_an_error() {
        let error = Cargo(&["no-such-command"]).run().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cargo no-such-command ended with"),
            "{error}"
        );
    }
}
