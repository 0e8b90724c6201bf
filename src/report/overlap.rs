//! What the lists have in common: two lists that are almost the same people are one campaign paid for twice.
//!
//! In: `expand/overlap.parquet`. Out: a matrix for the page, a row per pair for the workbook.

use crate::report::read::{Results, Shared};
use crate::report::table::{Cell, Kind, Table};
use crate::report::words;
use crate::report::workbook::Sheets;
use crate::spec::Spec;

/// Lists beyond which the page shows the pairs that share most in place of a matrix …
const MATRIX: usize = 8;
/// … so many of them.
const PAIRS: usize = 20;

/// The table for the page; nothing where fewer than two lists were made.
pub(super) fn table(results: &Results, spec: &Spec, sheets: &mut Sheets) -> Option<Table> {
    let all = pairs(&results.shared);
    sheets.add("Overlap", &all);
    let made: Vec<(&str, u64)> = spec
        .audiences
        .iter()
        .zip(&results.audiences)
        .filter_map(|(audience, made)| Some((audience.name.as_str(), made.as_ref()?.summary.n_chosen)))
        .collect();
    match made.len() {
        0 | 1 => None,
        ..=MATRIX if !results.shared.is_empty() => Some(matrix(&made, &results.shared)),
        ..=MATRIX => None,
        _ => Some(most(all)),
    }
}

/// A row and a column per list: how many people of the row's list stand in the column's too, and what share of it that is.
fn matrix(made: &[(&str, u64)], shared: &[Shared]) -> Table {
    let of = |row: &str, column: &str| {
        let found = shared.iter().find_map(|pair| match (pair.audience == row, pair.other == column) {
            (true, true) => Some((pair.n_both, pair.share_of_audience)),
            _ if pair.audience == column && pair.other == row => Some((pair.n_both, pair.share_of_other)),
            _ => None,
        });
        found.map_or(Cell::Missing, |(n, share)| {
            let share = share.map_or(String::new(), |share| format!(" ({})", words::percent(share)));
            format!("{}{share}", words::count(n)).into()
        })
    };
    let columns: Vec<(&str, Kind)> = [("List", Kind::Text), ("People", Kind::Count)]
        .into_iter()
        .chain(made.iter().map(|&(name, _)| (name, Kind::Text)))
        .collect();
    let mut table = Table::new("People of each list who stand in another too, and their share of the list", &columns);
    for &(row, n) in made {
        let others = made.iter().map(|&(column, _)| of(row, column));
        table.push([row.into(), Cell::count(n)].into_iter().chain(others).collect());
    }
    table
}

fn pairs(shared: &[Shared]) -> Table {
    let columns = [
        ("List", Kind::Text),
        ("Other list", Kind::Text),
        ("In both", Kind::Count),
        ("Of the list", Kind::Share),
        ("Of the other", Kind::Share),
    ];
    let mut table = Table::new("What two lists have in common", &columns);
    for pair in shared {
        table.push(vec![
            pair.audience.as_str().into(),
            pair.other.as_str().into(),
            Cell::count(pair.n_both),
            pair.share_of_audience.into(),
            pair.share_of_other.into(),
        ]);
    }
    table
}

/// The pairs that share most, as a share of the smaller list.
fn most(mut pairs: Table) -> Table {
    let number = |cell: &Cell| if let Cell::Number(number) = cell { *number } else { 0.0 };
    pairs.rows.sort_by(|a, b| {
        let share = |row: &[Cell]| number(&row[3]).max(number(&row[4]));
        share(b).total_cmp(&share(a))
    });
    pairs.rows.truncate(PAIRS);
    pairs.caption = "The lists that have most in common".into();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_shows_each_pair_from_both_sides() {
        let shared = [Shared {
            audience: "a".into(),
            other: "b".into(),
            n_both: 1,
            share_of_audience: Some(0.25),
            share_of_other: Some(0.5),
        }];
        let table = matrix(&[("a", 4), ("b", 2)], &shared);
        assert_eq!(table.rows[0], ["a".into(), Cell::count(4), Cell::Missing, "1 (25.0 %)".into()]);
        assert_eq!(table.rows[1], ["b".into(), Cell::count(2), "1 (50.0 %)".into(), Cell::Missing]);
    }
}
