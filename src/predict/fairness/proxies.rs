//! What else tells a protected attribute: how well each feature alone, and all together, tell its groups apart.
//!
//! - one feature: cut into at most twenty bins of equal count (or its levels), each person gets the group's share in their bin among
//!   the *other* half of the people; the AUC is that of this share, one group against the rest, averaged over the halves. For a
//!   number also R², of the bins' means, in the same way.
//! - all together: boosted trees, learned on one half of the people and judged on the other.
//!
//! 0.5 tells nothing, 1 tells everything. Intervals of the AUC are those of Hanley and `McNeil` (1982).

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::groups::{Groups, MISSING};
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Column, Examples, Table};
use crate::error::Result;
use crate::predict::boosting::PreparedTrees;
use crate::predict::estimator::{Data, Prepared as _, Settings};
use crate::predict::trees::TreeSettings;
use crate::rate::Z;

/// People that are looked at, at most …
const MOST_ROWS: usize = 20_000;
/// … and by all features together.
const MOST_LEARNED: usize = 8_000;
/// Bins of a number.
const BINS: usize = 20;
/// Smaller groups are not told from the rest.
const LEAST: usize = 30;
/// Groups that are learned by all features together, at most: the largest.
const MOST_GROUPS: usize = 4;
/// From this AUC on, a feature is named as a proxy.
const PROXY: f64 = 0.7;
/// Proxies that a sentence names.
const NAMED: usize = 3;
/// Trees that all features together are learned with.
const TREES: TreeSettings = TreeSettings {
    rounds: 60,
    learning_rate: 0.1,
    leaves: 8,
    depth: 5,
    min_child_weight: 4.0,
    l2: 5.0,
    row_share: 0.8,
    feature_share: 0.5,
    bins: 64,
    bags: 1,
    random_cuts: false,
    parallel_trees: 1,
};

/// What tells an attribute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Proxies {
    /// Each feature alone, the strongest first.
    pub features: Vec<Proxy>,
    /// All features together, for each group of some size.
    pub together: Vec<Together>,
}

/// What one feature tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proxy {
    /// The feature.
    pub feature: String,
    /// The group that it tells best from the rest.
    pub group: String,
    /// How well: AUC on people it has not seen.
    pub auc: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Where the attribute is a number: share of its variance that the feature tells, on people it has not seen.
    pub r2: Option<f64>,
}

/// What all features together tell of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Together {
    /// The group, against the rest.
    pub group: String,
    /// How well: AUC on people that were not learned from.
    pub auc: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// What the other features tell of `column`, whose groups are `groups`.
///
/// # Errors
/// When the trees cannot be grown.
pub fn proxies(examples: &Examples, column: &Column, groups: &Groups, seed: u64) -> Result<Proxies> {
    let people = one_row_each(examples);
    let rows = thinned(&people, MOST_ROWS);
    let own = groups.take(&rows);
    let large = large(&own);
    if large.len() < 2 {
        return Ok(Proxies::default());
    }
    let others = || examples.features.columns.iter().filter(|other| other.name != column.name);
    let numbers = match &column.cells {
        Cells::Number(values) => Some(rows.iter().map(|&row| values[row as usize]).collect::<Vec<f32>>()),
        Cells::Category { .. } => None,
    };
    let alone = |feature: &Column| alone(feature, &rows, &own, &large, numbers.as_deref());
    let mut features: Vec<Proxy> = others().collect::<Vec<_>>().into_par_iter().filter_map(alone).collect();
    features.sort_by(|a, b| b.auc.total_cmp(&a.auc).then_with(|| a.feature.cmp(&b.feature)));
    let rows = thinned(&people, MOST_LEARNED);
    let table = Table { columns: others().cloned().collect(), n_rows: examples.features.n_rows }.take(&rows);
    let together = if table.columns.is_empty() { Vec::new() } else { together(&table, &groups.take(&rows), seed)? };
    Ok(Proxies { features, together })
}

impl Proxies {
    pub(super) fn findings(&self, attribute: &str, is_feature: bool) -> Vec<String> {
        let strong: Vec<String> = self
            .features
            .iter()
            .take_while(|proxy| proxy.low >= PROXY)
            .take(NAMED)
            .map(|proxy| format!("{} (AUC {:.2} for {})", super::told(&proxy.feature), proxy.auc, proxy.group))
            .collect();
        let mut findings = Vec::new();
        if is_feature {
            findings.push(format!(
                "The model learns from {attribute} itself; [fairness] with learn_from = false keeps it out."
            ));
        }
        if !strong.is_empty() {
            findings.push(format!("Other features tell {attribute} too: {}.", strong.join(", ")));
        }
        let best = self.together.iter().max_by(|a, b| a.auc.total_cmp(&b.auc)).filter(|best| best.low >= PROXY);
        if let Some(best) = best {
            findings.push(format!(
                "All other features together tell {attribute} {} from the rest with an AUC of {:.2} ({:.2} to {:.2}): leaving {attribute} out would not \
                 keep a model from acting on it.",
                best.group, best.auc, best.low, best.high
            ));
        }
        findings
    }
}

/// The newest row of everyone: those eligible now where there are enough, else one of the others.
fn one_row_each(examples: &Examples) -> Vec<u32> {
    let mut newest: BTreeMap<u32, u32> = BTreeMap::new();
    for (row, &person) in (0..).zip(&examples.person) {
        newest.insert(person, row);
    }
    newest.into_values().collect()
}

fn thinned(rows: &[u32], most: usize) -> Vec<u32> {
    rows.iter().copied().step_by(rows.len().div_ceil(most).max(1)).collect()
}

/// The groups that are large enough to be told, the largest first; who has no value is none of them.
fn large(groups: &Groups) -> Vec<usize> {
    let mut n = vec![0_usize; groups.names.len()];
    for &group in &groups.of {
        n[usize::from(group)] += 1;
    }
    let mut large: Vec<usize> =
        (0..n.len()).filter(|&group| n[group] >= LEAST && groups.names[group] != MISSING).collect();
    large.sort_by_key(|&group| (std::cmp::Reverse(n[group]), group));
    large
}

/// Which half of the people a row belongs to.
fn half(position: usize) -> usize {
    // Neighbours may be alike: pairs are parted, in changing order.
    (position + position / 2) % 2
}

fn alone(feature: &Column, rows: &[u32], groups: &Groups, large: &[usize], numbers: Option<&[f32]>) -> Option<Proxy> {
    let (bins, n_bins) = bins(&feature.cells, rows);
    if n_bins < 2 {
        return None;
    }
    // For each half and bin the people of each group.
    let n_groups = groups.names.len();
    let mut counts = vec![0.0_f64; 2 * n_bins * n_groups];
    for (position, (&bin, &group)) in bins.iter().zip(&groups.of).enumerate() {
        counts[(half(position) * n_bins + bin) * n_groups + usize::from(group)] += 1.0;
    }
    let cell = |half: usize, bin: usize| &counts[(half * n_bins + bin) * n_groups..][..n_groups];
    let of_group = |group: usize| {
        let mut sum = 0.0;
        for (learned, judged) in [(0, 1), (1, 0)] {
            let split = |half: usize, bin: usize| {
                let all: f64 = cell(half, bin).iter().sum();
                (cell(half, bin)[group], all - cell(half, bin)[group])
            };
            let total =
                (0..n_bins).fold((0.0, 0.0), |sum, bin| (sum.0 + split(learned, bin).0, sum.1 + split(learned, bin).1));
            let base = total.0 / (total.0 + total.1).max(1.0);
            let mut scored: Vec<(f64, f64, f64)> = (0..n_bins)
                .map(|bin| {
                    let (own, rest) = split(learned, bin);
                    let (judged_own, judged_rest) = split(judged, bin);
                    ((own + base) / (own + rest + 1.0), judged_own, judged_rest)
                })
                .collect();
            scored.sort_by(|a, b| a.0.total_cmp(&b.0));
            sum += auc_of_counts(&scored)?;
        }
        Some((group, sum / 2.0))
    };
    let (group, auc) = large.iter().filter_map(|&group| of_group(group)).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let n_own = groups.of.iter().filter(|&&of| usize::from(of) == group).count();
    let (low, high) = hanley_mcneil(auc, n_own as f64, (groups.of.len() - n_own) as f64);
    let r2 = numbers.and_then(|numbers| r2(&bins, n_bins, numbers));
    Some(Proxy { feature: feature.name.clone(), group: groups.names[group].clone(), auc, low, high, r2 })
}

/// The bin of each row, and how many there are; a gap is a bin of its own.
fn bins(cells: &Cells, rows: &[u32]) -> (Vec<usize>, usize) {
    match cells {
        Cells::Number(values) => {
            let mut sorted: Vec<f32> =
                rows.iter().map(|&row| values[row as usize]).filter(|value| value.is_finite()).collect();
            sorted.sort_unstable_by(f32::total_cmp);
            let at = |part: usize| sorted.get(part * sorted.len() / BINS).copied();
            let mut edges: Vec<f32> = (1..BINS).filter_map(at).filter(|edge| Some(edge) > sorted.first()).collect();
            edges.dedup();
            let bin = |&row: &u32| match values[row as usize] {
                value if value.is_finite() => edges.partition_point(|edge| *edge <= value),
                _ => edges.len() + 1,
            };
            (rows.iter().map(bin).collect(), edges.len() + 2)
        }
        Cells::Category { codes, levels } => {
            let bin = |&row: &u32| match codes[row as usize] {
                NO_LEVEL => levels.len(),
                code => code as usize,
            };
            (rows.iter().map(bin).collect(), levels.len() + 1)
        }
    }
}

/// The AUC of ascending (score, own, rest); equal scores are one.
fn auc_of_counts(scored: &[(f64, f64, f64)]) -> Option<f64> {
    let (mut pairs, mut below) = (0.0, 0.0);
    for ties in scored.chunk_by(|a, b| a.0 == b.0) {
        let own: f64 = ties.iter().map(|(_, own, _)| own).sum();
        let rest: f64 = ties.iter().map(|(_, _, rest)| rest).sum();
        pairs += own * (below + rest / 2.0);
        below += rest;
    }
    let own: f64 = scored.iter().map(|(_, own, _)| own).sum();
    (own > 0.0 && below > 0.0).then(|| pairs / (own * below))
}

fn hanley_mcneil(auc: f64, n_own: f64, n_rest: f64) -> (f64, f64) {
    let (q1, q2) = (auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc));
    let square = auc * auc;
    let variance =
        (auc * (1.0 - auc) + (n_own - 1.0) * (q1 - square) + (n_rest - 1.0) * (q2 - square)) / (n_own * n_rest);
    let half = Z * variance.max(0.0).sqrt();
    ((auc - half).max(0.0), (auc + half).min(1.0))
}

/// The share of the variance of `numbers` that the bins' means of the other half tell.
fn r2(bins: &[usize], n_bins: usize, numbers: &[f32]) -> Option<f64> {
    let known = || bins.iter().zip(numbers).enumerate().filter(|(_, (_, number))| number.is_finite());
    let mut sums = vec![(0.0_f64, 0.0_f64); 2 * n_bins];
    let mut totals = [(0.0_f64, 0.0_f64); 2];
    for (position, (&bin, &number)) in known() {
        for (n, sum) in [&mut sums[half(position) * n_bins + bin], &mut totals[half(position)]] {
            *n += 1.0;
            *sum += f64::from(number);
        }
    }
    let (mut missed, mut spread) = (0.0, 0.0);
    for (position, (&bin, &number)) in known() {
        let other = 1 - half(position);
        let mean = totals[other].1 / totals[other].0.max(1.0);
        let (n, sum) = sums[other * n_bins + bin];
        missed += (f64::from(number) - (sum + mean) / (n + 1.0)).powi(2);
        spread += (f64::from(number) - mean).powi(2);
    }
    (spread > 0.0).then(|| (1.0 - missed / spread).max(0.0))
}

fn together(table: &Table, groups: &Groups, seed: u64) -> Result<Vec<Together>> {
    let key: Vec<u64> = (0..table.n_rows as u64).collect();
    let halves: [Vec<u32>; 2] =
        [0, 1].map(|wanted| (0..).take(table.n_rows).filter(|&row: &u32| half(row as usize) == wanted).collect());
    let told = |group: usize| -> Result<Option<Together>> {
        let label: Vec<bool> = groups.of.iter().map(|&of| usize::from(of) == group).collect();
        let data = Data { table, label: &label, weight: None, key: &key, seed, out_of_time: false };
        let trees = PreparedTrees::new("boosting", data, &BTreeMap::new(), vec![TREES]);
        let mut sum = 0.0;
        for (learned, judged) in [(0, 1), (1, 0)] {
            let model = trees.fit(&halves[learned], &Settings::Trees(TREES))?;
            let margins = model.margins(table, &halves[judged])?;
            let own = halves[judged].iter().map(|&row| f64::from(u8::from(label[row as usize])));
            let mut scored: Vec<(f64, f64, f64)> =
                margins.into_iter().zip(own).map(|(m, own)| (m, own, 1.0 - own)).collect();
            scored.sort_by(|a, b| a.0.total_cmp(&b.0));
            let Some(auc) = auc_of_counts(&scored) else { return Ok(None) };
            sum += auc / 2.0;
        }
        let n_own = label.iter().filter(|&&own| own).count();
        let (low, high) = hanley_mcneil(sum, n_own as f64, (label.len() - n_own) as f64);
        Ok(Some(Together { group: groups.names[group].clone(), auc: sum, low, high }))
    };
    let large = large(groups);
    // Of two groups, one says it of the other too.
    let wanted = if large.len() == 2 { &large[1..] } else { &large[..large.len().min(MOST_GROUPS)] };
    let found: Result<Vec<Option<Together>>> = wanted.iter().map(|&group| told(group)).collect();
    Ok(found?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs_and_halves_ties() {
        // Own at scores 3, 2, 2; rest at 1, 2: of 6 pairs 4 are right, 2 are ties.
        let auc = auc_of_counts(&[(1.0, 0.0, 1.0), (2.0, 2.0, 1.0), (3.0, 1.0, 0.0)]).unwrap();
        assert!((auc - 5.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn the_interval_is_hanley_and_mcneils() {
        // Hanley and McNeil 1982, table II: area .8929, 58 and 51, standard error .0318 by the exponential approximation of their text.
        let (low, high) = hanley_mcneil(0.8929, 51.0, 58.0);
        let error = (high - low) / (2.0 * Z);
        assert!((0.030..0.034).contains(&error), "{error}");
    }
}
