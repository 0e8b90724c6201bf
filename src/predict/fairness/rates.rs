//! How often each group is selected, rightly and wrongly, at each audience size.
//!
//! An audience of size `s` are the best `s` of the test examples by propensity, cutoff by cutoff (ties by place). With `S` selected
//! and `A` attained, of group `g`:
//!
//! ```text
//! selection rate   P(S | g)          true positive rate    P(S | A, g)
//! selection ratio  P(S | g) / max    false positive rate   P(S | not A, g)
//!                                    precision             P(A | S, g)
//! ```
//!
//! (Hardt, Price and Srebro 2016; the ratio is that of the four-fifths rule, 29 CFR 1607.4.) Intervals are Wilson's, those of ratios
//! Katz's (1978) in logs. Where a person stands in several examples, counts enter the intervals as if each person counted once.

use serde::{Deserialize, Serialize};

use super::groups::Groups;
use crate::discover::Examples;
use crate::predict::Tested;
use crate::rate::{Rate, Z, wilson};

/// The sizes of audiences, as shares of the test.
pub const SIZES: [f64; 6] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
/// A group of fewer examples is shown, but nobody is compared with it.
const LEAST: u64 = 30;
/// A selection ratio below is a sign of adverse impact.
const FOUR_FIFTHS: f64 = 0.8;
/// The audience size that findings are told of.
const TOLD_SIZE: f64 = 0.1;

/// A share with its counts and interval; over nobody it is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// How many of how many.
    #[serde(flatten)]
    pub rate: Rate,
    /// The share, 0–1.
    pub share: Option<f64>,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
}

/// A ratio with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The ratio.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// One group on the test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub group: String,
    /// Who attained among its examples: what its propensities should be on average.
    pub observed: Share,
    /// The mean of its propensities.
    pub mean_propensity: Option<f64>,
    /// At each audience size.
    pub sizes: Vec<AtSize>,
}

/// One group in an audience of one size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtSize {
    /// The audience's share of the test, 0–1.
    pub size: f64,
    /// Selected, of the group.
    pub selection_rate: Share,
    /// Its selection rate over that of the group that is selected most often; none where nobody is.
    pub selection_ratio: Option<Ratio>,
    /// Selected, of those who attained.
    pub true_positive_rate: Share,
    /// Selected, of those who did not attain.
    pub false_positive_rate: Share,
    /// Attained, of the selected.
    pub precision: Share,
}

impl Share {
    /// `n_attained` of `n_eligible`, whose interval is that of `independence` times as many.
    pub(super) fn new(n_attained: u64, n_eligible: u64, independence: f64) -> Self {
        let rate = Rate { n_attained, n_eligible };
        let interval = rate.share().map(|share| wilson(share, independence * n_eligible as f64));
        Self { rate, share: rate.share(), low: interval.map(|(low, _)| low), high: interval.map(|(_, high)| high) }
    }
}

impl Ratio {
    /// `one` over `other`; none where the other is nothing.
    pub(super) fn new(one: Share, other: Share, independence: f64) -> Option<Self> {
        let (share, whole) = (one.share?, other.share.filter(|share| *share > 0.0)?);
        if share == 0.0 {
            return Some(Self { value: 0.0, low: 0.0, high: one.high? / whole });
        }
        let variance = |share: f64, n: u64| (1.0 - share) / (share * independence * n as f64);
        let error = (variance(share, one.rate.n_eligible) + variance(whole, other.rate.n_eligible)).sqrt();
        let value = share / whole;
        Some(Self { value, low: value * libm::exp(-Z * error), high: value * libm::exp(Z * error) })
    }
}

/// What is counted of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    n: u64,
    attained: u64,
    propensity: f64,
    /// Selected at each size, and attained among them.
    selected: [u64; SIZES.len()],
    selected_attained: [u64; SIZES.len()],
}

/// The groups of the judged examples (`groups` holds one for each).
#[must_use]
pub fn of_groups(groups: &Groups, examples: &Examples, judged: &Tested) -> Vec<Group> {
    let mut counts = vec![Counts::default(); groups.names.len()];
    for (position, &row) in judged.rows.iter().enumerate() {
        let counts = &mut counts[usize::from(groups.of[position])];
        counts.n += 1;
        counts.attained += u64::from(examples.outcome[row as usize].label() == Some(true));
        counts.propensity += judged.propensity[position];
    }
    for (position, sizes) in smallest_sizes(examples, judged).into_iter().enumerate() {
        let attained = examples.outcome[judged.rows[position] as usize].label() == Some(true);
        let counts = &mut counts[usize::from(groups.of[position])];
        for size in sizes..SIZES.len() {
            counts.selected[size] += 1;
            counts.selected_attained[size] += u64::from(attained);
        }
    }
    let independence = independence(examples, judged);
    let share = |n_attained, n_eligible| Share::new(n_attained, n_eligible, independence);
    let best: [Option<Share>; SIZES.len()] = std::array::from_fn(|size| {
        let of = |counts: &Counts| share(counts.selected[size], counts.n);
        counts
            .iter()
            .filter(|counts| counts.n >= LEAST)
            .map(of)
            .reduce(|best, next| if next.share > best.share { next } else { best })
    });
    let at = |counts: &Counts, size: usize| {
        let (selected, rightly) = (counts.selected[size], counts.selected_attained[size]);
        let selection_rate = share(selected, counts.n);
        AtSize {
            size: SIZES[size],
            selection_rate,
            selection_ratio: best[size].and_then(|best| Ratio::new(selection_rate, best, independence)),
            true_positive_rate: share(rightly, counts.attained),
            false_positive_rate: share(selected - rightly, counts.n - counts.attained),
            precision: share(rightly, selected),
        }
    };
    let named = groups.names.iter().zip(&counts).filter(|(_, counts)| counts.n > 0);
    named
        .map(|(name, counts)| Group {
            group: name.clone(),
            observed: share(counts.attained, counts.n),
            mean_propensity: Some(counts.propensity / counts.n as f64),
            sizes: (0..SIZES.len()).map(|size| at(counts, size)).collect(),
        })
        .collect()
}

/// For each judged example the first of [`SIZES`] whose audience holds it; `SIZES.len()`: none does.
fn smallest_sizes(examples: &Examples, judged: &Tested) -> Vec<usize> {
    let mut order: Vec<usize> = (0..judged.rows.len()).collect();
    let cutoff = |position: usize| examples.cutoff[judged.rows[position] as usize];
    order.sort_by(|&a, &b| {
        let by_propensity = judged.propensity[b].total_cmp(&judged.propensity[a]);
        cutoff(a).cmp(&cutoff(b)).then(by_propensity).then(a.cmp(&b))
    });
    let mut smallest = vec![SIZES.len(); order.len()];
    for at_cutoff in order.chunk_by(|&a, &b| cutoff(a) == cutoff(b)) {
        let n = at_cutoff.len() as f64;
        for (rank, &position) in at_cutoff.iter().enumerate() {
            let holds = |size: &f64| (rank as f64) < (size * n).round().max(1.0);
            smallest[position] = SIZES.iter().position(holds).unwrap_or(SIZES.len());
        }
    }
    smallest
}

/// People for each example.
fn independence(examples: &Examples, judged: &Tested) -> f64 {
    let mut people: Vec<u32> = judged.rows.iter().map(|&row| examples.person[row as usize]).collect();
    people.sort_unstable();
    people.dedup();
    people.len() as f64 / judged.rows.len().max(1) as f64
}

/// A line of `fairness.parquet`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub(super) size: Option<f64>,
    pub(super) metric: &'static str,
    pub(super) value: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) n_attained: u64,
    pub(super) n_eligible: u64,
}

impl Group {
    /// Every metric with its counts, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let line = |size, metric, share: Share| Line {
            size,
            metric,
            value: share.share,
            low: share.low,
            high: share.high,
            n_attained: share.rate.n_attained,
            n_eligible: share.rate.n_eligible,
        };
        let mut lines = vec![
            line(None, "observed_rate", self.observed),
            Line { low: None, high: None, value: self.mean_propensity, ..line(None, "mean_propensity", self.observed) },
        ];
        for at in &self.sizes {
            let size = Some(at.size);
            let ratio = at.selection_ratio;
            lines.push(line(size, "selection_rate", at.selection_rate));
            lines.push(Line {
                value: ratio.map(|ratio| ratio.value),
                low: ratio.map(|ratio| ratio.low),
                high: ratio.map(|ratio| ratio.high),
                ..line(size, "selection_ratio", at.selection_rate)
            });
            lines.push(line(size, "true_positive_rate", at.true_positive_rate));
            lines.push(line(size, "false_positive_rate", at.false_positive_rate));
            lines.push(line(size, "precision", at.precision));
        }
        lines
    }

    fn at(&self, size: f64) -> Option<&AtSize> {
        self.sizes.iter().find(|at| (at.size - size).abs() < 1e-12)
    }
}

/// What stands out of the noise between groups, each in a sentence.
#[must_use]
pub fn findings(attribute: &str, groups: &[Group]) -> Vec<String> {
    let large: Vec<&Group> = groups.iter().filter(|group| group.observed.rate.n_eligible >= LEAST).collect();
    let mut findings = Vec::new();
    let name = |group: &Group| format!("{attribute} {}", group.group);
    let tenth = |group: &&Group| group.at(TOLD_SIZE).copied();
    let most_selected = large.iter().filter_map(|group| Some((group, tenth(group)?.selection_rate.share?)));
    let most_selected = most_selected.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(group, _)| *group);
    let most_reached = large.iter().filter_map(|group| Some((group, tenth(group)?.true_positive_rate)));
    let most_reached = most_reached.filter(|(_, rate)| rate.rate.n_eligible >= LEAST && rate.share.is_some());
    let most_reached = most_reached.max_by(|a, b| a.1.share.unwrap_or(0.0).total_cmp(&b.1.share.unwrap_or(0.0)));
    for group in &large {
        let Some(at) = group.at(TOLD_SIZE) else { continue };
        if let (Some(ratio), Some(best)) = (at.selection_ratio, most_selected)
            && ratio.high < FOUR_FIFTHS
        {
            findings.push(format!(
                "An audience of the best tenth takes {:.2} times as many of {} as of {} ({:.2} to {:.2}; {} against {}): less than the four fifths below which a \
                 difference is looked at.",
                ratio.value, name(group), name(best), ratio.low, ratio.high,
                at.selection_rate.rate, best.at(TOLD_SIZE).map_or(at.selection_rate, |at| at.selection_rate).rate,
            ));
        }
    }
    for group in &large {
        let Some(at) = group.at(TOLD_SIZE) else { continue };
        if let Some((best, reached)) = most_reached
            && at.true_positive_rate.rate.n_eligible >= LEAST
            && at.true_positive_rate.high < reached.low
        {
            findings.push(format!(
                "Of those who do move, the best tenth reaches {} of {} and {} of {}.",
                at.true_positive_rate.rate,
                name(group),
                reached.rate,
                name(best),
            ));
        }
    }
    for group in &large {
        let (Some(mean), Some(low), Some(high)) = (group.mean_propensity, group.observed.low, group.observed.high)
        else {
            continue;
        };
        if mean < low || mean > high {
            let side = if mean < low { "below" } else { "above" };
            findings.push(format!(
                "The propensities of {} are {side} what came true: {:.1} % on average, {} moved.",
                name(group),
                100.0 * mean,
                group.observed.rate,
            ));
        }
    }
    findings
}
