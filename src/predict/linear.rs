//! A fitted linear model: log odds as a weighted sum of terms.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::design::Design;
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
}

impl LinearModel {
    /// The model, its centres taken from `rows` of `table`.
    ///
    /// # Errors
    /// When the table is not the one that the design was made for.
    pub fn new(design: Design, weights: Vec<f64>, intercept: f64, table: &Table, rows: &[u32]) -> Result<Self> {
        let centres = vec![0.0; design.terms.len()];
        let mut model = Self { design, weights, intercept, centres };
        let n_features = model.centres.len();
        let sums: Vec<Vec<f64>> = {
            let bound = model.design.bind(table)?;
            let sum = |rows: &[u32]| {
                let mut sums = vec![0.0; n_features];
                for &row in rows {
                    bound.sums(row, &model.weights, |feature, value| sums[feature] += value);
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
        let bound = self.design.bind(table)?;
        let margin = |row: &u32| {
            let mut margin = self.intercept;
            bound.entries(*row, |column, value| margin += self.weights[column] * value);
            margin
        };
        Ok(rows.par_iter().with_min_len(CHUNK).map(margin).collect())
    }

    /// See [`super::estimator::Fitted::contributions`].
    ///
    /// # Errors
    /// As [`LinearModel::margins`].
    pub fn contributions(&self, table: &Table, rows: &[u32]) -> Result<Contributions> {
        let bound = self.design.bind(table)?;
        let n_features = self.centres.len();
        let mut values = vec![0.0; rows.len() * n_features];
        values.par_chunks_mut(n_features.max(1)).zip(rows).with_min_len(CHUNK / 8).for_each(|(values, &row)| {
            bound.sums(row, &self.weights, |feature, value| values[feature] = value - self.centres[feature]);
        });
        Ok(Contributions { values, average: self.intercept + self.centres.iter().sum::<f64>() })
    }

    /// See [`super::estimator::Fitted::check`].
    ///
    /// # Errors
    /// When lengths do not fit or numbers are not finite.
    pub fn check(&self) -> Result<()> {
        self.design.check()?;
        let finite = self.weights.iter().chain(&self.centres).chain([&self.intercept]).all(|value| value.is_finite());
        let fits = self.weights.len() == self.design.n_columns && self.centres.len() == self.design.terms.len();
        if finite && fits { Ok(()) } else { Err(Error::data("the weights of the linear model are damaged")) }
    }
}
