//! The isotonic map from margins to log odds: rates that rise with the margin, by pooling adjacent violators, as a broken line.

use serde::{Deserialize, Serialize};

/// See [`super::calibration::Calibrator::Isotonic`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Margins, ascending.
    pub margins: Vec<f64>,
    /// Log odds at these margins, ascending.
    pub log_odds: Vec<f64>,
}

impl Isotonic {
    pub(super) fn fit(margins: &[f64], labels: &[bool]) -> Option<Self> {
        let blocks = pooled(margins, labels);
        let base = labels.iter().filter(|&&label| label).count() as f64 / labels.len() as f64;
        let mut isotonic = Self { margins: Vec::new(), log_odds: Vec::new() };
        for block in blocks {
            // One imagined example at the base rate keeps the ends away from 0 and 1.
            let rate = (block.attained + base) / (block.n + 1.0);
            let (margin, log_odds) = (block.margin / block.n, libm::log(rate / (1.0 - rate)));
            let rises = isotonic.margins.last().is_none_or(|last| margin > *last)
                && isotonic.log_odds.last().is_none_or(|last| log_odds > *last);
            if rises && log_odds.is_finite() {
                isotonic.margins.push(margin);
                isotonic.log_odds.push(log_odds);
            }
        }
        (isotonic.margins.len() >= 2).then_some(isotonic)
    }

    /// Along the broken line; beyond its ends with slope 1.
    pub(super) fn log_odds(&self, margin: f64) -> f64 {
        let (xs, ys) = (&self.margins, &self.log_odds);
        let last = xs.len() - 1;
        if margin <= xs[0] {
            ys[0] + (margin - xs[0])
        } else if margin >= xs[last] {
            ys[last] + (margin - xs[last])
        } else {
            let above = xs.partition_point(|x| *x <= margin);
            let share = (margin - xs[above - 1]) / (xs[above] - xs[above - 1]);
            ys[above - 1] + share * (ys[above] - ys[above - 1])
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        let rises =
            |values: &[f64]| values.windows(2).all(|pair| pair[0] < pair[1]) && values.iter().all(|x| x.is_finite());
        self.margins.len() >= 2
            && self.margins.len() == self.log_odds.len()
            && rises(&self.margins)
            && rises(&self.log_odds)
    }
}

struct Block {
    n: f64,
    attained: f64,
    /// Σ margin.
    margin: f64,
}

/// Pool adjacent violators: blocks of ascending margins whose rates rise.
fn pooled(margins: &[f64], labels: &[bool]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for tie in ties(margins, labels) {
        blocks.push(tie);
        while let [.., before, after] = &blocks[..]
            && before.attained * after.n >= after.attained * before.n
        {
            let merged = Block {
                n: before.n + after.n,
                attained: before.attained + after.attained,
                margin: before.margin + after.margin,
            };
            blocks.truncate(blocks.len() - 2);
            blocks.push(merged);
        }
    }
    blocks
}

/// A block per distinct margin, ascending.
fn ties(margins: &[f64], labels: &[bool]) -> Vec<Block> {
    let mut order: Vec<usize> = (0..margins.len()).collect();
    order.sort_unstable_by(|&a, &b| margins[a].total_cmp(&margins[b]));
    let mut ties: Vec<Block> = Vec::new();
    for tie in order.chunk_by(|&a, &b| margins[a] == margins[b]) {
        let n = tie.len() as f64;
        let attained = tie.iter().filter(|&&row| labels[row]).count() as f64;
        ties.push(Block { n, attained, margin: n * margins[tie[0]] });
    }
    ties
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<Vec<f64>> {
        text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect()
    }

    #[test]
    fn pooled_rates_match_scikit_learns_isotonic_regression() {
        let scores = columns(include_str!("testdata/scores.csv"));
        let (margins, labels): (Vec<f64>, Vec<bool>) = scores.iter().map(|row| (row[1], row[0] == 1.0)).unzip();
        let ours: Vec<f64> = pooled(&margins, &labels)
            .iter()
            .flat_map(|block| std::iter::repeat_n(block.attained / block.n, block.n as usize))
            .collect();
        let theirs = columns(include_str!("testdata/isotonic.csv"));
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!((ours - theirs[1]).abs() < 1e-9, "{ours} {theirs:?}");
        }
    }
}
