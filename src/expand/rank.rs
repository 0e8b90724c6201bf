//! Who comes first, how many are taken, and what that is expected to bring.
//!
//! All of it depends on the scores and ids alone, never on the order of rows: ties go by id.

use rayon::prelude::*;

use super::summary::Point;
use crate::spec::Size;

/// The 97.5 % point of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Sorts `rows` by score, best first; ties by person, whose positions are in the order of their ids.
pub(super) fn best_first(rows: &mut [u32], score: &[f64], person: &[u32]) {
    rows.par_sort_unstable_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        score[b].total_cmp(&score[a]).then_with(|| person[a].cmp(&person[b]))
    });
}

/// How many of `n` ranked people are taken, given their propensities, best first, if these are known.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count of people is a count of people, and fits a double's 53 bits"
)]
pub(super) fn n_chosen(size: Size, n: usize, propensity: Option<&[f64]>) -> usize {
    match size {
        Size::Count(count) => count.min(n),
        Size::Share(share) => ((share * n as f64).round() as usize).clamp(n.min(1), n),
        Size::MaxProfit { cost, value } => {
            let pays = |propensity: &&f64| *propensity * value > cost;
            propensity.map_or(0, |propensity| propensity.iter().take_while(pays).count())
        }
    }
}

/// Sums over the best-ranked people.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Expectation {
    pub conversions: f64,
    variance: f64,
    n_people: u64,
}

impl Expectation {
    pub(super) fn of(propensity: &[f64]) -> Self {
        propensity.iter().copied().fold(Self::default(), Self::with)
    }

    fn with(self, propensity: f64) -> Self {
        Self {
            conversions: self.conversions + propensity,
            variance: self.variance + propensity * (1.0 - propensity),
            n_people: self.n_people + 1,
        }
    }

    /// 95 % interval of the number of conversions: each person converts with their propensity, independently, so the
    /// number is Poisson binomial with variance Σ p (1 − p); for more than a few it is near normal.
    #[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
    pub(super) fn interval(self) -> (f64, f64) {
        let half = Z * self.variance.sqrt();
        ((self.conversions - half).max(0.0), (self.conversions + half).min(self.n_people as f64))
    }
}

/// What each of up to 100 sizes would bring, in even steps up to everyone.
#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
pub(super) fn curve(size: Size, propensity: &[f64]) -> Vec<Point> {
    let n = propensity.len();
    let n_points = n.min(100);
    let mut points = Vec::with_capacity(n_points);
    let (mut sum, mut done) = (Expectation::default(), 0);
    for step in 1..=n_points {
        let n_people = (n * step).div_ceil(n_points);
        sum = propensity[done..n_people].iter().copied().fold(sum, Expectation::with);
        done = n_people;
        let (expected_low, expected_high) = sum.interval();
        points.push(Point {
            n_people: n_people as u64,
            share: n_people as f64 / n as f64,
            expected_conversions: sum.conversions,
            expected_low,
            expected_high,
            expected_precision: sum.conversions / n_people as f64,
            expected_profit: match size {
                Size::MaxProfit { cost, value } => Some(value * sum.conversions - cost * n_people as f64),
                _ => None,
            },
        });
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_by_hand() {
        let ranked = [0.5, 0.4, 0.3, 0.2, 0.1];
        let n_chosen = |size, ranked: &[f64]| n_chosen(size, ranked.len(), Some(ranked));
        assert_eq!(n_chosen(Size::Count(3), &ranked), 3);
        assert_eq!(n_chosen(Size::Count(9), &ranked), 5);
        assert_eq!(n_chosen(Size::Share(0.3), &ranked), 2);
        assert_eq!(n_chosen(Size::Share(0.01), &ranked), 1);
        assert_eq!(n_chosen(Size::Share(0.5), &[]), 0);
        // 0.2 × 10 is the cost: no profit, no contact.
        assert_eq!(n_chosen(Size::MaxProfit { cost: 2.0, value: 10.0 }, &ranked), 3);
    }

    #[test]
    fn the_curve_by_hand() {
        let points = curve(Size::MaxProfit { cost: 2.0, value: 10.0 }, &[0.5, 0.4, 0.3]);
        let profits: Vec<f64> = points.iter().map(|point| point.expected_profit.unwrap()).collect();
        assert!(profits.iter().zip([3.0, 5.0, 6.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{profits:?}");
        assert!((points[1].expected_precision - 0.45).abs() < 1e-12);
        let many = curve(Size::Count(1), &vec![0.1; 1234]);
        assert_eq!((many.len(), many[0].n_people, many[99].n_people), (100, 13, 1234));
        // Σ p (1 − p) = 1234 × 0.09, and 1.96 × its root is 20.66.
        assert!((many[99].expected_high - 123.4 - 20.655).abs() < 0.01, "{}", many[99].expected_high);
    }
}
