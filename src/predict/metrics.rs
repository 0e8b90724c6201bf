//! What a set of scores is worth: how well it ranks, how true its probabilities are.
//!
//! In: a probability, a label and a person per example. Out: [`Metrics`] and [`Decile`]s, each number with a 95 % interval.
//!
//! - **ROC AUC**: the chance that one who attained is scored above one who did not; equal scores count one half.
//! - **PR AUC**: average precision, `Σ (R_k − R_{k−1}) · P_k` over the distinct scores, best first.
//! - **log loss**: `−mean(y ln p + (1 − y) ln(1 − p))`, p kept within 1e-15 of 0 and 1.
//! - **Brier**: `mean((p − y)²)`.
//! - **ECE**: ten bins of equal count by score; `Σ n_b / n · |mean(y) − mean(p)|`.
//! - **lift, capture**: rate in the best tenth over the base rate; share of all who attained that stands there.
//!
//! Where a bin's edge falls among equal scores each of them counts in part, so that no number depends on the order of rows.
//! Intervals come from a Poisson bootstrap over people (Chamandy et al. 2012): a person's examples come and go together. They
//! are percentiles of 200 resamples and more; of fewer, which serve where there are many examples, 1.96 standard deviations. Each resample draws from a stream of its own, so that the numbers are the same for any number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

use super::evaluation::{Decile, Measured, Metrics};
use crate::rate::Rate;

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

/// Every metric of `scored`.
#[must_use]
pub fn metrics(scored: Scored<'_>, resampling: Resampling) -> Metrics {
    measure(scored, resampling).0
}

/// Every metric of `scored`, and its tenths.
#[must_use]
pub fn measure(scored: Scored<'_>, resampling: Resampling) -> (Metrics, Vec<Decile>) {
    let sorted = Sorted::new(scored);
    let n = sorted.rows.len();
    let base_rate = Rate::new(scored.label.iter().filter(|&&label| label).count(), n);
    if n == 0 {
        return (Metrics { base_rate, ..Metrics::default() }, Vec::new());
    }
    let estimate = sorted.point(|_| 1.0, n as f64);
    let resamples = sorted.resample(resampling);
    let measured = |of: &dyn Fn(&Point) -> f64| interval(of(&estimate), resamples.iter().map(of).collect(), n as u64);
    let metrics = Metrics {
        base_rate,
        roc_auc: measured(&|point| point.roc_auc),
        pr_auc: measured(&|point| point.pr_auc),
        log_loss: measured(&|point| point.log_loss),
        brier: measured(&|point| point.brier),
        ece: measured(&|point| point.ece),
        lift_10: measured(&|point| point.lift(0)),
        capture_10: measured(&|point| point.capture(0)),
    };
    let mut deciles = sorted.deciles();
    for (position, decile) in deciles.iter_mut().enumerate() {
        decile.lift = measured(&|point| point.lift(position));
        decile.capture = measured(&|point| point.capture(position));
    }
    (metrics, deciles)
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
}

impl Sorted {
    pub(super) fn new(scored: Scored<'_>) -> Self {
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
        Self { rows, n_people }
    }

    pub(super) fn resample(&self, resampling: Resampling) -> Vec<Point> {
        (0..resampling.resamples)
            .into_par_iter()
            .map(|number| {
                let weights = weights(resampling.seed, number, self.n_people);
                let weight = |row: &Row| f64::from(weights[row.person as usize]);
                let total = self.rows.iter().map(weight).sum();
                self.point(weight, total)
            })
            .collect()
    }

    /// All metrics in one pass, best score first, equal scores together.
    pub(super) fn point(&self, weight: impl Fn(&Row) -> f64, total: f64) -> Point {
        let mut sums = Sums::new(total);
        let mut ties = Ties::default();
        for row in &self.rows {
            let weight = weight(row);
            if weight == 0.0 && !row.last_of_ties {
                continue;
            }
            ties.weight += weight;
            ties.attained += if row.label { weight } else { 0.0 };
            let miss = row.propensity - f64::from(u8::from(row.label));
            sums.log_loss += weight * row.log_loss;
            sums.brier += weight * miss * miss;
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

/// The negative log likelihood of one label.
pub(super) fn log_loss(propensity: f64, label: bool) -> f64 {
    let right = if label { propensity } else { 1.0 - propensity };
    -libm::log(right.clamp(1e-15, 1.0))
}

/// Examples of one score.
#[derive(Default)]
struct Ties {
    propensity: f64,
    weight: f64,
    attained: f64,
}

/// What has been seen so far, best scores first.
struct Sums {
    total: f64,
    seen: f64,
    attained: f64,
    concordant: f64,
    precision: f64,
    log_loss: f64,
    brier: f64,
    /// Weight, attained and Σ propensity of each tenth.
    tenths: [[f64; 3]; 10],
    tenth: usize,
}

impl Sums {
    fn new(total: f64) -> Self {
        Self {
            total,
            seen: 0.0,
            attained: 0.0,
            concordant: 0.0,
            precision: 0.0,
            log_loss: 0.0,
            brier: 0.0,
            tenths: [[0.0; 3]; 10],
            tenth: 0,
        }
    }

    fn add(&mut self, ties: &Ties) {
        if ties.weight == 0.0 {
            return;
        }
        self.concordant += (ties.weight - ties.attained) * (self.attained + 0.5 * ties.attained);
        self.fill_tenths(ties);
        self.seen += ties.weight;
        self.attained += ties.attained;
        self.precision += ties.attained * self.attained / self.seen;
    }

    /// Deals equal scores to the tenths in which they stand, in parts where an edge falls among them.
    fn fill_tenths(&mut self, ties: &Ties) {
        let size = self.total / 10.0;
        let mut left = ties.weight;
        while left > 0.0 {
            let room = if self.tenth == 9 { f64::INFINITY } else { size - self.tenths[self.tenth][0] };
            let part = left.min(room);
            let share = part / ties.weight;
            let tenth = &mut self.tenths[self.tenth];
            tenth[0] += part;
            tenth[1] += share * ties.attained;
            tenth[2] += part * ties.propensity;
            left -= part;
            if self.tenth < 9 && tenth[0] >= size * (1.0 - 1e-12) {
                self.tenth += 1;
            }
        }
    }

    fn point(&self) -> Point {
        let missed = self.seen - self.attained;
        let ece = self.tenths.iter().map(|[_, attained, propensity]| (attained - propensity).abs()).sum::<f64>();
        Point {
            // 0 / 0 is NaN: a metric that is not defined.
            roc_auc: self.concordant / (self.attained * missed),
            pr_auc: self.precision / self.attained,
            log_loss: self.log_loss / self.seen,
            brier: self.brier / self.seen,
            ece: ece / self.seen,
            base_rate: self.attained / self.seen,
            attained: self.attained,
            tenths: self.tenths.map(|[weight, attained, _]| [weight, attained]),
        }
    }
}

/// The metrics of one (re)sample; NaN where not defined.
pub(super) struct Point {
    pub(super) roc_auc: f64,
    pub(super) pr_auc: f64,
    pub(super) log_loss: f64,
    pub(super) brier: f64,
    pub(super) ece: f64,
    base_rate: f64,
    attained: f64,
    tenths: [[f64; 2]; 10],
}

impl Point {
    pub(super) fn lift(&self, tenth: usize) -> f64 {
        let [weight, attained] = self.tenths[tenth];
        attained / weight / self.base_rate
    }

    pub(super) fn capture(&self, tenth: usize) -> f64 {
        self.tenths[..=tenth].iter().map(|[_, attained]| attained).sum::<f64>() / self.attained
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
                "lift_10" => metrics.lift_10,
                _ => metrics.capture_10,
            };
            let (ours, theirs) = (ours.unwrap(), row[2].parse::<f64>().unwrap());
            assert!((ours.value - theirs).abs() < 1e-12, "{row:?}: {}", ours.value);
            assert!(ours.low < theirs && theirs < ours.high && ours.n == 1000);
        }
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
        let (_, deciles) = measure(
            Scored { propensity: &propensity, label: &label, person: &person },
            Resampling { seed: 1, resamples: 0 },
        );
        let lifts: Vec<f64> = deciles.iter().map(|decile| decile.lift.unwrap().value).collect();
        assert!((lifts[0] - 5.0).abs() < 1e-9 && (lifts[1] - 5.0).abs() < 1e-9 && lifts[2] == 0.0);
        assert!((deciles[0].capture.unwrap().value - 0.5).abs() < 1e-9);
    }
}
