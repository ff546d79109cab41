//! How a command fails: on standard error, and as an exit status.

use std::error::Error as _;
use std::io::Write as _;
use std::process::ExitCode;

use artstore_core::{Error, ErrorKind};
use artstore_wire::ops::{OpsError, to_pretty_text};
use artstore_wire::{ErrorDocument, answer_of};

use crate::output::Format;

/// Why a command did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It failed.
    Error(Error),
    /// It did its work and told what it found: committed content is damaged.
    Damage,
    /// An operation failed, which it tells in its own way.
    Operation(OpsError),
    /// Some of a batch failed, the first with this status; each was told in its place.
    Batch(u8),
    /// Nobody reads its output any more, which is the reader's good right.
    ReaderGone,
    /// This signal asked it to end.
    Signal(u8),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<OpsError> for Failure {
    fn from(error: OpsError) -> Self {
        Self::Operation(error)
    }
}

impl Failure {
    /// Tells the user, and gives the exit status.
    pub(crate) fn report(&self, format: Format) -> ExitCode {
        match self {
            Self::Error(error) => {
                write_to_stderr(&render(error, format));
                ExitCode::from(answer_of(error.kind()).exit_status)
            }
            Self::Operation(error) => {
                write_to_stderr(&to_pretty_text(&error.document()));
                ExitCode::FAILURE
            }
            Self::Batch(status) => ExitCode::from(*status),
            Self::Damage => ExitCode::from(answer_of(ErrorKind::Corrupt).exit_status),
            Self::ReaderGone => ExitCode::SUCCESS,
            // As a shell tells it of a process that a signal ended.
            Self::Signal(number) => ExitCode::from(128 + number),
        }
    }
}

/// Answers a command line that is not understood, or asked for help.
pub(crate) fn usage(error: &clap::Error, format: Format) -> ExitCode {
    let is_mistake = error.use_stderr();
    if !is_mistake || format == Format::Text {
        // There is nobody to tell that the terminal is gone.
        let _ = error.print();
        return ExitCode::from(if is_mistake { USAGE_STATUS } else { 0 });
    }
    let text = error.render().to_string();
    let (message, _) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let lines: Vec<_> = message.lines().map(str::trim).collect();
    let invalid = Error::invalid(lines.join(" ")).hint("see `artstore --help`");
    write_to_stderr(&render(&invalid, format));
    ExitCode::from(USAGE_STATUS)
}

const USAGE_STATUS: u8 = answer_of(ErrorKind::Invalid).exit_status;

fn render(error: &Error, format: Format) -> String {
    match format {
        Format::Json => serde_json::to_string_pretty(&ErrorDocument::from(error))
            .unwrap_or_else(|_| error.to_string()),
        Format::Text => {
            let mut lines = vec![format!("error: {error}")];
            let mut source = error.source();
            while let Some(cause) = source {
                lines.push(format!("cause: {cause}"));
                source = cause.source();
            }
            lines.extend(error.hint_text().map(|hint| format!("hint: {hint}")));
            lines.join("\n")
        }
    }
}

fn write_to_stderr(text: &str) {
    // A standard error that is gone cannot be told of.
    let _ = writeln!(std::io::stderr(), "{text}");
}
