//! Many requests over one connection.

use artstore_core::Error;
use serde_json::{Map, Value};

use super::error::{OpsError, UNKNOWN};
use super::request::{OpsRequest, parse_json};
use super::to_compact_text;

const ID: &str = "id";

/// One of many requests, with the id that its answer bears.
#[derive(Debug)]
pub struct OpsLine {
    /// Any value; null if none was given.
    pub id: Value,
    /// The request.
    pub request: Result<OpsRequest, OpsError>,
}

impl OpsLine {
    /// Reads a line.
    pub fn parse(line: &[u8]) -> Self {
        let mut value = match parse_json(line) {
            Ok(value) => value,
            Err(fault) => return Self::without_id(OpsError::new(UNKNOWN, fault)),
        };
        let id = value
            .as_object_mut()
            .and_then(|fields| fields.shift_remove(ID));
        Self {
            id: id.unwrap_or_default(),
            request: OpsRequest::from_value(value),
        }
    }

    /// A line that could not be received.
    pub fn unreceived(error: Error) -> Self {
        Self::without_id(OpsError::unreceived(error))
    }

    fn without_id(error: OpsError) -> Self {
        Self {
            id: Value::Null,
            request: Err(error),
        }
    }

    /// The line that answers the request `id`: `{"id", "result"}`, or `id` and the keys of an error; with a line break.
    pub fn answer(id: Value, result: Result<Value, OpsError>) -> String {
        let mut answer = Map::new();
        answer.insert(ID.to_owned(), id);
        match result.or_else(OpsError::into_answer) {
            Ok(result) => {
                answer.insert("result".to_owned(), result);
            }
            Err(error) => {
                if let Value::Object(document) = error.document() {
                    answer.extend(document);
                }
            }
        }
        let mut text = to_compact_text(&Value::Object(answer));
        text.push('\n');
        text
    }
}
