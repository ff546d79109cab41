//! The program `artstore`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use artstore_core::id::ArtifactId;

use crate::contender::{Contender, World};
use crate::figure::{GET, LINES, OPS};
use crate::population::Population;
use crate::questions;

/// Started for every question.
struct OneShot {
    world: World,
    population: Population,
}

/// Started once.
struct CoProcess {
    companion: Companion,
    population: Population,
}

pub(crate) fn open(world: &World) -> Result<Box<dyn Contender>> {
    let binary = &world.binary;
    ensure!(
        binary.is_file(),
        "there is no program {}; build it, or name it by --binary",
        binary.display()
    );
    let population = Population::of(world.artifacts);
    match world.case.as_str() {
        GET | OPS => Ok(Box::new(OneShot {
            world: world.clone(),
            population,
        })),
        LINES => {
            let mut command = command(world);
            Ok(Box::new(CoProcess {
                companion: Companion::start(command.args(["ops", "--lines"]))?,
                population,
            }))
        }
        case => bail!("nothing is called `{case}`"),
    }
}

fn command(world: &World) -> Command {
    let mut command = Command::new(&world.binary);
    command.env_clear().arg("--root").arg(&world.source);
    command
}

fn request(id: ArtifactId) -> String {
    format!(r#"{{"operation":"get_artifact","artifact_id":"{id}"}}"#)
}

fn numbered_request(number: usize, id: ArtifactId) -> String {
    format!(r#"{{"id":{number},"operation":"get_artifact","artifact_id":"{id}"}}"#)
}

impl Contender for OneShot {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let id = questions::ids(self.population, "", n).next();
        let id = id.context("there is nothing to ask for")?;
        let mut command = command(&self.world);
        let answer = if self.world.case == GET {
            let output = command.args(["get", &id.to_string(), "--json"]).output();
            output.with_context(|| unstarted(&self.world.binary))?
        } else {
            let mut child = command
                .arg("ops")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| unstarted(&self.world.binary))?;
            let input = child.stdin.take().context("a program has no input")?;
            writeln!(&input, "{}", request(id))?;
            drop(input);
            child.wait_with_output()?
        };
        ensure!(
            answer.status.success(),
            "artstore ended with {}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.stderr)
        );
        check(&String::from_utf8_lossy(&answer.stdout), id)?;
        Ok(1)
    }
}

impl Contender for CoProcess {
    fn work(&self, _publisher: usize, n: usize) -> Result<u64> {
        let mut answered = 0;
        for (number, id) in questions::ids(self.population, "", n).enumerate() {
            let answer = self.companion.ask(&numbered_request(number, id))?;
            check(&answer, id)?;
            answered += 1;
        }
        Ok(answered)
    }

    fn companion(&self) -> Option<u32> {
        Some(self.companion.id)
    }
}

fn check(answer: &str, id: ArtifactId) -> Result<()> {
    ensure!(
        answer.contains(&id.to_string()) && answer.contains("prices") | answer.contains("type_"),
        "artstore answered {answer}"
    );
    Ok(())
}

fn unstarted(binary: &Path) -> String {
    format!("cannot start {}", binary.display())
}

/// A program that answers every line with one line. It ends when it is dropped.
pub(crate) struct Companion {
    pub(crate) id: u32,
    pipes: Mutex<Pipes>,
}

struct Pipes {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Companion {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let input = child.stdin.take().context("a program has no input")?;
        let output = child.stdout.take().context("a program has no output")?;
        Ok(Self {
            id: child.id(),
            pipes: Mutex::new(Pipes {
                child,
                input: Some(input),
                output: BufReader::new(output),
            }),
        })
    }

    /// The answer without its newline.
    pub(crate) fn ask(&self, question: &str) -> Result<String> {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let input = pipes.input.as_mut().context("the program has ended")?;
        input
            .write_all(format!("{question}\n").as_bytes())
            .context("cannot ask the program")?;
        let mut answer = String::new();
        pipes.output.read_line(&mut answer)?;
        ensure!(
            answer.ends_with('\n'),
            "the program ended without an answer"
        );
        answer.pop();
        Ok(answer)
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        self.input = None;
        // It ends by itself now; a failure to wait for it leaves nobody to tell.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_companion_answers_line_by_line() {
        let companion = Companion::start(&mut Command::new("/bin/cat")).unwrap();
        assert_eq!(companion.ask("one").unwrap(), "one");
        assert_eq!(companion.ask("two").unwrap(), "two");
    }

    #[test]
    fn a_companion_that_ended_is_an_error() {
        let companion = Companion::start(&mut Command::new("/bin/true")).unwrap();
        assert!(companion.ask("one").is_err());
    }
}
