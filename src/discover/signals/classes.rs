//! What a feature's bins say of the two outcomes: parts of its range that hold one of them only, and whether the rate climbs by
//! degrees from part to part, as that of an honest strong number does, or jumps, as that of a column filled in by the outcome.

use std::ops::Range;

use super::Sample;
use super::bins::by_class;
use super::leak::{Marks, Suspect};
use crate::discover::table::Cells;
use crate::discover::words::{Region, who};
use crate::rate::grouped;

/// Known for so much more of one class than of the other.
const KNOWN_GAP: f64 = 0.9;
/// A probability below e to the minus this is no chance, even for the best of thousands of parts.
const NO_CHANCE: f64 = 20.0;
/// Where so many of the rarer outcome would be expected …
const EXPECTED: f64 = 30.0;
/// … and at most this share of them is there, it hardly ever happens.
const HARDLY: f64 = 0.02;
/// Parts that hold one outcome only must hold this share of all who met it: what leaks, leaks often, and a small part may be pure
/// in truth.
const OFTEN: f64 = 0.25;
/// The rate climbs by degrees where so many bins …
const LEAST_BINS: usize = 5;
/// … take no step larger than this share of the whole way, in log odds.
const LARGEST_STEP: f64 = 0.6;

/// How many of each bin met the rarer outcome, and how many the other.
pub(super) struct Classes {
    rare: Vec<f64>,
    usual: Vec<f64>,
    n_rare: f64,
    n_usual: f64,
    /// Whether the rarer outcome is to attain.
    attaining: bool,
}

impl Classes {
    pub(super) fn of(suspect: &Suspect<'_>, sample: &Sample) -> Self {
        let [others, attained] = by_class(&suspect.binned.bins, &sample.labels, suspect.binned.n_bins);
        let sum = |counts: &[f64]| counts.iter().sum::<f64>();
        let attaining = sum(&attained) <= sum(&others);
        let (rare, usual) = if attaining { (attained, others) } else { (others, attained) };
        Self { n_rare: sum(&rare), n_usual: sum(&usual), rare, usual, attaining }
    }

    fn did(&self) -> &'static str {
        if self.attaining { "attained" } else { "stayed" }
    }

    /// Whether the rate climbs or falls by degrees along a number's range.
    pub(super) fn is_by_degrees(&self, suspect: &Suspect<'_>) -> bool {
        if !matches!(suspect.column.cells, Cells::Number(_)) {
            return false;
        }
        let known = self.rare.iter().zip(&self.usual).skip(1).filter(|(rare, usual)| *rare + *usual > 0.0);
        let log_odds: Vec<f64> = known.map(|(rare, usual)| libm::log((rare + 0.5) / (usual + 0.5))).collect();
        let (low, high) =
            log_odds.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &at| (low.min(at), high.max(at)));
        let largest = log_odds.windows(2).map(|step| (step[1] - step[0]).abs()).fold(0.0, f64::max);
        log_odds.len() >= LEAST_BINS && largest <= LARGEST_STEP * (high - low)
    }

    /// Known for one class alone.
    pub(super) fn known(&self, marks: &mut Marks) {
        let known = |counts: &[f64], n: f64| 1.0 - counts[0] / n.max(1.0);
        let (rare, usual) = (known(&self.rare, self.n_rare), known(&self.usual, self.n_usual));
        if (rare - usual).abs() >= KNOWN_GAP {
            let why = format!(
                "known for {:.0} % of those who {} and {:.0} % of the others",
                100.0 * rare,
                self.did(),
                100.0 * usual
            );
            marks.add(2, why);
        }
    }

    /// A part of the range that holds the rarer outcome only.
    pub(super) fn only_with(&self, suspect: &Suspect<'_>, marks: &mut Marks) {
        let base = self.n_rare / (self.n_rare + self.n_usual);
        let parts = suspect.bins.regions().into_iter().map(|(region, range)| {
            let [rare, usual] = [&self.rare, &self.usual].map(|counts| in_bins(counts, &range));
            (rare, usual, region)
        });
        let is_pure = |(rare, usual, _): &(f64, f64, Region)| {
            rare * -libm::log(base) >= NO_CHANCE && *usual <= 0.01 * (rare + usual)
        };
        let pure: Vec<(f64, f64, Region)> = parts.filter(is_pure).collect();
        let largest = pure.iter().copied().reduce(|best, next| if next.0 > best.0 { next } else { best });
        let Some((rare, usual, region)) = largest else { return };
        // Levels lie side by side, parts of a number's range within each other.
        let levels = pure.iter().filter(|(.., region)| matches!(region, Region::Level(_)));
        let held = rare.max(levels.map(|(rare, ..)| rare).sum());
        let points = if usual == 0.0 && held >= OFTEN * self.n_rare { 3 } else { 2 };
        let why = format!("{} of {} {} {}", count(rare), count(rare + usual), who_of(suspect, region), self.did());
        if matches!(region, Region::Missing | Region::Known) {
            marks.add(points, why);
        } else {
            marks.add_of_strength(points, why);
        }
    }

    /// A part of the range in which the rarer outcome hardly ever happens.
    pub(super) fn hardly_ever(&self, suspect: &Suspect<'_>, marks: &mut Marks) {
        let base = self.n_rare / (self.n_rare + self.n_usual);
        let mut best: Option<(f64, f64, Region)> = None;
        for (region, range) in suspect.bins.regions() {
            let (rare, usual) = (in_bins(&self.rare, &range), in_bins(&self.usual, &range));
            let expected = base * (rare + usual);
            let is_empty =
                expected >= EXPECTED && rare <= HARDLY * expected && (rare + usual) < self.n_rare + self.n_usual;
            if is_empty && best.is_none_or(|(most, ..)| expected > most) {
                best = Some((expected, rare, region));
            }
        }
        let Some((expected, rare, region)) = best else { return };
        let who = who_of(suspect, region);
        let why = format!("of {who}, {} {} where {} were to be expected", count(rare), self.did(), count(expected));
        if region == Region::Missing {
            marks.add(2, why);
        } else {
            marks.add_of_strength(1, why);
        }
    }
}

fn in_bins(counts: &[f64], range: &Range<usize>) -> f64 {
    counts[range.clone()].iter().sum()
}

fn who_of(suspect: &Suspect<'_>, region: Region) -> String {
    who(&suspect.column.name, &suspect.column.cells, region, suspect.is_date)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
pub(super) fn count(n: f64) -> String {
    grouped(n.round() as u64)
}
