//! A feature's range cut into bins: ten of equal count, or the levels of a category; what is missing has a bin of its own.
//!
//! Bins are cut on the training part. Over them stand the information value, the stability index and the weights of evidence
//! of the scorecard; the parts of the range that [`super::contrast`] looks at are made of them.

use super::Sample;
use crate::discover::table::{Cells, NO_LEVEL};
use crate::discover::words::Region;

const BINS: usize = 10;
/// Added to each bin's counts, so that an empty one has a logarithm.
const SMOOTHING: f64 = 0.5;
/// So many examples at the base rate are mixed into each level's rate.
const PRIOR_EXAMPLES: f64 = 20.0;

/// Where a value falls: bin 0 is "missing".
pub(super) struct Bins {
    /// Upper ends of the numeric bins, ascending; the last has none.
    ends: Vec<f32>,
    is_number: bool,
    pub(super) n: usize,
}

impl Bins {
    /// The bins of a column, cut on `sample`.
    pub(super) fn of(cells: &Cells, sample: &Sample) -> Self {
        match cells {
            Cells::Number(values) => {
                let values = sample.rows.iter().map(|&row| values[row]);
                let mut known: Vec<f32> = values.filter(|value| !value.is_nan()).collect();
                known.sort_unstable_by(f32::total_cmp);
                let least = known.first().copied();
                let end = |bin: usize| known.get(bin * known.len() / BINS).copied();
                let mut ends: Vec<f32> = (1..BINS).filter_map(end).collect();
                ends.dedup();
                // Half of all the same, and the least: a bin of its own needs an end above it.
                if let Some(least) = least.filter(|least| ends.first() == Some(least)) {
                    ends.remove(0);
                    let above = known.iter().find(|value| **value > least).copied();
                    if let Some(above) = above.filter(|above| ends.first() != Some(above)) {
                        ends.insert(0, above);
                    }
                }
                Self { n: ends.len() + 2, ends, is_number: true }
            }
            Cells::Category { levels, .. } => Self { ends: Vec::new(), is_number: false, n: levels.len() + 1 },
        }
    }

    /// The bin of a row's value.
    pub(super) fn bin(&self, cells: &Cells, row: usize) -> usize {
        match cells {
            Cells::Number(values) if values[row].is_nan() => 0,
            Cells::Number(values) => 1 + self.ends.partition_point(|end| *end <= values[row]),
            Cells::Category { codes, .. } if codes[row] == NO_LEVEL => 0,
            Cells::Category { codes, .. } => 1 + codes[row] as usize,
        }
    }

    /// The bin of each of `rows`.
    pub(super) fn each(&self, cells: &Cells, rows: &[usize]) -> Vec<u32> {
        rows.iter().map(|&row| u32::try_from(self.bin(cells, row)).expect("bins are few")).collect()
    }

    /// The parts of the range that one can speak of: each bin; of numbers also what lies below or above an end. Each with the
    /// bins it is made of.
    pub(super) fn regions(&self) -> Vec<(Region, std::ops::Range<usize>)> {
        let mut regions = vec![(Region::Missing, 0..1), (Region::Known, 1..self.n)];
        if !self.is_number {
            let level = |level: usize| Region::Level(u32::try_from(level).expect("levels are counted in 32 bits"));
            regions.extend((1..self.n).map(|bin| (level(bin - 1), bin..bin + 1)));
            return regions;
        }
        for (place, &end) in self.ends.iter().enumerate() {
            regions.push((Region::Below(end), 1..place + 2));
            regions.push((Region::AtLeast(end), place + 2..self.n));
        }
        for (place, ends) in self.ends.windows(2).enumerate() {
            regions.push((Region::Between(ends[0], ends[1]), place + 2..place + 3));
        }
        regions
    }

    /// The bins alone, without their sums, for tables: missing first.
    pub(super) fn alone(&self) -> Vec<Region> {
        if !self.is_number {
            return self.regions().into_iter().map(|(region, _)| region).filter(|r| *r != Region::Known).collect();
        }
        let Some((&first, &last)) = self.ends.first().zip(self.ends.last()) else {
            return vec![Region::Missing, Region::Known];
        };
        let between = self.ends.windows(2).map(|ends| Region::Between(ends[0], ends[1]));
        [Region::Missing, Region::Below(first)].into_iter().chain(between).chain([Region::AtLeast(last)]).collect()
    }
}

/// How many of each bin did not and did attain.
pub(super) fn by_class(bins: &[u32], labels: &[bool], n_bins: usize) -> [Vec<f64>; 2] {
    let mut counts = [vec![0.0; n_bins], vec![0.0; n_bins]];
    for (bin, label) in bins.iter().zip(labels) {
        counts[usize::from(*label)][*bin as usize] += 1.0;
    }
    counts
}

/// The smoothed attainment rate of each level, among the people of even and of odd number: what one half is ranked by is
/// what the other half did, so that rare levels do not rank themselves.
pub(super) fn crossed_rates(codes: &[u32], n_levels: usize, sample: &Sample) -> [Vec<f64>; 2] {
    let base = sample.base_rate();
    [0, 1].map(|half| {
        let mut counts = vec![[0.0; 2]; n_levels];
        for ((&row, &label), &person) in sample.rows.iter().zip(&sample.labels).zip(&sample.person) {
            if person % 2 == half
                && let Some(count) = counts.get_mut(codes[row] as usize)
            {
                count[usize::from(label)] += 1.0;
            }
        }
        counts.iter().map(|[no, yes]| (yes + PRIOR_EXAMPLES * base) / (no + yes + PRIOR_EXAMPLES)).collect()
    })
}

/// The values that a column ranks the sample by.
pub(super) fn ranking(cells: &Cells, sample: &Sample) -> Vec<f64> {
    match cells {
        Cells::Number(values) => sample.rows.iter().map(|&row| f64::from(values[row])).collect(),
        Cells::Category { codes, levels } => {
            let rates = crossed_rates(codes, levels.len(), sample);
            let rate = |(&row, &person): (&usize, &u32)| {
                rates[1 - person as usize % 2].get(codes[row] as usize).copied().unwrap_or(f64::NAN)
            };
            sample.rows.iter().zip(&sample.person).map(rate).collect()
        }
    }
}

/// Σ (p − q) ln(p / q) over smoothed shares: information value, and population stability index.
pub(super) fn divergence(one: &[f64], other: &[f64]) -> f64 {
    let (one, other) = (shares(one), shares(other));
    one.iter().zip(&other).map(|(p, q)| (p - q) * (p / q).ln()).sum()
}

/// The weight of evidence of each bin: ln(share of the attained / share of the others).
pub(super) fn weights_of_evidence([others, attained]: &[Vec<f64>; 2]) -> Vec<f64> {
    shares(attained).iter().zip(shares(others)).map(|(p, q)| (p / q).ln()).collect()
}

fn shares(counts: &[f64]) -> Vec<f64> {
    let total = counts.iter().sum::<f64>() + SMOOTHING * counts.len() as f64;
    counts.iter().map(|count| (count + SMOOTHING) / total).collect()
}
