//! The ledger: rows read = rows used + rows rejected, each rejection with its place and reason.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::intern::Interner;
use super::{Input, Rejected, times};
use crate::error::{Error, Result};

/// Who rejects rows: a table while it is read, or one source of people or events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source(u32);

/// Where rows stand: a file, or a query's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u32);

/// Every input file and every row that was not used.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    names: Interner,
    entries: Vec<Entry>,
}

/// Names are numbers, because a large file can have many bad rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    place: Place,
    row: u64,
    column: Option<u32>,
    reason: u32,
    source: Source,
}

impl Ledger {
    /// The source of that name, e.g. `events.purchase`.
    pub(crate) fn source(&mut self, name: &str) -> Source {
        Source(self.names.intern(name))
    }

    /// The place of that name: a file's path, or a query's source.
    pub(crate) fn place(&mut self, name: &str) -> Place {
        Place(self.names.intern(name))
    }

    /// Notes a row that is not used.
    pub(crate) fn reject(&mut self, source: Source, (place, row): (Place, u64), column: Option<&str>, reason: &str) {
        let column = column.map(|column| self.names.intern(column));
        let reason = self.names.intern(reason);
        self.entries.push(Entry { place, row, column, reason, source });
    }

    /// How many rows a source has rejected.
    pub(crate) fn rejected_by(&self, source: Source) -> u64 {
        let rows: BTreeSet<_> = self.of(source).map(|entry| (entry.place, entry.row)).collect();
        rows.len() as u64
    }

    fn of(&self, source: Source) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.source == source)
    }

    /// Refuses a source of which over half of the `rows` were rejected, with the commonest reason and a place to look.
    pub(crate) fn check(&self, source: Source, rows: u64) -> Result<()> {
        let rejected = self.rejected_by(source);
        if rejected * 2 <= rows {
            return Ok(());
        }
        let mut reasons: BTreeMap<(Option<u32>, u32), Vec<&Entry>> = BTreeMap::new();
        for entry in self.of(source) {
            reasons.entry((entry.column, entry.reason)).or_default().push(entry);
        }
        let commonest = reasons.values().max_by_key(|entries| entries.len()).expect("some row was rejected");
        let first =
            commonest.iter().min_by_key(|entry| (self.names.text(entry.place.0), entry.row)).expect("not empty");
        let column = first.column.map(|column| format!("column `{}`: ", self.names.text(column))).unwrap_or_default();
        let reason = self.names.text(first.reason);
        let advice = match first.column {
            Some(column) => times::advice(reason, self.names.text(column)),
            None if reason.contains(" where there are ") => {
                Some("look whether `delimiter` is right, and whether fields that hold it stand in quotes".to_owned())
            }
            None => None,
        };
        let error = Error::data(format!("{rejected} of {rows} rows of {} cannot be used", self.names.text(source.0)))
            .hint(format!(
                "the commonest reason ({} rows): {column}{}, first in row {} of {}",
                commonest.len(),
                self.names.text(first.reason),
                first.row,
                self.names.text(first.place.0),
            ));
        Err(advice.map_or(error.clone(), |advice| error.hint(advice)))
    }

    /// Counts the rejected rows of each input and gives all rejections, sorted by file, row and column.
    pub(crate) fn close(mut self, inputs: &mut [Input]) -> Vec<Rejected> {
        let mut rows: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for entry in &self.entries {
            rows.entry(self.names.text(entry.place.0)).or_default().insert(entry.row);
        }
        for input in inputs {
            input.rejected = rows.get(input.path.as_str()).map_or(0, |rows| rows.len() as u64);
        }
        let n_names = u32::try_from(self.names.len()).expect("codes are 32 bits");
        let mut sorted: Vec<u32> = (0..n_names).collect();
        sorted.sort_unstable_by_key(|&name| self.names.text(name));
        let mut rank = vec![0; sorted.len()];
        for (place, &name) in (0_u32..).zip(&sorted) {
            rank[name as usize] = place;
        }
        let rank = |name: u32| rank[name as usize];
        let key = |entry: &Entry| (rank(entry.place.0), entry.row, entry.column.map(rank), rank(entry.reason));
        let mut entries = std::mem::take(&mut self.entries);
        entries.par_sort_unstable_by_key(key);
        entries.dedup_by_key(|entry| key(entry));
        entries.into_par_iter().map(|entry| self.rejected(entry)).collect()
    }

    fn rejected(&self, entry: Entry) -> Rejected {
        Rejected {
            file: self.names.text(entry.place.0).to_owned(),
            row: entry.row,
            column: entry.column.map(|column| self.names.text(column).to_owned()),
            reason: self.names.text(entry.reason).to_owned(),
        }
    }
}
