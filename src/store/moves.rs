//! Who put which version in use, when and why: `models/<prediction>/moves.jsonl`, a line per move, the oldest first.
//!
//! Only moves by hand stand here: a run puts what it trained in use, and the versions themselves tell of that. A move is written
//! down before `current` is moved; one that was killed in between stands here and was not done, which [`rollback_target`] sees.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{models, read_text, settle, write_bytes};
use crate::error::{Error, Result};

/// The file of a prediction's moves.
pub const FILE: &str = "moves.jsonl";

/// What kind of move it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A version was put in use.
    Promote,
    /// The version before was put back in use.
    Rollback,
}

/// One move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// When, ISO 8601, UTC.
    pub at: String,
    /// What was done.
    pub kind: Kind,
    /// What was in use.
    pub from: Option<String>,
    /// What is.
    pub to: String,
    /// Whether the gate was overridden.
    pub forced: bool,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What the gate said.
    pub gate: Option<String>,
}

/// The moves of a prediction, the oldest first.
///
/// # Errors
/// When the file is damaged.
pub fn read(models: &Path, prediction: &str) -> Result<Vec<Move>> {
    let path = models.join(prediction).join(FILE);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let line = |line: &str| {
        serde_json::from_str(line).map_err(|error| Error::data(format!("{} is damaged: {error}", path.display())))
    };
    read_text(&path)?.lines().map(line).collect()
}

/// Writes a move down, and moves `current`.
///
/// # Errors
/// When a file cannot be written, or there is no such version.
pub fn do_and_record(models: &Path, prediction: &str, done: &Move) -> Result<()> {
    let mut all = read(models, prediction)?;
    all.push(done.clone());
    let mut lines = String::new();
    for one in &all {
        let line = serde_json::to_string(one).map_err(|error| Error::internal(format!("a move of models: {error}")))?;
        lines += &line;
        lines.push('\n');
    }
    let folder = models.join(prediction);
    write_bytes(&folder.join(FILE), lines.as_bytes())?;
    settle(&folder)?;
    models::promote(models, prediction, &done.to)
}

/// The version to go back to from the one in use, and that one: what it replaced, if it was put in use by hand, else the version before it.
///
/// # Errors
/// When no version is in use, or none stands before it.
pub fn rollback_target(models: &Path, prediction: &str) -> Result<(String, String)> {
    let (from, older) = models::in_use_and_older(models, prediction)?;
    let mut replaced: Vec<(String, Option<String>)> = Vec::new();
    for done in read(models, prediction)? {
        match done.kind {
            Kind::Promote => replaced.push((done.to, done.from)),
            Kind::Rollback => drop(replaced.pop()),
        }
    }
    let by_hand = replaced.pop().filter(|(to, _)| *to == from).and_then(|(_, before)| before);
    let known = by_hand.filter(|before| models::find(models, prediction, before).is_ok());
    known.or(older).map(|to| (from.clone(), to)).ok_or_else(|| models::nothing_older(prediction, &from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(kind: Kind, from: &str, to: &str) -> Move {
        let at = "2024-05-01T00:00:00Z".to_owned();
        Move { at, kind, from: Some(from.into()), to: to.into(), forced: false, reason: None, gate: None }
    }

    #[test]
    fn going_back_undoes_what_was_done_by_hand() {
        let folder = tempfile::tempdir().unwrap();
        let models = folder.path();
        let [one, two, three] = [b"{1}", b"{2}", b"{3}"].map(|bytes| models::keep(models, "p", bytes, &[]).unwrap());
        models::promote(models, "p", &three).unwrap();
        assert_eq!(rollback_target(models, "p").unwrap(), (three.clone(), two.clone()));
        do_and_record(models, "p", &moved(Kind::Promote, &three, &one)).unwrap();
        assert_eq!(rollback_target(models, "p").unwrap(), (one.clone(), three.clone()));
        do_and_record(models, "p", &moved(Kind::Rollback, &one, &three)).unwrap();
        assert_eq!(rollback_target(models, "p").unwrap(), (three.clone(), two));
        assert_eq!(read(models, "p").unwrap().len(), 2);
        models::promote(models, "p", &one).unwrap();
        assert_eq!(rollback_target(models, "p").unwrap_err().exit_code(), 2);
    }
}
