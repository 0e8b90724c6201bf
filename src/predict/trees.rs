//! A fitted sum of trees (hessboost), and the matrix that it reads.
//!
//! Numbers go in as they are; gaps, and what is not finite, are missing, which trees know how to handle. A category goes in as
//! the number that [`super::encode`] found for its level. The model's own intercept is zero: [`TreeModel::offset`] is added in double precision, so that nothing is lost when the trees are written as XGBoost
//! JSON, which keeps a probability in its place.

use hessboost::data::DMatrix;
use hessboost::model::{BoostedModel, Iterations};
use hessboost::tree::RegTree;
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::estimator::Contributions;
use super::leaf_masks::LeafMasks;
use super::shap::Explainer;
use super::xgboost::{Document, Written};
use crate::discover::{Cells, Column, Table};
use crate::error::{Error, Result};

/// Rows scored at a time.
const CHUNK: usize = 16_384;
/// Rows from which on it pays to lay trees out for them.
const MANY: usize = 4_096;

/// What trees are grown with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TreeSettings {
    /// Trees, one after the other.
    pub rounds: usize,
    /// How much each tree counts.
    pub learning_rate: f64,
    /// Leaves of a tree, at most.
    pub leaves: usize,
    /// Splits between root and leaf, at most.
    pub depth: usize,
    /// Σ p (1 − p) of a leaf, at least.
    pub min_child_weight: f64,
    /// L2 penalty of leaf values.
    pub l2: f64,
    /// Share of the rows that a tree sees.
    pub row_share: f64,
    /// Share of the features that a tree sees.
    pub feature_share: f64,
    /// Bins that a number is cut into.
    pub bins: usize,
    /// Models of different seeds whose mean is taken.
    pub bags: usize,
    /// Whether cuts are drawn at random, and the best of them taken.
    pub random_cuts: bool,
    /// Trees of one round (a forest has one round of many).
    pub parallel_trees: usize,
}

/// `margin = offset + Σ trees`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TreeModel {
    /// The features, in the order of the trees' columns.
    pub features: Vec<Feature>,
    /// For each feature what its levels count as, in their order, and at last what a gap and a level never seen do; nothing for
    /// a number.
    #[serde(deserialize_with = "read_codes")]
    pub codes: Vec<Vec<f32>>,
    /// The margin before any tree.
    pub offset: f64,
    /// The trees, as XGBoost writes them.
    #[serde(serialize_with = "write_trees", deserialize_with = "read_trees")]
    pub trees: BoostedModel,
}

/// A column of the trees' matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// The levels of a category, sorted; absent for a number.
    pub levels: Option<Vec<String>>,
}

impl TreeModel {
    /// See [`super::estimator::Fitted::features`].
    #[must_use]
    pub fn features(&self) -> Vec<&str> {
        self.features.iter().map(|feature| feature.name.as_str()).collect()
    }

    /// See [`super::estimator::Fitted::margins`].
    ///
    /// # Errors
    /// When the table lacks a feature or holds it in another form.
    pub fn margins(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let bound = Bound::new(&self.features, &self.codes, table)?;
        let margin = |&sum: &f32| self.offset + f64::from(sum);
        if rows.len() >= MANY
            && let Some(masks) = LeafMasks::new(&self.trees)
        {
            return Ok(masks.sums(&bound, rows).iter().map(margin).collect());
        }
        let mut margins = Vec::with_capacity(rows.len());
        for rows in rows.chunks(CHUNK) {
            let sums = self.trees.predict_margin_rows(&bound.matrix(rows), Iterations::Best).map_err(refused)?;
            margins.extend(sums.as_slice().iter().map(margin));
        }
        Ok(margins)
    }

    /// The leaf that each of `rows` falls into in the first `n_rounds` trees: a row after the other.
    ///
    /// # Errors
    /// As [`TreeModel::margins`]; when a tree has more leaves than a byte can number.
    pub fn leaves(&self, n_rounds: usize, table: &Table, rows: &[u32]) -> Result<Vec<u8>> {
        let bound = Bound::new(&self.features, &self.codes, table)?;
        let n_rounds = n_rounds.min(self.trees.num_boost_rounds());
        let mut leaves = Vec::with_capacity(rows.len() * n_rounds);
        for rows in rows.chunks(CHUNK) {
            let matrix =
                DMatrix::from_dense_vec(bound.matrix(rows), rows.len(), self.features.len()).map_err(refused)?;
            let found = self.trees.predict_leaf(&matrix, ..n_rounds).map_err(refused)?;
            for &leaf in found.as_slice() {
                leaves.push(u8::try_from(leaf).map_err(|_| Error::internal("a tree has more than 255 nodes"))?);
            }
        }
        Ok(leaves)
    }

    /// See [`super::estimator::Fitted::contributions`].
    ///
    /// # Errors
    /// As [`TreeModel::margins`].
    pub fn contributions(&self, table: &Table, rows: &[u32]) -> Result<Contributions> {
        let bound = Bound::new(&self.features, &self.codes, table)?;
        let explainer = Explainer::new(&self.trees, self.offset);
        let mut values = Vec::with_capacity(rows.len() * self.features.len());
        for rows in rows.chunks(CHUNK) {
            values.extend(explainer.contributions(&bound.matrix(rows)));
        }
        let average = explainer.average();
        Ok(Contributions { values, average })
    }

    /// How much pairs of `features` (positions) moved each of `rows` together: see [`Explainer::interactions_among`].
    ///
    /// # Errors
    /// As [`TreeModel::margins`].
    pub fn interactions(&self, table: &Table, rows: &[u32], features: &[usize]) -> Result<Vec<f64>> {
        let bound = Bound::new(&self.features, &self.codes, table)?;
        Ok(Explainer::new(&self.trees, self.offset).interactions_among(&bound.matrix(rows), features))
    }

    /// See [`super::estimator::Fitted::check`]; the trees themselves are checked as they are read.
    ///
    /// # Errors
    /// When the trees do not fit the features.
    pub fn check(&self) -> Result<()> {
        let sorted = |levels: &Vec<String>| levels.windows(2).all(|pair| pair[0] < pair[1]);
        let levels_sound = self.features.iter().all(|feature| feature.levels.as_ref().is_none_or(sorted));
        let coded = self.codes.len() == self.features.len()
            && self.features.iter().zip(&self.codes).all(|(feature, codes)| {
                let wanted = feature.levels.as_ref().map_or(0, |levels| levels.len() + 1);
                codes.len() == wanted && codes.iter().rev().skip(1).all(|code| code.is_finite())
            });
        let width_fits = self.trees.n_features() == self.features.len() && self.trees.n_outputs() == 1;
        if levels_sound && coded && width_fits && self.offset.is_finite() {
            Ok(())
        } else {
            Err(Error::data("the trees of the model do not fit its features"))
        }
    }
}

/// The trees that score, each with what its values are weighed by.
pub(super) fn weighed(model: &BoostedModel) -> impl Iterator<Item = (&RegTree, f32)> {
    let n_trees = match model.best_iteration() {
        Some(best) => (best + 1) * model.trees_per_iteration(),
        None => model.num_trees(),
    };
    model.trees().iter().zip(model.tree_weights()).take(n_trees)
}

/// The features of a table, as columns of trees.
#[must_use]
pub fn features_of(table: &Table) -> Vec<Feature> {
    let feature = |column: &Column| {
        let levels = match &column.cells {
            Cells::Number(_) => None,
            Cells::Category { levels, .. } => {
                let mut levels = levels.clone();
                levels.sort_unstable();
                levels.dedup();
                Some(levels)
            }
        };
        Feature { name: column.name.clone(), levels }
    };
    table.columns.iter().map(feature).collect()
}

/// Features tied to the columns of a table.
pub(super) struct Bound<'a> {
    pub(super) columns: Vec<BoundColumn<'a>>,
}

/// The cells of a feature.
pub(super) enum BoundColumn<'a> {
    Number(&'a [f32]),
    /// Codes, and what each level of this table counts as, at last what a gap does.
    Category(&'a [u32], Vec<f32>),
}

impl<'a> Bound<'a> {
    pub(super) fn new(features: &[Feature], codes: &[Vec<f32>], table: &'a Table) -> Result<Self> {
        let columns: Result<_> =
            features.iter().zip(codes).map(|(feature, codes)| bind_column(feature, codes, table)).collect();
        Ok(Self { columns: columns? })
    }

    /// The features at these places.
    pub(super) fn only(mut self, places: &[usize]) -> Self {
        let mut columns: Vec<Option<BoundColumn<'a>>> = self.columns.into_iter().map(Some).collect();
        self.columns = places.iter().filter_map(|&place| columns[place].take()).collect();
        self
    }

    /// The places of the features that differ among `rows`.
    pub(super) fn differing(&self, rows: &[u32]) -> Vec<usize> {
        let differs = |column: &BoundColumn<'_>| {
            let mut bits = rows.iter().map(|&row| column.value(row as usize).to_bits());
            bits.next().is_some_and(|first| bits.any(|other| other != first))
        };
        (0..self.columns.len()).into_par_iter().filter(|&at| differs(&self.columns[at])).collect()
    }

    /// The features of `rows`, a row after the other.
    pub(super) fn matrix(&self, rows: &[u32]) -> Vec<f32> {
        // Few rows at a time: their cells stay in the cache while column after column is laid in.
        const ROWS: usize = 64;
        let width = self.columns.len();
        let mut matrix = vec![0.0_f32; rows.len() * width];
        matrix.par_chunks_mut(ROWS * width).zip(rows.par_chunks(ROWS)).with_min_len(16).for_each(|(block, rows)| {
            for (at, column) in self.columns.iter().enumerate() {
                for (cell, &row) in block[at..].iter_mut().step_by(width).zip(rows) {
                    *cell = column.value(row as usize);
                }
            }
        });
        matrix
    }
}

impl BoundColumn<'_> {
    fn value(&self, row: usize) -> f32 {
        match self {
            Self::Number(values) if values[row].is_finite() => values[row],
            Self::Number(_) => f32::NAN,
            Self::Category(codes, values) => values[(codes[row] as usize).min(values.len() - 1)],
        }
    }
}

fn bind_column<'a>(feature: &Feature, numbers: &[f32], table: &'a Table) -> Result<BoundColumn<'a>> {
    let absent = || Error::data(format!("the data has no feature `{}`", feature.name));
    match (&table.column(&feature.name).ok_or_else(absent)?.cells, &feature.levels) {
        (Cells::Number(values), None) => Ok(BoundColumn::Number(values)),
        (Cells::Category { codes, levels }, Some(known)) => {
            let gap = numbers[known.len()];
            let value = |level: &String| known.binary_search(level).map_or(gap, |at| numbers[at]);
            Ok(BoundColumn::Category(codes, levels.iter().map(value).chain([gap]).collect()))
        }
        _ => Err(Error::data(format!("feature `{}` is not of the kind it was trained as", feature.name))),
    }
}

/// What hessboost refused, as an error of ours.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives the error away")]
pub(super) fn refused(error: hessboost::error::HessboostError) -> Error {
    Error::internal(format!("gradient boosting failed: {error}"))
}

fn write_trees<S: Serializer>(trees: &BoostedModel, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    Document::of(trees, Written { features: &[], base_margin: 0.0 }).serialize(serializer)
}

/// What levels count as; that a gap counts as nothing is written as null.
fn read_codes<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<Vec<f32>>, D::Error> {
    let codes: Vec<Vec<Option<f32>>> = Vec::deserialize(deserializer)?;
    let read = |codes: Vec<Option<f32>>| codes.into_iter().map(|code| code.unwrap_or(f32::NAN)).collect();
    Ok(codes.into_iter().map(read).collect())
}

fn read_trees<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<BoostedModel, D::Error> {
    let document = Document::deserialize(deserializer)?;
    let base = document.base_score().map_err(serde::de::Error::custom)?;
    if base.to_bits() != 0.5_f32.to_bits() {
        return Err(serde::de::Error::custom("the trees of a bundle start from even odds"));
    }
    document.into_model().map_err(serde::de::Error::custom)
}
