//! How settings and estimators are judged on rows that were held out.
//!
//! Margins are first recalibrated within each window (Platt's line, its slope not negative): when the base rate moves from one
//! window to the next, what is judged is what the scores tell apart, not a level that calibration will set anyway. Where the slope of the
//! calibration will be at most 1 ([`tempered`]), so is this one: what says too little is not made surer later. In folds all is alike,
//! and where few outcomes were held out no line can be trusted to set the scale of scores afterwards: there margins are judged as they
//! stand ([`plain_loss`]). Else a penalty might be chosen that leaves nothing but the base rate to say.

use rayon::prelude::*;

use super::calibration::Platt;
use super::estimator::{Data, Window};
use super::metrics::{numbered, percentiles, weights};
use super::newton::logistic;
use super::sums::log_loss;

/// Fewer held-out outcomes of the rarer kind than this do not tell a line from none for sure.
const FEW: usize = 100;

/// Whether what `windows` judge will be calibrated by a slope of at most 1, and is judged so: where one window judges what comes later.
#[must_use]
pub fn tempered(data: Data<'_>, windows: &[Window]) -> bool {
    data.out_of_time && windows.len() == 1
}

/// The log loss of each example after recalibration, `tempered` or not.
#[must_use]
pub fn recalibrated_losses(margins: &[f64], labels: &[bool], tempered: bool) -> Vec<f64> {
    let platt = if tempered { Platt::tempered(margins, labels) } else { Platt::fit(margins, labels) };
    margins.iter().zip(labels).map(|(&margin, &label)| log_loss(platt.probability(margin), label)).collect()
}

/// The mean over all windows of the recalibrated log loss, `tempered` or not: what settings are chosen by.
#[must_use]
pub fn windowed_loss<'a>(windows: impl IntoIterator<Item = (&'a [f64], &'a [bool])>, tempered: bool) -> f64 {
    let (mut sum, mut n) = (0.0, 0_usize);
    for (margins, labels) in windows {
        sum += recalibrated_losses(margins, labels, tempered).iter().sum::<f64>();
        n += labels.len();
    }
    sum / n.max(1) as f64
}

/// The mean log loss over all windows of margins as they stand; `None` where the rarer outcome is so frequent that a line can be trusted.
#[must_use]
pub fn plain_loss<'a>(windows: impl IntoIterator<Item = (&'a [f64], &'a [bool])>) -> Option<f64> {
    let (mut sum, mut n, mut n_attained) = (0.0, 0_usize, 0_usize);
    for (margins, labels) in windows {
        sum += margins.iter().zip(labels).map(|(&margin, &label)| log_loss(logistic(margin), label)).sum::<f64>();
        n += labels.len();
        n_attained += labels.iter().filter(|&&label| label).count();
    }
    (n > 0 && n_attained.min(n - n_attained) < FEW).then(|| sum / n as f64)
}

/// A mean difference with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The mean of `first − second`.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The mean of `first − second` over examples, with a paired Poisson bootstrap over people (or whatever `person` numbers).
#[must_use]
pub fn paired_difference(first: &[f64], second: &[f64], person: &[u32], seed: u64, resamples: u64) -> Difference {
    let (person, n_people) = numbered(person);
    let mut of_person = vec![(0.0, 0.0); n_people];
    for ((first, second), &person) in first.iter().zip(second).zip(&person) {
        let (sum, n) = &mut of_person[person as usize];
        *sum += first - second;
        *n += 1.0;
    }
    let mean_of = |weight: &dyn Fn(usize) -> f64| {
        let (mut sum, mut n) = (0.0, 0.0);
        for (person, (difference, examples)) in of_person.iter().enumerate() {
            sum += weight(person) * difference;
            n += weight(person) * examples;
        }
        sum / n
    };
    let mean = mean_of(&|_| 1.0);
    let resample = |number| {
        let weights = weights(seed, number, n_people);
        mean_of(&|person| f64::from(weights[person]))
    };
    let (low, high) = percentiles((0..resamples).into_par_iter().map(resample).collect()).unwrap_or((mean, mean));
    Difference { mean, low, high }
}
