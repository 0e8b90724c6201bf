//! Logistic regression by linfa-logistic's L-BFGS, for those who want another solver than ours.
//!
//! linfa takes a dense matrix and one thread, calls the more frequent class positive, and measures its gradient as a sum
//! over rows. It takes no weights, and its line search can fail: then there is no solution here, and the caller has another way.

use linfa::prelude::*;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use super::blocks::{Block, ROWS};
use super::newton::Problem;

/// The weights, the intercept last, at the optimum under `penalty`; `None` when linfa does not find it.
pub(super) fn solve(problem: Problem<'_>, penalty: f64, start: &[f64]) -> Option<Vec<f64>> {
    if problem.weight.is_some() {
        return None;
    }
    let n_columns = problem.bound.n_columns;
    let mut cells = vec![0.0; problem.rows.len() * n_columns];
    let mut block = Block::new(problem.bound);
    for (lines, rows) in cells.chunks_mut(ROWS * n_columns.max(1)).zip(problem.rows.chunks(ROWS)) {
        block.load(problem.bound, rows);
        block.fill(lines, n_columns);
    }
    let matrix = Array2::from_shape_vec((problem.rows.len(), n_columns), cells).ok()?;
    let dataset = Dataset::new(matrix, Array1::from(problem.label.to_vec()));
    let n_attained = problem.label.iter().filter(|&&label| label).count();
    // linfa's positive class is the more frequent one, the first that it meets when both are as frequent.
    let starts_with_attained = problem.label.first() == Some(&true);
    let attained_is_positive =
        if 2 * n_attained == problem.label.len() { starts_with_attained } else { 2 * n_attained > problem.label.len() };
    let sign = if attained_is_positive { 1.0 } else { -1.0 };
    let fitted = LogisticRegression::default()
        .alpha(penalty)
        .max_iterations(2_000)
        .gradient_tolerance(1e-8 * problem.label.len() as f64)
        .initial_params(Array1::from_iter(start.iter().map(|weight| sign * weight)))
        .fit(&dataset)
        .ok()?;
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let weights: Vec<f64> =
        fitted.params().iter().copied().chain([fitted.intercept()]).map(|weight| sign * weight).collect();
    weights.iter().all(|weight| weight.is_finite()).then_some(weights)
}
