//! Faults of a spec, gathered so that a person mends all of them in one go.

use serde::Deserialize;
use toml::de::{DeValue, ValueDeserializer};

use super::places::{Document, Places};
use super::written::Written;
use crate::error::{Error, Excerpt, Result};

/// The faults found so far, each with the path of what is at fault.
pub(super) struct Faults<'p> {
    places: &'p Places,
    found: Vec<(Option<usize>, Error)>,
    /// Paths whose value was at fault and now holds a blank: nothing more is said about what is in them.
    blanked: Vec<String>,
}

impl<'p> Faults<'p> {
    pub(super) fn new(places: &'p Places) -> Self {
        Self { places, found: Vec::new(), blanked: Vec::new() }
    }

    /// Where things stand in the file.
    pub(super) fn places(&self) -> &'p Places {
        self.places
    }

    /// A fault of what stands at `path`.
    pub(super) fn add(&mut self, path: &str, error: Error) {
        self.add_at(path, error, self.places.excerpt(path));
    }

    /// A fault of what stands at `path`, with its own excerpt.
    pub(super) fn add_at(&mut self, path: &str, error: Error, excerpt: Option<Excerpt>) {
        if self.is_blank(path) {
            return;
        }
        let error = match excerpt {
            Some(excerpt) => error.excerpt(excerpt),
            None => error,
        };
        self.found.push((self.places.key(path), error));
    }

    /// A fault of what stands at `path`, which from now on holds a blank.
    pub(super) fn add_and_blank(&mut self, path: &str, error: Error) {
        self.add(path, error);
        self.blank(path);
    }

    /// Says no more about what stands at `path`.
    pub(super) fn blank(&mut self, path: &str) {
        self.blanked.push(path.to_owned());
    }

    /// What was parsed, or `None` and a fault that says why not and what `key` it was.
    pub(super) fn take<T>(&mut self, path: &str, key: &str, parsed: Result<T>) -> Option<T> {
        let error = match parsed {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let fault = Error::spec(format!("`{key}`: {}", error.message()));
        self.add(path, error.hints().iter().fold(fault, |fault, hint| fault.hint(hint.clone())));
        None
    }

    /// Whether `path` or something around it was blanked.
    pub(super) fn is_blank(&self, path: &str) -> bool {
        self.blanked.iter().any(|blank| is_in(path, blank))
    }

    /// Whether something in or around `path` was blanked: then what it names is not all known.
    pub(super) fn has_blanks_in(&self, path: &str) -> bool {
        self.blanked.iter().any(|blank| is_in(blank, path) || is_in(path, blank))
    }

    /// The written form of a document that fits the schema.
    pub(super) fn written(&mut self, document: Document<'_>) -> Result<Written> {
        let span = document.span();
        let value = toml::Spanned::new(span, DeValue::Table(document.into_inner()));
        Written::deserialize(ValueDeserializer::from(value)).map_err(|error| {
            self.add("", Error::spec(format!("clo.toml cannot be read: {}", error.message())));
            self.none().expect_err("a fault was just added")
        })
    }

    /// Everything found, in the order of the file.
    ///
    /// # Errors
    /// Something was found.
    pub(super) fn none(&mut self) -> Result<()> {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_key(|(place, _)| *place);
        Error::all(found.into_iter().map(|(_, error)| error).collect()).map_or(Ok(()), Err)
    }
}

/// Whether `path` is `outer` or stands in it.
fn is_in(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
