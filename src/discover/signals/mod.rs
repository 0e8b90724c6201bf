//! What each feature alone says about the outcome, as of the cutoffs that training knows.
//!
//! - `auc`: area under the ROC curve of the feature's value (0.5: nothing; below 0.5: larger values go with staying), with an
//!   interval and a p-value that count people, not examples ([`rank`]). A category is ranked by the smoothed rates of its
//!   levels, each person by the rates of the other half of the people, so that rare levels do not rank themselves.
//! - `q_value`: the share of false discoveries if all features at least as clear were called signals (Benjamini and Hochberg
//!   1995): of 300 features that say nothing, 15 have p < 0.05.
//! - `information_value`: Σ (share of attained − share of others) · ln(ratio of the shares) over ten bins of equal count, or
//!   the levels, missing a bin of its own (Siddiqi 2006). Below 0.02 is nothing, above 0.5 deserves suspicion.
//! - `stability`: population stability index of the same bins, training against test cutoffs; above 0.25 has moved.
//!   `stability_worst` is the largest index of any one cutoff.
//! - the part of its range in which people attain most often, chosen on training and measured on what came later
//!   ([`contrast`]), and that in a sentence.
//! - `representative`: the strongest of the features that say the same ([`groups`]).
//! - `leak`: why it looks as if it knew the outcome ([`leak`]).
//!
//! Measured on the training part (a sample by place when it is large), but for the figures of the best part and the bins.

mod bins;
mod classes;
mod contrast;
mod files;
mod groups;
mod leak;
mod rank;
pub(super) mod scorecard;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rayon::prelude::*;

use self::bins::{Bins, by_class, divergence, ranking};
use self::leak::Suspect;
use self::rank::{Ranked, false_discovery, ranked, tail};
use self::scorecard::Binned;
use super::attributes::AttributeValues;
use super::catalogue::{Feature, Recipe};
use super::table::{Cells, Column, Examples, Split};
use super::words::{Region, who};
use crate::rate::{Rate, grouped};

pub use self::contrast::Contrast;
pub use self::files::write_signals;
pub use self::leak::{Grade, Leak};
pub(super) use self::rank::Z;

/// More rows than this say no more of one feature.
const MOST_ROWS: usize = 50_000;
/// A cutoff with fewer sampled examples has no stability index of its own.
const LEAST_OF_CUTOFF: usize = 500;
/// A signal is one that would be false less often than this.
const FALSE_SHARE: f64 = 0.05;
/// Levels beyond this many have no row in the table of bins.
const MOST_BINS: usize = 30;

/// What one feature says.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The feature.
    pub feature: String,
    /// See the module's documentation; absent with one class or no value.
    pub auc: Option<f64>,
    /// The 95 % interval of the AUC.
    pub auc_interval: Option<(f64, f64)>,
    /// How likely so clear an AUC is if the feature says nothing.
    pub p_value: Option<f64>,
    /// The share of false discoveries among those at least as clear.
    pub q_value: Option<f64>,
    /// See the module's documentation; absent with one class or no value.
    pub information_value: Option<f64>,
    /// See the module's documentation; absent without a test part.
    pub stability: Option<f64>,
    /// The largest stability index of a cutoff; absent in a snapshot.
    pub stability_worst: Option<f64>,
    /// Share of missing values, 0–1.
    pub missing: f64,
    /// The strongest feature that says the same; often itself.
    pub representative: String,
    /// Where people attain most often.
    pub best: Option<Best>,
    /// Every bin, measured on what came after training.
    pub bins: Vec<(String, Rate)>,
    /// Why the feature looks as if it knew the outcome.
    pub leak: Option<Leak>,
}

/// The part of a feature's range in which people attain most often.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// In figures: `≥ 3`.
    pub range: String,
    /// In words: `people with 3 or more visits in the last 30 days`.
    pub who: String,
    /// Against the rest, measured on what came after training.
    pub contrast: Contrast,
    /// All of it for a person to read.
    pub sentence: String,
}

impl Signal {
    /// Whether the feature is one of the signals to speak of: surely no chance, no leak, not said by another, and its best part
    /// held when it was measured again.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.leak.is_none()
            && self.representative == self.feature
            && self.q_value.is_some_and(|q| q < FALSE_SHARE)
            && self.best.as_ref().is_some_and(|best| best.contrast.holds())
    }

    fn strength(&self) -> f64 {
        self.auc.map_or(0.0, |auc| (auc - 0.5).abs())
    }
}

/// For each feature, in their order, the first that says the same ([`groups`]), as a position among them: what was known when the
/// model learned.
#[must_use]
pub fn same(examples: &Examples) -> Vec<u32> {
    let sample = Sample::of(examples, &[Split::Train, Split::Validation]);
    let columns: Vec<&Column> = examples.features.columns.iter().collect();
    let position = |feature: usize| u32::try_from(feature).expect("features are counted in 32 bits");
    groups::representatives(&columns, &sample).into_iter().map(position).collect()
}

/// Some labelled examples.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    /// Rows of the examples.
    pub(super) rows: Vec<usize>,
    /// Who attained.
    pub(super) labels: Vec<bool>,
    /// Who they are about, numbered from 0 in the order of their ids.
    pub(super) person: Vec<u32>,
    pub(super) n_people: usize,
}

impl Sample {
    /// The labelled rows of some parts; every k-th when there are very many (rows stand by cutoff, then person).
    pub(super) fn of(examples: &Examples, parts: &[Split]) -> Self {
        let is_wanted = |&row: &usize| parts.contains(&examples.split[row]) && examples.outcome[row].label().is_some();
        let all: Vec<usize> = (0..examples.len()).filter(is_wanted).collect();
        let step = all.len().div_ceil(MOST_ROWS).max(1);
        Self::at(examples, all.into_iter().step_by(step).collect())
    }

    fn at(examples: &Examples, rows: Vec<usize>) -> Self {
        let labels = rows.iter().map(|&row| examples.outcome[row].label() == Some(true)).collect();
        let mut people: Vec<u32> = rows.iter().map(|&row| examples.person[row]).collect();
        people.sort_unstable();
        people.dedup();
        let number = |&row: &usize| {
            let place = people.binary_search(&examples.person[row]).expect("everyone was listed");
            u32::try_from(place).expect("people are counted in 32 bits")
        };
        Self { labels, person: rows.iter().map(number).collect(), n_people: people.len(), rows }
    }

    pub(super) fn base_rate(&self) -> f64 {
        self.rate().share().unwrap_or(0.0)
    }

    pub(super) fn rate(&self) -> Rate {
        Rate::new(self.labels.iter().filter(|label| **label).count(), self.labels.len())
    }
}

/// The signals of all features, the strongest first.
#[must_use]
pub fn signals(examples: &Examples, recipe: &Recipe) -> Vec<Signal> {
    let samples = Samples {
        train: Sample::of(examples, &[Split::Train]),
        later: Sample::of(examples, &[Split::Validation, Split::Test]),
        examples,
        goal: recipe.to.iter().map(|&stage| recipe.stages[stage].name.clone()).collect::<Vec<_>>().join(" or "),
    };
    let columns = &examples.features.columns;
    let dates: Vec<String> = recipe.features.iter().filter(|feature| is_date(feature)).map(Feature::name).collect();
    let mut looked: Vec<Looked> =
        columns.par_iter().map(|column| samples.look(column, dates.contains(&column.name))).collect();
    looked.sort_by(|a, b| {
        b.signal.strength().total_cmp(&a.signal.strength()).then_with(|| a.signal.feature.cmp(&b.signal.feature))
    });
    let by_strength: Vec<&Column> = looked.iter().map(|looked| looked.column).collect();
    let representatives = groups::representatives(&by_strength, &samples.train);
    let tested: Vec<usize> = (0..looked.len()).filter(|&place| looked[place].signal.p_value.is_some()).collect();
    let p: Vec<f64> = tested.iter().filter_map(|&place| looked[place].signal.p_value).collect();
    for (&place, q) in tested.iter().zip(false_discovery(&p)) {
        looked[place].signal.q_value = Some(q);
    }
    let suspects: Vec<Suspect<'_>> = looked.iter().zip(&representatives).map(|(it, &of)| it.suspect(of)).collect();
    let leaks = leak::leaks(&suspects, &samples.train, recipe);
    drop(suspects);
    let names: Vec<String> = looked.iter().map(|looked| looked.signal.feature.clone()).collect();
    let finished = looked.into_iter().zip(representatives).zip(leaks);
    finished.map(|((looked, of), leak)| Signal { representative: names[of].clone(), leak, ..looked.signal }).collect()
}

fn is_date(feature: &Feature) -> bool {
    matches!(feature, Feature::Attribute(attribute) if attribute.values == AttributeValues::Date)
}

struct Samples<'a> {
    train: Sample,
    /// What came after training: validation and test.
    later: Sample,
    examples: &'a Examples,
    /// The stages that count as attained.
    goal: String,
}

/// A feature that was looked at, and what the checks between features need of it.
struct Looked<'a> {
    column: &'a Column,
    signal: Signal,
    ranked: Option<Ranked>,
    bins: Bins,
    binned: Binned,
    is_date: bool,
}

impl Looked<'_> {
    fn suspect(&self, representative: usize) -> Suspect<'_> {
        let Self { column, ranked, bins, binned, is_date, signal } = self;
        Suspect { column, ranked: *ranked, bins, binned, is_date: *is_date, q_value: signal.q_value, representative }
    }
}

impl Samples<'_> {
    fn look<'a>(&self, column: &'a Column, is_date: bool) -> Looked<'a> {
        let (train, cells) = (&self.train, &column.cells);
        let bins = Bins::of(cells, train);
        let binned = Binned { bins: bins.each(cells, &train.rows), n_bins: bins.n };
        let counts = by_class(&binned.bins, &train.labels, bins.n);
        let ranked = ranked(&ranking(cells, train), &train.labels, &train.person);
        let n_missing = counts[0][0] + counts[1][0];
        let both = counts.iter().all(|counts| counts.iter().sum::<f64>() > 0.0);
        let best = contrast::best(&bins, &counts).and_then(|region| self.best(column, region, is_date));
        let (stability, stability_worst) = self.stability(cells, &bins, &counts);
        let signal = Signal {
            feature: column.name.clone(),
            auc: ranked.map(|ranked| ranked.auc),
            auc_interval: ranked.map(Ranked::interval),
            p_value: ranked.map(|ranked| p_value(ranked, cells)),
            q_value: None,
            information_value: both.then(|| divergence(&counts[1], &counts[0])),
            stability,
            stability_worst,
            missing: n_missing / (train.rows.len() as f64).max(1.0),
            representative: column.name.clone(),
            best,
            bins: self.bins(cells, &bins),
            leak: None,
        };
        Looked { column, signal, ranked, bins, binned, is_date }
    }

    fn best(&self, column: &Column, region: Region, is_date: bool) -> Option<Best> {
        let contrast = contrast::measure(&column.cells, region, &self.later)?;
        let who = who(&column.name, &column.cells, region, is_date);
        let sentence = sentence(&who, &self.goal, &contrast);
        Some(Best { range: region.shown(&column.cells), who, contrast, sentence })
    }

    /// How far the bins moved from training to the test, and to the cutoff that is farthest off.
    fn stability(&self, cells: &Cells, bins: &Bins, counts: &[Vec<f64>; 2]) -> (Option<f64>, Option<f64>) {
        let before: Vec<f64> = counts[0].iter().zip(&counts[1]).map(|(a, b)| a + b).collect();
        let mut test = vec![0.0; bins.n];
        let mut by_cutoff: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        let examples = self.examples;
        for &row in self.train.rows.iter().chain(&self.later.rows) {
            let bin = bins.bin(cells, row);
            if examples.split[row] == Split::Test {
                test[bin] += 1.0;
            }
            by_cutoff.entry(examples.cutoff[row]).or_insert_with(|| vec![0.0; bins.n])[bin] += 1.0;
        }
        let total = |counts: &[f64]| counts.iter().sum::<f64>();
        let of_test = (total(&test) > 0.0).then(|| divergence(&test, &before));
        let many = by_cutoff.values().filter(|counts| total(counts) >= LEAST_OF_CUTOFF as f64);
        let worst = many.map(|counts| divergence(counts, &before)).max_by(f64::total_cmp);
        (of_test, worst.filter(|_| by_cutoff.len() > 1))
    }

    fn bins(&self, cells: &Cells, bins: &Bins) -> Vec<(String, Rate)> {
        let mut counts = vec![(0, 0); bins.n];
        for (&row, &label) in self.later.rows.iter().zip(&self.later.labels) {
            let (attained, all) = &mut counts[bins.bin(cells, row)];
            *attained += usize::from(label);
            *all += 1;
        }
        let regions = bins.alone().into_iter().zip(counts);
        let named = regions.map(|(region, (attained, all))| (region.shown(cells), Rate::new(attained, all)));
        named.filter(|(_, rate)| rate.n_eligible > 0).take(MOST_BINS).collect()
    }
}

/// Numbers may go with the outcome or against it; the levels of a category are ranked by it.
fn p_value(ranked: Ranked, cells: &Cells) -> f64 {
    match cells {
        Cells::Number(_) => (2.0 * tail(ranked.z.abs())).min(1.0),
        Cells::Category { .. } => tail(ranked.z),
    }
}

/// "People with 3 or more visits in the last 30 days move to customer 2.4× as often: 8.1 % of 1,204 against 3.4 %."
fn sentence(who: &str, goal: &str, contrast: &Contrast) -> String {
    let percent = |rate: Rate| format!("{:.1} %", 100.0 * rate.share().unwrap_or(0.0));
    let (inside, outside) = (contrast.inside, contrast.outside);
    let who = capital(who);
    let figures = format!("{} of {} against {}", percent(inside), grouped(inside.n_eligible), percent(outside));
    match contrast.lift {
        Some((lift, ..)) if lift >= 1.05 => format!("{who} move to {goal} {lift:.1}× as often: {figures}."),
        _ => format!("{who} moved to {goal} more often in training, and no more often since: {figures}."),
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
