//! TOML read into a document that remembers where each value stands.
//!
//! A path names a value as TOML's dotted keys would: `events.purchase.person`, `lifecycle.stages[2].enter`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Excerpt, Result};

/// A document whose values know where they stand in the file.
pub(super) type Document<'i> = Spanned<DeTable<'i>>;

/// Where each key of a file stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    file: String,
    text: String,
    /// Where each path's key begins (an element of a list: where its value begins).
    keys: BTreeMap<String, usize>,
    /// Where the texts among the values stand, quotes included.
    texts: BTreeMap<String, Range<usize>>,
}

/// Reads TOML.
///
/// # Errors
/// Every fault of syntax, with its line.
pub(super) fn parse<'i>(text: &'i str, file: &Path) -> Result<(Document<'i>, Places)> {
    let (document, faults) = DeTable::parse_recoverable(text);
    let mut places = Places { file: file.display().to_string(), text: text.to_owned(), ..Places::default() };
    let mut faults: Vec<_> = faults.iter().map(|fault| places.syntax(fault)).collect();
    faults.sort_by_key(|(line, _)| *line);
    faults.dedup_by_key(|(line, _)| *line);
    if let Some(error) = Error::all(faults.into_iter().map(|(_, error)| error).collect()) {
        return Err(error);
    }
    places.note_table(document.get_ref(), "");
    Ok((document, places))
}

/// The path of `key` in the table at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The path around `path`, if there is one.
pub(super) fn parent(path: &str) -> Option<&str> {
    path.rfind(['.', '[']).map(|end| &path[..end])
}

impl Places {
    /// The words of the file that say `path`, or the nearest table around it.
    #[must_use]
    pub fn excerpt(&self, path: &str) -> Option<Excerpt> {
        self.key(path).map(|at| self.excerpt_at(at))
    }

    /// Whether the file says `path` itself.
    #[must_use]
    pub fn says(&self, path: &str) -> bool {
        self.keys.contains_key(path)
    }

    /// A line and column of the text at `path`, counted from 1 within that text; the key, when the text is written with
    /// escapes and cannot be counted in.
    pub(super) fn excerpt_within(&self, path: &str, text: &str, line: usize, column: usize) -> Option<Excerpt> {
        let within = self.texts.get(path).and_then(|range| {
            let start = range.start + self.text[range.clone()].find(text)?;
            let lines: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
            let columns: usize = text[lines..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
            Some(self.excerpt_at(start + lines + columns))
        });
        within.or_else(|| self.excerpt(path))
    }

    /// Where `path` begins in the file: what faults and sources are sorted by.
    pub(super) fn key(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(at) = self.keys.get(path) {
                return Some(*at);
            }
            path = parent(path)?;
        }
    }

    /// The same places, with the stages numbered as they are in the checked spec: `paths` says where each is written.
    pub(super) fn of_stages(&self, paths: &[String]) -> Self {
        let mut keys: BTreeMap<_, _> = self.keys.clone().into_iter().filter(|(path, _)| !is_stage(path)).collect();
        for (position, written) in paths.iter().enumerate() {
            keys.extend(self.keys.iter().filter_map(|(path, at)| {
                let rest = path.strip_prefix(written.as_str())?;
                (rest.is_empty() || rest.starts_with(['.', '[']))
                    .then(|| (format!("lifecycle.stages[{position}]{rest}"), *at))
            }));
        }
        Self { keys, ..self.clone() }
    }

    fn excerpt_at(&self, at: usize) -> Excerpt {
        let at = at.min(self.text.len());
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
        Excerpt {
            file: self.file.clone(),
            line: self.text[..start].matches('\n').count() + 1,
            column: self.text[start..at].chars().count() + 1,
            text: self.text[start..end].trim_end().to_owned(),
        }
    }

    fn syntax(&self, fault: &toml::de::Error) -> (usize, Error) {
        let why = fault.message().trim_end_matches(", expected nothing").trim_end_matches(", expected literal string");
        let error = match why {
            "duplicate key" => {
                Error::spec("this is in the file twice").hint("keep one of them, or give one another name")
            }
            _ => Error::spec(format!("this is not TOML: {why}")),
        };
        let Some(span) = fault.span() else { return (0, error) };
        let excerpt = self.excerpt_at(span.start);
        (excerpt.line, error.excerpt(excerpt))
    }

    fn note_table(&mut self, table: &DeTable<'_>, path: &str) {
        for (key, value) in table {
            let path = join(path, key.get_ref());
            self.keys.insert(path.clone(), key.span().start);
            self.note_value(value, path);
        }
    }

    fn note_value(&mut self, value: &Spanned<DeValue<'_>>, path: String) {
        match value.get_ref() {
            DeValue::Table(table) => self.note_table(table, &path),
            DeValue::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    let path = format!("{path}[{position}]");
                    self.keys.insert(path.clone(), item.span().start);
                    self.note_value(item, path);
                }
            }
            DeValue::String(_) => {
                self.texts.insert(path, value.span());
            }
            _ => {}
        }
    }
}

fn is_stage(path: &str) -> bool {
    path.starts_with("lifecycle.stages[")
}
