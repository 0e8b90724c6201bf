//! What is known of the rows that were scored: added up batch by batch, part by part, always in the order of the rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::predict::drift::Tally;

/// Counts and sums over some rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Rows read.
    pub(super) n_read: u64,
    /// Rows written.
    pub(super) n_people: u64,
    /// Rows with a propensity.
    pub(super) n_eligible: u64,
    /// The sum of the propensities.
    pub(super) sum: f64,
    /// Rows that were not used, by reason.
    pub(super) rejected: BTreeMap<String, u64>,
    /// How features and scores are spread; absent when the model has nothing to compare them with.
    pub(super) tally: Option<Tally>,
}

impl Facts {
    pub(super) fn join(&mut self, other: Self) {
        self.n_read += other.n_read;
        self.n_people += other.n_people;
        self.n_eligible += other.n_eligible;
        self.sum += other.sum;
        for (reason, rows) in other.rejected {
            *self.rejected.entry(reason).or_default() += rows;
        }
        match (&mut self.tally, other.tally) {
            (Some(tally), Some(other)) => tally.join(&other),
            (tally @ None, other) => *tally = other,
            (Some(_), None) => {}
        }
    }

    pub(super) fn mean_propensity(&self) -> Option<f64> {
        (self.n_eligible > 0).then(|| self.sum / self.n_eligible as f64)
    }

    /// Refuses rows of which there are none, or most cannot be used: the output would say that all is well.
    pub(super) fn check(&self, input: &str) -> Result<()> {
        if self.n_read == 0 {
            return Err(
                Error::data(format!("{input} has no rows")).hint("a table needs at least one row below its header")
            );
        }
        let n_rejected: u64 = self.rejected.values().sum();
        let commonest = self.rejected.iter().max_by_key(|(reason, rows)| (**rows, std::cmp::Reverse(*reason)));
        match commonest {
            Some((reason, rows)) if n_rejected * 2 > self.n_read => {
                Err(Error::data(format!("{n_rejected} of {} rows of {input} cannot be used", self.n_read))
                    .hint(format!("the commonest reason ({rows} rows): {reason}")))
            }
            _ => Ok(()),
        }
    }
}
