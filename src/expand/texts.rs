//! Texts of ten million people without ten million allocations.
//!
//! [`Texts`] is a column of texts that mostly differ (ids): sixteen bytes each, and a longer text once. [`Reasons`] are up to three
//! texts a person, of which many people have the same: each text is kept once, a person has three numbers.

use std::ops::Index;
use std::sync::Arc;

use polars::prelude::{
    Column, IntoColumn as _, NamedFrom as _, NewChunkedArray as _, PlSmallStr, Series, StringChunked,
};

use crate::source::intern::Interner;

/// A column of texts, none of them missing.
#[derive(Debug, Clone, Default)]
pub struct Texts(StringChunked);

impl Texts {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Option::unwrap_or_default)
    }

    /// As a column of a table.
    pub(super) fn column(&self, name: &str) -> Column {
        self.0.clone().with_name(PlSmallStr::from_str(name)).into_column()
    }
}

impl From<StringChunked> for Texts {
    /// The texts of a column, in one piece; a missing one is empty.
    fn from(texts: StringChunked) -> Self {
        Self(texts.rechunk().into_owned())
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        Self(StringChunked::from_iter_values(PlSmallStr::EMPTY, texts.into_iter()))
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.iter().eq(other.iter())
    }
}

impl Index<usize> for Texts {
    type Output = str;

    fn index(&self, at: usize) -> &str {
        self.0.get(at).unwrap_or_default()
    }
}

/// No text.
const NONE: u32 = u32::MAX;

/// Up to three reasons for each of many people.
#[derive(Debug, Clone, Default)]
pub struct Reasons {
    texts: Arc<Interner>,
    codes: Vec<[u32; 3]>,
}

impl Reasons {
    /// `n` people without reasons.
    #[must_use]
    pub fn none(n: usize) -> Self {
        Self { texts: Arc::default(), codes: vec![[NONE; 3]; n] }
    }

    /// How many people.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The reasons of a person.
    #[must_use]
    pub fn of(&self, row: usize) -> [Option<&str>; 3] {
        self.codes[row].map(|code| (code != NONE).then(|| self.texts.text(code)))
    }

    /// The reasons of the people at these rows.
    #[must_use]
    pub fn take(&self, rows: impl Iterator<Item = u32>) -> Self {
        Self { texts: self.texts.clone(), codes: rows.map(|row| self.codes[row as usize]).collect() }
    }

    /// The table's column of everybody's `nth` reason, from 0.
    pub(super) fn column(&self, nth: usize) -> Column {
        let texts: Vec<Option<&str>> = (0..self.len()).map(|row| self.of(row)[nth]).collect();
        Series::new(PlSmallStr::from_string(format!("reason_{}", nth + 1)), texts).into()
    }
}

impl<T: AsRef<str>> Extend<[Option<T>; 3]> for Reasons {
    fn extend<I: IntoIterator<Item = [Option<T>; 3]>>(&mut self, reasons: I) {
        let texts = Arc::make_mut(&mut self.texts);
        self.codes
            .extend(reasons.into_iter().map(|of| of.map(|text| text.map_or(NONE, |text| texts.intern(text.as_ref())))));
    }
}

impl<T: AsRef<str>> FromIterator<[Option<T>; 3]> for Reasons {
    fn from_iter<I: IntoIterator<Item = [Option<T>; 3]>>(reasons: I) -> Self {
        let mut all = Self::default();
        all.extend(reasons);
        all
    }
}

/// The same reasons, however they are kept.
impl PartialEq for Reasons {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|row| self.of(row) == other.of(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_those_that_were_given() {
        let given = [[Some("3 visits"), None, None], [None; 3], [Some("new"), Some("3 visits"), Some("")]];
        let reasons: Reasons = given.into_iter().collect();
        assert_eq!(reasons.of(2), given[2]);
        assert_eq!(reasons.take([2, 0].into_iter()), [given[2], given[0]].into_iter().collect());
        assert_eq!(Reasons::none(1).of(0), [None; 3]);
    }

    #[test]
    fn texts_are_those_that_were_given() {
        let texts: Texts = ["a", "a text that is longer than twelve bytes", ""].into_iter().collect();
        assert_eq!((&texts[1], texts.len()), ("a text that is longer than twelve bytes", 3));
        assert_eq!(texts.iter().collect::<Vec<_>>()[2], "");
    }
}
