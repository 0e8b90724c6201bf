//! Logistic regression by a quasi-Newton method, in parallel, the same bytes for any number of threads.
//!
//! Minimises `Σ −ln P(label | row) + λ/2 · Σ weight²`, each row counting as often as it weighs; the intercept is not penalised. Gradients are exact. The curvature is
//! computed once (Newton's, from a part of the rows when there are many), and what it misses is learned from the gradients on
//! the way (L-BFGS with that curvature as its metric; Nocedal and Wright 2006, algorithm 7.4): a pass over the rows per step,
//! and few steps. Sums run over fixed chunks of rows and are added in order.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::solvers::{Llt, Solve as _};
use faer::{Accum, Mat, MatRef, Par, Side};
use rayon::prelude::*;

use super::blocks::{Block, ROWS};
use super::design::Bound;
use crate::error::{Error, Result};

/// Rows whose gradient is summed together.
const CHUNK: usize = 4096;
/// Rows whose curvature is summed at once.
const SQUARE_ROWS: usize = 4 * ROWS;
/// Parts that the curvature is summed in, each by one thread.
const PARTS: usize = 16;
/// Rows that the curvature is taken from: so many for each column, one in so many of all, and so many more. What it misses is
/// learned on the way, so it need not cost more than a few steps do.
const CURVED_PER_COLUMN: usize = 8;
const CURVED_PART: usize = 50;
const CURVED: usize = 1_000;
/// Rows that standard errors are taken from.
const MEASURED_PER_COLUMN: usize = 20;
const MEASURED: usize = 20_000;
/// Columns whose standard errors are computed, at most.
const MOST_ERRORS: usize = 1_500;
/// Steps at most.
const MAX_STEPS: usize = 100;
/// Steps after which the curvature is computed again, where the search now stands: soon at first, far from the optimum.
pub(super) const PATIENCE: [usize; 2] = [3, 12];

/// What is minimised, but for the penalty.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The terms of each row.
    pub bound: &'a Bound<'a>,
    /// The rows.
    pub rows: &'a [u32],
    /// Their blocks, or none: then they are loaded at each step.
    pub kept: &'a [Block],
    /// The label of each of `rows`.
    pub label: &'a [bool],
    /// How much each of `rows` counts; absent: all alike.
    pub weight: Option<&'a [f64]>,
}

/// Where the search stands: weights, the intercept last, and the curvature that served last.
#[derive(Debug, Clone)]
pub struct Iterate {
    /// A weight per column, then the intercept.
    pub weights: Vec<f64>,
    pub(super) curvature: Option<Mat<f64>>,
}

/// A step and the change of the gradient along it.
pub(super) struct Pair {
    pub(super) step: Vec<f64>,
    pub(super) change: Vec<f64>,
}

/// The penalised loss and its gradient.
pub(super) struct Descent {
    pub(super) loss: f64,
    pub(super) gradient: Vec<f64>,
}

impl Iterate {
    /// All weights zero, the intercept at the log odds of the base rate.
    #[must_use]
    pub fn start(problem: Problem<'_>) -> Self {
        let attained: f64 = (0..problem.rows.len()).filter(|&at| problem.label[at]).map(|at| problem.weight(at)).sum();
        let mut weights = vec![0.0; problem.bound.n_columns + 1];
        weights[problem.bound.n_columns] = libm::log((attained + 0.5) / (problem.total() - attained + 0.5));
        Self { weights, curvature: None }
    }

    /// Moves to the optimum under `penalty` (λ), to `tolerance` in mean log loss.
    ///
    /// # Errors
    /// When the curvature cannot be factored, which a positive penalty rules out but for numbers that are not finite.
    pub fn solve(&mut self, problem: Problem<'_>, penalty: f64, tolerance: f64) -> Result<()> {
        let enough = tolerance * problem.total();
        let mut here = problem.descent(&self.weights, penalty);
        let mut steps = 0;
        let mut patience = if self.curvature.is_none() { PATIENCE[0] } else { PATIENCE[1] };
        while steps < MAX_STEPS {
            let fresh = self.curvature.is_none();
            let curvature = self.curvature.get_or_insert_with(|| problem.curvature(&self.weights));
            let metric = factored(curvature, penalty)?;
            let mut pairs: Vec<Pair> = Vec::new();
            loop {
                let direction = direction(&metric, &pairs, &here.gradient);
                let promise = dot(&here.gradient, &direction);
                if promise <= enough {
                    return Ok(());
                }
                let step: Vec<f64> = direction.iter().map(|slope| -slope).collect();
                let Some((pair, next)) = self.descend(problem, penalty, &here, (&step, promise), |_| 0.0) else {
                    break;
                };
                pairs.push(pair);
                here = next;
                steps += 1;
                if pairs.len() == patience || steps >= MAX_STEPS {
                    break;
                }
            }
            if fresh && pairs.is_empty() {
                return Ok(());
            }
            self.curvature = None;
            patience = PATIENCE[1];
        }
        Ok(())
    }

    /// Goes along `step` as far as it pays, with what `beside` adds to the loss; `None`, and no move, when nothing does.
    pub(super) fn descend(
        &mut self,
        problem: Problem<'_>,
        penalty: f64,
        here: &Descent,
        (step, promise): (&[f64], f64),
        beside: impl Fn(&[f64]) -> f64,
    ) -> Option<(Pair, Descent)> {
        let now = here.loss + beside(&self.weights);
        let mut share = 1.0;
        for _ in 0..12 {
            let step: Vec<f64> = step.iter().map(|step| share * step).collect();
            let weights: Vec<f64> = self.weights.iter().zip(&step).map(|(weight, step)| weight + step).collect();
            let next = problem.descent(&weights, penalty);
            if next.loss + beside(&weights) <= now - 1e-4 * share * promise {
                let change = next.gradient.iter().zip(&here.gradient).map(|(next, here)| next - here).collect();
                self.weights = weights;
                return Some((Pair { step, change }, next));
            }
            share *= 0.5;
        }
        None
    }
}

/// The gradient, seen in the metric of the curvature as the pairs correct it (the two loops of L-BFGS).
fn direction(metric: &Llt<f64>, pairs: &[Pair], gradient: &[f64]) -> Vec<f64> {
    let mut seen = gradient.to_vec();
    let mut shares = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let share = dot(&pair.step, &seen) / dot(&pair.step, &pair.change);
        add(&mut seen, -share, &pair.change);
        shares.push(share);
    }
    let right = Mat::from_fn(seen.len(), 1, |row, _| seen[row]);
    let solved = metric.solve(&right);
    seen.iter_mut().enumerate().for_each(|(row, value)| *value = solved[(row, 0)]);
    for (pair, share) in pairs.iter().zip(shares.into_iter().rev()) {
        let other = dot(&pair.change, &seen) / dot(&pair.step, &pair.change);
        add(&mut seen, share - other, &pair.step);
    }
    seen
}

pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn add(sum: &mut [f64], share: f64, other: &[f64]) {
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += share * other);
}

impl Problem<'_> {
    /// The penalised loss (a sum over rows) at `weights`.
    #[must_use]
    pub fn loss(&self, weights: &[f64], penalty: f64) -> f64 {
        self.descent(weights, penalty).loss
    }

    /// How much the row at a place counts.
    pub(super) fn weight(&self, at: usize) -> f64 {
        self.weight.map_or(1.0, |weight| weight[at])
    }

    /// What all rows count together.
    pub(super) fn total(&self) -> f64 {
        self.weight.map_or(self.rows.len() as f64, |weight| weight.iter().sum())
    }

    pub(super) fn descent(&self, weights: &[f64], penalty: f64) -> Descent {
        let n_columns = self.bound.n_columns;
        let starts: Vec<usize> = (0..self.rows.len()).step_by(CHUNK).collect();
        let chunks: Vec<Descent> = starts.into_par_iter().map(|start| self.descent_of(start, weights)).collect();
        let squares = dot(&weights[..n_columns], &weights[..n_columns]);
        let mut gradient: Vec<f64> = weights.iter().map(|weight| penalty * weight).collect();
        gradient[n_columns] = 0.0;
        let mut loss = 0.5 * penalty * squares;
        for chunk in chunks {
            loss += chunk.loss;
            add(&mut gradient, 1.0, &chunk.gradient);
        }
        Descent { loss, gradient }
    }

    /// Of the chunk of rows that starts at a place.
    fn descent_of(&self, start: usize, weights: &[f64]) -> Descent {
        let end = (start + CHUNK).min(self.rows.len());
        let (rows, label) = (&self.rows[start..end], &self.label[start..end]);
        let n_columns = self.bound.n_columns;
        let mut gradient = vec![0.0; n_columns + 1];
        let mut spare = None;
        let mut loss = 0.0;
        for (part, (rows, label)) in rows.chunks(ROWS).zip(label.chunks(ROWS)).enumerate() {
            let block = self.kept.get(start / ROWS + part).unwrap_or_else(|| {
                let spare = spare.get_or_insert_with(|| Block::new(self.bound));
                spare.load(self.bound, rows);
                spare
            });
            let mut margins = [weights[n_columns]; ROWS];
            block.add_margins(weights, &mut margins);
            for (at, (margin, &label)) in margins.iter_mut().zip(label).enumerate() {
                let target = f64::from(u8::from(label));
                let (probability, softplus) = logistic_and_softplus(*margin);
                let weight = self.weight(start + part * ROWS + at);
                loss += weight * (softplus - target * *margin);
                *margin = weight * (probability - target);
                gradient[n_columns] += *margin;
            }
            block.add_gradient(&margins, &mut gradient);
        }
        Descent { loss, gradient }
    }

    /// `Xᵀ diag(p (1 − p)) X`, lower triangle, the intercept last; from a part of the rows when there are many.
    pub(super) fn curvature(&self, weights: &[f64]) -> Mat<f64> {
        self.curvature_from(CURVED_PER_COLUMN * weights.len() + self.rows.len() / CURVED_PART + CURVED, weights)
    }

    fn curvature_from(&self, wanted: usize, weights: &[f64]) -> Mat<f64> {
        let width = weights.len();
        let step = (self.rows.len() / wanted).max(1);
        let places: Vec<usize> = (0..self.rows.len()).step_by(step).collect();
        let scale = self.rows.len() as f64 / places.len().max(1) as f64;
        let part = places.len().div_ceil(PARTS).max(SQUARE_ROWS);
        let parts: Vec<Mat<f64>> = places.par_chunks(part).map(|places| self.curvature_of(places, weights)).collect();
        let mut sum = Mat::<f64>::zeros(width, width);
        for part in parts {
            sum += part;
        }
        sum *= faer::Scale(scale);
        sum
    }

    fn curvature_of(&self, places: &[usize], weights: &[f64]) -> Mat<f64> {
        let width = weights.len();
        let mut sum = Mat::<f64>::zeros(width, width);
        let mut square = vec![0.0; SQUARE_ROWS * width];
        let mut block = Block::new(self.bound);
        for places in places.chunks(SQUARE_ROWS) {
            square.fill(0.0);
            for (lines, places) in square.chunks_mut(ROWS * width).zip(places.chunks(ROWS)) {
                let mut margins = [weights[width - 1]; ROWS];
                let rows: Vec<u32> = places.iter().map(|&at| self.rows[at]).collect();
                block.load(self.bound, &rows);
                block.add_margins(weights, &mut margins);
                block.fill(lines, width);
                for ((line, margin), &at) in lines.chunks_exact_mut(width).zip(margins).zip(places) {
                    line[width - 1] = 1.0;
                    let probability = logistic(margin);
                    let root = (self.weight(at) * probability * (1.0 - probability)).sqrt();
                    for value in line {
                        *value *= root;
                    }
                }
            }
            let square = MatRef::from_row_major_slice(&square, SQUARE_ROWS, width);
            let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
            triangular::matmul(&mut sum, lower, Accum::Add, square.transpose(), whole, square, whole, 1.0, Par::Seq);
        }
        sum
    }
}

pub(super) fn factored(curvature: &Mat<f64>, penalty: f64) -> Result<Llt<f64>> {
    let width = curvature.nrows();
    let mut matrix = curvature.clone();
    for at in 0..width {
        // The intercept gets just enough to be solvable where all margins are extreme.
        matrix[(at, at)] += if at + 1 < width { penalty } else { 1e-9 };
    }
    matrix.llt(Side::Lower).map_err(|_| Error::internal("the curvature of the logistic regression is not positive"))
}

/// The standard error of each weight at the optimum, the intercept's last: the roots of the diagonal of
/// `(Xᵀ diag(p (1 − p)) X + λ)⁻¹`, which is the spread that the data and the penalty leave open (Wood 2006); of a weight that is
/// zero, zero. Empty for more than [`MOST_ERRORS`] columns.
pub(super) fn standard_errors(problem: Problem<'_>, weights: &[f64], penalty: f64) -> Vec<f64> {
    if weights.len() > MOST_ERRORS {
        return Vec::new();
    }
    let mut curvature = problem.curvature_from(MEASURED_PER_COLUMN * weights.len() + MEASURED, weights);
    let zero = |at: usize| weights[at] == 0.0 && at + 1 < weights.len();
    for row in 0..weights.len() {
        for column in 0..row {
            if zero(row) || zero(column) {
                curvature[(row, column)] = 0.0;
            }
        }
        if zero(row) {
            curvature[(row, row)] = 1.0;
        }
    }
    // Two knots beside a straight line say the same twice: a touch of ridge keeps that solvable.
    let Ok(factor) = factored(&curvature, penalty.max(1e-6)) else { return Vec::new() };
    let inverse = factor.solve(&Mat::<f64>::identity(weights.len(), weights.len()));
    let error = |at: usize| if zero(at) { 0.0 } else { inverse[(at, at)].max(0.0).sqrt() };
    (0..weights.len()).map(error).collect()
}

/// `1 / (1 + e^−margin)`.
#[must_use]
pub fn logistic(margin: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-margin))
}

/// `1 / (1 + e^−margin)` and `ln(1 + e^margin)`, with one exponential.
fn logistic_and_softplus(margin: f64) -> (f64, f64) {
    let small = libm::exp(-margin.abs());
    let near_one = 1.0 / (1.0 + small);
    let probability = if margin >= 0.0 { near_one } else { small * near_one };
    (probability, margin.max(0.0) + libm::log1p(small))
}
