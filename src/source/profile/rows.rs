//! Rows and ids that stand in a table more than once.
//!
//! Each row is a hash of its values (64 bits: among a million rows two different ones are taken for equal once in
//! 40 million tables). Ids are looked at in columns whose names say that they hold some, and only while nearly all of
//! them are different: a customer's id in a table of orders repeats as it should.

use super::semantic::{Called, called};
use super::tally::MISSING;

/// So many columns of ids are looked at.
const COLUMNS: usize = 4;
/// After so many rows it shows whether a column's ids are meant to differ.
const TRIAL: usize = 1 << 13;

/// What is known of the rows of a table.
#[derive(Default)]
pub(super) struct Rows {
    keys: Vec<(u64, u32)>,
    ids: Vec<(String, Vec<(u64, u32)>)>,
    n_seen: usize,
}

/// Something that stands there more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeated {
    /// Rows that repeat an earlier one.
    pub(super) n_rows: u64,
    /// Two equal ones, counted from 1.
    pub(super) example: (u64, u64),
}

impl Rows {
    /// Rows of a table with these columns.
    pub(super) fn new<'c>(columns: impl Iterator<Item = &'c str>) -> Self {
        let ids = columns.filter(|column| called(column) == Called::Id).take(COLUMNS);
        Self { ids: ids.map(|column| (column.to_owned(), Vec::new())).collect(), ..Self::default() }
    }

    /// Takes the next rows: for each column its name and a key per row; `number` gives a row's number in the table.
    pub(super) fn take(&mut self, columns: &[(&str, Vec<u64>)], number: &(dyn Fn(usize) -> u64 + Sync)) {
        let n_rows = columns.first().map_or(0, |(_, keys)| keys.len());
        let mut rows = vec![0_u64; n_rows];
        for (_, keys) in columns {
            for (row, key) in rows.iter_mut().zip(keys) {
                *row = (row.rotate_left(23) ^ key).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            }
        }
        let number = |row: usize| u32::try_from(number(row)).unwrap_or(u32::MAX);
        self.keys.extend(rows.into_iter().enumerate().map(|(row, key)| (key, number(row))));
        for (column, ids) in &mut self.ids {
            if let Some((_, keys)) = columns.iter().find(|(name, _)| name == column) {
                let known = keys.iter().enumerate().filter(|(_, key)| **key != MISSING);
                ids.extend(known.map(|(row, key)| (*key, number(row))));
            }
        }
        if self.n_seen < TRIAL {
            self.ids.retain_mut(|(_, ids)| {
                ids.len() < TRIAL || repeated(&mut ids.clone()).is_none_or(|found| found.n_rows * 5 < ids.len() as u64)
            });
        }
        self.n_seen += n_rows;
    }

    /// Repeated rows, and the first column of ids that should all differ and do not.
    pub(super) fn finish(mut self) -> (Option<Repeated>, Option<(String, Repeated)>) {
        (repeated(&mut self.keys), repeated_id(self.ids))
    }
}

/// The first column of ids of which nearly all differ; none where another column tells all rows apart.
fn repeated_id(columns: Vec<(String, Vec<(u64, u32)>)>) -> Option<(String, Repeated)> {
    let mut first = None;
    for (column, mut keys) in columns {
        let found = repeated(&mut keys)?;
        if found.n_rows * 20 < keys.len() as u64 {
            first.get_or_insert((column, found));
        }
    }
    first
}

/// The example is the first row that repeats one.
fn repeated(keys: &mut [(u64, u32)]) -> Option<Repeated> {
    keys.sort_unstable();
    let pairs = keys.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let n_rows = pairs.clone().count() as u64;
    let second = pairs.min_by_key(|pair| pair[1].1)?;
    Some(Repeated { n_rows, example: (u64::from(second[0].1), u64::from(second[1].1)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_rows_and_ids_are_counted() {
        let ids: Vec<u64> = (0..100).chain([5, 6]).collect();
        let other: Vec<u64> = (0..100).map(|row| row % 7).chain([5, 0]).collect();
        let mut rows = Rows::new(["order_id", "kind"].into_iter());
        rows.take(&[("order_id", ids), ("kind", other)], &|row| row as u64 + 1);
        let (rows, ids) = rows.finish();
        assert_eq!(rows, Some(Repeated { n_rows: 1, example: (6, 101) }));
        assert_eq!(ids, Some(("order_id".into(), Repeated { n_rows: 2, example: (6, 101) })));
    }

    #[test]
    fn ids_that_repeat_as_they_should_are_none() {
        let mut rows = Rows::new(["customer_id"].into_iter());
        rows.take(&[("customer_id", (0..1000).map(|row| row % 300).collect())], &|row| row as u64 + 1);
        assert_eq!(rows.finish().1, None);
    }
}
