//! Errors, and the one table from a kind of error to its code, exit status and HTTP status.

use artstore_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a kind of error is told to the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// The code in JSON documents.
    pub code: &'static str,
    /// The exit status of a process.
    pub exit_status: u8,
    /// The HTTP status.
    pub http_status: u16,
}

/// How `kind` is told to the outside.
pub const fn answer_of(kind: ErrorKind) -> ErrorAnswer {
    let (code, exit_status, http_status) = match kind {
        ErrorKind::Internal => ("internal", 1, 500),
        ErrorKind::Invalid => ("invalid", 2, 400),
        ErrorKind::NotFound => ("not_found", 3, 404),
        ErrorKind::AlreadyExists => ("already_exists", 4, 409),
        ErrorKind::Conflict => ("conflict", 4, 409),
        ErrorKind::Corrupt => ("corrupt", 5, 500),
        ErrorKind::Busy => ("busy", 6, 503),
        ErrorKind::Unavailable => ("unavailable", 6, 503),
        ErrorKind::Unsupported => ("unsupported", 7, 501),
        ErrorKind::CommitUnknown => ("commit_unknown", 8, 504),
    };
    ErrorAnswer {
        code,
        exit_status,
        http_status,
    }
}

/// `{"error": {...}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDocument {
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The code of the kind of error.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The values that belong to the message.
    pub context: Map<String, Value>,
}

impl From<&Error> for ErrorDocument {
    fn from(error: &Error) -> Self {
        let mut context = Map::new();
        for (name, value) in error.context() {
            // The first of several values under one name is the innermost, which is what the message is about.
            context
                .entry(*name)
                .or_insert_with(|| Value::String(value.clone()));
        }
        Self {
            error: ErrorBody {
                code: answer_of(error.kind()).code.to_owned(),
                message: error.message().to_owned(),
                hint: error.hint_text().map(ToOwned::to_owned),
                context,
            },
        }
    }
}
