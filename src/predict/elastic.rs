//! Logistic regression under an elastic net, by proximal Newton steps.
//!
//! Minimises `Σ −ln P(label | row) + λ·(share·Σ|weight| + (1 − share)/2·Σ weight²)`. Each step minimises the curvature's parabola
//! plus the absolute values by coordinate descent (Friedman, Hastie and Tibshirani 2010), then goes that way as far as it pays
//! (Lee, Sun and Saunders 2014). The gradient is exact; the curvature is computed once, and corrected by what the gradients
//! tell on the way (BFGS; Nocedal and Wright 2006, formula 6.19).

use faer::Mat;

use super::newton::{Iterate, PATIENCE, Pair, Problem, dot};

/// Steps at most.
const MAX_STEPS: usize = 100;
/// Rounds of coordinate descent within a step, at most.
const MAX_ROUNDS: usize = 60;

/// λ, and how much of it falls on absolute values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elastic {
    pub(super) penalty: f64,
    pub(super) share: f64,
}

impl Elastic {
    fn absolute(self) -> f64 {
        self.penalty * self.share
    }

    fn squared(self) -> f64 {
        self.penalty * (1.0 - self.share)
    }

    fn of(self, weights: &[f64]) -> f64 {
        let n_columns = weights.len() - 1;
        self.absolute() * weights[..n_columns].iter().map(|weight| weight.abs()).sum::<f64>()
    }
}

impl Iterate {
    /// Moves to the optimum under `elastic`, to `tolerance` in mean log loss.
    pub(super) fn solve_elastic(&mut self, problem: Problem<'_>, elastic: Elastic, tolerance: f64) {
        let enough = tolerance * problem.total();
        let mut here = problem.descent(&self.weights, elastic.squared());
        let mut patience = if self.curvature.is_none() { PATIENCE[0] } else { PATIENCE[1] };
        let mut n_corrected = 0;
        for _ in 0..MAX_STEPS {
            let fresh = self.curvature.is_none();
            let mut curvature = self.curvature.take().unwrap_or_else(|| problem.curvature(&self.weights));
            if fresh {
                n_corrected = 0;
            }
            let step = step(&curvature, &here.gradient, &self.weights, elastic);
            let target: Vec<f64> = self.weights.iter().zip(&step).map(|(weight, step)| weight + step).collect();
            let promise = -dot(&here.gradient, &step) - elastic.of(&target) + elastic.of(&self.weights);
            if promise <= enough {
                self.curvature = Some(curvature);
                return;
            }
            let descended =
                self.descend(problem, elastic.squared(), &here, (&step, promise), |weights| elastic.of(weights));
            let Some((pair, next)) = descended else {
                if fresh {
                    return;
                }
                continue;
            };
            here = next;
            n_corrected += 1;
            if n_corrected == patience {
                patience = PATIENCE[1];
                continue;
            }
            correct(&mut curvature, &pair, elastic.squared());
            self.curvature = Some(curvature);
        }
    }
}

/// Makes the curvature (without the penalty, which is among the changes) tell what the gradient did along a step.
fn correct(curvature: &mut Mat<f64>, pair: &Pair, penalty: f64) {
    let width = pair.step.len();
    let ridge = |at: usize| if at + 1 < width { penalty } else { 0.0 };
    let change: Vec<f64> = (0..width).map(|at| pair.change[at] - ridge(at) * pair.step[at]).collect();
    let mut told = vec![0.0; width];
    for column in 0..width {
        told[column] += curvature[(column, column)] * pair.step[column];
        for row in column + 1..width {
            told[row] += curvature[(row, column)] * pair.step[column];
            told[column] += curvature[(row, column)] * pair.step[row];
        }
    }
    let (is, was) = (dot(&change, &pair.step), dot(&told, &pair.step));
    if is <= 0.0 || was <= 0.0 {
        return;
    }
    for column in 0..width {
        for row in column..width {
            curvature[(row, column)] += change[row] * change[column] / is - told[row] * told[column] / was;
        }
    }
}

/// The step to the least value of the parabola plus the absolute values.
fn step(curvature: &Mat<f64>, gradient: &[f64], weights: &[f64], elastic: Elastic) -> Vec<f64> {
    let width = weights.len();
    let ridge = |at: usize| if at + 1 < width { elastic.squared() } else { 1e-9 };
    let entry = |row: usize, column: usize| curvature[(row.max(column), row.min(column))];
    let mut step = vec![0.0; width];
    let mut slope = gradient.to_vec();
    let mut active: Vec<usize> = (0..width).collect();
    for round in 0..MAX_ROUNDS {
        let mut furthest = 0.0_f64;
        for &at in &active {
            let bend = entry(at, at) + ridge(at) + 1e-12;
            let here = weights[at] + step[at];
            let free = here - slope[at] / bend;
            let threshold = if at + 1 < width { elastic.absolute() / bend } else { 0.0 };
            let moved = free.signum() * (free.abs() - threshold).max(0.0) - here;
            if moved != 0.0 {
                step[at] += moved;
                furthest = furthest.max(moved.abs() * bend.sqrt());
                for (row, slope) in slope.iter_mut().enumerate() {
                    *slope += moved * entry(row, at);
                }
                slope[at] += moved * ridge(at);
            }
        }
        let whole = active.len() == width;
        if furthest < 1e-4 && whole {
            break;
        }
        // Most columns stay at zero: they are looked at again when the others have settled.
        active = if whole || (furthest >= 1e-4 && round % 8 != 7) {
            (0..width).filter(|&at| weights[at] + step[at] != 0.0 || at + 1 == width).collect()
        } else {
            (0..width).collect()
        };
    }
    step
}
