//! Weights of several models: not negative, and such that the log loss of their weighed sum is least.
//!
//! Minimises `Σ −ln P(label | level + Σ weight × margin)` over the judged rows, each window with a level of its own (stacking in
//! log odds; Wolpert 1992, Breiman 1996). A touch of ridge draws the weights to equal parts, which matters where rows are few.
//! With few models the constraint is kept by trying each set of them.

use faer::linalg::solvers::Solve as _;
use faer::{Mat, Side};

use super::estimator::{Data, Window};
use super::newton::logistic;

/// Models that are weighed, at most.
pub(super) const MOST_PARTS: usize = 6;
/// Folds of examples whose weights have not seen them.
pub(super) const FOLDS: u64 = 5;
/// Rows that weights are fitted on, at most.
const MOST_ROWS: usize = 100_000;
/// Curvature that draws the weights to equal parts.
const RIDGE: f64 = 5.0;
/// Lesser weights are none.
const LEAST: f64 = 0.03;
/// Steps of Newton's method, at most.
const MAX_STEPS: usize = 30;
/// A step is no longer than this in any weight or level.
const LONGEST_STEP: f64 = 4.0;
/// Halvings of a step, at most.
const MAX_HALVINGS: i32 = 30;

/// The fold of an example with this key.
pub(super) fn fold_of(key: u64) -> u64 {
    key.rotate_left(7) % FOLDS
}

/// Judged rows with a margin per part.
pub(super) struct Stack {
    n_parts: usize,
    n_windows: usize,
    rows: Vec<Row>,
}

struct Row {
    window: usize,
    fold: u64,
    label: f64,
    margins: [f64; MOST_PARTS],
}

/// Weights per part, and the mean level of the windows.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) weights: Vec<f64>,
    pub(super) level: f64,
    loss: f64,
}

impl Stack {
    /// The rows that `windows` judged, with what each part (margins per window) said of them.
    pub(super) fn new(parts: &[&[Vec<f64>]], data: Data<'_>, windows: &[Window]) -> Self {
        let n: usize = windows.iter().map(|window| window.judge.len()).sum();
        let step = n.div_ceil(MOST_ROWS).max(1);
        let places = windows
            .iter()
            .enumerate()
            .flat_map(|(number, window)| window.judge.iter().enumerate().map(move |(at, &row)| (number, at, row)));
        let row = |(window, at, row): (usize, usize, u32)| {
            let mut margins = [0.0; MOST_PARTS];
            margins.iter_mut().zip(parts).for_each(|(margin, part)| *margin = part[window][at]);
            let label = f64::from(u8::from(data.label[row as usize]));
            Row { window, fold: fold_of(data.key[row as usize]), label, margins }
        };
        let mut rows: Vec<Row> = places.step_by(step).map(row).collect();
        // Sums must not depend on the order of the table.
        rows.sort_by(|a, b| {
            let ends = a.window.cmp(&b.window).then(a.label.total_cmp(&b.label));
            a.margins.iter().zip(&b.margins).fold(ends, |order, (a, b)| order.then(a.total_cmp(b)))
        });
        Self { n_parts: parts.len(), n_windows: windows.len(), rows }
    }

    /// The best weights of all sets of parts that have no negative one, or else the first part alone; a fold of the rows may be left out.
    pub(super) fn best(&self, left_out: Option<u64>) -> Weighed {
        self.without_negatives(left_out).unwrap_or_else(|| Weighed {
            weights: self.alone(0),
            level: 0.0,
            loss: f64::INFINITY,
        })
    }

    /// The best weights of all sets of parts that have no negative one.
    pub(super) fn without_negatives(&self, left_out: Option<u64>) -> Option<Weighed> {
        let mut best: Option<Weighed> = None;
        for parts in 1_u32..1 << self.n_parts {
            let used: Vec<usize> = (0..self.n_parts).filter(|part| (parts >> part) & 1 == 1).collect();
            let least = if used.len() > 1 { LEAST } else { 0.0 };
            let Some(weighed) = self.weigh(&used, left_out) else { continue };
            let allowed = used.iter().all(|&part| weighed.weights[part] >= least);
            if allowed && best.as_ref().is_none_or(|best| weighed.loss < best.loss) {
                best = Some(weighed);
            }
        }
        best
    }

    fn alone(&self, part: usize) -> Vec<f64> {
        (0..self.n_parts).map(|other| f64::from(u8::from(other == part))).collect()
    }

    /// Newton's method on the weights of `used` and a level per window.
    fn weigh(&self, used: &[usize], left_out: Option<u64>) -> Option<Weighed> {
        let equal = 1.0 / self.n_parts as f64;
        let n = used.len();
        let mut solution = vec![1.0 / n as f64; n];
        solution.resize(n + self.n_windows, 0.0);
        let with_ridge = |solution: &[f64]| {
            let mut here = self.slopes(used, solution, left_out);
            for (at, weight) in solution[..n].iter().enumerate() {
                here.loss += 0.5 * RIDGE * (weight - equal).powi(2);
                here.gradient[at] += RIDGE * (weight - equal);
                here.curvature[(at, at)] += RIDGE;
            }
            here
        };
        let mut here = with_ridge(&solution);
        for _ in 0..MAX_STEPS {
            let right = Mat::from_fn(solution.len(), 1, |row, _| here.gradient[row]);
            let step = here.curvature.llt(Side::Lower).ok()?.solve(&right);
            let longest = (0..solution.len()).map(|row| step[(row, 0)].abs()).fold(0.0, f64::max);
            // Where probabilities are all but certain the parabola is a poor guide: the step is shortened until it gains.
            let next = (0..MAX_HALVINGS).find_map(|halvings| {
                let share = (LONGEST_STEP / longest).min(1.0) * 0.5_f64.powi(halvings);
                let next: Vec<f64> =
                    solution.iter().enumerate().map(|(row, value)| value - share * step[(row, 0)]).collect();
                let there = with_ridge(&next);
                (there.loss < here.loss).then_some((next, there))
            });
            let Some((next, there)) = next else { break };
            let gain = here.loss - there.loss;
            (solution, here) = (next, there);
            if gain < 1e-9 * self.rows.len() as f64 {
                break;
            }
        }
        // Parts without weight pay the ridge like the others, or leaving one out would look cheap.
        let loss = here.loss + 0.5 * RIDGE * equal.powi(2) * (self.n_parts - n) as f64;
        let mut weights = vec![0.0; self.n_parts];
        used.iter().zip(&solution).for_each(|(&part, weight)| weights[part] = *weight);
        let level = solution[n..].iter().sum::<f64>() / self.n_windows.max(1) as f64;
        (loss.is_finite() && level.is_finite()).then_some(Weighed { weights, level, loss })
    }

    /// Loss, gradient and curvature (lower triangle) in the weights of `used`, then the levels.
    fn slopes(&self, used: &[usize], solution: &[f64], left_out: Option<u64>) -> Slopes {
        let (n, width) = (used.len(), solution.len());
        let mut sum = Slopes {
            loss: 0.0,
            gradient: vec![0.0; width],
            curvature: Mat::from_fn(width, width, |row, column| if row == column { 1e-9 } else { 0.0 }),
        };
        for row in self.rows.iter().filter(|row| left_out != Some(row.fold)) {
            let level = n + row.window;
            let weighed = used.iter().zip(solution).map(|(&part, weight)| weight * row.margins[part]);
            let margin = solution[level] + weighed.sum::<f64>();
            let probability = logistic(margin);
            let (miss, certainty) = (probability - row.label, probability * (1.0 - probability));
            sum.loss += margin.max(0.0) - row.label * margin + libm::log1p(libm::exp(-margin.abs()));
            sum.gradient[level] += miss;
            sum.curvature[(level, level)] += certainty;
            for (at, &part) in used.iter().enumerate() {
                sum.gradient[at] += miss * row.margins[part];
                sum.curvature[(level, at)] += certainty * row.margins[part];
                for (other, &other_part) in used.iter().enumerate().take(at + 1) {
                    sum.curvature[(at, other)] += certainty * row.margins[part] * row.margins[other_part];
                }
            }
        }
        sum
    }
}

struct Slopes {
    loss: f64,
    gradient: Vec<f64>,
    curvature: Mat<f64>,
}
