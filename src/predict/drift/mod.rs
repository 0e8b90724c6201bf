//! How far new data has moved from what the model was trained on, feature by feature, and in the score.
//!
//! In: the sketches that travel in the bundle, and counts of new rows in their parts. Out: for each column
//!
//! - the **population stability index** `Σ (q − p) ln (q / p)` over the parts, gaps a part of their own (and levels that the
//!   training never saw another), half a row added to each part: `p = (rows + ½) / (all rows + ½ parts)`;
//! - what it would be if nothing had moved: about `(parts − 1)(1/n + 1/m)`, for it is then `(1/n + 1/m)` times a chi-squared
//!   (Yurdakul 2018), and its limit, which one column in a thousand would pass by chance;
//! - an **effect size** that does not grow with the number of rows: the greatest distance of the cumulative shares at the edges
//!   (Kolmogorov–Smirnov) for a number, half the sum of the distances of the shares for a category; and how many standard
//!   deviations of training the mean has moved.
//!
//! A column has `moved` from an index of 0.1 on, `shifted` from 0.25 on, the usual thresholds of credit scoring; never within the
//! limit of chance, which few rows make wide.

mod sketch;
mod tally;

use serde::{Deserialize, Serialize};

pub use sketch::{Numbers, Shape, Sketch, Sketches};
pub use tally::{Counted, Tally};

use super::trees::Feature;

/// Version of what is written.
pub const FORMAT_VERSION: u32 = 1;
/// From this index on a column has moved.
pub const MOVED: f64 = 0.1;
/// From this index on it has shifted.
pub const SHIFTED: f64 = 0.25;
/// The normal quantile that one in a thousand passes.
const ONE_IN_A_THOUSAND: f64 = 3.090_232_306_167_813;

/// What moved between training and new data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Version of this format.
    pub format_version: u32,
    /// How many rows were compared.
    pub n: u64,
    /// How many features moved or shifted.
    pub n_drifted: usize,
    /// The propensities.
    pub score: Moved,
    /// The features, those that moved most first.
    pub features: Vec<Moved>,
}

/// How far one column moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// The feature; `propensity` for the score.
    pub feature: String,
    /// What that means.
    pub verdict: Verdict,
    /// Population stability index.
    pub psi: f64,
    /// What it would be on average if nothing had moved.
    pub psi_expected: f64,
    /// Where chance ends: one column in a thousand that did not move lies beyond.
    pub psi_limit: f64,
    /// Kolmogorov–Smirnov distance of a number, total variation of a category, 0–1, over rows with a value.
    pub effect: f64,
    /// By how many standard deviations of training the mean moved; absent for a category and where nothing varied.
    pub mean_shift: Option<f64>,
    /// Rows of training.
    pub n_training: u64,
    /// Rows compared.
    pub n: u64,
    /// Share of gaps at training.
    pub missing_training: f64,
    /// Share of gaps now, levels never seen among them.
    pub missing: f64,
    /// Rows with a level that the training never saw.
    pub n_unseen: u64,
    /// Share of the rows with a value whose level the training saw; absent for a number and where no row has a value.
    pub coverage: Option<f64>,
}

/// What an index means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No more than chance, or too little to matter.
    Stable,
    /// Look at it.
    Moved,
    /// The model meets people it was not trained on.
    Shifted,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Moved => "moved",
            Self::Shifted => "shifted",
        }
    }
}

impl Drift {
    /// Compares counts of new rows with the sketches.
    #[must_use]
    pub fn new(sketches: &Sketches, features: &[Feature], tally: &Tally) -> Self {
        let pairs = sketches.features.iter().zip(&tally.features).zip(features);
        let mut moved: Vec<Moved> =
            pairs.map(|((sketch, counted), feature)| Moved::new(&feature.name, sketch, counted)).collect();
        moved.sort_by(|a, b| b.psi.total_cmp(&a.psi).then_with(|| a.feature.cmp(&b.feature)));
        Self {
            format_version: FORMAT_VERSION,
            n: tally.score.n,
            n_drifted: moved.iter().filter(|moved| moved.verdict != Verdict::Stable).count(),
            score: Moved::new("propensity", &sketches.score, &tally.score),
            features: moved,
        }
    }

    /// The columns, the score first, whose index is at or above `psi` and beyond chance.
    pub fn beyond(&self, psi: f64) -> impl Iterator<Item = &Moved> {
        std::iter::once(&self.score).chain(&self.features).filter(move |moved| moved.is_beyond(psi))
    }
}

impl Moved {
    fn new(feature: &str, sketch: &Sketch, counted: &Counted) -> Self {
        let (shares, mean_shift) = match &sketch.shape {
            Shape::Number(numbers) => (&numbers.counts, numbers.mean_shift(sketch, counted)),
            Shape::Category(counts) => (counts, None),
        };
        let is_number = matches!(sketch.shape, Shape::Number(_));
        let missing = counted.n_missing - counted.n_unseen;
        let cells = shares.iter().copied().zip(counted.counts.iter().copied());
        let cells: Vec<(u64, u64)> = cells.chain([(sketch.n_missing, missing), (0, counted.n_unseen)]).collect();
        let Index { psi, expected, limit } = index(&cells);
        let n_known = counted.n - missing;
        let coverage = (!is_number && n_known > 0).then(|| 1.0 - counted.n_unseen as f64 / n_known as f64);
        let mut moved = Self {
            feature: feature.to_owned(),
            verdict: Verdict::Stable,
            psi,
            psi_expected: expected,
            psi_limit: limit,
            effect: effect(&cells[..shares.len()], counted.n_unseen, is_number),
            mean_shift,
            n_training: sketch.n,
            n: counted.n,
            missing_training: share(sketch.n_missing, sketch.n),
            missing: share(counted.n_missing, counted.n),
            n_unseen: counted.n_unseen,
            coverage,
        };
        moved.verdict = match () {
            () if moved.is_beyond(SHIFTED) => Verdict::Shifted,
            () if moved.is_beyond(MOVED) => Verdict::Moved,
            () => Verdict::Stable,
        };
        moved
    }

    fn is_beyond(&self, psi: f64) -> bool {
        self.psi >= psi && self.psi > self.psi_limit
    }
}

impl Numbers {
    fn mean_shift(&self, sketch: &Sketch, counted: &Counted) -> Option<f64> {
        let n_known = counted.n - counted.n_missing;
        let can_tell = n_known > 0 && self.deviation > 0.0 && sketch.n > sketch.n_missing;
        can_tell.then(|| counted.sum / n_known as f64 / self.deviation)
    }
}

/// A population stability index, and what chance makes of it.
struct Index {
    psi: f64,
    expected: f64,
    limit: f64,
}

/// The index of pairs of counts: training and now.
fn index(cells: &[(u64, u64)]) -> Index {
    let cells: Vec<(f64, f64)> =
        cells.iter().filter(|&&(then, now)| then + now > 0).map(|&(then, now)| (then as f64, now as f64)).collect();
    let (n, m) = cells.iter().fold((0.0, 0.0), |(n, m), (then, now)| (n + then, m + now));
    if n == 0.0 || m == 0.0 {
        return Index { psi: 0.0, expected: 0.0, limit: 0.0 };
    }
    let parts = cells.len() as f64;
    let psi = cells.iter().map(|(then, now)| {
        let (p, q) = ((then + 0.5) / (n + 0.5 * parts), (now + 0.5) / (m + 0.5 * parts));
        (q - p) * libm::log(q / p)
    });
    let noise = 1.0 / n + 1.0 / m;
    Index { psi: psi.sum(), expected: (parts - 1.0) * noise, limit: chi_squared_limit(parts - 1.0) * noise }
}

/// What one chi-squared in a thousand passes (Wilson and Hilferty 1931).
fn chi_squared_limit(freedom: f64) -> f64 {
    if freedom < 1.0 {
        return 0.0;
    }
    let spread = 2.0 / (9.0 * freedom);
    freedom * (1.0 - spread + ONE_IN_A_THOUSAND * spread.sqrt()).powi(3)
}

/// Kolmogorov–Smirnov distance of ordered parts, total variation of others; levels never seen are parts of their own.
fn effect(cells: &[(u64, u64)], n_unseen: u64, ordered: bool) -> f64 {
    let n: u64 = cells.iter().map(|cell| cell.0).sum();
    let m: u64 = cells.iter().map(|cell| cell.1).sum::<u64>() + n_unseen;
    if n == 0 || m == 0 {
        return 0.0;
    }
    let distances = cells.iter().map(|&(then, now)| share(now, m) - share(then, n));
    if ordered {
        let cumulative = distances.scan(0.0, |sum, distance| {
            *sum += distance;
            Some(f64::abs(*sum))
        });
        cumulative.fold(0.0, f64::max)
    } else {
        f64::midpoint(distances.map(f64::abs).sum(), share(n_unseen, m))
    }
}

fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

#[cfg(test)]
mod tests;
