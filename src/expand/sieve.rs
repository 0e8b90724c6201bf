//! The candidates who are left, best first, and for each of the others the one reason why not.

use std::collections::BTreeMap;

use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};

use super::{Ranking, rank};
use crate::error::Result;
use crate::source::People;

/// Candidates on their way through the rules.
pub(super) struct Sieve<'r> {
    ranking: &'r Ranking<'r>,
    /// Rows of the ranking that are left, best first.
    pub rows: Vec<u32>,
    reasons: Vec<String>,
    /// Positions among people with the position of their reason.
    dropped: Vec<(u32, u16)>,
}

impl<'r> Sieve<'r> {
    /// All candidates, best first.
    pub(super) fn new(ranking: &'r Ranking<'r>) -> Self {
        let mut rows: Vec<u32> = (0..).take(ranking.len()).collect();
        rank::best_first(&mut rows, &ranking.score, &ranking.person);
        Self { ranking, rows, reasons: Vec::new(), dropped: Vec::new() }
    }

    /// Positions among people of those who are left.
    pub(super) fn people(&self) -> Vec<u32> {
        self.rows.iter().map(|&row| self.ranking.person[row as usize]).collect()
    }

    /// Drops those who are marked.
    pub(super) fn drop_marked(&mut self, is_marked: &[bool], reason: &str) {
        let reason = self.reason(reason);
        let mut marks = is_marked.iter();
        self.rows.retain(|&row| {
            let is_dropped = marks.next().copied().unwrap_or_default();
            if is_dropped {
                self.dropped.push((self.ranking.person[row as usize], reason));
            }
            !is_dropped
        });
    }

    /// Keeps the first `n`.
    pub(super) fn keep_first(&mut self, n: usize, reason: &str) {
        let reason = self.reason(reason);
        let rest = self.rows.drain(n.min(self.rows.len())..);
        self.dropped.extend(rest.map(|row| (self.ranking.person[row as usize], reason)));
    }

    fn reason(&mut self, reason: &str) -> u16 {
        let known = self.reasons.iter().position(|known| known == reason);
        let at = known.unwrap_or_else(|| {
            self.reasons.push(reason.to_owned());
            self.reasons.len() - 1
        });
        u16::try_from(at).expect("the rules of an audience are few")
    }

    /// How many were dropped, by reason.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = vec![0; self.reasons.len()];
        self.dropped.iter().for_each(|(_, reason)| counts[usize::from(*reason)] += 1);
        self.reasons.iter().cloned().zip(counts).collect()
    }

    /// The table of `dropped.parquet`: person and reason, by person.
    pub(super) fn ledger(&self, people: &People) -> Result<DataFrame> {
        let mut dropped = self.dropped.clone();
        dropped.sort_unstable();
        let ids: Vec<&str> = dropped.iter().map(|(person, _)| people.ids[*person as usize].as_str()).collect();
        let reasons: Vec<&str> =
            dropped.iter().map(|(_, reason)| self.reasons[usize::from(*reason)].as_str()).collect();
        let columns: Vec<Column> =
            vec![Series::new("person".into(), ids).into(), Series::new("reason".into(), reasons).into()];
        Ok(DataFrame::new(dropped.len(), columns)?)
    }
}
