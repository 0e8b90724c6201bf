//! A fitted linear model: log odds as a weighted sum of terms.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::blocks::{Block, ROWS};
use super::design::{Bound, Design};
use super::estimator::Contributions;
use crate::discover::Table;
use crate::error::{Error, Result};

/// Rows scored at a time.
const CHUNK: usize = 4096;

/// `margin = intercept + Σ weight × column`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearModel {
    /// How features become columns.
    pub design: Design,
    /// A weight per column.
    pub weights: Vec<f64>,
    /// The margin where every column is zero.
    pub intercept: f64,
    /// For each feature the mean of its part of the margin over the training rows.
    pub centres: Vec<f64>,
    /// The standard error of each weight, the intercept's last; empty where none were computed.
    #[serde(default)]
    pub standard_errors: Vec<f64>,
}

impl LinearModel {
    /// The model, its centres taken from `rows` of `table`.
    ///
    /// # Errors
    /// When the table is not the one that the design was made for.
    pub fn new(design: Design, weights: Vec<f64>, intercept: f64, table: &Table, rows: &[u32]) -> Result<Self> {
        let centres = vec![0.0; design.terms.len()];
        let mut model = Self { design, weights, intercept, centres, standard_errors: Vec::new() };
        let n_features = model.centres.len();
        let sums: Vec<Vec<f64>> = {
            let bound = model.design.bind(table)?;
            let sum = |rows: &[u32]| {
                let mut sums = vec![0.0; n_features];
                let mut block = Block::new(&bound);
                for rows in rows.chunks(ROWS) {
                    block.load(&bound, rows);
                    block.sums_by_feature(&model.weights, |_, feature, value| sums[feature] += value);
                }
                sums
            };
            rows.par_chunks(CHUNK).map(sum).collect()
        };
        for chunk in sums {
            model.centres.iter_mut().zip(chunk).for_each(|(centre, sum)| *centre += sum / rows.len() as f64);
        }
        Ok(model)
    }

    /// See [`super::estimator::Fitted::features`].
    #[must_use]
    pub fn features(&self) -> Vec<&str> {
        self.design.terms.iter().map(|term| term.feature.as_str()).collect()
    }

    /// See [`super::estimator::Fitted::margins`].
    ///
    /// # Errors
    /// When the table lacks a feature or holds it in another form.
    pub fn margins(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        Ok(margins(&self.design.bind(table)?, &self.weights, self.intercept, rows))
    }

    /// See [`super::estimator::Fitted::contributions`].
    ///
    /// # Errors
    /// As [`LinearModel::margins`].
    pub fn contributions(&self, table: &Table, rows: &[u32]) -> Result<Contributions> {
        let bound = self.design.bind(table)?;
        let n_features = self.centres.len();
        let mut values = vec![0.0; rows.len() * n_features];
        let chunk = CHUNK * n_features.max(1);
        values.par_chunks_mut(chunk).zip(rows.par_chunks(CHUNK)).for_each(|(values, rows)| {
            let mut block = Block::new(&bound);
            for (values, rows) in values.chunks_mut(ROWS * n_features.max(1)).zip(rows.chunks(ROWS)) {
                block.load(&bound, rows);
                for line in values.chunks_exact_mut(n_features.max(1)) {
                    line.iter_mut().zip(&self.centres).for_each(|(value, centre)| *value = -centre);
                }
                block.sums_by_feature(&self.weights, |row, feature, sum| values[row * n_features + feature] += sum);
            }
        });
        Ok(Contributions { values, average: self.intercept + self.centres.iter().sum::<f64>() })
    }

    /// See [`super::estimator::Fitted::check`].
    ///
    /// # Errors
    /// When lengths do not fit or numbers are not finite.
    pub fn check(&self) -> Result<()> {
        self.design.check()?;
        let numbers = self.weights.iter().chain(&self.centres).chain(&self.standard_errors).chain([&self.intercept]);
        let finite = numbers.into_iter().all(|value| value.is_finite());
        let fits = self.weights.len() == self.design.n_columns
            && self.centres.len() == self.design.terms.len()
            && (self.standard_errors.is_empty() || self.standard_errors.len() == self.weights.len() + 1);
        if finite && fits { Ok(()) } else { Err(Error::data("the weights of the linear model are damaged")) }
    }
}

/// `intercept + Σ weight × column` of each of `rows`.
#[must_use]
pub fn margins(bound: &Bound<'_>, weights: &[f64], intercept: f64, rows: &[u32]) -> Vec<f64> {
    let mut margins = vec![intercept; rows.len()];
    margins.par_chunks_mut(CHUNK).zip(rows.par_chunks(CHUNK)).for_each(|(margins, rows)| {
        let mut block = Block::new(bound);
        for (margins, rows) in margins.chunks_mut(ROWS).zip(rows.chunks(ROWS)) {
            block.load(bound, rows);
            block.add_margins(weights, margins);
        }
    });
    margins
}
