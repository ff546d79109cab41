//! Errors as the operations tell them.

use artstore_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};

use super::request::HEALTH_CHECK;
use crate::answer_of;

/// An operation that failed: a message, the class of the exception that a Python program would raise for it, and which
/// operation it was.
#[derive(Debug, Clone)]
pub struct OpsError {
    operation: String,
    fault: Fault,
    /// Not the request failed, but the store that it was for.
    is_of_store: bool,
}

impl OpsError {
    pub(super) fn new(operation: impl Into<String>, fault: impl Into<Fault>) -> Self {
        Self {
            operation: operation.into(),
            fault: fault.into(),
            is_of_store: false,
        }
    }

    /// A request that could not be received.
    pub fn unreceived(error: Error) -> Self {
        Self::new(UNKNOWN, error)
    }

    /// `operation` had no store to work with, because of `error`. That there is none is no `not_found`: this code tells
    /// that a thing in the store is not there.
    pub fn without_store(operation: &str, error: Error) -> Self {
        Self {
            is_of_store: true,
            ..Self::new(operation, Fault::without_store(error))
        }
    }

    /// The failure itself.
    pub fn error(&self) -> &Error {
        &self.fault.error
    }

    /// `{"error", "type", "operation", "code", "hint"?, "context"?}`
    pub fn document(&self) -> Value {
        let mut document = Map::new();
        self.fault.tell(&mut document, Some(&self.operation));
        Value::Object(document)
    }

    /// The answer of a health check of a store that failed, or else the error itself.
    ///
    /// # Errors
    /// This error, of every other operation, and of a health check that is not understood or for another store.
    pub fn into_answer(self) -> Result<Value, Self> {
        if self.operation != HEALTH_CHECK || !self.is_of_store {
            return Err(self);
        }
        Ok(json!({
            "available": false,
            "error": self.fault.text,
            "type": self.fault.class,
        }))
    }
}

/// The operation of a request that does not tell it.
pub(super) const UNKNOWN: &str = "unknown";

/// A failure, before it is known of which operation.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) error: Error,
    class: &'static str,
    text: String,
}

impl Fault {
    /// The class follows a rule of the protocol, and the text is the message alone.
    pub(super) fn of_class(class: &'static str, error: Error) -> Self {
        Self {
            class,
            text: error.message().to_owned(),
            error,
        }
    }

    /// A text that names no artifact. It may be any: what is no id at all names none either.
    pub(super) fn no_artifact(id: &str) -> Self {
        let error = Error::not_found(format!("Artifact not found: {id}")).with("id", id);
        Self::of_class("ValueError", error)
    }

    fn without_store(error: Error) -> Self {
        if error.kind() != ErrorKind::NotFound {
            return error.into();
        }
        let mut unavailable = Error::unavailable(error.to_string());
        if let Some(hint) = error.hint_text() {
            unavailable = unavailable.hint(hint);
        }
        Self::of_class("FileNotFoundError", unavailable)
    }

    /// What a port answers to a question about artifacts.
    pub(super) fn from_port(error: Error) -> Self {
        match (error.kind(), error.context_value("id")) {
            (ErrorKind::NotFound, Some(id)) => Self::no_artifact(id),
            _ => error.into(),
        }
    }

    /// `{"success": false, "error", "type", "code", "hint"?, "context"?}`
    pub(super) fn item(&self) -> Value {
        let mut document = Map::from_iter([("success".to_owned(), Value::Bool(false))]);
        self.tell(&mut document, None);
        Value::Object(document)
    }

    fn tell(&self, document: &mut Map<String, Value>, operation: Option<&str>) {
        document.insert("error".to_owned(), self.text.as_str().into());
        document.insert("type".to_owned(), self.class.into());
        if let Some(operation) = operation {
            document.insert("operation".to_owned(), operation.into());
        }
        let code = answer_of(self.error.kind()).code;
        document.insert("code".to_owned(), code.into());
        if let Some(hint) = self.error.hint_text() {
            document.insert("hint".to_owned(), hint.into());
        }
        let mut context = Map::new();
        for (name, value) in self.error.context() {
            context
                .entry(*name)
                .or_insert_with(|| value.as_str().into());
        }
        if !context.is_empty() {
            document.insert("context".to_owned(), Value::Object(context));
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self {
            class: class_of(&error),
            text: error.to_string(),
            error,
        }
    }
}

/// The built-in exception of Python that comes nearest to `error`.
fn class_of(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound if error.context_value("path").is_some() => "FileNotFoundError",
        ErrorKind::NotFound | ErrorKind::Invalid => "ValueError",
        ErrorKind::AlreadyExists => "FileExistsError",
        ErrorKind::Conflict | ErrorKind::Internal => "RuntimeError",
        ErrorKind::Corrupt | ErrorKind::Unavailable => "OSError",
        ErrorKind::Busy | ErrorKind::CommitUnknown => "TimeoutError",
        ErrorKind::Unsupported => "NotImplementedError",
    }
}
