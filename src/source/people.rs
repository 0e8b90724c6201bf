//! The people table: a row per person (or per person and `valid_from`), attributes.

use polars::prelude::DataFrame;

use crate::time::Time;

/// Everyone whom any people or event table names.
#[derive(Debug, Clone)]
pub struct People {
    /// The ids, sorted; a person is a position here.
    pub ids: Vec<String>,
    /// The attribute rows, sorted by person then `valid_from`: one column per attribute, without the person's id.
    pub attributes: DataFrame,
    /// The attribute rows of person `p` are `offsets[p]..offsets[p + 1]`: none, one, or several when attributes change.
    pub offsets: Vec<u32>,
    /// Since when each attribute row holds (microseconds); `None`: all have always held.
    pub valid_from: Option<Vec<i64>>,
    /// Attributes that reach a person: kept out of features, given to exports.
    pub contact: Vec<String>,
    /// Whom each `[people.*]` names, in the order of the spec.
    pub sources: Vec<FromSource>,
    /// Positions of the people in time order, when the spec says that a snapshot's rows stand in time.
    pub order: Option<Vec<u32>>,
}

/// The people that one `[people.*]` names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FromSource {
    /// The name after `people.`.
    pub name: String,
    /// The attributes it has.
    pub columns: Vec<String>,
    /// Positions of its people, ascending.
    pub people: Vec<u32>,
}

impl People {
    /// How many people there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The attribute row that was valid for a person just before `cutoff`.
    #[must_use]
    pub fn row(&self, person: usize, cutoff: Time) -> Option<usize> {
        let rows = self.offsets[person] as usize..self.offsets[person + 1] as usize;
        match &self.valid_from {
            None => rows.last(),
            Some(since) => rows.rev().find(|&row| since[row] < cutoff.0),
        }
    }

    /// What came from the `[people.*]` of that name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&FromSource> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// The position of a person.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        self.ids.binary_search_by(|other| other.as_str().cmp(id)).ok()
    }
}
