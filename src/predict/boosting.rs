//! Gradient boosting of trees on log loss, and the random forest, both by hessboost.
//!
//! Settings follow the size of the data ([`super::sizes`]): few rows get small trees, slow learning and strong penalties, with
//! the mean of models of several seeds; many rows get larger trees and fewer rounds. A feature that never differs cannot be cut and
//! is kept from the trees while they grow. A few sizes of trees are tried, and how
//! many rounds they take is told by early stopping on the windows. A forest is one round of many deep trees, each on other rows
//! and features.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use hessboost::config::{ExtraTrees, GrowPolicy, Monotone, TrainingParams, TreeMethod};
use hessboost::data::DMatrix;
use hessboost::metric::EvalMetric;
use hessboost::model::BoostedModel;
use hessboost::objective::{Objective, RegLoss};
use hessboost::training::Trainer;
use rayon::prelude::*;

use super::encode::encode;
use super::estimator::{Data, Estimator, Fitted, Prepared, Settings, Trial, Tuned, Window};
use super::judge::{tempered, windowed_loss};
use super::search::Search;
use super::sizes;
use super::trees::{Bound, Feature, TreeModel, TreeSettings, features_of, refused};
use super::widen::widened;
use crate::error::{Error, Result};
use crate::spec::Direction;

/// A final model sees more rows than those that told its number of rounds: it takes so many more.
const MORE_ROUNDS: f64 = 1.1;
/// Rows that a model is fitted on, and stopped by, while its rounds are searched, at most.
const TUNE_ROWS: [usize; 2] = [150_000, 40_000];

/// Gradient boosting, as the spec names it.
#[derive(Clone, Default)]
pub struct Boosting {
    /// Features that may only raise, or only lower, the score.
    pub monotone: BTreeMap<String, Direction>,
    /// How settings are searched for; absent: a few that are built in are tried.
    pub search: Option<Search>,
}

/// A random forest, as the spec names it.
#[derive(Clone, Default)]
pub struct Forest {
    /// Features that may only raise, or only lower, the score.
    pub monotone: BTreeMap<String, Direction>,
    /// How settings are searched for; absent: the built-in ones are taken.
    pub search: Option<Search>,
}

impl Estimator for Boosting {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn prepare<'a>(&'a self, data: Data<'a>, rows: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(PreparedTrees {
            search: self.search.as_ref(),
            ..PreparedTrees::new(self.name(), data, &self.monotone, sizes::of_boosting(rows.len()))
        }))
    }
}

impl Estimator for Forest {
    fn name(&self) -> &'static str {
        "forest"
    }

    fn prepare<'a>(&'a self, data: Data<'a>, _: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        let width = data.table.columns.len();
        Ok(Box::new(PreparedTrees {
            search: self.search.as_ref(),
            ..PreparedTrees::new(self.name(), data, &self.monotone, sizes::of_forest(width))
        }))
    }
}

/// Features as trees take them, and the settings that are tried.
pub(super) struct PreparedTrees<'a> {
    estimator: &'static str,
    data: Data<'a>,
    features: Vec<Feature>,
    monotone: Vec<Monotone>,
    tried: Vec<TreeSettings>,
    search: Option<&'a Search>,
}

/// Rows as trees learn from them: the features that differ among them.
struct Sample {
    matrix: DMatrix,
    /// Where these stand among all features.
    places: Vec<usize>,
    /// Of all features.
    codes: Vec<Vec<f32>>,
    /// Log odds of the base rate, as a single float holds them.
    offset: f64,
}

/// A window as trees see it.
struct Seen<'a> {
    window: &'a Window,
    sample: Sample,
    watched: DMatrix,
}

/// What one setting did on the windows.
pub(super) struct Judged {
    /// The settings, with the rounds that a fit to all takes.
    pub(super) settings: TreeSettings,
    /// The mean recalibrated log loss.
    pub(super) loss: f64,
    /// For each window the margins of its judged rows.
    pub(super) margins: Vec<Vec<f64>>,
}

impl<'a> PreparedTrees<'a> {
    pub(super) fn new(
        estimator: &'static str,
        data: Data<'a>,
        monotone: &BTreeMap<String, Direction>,
        tried: Vec<TreeSettings>,
    ) -> Self {
        let features = features_of(data.table);
        let direction = |feature: &Feature| match monotone.get(&feature.name) {
            Some(Direction::Up) => Monotone::Increasing,
            Some(Direction::Down) => Monotone::Decreasing,
            None => Monotone::None,
        };
        let monotone = if monotone.is_empty() { Vec::new() } else { features.iter().map(direction).collect() };
        Self { estimator, data, features, monotone, tried, search: None }
    }

    pub(super) fn estimator(&self) -> &'static str {
        self.estimator
    }

    pub(super) fn seed(&self) -> u64 {
        self.data.seed
    }

    pub(super) fn in_order(&self, rows: &[u32]) -> Vec<u32> {
        self.data.in_order(rows)
    }

    fn sample(&self, rows: &[u32]) -> Result<Sample> {
        let levels: Vec<Option<&Vec<String>>> = self.features.iter().map(|feature| feature.levels.as_ref()).collect();
        let (mut codes, mut learned) = (Vec::new(), Vec::new());
        for encoded in encode(self.data, &levels, rows) {
            codes.push(encoded.codes);
            learned.push(encoded.learned);
        }
        let bound = Bound::new(&self.features, &codes, self.data.table)?;
        let mut places = bound.differing(rows);
        if places.is_empty() {
            places.push(0);
        }
        let width = places.len();
        let mut values = bound.only(&places).matrix(rows);
        for (column, &place) in places.iter().enumerate() {
            let numbers = learned[place].iter().flatten();
            for (cell, number) in values[column..].iter_mut().step_by(width).zip(numbers) {
                *cell = *number;
            }
        }
        let offset = f64::from(self.data.base_log_odds(rows) as f32);
        let matrix = self.matrix(rows, (values, width), offset, self.data.weights(rows))?;
        Ok(Sample { matrix, places, codes, offset })
    }

    /// The matrix of `rows`, from their values and how many each has.
    fn matrix(
        &self,
        rows: &[u32],
        (values, width): (Vec<f32>, usize),
        offset: f64,
        weights: Option<Vec<f64>>,
    ) -> Result<DMatrix> {
        let labels: Vec<f32> = rows.iter().map(|&row| f32::from(u8::from(self.data.label[row as usize]))).collect();
        let margins = vec![offset as f32; rows.len()];
        let matrix = DMatrix::from_dense_vec(values, rows.len(), width)
            .and_then(|matrix| matrix.with_labels(&labels))
            .and_then(|matrix| matrix.with_base_margin(&margins))
            .map_err(refused)?;
        let Some(weights) = weights else { return Ok(matrix) };
        matrix.with_weights(&weights.into_iter().map(|weight| weight as f32).collect::<Vec<_>>()).map_err(refused)
    }

    /// A window whose judged rows start from their own base rate: what stops the rounds is the ranking, not a level that
    /// moved in the meantime.
    fn seen<'w>(&self, window: &'w Window) -> Result<Seen<'w>> {
        let thin = |rows: &[u32], most| self.data.neighbours_together(thinned(self.data.in_order(rows), most));
        let sample = self.sample(&thin(&window.fit, TUNE_ROWS[0]))?;
        let rows = thin(&window.judge, TUNE_ROWS[1]);
        let bound = Bound::new(&self.features, &sample.codes, self.data.table)?.only(&sample.places);
        let unweighted = Data { weight: None, ..self.data };
        let values = (bound.matrix(&rows), sample.places.len());
        let watched = self.matrix(&rows, values, unweighted.base_log_odds(&rows), None)?;
        Ok(Seen { window, sample, watched })
    }

    /// The margins of the judged rows, and the number of rounds that gave them.
    fn judge(&self, seen: &Seen<'_>, settings: &TreeSettings) -> Result<(Vec<f64>, usize)> {
        let params = self.parameters(settings, self.data.seed, &seen.sample.places)?;
        let mut trainer = Trainer::new(&params, &seen.sample.matrix, settings.rounds);
        if settings.rounds > 1 {
            trainer = trainer.eval(&seen.watched, "judge").early_stopping_rounds(patience(settings));
        }
        let trees = trainer.train().map_err(refused)?.model;
        let rounds = trees.best_iteration().map_or(trees.num_boost_rounds(), |best| best + 1);
        let model = self.narrow(trees, &seen.sample);
        Ok((model.margins(self.data.table, &seen.window.judge)?, rounds))
    }

    /// What each of `tried` does on `windows`.
    pub(super) fn judge_all(&self, tried: &[TreeSettings], windows: &[Window]) -> Result<Vec<Judged>> {
        let seen: Result<Vec<Seen<'_>>> = windows.par_iter().map(|window| self.seen(window)).collect();
        let seen = seen?;
        let pairs: Vec<(&TreeSettings, &Seen<'_>)> =
            tried.iter().flat_map(|settings| seen.iter().map(move |seen| (settings, seen))).collect();
        let judged: Result<Vec<(Vec<f64>, usize)>> =
            pairs.par_iter().map(|(settings, seen)| self.judge(seen, settings)).collect();
        let labels: Vec<Vec<bool>> = windows.iter().map(|window| self.data.labels(&window.judge)).collect();
        let mut judged = judged?.into_iter();
        let of_settings = |settings: &TreeSettings| {
            let (margins, rounds): (Vec<_>, Vec<_>) = judged.by_ref().take(windows.len()).unzip();
            let pairs = margins.iter().zip(&labels).map(|(margins, labels)| (margins.as_slice(), labels.as_slice()));
            let mean = rounds.iter().sum::<usize>() as f64 / rounds.len().max(1) as f64;
            let rounds = if settings.rounds > 1 { (MORE_ROUNDS * mean).ceil() as usize } else { 1 };
            let settings = TreeSettings { rounds: rounds.max(1), ..*settings };
            Judged { settings, loss: windowed_loss(pairs, tempered(self.data, windows)), margins }
        };
        Ok(tried.iter().map(of_settings).collect())
    }

    /// The model of all features.
    fn model(&self, trees: BoostedModel, sample: Sample) -> Result<TreeModel> {
        let trees = widened(trees, &sample.places, self.features.len())?;
        Ok(TreeModel { features: self.features.clone(), codes: sample.codes, offset: sample.offset, trees })
    }

    /// The model of the features that differ, which serves where only margins are asked for; unlike one that was widened, it
    /// remembers its best round.
    fn narrow(&self, trees: BoostedModel, sample: &Sample) -> TreeModel {
        let features = sample.places.iter().map(|&place| self.features[place].clone()).collect();
        let codes = sample.places.iter().map(|&place| sample.codes[place].clone()).collect();
        TreeModel { features, codes, offset: sample.offset, trees }
    }

    fn parameters(&self, settings: &TreeSettings, seed: u64, places: &[usize]) -> Result<TrainingParams> {
        let monotone = places.iter().filter_map(|&place| self.monotone.get(place).copied());
        let forest = settings.parallel_trees > 1;
        let seed = seed & 0x7fff_ffff;
        let mut builder = TrainingParams::builder()
            .colsample_bytree(if forest { 1.0 } else { settings.feature_share })
            .colsample_bynode(if forest { settings.feature_share } else { 1.0 })
            .objective(Objective::BinaryLogistic(RegLoss::default()))
            .eval_metric(EvalMetric::LogLoss)
            // A probability of one half is a margin of exactly zero: the offset travels as the rows' base margin.
            .base_score(0.5)
            .tree_method(TreeMethod::Hist)
            .grow_policy(GrowPolicy::LossGuide)
            .max_leaves(settings.leaves)
            .max_depth(settings.depth)
            .eta(settings.learning_rate)
            .min_child_weight(settings.min_child_weight)
            .lambda(settings.l2)
            .subsample(settings.row_share)
            .max_bin(settings.bins)
            .num_parallel_tree(settings.parallel_trees)
            .monotone_constraints(monotone.collect::<Vec<_>>())
            .seed(seed);
        if settings.random_cuts {
            builder = builder.extra_trees(ExtraTrees::with_seed(seed));
        }
        builder.build().map_err(refused)
    }
}

impl Prepared for PreparedTrees<'_> {
    fn tune(&self, windows: &[Window]) -> Result<Tuned> {
        if let Some(search) = self.search {
            return search.run(self, &self.tried, windows);
        }
        let judged = self.judge_all(&self.tried, windows)?;
        let trial = |(number, judged): (usize, &Judged)| Trial {
            estimator: self.estimator.to_owned(),
            number,
            settings: Settings::Trees(judged.settings),
            n_windows: windows.len(),
            row_share: 1.0,
            loss: judged.loss,
        };
        let trials = judged.iter().enumerate().map(trial).collect();
        let best = judged.into_iter().reduce(|best, next| if next.loss < best.loss { next } else { best });
        let best = best.ok_or_else(|| Error::internal("no settings of trees were tried"))?;
        Ok(Tuned { settings: Settings::Trees(best.settings), margins: best.margins, trials })
    }

    fn fit(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        let Settings::Trees(settings) = settings else {
            return Err(Error::internal("trees were given the settings of another kind of model"));
        };
        let sample = self.sample(&self.data.neighbours_together(self.data.in_order(rows)))?;
        let grow = |bag: usize| {
            let params = self.parameters(settings, self.data.seed.wrapping_add(bag as u64), &sample.places)?;
            Ok(Trainer::new(&params, &sample.matrix, settings.rounds).train().map_err(refused)?.model)
        };
        let bags: Result<Vec<BoostedModel>> = (0..settings.bags.max(1)).into_par_iter().map(grow).collect();
        let trees = BoostedModel::average(&bags?).map_err(refused)?;
        Ok(Fitted::Trees(Box::new(self.model(trees, sample)?)))
    }
}

/// Evenly spaced rows, `most` at most.
fn thinned(rows: Vec<u32>, most: usize) -> Vec<u32> {
    let step = rows.len().div_ceil(most).max(1);
    rows.into_iter().step_by(step).collect()
}

fn patience(settings: &TreeSettings) -> NonZeroUsize {
    let rounds = (1.2 / settings.learning_rate).clamp(12.0, 50.0) as usize;
    NonZeroUsize::new(rounds).expect("clamped to at least ten")
}
