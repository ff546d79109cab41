//! The `artstore` command line.
//!
//! | module | holds |
//! |---|---|
//! | `arguments` | the global options and the list of commands |
//! | `commands` | one file per command |
//! | `failure` | how a command fails: on standard error, and as an exit status |
//! | `output` | standard output |
//! | `text` | answers for people |
//! | `tree`, `graph` | lineages as trees, and in the languages of Graphviz and Mermaid |
//! | `pairs` | `k=v` arguments |
//! | `git` | the state of the source code around a file |
//! | `lines` | lines of standard input and of files |
//! | `logging`, `progress`, `panics`, `signals` | the terminal and the process |

mod arguments;
mod commands;
mod failure;
mod git;
mod graph;
mod lines;
mod logging;
mod output;
mod pairs;
mod panics;
mod progress;
#[cfg(test)]
mod samples;
mod signals;
mod text;
mod tree;

use std::process::ExitCode;
use std::sync::Arc;

use artstore_context::{Context, Environment, Settings};
use artstore_core::Error;
use clap::Parser as _;
use tokio::sync::Mutex;

use arguments::{Arguments, Command};
use commands::Session;
use failure::Failure;
use output::{Format, Output};
use progress::TerminalProgress;
use signals::{GRACE, Signals};

fn main() -> ExitCode {
    panics::install_hook();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::usage(&error, Format::wanted_by(std::env::args_os())),
    };
    let format = arguments.global.format();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(format),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let output = Output::new(arguments.global.format())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Error::unavailable("the program cannot start its runtime")
                .with("problem", &error)
                .caused_by(error)
        })?;
    let result = match arguments.command {
        Command::Completions(command) => runtime.block_on(command.run(&output)),
        Command::Demo(command) => runtime.block_on(command.run(&output)),
        command => {
            let settings =
                Settings::load(&Environment::from_process(), arguments.global.overrides())?;
            logging::start(&settings)?;
            runtime.block_on(run_in_store(command, settings, output))
        }
    };
    // What is left on other threads waits for a pipe that nobody reads, or was given up.
    runtime.shutdown_background();
    result
}

async fn run_in_store(command: Command, settings: Settings, output: Output) -> Result<(), Failure> {
    let progress = Arc::new(TerminalProgress::new());
    let context = Context::builder()
        .settings(settings)
        .progress(progress.clone())
        .build()?;
    let session = Session {
        context: context.clone(),
        output,
        signals: Mutex::new(Signals::new()?),
    };
    let hears_signals = command.hears_signals();
    let result = tokio::select! {
        biased;
        result = command.run(&session) => result,
        failure = session.next_signal(), if !hears_signals => Err(failure),
    };
    let was_asked_to_end = matches!(result, Err(Failure::Signal(_)));
    tokio::select! {
        biased;
        () = context.close() => {}
        // Whoever asks again, or waits long, does not want to wait. The next command settles what is left.
        _ = session.next_signal() => {}
        () = tokio::time::sleep(GRACE), if was_asked_to_end => {}
    }
    progress.clear();
    result
}
