//! Two sets of scores of the same examples, metric by metric, with the interval of the difference.
//!
//! A paired bootstrap: each resample draws the same people for both, so what both find hard cancels out.

use serde::Serialize;

use super::evaluation::Measured;
use super::metrics::{Resampling, Scored, Sorted, interval};
use super::sums::Point;

/// One metric of both, and how much larger the second's is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compared {
    /// Of the first.
    pub from: f64,
    /// Of the second.
    pub to: f64,
    /// The second's less the first's, with its 95 % interval.
    pub difference: Measured,
}

/// The metrics of both, in the order of [`METRICS`]; absent where not defined.
pub type Comparison = Vec<(&'static str, Option<Compared>)>;

type Metric = (&'static str, fn(&Point) -> f64);

/// What is compared, by name.
const METRICS: [Metric; 7] = [
    ("roc_auc", |point| point.roc_auc),
    ("pr_auc", |point| point.pr_auc),
    ("log_loss", |point| point.log_loss),
    ("brier", |point| point.brier),
    ("ece", |point| point.ece),
    ("lift_10", |point| point.lift(0)),
    ("capture_10", |point| point.capture(0)),
];

/// Compares two propensities of each example; people are drawn whole.
#[must_use]
pub fn compare(from: &[f64], to: &[f64], label: &[bool], person: &[u32], resampling: Resampling) -> Comparison {
    let n = label.len();
    if n == 0 {
        return METRICS.iter().map(|(name, _)| (*name, None)).collect();
    }
    let sides = [from, to].map(|propensity| Sorted::new(Scored { propensity, label, person }, None));
    let whole = sides.each_ref().map(|side| side.point(|_| 1.0));
    let drawn = sides.each_ref().map(|side| side.resample(resampling));
    let compared = |(name, of): &Metric| {
        let [from, to] = whole.each_ref().map(of);
        let differences = drawn[0].iter().zip(&drawn[1]).map(|(from, to)| of(to) - of(from)).collect();
        let difference = interval(to - from, differences, n as u64);
        (*name, difference.map(|difference| Compared { from, to, difference }))
    };
    METRICS.iter().map(compared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_scores_do_not_differ_and_noise_on_them_does() {
        let n = 2_000_u32;
        let person: Vec<u32> = (0..n).collect();
        let chance: Vec<f64> = person.iter().map(|&at| f64::from(at * 7919 % n) / f64::from(n)).collect();
        let label: Vec<bool> =
            person.iter().map(|&at| f64::from(at * 104_729 % n) / f64::from(n) < chance[at as usize]).collect();
        let flat = vec![0.5; n as usize];
        let resampling = Resampling { seed: 1, resamples: 200 };
        for (_, compared) in compare(&chance, &chance, &label, &person, resampling) {
            let difference = compared.unwrap().difference;
            assert_eq!([difference.value, difference.low, difference.high], [0.0; 3]);
        }
        let worse = compare(&chance, &flat, &label, &person, resampling);
        let of = |wanted: &str| worse.iter().find(|(name, _)| *name == wanted).unwrap().1.unwrap();
        assert!(of("roc_auc").difference.high < 0.0 && (of("roc_auc").to - 0.5).abs() < 1e-12);
        assert!(of("log_loss").difference.low > 0.0);
    }
}
