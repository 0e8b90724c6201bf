//! What the model looks at, over everybody: how much each feature weighs, what its values do, and which go together.
//!
//! In: the model that the test judged, and the test rows. Out: [`Importance`] of every feature, [`Dependence`] of the strongest, and the
//! [`Interaction`]s among them. All of it is told of the test part, which the model has not seen, in log odds. It says what the
//! *model* does with a feature, not what the feature does to people.

mod dependence;
mod frames;
mod importance;
mod interactions;

pub use dependence::{Bin, Dependence};
pub use importance::Importance;
pub use interactions::Interaction;

use super::Tested;
use super::estimator::Contributions;
use crate::discover::Examples;
use crate::error::Result;

/// Test rows that are looked at, at most.
const MOST_ROWS: usize = 4_000;
/// Features whose dependence is told.
const DEPENDENCES: usize = 12;
/// Features whose interactions are told.
const INTERACTING: usize = 10;

/// What the model looks at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Insight {
    /// Every feature, the one with the largest mean absolute contribution first.
    pub importance: Vec<Importance>,
    /// The strongest features, in that order.
    pub dependence: Vec<Dependence>,
    /// Pairs of the strongest features, the strongest pair first; none where the model adds features up.
    pub interactions: Vec<Interaction>,
}

/// What `judged` looks at.
///
/// # Errors
/// When the features do not fit the model, which they do.
pub fn insight(examples: &Examples, judged: &Tested, seed: u64) -> Result<Insight> {
    let step = judged.rows.len().div_ceil(MOST_ROWS).max(1);
    let rows: Vec<u32> = judged.rows.iter().copied().step_by(step).collect();
    let contributions = judged.model.contributions(&examples.features, &rows)?;
    let sample = Sample { examples, judged, rows: &rows, contributions: &contributions };
    let importance = importance::importance(&sample, seed)?;
    let features = judged.model.features();
    let strongest: Vec<usize> = importance
        .iter()
        .filter(|one| one.mean_abs_contribution > 0.0)
        .filter_map(|one| features.iter().position(|feature| *feature == one.feature))
        .collect();
    let dependence =
        strongest.iter().take(DEPENDENCES).filter_map(|&feature| dependence::dependence(&sample, feature)).collect();
    let among = &strongest[..strongest.len().min(INTERACTING)];
    let interactions = interactions::interactions(&sample, among)?;
    Ok(Insight { importance, dependence, interactions })
}

/// Some test rows, and how much each feature moved them.
struct Sample<'a> {
    examples: &'a Examples,
    judged: &'a Tested,
    rows: &'a [u32],
    contributions: &'a Contributions,
}

impl Sample<'_> {
    /// The contributions of the feature at this position, a value per row.
    fn of(&self, feature: usize) -> impl Iterator<Item = f64> + '_ {
        let width = self.judged.model.features().len().max(1);
        self.contributions.values.iter().skip(feature).step_by(width).copied()
    }
}

#[cfg(test)]
mod tests;
