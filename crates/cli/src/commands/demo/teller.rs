//! Telling steps: as a transcript of a shell, or as one JSON document.

use std::borrow::Cow;

use artstore_core::{Error, Result};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::{Format, Output};

/// One command and what it did.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) document: StepDocument,
    /// What the command prints without `--json`.
    text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct StepDocument {
    /// Why one does this.
    title: Cow<'static, str>,
    /// What one would type.
    pub(super) command: String,
    /// What the command answers with `--json`.
    pub(super) result: Value,
}

impl Step {
    pub(super) fn new(
        title: impl Into<Cow<'static, str>>,
        command: String,
        result: &impl Serialize,
        text: String,
    ) -> Result<Self> {
        let result = serde_json::to_value(result).map_err(|error| {
            Error::internal("the answer cannot be written as JSON").caused_by(error)
        })?;
        let document = StepDocument {
            title: title.into(),
            command,
            result,
        };
        Ok(Self { document, text })
    }

    /// Fails unless what the title says is so.
    pub(super) fn expect(&self, expected: &'static str, is_so: bool) -> Result<()> {
        if is_so {
            return Ok(());
        }
        Err(
            Error::internal("the demo did not go as it is told: this program is broken")
                .with("command", &self.document.command)
                .with("expected", expected)
                .with("result", &self.document.result),
        )
    }

    fn transcript(&self) -> String {
        let StepDocument { title, command, .. } = &self.document;
        let text = self.text.trim_end();
        let end = if text.is_empty() { "" } else { "\n" };
        format!("# {title}\n$ {command}\n{text}{end}\n")
    }
}

#[derive(Debug)]
pub(super) struct Teller<'a> {
    output: &'a Output,
    pub(super) document: DemoDocument,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct DemoDocument {
    pub(super) steps: Vec<StepDocument>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(output: &'a Output) -> Self {
        Self {
            output,
            document: DemoDocument::default(),
        }
    }

    pub(super) async fn tell(&mut self, step: Step) -> std::result::Result<(), Failure> {
        match self.output.format() {
            Format::Text => self.output.text(step.transcript()).await,
            Format::Json => {
                self.document.steps.push(step.document);
                Ok(())
            }
        }
    }

    pub(super) async fn finish(self) -> std::result::Result<(), Failure> {
        match self.output.format() {
            Format::Text => Ok(()),
            Format::Json => self.output.json(&self.document).await,
        }
    }
}
