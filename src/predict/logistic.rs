//! Logistic regression: standardised and broken-line terms under an L2 penalty.
//!
//! Straight lines hold where the world moves beyond what was seen, broken lines fit it better where it does not: both are
//! tried, each over a path of penalties from strong to weak, warm-started.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::design::Design;
use super::estimator::{Data, Estimator, Fitted, Prepared, Settings, Tuned, Window};
use super::judge::windowed_loss;
use super::linear::{LinearModel, margins};
use super::newton::{Iterate, Problem};
use super::solver_linfa;
use crate::error::{Error, Result};
use crate::spec::Solver;

/// Penalties (λ) that are tried, strong to weak.
const PENALTIES: [f64; 8] = [3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0];
/// How many of them are tried out of time: what a weak penalty wins in one later window it loses in the next.
const STRONG: usize = 6;
/// Parts of a broken line, at most …
const MOST_KNOTS: usize = 8;
/// … and fewer where there are so many features that the broken lines would have more columns than this.
const MOST_COLUMNS: usize = 400;
/// Precision of the optimum in mean log loss, while settings are searched and in the end.
const TOLERANCES: [f64; 2] = [1e-7, 1e-8];
/// More rows than this are thinned while settings are searched.
const SEARCH_ROWS: usize = 50_000;
/// Rows from which on a table is taken in its own order.
const LARGE_TABLE: usize = 100_000;

/// The estimator, as the spec names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Logistic {
    /// How the optimum is found.
    pub solver: Solver,
}

/// What a logistic regression is fitted with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LinearSettings {
    /// λ of the L2 penalty `λ/2 · Σ weight²` beside the summed log loss.
    pub penalty: f64,
    /// Parts of the broken line of a number; 0: a straight line.
    pub knots: usize,
}

impl Estimator for Logistic {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn prepare<'a>(&'a self, data: Data<'a>, _: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(PreparedLogistic { solver: self.solver, data }))
    }
}

struct PreparedLogistic<'a> {
    solver: Solver,
    data: Data<'a>,
}

impl Prepared for PreparedLogistic<'_> {
    fn tune(&self, windows: &[Window]) -> Result<Tuned> {
        let labels: Vec<Vec<bool>> = windows.iter().map(|window| self.data.labels(&window.judge)).collect();
        let straight_and_broken = [0, (MOST_COLUMNS / self.data.table.columns.len().max(1)).clamp(2, MOST_KNOTS)];
        let tries: Vec<(usize, usize)> = straight_and_broken
            .iter()
            .flat_map(|&knots| (0..windows.len()).map(move |window| (knots, window)))
            .collect();
        let paths: Result<Vec<_>> =
            tries.par_iter().map(|&(knots, window)| self.path(knots, &windows[window])).collect();
        let paths = paths?;
        let mut best: Option<(f64, Tuned)> = None;
        for (paths, knots) in paths.chunks(windows.len()).zip(straight_and_broken) {
            for (at, &penalty) in self.penalties().iter().enumerate() {
                let loss = windowed_loss(
                    paths.iter().zip(&labels).map(|(path, labels)| (path[at].as_slice(), labels.as_slice())),
                );
                if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                    let settings = Settings::Linear(LinearSettings { penalty, knots });
                    let margins = paths.iter().map(|path| path[at].clone()).collect();
                    best = Some((loss, Tuned { settings, margins }));
                }
            }
        }
        best.map(|(_, tuned)| tuned).ok_or_else(|| Error::internal("logistic regression was tuned on no windows"))
    }

    fn fit(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        let Settings::Linear(settings) = settings else {
            return Err(Error::internal("a logistic regression was given the settings of trees"));
        };
        let rows = self.data.in_order(rows);
        let design = Design::new(self.data.table, &rows, settings.knots);
        // Many rows are approached from a part of them: the last steps are the costly ones.
        let step = rows.len().div_ceil(SEARCH_ROWS).max(1);
        let part = self.neighbours_together(rows.iter().copied().step_by(step).collect());
        let rows = self.neighbours_together(rows);
        let near = self.solve(&design, &part, &[settings.penalty / step as f64], TOLERANCES[0], None)?;
        let solution = self.solve(&design, &rows, &[settings.penalty], TOLERANCES[1], near.last())?;
        let solution = solution.last().ok_or_else(|| Error::internal("a logistic regression has no solution"))?;
        model(design, solution, self.data, &rows).map(Fitted::Linear)
    }
}

impl PreparedLogistic<'_> {
    fn penalties(&self) -> &'static [f64] {
        if self.data.out_of_time { &PENALTIES[..STRONG] } else { &PENALTIES }
    }

    /// The rows of a large table in its own order, where the cells of neighbours lie side by side: there the last bits of sums
    /// may depend on the order of the table.
    fn neighbours_together(&self, mut rows: Vec<u32>) -> Vec<u32> {
        if self.data.table.n_rows > LARGE_TABLE {
            rows.sort_unstable();
        }
        rows
    }

    /// The margins of the judged rows for each penalty.
    fn path(&self, knots: usize, window: &Window) -> Result<Vec<Vec<f64>>> {
        let rows = self.data.in_order(&window.fit);
        let step = rows.len().div_ceil(SEARCH_ROWS).max(1);
        let rows = self.neighbours_together(rows.into_iter().step_by(step).collect());
        let design = Design::new(self.data.table, &rows, knots);
        // The thinned sum is smaller by the step: so is the penalty that weighs as much.
        let penalties: Vec<f64> = self.penalties().iter().map(|penalty| penalty / step as f64).collect();
        let solutions = self.solve(&design, &rows, &penalties, TOLERANCES[0], None)?;
        let bound = design.bind(self.data.table)?;
        let margins = |solution: &Vec<f64>| {
            let (weights, intercept) = solution.split_at(design.n_columns);
            margins(&bound, weights, intercept[0], &window.judge)
        };
        Ok(solutions.iter().map(margins).collect())
    }

    /// The weights, the intercept last, at the optimum under each penalty, reached from `near`.
    fn solve(
        &self,
        design: &Design,
        rows: &[u32],
        penalties: &[f64],
        tolerance: f64,
        near: Option<&Vec<f64>>,
    ) -> Result<Vec<Vec<f64>>> {
        let label = self.data.labels(rows);
        let bound = design.bind(self.data.table)?;
        let problem = Problem { bound: &bound, rows, label: &label };
        let mut iterate = Iterate::start(problem);
        if let Some(near) = near {
            iterate.weights.clone_from(near);
        }
        let mut solutions = Vec::with_capacity(penalties.len());
        for &penalty in penalties {
            match self.solver {
                Solver::Newton => iterate.solve(problem, penalty, tolerance)?,
                Solver::Linfa => match solver_linfa::solve(problem, penalty, &iterate.weights) {
                    Some(weights) => iterate.weights = weights,
                    None => iterate.solve(problem, penalty, tolerance)?,
                },
            }
            solutions.push(iterate.weights.clone());
        }
        Ok(solutions)
    }
}

fn model(design: Design, solution: &[f64], data: Data<'_>, rows: &[u32]) -> Result<LinearModel> {
    let (intercept, weights) =
        solution.split_last().ok_or_else(|| Error::internal("the logistic regression has no intercept"))?;
    LinearModel::new(design, weights.to_vec(), *intercept, data.table, rows)
}
