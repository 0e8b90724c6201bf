//! Intervals of a difference, of a ratio, and one that may be looked at again and again. All at 95 %.
//!
//! - **Difference of two rates**: Newcombe's hybrid score interval, method 10 of Newcombe (1998), Statistics in Medicine 17: 873–890,
//!   made of the two Wilson intervals `(l, u)`: `δ − √((p₁ − l₁)² + (u₀ − p₀)²)` to `δ + √((u₁ − p₁)² + (p₀ − l₀)²)`.
//! - **Ratio of two rates**: Koopman's score interval (1984), Biometrics 40: 513–517: all ratios `θ` that a score test does
//!   not reject, `(p₁ − θ p₀)² ≤ z² (p̃₁ (1 − p̃₁) / n₁ + θ² p̃₀ (1 − p̃₀) / n₀)`, with `p̃₁ = θ p̃₀` the likeliest rates under `θ`.
//! - **Difference of two means**: Welch (1947): `δ ± t √(s₁²/n₁ + s₀²/n₀)` with Satterthwaite's degrees of freedom.
//! - **Always valid**: the interval that the mixture sequential probability ratio test inverts (Johari, Koomen, Pekelis and Walsh,
//!   Always Valid Inference, Operations Research 70, 2022, with a normal mixture of variance `τ²`): with `V` the variance of the
//!   difference, `δ ± √(V (V + τ²) / τ² · (ln((V + τ²) / V) − 2 ln 0.05))`. It covers at every look at once, however often and
//!   whenever one looks. As it is the same for Brownian motion in either direction of time, it holds for people who come in
//!   one after the other and for outcomes that come in of the same people.

use serde::{Deserialize, Serialize};

use crate::rate::{Rate, Z};

/// An estimate with its 95 % interval; an end that is absent is unbounded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Whose interval: `Newcombe`, `Koopman`, `Welch`, `always valid`.
    pub method: String,
}

impl Estimate {
    /// An estimate and the ends of its interval.
    #[must_use]
    pub fn new(value: f64, (low, high): (f64, f64), method: &str) -> Self {
        let end = |end: f64| Some(end).filter(|end| end.is_finite());
        Self { value, low: end(low), high: end(high), method: method.to_owned() }
    }

    /// The same in other units: `factor` times as large.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        let scaled = |end: Option<f64>| end.map(|end| end * factor);
        Self { value: self.value * factor, low: scaled(self.low), high: scaled(self.high), method: self.method.clone() }
    }

    /// Whether the whole interval lies above, or below, zero.
    #[must_use]
    pub fn sign(&self) -> Option<bool> {
        match (self.low, self.high) {
            (Some(low), _) if low > 0.0 => Some(true),
            (_, Some(high)) if high < 0.0 => Some(false),
            _ => None,
        }
    }
}

/// The difference of two rates; `None` where nobody is in a group.
pub(super) fn difference(target: Rate, holdout: Rate) -> Option<Estimate> {
    let (p1, p0) = (target.share()?, holdout.share()?);
    let ((l1, u1), (l0, u0)) = (target.interval()?, holdout.interval()?);
    let low = p1 - p0 - (p1 - l1).hypot(u0 - p0);
    let high = p1 - p0 + (u1 - p1).hypot(p0 - l0);
    Some(Estimate::new(p1 - p0, (low, high), "Newcombe"))
}

/// The first rate over the second, less one; `None` where the second is zero.
pub(super) fn relative(target: Rate, holdout: Rate) -> Option<Estimate> {
    let ratio = target.share()? / holdout.share().filter(|share| *share > 0.0)?;
    let is_held = |theta: f64| score(target, holdout, theta) <= Z * Z;
    let low = if target.n_attained == 0 { 0.0 } else { edge(ratio, |factor| 1.0 / factor, is_held) };
    let high = edge(ratio.max(1e-9), |factor| factor, is_held);
    Some(Estimate::new(ratio - 1.0, (low - 1.0, high - 1.0), "Koopman"))
}

/// Where a ratio ceases to be held, going away from `ratio` by the factors that `step` makes of 2, 4, 8 …
fn edge(ratio: f64, step: impl Fn(f64) -> f64, is_held: impl Fn(f64) -> bool) -> f64 {
    let mut far = 2.0;
    while is_held(ratio * step(far)) {
        far *= 2.0;
        if far > 1e12 {
            return f64::INFINITY;
        }
    }
    let (mut near, mut far) = (libm::log(far / 2.0), libm::log(far));
    for _ in 0..80 {
        let middle = 0.5 * (near + far);
        *(if is_held(ratio * step(libm::exp(middle))) { &mut near } else { &mut far }) = middle;
    }
    ratio * step(libm::exp(near))
}

/// The score statistic of a ratio `theta`, χ² with one degree of freedom.
fn score(target: Rate, holdout: Rate, theta: f64) -> f64 {
    let [x1, n1, x0, n0] =
        [target.n_attained, target.n_eligible, holdout.n_attained, holdout.n_eligible].map(|count| count as f64);
    let (a, b, c) = (theta * (n1 + n0), theta * (n1 + x0) + x1 + n0, x1 + x0);
    let p0 = ((b - (b * b - 4.0 * a * c).max(0.0).sqrt()) / (2.0 * a)).clamp(0.0, 1.0);
    let p1 = (theta * p0).min(1.0);
    let variance = p1 * (1.0 - p1) / n1 + theta * theta * p0 * (1.0 - p0) / n0;
    let miss = x1 / n1 - theta * x0 / n0;
    if miss == 0.0 { 0.0 } else { miss * miss / variance.max(f64::MIN_POSITIVE) }
}

/// Count, mean and variance of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub n: f64,
    pub mean: f64,
    /// With `n − 1` below.
    pub variance: f64,
}

impl Moments {
    /// The moments of `values`, summed in their order; `None` of fewer than two.
    pub(super) fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let n = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (n >= 2.0).then_some(Self { n, mean, variance })
    }
}

/// The difference of two means.
pub(super) fn welch(target: Moments, holdout: Moments) -> Estimate {
    let parts = [target, holdout].map(|group| group.variance / group.n);
    let variance = parts[0] + parts[1];
    let below = parts[0] * parts[0] / (target.n - 1.0) + parts[1] * parts[1] / (holdout.n - 1.0);
    let half = if variance > 0.0 { t_975(variance * variance / below) * variance.sqrt() } else { 0.0 };
    let value = target.mean - holdout.mean;
    Estimate::new(value, (value - half, value + half), "Welch")
}

/// The 97.5 % point of Student's distribution (Abramowitz and Stegun 26.7.5: within 1e-3 from 8 degrees of freedom on).
fn t_975(degrees: f64) -> f64 {
    let [z3, z5, z7] = [3, 5, 7].map(|power| Z.powi(power));
    let first = (z3 + Z) / 4.0;
    let second = (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / 96.0;
    let third = (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / 384.0;
    Z + first / degrees + second / degrees.powi(2) + third / degrees.powi(3)
}

/// The always-valid interval of a difference of rates; `tau` is the size of lifts for which it is narrowest, chosen beforehand.
pub(super) fn always_valid(target: Rate, holdout: Rate, tau: f64) -> Option<Estimate> {
    let value = target.share()? - holdout.share()?;
    // Half a person more on either side: a group in which nobody converted yet is not certain that nobody will.
    let spread = |rate: Rate| {
        let share = (rate.n_attained as f64 + 0.5) / (rate.n_eligible as f64 + 1.0);
        share * (1.0 - share) / rate.n_eligible as f64
    };
    let (variance, mixture) = (spread(target) + spread(holdout), tau * tau);
    let both = variance + mixture;
    let half = (variance * both / mixture * (libm::log(both / variance) - 2.0 * libm::log(0.05))).sqrt();
    Some(Estimate::new(value, (value - half, value + half), "always valid"))
}

/// The chance that χ² with one degree of freedom exceeds `value`.
pub(super) fn chi_square_tail(value: f64) -> f64 {
    libm::erfc((value / 2.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(estimate: &Estimate) -> (f64, f64) {
        (estimate.low.unwrap(), estimate.high.unwrap())
    }

    #[test]
    fn newcombe_matches_the_table_of_1998() {
        // Newcombe (1998), table II, method 10: 56/70 against 48/80, 9/10 against 3/10.
        for ((x1, n1, x0, n0), wanted) in [((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090))] {
            let found = ends(&difference(Rate::new(x1, n1), Rate::new(x0, n0)).unwrap());
            assert!((found.0 - wanted.0).abs() < 1e-4 && (found.1 - wanted.1).abs() < 1e-4, "{found:?}");
        }
    }

    #[test]
    fn intervals_match_statsmodels_and_scipy() {
        for line in include_str!("testdata/intervals.csv").lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let [x1, n1, x0, n0] = [0, 1, 2, 3].map(|at| cells[at].parse::<usize>().unwrap());
            let (target, holdout) = (Rate::new(x1, n1), Rate::new(x0, n0));
            let found = match cells[4] {
                "newcombe" => difference(target, holdout).unwrap(),
                _ => relative(target, holdout).unwrap().clone(),
            };
            let shift = if cells[4] == "newcombe" { 0.0 } else { 1.0 };
            let (low, high) = ends(&found);
            let [wanted_low, wanted_high] = [5, 6].map(|at| cells[at].parse::<f64>().unwrap() - shift);
            assert!((low - wanted_low).abs() < 2e-6 * (1.0 + wanted_low.abs()), "{line}: {low}");
            assert!((high - wanted_high).abs() < 2e-6 * (1.0 + wanted_high.abs()), "{line}: {high}");
        }
    }

    #[test]
    fn a_ratio_without_conversions_below_is_none_and_above_is_a_whole_loss() {
        assert_eq!(relative(Rate::new(3, 10), Rate::new(0, 10)), None);
        let lost = relative(Rate::new(0, 100), Rate::new(10, 100)).unwrap();
        assert!(lost.value <= -1.0 && lost.low.unwrap() <= -1.0 && lost.high.unwrap() < 0.0);
    }

    #[test]
    fn welch_matches_scipy() {
        // scipy 1.17, ttest_ind([1, 2, 3, 4, 5, 6, 7, 8, 9, 30], [2, 2, 3, 1, 4, 2, 3, 1, 2, 5, 3, 2], equal_var=False).
        let moments = |values: &[f64]| Moments::of(values.iter().copied()).unwrap();
        let first = moments(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 30.0]);
        let second = moments(&[2.0, 2.0, 3.0, 1.0, 4.0, 2.0, 3.0, 1.0, 2.0, 5.0, 3.0, 2.0]);
        let (low, high) = ends(&welch(first, second));
        assert!((low - -0.969_048_719).abs() < 2e-3 && (high - 10.969_048_719).abs() < 2e-3, "{low} {high}");
    }

    #[test]
    fn an_always_valid_interval_is_wider_and_shrinks() {
        let rates = |n: usize| (Rate::new(n / 10, n), Rate::new(n / 12, n));
        let width = |n: usize| {
            let (target, holdout) = rates(n);
            let (low, high) = ends(&always_valid(target, holdout, 0.01).unwrap());
            let (low_once, high_once) = ends(&difference(target, holdout).unwrap());
            assert!(high - low > 1.2 * (high_once - low_once), "{n}");
            high - low
        };
        assert!(width(1_200) > width(12_000) && width(12_000) > width(120_000));
    }

    #[test]
    fn the_tail_of_chi_square() {
        // scipy.stats.chi2.sf(3.841458820694124, 1) = 0.05
        assert!((chi_square_tail(3.841_458_820_694_124) - 0.05).abs() < 1e-12);
    }
}
