//! The ways to find those who are like a seed, behind one contract ([`Likeness`]).
//!
//! What a way says is a score: the greater, the more like the seed. Scores of different ways are put on one scale, the
//! distance from the mean of the candidates in standard deviations, before their mean is taken.

use super::bags::{Bagged, Learner, Sample};
use crate::discover::Table;
use crate::error::Result;
use crate::predict::estimator::Contributions;

/// Models of a bag of trees that reasons are taken from.
const EXPLAINED: usize = 4;

/// A way to find those who are like a seed.
pub(super) trait Likeness: Sync {
    /// For each row of the sample it was learned from, the score that models give who have not seen it.
    fn unseen(&self) -> &[f64];

    /// The scores of `rows` of a table.
    fn scores(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>>;
}

/// A scale: the mean and the standard deviation of the candidates of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// The scale of what `values`, a row of `sample` each, are among the candidates.
    pub(super) fn of(values: &[f64], sample: &Sample) -> Self {
        let candidates = &values[sample.n_seed..];
        let n = candidates.len() as f64;
        let mean = candidates.iter().sum::<f64>() / n;
        let variance = candidates.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        let deviation = variance.sqrt();
        Self { mean, deviation: if deviation > 1e-12 { deviation } else { 1.0 } }
    }

    fn apply(self, value: f64) -> f64 {
        (value - self.mean) / self.deviation
    }
}

/// `lookalike`: positive-unlabelled learning with logistic regressions and with boosted trees; the mean of both.
#[derive(Debug)]
pub(super) struct Lookalike {
    parts: [(Bagged, Scale); 2],
    unseen: Vec<f64>,
}

impl Lookalike {
    pub(super) fn learn(sample: &Sample, seed: u64) -> Result<Self> {
        let learn = |learner: Learner| -> Result<(Bagged, Scale)> {
            let bagged = learner.learn(sample, seed)?;
            let scale = Scale::of(&bagged.unseen, sample);
            Ok((bagged, scale))
        };
        let parts = [learn(Learner::Linear)?, learn(Learner::Trees)?];
        let unseen = mean_of(parts.iter().map(|(bagged, scale)| (bagged.unseen.clone(), *scale)));
        Ok(Self { parts, unseen })
    }

    /// The boosted trees.
    pub(super) fn trees(&self) -> &Bagged {
        &self.parts[1].0
    }

    /// How much each feature moved the score of `rows`: the regressions', and a part of the trees'.
    pub(super) fn contributions(&self, table: &Table, rows: &[u32]) -> Result<Contributions> {
        let mut sum = Contributions { values: Vec::new(), average: 0.0 };
        for (bagged, scale) in &self.parts {
            let one = bagged.contributions(EXPLAINED, table, rows)?;
            let share = 1.0 / (scale.deviation * self.parts.len() as f64);
            sum.values.resize(one.values.len(), 0.0);
            sum.values.iter_mut().zip(one.values).for_each(|(sum, value)| *sum += share * value);
        }
        Ok(sum)
    }

    /// The features, in the order of the contributions.
    pub(super) fn features(&self) -> Vec<&str> {
        self.parts[0].0.models[0].features()
    }
}

impl Likeness for Lookalike {
    fn unseen(&self) -> &[f64] {
        &self.unseen
    }

    fn scores(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let each = self.parts.iter().map(|(bagged, scale)| Ok((bagged.margins(table, rows)?, *scale)));
        Ok(mean_of(each.collect::<Result<Vec<_>>>()?))
    }
}

/// The mean of several scores, each on its scale.
pub(super) fn mean_of(scores: impl IntoIterator<Item = (Vec<f64>, Scale)>) -> Vec<f64> {
    let (mut sums, mut n) = (Vec::new(), 0.0);
    for (values, scale) in scores {
        sums.resize(values.len(), 0.0);
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += scale.apply(value));
        n += 1.0;
    }
    sums.into_iter().map(|sum: f64| sum / n).collect()
}

/// For each member of the seed, the share of the candidates whose score is lower (equal ones count half): its mean is the
/// area under the receiver operating characteristic, of hidden members against candidates.
pub(super) fn places(unseen: &[f64], n_seed: usize) -> Vec<f64> {
    let mut candidates = unseen[n_seed..].to_vec();
    candidates.sort_unstable_by(f64::total_cmp);
    let place = |score: &f64| {
        let below = candidates.partition_point(|other| other < score);
        let not_above = candidates.partition_point(|other| other <= score);
        (below + not_above) as f64 / (2.0 * candidates.len() as f64)
    };
    unseen[..n_seed].iter().map(place).collect()
}
