//! `cargo xtask tidy`: the rules of the workspace that no compiler checks. `cargo test` runs them too.
//!
//! A rule is a function from the working tree to the places that break it, in a file of its own with a sample that
//! breaks it.

mod crates;
mod dependencies;
mod links;
mod migrations;
mod sizes;
mod statements;
mod words;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// One sentence per place that breaks a rule, each beginning with the path.
type Violations = Vec<String>;

type Rule = fn(&Workspace) -> Violations;

const RULES: &[(&str, Rule)] = &[
    ("dependencies point one way", |workspace| {
        dependencies::check(&workspace.packages)
    }),
    ("folders are named as their crates", |workspace| {
        crates::check_names(&workspace.packages)
    }),
    ("crates begin with their documentation", |workspace| {
        crates::check_documentation(&workspace.packages, &workspace.files)
    }),
    ("files are short", |workspace| {
        sizes::check(&workspace.files)
    }),
    ("nothing is left open or silenced", |workspace| {
        words::check(&workspace.files)
    }),
    ("statements are embedded", |workspace| {
        statements::check(&workspace.files)
    }),
    ("migrations are append-only", |workspace| {
        migrations::check(&workspace.files)
    }),
    ("links resolve", |workspace| links::check(&workspace.files)),
];

/// Checks every rule and prints what breaks it.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    for note in notes(&workspace) {
        println!("note: {note}");
    }
    let violations = violations(&workspace);
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        count => bail!("the workspace is not tidy in {count} places"),
    }
}

/// Pins the migrations that are not pinned yet.
pub(crate) fn write_checksums() -> Result<()> {
    let workspace = Workspace::load()?;
    for written in migrations::write(&workspace.root, &workspace.files)? {
        println!("wrote {written}");
    }
    Ok(())
}

fn violations(workspace: &Workspace) -> Violations {
    let mut all = Vec::new();
    for (rule, check) in RULES {
        let found = check(workspace);
        all.extend(
            found
                .into_iter()
                .map(|violation| format!("{violation} ({rule})")),
        );
    }
    all
}

fn notes(workspace: &Workspace) -> Vec<String> {
    let mut notes = sizes::notes(&workspace.files);
    if workspace
        .files
        .iter()
        .any(|file| file.path == "docs/progress.md")
    {
        notes.push("docs/progress.md is there".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let violations = violations(&Workspace::load().unwrap());
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    }
}
