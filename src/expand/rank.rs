//! Who comes first, how many are taken, and what that is expected to bring.
//!
//! All of it depends on the scores and ids alone, never on the order of rows: ties go by id.

use rayon::prelude::*;

use crate::rate::Z;
use crate::spec::Size;

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
        // Who is not similar enough has been left out before.
        Size::Similarity(_) => n,
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

    pub(super) fn with(self, propensity: f64) -> Self {
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
}
