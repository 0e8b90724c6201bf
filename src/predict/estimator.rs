//! The contract of all estimators: written → prepared → tuned → fitted.
//!
//! An [`Estimator`] is what the spec names. [`Estimator::prepare`] ties it to labelled rows; [`Prepared::tune`] tries settings
//! on windows (fit on some rows, judge on others) and returns the best with the margins it gave to rows it had not seen;
//! [`Prepared::fit`] fits those settings to any of the prepared rows. Only a [`Fitted`] model scores.
//!
//! A margin is a score in log odds before calibration. Rows are taken in the order of [`Data::key`], which comes from the
//! person and the cutoff alone: the order of rows in the table changes nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::blend::Blend;
use super::linear::LinearModel;
use super::trees::TreeModel;
use crate::discover::Table;
use crate::error::Result;

/// Rows from which on a table is taken in its own order.
const LARGE_TABLE: usize = 100_000;

/// Rows to learn from; `label` and `key` hold a value per row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// The features.
    pub table: &'a Table,
    /// Whether the row attained; meaningless where no rows point.
    pub label: &'a [bool],
    /// How much each row counts in learning, above 0; absent: all alike.
    pub weight: Option<&'a [f64]>,
    /// What rows are ordered and parted by: a hash of person and cutoff.
    pub key: &'a [u64],
    /// Every random choice derives from it.
    pub seed: u64,
    /// Whether what is judged lies later than what is learned from.
    pub out_of_time: bool,
}

impl Data<'_> {
    /// `rows` in the order of their keys.
    #[must_use]
    pub fn in_order(&self, rows: &[u32]) -> Vec<u32> {
        let mut rows = rows.to_vec();
        rows.sort_unstable_by_key(|&row| (self.key[row as usize], row));
        rows
    }

    /// `rows` of a large table in its own order, where the cells of neighbours lie side by side: there the last bits of sums may
    /// depend on the order of the table.
    #[must_use]
    pub fn neighbours_together(&self, mut rows: Vec<u32>) -> Vec<u32> {
        if self.table.n_rows > LARGE_TABLE {
            rows.sort_unstable();
        }
        rows
    }

    /// A table in which `rows` lie side by side in their order, and where they lie in it: this one, if they do so already.
    #[must_use]
    pub fn side_by_side<'r>(&self, rows: &'r [u32]) -> (Cow<'_, Table>, Cow<'r, [u32]>) {
        if rows.is_sorted() {
            return (Cow::Borrowed(self.table), Cow::Borrowed(rows));
        }
        let all = (0..).take(rows.len()).collect();
        (Cow::Owned(self.table.take(rows)), Cow::Owned(all))
    }

    /// The labels of `rows`.
    #[must_use]
    pub fn labels(&self, rows: &[u32]) -> Vec<bool> {
        rows.iter().map(|&row| self.label[row as usize]).collect()
    }

    /// The weights of `rows`, where rows have weights.
    #[must_use]
    pub fn weights(&self, rows: &[u32]) -> Option<Vec<f64>> {
        self.weight.map(|weight| rows.iter().map(|&row| weight[row as usize]).collect())
    }

    /// The log odds of the (weighted) base rate of `rows`, half an example added to each side.
    #[must_use]
    pub fn base_log_odds(&self, rows: &[u32]) -> f64 {
        let (mut attained, mut others) = (0.5, 0.5);
        for &row in rows {
            let weight = self.weight.map_or(1.0, |weight| weight[row as usize]);
            if self.label[row as usize] {
                attained += weight;
            } else {
                others += weight;
            }
        }
        libm::log(attained / others)
    }
}

/// Rows to fit on, and later or other rows to judge on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Rows that a model is fitted on.
    pub fit: Vec<u32>,
    /// Rows that it is judged on.
    pub judge: Vec<u32>,
}

/// A kind of model, ready to learn.
pub trait Estimator: Sync {
    /// `logistic`, `boosting` …
    fn name(&self) -> &'static str;

    /// Ties the estimator to the rows that it may learn from.
    ///
    /// # Errors
    /// When the rows cannot be learned from.
    fn prepare<'a>(&'a self, data: Data<'a>, rows: &[u32]) -> Result<Box<dyn Prepared + 'a>>;
}

/// An estimator tied to rows.
pub trait Prepared {
    /// The settings that do best on `windows`, with the margins of their judged rows.
    ///
    /// # Errors
    /// When a fit fails.
    fn tune(&self, windows: &[Window]) -> Result<Tuned>;

    /// Fits `settings` to `rows`, which are among the prepared ones.
    ///
    /// # Errors
    /// When the fit fails.
    fn fit(&self, rows: &[u32], settings: &Settings) -> Result<Fitted>;

    /// As [`Prepared::fit`], with what is told of a model that is kept and costs more than to fit it: standard errors.
    ///
    /// # Errors
    /// When the fit fails.
    fn fit_to_keep(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        self.fit(rows, settings)
    }
}

/// Settings, and what they gave to rows that were held out.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The settings that did best.
    pub settings: Settings,
    /// For each window the margins of its judged rows.
    pub margins: Vec<Vec<f64>>,
    /// What was tried.
    pub trials: Vec<Trial>,
}

/// Settings that were tried, and how well they did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// `logistic`, `boosting` …
    pub estimator: String,
    /// Its place among the estimator's trials; a trial on more data keeps it.
    pub number: usize,
    /// What was fitted.
    pub settings: Settings,
    /// How many of the windows judged it.
    pub n_windows: usize,
    /// Share of the rows that it was fitted to.
    pub row_share: f64,
    /// Mean log loss of the judged rows, after recalibration within each window.
    pub loss: f64,
}

/// What an estimator is fitted with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settings {
    /// Of a logistic regression.
    Linear(super::logistic::LinearSettings),
    /// Of boosted trees or a forest.
    Trees(super::trees::TreeSettings),
    /// Of naive Bayes.
    Bayes(super::bayes::BayesSettings),
    /// Of several models, and how they are weighed.
    Blend(super::blend::BlendSettings),
}

impl Settings {
    /// Name and value of each, for a data scientist to read.
    #[must_use]
    pub fn described(&self) -> BTreeMap<String, serde_json::Value> {
        let value = match self {
            Self::Linear(settings) => serde_json::to_value(settings),
            Self::Trees(settings) => serde_json::to_value(settings),
            Self::Bayes(settings) => serde_json::to_value(settings),
            Self::Blend(settings) => serde_json::to_value(settings),
        };
        match value {
            Ok(serde_json::Value::Object(fields)) => fields.into_iter().collect(),
            _ => BTreeMap::new(),
        }
    }
}

/// A model that scores.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fitted {
    /// A weighted sum of terms.
    Linear(LinearModel),
    /// A sum of trees.
    Trees(Box<TreeModel>),
    /// A weighted sum of the margins of other models.
    Blend(Blend),
}

/// How much each feature moved the margin of each row away from the average.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// A row after the other, a value per feature of [`Fitted::features`].
    pub values: Vec<f64>,
    /// The average margin: with a row's values it sums to the row's margin.
    pub average: f64,
}

impl Fitted {
    /// The features the model was trained on, in the order of the contributions.
    #[must_use]
    pub fn features(&self) -> Vec<&str> {
        match self {
            Self::Linear(model) => model.features(),
            Self::Trees(model) => model.features(),
            Self::Blend(model) => model.features(),
        }
    }

    /// The margin of each of `rows`.
    ///
    /// # Errors
    /// When the table lacks a feature or holds it in another form.
    pub fn margins(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        match self {
            Self::Linear(model) => model.margins(table, rows),
            Self::Trees(model) => model.margins(table, rows),
            Self::Blend(model) => model.margins(table, rows),
        }
    }

    /// The contributions of every feature to the margin of each of `rows`.
    ///
    /// # Errors
    /// As [`Fitted::margins`].
    pub fn contributions(&self, table: &Table, rows: &[u32]) -> Result<Contributions> {
        match self {
            Self::Linear(model) => model.contributions(table, rows),
            Self::Trees(model) => model.contributions(table, rows),
            Self::Blend(model) => model.contributions(table, rows),
        }
    }

    /// The same model, every margin moved by so much.
    #[must_use]
    pub fn moved(mut self, by: f64) -> Self {
        match &mut self {
            Self::Linear(model) => model.intercept += by,
            Self::Trees(model) => model.offset += by,
            Self::Blend(model) => model.intercept += by,
        }
        self
    }

    /// Checks what a file may have damaged: lengths, indices, numbers that are not finite.
    ///
    /// # Errors
    /// When the model cannot be trusted.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Linear(model) => model.check(),
            Self::Trees(model) => model.check(),
            Self::Blend(model) => model.check(),
        }
    }
}
