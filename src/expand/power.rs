//! Before a campaign: which lift its holdout can show, and how large it would have to be.
//!
//! In: the size of target and holdout, and the rate that is expected without contact. Out: [`Power`]. A lift `δ` shows when a
//! two-sided test at 5 % finds it in 80 of 100 campaigns. With `n₁` reached, `n₀ = r n₁` held out, `p₁ = p₀ + δ` and
//! `p̄ = (p₁ + r p₀) / (1 + r)` (Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed. 2003, section 4.4,
//! without continuity correction; for `r = 1` what R's `power.prop.test` computes):
//!
//! ```text
//! n₁ = (z₀.₉₇₅ √((1 + r) p̄ (1 − p̄)) + z₀.₈ √(r p₁ (1 − p₁) + p₀ (1 − p₀)))² / (r δ²)
//! ```

use serde::{Deserialize, Serialize};

use super::summary::Summary;
use crate::rate::grouped;
use crate::spec::{Audience, Size};

/// The 97.5 % and the 80 % point of the standard normal distribution.
const Z: [f64; 2] = [crate::rate::Z, 0.841_621_233_572_914_3];
/// The relative lift that is asked for when the spec names none.
const USUAL_LIFT: f64 = 0.1;

/// What a holdout can show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// The rate that is expected of those who are left alone: the mean propensity of the chosen, or `expected_rate`.
    pub base_rate: f64,
    /// The smallest absolute lift that shows in 80 of 100 campaigns, two-sided at 5 %; `None`: not even the largest does.
    pub smallest_lift: Option<f64>,
    /// The same, relative to the base rate.
    pub smallest_lift_relative: Option<f64>,
    /// The absolute lift that one wants to see.
    pub wanted_lift: f64,
    /// Where it comes from: `expected_lift`, `cost / value`, or `a tenth of the base rate`.
    pub wanted_because: String,
    /// People, target and holdout together, who would show the wanted lift with the same share held out.
    pub n_enough: u64,
    /// The smallest share of this list, in whole per cents up to a half, that would show it when held out.
    pub holdout_enough: Option<f64>,
}

/// Two groups to compare.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups {
    /// People reached.
    pub n_target: f64,
    /// People left alone.
    pub n_holdout: f64,
}

impl Power {
    /// The power of an audience as its summary counts it; `None` without a holdout or without a rate to expect.
    #[must_use]
    pub fn of(audience: &Audience, summary: &Summary) -> Option<Self> {
        let n_chosen = summary.n_chosen as f64;
        let by_propensity = summary.expected_conversions.map(|expected| expected / n_chosen);
        let base_rate = by_propensity.or(audience.expected_rate)?;
        let groups = Groups { n_target: summary.n_target as f64, n_holdout: summary.n_holdout as f64 };
        if groups.n_target < 1.0 || groups.n_holdout < 1.0 || !(base_rate > 0.0 && base_rate < 1.0) {
            return None;
        }
        let (wanted_lift, wanted_because) = wanted(audience, base_rate);
        let smallest_lift = smallest_lift(base_rate, groups);
        let holds = |&percent: &u32| {
            let share = f64::from(percent) / 100.0;
            n_needed(base_rate, wanted_lift, share / (1.0 - share)) <= n_chosen
        };
        Some(Self {
            base_rate,
            smallest_lift,
            smallest_lift_relative: smallest_lift.map(|lift| lift / base_rate),
            wanted_lift,
            wanted_because: wanted_because.to_owned(),
            n_enough: whole(n_needed(base_rate, wanted_lift, groups.n_holdout / groups.n_target)),
            holdout_enough: (1..=50).find(holds).map(|percent| f64::from(percent) / 100.0),
        })
    }

    /// Whether the wanted lift shows.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.smallest_lift.is_some_and(|lift| lift <= self.wanted_lift)
    }

    /// The power in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Some((lift, relative)) = self.smallest_lift.zip(self.smallest_lift_relative) else {
            return "the holdout is too small to show any lift".to_owned();
        };
        format!(
            "the smallest lift that this holdout can show is {:.2} points, {:.0} % of the {:.2} % expected without contact \
             (power 80 %, two-sided 5 %)",
            100.0 * lift,
            100.0 * relative,
            100.0 * self.base_rate
        )
    }

    /// What to do when what is wanted will not show: said when the spec names the lift, or when even a doubled rate would not.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let is_named = self.wanted_because != USUAL_BECAUSE;
        let is_hopeless = self.smallest_lift_relative.is_none_or(|lift| lift > 1.0);
        if self.is_enough() || !(is_named || is_hopeless) {
            return None;
        }
        let of_list = match self.holdout_enough {
            Some(share) => format!("hold out {:.0} %, or take", 100.0 * share),
            None => "no holdout of this list is enough; it takes".to_owned(),
        };
        let sentence = self.sentence();
        let (first, rest) = sentence.split_at(1);
        Some(format!(
            "{}{rest}. To show {:.2} points ({}): {of_list} {} people with this share held out.",
            first.to_uppercase(),
            100.0 * self.wanted_lift,
            self.wanted_because,
            grouped(self.n_enough)
        ))
    }
}

const USUAL_BECAUSE: &str = "a tenth of the base rate";

/// The absolute lift that one wants to see, and why this one.
fn wanted(audience: &Audience, base_rate: f64) -> (f64, &'static str) {
    let room = 1.0 - base_rate;
    match (audience.expected_lift, audience.size) {
        (Some(lift), _) => ((lift * base_rate).min(room), "expected_lift"),
        (None, Size::MaxProfit { cost, value }) if cost < value => ((cost / value).min(room), "cost / value"),
        _ => ((USUAL_LIFT * base_rate).min(room), USUAL_BECAUSE),
    }
}

/// The smallest lift over `base_rate` that groups of this size show.
pub(super) fn smallest_lift(base_rate: f64, groups: Groups) -> Option<f64> {
    let (n, ratio) = (groups.n_target + groups.n_holdout, groups.n_holdout / groups.n_target);
    let (mut hidden, mut shown) = (0.0, 1.0 - base_rate);
    if n_needed(base_rate, shown, ratio) > n {
        return None;
    }
    // Halved until the doubles are neighbours.
    for _ in 0..60 {
        let middle = 0.5 * (hidden + shown);
        *(if n_needed(base_rate, middle, ratio) > n { &mut hidden } else { &mut shown }) = middle;
    }
    Some(shown)
}

/// How many people, target and holdout together, show `lift` over `base_rate` with `ratio` held out for each one reached.
pub(super) fn n_needed(base_rate: f64, lift: f64, ratio: f64) -> f64 {
    n_reached(Z, base_rate, lift, ratio) * (1.0 + ratio)
}

/// `n₁` of the module's formula.
fn n_reached(z: [f64; 2], base_rate: f64, lift: f64, ratio: f64) -> f64 {
    let spread = |rate: f64| rate * (1.0 - rate);
    let reached = (base_rate + lift).clamp(0.0, 1.0);
    let pooled = (reached + ratio * base_rate) / (1.0 + ratio);
    let root =
        z[0] * ((1.0 + ratio) * spread(pooled)).sqrt() + z[1] * (ratio * spread(reached) + spread(base_rate)).sqrt();
    root * root / (ratio * lift * lift)
}

/// The next whole number of people.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count; what is beyond one saturates")]
pub(super) fn whole(n: f64) -> u64 {
    n.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_match_the_example_of_power_prop_test() {
        // R's help page: power.prop.test(p1 = .50, p2 = .75, power = .90) gives n = 76.7 in each group.
        assert!((n_reached([Z[0], 1.281_551_565_544_600_4], 0.5, 0.25, 1.0) - 76.7).abs() < 0.05);
    }

    #[test]
    fn unequal_groups_have_the_power_that_binomial_sums_give() {
        // 19,668 reached and 2,186 held out: the exact power of the pooled z test is 0.80099 (measure/testdata/make.py).
        let n = n_reached(Z, 0.10, 0.02, 1.0 / 9.0);
        assert!((n - 19_668.0).abs() < 1.0, "{n}");
    }

    #[test]
    fn the_smallest_lift_is_the_one_whose_size_is_there() {
        let groups = Groups { n_target: 9000.0, n_holdout: 1000.0 };
        let lift = smallest_lift(0.05, groups).unwrap();
        assert!((n_needed(0.05, lift, 1.0 / 9.0) - 10_000.0).abs() < 1e-6);
        assert_eq!(smallest_lift(0.5, Groups { n_target: 3.0, n_holdout: 1.0 }), None);
    }
}
