//! A first `clo.toml`, guessed from the files alone.
//!
//! In: files as a user has them. Out: the text of a spec that runs: ids, times and how they are written, events, amounts, joins
//! between tables, likely stages, a prediction, a list; each guess with a comment that says how sure it is.
//!
//! 1. `look`: each file is told (`source::sniff`) and read whole.
//! 2. `roles`, `outcome`: what each column may be, by name and by values.
//! 3. `links`: which columns hold the same ids, and how each table reaches the people.
//! 4. `events`: tables that say what people did and when (`happening`, `query`), who they are (`attributes`); `snapshot`: else, a column that may be the outcome.
//! 5. `lifecycle`: the events are read as clo will read them, and the `goal`, stages, and a `plan` of horizon and cutoffs
//!    are chosen by what is in them.
//!
//! It guesses from content first: nothing here knows a data set. What it leaves out it says in the file's head.

mod attributes;
mod draft;
mod events;
mod goal;
mod happening;
mod lifecycle;
mod links;
mod look;
mod outcome;
mod plan;
mod query;
mod roles;
mod snapshot;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use self::draft::{Draft, toml};
use self::links::Links;
use self::look::{Seen, stem, table_names};
use self::outcome::Target;
use crate::error::{Error, Result, did_you_mean};
use crate::spec::{self, Delimiter};

/// A template to fill in, for those who have no files at hand.
pub const TEMPLATE: &str = include_str!("template.toml");

/// A guessed spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guessed {
    /// The text of the `clo.toml`.
    pub text: String,
    /// What was found and how sure it is, a line each.
    pub notes: Vec<String>,
}

/// Guesses the spec of a project in `folder` (a whole path) from files. `outcome` names the column that holds what is to be
/// predicted, `COLUMN` or `COLUMN=VALUE`: the files are then a row per person.
///
/// # Errors
/// When there is no file, one cannot be read, or nothing in them tells people; when no column is named like the outcome, or which of
/// its values means yes is not clear.
pub fn guess(folder: &Path, project: &str, files: &[PathBuf], outcome: Option<&str>) -> Result<Guessed> {
    let told: Vec<String> = files.iter().map(|file| told(folder, file)).collect();
    let (lists, tables): (Vec<usize>, Vec<usize>) = (0..files.len()).partition(|&at| is_suppression(&told[at]));
    if tables.is_empty() {
        return Err(Error::usage("no file was given to guess from")
            .hint("name the files: clo init --from orders.csv customers.csv"));
    }
    let names = table_names(&tables.iter().map(|&at| told[at].clone()).collect::<Vec<_>>());
    let mut seen = Vec::new();
    for (&at, name) in tables.iter().zip(&names) {
        seen.push(Seen::look(folder, &files[at], &told[at], name)?);
    }
    let mut draft =
        Draft { project: project.to_owned(), tables: seen.iter().map(table_line).collect(), ..Draft::default() };
    let links = Links::find(&seen)?;
    let named = outcome.map(|outcome| told_target(&seen, outcome)).transpose()?;
    if named.is_some() || is_snapshot(&seen) || !events::sources(&seen, &links, &mut draft)? {
        (draft.sources, draft.notes) = (Vec::new(), Vec::new());
        snapshot::snapshot(&seen, named, &mut draft)?;
    } else {
        lifecycle::lifecycle(folder, &mut draft)?;
    }
    for &list in &lists {
        let path = toml(&told[list]);
        for block in &mut draft.rest {
            *block = block.replace(
                "# suppress = [\"unsubscribed.csv\"]    # who must not be contacted",
                &format!("suppress = [{path}]    # who must not be contacted (likely)"),
            );
        }
        draft.notes.push(format!("{} is taken for a list of people who must not be contacted (likely)", told[list]));
    }
    let text = draft.text();
    spec::parse(&text, &folder.join("clo.toml"), &|_| None).map_err(|error| {
        Error::internal(format!("the guessed spec is wrong: {}", error.message()))
            .hint("please report it, with the files' headers")
    })?;
    Ok(Guessed { text, notes: draft.notes })
}

/// The outcome that somebody named, and the table that holds it.
fn told_target<'a>(tables: &'a [Seen], outcome: &str) -> Result<(&'a Seen, Target<'a>)> {
    let find = |name: &str| {
        tables.iter().find_map(|seen| Some((seen, seen.columns.iter().find(|column| column.name == name)?)))
    };
    let (found, value) = match (find(outcome), outcome.rsplit_once('=')) {
        (None, Some((name, value))) => (find(name.trim()), Some(value.trim())),
        (found, _) => (found, None),
    };
    let Some((seen, column)) = found else {
        let names = || tables.iter().flat_map(|seen| seen.columns.iter().map(|column| column.name.as_str()));
        let name = outcome.rsplit_once('=').map_or(outcome, |(name, _)| name.trim());
        let error = Error::usage(format!("no file has a column `{name}`, which --outcome names"));
        return Err(match did_you_mean(name, names()) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error.hint(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
        });
    };
    Ok((seen, Target::told(column, value)?))
}

/// One table with a row per person and an outcome, though a date may stand in it.
fn is_snapshot(tables: &[Seen]) -> bool {
    let [only] = tables else { return false };
    let outcome = outcome::target(only).is_some_and(|target| target.sure >= roles::Sure::Likely);
    let keys = only.columns.iter().filter(|column| only.is_key(&column.name));
    outcome && (keys.clone().any(|column| roles::person_score(only, column) > 0) || events_time_is_missing(only))
}

fn events_time_is_missing(seen: &Seen) -> bool {
    seen.columns.iter().all(|column| roles::event_time_score(column).is_none())
}

/// A path as the spec in `folder` names it: relative where it lies within.
fn told(folder: &Path, file: &Path) -> String {
    let path = file.strip_prefix(folder).unwrap_or(file);
    path.display().to_string().replace('\\', "/")
}

/// Whether a file's name says that it lists people who must not be contacted.
fn is_suppression(file: &str) -> bool {
    let words = look::words(stem(file));
    words.iter().any(|word| {
        [
            "unsubscribed",
            "unsubscribe",
            "unsubscribes",
            "suppression",
            "suppressed",
            "suppress",
            "optout",
            "blocklist",
            "bounced",
        ]
        .contains(&word.as_str())
    })
}

fn table_line(seen: &Seen) -> String {
    let table = &seen.table;
    let mut keys = Vec::new();
    match table.delimiter {
        Some(Delimiter::Byte(b'\t')) => keys.push("delimiter = \"tab\"".to_owned()),
        Some(Delimiter::Byte(byte)) => keys.push(format!("delimiter = \"{}\"", char::from(byte))),
        Some(Delimiter::Whitespace) => keys.push("delimiter = \"whitespace\"".to_owned()),
        None => {}
    }
    if table.header == Some(false) {
        keys.push("header = false".to_owned());
    }
    keys.extend(table.encoding.as_ref().map(|encoding| format!("encoding = {}", toml(encoding))));
    let path = toml(&table.path);
    let line = match keys.as_slice() {
        [] => format!("{} = {path}", seen.name),
        keys => format!("{} = {{ path = {path}, {} }}", seen.name, keys.join(", ")),
    };
    if table.header == Some(false) {
        format!(
            "# No line of names: columns are column_1, column_2 …; `columns = [\"customer\", …]` names them.\n{line}"
        )
    } else {
        line
    }
}
