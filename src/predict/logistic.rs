//! Logistic regression: standardised and broken-line terms under an L2 penalty or an elastic net.
//!
//! Straight lines hold where the world moves beyond what was seen, broken lines fit it better where it does not; counts and sums
//! of events are kept within what nearly all rows had, since they grow with time alone (winsorised; Tukey 1962). Small weights on
//! everything (L2) suit features that all say a little, an elastic net those of which many say nothing. All are tried, each
//! over a path of penalties from strong to weak, warm-started.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::blocks::Block;
use super::design::{Design, Lines};
use super::elastic::Elastic;
use super::estimator::{Data, Estimator, Fitted, Prepared, Settings, Trial, Tuned, Window};
use super::judge::{plain_loss, tempered, windowed_loss};
use super::linear::{LinearModel, margins};
use super::newton::{Iterate, Problem, standard_errors};
use super::solver_linfa;
use crate::error::{Error, Result};
use crate::spec::{Direction, Solver};

/// L2 penalties (λ) that are tried, strong to weak.
const PENALTIES: [f64; 8] = [3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0];
/// How many of them are tried out of time: what a weak penalty wins in one later window it loses in the next.
const STRONG: usize = 6;
/// Penalties of the elastic net that are tried, in units of the chance of a gradient: `√(n·rate·(1 − rate))`.
const ELASTIC: [f64; 5] = [2.0, 1.0, 0.5, 0.25, 0.1];
/// How much of an elastic net falls on absolute values.
const ABSOLUTE_SHARE: f64 = 0.8;
/// More rows, or fewer features, than this are not given an elastic net: there is nothing to leave out.
const ELASTIC_WHERE: (usize, usize) = (60_000, 8);
/// Parts of a broken line, at most …
const MOST_KNOTS: usize = 8;
/// … and fewer where there are so many features that the broken lines would have more columns than this.
const MOST_COLUMNS: usize = 400;
/// Precision of the optimum in mean log loss, while settings are searched and in the end.
const TOLERANCES: [f64; 2] = [1e-6, 1e-8];
/// More rows of a window than this are thinned while settings are searched. Fewer would do for speed, but a few thousand prefer
/// another penalty than all do.
const SEARCH_ROWS: usize = 50_000;

/// The estimator, as the spec names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logistic {
    /// How the optimum is found.
    pub solver: Solver,
    /// Features that may only raise, or only lower, the score: each a straight line, or nothing.
    pub monotone: BTreeMap<String, Direction>,
    /// Whether counts and sums of events stay within what nearly all rows had: they grow while time goes on (purchases so far), and
    /// a line would go on with them to where nobody has been. What days tell does go on: the longer ago, the less.
    pub limited: bool,
}

/// What a logistic regression is fitted with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LinearSettings {
    /// λ of the penalty `λ·(share·Σ|weight| + (1 − share)/2·Σ weight²)` beside the summed log loss.
    pub penalty: f64,
    /// How much of the penalty falls on absolute values; 0: L2 alone.
    pub absolute_share: f64,
    /// Parts of the broken line of a number; 0: a straight line.
    pub knots: usize,
}

impl Estimator for Logistic {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn prepare<'a>(&'a self, data: Data<'a>, _: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(PreparedLogistic { asked: self, data }))
    }
}

struct PreparedLogistic<'a> {
    asked: &'a Logistic,
    data: Data<'a>,
}

/// A path of penalties over one design.
#[derive(Debug, Clone, Copy)]
struct Path {
    knots: usize,
    elastic: bool,
}

/// Settings, and what they did on the windows.
struct TriedLine {
    settings: LinearSettings,
    loss: f64,
    margins: Vec<Vec<f64>>,
}

struct Walked(Vec<TriedLine>);

impl Walked {
    /// The least loss, of equal ones the first.
    fn best(&self) -> Result<&TriedLine> {
        let best = self.0.iter().reduce(|best, next| if next.loss < best.loss { next } else { best });
        best.ok_or_else(|| Error::internal("logistic regression was tuned on no windows"))
    }
}

impl Prepared for PreparedLogistic<'_> {
    fn tune(&self, windows: &[Window]) -> Result<Tuned> {
        let width = self.data.table.columns.len();
        let broken = (MOST_COLUMNS / width.max(1)).clamp(2, MOST_KNOTS);
        let mut tried = self.walked(&[0, broken].map(|knots| Path { knots, elastic: false }), windows)?;
        let knots = tried.best()?.settings.knots;
        let most_rows = windows.iter().map(|window| window.fit.len()).max().unwrap_or(0);
        if most_rows <= ELASTIC_WHERE.0 && width >= ELASTIC_WHERE.1 && self.asked.solver == Solver::Newton {
            tried.0.append(&mut self.walked(&[Path { knots, elastic: true }], windows)?.0);
        }
        let trial = |(number, one): (usize, &TriedLine)| Trial {
            estimator: "logistic".to_owned(),
            number,
            settings: Settings::Linear(one.settings),
            n_windows: windows.len(),
            row_share: 1.0,
            loss: one.loss,
        };
        let trials = tried.0.iter().enumerate().map(trial).collect();
        let best = tried.best()?;
        Ok(Tuned { settings: Settings::Linear(best.settings), margins: best.margins.clone(), trials })
    }

    fn fit(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        self.fitted(rows, settings, false).map(Fitted::Linear)
    }

    fn fit_to_keep(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        self.fitted(rows, settings, true).map(Fitted::Linear)
    }
}

impl PreparedLogistic<'_> {
    fn design(&self, rows: &[u32], knots: usize) -> Design {
        Design::new(self.data.table, rows, Lines { knots, limited: self.asked.limited }, &self.asked.monotone)
    }

    fn fitted(&self, rows: &[u32], settings: &Settings, with_errors: bool) -> Result<LinearModel> {
        let Settings::Linear(settings) = settings else {
            return Err(Error::internal("a logistic regression was given the settings of another kind of model"));
        };
        let rows = self.data.in_order(rows);
        let mut design = self.design(&rows, settings.knots);
        // Many rows are approached from a part of them: the last steps are the costly ones.
        let step = rows.len().div_ceil(SEARCH_ROWS).max(1);
        let part = self.data.neighbours_together(rows.iter().copied().step_by(step).collect());
        let rows = self.data.neighbours_together(rows);
        let thin = LinearSettings { penalty: settings.penalty / step as f64, ..*settings };
        loop {
            let near = if step > 1 { self.solve(&design, &part, &[thin], TOLERANCES[0], None)? } else { Vec::new() };
            let solution = self.solve(&design, &rows, &[*settings], TOLERANCES[1], near.last())?;
            let solution = solution.last().ok_or_else(|| Error::internal("a logistic regression has no solution"))?;
            if design.drop_wrong_way(&self.asked.monotone, solution) {
                continue;
            }
            let errors = if with_errors { self.errors(&design, solution, &rows, settings)? } else { Vec::new() };
            let (intercept, weights) =
                solution.split_last().ok_or_else(|| Error::internal("the logistic regression has no intercept"))?;
            let model = LinearModel::new(design, weights.to_vec(), *intercept, self.data.table, &rows)?;
            return Ok(LinearModel { standard_errors: errors, ..model });
        }
    }

    /// What the settings along `paths` do on `windows`.
    fn walked(&self, paths: &[Path], windows: &[Window]) -> Result<Walked> {
        let labels: Vec<Vec<bool>> = windows.iter().map(|window| self.data.labels(&window.judge)).collect();
        let tries: Vec<(Path, &Window)> =
            paths.iter().flat_map(|&path| windows.iter().map(move |window| (path, window))).collect();
        let walks: Result<Vec<_>> = tries.par_iter().map(|&(path, window)| self.walk(path, window)).collect();
        // Windows of other sizes have other penalties; those of the largest are nearest to the final fit.
        let largest = (0..windows.len()).max_by_key(|&window| windows[window].fit.len()).unwrap_or(0);
        let mut tried = Vec::new();
        for walks in walks?.chunks(windows.len().max(1)) {
            for (at, &(settings, _)) in walks[largest].iter().enumerate() {
                let margins: Vec<Vec<f64>> = walks.iter().map(|walk| walk[at].1.clone()).collect();
                let pairs = || margins.iter().map(Vec::as_slice).zip(labels.iter().map(Vec::as_slice));
                let plain = if self.data.out_of_time { None } else { plain_loss(pairs()) };
                let loss = plain.unwrap_or_else(|| windowed_loss(pairs(), tempered(self.data, windows)));
                tried.push(TriedLine { settings, loss, margins });
            }
        }
        Ok(Walked(tried))
    }

    /// The settings along a path, strong to weak.
    fn settings(&self, path: Path, rows: &[u32]) -> Vec<LinearSettings> {
        let knots = path.knots;
        if path.elastic {
            let rate = super::newton::logistic(self.data.base_log_odds(rows));
            let unit = (rows.len() as f64 * rate * (1.0 - rate)).sqrt();
            let settings = |share| LinearSettings { penalty: share * unit, absolute_share: ABSOLUTE_SHARE, knots };
            return ELASTIC.map(settings).to_vec();
        }
        let penalties = if self.data.out_of_time { &PENALTIES[..STRONG] } else { &PENALTIES };
        penalties.iter().map(|&penalty| LinearSettings { penalty, absolute_share: 0.0, knots }).collect()
    }

    /// The settings along a path, and the margins of the judged rows for each.
    fn walk(&self, path: Path, window: &Window) -> Result<Vec<(LinearSettings, Vec<f64>)>> {
        let rows = self.data.in_order(&window.fit);
        let settings = self.settings(path, &rows);
        let step = rows.len().div_ceil(SEARCH_ROWS).max(1);
        let rows = self.data.neighbours_together(rows.into_iter().step_by(step).collect());
        let design = self.design(&rows, path.knots);
        // The thinned sum is smaller by the step: so is the penalty that weighs as much.
        let thin = |settings: &LinearSettings| LinearSettings { penalty: settings.penalty / step as f64, ..*settings };
        let thinned: Vec<LinearSettings> = settings.iter().map(thin).collect();
        let solutions = self.solve(&design, &rows, &thinned, TOLERANCES[0], None)?;
        let bound = design.bind(self.data.table)?;
        let margins = |solution: &Vec<f64>| {
            let (weights, intercept) = solution.split_at(design.n_columns);
            margins(&bound, weights, intercept[0], &window.judge)
        };
        Ok(settings.into_iter().zip(solutions.iter().map(margins)).collect())
    }

    /// The weights, the intercept last, at the optimum under each of the settings, reached from `near`.
    fn solve(
        &self,
        design: &Design,
        rows: &[u32],
        path: &[LinearSettings],
        tolerance: f64,
        near: Option<&Vec<f64>>,
    ) -> Result<Vec<Vec<f64>>> {
        let (label, weight) = (self.data.labels(rows), self.data.weights(rows));
        // Every step of the way reads all of the rows: they are laid side by side once, where they do not lie so.
        let (table, rows) = self.data.side_by_side(rows);
        let bound = design.bind(&table)?;
        let kept = Block::kept(&bound, &rows);
        let problem = Problem { bound: &bound, rows: &rows, kept: &kept, label: &label, weight: weight.as_deref() };
        let mut iterate = Iterate::start(problem);
        if let Some(near) = near {
            iterate.weights.clone_from(near);
        }
        let mut solutions = Vec::with_capacity(path.len());
        for settings in path {
            if settings.absolute_share > 0.0 {
                let elastic = Elastic { penalty: settings.penalty, share: settings.absolute_share };
                iterate.solve_elastic(problem, elastic, tolerance);
            } else {
                let linfa = (self.asked.solver == Solver::Linfa)
                    .then(|| solver_linfa::solve(problem, settings.penalty, &iterate.weights));
                match linfa.flatten() {
                    Some(weights) => iterate.weights = weights,
                    None => iterate.solve(problem, settings.penalty, tolerance)?,
                }
            }
            solutions.push(iterate.weights.clone());
        }
        Ok(solutions)
    }

    fn errors(&self, design: &Design, solution: &[f64], rows: &[u32], settings: &LinearSettings) -> Result<Vec<f64>> {
        let (label, weight) = (self.data.labels(rows), self.data.weights(rows));
        let bound = design.bind(self.data.table)?;
        let problem = Problem { bound: &bound, rows, kept: &[], label: &label, weight: weight.as_deref() };
        Ok(standard_errors(problem, solution, settings.penalty * (1.0 - settings.absolute_share)))
    }
}
