//! Naive Bayes: each feature's evidence on its own, added up. The baseline that richer models must beat.
//!
//! `margin = base + Σ ln P(x_f | attained) / P(x_f | not)`. A category, a gap and a broken line count their levels or knots (a
//! value between two knots counts in both), with [`BayesSettings::smoothing`] examples at the even odds added; a number without
//! knots is normal with one variance, which makes its evidence a line (Fisher). Both are terms of the linear design, so the model is a
//! [`LinearModel`] and is scored, explained and kept like one. Features that say the same are counted twice: the margins come
//! out too far from zero, and are pulled back by the slope that did best on the windows.

use serde::{Deserialize, Serialize};

use super::blocks::{Block, ROWS};
use super::calibration::Platt;
use super::design::{Design, Lines, Shape};
use super::estimator::{Data, Estimator, Fitted, Prepared, Settings, Tuned, Window};
use super::linear::LinearModel;
use crate::error::{Error, Result};

/// Parts of the broken line of a number.
const KNOTS: usize = 8;

/// The estimator, as the spec names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bayes;

/// What naive Bayes is fitted with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BayesSettings {
    /// Parts of the broken line of a number.
    pub knots: usize,
    /// Examples that each level of a feature is thought to have had before, on either side.
    pub smoothing: f64,
    /// What the evidence is multiplied with.
    pub slope: f64,
}

impl Estimator for Bayes {
    fn name(&self) -> &'static str {
        "bayes"
    }

    fn prepare<'a>(&'a self, data: Data<'a>, _: &[u32]) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(PreparedBayes { data }))
    }
}

struct PreparedBayes<'a> {
    data: Data<'a>,
}

impl Prepared for PreparedBayes<'_> {
    fn tune(&self, windows: &[Window]) -> Result<Tuned> {
        let plain = BayesSettings { knots: KNOTS, smoothing: 1.0, slope: 1.0 };
        let mut margins = Vec::with_capacity(windows.len());
        let (mut slopes, mut judged) = (0.0, 0.0);
        for window in windows {
            let model = self.fitted(&window.fit, plain)?;
            let of_window = model.margins(self.data.table, &window.judge)?;
            let n = window.judge.len() as f64;
            slopes += n * Platt::fit(&of_window, &self.data.labels(&window.judge)).slope;
            judged += n;
            margins.push(of_window);
        }
        let slope = if judged > 0.0 { slopes / judged } else { 1.0 };
        for (margins, window) in margins.iter_mut().zip(windows) {
            let base = self.data.base_log_odds(&window.fit);
            for margin in margins {
                *margin = base + slope * (*margin - base);
            }
        }
        Ok(Tuned { settings: Settings::Bayes(BayesSettings { slope, ..plain }), margins, trials: Vec::new() })
    }

    fn fit(&self, rows: &[u32], settings: &Settings) -> Result<Fitted> {
        let Settings::Bayes(settings) = settings else {
            return Err(Error::internal("naive Bayes was given the settings of another kind of model"));
        };
        self.fitted(rows, *settings).map(Fitted::Linear)
    }
}

impl PreparedBayes<'_> {
    fn fitted(&self, rows: &[u32], settings: BayesSettings) -> Result<LinearModel> {
        let rows = self.data.in_order(rows);
        let design = Design::new(
            self.data.table,
            &rows,
            Lines { knots: settings.knots, limited: false },
            &std::collections::BTreeMap::new(),
        );
        let [others, attained] = self.sums(&design, &rows)?;
        let mut weights = vec![0.0; design.n_columns];
        let base = self.data.base_log_odds(&rows);
        let mut intercept = base;
        for term in &design.terms {
            let columns = term.first..term.first + term.shape.width();
            let counted = match &term.shape {
                Shape::Nothing => continue,
                Shape::Category(_) => columns,
                Shape::Number(number) => {
                    if number.knots.is_empty() {
                        let (slope, middle) = line(&others, &attained, term.first);
                        weights[term.first] = settings.slope * slope;
                        intercept -= settings.slope * slope * middle;
                    }
                    term.first + 1..columns.end
                }
            };
            for column in counted {
                let share =
                    |side: &Side| (side.sums[column] + settings.smoothing) / (side.n + 2.0 * settings.smoothing);
                weights[column] = settings.slope * libm::log(share(&attained) / share(&others));
            }
        }
        LinearModel::new(design, weights, intercept, self.data.table, &rows)
    }

    /// Σ of every column over those who did not attain, and over those who did.
    fn sums(&self, design: &Design, rows: &[u32]) -> Result<[Side; 2]> {
        let bound = design.bind(self.data.table)?;
        let mut sides = [Side::new(design.n_columns), Side::new(design.n_columns)];
        let mut block = Block::new(&bound);
        for rows in rows.chunks(ROWS) {
            block.load(&bound, rows);
            for (side, wanted) in sides.iter_mut().zip([false, true]) {
                let count = |&row: &u32| {
                    let counts = self.data.label[row as usize] == wanted;
                    if counts { self.data.weight.map_or(1.0, |weight| weight[row as usize]) } else { 0.0 }
                };
                let counts: Vec<f64> = rows.iter().map(count).collect();
                side.n += counts.iter().sum::<f64>();
                block.add_gradient(&counts, &mut side.sums);
            }
        }
        Ok(sides)
    }
}

/// One outcome: how many, and what their columns sum to.
struct Side {
    n: f64,
    sums: Vec<f64>,
}

impl Side {
    fn new(n_columns: usize) -> Self {
        Self { n: 0.0, sums: vec![0.0; n_columns] }
    }
}

/// Slope and middle of the evidence of a standardised number: `(m₁ − m₀) / s²` and `(m₁ + m₀) / 2`, where the variance within is
/// one less what lies between.
fn line(others: &Side, attained: &Side, column: usize) -> (f64, f64) {
    let mean = |side: &Side| side.sums[column] / side.n.max(1.0);
    let (low, high) = (mean(others), mean(attained));
    let n = others.n + attained.n;
    let between = others.n * attained.n / (n * n) * (high - low).powi(2);
    ((high - low) / (1.0 - between).max(0.05), f64::midpoint(low, high))
}
