//! Positive-unlabelled learning by bagging (Mordelet and Vert 2014): models of a part of the seed against resampled
//! candidates, and what they say of those they did not see.
//!
//! Nobody among the candidates is known to be unlike the seed: some would have been in it. A model of the seed against all of
//! them would learn to tell these from the seed; one against a few, drawn anew for each model, hardly does, and the mean of
//! many such models still sees all of them. Candidates who were drawn are scored by the models that have not seen them.
//!
//! Beside the models that score there are judges: each hides a fifth of the seed, so that every member is scored by models that
//! have not seen them. That tells which method finds hidden members best, and what the list is worth.

use rand::seq::index;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::gaps::Gap;
use crate::discover::Table;
use crate::error::Result;
use crate::predict::boosting::Boosting;
use crate::predict::estimator::{Contributions, Data, Estimator, Fitted, Settings, Window};
use crate::predict::logistic::Logistic;
use crate::predict::trees::TreeSettings;

/// Parts of the seed, each hidden from a bag in turn.
pub(super) const FOLDS: usize = 5;
/// A bag's candidates are at most this share of those to draw from, so that everyone is left out of some bags.
const MOST_CANDIDATES: f64 = 0.6;
/// Candidates that settings are judged on beside the hidden members, at most.
const JUDGES: usize = 5_000;
/// Members below which bags are many and their trees small …
const FEW: usize = 1_000;
/// … of so many leaves, which may be of few rows.
const LEAVES: usize = 8;
const CHILD_WEIGHT: f64 = 1.0;
/// The penalty of leaf values is one for so many members, and grows with the square as they become fewer.
const UNPENALISED: f64 = 450.0;
/// How much a tree of a bag counts: many models are averaged, so that each may learn fast.
const LEARNING_RATE: f64 = 0.08;

/// The seed and a sample of the candidates, with their features.
#[derive(Debug)]
pub(super) struct Sample {
    /// The seed's rows first, then the candidates'.
    pub table: Table,
    pub n_seed: usize,
    /// Values that many candidates have and nobody in the seed …
    pub gaps: Vec<Gap>,
    /// … and the rows of candidates that bags draw from.
    pub support: Vec<u32>,
    /// A hash of the person in each row.
    pub key: Vec<u64>,
    /// How much each of the seed counts.
    pub weight: Option<Vec<f64>>,
}

impl Sample {
    /// All of them.
    pub(super) fn rows(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.table.n_rows).expect("rows are counted in 32 bits")
    }
}

/// Rows of a sample that a model is fitted on, and the members that it does not see.
#[derive(Debug)]
struct Bag {
    rows: Vec<u32>,
    hidden: Vec<u32>,
    /// What the random choices of its model derive from.
    seed: u64,
}

/// How a sample is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learner {
    /// Logistic regression.
    Linear,
    /// Boosted trees.
    Trees,
}

/// Models of bags, and what they say of a sample.
#[derive(Debug)]
pub(super) struct Bagged {
    pub models: Vec<Fitted>,
    /// For each row of the sample the mean margin of the models that have not seen it; of members, who are in every bag, of all.
    pub out_of_bag: Vec<f64>,
    pub judges: Judges,
}

/// Models that hide a part of the seed each.
#[derive(Debug)]
pub(super) struct Judges {
    pub models: Vec<Fitted>,
    /// The members that each has not seen.
    pub hidden: Vec<Vec<u32>>,
    /// For each row of the sample the mean margin of the judges that have not seen it.
    pub unseen: Vec<f64>,
}

impl Learner {
    fn estimator(self) -> Box<dyn Estimator> {
        match self {
            Self::Linear => Box::new(Logistic::default()),
            Self::Trees => Box::new(Boosting::default()),
        }
    }

    /// How many bags, how many judges, and how many candidates there are in a bag for each member.
    fn shape(self, n_seed: usize) -> (usize, usize, f64) {
        match (self, n_seed) {
            (Self::Linear, _) => (FOLDS, FOLDS, 20.0),
            (Self::Trees, ..FEW) => (20, 2 * FOLDS, 3.0),
            (Self::Trees, _) => (10, FOLDS, 3.0),
        }
    }

    /// Learns from `sample`; every random choice derives from `seed`.
    pub(super) fn learn(self, sample: &Sample, seed: u64) -> Result<Bagged> {
        let label: Vec<bool> = (0..sample.table.n_rows).map(|row| row < sample.n_seed).collect();
        let data =
            Data { table: &sample.table, label: &label, weight: None, key: &sample.key, seed, out_of_time: false };
        let (n_bags, n_judges, ratio) = self.shape(sample.n_seed);
        let bags = bags(sample, [n_bags, n_judges], ratio, seed);
        let (bags, judged) = bags.split_at(n_bags);
        let all: Vec<u32> = sample.rows().collect();
        let estimator = self.estimator();
        let prepared = estimator.prepare(data, &all)?;
        let windows: Vec<Window> = judged.iter().take(FOLDS).map(|bag| window(bag, sample)).collect();
        let settings = of_bag(prepared.tune(&windows)?.settings, sample.n_seed);
        // Each bag has a seed of its own, so that their trees look at other features.
        let fit = |bags: &[Bag]| {
            let one = |(at, bag): (usize, &Bag)| {
                let data = Data { seed: bag.seed, ..data };
                estimator.prepare(data, &all)?.fit(&bag.rows, &of_one(&settings, at))
            };
            bags.iter().enumerate().map(one).collect::<Result<Vec<Fitted>>>()
        };
        let (models, judges) = (fit(bags)?, fit(judged)?);
        Ok(Bagged {
            out_of_bag: unseen(&models, bags, sample)?,
            models,
            judges: Judges {
                unseen: unseen(&judges, judged, sample)?,
                models: judges,
                hidden: judged.iter().map(|bag| bag.hidden.clone()).collect(),
            },
        })
    }
}

impl Bagged {
    /// The mean margin of `rows` of a table that holds nobody of the sample's candidates.
    pub(super) fn margins(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let mut sums = vec![0.0; rows.len()];
        for model in &self.models {
            sums.iter_mut().zip(model.margins(table, rows)?).for_each(|(sum, margin)| *sum += margin);
        }
        let n = self.models.len() as f64;
        Ok(sums.into_iter().map(|sum| sum / n).collect())
    }

    /// How much each feature moved the margin of `rows`, by the first `n_models` models.
    pub(super) fn contributions(&self, n_models: usize, table: &Table, rows: &[u32]) -> Result<Contributions> {
        let models = &self.models[..n_models.min(self.models.len())];
        let mut sum = Contributions { values: Vec::new(), average: 0.0 };
        for model in models {
            let one = model.contributions(table, rows)?;
            sum.values.resize(one.values.len(), 0.0);
            sum.values.iter_mut().zip(one.values).for_each(|(sum, value)| *sum += value / models.len() as f64);
            sum.average += one.average / models.len() as f64;
        }
        Ok(sum)
    }
}

/// Bags of a sample, which hold all members, then judges, each of which hides a part of them in turn; each draws candidates anew.
fn bags(sample: &Sample, [n_bags, n_judges]: [usize; 2], ratio: f64, seed: u64) -> Vec<Bag> {
    let mut by_key: Vec<u32> = (0..).take(sample.n_seed).collect();
    by_key.sort_unstable_by_key(|&row| (sample.key[row as usize], row));
    let n_folds = FOLDS.min(sample.n_seed);
    let n_candidates = sample.support.len();
    let wanted = (ratio * sample.n_seed as f64).max(500.0).min(MOST_CANDIDATES * n_candidates as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of rows")]
    let wanted = (wanted.ceil() as usize).clamp(1, n_candidates);
    let bag = |at: usize| {
        let seed = seed ^ (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let is_hidden = |place: usize| at >= n_bags && n_folds > 1 && place % n_folds == (at - n_bags) % n_folds;
        let part = |hidden: bool| {
            by_key.iter().enumerate().filter(move |(place, _)| is_hidden(*place) == hidden).map(|(_, &row)| row)
        };
        let shown: Vec<u32> = part(false).collect();
        let mut rows = match &sample.weight {
            None => shown,
            Some(weight) => drawn_by_weight(&shown, weight, &mut random),
        };
        let mut drawn = index::sample(&mut random, n_candidates, wanted).into_vec();
        drawn.sort_unstable();
        rows.extend(drawn.into_iter().map(|at| sample.support[at]));
        Bag { rows, hidden: part(true).collect(), seed }
    };
    (0..n_bags + n_judges).map(bag).collect()
}

/// As many as there are, each as often as their weight says.
fn drawn_by_weight(rows: &[u32], weight: &[f64], random: &mut ChaCha8Rng) -> Vec<u32> {
    let mut sum = 0.0;
    let sums: Vec<f64> = rows
        .iter()
        .map(|&row| {
            sum += weight[row as usize];
            sum
        })
        .collect();
    if sum <= 0.0 {
        return rows.to_vec();
    }
    let draw = |_| {
        let at: f64 = random.random::<f64>() * sum;
        rows[sums.partition_point(|&sum| sum <= at).min(rows.len() - 1)]
    };
    (0..rows.len()).map(draw).collect()
}

/// Fit on a bag, judge on its hidden members and on candidates that it does not hold.
fn window(bag: &Bag, sample: &Sample) -> Window {
    let mut is_fitted = vec![false; sample.table.n_rows];
    bag.rows.iter().for_each(|&row| is_fitted[row as usize] = true);
    let left: Vec<u32> = sample.support.iter().copied().filter(|&row| !is_fitted[row as usize]).collect();
    let step = left.len().div_ceil(JUDGES).max(1);
    let judge = bag.hidden.iter().copied().chain(left.into_iter().step_by(step)).collect();
    Window { fit: bag.rows.clone(), judge }
}

/// Settings for a bag, which is smaller than the sample they were found on: small trees that learn fast, for many are averaged;
/// the fewer members, the stronger the penalty.
fn of_bag(settings: Settings, n_seed: usize) -> Settings {
    match settings {
        Settings::Trees(trees) => {
            let few = n_seed < FEW;
            let learning_rate = trees.learning_rate.max(LEARNING_RATE);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounds are few")]
            let rounds = (trees.rounds as f64 * trees.learning_rate / learning_rate).ceil() as usize;
            Settings::Trees(TreeSettings {
                learning_rate,
                rounds: rounds.max(10),
                leaves: if few { trees.leaves.min(LEAVES) } else { trees.leaves },
                min_child_weight: if few { CHILD_WEIGHT } else { trees.min_child_weight },
                l2: (UNPENALISED / n_seed as f64).powi(2).clamp(1.0, trees.l2.max(1.0)),
                bags: 1,
                ..trees
            })
        }
        others => others,
    }
}

/// Settings for the bag at a place. Where cuts are drawn at random, they are for every other bag: whether that ranks better is not
/// what log loss tells, and models of two kinds err apart.
fn of_one(settings: &Settings, at: usize) -> Settings {
    match settings {
        Settings::Trees(trees) => {
            Settings::Trees(TreeSettings { random_cuts: trees.random_cuts && at.is_multiple_of(2), ..*trees })
        }
        others => others.clone(),
    }
}

fn unseen(models: &[Fitted], bags: &[Bag], sample: &Sample) -> Result<Vec<f64>> {
    let n_rows = sample.table.n_rows;
    let all: Vec<u32> = sample.rows().collect();
    let (mut sums, mut counts) = (vec![0.0; n_rows], vec![0_u32; n_rows]);
    let mut seen = vec![0.0; n_rows];
    for (model, bag) in models.iter().zip(bags) {
        let mut is_fitted = vec![false; n_rows];
        bag.rows.iter().for_each(|&row| is_fitted[row as usize] = true);
        // A member who is neither hidden nor drawn by weight is still one whom the settings know.
        (0..sample.n_seed).for_each(|row| is_fitted[row] = true);
        bag.hidden.iter().for_each(|&row| is_fitted[row as usize] = false);
        for (row, margin) in model.margins(&sample.table, &all)?.into_iter().enumerate() {
            seen[row] += margin / models.len() as f64;
            if !is_fitted[row] {
                sums[row] += margin;
                counts[row] += 1;
            }
        }
    }
    let mean = |row: usize| if counts[row] > 0 { sums[row] / f64::from(counts[row]) } else { seen[row] };
    Ok((0..n_rows).into_par_iter().map(mean).collect())
}
