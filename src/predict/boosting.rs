//! Gradient boosting of trees on log loss, and the random forest, both by hessboost.
//!
//! Settings follow the size of the data: few rows get small trees, slow learning and strong penalties, with the mean of
//! models of several seeds; many rows get larger trees and fewer rounds. How many rounds is told by early stopping on
//! the windows. A forest is one round of many deep trees, each on other rows and features.

use std::num::NonZeroUsize;

use hessboost::config::{GrowPolicy, TrainingParams, TreeMethod};
use hessboost::data::{DMatrix, ViewCuts};
use hessboost::metric::EvalMetric;
use hessboost::model::BoostedModel;
use hessboost::objective::{Objective, RegLoss};
use hessboost::training::Trainer;
use rayon::prelude::*;

use super::estimator::{Data, Estimator, Fitted, Prepared, Settings, Tuned, Window};
use super::trees::{Bound, Feature, TreeModel, TreeSettings, features_of, refused};
use crate::error::{Error, Result};

/// A final model sees more rows than those that told its number of rounds: it takes so many more.
const MORE_ROUNDS: f64 = 1.1;

/// Rows that a model is fitted on, and stopped by, while its rounds are searched, at most.
const TUNE_ROWS: [usize; 2] = [150_000, 40_000];

/// Gradient boosting, as the spec names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Boosting;

/// A random forest, as the spec names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forest;

impl Estimator for Boosting {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn prepare<'a>(&'a self, data: Data<'a>, rows: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        let settings = boosting_settings(data, rows);
        Ok(Box::new(PreparedTrees::new(data, rows, settings)?))
    }
}

impl Estimator for Forest {
    fn name(&self) -> &'static str {
        "forest"
    }

    fn prepare<'a>(&'a self, data: Data<'a>, rows: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        let settings = forest_settings(data, rows);
        Ok(Box::new(PreparedTrees::new(data, rows, settings)?))
    }
}

fn boosting_settings(data: Data<'_>, rows: &[u32]) -> TreeSettings {
    let n = rows.len();
    let general = TreeSettings {
        rounds: 1_500,
        learning_rate: 0.03,
        leaves: 6,
        depth: 4,
        min_child_weight: 4.0,
        l2: 10.0,
        row_share: 0.7,
        feature_share: 0.4,
        bins: 256,
        bags: 4,
        parallel_trees: 1,
    };
    let _ = data;
    match n {
        0..=12_000 => general,
        12_001..=60_000 => {
            TreeSettings { leaves: 15, depth: 7, row_share: 0.8, feature_share: 0.4, bags: 3, ..general }
        }
        60_001..=200_000 => TreeSettings {
            learning_rate: 0.06,
            rounds: 600,
            leaves: 31,
            depth: 8,
            min_child_weight: 8.0,
            row_share: 0.8,
            feature_share: 0.5,
            bags: 1,
            ..general
        },
        _ => TreeSettings {
            learning_rate: 0.15,
            rounds: 100,
            leaves: 31,
            depth: 8,
            min_child_weight: 10.0,
            row_share: 0.5,
            feature_share: 0.5,
            bins: 64,
            bags: 1,
            ..general
        },
    }
}

fn forest_settings(data: Data<'_>, _: &[u32]) -> TreeSettings {
    let width = data.table.columns.len().max(1) as f64;
    TreeSettings {
        rounds: 1,
        learning_rate: 1.0,
        leaves: 256,
        depth: 12,
        min_child_weight: 1.0,
        l2: 1.0,
        row_share: 0.63,
        feature_share: (width.sqrt() / width).max(0.05),
        bins: 128,
        bags: 1,
        parallel_trees: 200,
    }
}

/// Rows in a matrix that every fit shares, with its bins.
struct PreparedTrees<'a> {
    data: Data<'a>,
    features: Vec<Feature>,
    matrix: DMatrix,
    /// The prepared rows in the order of the matrix, and for each row of the table its place there.
    place: Vec<u32>,
    settings: TreeSettings,
}

impl<'a> PreparedTrees<'a> {
    fn new(data: Data<'a>, rows: &[u32], settings: TreeSettings) -> Result<Self> {
        let rows = data.in_order(rows);
        let features = features_of(data.table);
        let values = Bound::new(&features, data.table)?.matrix(&rows);
        let labels: Vec<f32> = rows.iter().map(|&row| f32::from(u8::from(data.label[row as usize]))).collect();
        let matrix = DMatrix::from_dense_vec(values, rows.len(), features.len())
            .and_then(|matrix| matrix.with_labels(&labels))
            .map_err(refused)?;
        let mut place = vec![u32::MAX; data.table.n_rows];
        for (at, &row) in (0..).zip(&rows) {
            place[row as usize] = at;
        }
        Ok(Self { data, features, matrix, place, settings })
    }

    /// The rows as a view of the shared matrix, starting from a margin of `offset`.
    fn view(&self, rows: &[u32], offset: f64) -> Result<DMatrix> {
        let places: Vec<usize> = rows.iter().map(|&row| self.place[row as usize] as usize).collect();
        let margins = vec![offset as f32; rows.len()];
        self.matrix
            .select_rows_with_cuts(&places, ViewCuts::Source)
            .and_then(|view| view.with_base_margin(&margins))
            .map_err(refused)
    }

    /// Log odds of the base rate, as a single float holds them.
    fn offset(&self, rows: &[u32]) -> f64 {
        let attained = rows.iter().filter(|&&row| self.data.label[row as usize]).count() as f64;
        f64::from(libm::log((attained + 0.5) / (rows.len() as f64 - attained + 0.5)) as f32)
    }

    fn model(&self, trees: BoostedModel, offset: f64) -> TreeModel {
        TreeModel { features: self.features.clone(), offset, trees }
    }

    /// The margins of the judged rows, and the number of rounds that gave them.
    fn judge(&self, window: &Window) -> Result<(Vec<f64>, usize)> {
        let rows = thinned(self.data.in_order(&window.fit), TUNE_ROWS[0]);
        let offset = self.offset(&rows);
        let train = self.view(&rows, offset)?;
        let watched = self.view(&thinned(self.data.in_order(&window.judge), TUNE_ROWS[1]), offset)?;
        let params = parameters(&self.settings, self.data.seed)?;
        let mut trainer = Trainer::new(&params, &train, self.settings.rounds);
        if self.settings.rounds > 1 {
            trainer = trainer.eval(&watched, "judge").early_stopping_rounds(patience(&self.settings));
        }
        let trees = trainer.train().map_err(refused)?.model;
        let rounds = trees.best_iteration().map_or(trees.num_boost_rounds(), |best| best + 1);
        let margins = self.model(trees, offset).margins(self.data.table, &window.judge)?;
        Ok((margins, rounds))
    }
}

impl Prepared for PreparedTrees<'_> {
    fn tune(&self, windows: &[Window]) -> Result<Tuned> {
        let judged: Result<Vec<(Vec<f64>, usize)>> = windows.par_iter().map(|window| self.judge(window)).collect();
        let (margins, rounds): (Vec<_>, Vec<_>) = judged?.into_iter().unzip();
        let mean = rounds.iter().sum::<usize>() as f64 / rounds.len().max(1) as f64;
        let more = if self.settings.rounds > 1 { (MORE_ROUNDS * mean).ceil() as usize } else { 1 };
        Ok(Tuned { settings: Settings::Trees(TreeSettings { rounds: more.max(1), ..self.settings }), margins })
    }

    fn fit(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        let Settings::Trees(settings) = settings else {
            return Err(Error::internal("trees were given the settings of a logistic regression"));
        };
        let rows = self.data.in_order(rows);
        let offset = self.offset(&rows);
        let train = self.view(&rows, offset)?;
        let grow = |bag: usize| {
            let params = parameters(settings, self.data.seed.wrapping_add(bag as u64))?;
            Ok(Trainer::new(&params, &train, settings.rounds).train().map_err(refused)?.model)
        };
        let bags: Result<Vec<BoostedModel>> = (0..settings.bags.max(1)).into_par_iter().map(grow).collect();
        let trees = BoostedModel::average(&bags?).map_err(refused)?;
        Ok(Fitted::Trees(Box::new(self.model(trees, offset))))
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

fn parameters(settings: &TreeSettings, seed: u64) -> Result<TrainingParams> {
    let forest = settings.parallel_trees > 1;
    let shares = TrainingParams::builder()
        .colsample_bytree(if forest { 1.0 } else { settings.feature_share })
        .colsample_bynode(if forest { settings.feature_share } else { 1.0 });
    shares
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
        .seed(seed & 0x7fff_ffff)
        .build()
        .map_err(refused)
}
