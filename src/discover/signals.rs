//! What each feature alone says about the outcome: the univariate signal table.
//!
//! - `auc`: area under the ROC curve of the feature's value (0.5: nothing; below 0.5: larger values go with staying). A pair of
//!   examples in which a value is missing counts half. A category is ranked by the smoothed attainment rates of its levels,
//!   each example by the rates that the other half of the examples gives, so that rare levels do not rank themselves.
//! - `information_value`: Σ (share of attained − share of others) · ln(ratio of the shares) over ten bins of equal count, or
//!   the levels, missing a bin of its own (Siddiqi 2006). Below 0.02 is nothing, above 0.5 deserves suspicion.
//! - `stability`: population stability index of the same bins, training against test cutoffs; above 0.25 has moved.
//!
//! Measured on the training part (a sample by hash of the person when it is large), so that the test stays unseen.

use rayon::prelude::*;

use super::table::{Cells, Column, Examples, NO_LEVEL, Split};

/// More rows than this say no more of one feature.
const MOST_ROWS: usize = 50_000;
const BINS: usize = 10;
/// Added to each bin's counts, so that an empty one has a logarithm.
const SMOOTHING: f64 = 0.5;
/// A single feature that ranks like this is too good to be true.
const LEAK_AUC: f64 = 0.95;
/// Known for this many times more of those who attained than of the others, or the reverse.
const LEAK_KNOWN: f64 = 0.9;

/// What one feature says.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The feature.
    pub feature: String,
    /// See the module's documentation; absent with one class or no value.
    pub auc: Option<f64>,
    /// See the module's documentation.
    pub information_value: Option<f64>,
    /// See the module's documentation; absent without a test part.
    pub stability: Option<f64>,
    /// Share of missing values, 0–1.
    pub missing: f64,
    /// Why the feature looks as if it knew the outcome.
    pub leak: Option<String>,
}

/// The signals of all features, the strongest first.
#[must_use]
pub fn signals(examples: &Examples) -> Vec<Signal> {
    let train = sample(examples, Split::Train);
    let test = sample(examples, Split::Test);
    let labels: Vec<bool> = train.iter().filter_map(|&row| examples.outcome[row].label()).collect();
    let mut signals: Vec<Signal> =
        examples.features.columns.par_iter().map(|column| signal(column, &train, &labels, &test)).collect();
    let strength = |signal: &Signal| signal.auc.map_or(0.0, |auc| (auc - 0.5).abs());
    signals.sort_by(|a, b| strength(b).total_cmp(&strength(a)).then_with(|| a.feature.cmp(&b.feature)));
    signals
}

/// The labelled rows of a part; every k-th when there are very many (rows stand by cutoff, then person).
fn sample(examples: &Examples, split: Split) -> Vec<usize> {
    let rows = |row: &usize| examples.split[*row] == split && examples.outcome[*row].label().is_some();
    let all: Vec<usize> = (0..examples.len()).filter(rows).collect();
    let step = all.len().div_ceil(MOST_ROWS).max(1);
    all.into_iter().step_by(step).collect()
}

fn signal(column: &Column, train: &[usize], labels: &[bool], test: &[usize]) -> Signal {
    let binning = Binning::of(column, train, labels);
    let bins: Vec<usize> = train.iter().map(|&row| binning.bin(&column.cells, row)).collect();
    let missing = share(bins.iter().filter(|bin| **bin == 0).count(), bins.len());
    let auc = auc(column, &binning, train, labels);
    let mut by_class = [vec![0.0; binning.n_bins], vec![0.0; binning.n_bins]];
    for (bin, label) in bins.iter().zip(labels) {
        by_class[usize::from(*label)][*bin] += 1.0;
    }
    let both = by_class.iter().all(|counts| counts.iter().sum::<f64>() > 0.0);
    let information_value = both.then(|| divergence(&by_class[1], &by_class[0]));
    let mut now = vec![0.0; binning.n_bins];
    for &row in test {
        now[binning.bin(&column.cells, row)] += 1.0;
    }
    let before: Vec<f64> = by_class[0].iter().zip(&by_class[1]).map(|(a, b)| a + b).collect();
    let stability = (!test.is_empty()).then(|| divergence(&now, &before));
    let leak = leak(auc, &by_class);
    Signal { feature: column.name.clone(), auc, information_value, stability, missing, leak }
}
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Where a value falls: bin 0 is "missing".
struct Binning {
    /// Upper ends of the numeric bins, ascending.
    ends: Vec<f32>,
    /// Attainment rate of each level among the examples at even and at odd positions, smoothed towards the base rate.
    rates: [Vec<f64>; 2],
    n_bins: usize,
}

impl Binning {
    fn of(column: &Column, train: &[usize], labels: &[bool]) -> Self {
        match &column.cells {
            Cells::Number(values) => {
                let mut known: Vec<f32> =
                    train.iter().map(|&row| values[row]).filter(|value| !value.is_nan()).collect();
                known.sort_unstable_by(f32::total_cmp);
                let end = |bin: usize| known.get(bin * known.len() / BINS).copied();
                let mut ends: Vec<f32> = (1..BINS).filter_map(end).collect();
                ends.dedup();
                let n_bins = ends.len() + 2;
                Self { ends, rates: Default::default(), n_bins }
            }
            Cells::Category { codes, levels } => {
                let base = share(labels.iter().filter(|label| **label).count(), labels.len());
                let rates = [0, 1].map(|half| {
                    let mut counts = vec![[0.0; 2]; levels.len()];
                    for (&row, label) in train.iter().zip(labels).skip(half).step_by(2) {
                        if let Some(count) = counts.get_mut(codes[row] as usize) {
                            count[usize::from(*label)] += 1.0;
                        }
                    }
                    counts.iter().map(|[no, yes]| (yes + 20.0 * base) / (no + yes + 20.0)).collect()
                });
                Self { ends: Vec::new(), rates, n_bins: levels.len() + 1 }
            }
        }
    }

    /// The rate of a level among the examples of the other half; NaN for a missing one.
    fn rate(&self, code: u32, position: usize) -> f64 {
        self.rates[1 - position % 2].get(code as usize).copied().unwrap_or(f64::NAN)
    }

    fn bin(&self, cells: &Cells, row: usize) -> usize {
        match cells {
            Cells::Number(values) if values[row].is_nan() => 0,
            Cells::Number(values) => 1 + self.ends.partition_point(|end| *end <= values[row]),
            Cells::Category { codes, .. } if codes[row] == NO_LEVEL => 0,
            Cells::Category { codes, .. } => 1 + codes[row] as usize,
        }
    }
}

/// Mann–Whitney: the share of pairs of an attained and another example that the value puts in the right order. A pair of
/// equal values counts half, and so does one in which a value is missing: what is known of few people says little.
fn auc(column: &Column, binning: &Binning, train: &[usize], labels: &[bool]) -> Option<f64> {
    let value = |(position, &row): (usize, &usize)| match &column.cells {
        Cells::Number(values) => f64::from(values[row]),
        Cells::Category { codes, .. } => binning.rate(codes[row], position),
    };
    let values = train.iter().enumerate().map(value).zip(labels.iter().copied());
    let mut ranked: Vec<(f64, bool)> = values.filter(|(value, _)| !value.is_nan()).collect();
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins) = (0_u64, 0.0);
    for ties in ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let attained = ties.iter().filter(|(_, label)| *label).count() as u64;
        let others = ties.len() as u64 - attained;
        wins += attained as f64 * (below as f64 + others as f64 / 2.0);
        below += others;
    }
    let known_pairs = (ranked.len() as u64 - below) as f64 * below as f64;
    let n_attained = labels.iter().filter(|label| **label).count();
    let pairs = n_attained as f64 * (labels.len() - n_attained) as f64;
    (pairs > 0.0 && known_pairs > 0.0).then(|| (wins + (pairs - known_pairs) / 2.0) / pairs)
}

/// Σ (p − q) ln(p / q) over smoothed shares: information value, and population stability index.
fn divergence(one: &[f64], other: &[f64]) -> f64 {
    let total = |counts: &[f64]| counts.iter().sum::<f64>() + SMOOTHING * counts.len() as f64;
    let (n_one, n_other) = (total(one), total(other));
    let term = |(one, other): (&f64, &f64)| {
        let (p, q) = ((one + SMOOTHING) / n_one, (other + SMOOTHING) / n_other);
        (p - q) * (p / q).ln()
    };
    one.iter().zip(other).map(term).sum()
}

/// Why the feature looks as if it knew the outcome.
fn leak(auc: Option<f64>, by_class: &[Vec<f64>; 2]) -> Option<String> {
    if let Some(auc) = auc.filter(|auc| (auc - 0.5).abs() > LEAK_AUC - 0.5) {
        return Some(format!("ranks almost perfectly alone (AUC {auc:.3}): is it known only after the outcome?"));
    }
    let known = |counts: &[f64]| 1.0 - counts[0] / counts.iter().sum::<f64>().max(1.0);
    let (others, attained) = (known(&by_class[0]), known(&by_class[1]));
    ((attained - others).abs() > LEAK_KNOWN).then(|| {
        let (attained, others) = (100.0 * attained, 100.0 * others);
        format!("known for {attained:.0} % of those who attained and {others:.0} % of the others: is it filled in by the outcome?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Table;
    use crate::map::Outcome;

    fn examples(values: &[f32], labels: &[bool]) -> Examples {
        let outcome = labels.iter().map(|&label| if label { Outcome::Attained } else { Outcome::Stayed }).collect();
        let column = Column { name: "attr.x".into(), cells: Cells::Number(values.to_vec()) };
        Examples {
            person: vec![0; values.len()],
            split: vec![Split::Train; values.len()],
            outcome,
            features: Table { columns: vec![column], n_rows: values.len() },
            ..Examples::default()
        }
    }

    #[test]
    fn auc_counts_pairs_by_hand() {
        // Attained 2 and 3, others 1, 2: pairs (2,1) right, (2,2) half, (3,1) right, (3,2) right: 3.5 of 4.
        let signal = &signals(&examples(&[1.0, 2.0, 2.0, 3.0], &[false, true, false, true]))[0];
        assert_eq!(signal.auc, Some(0.875));
    }

    #[test]
    fn a_feature_that_knows_the_outcome_is_named() {
        let labels: Vec<bool> = (0..200).map(|i| i % 4 == 0).collect();
        let told: Vec<f32> = labels.iter().map(|&label| if label { 1.0 } else { 0.0 }).collect();
        assert!(signals(&examples(&told, &labels))[0].leak.is_some());
        let only_known: Vec<f32> = labels.iter().map(|&label| if label { 7.0 } else { f32::NAN }).collect();
        assert!(signals(&examples(&only_known, &labels))[0].leak.is_some());
        let honest: Vec<f32> = (0_u8..200).map(|i| f32::from(i % 7)).collect();
        assert_eq!(signals(&examples(&honest, &labels))[0].leak, None);
    }
}
