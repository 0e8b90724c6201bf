//! What a command has to say: once for people, once for machines.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::{Error, Kind, Result};

/// Version of the form of every JSON document on stdout.
pub(super) const FORMAT_VERSION: u32 = 1;

/// A command's result.
#[derive(Debug)]
pub(super) struct Answer {
    /// For people.
    pub(super) text: String,
    /// For machines.
    pub(super) json: Value,
}

impl Answer {
    /// The result of `command`: a text, and an object whose fields become those of the JSON document.
    pub(super) fn new(command: &str, text: String, value: &impl Serialize) -> Result<Self> {
        let value =
            serde_json::to_value(value).map_err(|error| Error::internal(format!("result of {command}: {error}")))?;
        let mut document = Map::new();
        document.insert("format_version".to_owned(), json!(FORMAT_VERSION));
        document.insert("command".to_owned(), json!(command));
        match value {
            Value::Object(fields) => document.extend(fields),
            other => drop(document.insert("result".to_owned(), other)),
        }
        Ok(Self { text, json: Value::Object(document) })
    }
}

/// A failure as a JSON document: `{"format_version": 1, "error": {…}}`.
pub(super) fn failure(error: &Error) -> Value {
    json!({ "format_version": FORMAT_VERSION, "error": fault(error) })
}

fn fault(error: &Error) -> Value {
    let mut fault = json!({
        "kind": kind(error.kind()),
        "exit_code": error.exit_code(),
        "message": error.message(),
        "hints": error.hints(),
    });
    if let Some(at) = error.place() {
        fault["at"] = json!({ "file": at.file, "line": at.line, "column": at.column, "text": at.text });
    }
    if !error.also().is_empty() {
        fault["also"] = error.also().iter().map(self::fault).collect();
    }
    fault
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Internal => "internal",
        Kind::Usage => "usage",
        Kind::Spec => "spec",
        Kind::Data => "data",
        Kind::Quality => "quality",
        Kind::Refused => "refused",
        Kind::Busy => "busy",
    }
}
