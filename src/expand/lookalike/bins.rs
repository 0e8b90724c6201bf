//! The values of a feature, few enough to count: levels, or a number's tenths among the candidates.

use crate::discover::Cells;
use crate::discover::table::NO_LEVEL;

/// Bins that a number is cut into.
const BINS: usize = 10;

/// The values of a feature, few enough to count.
pub(super) enum Bins {
    /// Upper ends, the last one open; then what is missing.
    Number(Vec<f32>),
    /// Levels; then what is missing.
    Category(Vec<String>),
}

impl Bins {
    pub(super) fn of(cells: &Cells, candidates: &[usize]) -> Self {
        match cells {
            Cells::Category { levels, .. } => Self::Category(levels.clone()),
            Cells::Number(values) => {
                let mut known: Vec<f32> =
                    candidates.iter().map(|&row| values[row]).filter(|value| value.is_finite()).collect();
                known.sort_unstable_by(f32::total_cmp);
                let cut = |part: usize| known.get(part * known.len() / BINS).copied();
                let mut ends: Vec<f32> = (1..BINS).filter_map(cut).collect();
                ends.dedup();
                Self::Number(ends)
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Number(ends) => ends.len() + 2,
            Self::Category(levels) => levels.len() + 1,
        }
    }

    pub(super) fn bin(&self, cells: &Cells, row: usize) -> usize {
        match (self, cells) {
            (Self::Number(ends), Cells::Number(values)) if values[row].is_finite() => {
                ends.partition_point(|end| *end <= values[row])
            }
            (Self::Category(_), Cells::Category { codes, .. }) if codes[row] != NO_LEVEL => codes[row] as usize,
            _ => self.len() - 1,
        }
    }

    pub(super) fn shares(&self, cells: &Cells, rows: &[usize]) -> Vec<f64> {
        let mut counts = vec![0_usize; self.len()];
        for &row in rows {
            counts[self.bin(cells, row)] += 1;
        }
        counts.into_iter().map(|count| count as f64 / rows.len().max(1) as f64).collect()
    }

    /// The same, cut at `ends` too where it is a number.
    pub(super) fn cut_at(self, ends: impl IntoIterator<Item = f32>) -> Self {
        let Self::Number(mut all) = self else { return self };
        all.extend(ends);
        all.sort_unstable_by(f32::total_cmp);
        all.dedup();
        Self::Number(all)
    }

    /// Whether a bin holds what is missing.
    pub(super) fn is_missing(&self, bin: usize) -> bool {
        bin + 1 == self.len()
    }

    /// Bins in words: levels one by one, numbers by stretches.
    pub(super) fn in_words(&self, bins: &[usize]) -> Vec<String> {
        let is_stretch = |a: &usize, b: &usize| matches!(self, Self::Number(_)) && b - a == 1 && !self.is_missing(*b);
        bins.chunk_by(is_stretch).map(|stretch| self.named(stretch[0], stretch[stretch.len() - 1])).collect()
    }

    fn named(&self, first: usize, last: usize) -> String {
        match self {
            _ if self.is_missing(first) => "not known".to_owned(),
            Self::Category(levels) => levels[first].clone(),
            Self::Number(ends) => match (first.checked_sub(1).and_then(|below| ends.get(below)), ends.get(last)) {
                (Some(low), Some(high)) => format!("{low} to below {high}"),
                (None, Some(high)) => format!("below {high}"),
                (Some(low), None) => format!("{low} or more"),
                (None, None) => "any".to_owned(),
            },
        }
    }
}
