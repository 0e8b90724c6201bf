//! The form of a destination's file: its columns, and a person's row in it.

use super::cells::values;
use super::rules::{Column, Field, Known, Rules};
use crate::expand::Expanded;
use crate::expand::normalise::Unfit;

/// The columns of a file, those with several values repeated.
pub(super) struct Form<'a> {
    pub rules: &'a Rules,
    pub audience: &'a str,
    pub headers: Vec<&'a str>,
    /// How often each column of the rules stands there.
    repeats: Vec<usize>,
}

/// The cells of a line, as they stand in it.
pub(super) fn cells(line: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    line.split(move |c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    })
}

/// A person's row while it is made: one after the other in the same place.
#[derive(Default)]
pub(super) struct Row {
    cells: Vec<String>,
    /// Where values are made.
    value: String,
    /// Values that did not fit.
    pub unfit: Vec<Unfit>,
    /// Which headers hold a value, a bit each.
    pub filled: u64,
    /// Which match keys are whole, a bit each.
    pub matched: u64,
}

impl Row {
    /// Adds the line to upload to a text.
    pub(super) fn write(&self, text: &mut String) {
        for (at, cell) in self.cells.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            // RFC 4180: a comma stands in quotes. No cell holds a quote.
            let quote = if cell.contains(',') { "\"" } else { "" };
            text.extend([quote, cell, quote]);
        }
    }
}

const NOTHING_TO_MATCH: Unfit = "nothing to match on";

impl<'a> Form<'a> {
    pub(super) fn new(rules: &'a Rules, expanded: &'a Expanded) -> Self {
        let n_values = |column: &Column| match column.field {
            Field::Contact(role) => expanded.contacts.with_role(role).count(),
            Field::Known(_) => 1,
        };
        let repeats: Vec<usize> =
            rules.columns.iter().map(|column| n_values(column).clamp(1, column.at_most)).collect();
        let headers = rules.columns.iter().zip(&repeats);
        let headers = headers.flat_map(|(column, &n)| std::iter::repeat_n(column.header.as_str(), n)).collect();
        Self { rules, audience: &expanded.summary.audience, headers, repeats }
    }

    /// What stands above the people: the header and the lines that the destination wants below it.
    pub(super) fn head(&self) -> Vec<String> {
        let header = self.rules.has_header.then(|| self.headers.join(","));
        let preamble = self.rules.preamble.iter().map(|line| line.replace("{audience}", self.audience));
        header.into_iter().chain(preamble).collect()
    }

    /// Positions of the columns that tell who a row is.
    pub(super) fn key_columns(&self) -> Vec<usize> {
        let is_key = |header: &str| self.rules.match_keys.iter().flatten().any(|key| key == header);
        (0..self.headers.len()).filter(|&at| is_key(self.headers[at])).collect()
    }

    /// Makes the row of a person, or says why there is none.
    pub(super) fn fill(&self, expanded: &Expanded, person: usize, row: &mut Row) -> std::result::Result<(), Unfit> {
        let Row { cells, value, unfit, filled, matched } = row;
        unfit.clear();
        cells.iter_mut().for_each(String::clear);
        cells.resize(self.headers.len(), String::new());
        let mut begin = 0;
        for (column, &n) in self.rules.columns.iter().zip(&self.repeats) {
            let mut at = begin;
            values(column, (expanded, person), value, unfit, &mut |value| {
                // A value stands once, whatever columns of the same name there are.
                let mut standing = self.headers.iter().zip(&cells[..at]);
                if at < begin + n && !standing.any(|(header, cell)| *header == column.header && cell == value) {
                    cells[at].push_str(value);
                    at += 1;
                }
            });
            begin += n;
        }
        for headers in &self.rules.together {
            if !self.is_whole(headers, cells) {
                self.blank(headers, cells);
            }
        }
        for headers in &self.rules.exclusive {
            let filled = headers.iter().position(|header| self.is_whole(std::slice::from_ref(header), cells));
            self.blank(&headers[filled.map_or(headers.len(), |filled| filled + 1)..], cells);
        }
        let keys = self.rules.match_keys.iter().enumerate();
        *matched = keys.filter(|(_, headers)| self.is_whole(headers, cells)).map(|(at, _)| 1 << at).sum();
        *filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).map(|(at, _)| 1 << at).sum();
        if *matched == 0 { Err(unfit.first().copied().unwrap_or(NOTHING_TO_MATCH)) } else { Ok(()) }
    }

    /// Where the text of a line begins that is not the same in every line.
    pub(super) fn n_same(&self, line: &str) -> usize {
        let is_same = |column: &&Column| {
            use Known::{Audience, Campaign, CampaignStatus, Constant};
            matches!(column.field, Field::Known(Constant | Audience | Campaign | CampaignStatus))
        };
        let n_columns = self.rules.columns.iter().take_while(is_same).count();
        let n_bytes = cells(line).take(n_columns).map(|cell| cell.len() + 1).sum::<usize>();
        n_bytes.min(line.len())
    }

    /// Whether a value stands under each of `headers`.
    fn is_whole(&self, headers: &[String], cells: &[String]) -> bool {
        let is_filled = |header: &String| {
            self.headers.iter().zip(cells).any(|(other, cell)| *other == header.as_str() && !cell.is_empty())
        };
        headers.iter().all(is_filled)
    }

    fn blank(&self, headers: &[String], cells: &mut [String]) {
        for (header, cell) in self.headers.iter().zip(cells) {
            if headers.iter().any(|other| other == header) {
                cell.clear();
            }
        }
    }
}
