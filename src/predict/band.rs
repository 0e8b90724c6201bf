//! How sure a propensity is: an interval for the rate of people with such a score.
//!
//! What one person will do is not in the data; what can be bounded is the share of people scored alike who attain. In: margins and
//! labels that were held out. Out: a [`Band`] that gives each margin a lower and an upper distance, in log odds, from its propensity.
//!
//! - **Below**: rates rise with the score, so the rate at a score is at least that of the held-out people scored just below it: the
//!   lower end of Wilson's 95 % interval of the `m` next ones. **Above** alike. Only that rates rise is taken for granted, as every map of
//!   [`super::calibration`] does; this is the argument of isotonic confidence bands (Yang and Barber 2019; Dimitriadis et al.
//!   2023), at one window per side, and needs no model refitted. `m = n^⅔`, the usual rate for monotone functions. Examples of one
//!   person count as fewer by the design effect of their residuals (Kish 1965).
//! - **Level**: out of time, the level missed by so much in the past ([`super::level`]); 1.96 of that is added in quadrature.
//!
//! It does not hold the spread of chances among people who score alike: no data with one outcome per person can tell it (Barber
//! 2020). Nor is it a Venn–Abers interval (Vovk and Petej 2014), whose width is what one more example would change.

use serde::{Deserialize, Serialize};

use super::calibration::Calibrator;
use super::metrics::numbered;
use crate::error::{Error, Result};
use crate::rate::Z;

/// Margins at which the band is told.
const KNOTS: usize = 50;
/// A window holds at least so many, if there are.
const LEAST_WINDOW: f64 = 50.0;

/// Distances from the calibrated log odds, along margins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Margins, ascending.
    pub margins: Vec<f64>,
    /// Log odds from the propensity down to the lower end at these margins, 0 or more.
    pub below: Vec<f64>,
    /// Log odds from the propensity up to the upper end.
    pub above: Vec<f64>,
}

/// Held-out examples: equal lengths.
#[derive(Debug, Clone, Copy)]
pub struct HeldOut<'a> {
    /// Margins that a model gave to what it had not seen.
    pub margins: &'a [f64],
    /// Whether they attained.
    pub labels: &'a [bool],
    /// Who they are.
    pub person: &'a [u32],
}

impl Band {
    /// The band around `map`, whose level missed by `level_error` (a standard deviation in log odds) in the past.
    #[must_use]
    pub fn new(held_out: HeldOut<'_>, map: &Calibrator, level_error: f64) -> Self {
        let mut order: Vec<usize> = (0..held_out.margins.len()).collect();
        order.sort_unstable_by(|&a, &b| held_out.margins[a].total_cmp(&held_out.margins[b]).then(a.cmp(&b)));
        let n = order.len();
        let mut attained = vec![0_u32; n + 1];
        for (place, &row) in order.iter().enumerate() {
            attained[place + 1] = attained[place] + u32::from(held_out.labels[row]);
        }
        let window = (n as f64).powf(2.0 / 3.0).max(LEAST_WINDOW).min(n as f64) as usize;
        let design = design_effect(held_out, map);
        let bounds = |start: usize, end: usize| {
            wilson(f64::from(attained[end] - attained[start]) / design, (end - start) as f64 / design)
        };
        let places: Vec<usize> = (0..KNOTS).map(|knot| (2 * knot + 1) * n / (2 * KNOTS)).collect();
        let margins: Vec<f64> = places.iter().map(|&place| held_out.margins[order[place.min(n - 1)]]).collect();
        let mut low: Vec<f64> = places.iter().map(|&place| bounds(place.saturating_sub(window), place).0).collect();
        let mut high: Vec<f64> = places.iter().map(|&place| bounds(place, (place + window).min(n)).1).collect();
        // A higher score is never said to have a lower end, or a lower score a higher one.
        for knot in (1..KNOTS).rev() {
            low[knot - 1] = low[knot - 1].min(low[knot]);
        }
        for knot in 1..KNOTS {
            high[knot] = high[knot].max(high[knot - 1]);
        }
        let level = Z * level_error;
        let from =
            |margin: f64, end: f64, sign: f64| (sign * (log_odds(end) - map.log_odds(margin))).max(0.0).hypot(level);
        let mut band = Self {
            below: margins.iter().zip(&low).map(|(&margin, &low)| from(margin, low, -1.0)).collect(),
            above: margins.iter().zip(&high).map(|(&margin, &high)| from(margin, high, 1.0)).collect(),
            margins,
        };
        band.keep_distinct();
        band
    }

    /// The lower and the upper end for `margin`, whose calibrated log odds are `log_odds`.
    #[must_use]
    pub fn ends(&self, margin: f64, log_odds: f64) -> (f64, f64) {
        let at = |ys: &[f64]| interpolated(&self.margins, ys, margin);
        let logistic = super::newton::logistic;
        (logistic(log_odds - at(&self.below)), logistic(log_odds + at(&self.above)))
    }

    /// Checks what a file may have damaged.
    ///
    /// # Errors
    /// When lengths differ, margins do not ascend or distances are below 0.
    pub fn check(&self) -> Result<()> {
        let n = self.margins.len();
        let distances = |values: &[f64]| values.len() == n && values.iter().all(|x| x.is_finite() && *x >= 0.0);
        let ascend =
            self.margins.windows(2).all(|pair| pair[0] < pair[1]) && self.margins.iter().all(|x| x.is_finite());
        if (1..=KNOTS).contains(&n) && ascend && distances(&self.below) && distances(&self.above) {
            return Ok(());
        }
        Err(Error::data("the intervals of its propensities are damaged"))
    }

    /// One knot per margin: of those at one margin the widest.
    fn keep_distinct(&mut self) {
        let mut kept = Self { margins: Vec::new(), below: Vec::new(), above: Vec::new() };
        for knot in 0..self.margins.len() {
            if kept.margins.last() == Some(&self.margins[knot]) {
                let last = kept.margins.len() - 1;
                kept.below[last] = kept.below[last].max(self.below[knot]);
                kept.above[last] = kept.above[last].max(self.above[knot]);
            } else {
                kept.margins.push(self.margins[knot]);
                kept.below.push(self.below[knot]);
                kept.above.push(self.above[knot]);
            }
        }
        *self = kept;
    }
}

/// How many times the variance of a mean is what it would be if examples of one person had nothing in common, at least 1.
fn design_effect(held_out: HeldOut<'_>, map: &Calibrator) -> f64 {
    let (person, n_people) = numbered(held_out.person);
    let (mut of_person, mut alone) = (vec![0.0; n_people], 0.0);
    for ((&margin, &label), &person) in held_out.margins.iter().zip(held_out.labels).zip(&person) {
        let miss = f64::from(u8::from(label)) - map.probability(margin);
        of_person[person as usize] += miss;
        alone += miss * miss;
    }
    let together: f64 = of_person.iter().map(|sum| sum * sum).sum();
    if alone > 0.0 { (together / alone).max(1.0) } else { 1.0 }
}

/// Wilson's 95 % interval, counts need not be whole; over nobody nothing is known.
fn wilson(attained: f64, n: f64) -> (f64, f64) {
    if n <= 0.0 {
        return (0.0, 1.0);
    }
    let (share, scale) = (attained / n, 1.0 + Z * Z / n);
    let middle = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    (middle - half, middle + half)
}

/// Log odds of a probability, kept within 1e-6 of 0 and 1.
fn log_odds(probability: f64) -> f64 {
    let kept = probability.clamp(1e-6, 1.0 - 1e-6);
    libm::log(kept / (1.0 - kept))
}

/// Along a broken line; level beyond its ends.
fn interpolated(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let above = xs.partition_point(|&other| other <= x);
    if above == 0 {
        return ys[0];
    }
    if above == xs.len() {
        return ys[above - 1];
    }
    let share = (x - xs[above - 1]) / (xs[above] - xs[above - 1]);
    ys[above - 1] + share * (ys[above] - ys[above - 1])
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

    use super::*;
    use crate::predict::newton::logistic;

    /// Margins, labels and true chances: what the margin says is bent, so that the map must be learned.
    fn sample(n: usize, seed: u64) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = || f64::from(random.next_u32()) / f64::from(u32::MAX);
        let margins: Vec<f64> = (0..n).map(|_| 6.0 * uniform() - 5.0).collect();
        let truth: Vec<f64> = margins.iter().map(|margin| logistic(0.7 * margin - 0.4)).collect();
        let labels = truth.iter().map(|&chance| uniform() < chance).collect();
        (margins, labels, truth)
    }

    #[test]
    fn the_true_rate_of_a_score_lies_in_its_interval() {
        // 95 % are promised at each score; over 40 samples of 2,000 the share of people covered must not be below that.
        let (mut covered, mut n, mut width) = (0, 0, 0.0);
        for seed in 0..40 {
            let (margins, labels, _) = sample(2_000, seed);
            let key: Vec<u64> = (0..2_000_u64).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11).collect();
            let map = Calibrator::choose(&margins, &labels, &key);
            let person: Vec<u32> = (0..2_000).collect();
            let band = Band::new(HeldOut { margins: &margins, labels: &labels, person: &person }, &map, 0.0);
            band.check().unwrap();
            let (fresh, _, truth) = sample(500, 1_000 + seed);
            for (&margin, &truth) in fresh.iter().zip(&truth) {
                let (low, high) = band.ends(margin, map.log_odds(margin));
                assert!(low <= map.probability(margin) && map.probability(margin) <= high);
                covered += usize::from((low..=high).contains(&truth));
                width += high - low;
                n += 1;
            }
        }
        let share = f64::from(covered as u32) / f64::from(n as u32);
        assert!(share >= 0.95, "{share}");
        assert!(width / f64::from(n as u32) < 0.2, "an interval must tell something: {}", width / f64::from(n as u32));
    }

    #[test]
    fn examples_of_one_person_count_as_fewer() {
        let (margins, labels, _) = sample(2_000, 3);
        let alone: Vec<u32> = (0..2_000).collect();
        let twice = |values: &[f64]| values.iter().flat_map(|&x| [x, x]).collect::<Vec<f64>>();
        let (margins_twice, labels_twice) =
            (twice(&margins), labels.iter().flat_map(|&x| [x, x]).collect::<Vec<bool>>());
        let person_twice: Vec<u32> = alone.iter().flat_map(|&x| [x, x]).collect();
        let held_out = HeldOut { margins: &margins_twice, labels: &labels_twice, person: &person_twice };
        assert!((design_effect(held_out, &Calibrator::Identity) - 2.0).abs() < 1e-12);
        assert!(
            (design_effect(HeldOut { margins: &margins, labels: &labels, person: &alone }, &Calibrator::Identity)
                - 1.0)
                .abs()
                < 1e-12
        );
    }
}
