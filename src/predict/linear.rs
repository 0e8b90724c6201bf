//! A fitted linear model: log odds as a weighted sum of terms.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::blocks::{Block, ROWS};
use super::design::{Bound, Design, Shape};
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

/// One weight of a linear model.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    /// The feature.
    pub feature: String,
    /// Which part of it: a level, the standardised value, the neighbourhood of a knot, a gap.
    pub part: String,
    /// Its weight in log odds.
    pub weight: f64,
    /// Its standard error, where one was computed; of a weight that is zero, zero.
    pub standard_error: Option<f64>,
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

    /// Every weight with its standard error, in the order of the columns; of a number the weight of its standardised value, of
    /// its knots, of a gap.
    #[must_use]
    pub fn coefficients(&self) -> Vec<Coefficient> {
        let mut coefficients = Vec::with_capacity(self.weights.len());
        for term in &self.design.terms {
            for (at, part) in parts(&term.shape).into_iter().enumerate() {
                let column = term.first + at;
                coefficients.push(Coefficient {
                    feature: term.feature.clone(),
                    part,
                    weight: self.weights[column],
                    standard_error: self.standard_errors.get(column).copied(),
                });
            }
        }
        coefficients
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

/// What each column of a shape is about.
fn parts(shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Nothing => Vec::new(),
        Shape::Number(number) => {
            let knots = number.knots.iter().map(|knot| {
                format!("near {}", if number.tamed { knot.signum() * libm::expm1(knot.abs()) } else { *knot })
            });
            let gap = number.gap.then(|| "missing".to_owned());
            ["per standard deviation".to_owned()].into_iter().chain(knots).chain(gap).collect()
        }
        Shape::Category(category) => {
            let rare = (!category.rare.is_empty()).then(|| "rare levels".to_owned());
            let gap = category.gap.then(|| "missing".to_owned());
            category.levels.iter().cloned().chain(rare).chain(gap).collect()
        }
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
