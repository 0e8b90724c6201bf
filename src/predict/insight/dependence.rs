//! What the values of one feature do: the mean contribution in each part of its range.
//!
//! Numbers are cut at the quantiles of the sample, few distinct ones each alone; categories by level, the rarest together; who has no
//! value is a part of their own. The interval is that of the mean (1.96 standard errors): what other features add to or take from
//! a contribution in the same part shows in its width.

use super::Sample;
use crate::discover::Cells;
use crate::discover::table::NO_LEVEL;
use crate::rate::Z;

/// Parts of a number's range.
const BINS: usize = 10;
/// Levels of a category that are told, the largest.
const LEVELS: usize = 12;

/// What one feature does.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    /// The feature.
    pub feature: String,
    /// Whether it is a number; its bins ascend then.
    pub is_number: bool,
    /// Its parts; those without a value last.
    pub bins: Vec<Bin>,
}

/// A part of a feature's range.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// The part, to read: `12 to 24`, a level, `(missing)`.
    pub part: String,
    /// Of a number: the lowest and the highest value in it.
    pub range: Option<(f32, f32)>,
    /// Examples in it.
    pub n: u64,
    /// Their mean contribution to the log odds.
    pub mean: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// What the feature at this position does; `None` where everybody is alike.
pub(super) fn dependence(sample: &Sample<'_>, feature: usize) -> Option<Dependence> {
    let name = sample.judged.model.features().get(feature).copied()?.to_owned();
    let cells = &sample.examples.features.column(&name)?.cells;
    let contributions: Vec<f64> = sample.of(feature).collect();
    let bins = match cells {
        Cells::Number(values) => {
            let values: Vec<f32> = sample.rows.iter().map(|&row| values[row as usize]).collect();
            of_numbers(&values, &contributions)
        }
        Cells::Category { codes, levels } => {
            let codes: Vec<u32> = sample.rows.iter().map(|&row| codes[row as usize]).collect();
            of_levels(&codes, levels, &contributions)
        }
    };
    (bins.len() > 1).then_some(Dependence { feature: name, is_number: matches!(cells, Cells::Number(_)), bins })
}

fn of_numbers(values: &[f32], contributions: &[f64]) -> Vec<Bin> {
    let mut known: Vec<(f32, f64)> =
        values.iter().copied().zip(contributions.iter().copied()).filter(|(value, _)| value.is_finite()).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let least = known.len().div_ceil(BINS).max(1);
    let mut bins = Vec::new();
    let mut pending: Vec<(f32, f64)> = Vec::new();
    let few = known.chunk_by(|a, b| a.0 == b.0).count() <= BINS;
    // Equal values stay together; a part is closed when it holds its share.
    for ties in known.chunk_by(|a, b| a.0 == b.0) {
        pending.extend(ties);
        if few || pending.len() >= least {
            bins.push(number_bin(&pending));
            pending.clear();
        }
    }
    if !pending.is_empty() {
        bins.push(number_bin(&pending));
    }
    let missing: Vec<f64> =
        values.iter().zip(contributions).filter(|(value, _)| !value.is_finite()).map(|(_, &c)| c).collect();
    if !missing.is_empty() {
        bins.push(bin("(missing)".to_owned(), None, &missing));
    }
    bins
}

fn number_bin(rows: &[(f32, f64)]) -> Bin {
    let (low, high) = (rows[0].0, rows[rows.len() - 1].0);
    let shown = |value: f32| {
        let rounded = (f64::from(value) * 100.0).round() / 100.0;
        if rounded.abs() >= 1000.0 { format!("{}", rounded.round()) } else { format!("{rounded}") }
    };
    let part = if low == high { shown(low) } else { format!("{} to {}", shown(low), shown(high)) };
    bin(part, Some((low, high)), &rows.iter().map(|(_, contribution)| *contribution).collect::<Vec<_>>())
}

fn of_levels(codes: &[u32], levels: &[String], contributions: &[f64]) -> Vec<Bin> {
    let mut of: Vec<Vec<f64>> = vec![Vec::new(); levels.len() + 1];
    for (&code, &contribution) in codes.iter().zip(contributions) {
        of[if code == NO_LEVEL { levels.len() } else { code as usize }].push(contribution);
    }
    let missing = of.pop().unwrap_or_default();
    let mut known: Vec<(&String, Vec<f64>)> = levels.iter().zip(of).filter(|(_, rows)| !rows.is_empty()).collect();
    known.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(b.0)));
    let rest: Vec<f64> = known.split_off(known.len().min(LEVELS)).into_iter().flat_map(|(_, rows)| rows).collect();
    let mut bins: Vec<Bin> = known.into_iter().map(|(level, rows)| bin(level.clone(), None, &rows)).collect();
    bins.sort_by(|a, b| b.mean.total_cmp(&a.mean).then_with(|| a.part.cmp(&b.part)));
    for (part, rows) in [("(other levels)", rest), ("(missing)", missing)] {
        if !rows.is_empty() {
            bins.push(bin(part.to_owned(), None, &rows));
        }
    }
    bins
}

fn bin(part: String, range: Option<(f32, f32)>, contributions: &[f64]) -> Bin {
    let n = contributions.len() as f64;
    let mean = contributions.iter().sum::<f64>() / n;
    let variance = contributions.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let half = Z * (variance / n).sqrt();
    Bin { part, range, n: contributions.len() as u64, mean, low: mean - half, high: mean + half }
}
