//! The ways to find those who are like a seed, behind one contract ([`Likeness`]).
//!
//! What a way says is a score: the greater, the more like the seed. Scores of different ways are put on one scale, the
//! distance from the mean of the candidates in standard deviations, before their mean is taken.

use super::bags::{Bagged, Learner, Sample};
use super::choose::gain;
use crate::discover::Table;
use crate::error::Result;
use crate::predict::estimator::Contributions;

/// Judges of trees are fewer than the models that score, so that trees look worse than they are: by so many standard errors.
const JUDGED_LOW: f64 = 1.0;
/// Standard errors of a gain by which the share of what gains goes most of the way to all.
const CERTAIN: f64 = 3.0;
/// Models of a bag of trees that reasons are taken from.
const EXPLAINED: usize = 4;

/// A way to find those who are like a seed.
pub(super) trait Likeness: Sync {
    /// For each row of the sample it was learned from, the score that judges give who have not seen it: members are hidden from
    /// some of them.
    fn judged(&self) -> &[f64];

    /// For each row of the sample the score that the models give who have not seen it; members are in all of them.
    fn out_of_bag(&self) -> &[f64];

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

/// `lookalike`: positive-unlabelled learning with logistic regressions and with boosted trees; the mean of both, in which the
/// one counts more that finds hidden members better.
#[derive(Debug)]
pub(super) struct Lookalike {
    parts: [Part; 2],
    judged: Vec<f64>,
    out_of_bag: Vec<f64>,
}

#[derive(Debug)]
struct Part {
    bagged: Bagged,
    scale: Scale,
    /// How much it counts in the mean.
    share: f64,
}

impl Lookalike {
    pub(super) fn learn(sample: &Sample, seed: u64) -> Result<Self> {
        let learned = [Learner::Linear.learn(sample, seed)?, Learner::Trees.learn(sample, seed)?];
        let shares = shares(&learned, sample);
        let of_judges = learned.iter().zip(shares).map(|(bagged, share)| {
            let unseen = &bagged.judges.unseen;
            (unseen.clone(), Scale::of(unseen, sample), share)
        });
        let judged = mean_of(of_judges);
        let [linear, trees] = learned;
        let part = |bagged: Bagged, share: f64| Part { scale: Scale::of(&bagged.out_of_bag, sample), bagged, share };
        let parts = [part(linear, shares[0]), part(trees, shares[1])];
        let out_of_bag = mean_of(parts.iter().map(|part| (part.bagged.out_of_bag.clone(), part.scale, part.share)));
        Ok(Self { parts, judged, out_of_bag })
    }

    /// The boosted trees.
    pub(super) fn trees(&self) -> &Bagged {
        &self.parts[1].bagged
    }

    /// How much each feature moved the score of `rows`: the regressions', and a part of the trees'.
    pub(super) fn contributions(&self, table: &Table, rows: &[u32]) -> Result<Contributions> {
        let mut sum = Contributions { values: Vec::new(), average: 0.0 };
        for Part { bagged, scale, share } in &self.parts {
            let one = bagged.contributions(EXPLAINED, table, rows)?;
            sum.values.resize(one.values.len(), 0.0);
            sum.values.iter_mut().zip(one.values).for_each(|(sum, value)| *sum += share / scale.deviation * value);
        }
        Ok(sum)
    }

    /// The features, in the order of the contributions.
    pub(super) fn features(&self) -> Vec<&str> {
        self.parts[0].bagged.models[0].features()
    }
}

/// How much regressions and trees count: the further one places hidden members above where the other does, in standard errors,
/// the more. Candidates from where the seed was not gathered do not count, for to tell them from it says nothing of likeness.
fn shares(learned: &[Bagged; 2], sample: &Sample) -> [f64; 2] {
    let rows = || sample.rows().take(sample.n_seed).chain(sample.support.iter().copied());
    let [linear, trees] = learned.each_ref().map(|bagged| {
        let unseen: Vec<f64> = rows().map(|row| bagged.judges.unseen[row as usize]).collect();
        places(&unseen, sample.n_seed)
    });
    let (mean, error) = gain(&linear, &trees);
    let trees = 0.5 + 0.5 * libm::tanh((mean / error.max(1e-12) + JUDGED_LOW) / CERTAIN);
    [1.0 - trees, trees]
}

impl Likeness for Lookalike {
    fn judged(&self) -> &[f64] {
        &self.judged
    }

    fn out_of_bag(&self) -> &[f64] {
        &self.out_of_bag
    }

    fn scores(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let each = self.parts.iter().map(|part| Ok((part.bagged.margins(table, rows)?, part.scale, part.share)));
        Ok(mean_of(each.collect::<Result<Vec<_>>>()?))
    }
}

/// The mean of several scores, each on its scale and with its share.
pub(super) fn mean_of(scores: impl IntoIterator<Item = (Vec<f64>, Scale, f64)>) -> Vec<f64> {
    let (mut sums, mut shares) = (Vec::new(), 0.0);
    for (values, scale, share) in scores {
        sums.resize(values.len(), 0.0);
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += share * scale.apply(value));
        shares += share;
    }
    sums.into_iter().map(|sum: f64| sum / shares).collect()
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
