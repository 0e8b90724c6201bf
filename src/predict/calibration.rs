//! From margins to probabilities that mean what they say.
//!
//! Four maps, all monotone, so that ranks hold: **identity** (the logistic function), **Platt** (a line in log odds; Platt
//! 1999), **beta** (two slopes, one for each end; Kull, Silva Filho and Flach 2017) and **isotonic** (pool adjacent violators;
//! here a broken line in log odds through the pooled steps, rising a little everywhere, so that no two scores tie that did
//! not tie before). The choice falls by cross-validated log loss, and a richer map must beat a simpler one by more than a
//! standard error. Where what was held out lies in time before what will be scored, there is no choice: a line whose slope is at most 1
//! (`last.rs`) held better than any of them.

use serde::{Deserialize, Serialize};

pub use super::isotonic::Isotonic;
use super::newton::logistic;
use super::sums::log_loss;
use crate::error::{Error, Result};

/// Folds of the cross-validation that chooses.
const FOLDS: usize = 5;
/// Examples and attained among them, from which on beta and isotonic maps are tried.
const ENOUGH: [(usize, usize); 2] = [(1_000, 100), (5_000, 400)];
/// A smaller shift in log odds than this is none.
const LEAST_SHIFT: f64 = 0.02;
/// The least slope of a Platt line and of an isotonic map: the ranks hold.
pub(super) const LEAST_SLOPE: f64 = 1e-3;

/// A map from margins to probabilities, rising everywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibrator {
    /// The logistic function.
    Identity,
    /// `logistic(slope · margin + intercept)`.
    Platt(Platt),
    /// `logistic(high · ln p − low · ln(1 − p) + intercept)` of `p = logistic(margin)`.
    Beta(Beta),
    /// A broken line in log odds.
    Isotonic(Isotonic),
}

/// See [`Calibrator::Platt`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    /// Above 0.
    pub slope: f64,
    /// Log odds at margin 0.
    pub intercept: f64,
}

/// See [`Calibrator::Beta`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Beta {
    /// Weight of `ln p`, 0 or more.
    pub high: f64,
    /// Weight of `−ln(1 − p)`, 0 or more, above 0 where `high` is 0.
    pub low: f64,
    /// Log odds where the others cancel.
    pub intercept: f64,
}

impl Calibrator {
    /// The map that does best on `margins` and `labels`, folds told by `key` (a hash of the person).
    #[must_use]
    pub fn choose(margins: &[f64], labels: &[bool], key: &[u64]) -> Self {
        let n_attained = labels.iter().filter(|&&label| label).count();
        let rarer = n_attained.min(labels.len() - n_attained);
        let rich = ENOUGH.iter().take_while(|(n, attained)| labels.len() >= *n && rarer >= *attained).count();
        let kinds = &[Kind::Identity, Kind::Platt, Kind::Beta, Kind::Isotonic][..2 + rich];
        let mut best = (Kind::Identity, Kind::Identity.held_out(margins, labels, key));
        for &kind in &kinds[1..] {
            let losses = kind.held_out(margins, labels, key);
            if beats(&losses, &best.1) {
                best = (kind, losses);
            }
        }
        best.0.fit(margins, labels)
    }

    /// `identity`, `platt` …
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Platt(_) => "platt",
            Self::Beta(_) => "beta",
            Self::Isotonic(_) => "isotonic",
        }
    }

    /// The probability at a margin.
    #[must_use]
    pub fn probability(&self, margin: f64) -> f64 {
        logistic(self.log_odds(margin))
    }

    pub(super) fn log_odds(&self, margin: f64) -> f64 {
        match self {
            Self::Identity => margin,
            Self::Platt(platt) => platt.log_odds(margin),
            Self::Beta(beta) => beta.log_odds(margin),
            Self::Isotonic(isotonic) => isotonic.log_odds(margin),
        }
    }

    /// By how much the map must be moved in log odds for the mean probability at `margins` to be `rate`.
    ///
    /// Held-out margins tell the shape of the map. Its level they tell for a model that has not seen the newest rows; the
    /// final one has, and would be corrected twice.
    #[must_use]
    pub fn shift_to(&self, margins: &[f64], rate: f64) -> f64 {
        shift_to(&margins.iter().map(|&margin| self.log_odds(margin)).collect::<Vec<_>>(), rate)
    }

    /// The map, moved by so much in log odds.
    #[must_use]
    pub fn shifted(self, shift: f64) -> Self {
        if shift.abs() < LEAST_SHIFT {
            return self;
        }
        match self {
            Self::Identity => Self::Platt(Platt { slope: 1.0, intercept: shift }),
            Self::Platt(platt) => Self::Platt(Platt { intercept: platt.intercept + shift, ..platt }),
            Self::Beta(beta) => Self::Beta(Beta { intercept: beta.intercept + shift, ..beta }),
            Self::Isotonic(mut isotonic) => {
                isotonic.log_odds.iter_mut().for_each(|log_odds| *log_odds += shift);
                Self::Isotonic(isotonic)
            }
        }
    }

    /// Checks what a file may have damaged.
    ///
    /// # Errors
    /// When the map would not rise or holds numbers that are not finite.
    pub fn check(&self) -> Result<()> {
        let sound = match self {
            Self::Identity => true,
            Self::Platt(platt) => platt.slope.is_finite() && platt.slope > 0.0 && platt.intercept.is_finite(),
            Self::Beta(Beta { high, low, intercept }) => {
                [high, low].iter().all(|slope| slope.is_finite() && **slope >= 0.0)
                    && high + low > 0.0
                    && intercept.is_finite()
            }
            Self::Isotonic(isotonic) => isotonic.is_sound(),
        };
        if sound { Ok(()) } else { Err(Error::data("the calibration is damaged")) }
    }
}

/// What must be added to `log_odds` for their mean probability to be `rate`, by bisection.
pub(super) fn shift_to(log_odds: &[f64], rate: f64) -> f64 {
    let mean =
        |shift: f64| log_odds.iter().map(|log_odds| logistic(log_odds + shift)).sum::<f64>() / log_odds.len() as f64;
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if mean(middle) < rate {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Whether `losses` are lower than `others` by more than a standard error of the difference.
fn beats(losses: &[f64], others: &[f64]) -> bool {
    let n = losses.len() as f64;
    let differences = || losses.iter().zip(others).map(|(loss, other)| other - loss);
    let mean = differences().sum::<f64>() / n;
    let variance = differences().map(|difference| (difference - mean).powi(2)).sum::<f64>() / n;
    mean > (variance / n).sqrt()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Identity,
    Platt,
    Beta,
    Isotonic,
}

impl Kind {
    fn fit(self, margins: &[f64], labels: &[bool]) -> Calibrator {
        match self {
            Self::Identity => Calibrator::Identity,
            Self::Platt => Calibrator::Platt(Platt::fit(margins, labels)),
            Self::Beta => Calibrator::Beta(Beta::fit(margins, labels)),
            Self::Isotonic => Isotonic::fit(margins, labels).map_or(Calibrator::Identity, Calibrator::Isotonic),
        }
    }

    /// The log loss of each example under a map that has not seen its fold.
    fn held_out(self, margins: &[f64], labels: &[bool], key: &[u64]) -> Vec<f64> {
        let fold = |row: usize| (key[row] % FOLDS as u64) as usize;
        let mut losses = vec![0.0; margins.len()];
        for held_out in 0..FOLDS {
            let (rows, held): (Vec<usize>, Vec<usize>) = (0..margins.len()).partition(|&row| fold(row) != held_out);
            let seen: Vec<f64> = rows.iter().map(|&row| margins[row]).collect();
            let known: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
            let map = self.fit(&seen, &known);
            for row in held {
                losses[row] = log_loss(map.probability(margins[row]), labels[row]);
            }
        }
        losses
    }
}

impl Platt {
    /// The line with the least log loss, with Platt's targets (a little away from 0 and 1).
    #[must_use]
    pub fn fit(margins: &[f64], labels: &[bool]) -> Self {
        let [slope, intercept] = lines(&margins.iter().map(|&margin| [margin, 1.0]), labels);
        if slope > LEAST_SLOPE {
            return Self { slope, intercept };
        }
        let [intercept] = lines(&margins.iter().map(|_| [1.0]), labels);
        Self { slope: LEAST_SLOPE, intercept }
    }

    /// As [`Platt::fit`], but nothing is said more surely than the margins say it: the slope is at most 1.
    #[must_use]
    pub fn tempered(margins: &[f64], labels: &[bool]) -> Self {
        let free = Self::fit(margins, labels);
        if free.slope <= 1.0 { free } else { Self::of_slope(1.0, margins, labels) }
    }

    /// The line of this slope by which as many attain as did.
    #[must_use]
    pub fn of_slope(slope: f64, margins: &[f64], labels: &[bool]) -> Self {
        let n_attained = labels.iter().filter(|&&label| label).count();
        let line = Calibrator::Platt(Self { slope, intercept: 0.0 });
        Self { slope, intercept: line.shift_to(margins, n_attained as f64 / labels.len() as f64) }
    }

    /// The probability at a margin.
    #[must_use]
    pub fn probability(self, margin: f64) -> f64 {
        logistic(self.log_odds(margin))
    }

    fn log_odds(self, margin: f64) -> f64 {
        self.slope * margin + self.intercept
    }
}

impl Beta {
    fn fit(margins: &[f64], labels: &[bool]) -> Self {
        let ends = |&margin: &f64| {
            let [high, low] = ends(margin);
            [high, low, 1.0]
        };
        let [high, low, intercept] = lines(&margins.iter().map(ends), labels);
        if high >= 0.0 && low >= 0.0 && high + low > LEAST_SLOPE {
            return Self { high, low, intercept };
        }
        let one_sided = |side: usize| lines(&margins.iter().map(|&margin| [self::ends(margin)[side], 1.0]), labels);
        let ([high, at_high], [low, at_low]) = (one_sided(0), one_sided(1));
        if high >= low {
            Self { high: high.max(LEAST_SLOPE), low: 0.0, intercept: at_high }
        } else {
            Self { high: 0.0, low: low.max(LEAST_SLOPE), intercept: at_low }
        }
    }

    fn log_odds(self, margin: f64) -> f64 {
        let [high, low] = ends(margin);
        self.high * high + self.low * low + self.intercept
    }
}

/// `ln p` and `−ln(1 − p)` of `p = logistic(margin)`.
fn ends(margin: f64) -> [f64; 2] {
    let softplus = |x: f64| x.max(0.0) + libm::log1p(libm::exp(-x.abs()));
    [-softplus(-margin), softplus(margin)]
}

/// The weights of a logistic regression on `N` columns by Newton's method, with Platt's targets.
fn lines<const N: usize>(columns: &(impl Iterator<Item = [f64; N]> + Clone), labels: &[bool]) -> [f64; N] {
    let n_attained = labels.iter().filter(|&&label| label).count() as f64;
    let n_others = labels.len() as f64 - n_attained;
    let (high, low) = ((n_attained + 1.0) / (n_attained + 2.0), 1.0 / (n_others + 2.0));
    let mut weights = [0.0; N];
    weights[N - 1] = libm::log((n_attained + 1.0) / (n_others + 1.0));
    for _ in 0..50 {
        let mut gradient = [0.0; N];
        let mut curvature = [[0.0; N]; N];
        for (x, &label) in columns.clone().zip(labels) {
            let margin: f64 = x.iter().zip(&weights).map(|(x, weight)| x * weight).sum();
            let probability = logistic(margin);
            let miss = probability - if label { high } else { low };
            let certainty = probability * (1.0 - probability);
            for i in 0..N {
                gradient[i] += miss * x[i];
                for j in 0..=i {
                    curvature[i][j] += certainty * x[i] * x[j];
                }
            }
        }
        let step = solved(curvature, gradient);
        let longest = step.iter().fold(0.0_f64, |longest, step| longest.max(step.abs()));
        // A long step is shortened: far from the optimum the parabola is a poor guide.
        let share = (4.0 / longest.max(1e-300)).min(1.0);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight -= share * step);
        if longest < 1e-10 {
            break;
        }
    }
    weights
}

/// `curvature⁻¹ gradient`, the lower triangle given, by Cholesky with a touch of ridge.
fn solved<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for i in 0..N {
        matrix[i][i] += 1e-9 * (1.0 + matrix[i][i]);
        for j in 0..=i {
            let product: f64 = (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
            let rest = matrix[i][j] - product;
            matrix[i][j] = if i == j { rest.max(1e-300).sqrt() } else { rest / matrix[j][j] };
        }
    }
    for i in 0..N {
        let known: f64 = (0..i).map(|k| matrix[i][k] * right[k]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|k| matrix[k][i] * right[k]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: usize, slope: f64, intercept: f64) -> (Vec<f64>, Vec<bool>, Vec<u64>) {
        let spread = |row: usize, step: f64| (row as f64 * step).fract();
        let margins: Vec<f64> = (0..n).map(|row| 6.0 * spread(row, 0.618_033_988_749) - 4.0).collect();
        let labels = margins
            .iter()
            .enumerate()
            .map(|(row, margin)| spread(row, 0.754_877_666_2) < logistic(slope * margin + intercept))
            .collect();
        let key = (0..n as u64).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11).collect();
        (margins, labels, key)
    }

    #[test]
    fn scores_that_are_true_are_left_alone_and_others_are_straightened() {
        let (margins, labels, key) = sample(4_000, 1.0, 0.0);
        assert_eq!(Calibrator::choose(&margins, &labels, &key).name(), "identity");
        let (margins, labels, key) = sample(4_000, 0.5, 1.0);
        let Calibrator::Platt(platt) = Calibrator::choose(&margins, &labels, &key) else { panic!("a line is enough") };
        assert!((platt.slope - 0.5).abs() < 0.05 && (platt.intercept - 1.0).abs() < 0.1, "{platt:?}");
    }

    #[test]
    fn a_tempered_line_never_says_more_surely_what_the_scores_say() {
        let (margins, labels, _) = sample(4_000, 2.0, 0.5);
        let (free, tempered) = (Platt::fit(&margins, &labels), Platt::tempered(&margins, &labels));
        let mean = margins.iter().map(|&margin| tempered.probability(margin)).sum::<f64>() / 4_000.0;
        let rate = labels.iter().filter(|&&label| label).count() as f64 / 4_000.0;
        assert!(free.slope > 1.8 && tempered.slope == 1.0 && (mean - rate).abs() < 1e-9, "{tempered:?}: {mean}");
        let (margins, labels, _) = sample(4_000, 0.5, 1.0);
        assert_eq!(Platt::tempered(&margins, &labels), Platt::fit(&margins, &labels));
    }

    #[test]
    fn a_shifted_map_has_the_mean_that_was_asked_for() {
        let (margins, labels, _) = sample(2_000, 0.7, -0.5);
        for kind in [Kind::Identity, Kind::Platt, Kind::Beta, Kind::Isotonic] {
            let map = kind.fit(&margins, &labels);
            let shift = map.shift_to(&margins, 0.05);
            let map = map.shifted(shift);
            let mean = margins.iter().map(|&margin| map.probability(margin)).sum::<f64>() / margins.len() as f64;
            assert!((mean - 0.05).abs() < 1e-9, "{kind:?}: {mean}");
        }
    }

    #[test]
    fn every_map_rises() {
        let (margins, labels, _) = sample(2_000, 0.7, -0.5);
        let against: Vec<bool> = labels.iter().map(|label| !label).collect();
        for labels in [&labels, &against] {
            for kind in [Kind::Identity, Kind::Platt, Kind::Beta, Kind::Isotonic] {
                let map = kind.fit(&margins, labels);
                map.check().unwrap();
                let propensities: Vec<f64> = (-60..60).map(|step| map.probability(f64::from(step) / 10.0)).collect();
                assert!(propensities.windows(2).all(|pair| pair[0] < pair[1]), "{kind:?} does not rise");
                assert!(propensities.iter().all(|propensity| (0.0..=1.0).contains(propensity)));
            }
        }
    }
}
