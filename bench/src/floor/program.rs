//! The floors of `command-line`: a program that does nothing, and one that gives back every line.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::contender::{Contender, World};
use crate::store::command::Companion;

/// Ends at once.
const EMPTY: &str = "/bin/true";
/// Answers with what it is asked.
const CAT: &str = "/bin/cat";

/// Lines of one operation.
const LINES: u64 = 100;

struct EmptyProgram;

struct Cat(Companion);

pub(crate) fn open_empty(_world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(EmptyProgram))
}

pub(crate) fn open_cat(_world: &World) -> Result<Box<dyn Contender>> {
    Ok(Box::new(Cat(Companion::start(&mut Command::new(CAT))?)))
}

impl Contender for EmptyProgram {
    fn work(&self, _publisher: usize, _n: usize) -> Result<u64> {
        let output = Command::new(EMPTY).env_clear().output();
        let output = output.with_context(|| format!("cannot start {EMPTY}"))?;
        ensure!(
            output.status.success(),
            "{EMPTY} ended with {}",
            output.status
        );
        Ok(1)
    }
}

impl Contender for Cat {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        for line in 0..LINES {
            let question = format!("{n}-{line}");
            let answer = self.0.ask(&question)?;
            ensure!(answer == question, "{CAT} answered something else");
        }
        Ok(LINES)
    }

    fn companion(&self) -> Option<u32> {
        Some(self.0.id)
    }
}
