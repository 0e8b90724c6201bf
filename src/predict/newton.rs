//! Logistic regression by Newton's method (IRLS), in parallel, the same bytes for any number of threads.
//!
//! Minimises `Σ −ln P(label | row) + λ/2 · Σ weight²`; the intercept is not penalised. The gradient is exact; the
//! curvature is taken from a part of the rows when there are many, and kept while it serves (a chord step): both change the
//! path, not the optimum. Sums run over fixed chunks of rows and are added in order.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::solvers::Solve as _;
use faer::{Accum, Mat, MatRef, Par, Side};
use rayon::prelude::*;

use super::design::Bound;
use crate::error::{Error, Result};

/// Rows whose gradient is summed together.
const CHUNK: usize = 4096;
/// Rows whose curvature is summed at once.
const BLOCK: usize = 256;
/// Parts that the curvature is summed in, each by one thread.
const PARTS: usize = 16;
/// Newton steps at most.
const MAX_STEPS: usize = 60;

/// What is minimised, but for the penalty.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The terms of each row.
    pub bound: &'a Bound<'a>,
    /// The rows.
    pub rows: &'a [u32],
    /// The label of each of `rows`.
    pub label: &'a [bool],
}

/// Where the search stands: weights, the intercept last, and the curvature that served last.
#[derive(Debug, Clone)]
pub struct Iterate {
    /// A weight per column, then the intercept.
    pub weights: Vec<f64>,
    curvature: Option<Mat<f64>>,
}

impl Iterate {
    /// All weights zero, the intercept at the log odds of the base rate.
    #[must_use]
    pub fn start(problem: Problem<'_>) -> Self {
        let attained = problem.label.iter().filter(|&&label| label).count() as f64;
        let mut weights = vec![0.0; problem.bound.n_columns + 1];
        weights[problem.bound.n_columns] = libm::log((attained + 0.5) / (problem.label.len() as f64 - attained + 0.5));
        Self { weights, curvature: None }
    }

    /// Moves to the optimum under `penalty` (λ), to `tolerance` in mean log loss.
    ///
    /// # Errors
    /// When the curvature cannot be factored, which a positive penalty rules out but for numbers that are not finite.
    pub fn solve(&mut self, problem: Problem<'_>, penalty: f64, tolerance: f64) -> Result<()> {
        let n = problem.rows.len() as f64;
        let mut here = problem.descent(&self.weights, penalty);
        let mut before = f64::INFINITY;
        for _ in 0..MAX_STEPS {
            let mut fresh = false;
            let curvature = self.curvature.get_or_insert_with(|| {
                fresh = true;
                problem.curvature(&self.weights)
            });
            let step = newton_step(curvature, &here.gradient, penalty)?;
            let promise: f64 = here.gradient.iter().zip(&step).map(|(slope, step)| slope * step).sum();
            if promise <= tolerance * n {
                return Ok(());
            }
            let moved = self.descend(problem, penalty, &here, &step, promise);
            let stale = promise > 0.1 * before || moved.is_none();
            before = promise;
            match moved {
                Some(next) => here = next,
                None if fresh => return Ok(()),
                None => {}
            }
            if stale && !fresh {
                self.curvature = None;
                before = f64::INFINITY;
            }
        }
        Ok(())
    }

    /// Goes along `step` as far as it pays; `None`, and no move, when nothing does.
    fn descend(
        &mut self,
        problem: Problem<'_>,
        penalty: f64,
        here: &Descent,
        step: &[f64],
        promise: f64,
    ) -> Option<Descent> {
        let mut share = 1.0;
        for _ in 0..12 {
            let weights: Vec<f64> = self.weights.iter().zip(step).map(|(weight, step)| weight - share * step).collect();
            let next = problem.descent(&weights, penalty);
            if next.loss <= here.loss - 1e-4 * share * promise {
                self.weights = weights;
                return Some(next);
            }
            share *= 0.5;
        }
        None
    }
}

/// The penalised loss and its gradient.
struct Descent {
    loss: f64,
    gradient: Vec<f64>,
}

impl Problem<'_> {
    /// The penalised loss (a sum over rows) at `weights`.
    #[must_use]
    pub fn loss(&self, weights: &[f64], penalty: f64) -> f64 {
        self.descent(weights, penalty).loss
    }

    fn descent(&self, weights: &[f64], penalty: f64) -> Descent {
        let n_columns = self.bound.n_columns;
        let chunks: Vec<Descent> = self
            .rows
            .par_chunks(CHUNK)
            .zip(self.label.par_chunks(CHUNK))
            .map(|(rows, label)| self.descent_of(rows, label, weights))
            .collect();
        let squares: f64 = weights[..n_columns].iter().map(|weight| weight * weight).sum();
        let mut gradient: Vec<f64> = weights.iter().map(|weight| penalty * weight).collect();
        gradient[n_columns] = 0.0;
        let mut loss = 0.5 * penalty * squares;
        for chunk in chunks {
            loss += chunk.loss;
            gradient.iter_mut().zip(chunk.gradient).for_each(|(sum, slope)| *sum += slope);
        }
        Descent { loss, gradient }
    }

    fn descent_of(&self, rows: &[u32], label: &[bool], weights: &[f64]) -> Descent {
        let n_columns = self.bound.n_columns;
        let mut gradient = vec![0.0; n_columns + 1];
        let mut entries: Vec<(usize, f64)> = Vec::new();
        let mut loss = 0.0;
        for (&row, &label) in rows.iter().zip(label) {
            entries.clear();
            let mut margin = weights[n_columns];
            self.bound.entries(row, |column, value| {
                margin += weights[column] * value;
                entries.push((column, value));
            });
            let target = f64::from(u8::from(label));
            loss += softplus(margin) - target * margin;
            let miss = logistic(margin) - target;
            for &(column, value) in &entries {
                gradient[column] += miss * value;
            }
            gradient[n_columns] += miss;
        }
        Descent { loss, gradient }
    }

    /// `Xᵀ diag(p (1 − p)) X`, lower triangle, the intercept last; from a part of the rows when there are many.
    fn curvature(&self, weights: &[f64]) -> Mat<f64> {
        let width = weights.len();
        let wanted = (10 * width).max(10_000);
        let step = (self.rows.len() / wanted).max(1);
        let rows: Vec<u32> = self.rows.iter().copied().step_by(step).collect();
        let scale = self.rows.len() as f64 / rows.len() as f64;
        let parts: Vec<Mat<f64>> = rows
            .par_chunks(rows.len().div_ceil(PARTS).max(BLOCK))
            .map(|rows| self.curvature_of(rows, weights))
            .collect();
        let mut sum = Mat::<f64>::zeros(width, width);
        for part in parts {
            sum += part;
        }
        sum *= faer::Scale(scale);
        sum
    }

    fn curvature_of(&self, rows: &[u32], weights: &[f64]) -> Mat<f64> {
        let width = weights.len();
        let mut sum = Mat::<f64>::zeros(width, width);
        let mut block = vec![0.0; BLOCK * width];
        for rows in rows.chunks(BLOCK) {
            block.fill(0.0);
            for (line, &row) in block.chunks_exact_mut(width).zip(rows) {
                let mut margin = weights[width - 1];
                self.bound.entries(row, |column, value| {
                    margin += weights[column] * value;
                    line[column] += value;
                });
                line[width - 1] = 1.0;
                let probability = logistic(margin);
                let root = (probability * (1.0 - probability)).sqrt();
                for value in line {
                    *value *= root;
                }
            }
            let block = MatRef::from_row_major_slice(&block, BLOCK, width);
            let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
            triangular::matmul(&mut sum, lower, Accum::Add, block.transpose(), whole, block, whole, 1.0, Par::Seq);
        }
        sum
    }
}

fn newton_step(curvature: &Mat<f64>, gradient: &[f64], penalty: f64) -> Result<Vec<f64>> {
    let width = gradient.len();
    let mut matrix = curvature.clone();
    for at in 0..width {
        // The intercept gets just enough to be solvable where all margins are extreme.
        matrix[(at, at)] += if at + 1 < width { penalty } else { 1e-9 };
    }
    let factor = matrix
        .llt(Side::Lower)
        .map_err(|_| Error::internal("the curvature of the logistic regression is not positive"))?;
    let right = Mat::from_fn(width, 1, |row, _| gradient[row]);
    let step = factor.solve(&right);
    Ok((0..width).map(|row| step[(row, 0)]).collect())
}

/// `1 / (1 + e^−margin)`.
#[must_use]
pub fn logistic(margin: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-margin))
}

/// `ln(1 + e^margin)`.
fn softplus(margin: f64) -> f64 {
    margin.max(0.0) + libm::log1p(libm::exp(-margin.abs()))
}
