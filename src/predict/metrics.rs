//! What a set of scores is worth: how well it ranks, how true its probabilities are, what acting on it brings.
//!
//! In: a probability, a label and a person per example. Out: [`Metrics`], [`Decile`]s, [`AtSize`]s and a [`Profit`], each number with
//! a 95 % interval. Formulas stand in [`super::sums`], where one pass makes all of them.
//!
//! Intervals come from a Poisson bootstrap over people (Chamandy et al. 2012): a person's examples come and go together. They
//! are percentiles of 200 resamples and more; of fewer, which serve where there are many examples, 1.96 standard deviations. Each
//! resample draws from a stream of its own, so that the numbers are the same for any number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

use super::evaluation::{AtSize, Decile, Measured, Metrics, Profit};
use super::sums::{Point, SIZES, Sums, Ties, Totals, log_loss};
use crate::rate::Rate;
use crate::spec::Stake;

/// Resamples from which on an interval is told by percentiles.
const ENOUGH_FOR_PERCENTILES: usize = 200;

/// Examples to be measured: equal lengths.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// Probabilities, 0–1.
    pub propensity: &'a [f64],
    /// Whether the example attained.
    pub label: &'a [bool],
    /// Who the example is about; people are drawn whole.
    pub person: &'a [u32],
}

/// How intervals are made.
#[derive(Debug, Clone, Copy)]
pub struct Resampling {
    /// Every draw derives from it.
    pub seed: u64,
    /// How many resamples; none: the intervals are the values themselves.
    pub resamples: u64,
}

/// All that scores are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Worth {
    /// Every metric.
    pub metrics: Metrics,
    /// By tenths, best scores first; none over nobody.
    pub deciles: Vec<Decile>,
    /// By size of the list; none over nobody.
    pub sizes: Vec<AtSize>,
    /// What acting on them brings, where it is known what is at stake.
    pub profit: Option<Profit>,
}

/// Every metric of `scored`.
#[must_use]
pub fn metrics(scored: Scored<'_>, resampling: Resampling) -> Metrics {
    measure(scored, None, resampling).metrics
}

/// Every metric of `scored`, its tenths, what lists of every size hold, and what they bring.
#[must_use]
pub fn measure(scored: Scored<'_>, stake: Option<Stake>, resampling: Resampling) -> Worth {
    let sorted = Sorted::new(scored, stake);
    let n = sorted.rows.len();
    let base_rate = Rate::new(scored.label.iter().filter(|&&label| label).count(), n);
    if n == 0 {
        let metrics = Metrics { base_rate, ..Metrics::default() };
        return Worth { metrics, deciles: Vec::new(), sizes: Vec::new(), profit: None };
    }
    let estimate = sorted.point(|_| 1.0);
    let resamples = sorted.resample(resampling);
    let measured = |of: &dyn Fn(&Point) -> f64| interval(of(&estimate), resamples.iter().map(of).collect(), n as u64);
    let metrics = Metrics {
        base_rate,
        roc_auc: measured(&|point| point.roc_auc),
        pr_auc: measured(&|point| point.pr_auc),
        ks: measured(&|point| point.ks),
        log_loss: measured(&|point| point.log_loss),
        brier: measured(&|point| point.brier),
        reliability: measured(&|point| point.brier_parts.reliability),
        resolution: measured(&|point| point.brier_parts.resolution),
        uncertainty: measured(&|point| point.brier_parts.uncertainty),
        within_bins: measured(&|point| point.brier_parts.within_bins),
        ece: measured(&|point| point.ece),
        ece_by_chance: Some(estimate.ece_by_chance).filter(|ece| ece.is_finite()),
        mean_propensity: measured(&|point| point.mean_propensity),
        gap: measured(&|point| point.base_rate - point.mean_propensity),
        lift_10: measured(&|point| point.lift(0)),
        capture_10: measured(&|point| point.capture(0)),
    };
    let mut deciles = sorted.deciles();
    for (position, decile) in deciles.iter_mut().enumerate() {
        decile.lift = measured(&|point| point.lift(position));
        decile.capture = measured(&|point| point.capture(position));
    }
    let at_size = |(position, share): (usize, f64)| AtSize {
        share,
        n: (share * n as f64).round() as u64,
        lift: measured(&|point| point.attained_at[position] / point.attained / share),
        capture: measured(&|point| point.attained_at[position] / point.attained),
        profit: stake.and_then(|stake| {
            measured(&|point| 1000.0 * stake.profit(point.attained_at[position], share * point.n) / point.n)
        }),
    };
    let profit = stake.map(|stake| Profit {
        cost: stake.cost,
        value: stake.value,
        best_share: measured(&|point| point.best.share),
        at_best: measured(&|point| 1000.0 * point.best.profit),
        advised_share: measured(&|point| point.advised.share),
        at_advised: measured(&|point| 1000.0 * point.advised.profit),
        everyone: measured(&|point| 1000.0 * stake.profit(point.attained, point.n) / point.n),
    });
    Worth { metrics, deciles, sizes: SIZES.into_iter().enumerate().map(at_size).collect(), profit }
}

/// People numbered from 0 without gaps, in the order of their positions; and how many there are.
pub(super) fn numbered(person: &[u32]) -> (Vec<u32>, usize) {
    let mut numbers = vec![0_u32; person.iter().map(|&person| person as usize + 1).max().unwrap_or(0)];
    for &person in person {
        numbers[person as usize] = 1;
    }
    let mut next = 0;
    for number in &mut numbers {
        next += std::mem::replace(number, next);
    }
    (person.iter().map(|&person| numbers[person as usize]).collect(), next as usize)
}

/// The weight of a person in a resample: Poisson with mean 1, by inverse distribution function.
pub(super) fn poisson(draw: u32) -> u8 {
    // P(X <= k) for k = 0, 1 … in units of 2^-32.
    const CUMULATIVE: [u32; 9] = [
        1_580_030_168,
        3_160_060_337,
        3_950_075_421,
        4_213_413_783,
        4_279_248_373,
        4_292_415_291,
        4_294_609_777,
        4_294_923_275,
        4_294_962_462,
    ];
    CUMULATIVE.iter().map(|&threshold| u8::from(draw >= threshold)).sum()
}

/// Weights of `n` people in resample `number`.
pub(super) fn weights(seed: u64, number: u64, n: usize) -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number + 1);
    (0..n).map(|_| poisson(random.next_u32())).collect()
}

/// The 2.5 % and 97.5 % points of `values` (finite ones), linearly interpolated.
pub(super) fn percentiles(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.retain(|value| value.is_finite());
    values.sort_unstable_by(f64::total_cmp);
    Some((quantile(&values, 0.025)?, quantile(&values, 0.975)?))
}

/// The `share` quantile of sorted `values`, linearly interpolated.
pub(super) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let place = share * values.len().checked_sub(1)? as f64;
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

/// The standard deviation of `values` (finite ones).
fn deviation(values: &[f64]) -> f64 {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let n = finite().count().max(1) as f64;
    let mean = finite().sum::<f64>() / n;
    (finite().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// A value with the interval that its resampled `values` tell; none where it is not defined.
pub(super) fn interval(value: f64, values: Vec<f64>, n: u64) -> Option<Measured> {
    if !value.is_finite() {
        return None;
    }
    let (low, high) = if values.len() >= ENOUGH_FOR_PERCENTILES {
        percentiles(values).unwrap_or((value, value))
    } else {
        let half = 1.96 * deviation(&values);
        (value - half, value + half)
    };
    Some(Measured { value, low: low.min(value), high: high.max(value), n })
}

/// One example, in the order of scores.
pub(super) struct Row {
    propensity: f64,
    log_loss: f64,
    person: u32,
    label: bool,
    /// Whether the next example has another score.
    last_of_ties: bool,
}

/// Examples by score, best first.
pub(super) struct Sorted {
    rows: Vec<Row>,
    n_people: usize,
    stake: Option<Stake>,
}

impl Sorted {
    pub(super) fn new(scored: Scored<'_>, stake: Option<Stake>) -> Self {
        let (person, n_people) = numbered(scored.person);
        let mut rows: Vec<Row> = (0..scored.propensity.len())
            .map(|row| {
                let (propensity, label) = (scored.propensity[row], scored.label[row]);
                let log_loss = log_loss(propensity, label);
                Row { propensity, log_loss, person: person[row], label, last_of_ties: true }
            })
            .collect();
        rows.par_sort_unstable_by(|a, b| {
            b.propensity.total_cmp(&a.propensity).then(a.person.cmp(&b.person)).then(a.label.cmp(&b.label))
        });
        for position in 1..rows.len() {
            rows[position - 1].last_of_ties = rows[position - 1].propensity > rows[position].propensity;
        }
        Self { rows, n_people, stake }
    }

    pub(super) fn resample(&self, resampling: Resampling) -> Vec<Point> {
        (0..resampling.resamples)
            .into_par_iter()
            .map(|number| {
                let weights = weights(resampling.seed, number, self.n_people);
                self.point(|row: &Row| f64::from(weights[row.person as usize]))
            })
            .collect()
    }

    /// All metrics in one pass, best score first, equal scores together.
    pub(super) fn point(&self, weight: impl Fn(&Row) -> f64) -> Point {
        let mut total = Totals::default();
        for row in &self.rows {
            total.weight += weight(row);
            total.attained += if row.label { weight(row) } else { 0.0 };
        }
        let mut sums = Sums::new(total, self.stake);
        let mut ties = Ties::default();
        for row in &self.rows {
            let weight = weight(row);
            if weight == 0.0 && !row.last_of_ties {
                continue;
            }
            ties.weight += weight;
            ties.attained += if row.label { weight } else { 0.0 };
            sums.log_loss += weight * row.log_loss;
            if row.last_of_ties {
                ties.propensity = row.propensity;
                sums.add(&ties);
                ties = Ties::default();
            }
        }
        sums.point()
    }

    fn deciles(&self) -> Vec<Decile> {
        let n = self.rows.len();
        let edges: Vec<usize> = (0..=10).map(|tenth| tenth * n / 10).collect();
        let mut deciles = Vec::with_capacity(10);
        for (number, edge) in (1_u8..).zip(edges.windows(2)) {
            let rows = &self.rows[edge[0]..edge[1]];
            if rows.is_empty() {
                continue;
            }
            let rate = Rate::new(rows.iter().filter(|row| row.label).count(), rows.len());
            let (rate_low, rate_high) = rate.interval().unwrap_or((0.0, 1.0));
            let mean_propensity = rows.iter().map(|row| row.propensity).sum::<f64>() / rows.len() as f64;
            deciles.push(Decile {
                decile: number,
                mean_propensity,
                rate,
                rate_low,
                rate_high,
                lift: None,
                capture: None,
            });
        }
        deciles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<Vec<&str>> {
        text.lines().skip(1).map(|line| line.split(',').collect()).collect()
    }

    #[test]
    fn metrics_match_scikit_learn() {
        let scores = columns(include_str!("testdata/scores.csv"));
        let label: Vec<bool> = scores.iter().map(|row| row[0] == "1").collect();
        let person: Vec<u32> = (0..1000).collect();
        for row in columns(include_str!("testdata/metrics.csv")) {
            let column = if row[0] == "smooth" { 1 } else { 2 };
            let propensity: Vec<f64> = scores.iter().map(|row| row[column].parse().unwrap()).collect();
            let scored = Scored { propensity: &propensity, label: &label, person: &person };
            let metrics = metrics(scored, Resampling { seed: 7, resamples: 200 });
            let ours = match row[1] {
                "roc_auc" => metrics.roc_auc,
                "pr_auc" => metrics.pr_auc,
                "log_loss" => metrics.log_loss,
                "brier" => metrics.brier,
                "ece" => metrics.ece,
                "ks" => metrics.ks,
                "mean_propensity" => metrics.mean_propensity,
                "reliability" => metrics.reliability,
                "resolution" => metrics.resolution,
                "uncertainty" => metrics.uncertainty,
                "within_bins" => metrics.within_bins,
                "lift_10" => metrics.lift_10,
                "capture_10" => metrics.capture_10,
                name => panic!("no metric is called {name}"),
            };
            let (ours, theirs) = (ours.unwrap(), row[2].parse::<f64>().unwrap());
            assert!((ours.value - theirs).abs() < 1e-12, "{row:?}: {}", ours.value);
            assert!(ours.low <= theirs && theirs <= ours.high && ours.n == 1000);
        }
    }

    #[test]
    fn the_parts_of_the_brier_score_add_up() {
        for column in [1, 2] {
            let scores = columns(include_str!("testdata/scores.csv"));
            let label: Vec<bool> = scores.iter().map(|row| row[0] == "1").collect();
            let propensity: Vec<f64> = scores.iter().map(|row| row[column].parse().unwrap()).collect();
            let person: Vec<u32> = (0..1000).collect();
            let scored = Scored { propensity: &propensity, label: &label, person: &person };
            let metrics = metrics(scored, Resampling { seed: 7, resamples: 0 });
            let value = |measured: Option<Measured>| measured.unwrap().value;
            let sum = value(metrics.reliability) - value(metrics.resolution)
                + value(metrics.uncertainty)
                + value(metrics.within_bins);
            assert!((sum - value(metrics.brier)).abs() < 1e-14, "{sum} {:?}", metrics.brier);
        }
    }

    #[test]
    fn true_probabilities_show_the_calibration_error_of_chance() {
        let n = 5_000;
        let mut error = (0.0, 0.0);
        // A standard error of the ratio: 0.756 (of a folded normal) over the root of ten bins of 100 samples, 2.4 %.
        for seed in 0..100 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut uniform = || f64::from(random.next_u32()) / f64::from(u32::MAX);
            let propensity: Vec<f64> = (0..n).map(|_| 0.4 * uniform()).collect();
            let label: Vec<bool> = propensity.iter().map(|&propensity| uniform() < propensity).collect();
            let person: Vec<u32> = (0..n).collect();
            let scored = Scored { propensity: &propensity, label: &label, person: &person };
            let metrics = metrics(scored, Resampling { seed: 1, resamples: 0 });
            error = (error.0 + metrics.ece.unwrap().value, error.1 + metrics.ece_by_chance.unwrap());
        }
        assert!((error.0 / error.1 - 1.0).abs() < 0.075, "found and expected {error:?}");
    }

    #[test]
    fn profit_by_hand() {
        // Ten people, those ranked 1, 2 and 4 attained; reaching one costs 1, a transition is worth 3: the best list has four.
        let propensity: Vec<f64> = (0..10).map(|place| 0.9 - 0.09 * f64::from(place)).collect();
        let label: Vec<bool> = (0..10).map(|place| [0, 1, 3].contains(&place)).collect();
        let person: Vec<u32> = (0..10).collect();
        let scored = Scored { propensity: &propensity, label: &label, person: &person };
        let stake = Stake { cost: 1.0, value: 3.0 };
        let worth = measure(scored, Some(stake), Resampling { seed: 1, resamples: 0 });
        let profit = worth.profit.unwrap();
        let value = |measured: Option<Measured>| measured.unwrap().value;
        assert!((value(profit.best_share) - 0.4).abs() < 1e-12 && (value(profit.at_best) - 500.0).abs() < 1e-9);
        // A propensity above 1 / 3 says: the first seven (0.9 … 0.36).
        assert!((value(profit.advised_share) - 0.7).abs() < 1e-12 && (value(profit.at_advised) - 200.0).abs() < 1e-9);
        assert!((value(profit.everyone) + 100.0).abs() < 1e-9);
        let half = worth.sizes.iter().find(|size| size.share == 0.5).unwrap();
        assert!((value(half.capture) - 1.0).abs() < 1e-12 && (value(half.lift) - 2.0).abs() < 1e-12 && half.n == 5);
        assert!((value(half.profit) - 400.0).abs() < 1e-9);
    }

    #[test]
    fn the_interval_of_a_rate_is_as_wide_as_theory_says() {
        // The standard error of an AUC of scores that tell nothing is sqrt((n1 + n0 + 1) / (12 n1 n0)) (Hanley and McNeil 1982).
        let n = 2000;
        let propensity: Vec<f64> = (0..n).map(|row| (f64::from(row) * 0.618_033_988_749).fract()).collect();
        let label: Vec<bool> = (0..n).map(|row| (f64::from(row) * 0.414_213_562_373).fract() < 0.2).collect();
        let person: Vec<u32> = (0..n as u32).collect();
        let scored = Scored { propensity: &propensity, label: &label, person: &person };
        let auc = metrics(scored, Resampling { seed: 3, resamples: 500 }).roc_auc.unwrap();
        let n1 = label.iter().filter(|&&label| label).count() as f64;
        let n0 = f64::from(n) - n1;
        let expected = 2.0 * 1.96 * ((n1 + n0 + 1.0) / (12.0 * n1 * n0)).sqrt();
        assert!(((auc.high - auc.low) / expected - 1.0).abs() < 0.15, "{auc:?}, expected width {expected}");
    }

    #[test]
    fn one_class_has_no_ranking() {
        let scored = Scored { propensity: &[0.1, 0.2], label: &[false, false], person: &[0, 1] };
        let metrics = metrics(scored, Resampling { seed: 1, resamples: 10 });
        assert_eq!((metrics.roc_auc, metrics.pr_auc, metrics.lift_10), (None, None, None));
        assert!(metrics.log_loss.is_some());
    }

    #[test]
    fn tenths_by_hand() {
        // Ten people, the two best of them attained: a rate of 1 in each of the first two tenths over a base rate of 0.2.
        let propensity: Vec<f64> = (0..10).map(|place| 0.9 - 0.05 * f64::from(place)).collect();
        let label: Vec<bool> = (0..10).map(|place| place < 2).collect();
        let person: Vec<u32> = (0..10).collect();
        let scored = Scored { propensity: &propensity, label: &label, person: &person };
        let Worth { deciles, .. } = measure(scored, None, Resampling { seed: 1, resamples: 0 });
        let lifts: Vec<f64> = deciles.iter().map(|decile| decile.lift.unwrap().value).collect();
        assert!((lifts[0] - 5.0).abs() < 1e-9 && (lifts[1] - 5.0).abs() < 1e-9 && lifts[2] == 0.0);
        assert!((deciles[0].capture.unwrap().value - 0.5).abs() < 1e-9);
    }
}
