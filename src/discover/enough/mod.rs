//! Is there enough data to learn a transition from, and what would help?
//!
//! Before any model is trained, `enough.json` says: who could move and who did, in which part; how long the history is against
//! the horizon; how exactly an AUC could be known, and what more outcomes would bring; how what is learned grows with the
//! number of people ([`curve`]); how long the transition takes, and the horizon that follows ([`horizon`]). Each shortfall
//! comes with its fix.
//!
//! The width of the AUC's interval is that of Hanley and `McNeil` (1982) for the classes' sizes, times the variance that people who
//! repeat add (measured: the ratio of the variance summed by person to theirs).

mod curve;
mod horizon;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use self::curve::{Curve, curve};
use self::horizon::Horizon;
use super::signals::{Signal, Z};
use super::table::{Examples, Split};
use crate::map::Stays;
use crate::rate::grouped;
use crate::source::Data;
use crate::spec::{Prediction, Spec};
use crate::time::Time;

/// Outcomes that training should see, from other people each.
const ADVISED_TRAINING: u64 = 200;
/// Outcomes that the test should see.
const ADVISED_TEST: u64 = 100;
/// Cutoffs that part training, validation and test in time with something to spare.
const ADVISED_CUTOFFS: u64 = 6;
/// The history should be so many horizons long.
const ADVISED_HORIZONS: f64 = 4.0;
/// Half widths of an AUC's interval that one may want.
const WIDTHS: [f64; 3] = [0.05, 0.03, 0.02];

/// `enough.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Enough {
    /// Version of this format.
    pub format_version: u32,
    /// The prediction.
    pub prediction: String,
    /// Whether nothing falls short.
    pub is_enough: bool,
    /// What falls short, and what would help.
    pub shortfalls: Vec<Shortfall>,
    /// Training, validation and test.
    pub parts: BTreeMap<String, Part>,
    /// Days from the first event to the end of observation; absent in a snapshot.
    pub history_days: Option<f64>,
    /// Days of the horizon; absent in a snapshot.
    pub horizon_days: Option<f64>,
    /// How exactly the AUC on the test part can be known; absent when a class is missing.
    pub exactness: Option<Exactness>,
    /// What is learned from how many.
    pub learning: Curve,
    /// How long the transition takes; absent in a snapshot, and when nobody made it.
    pub horizon: Option<Horizon>,
}

/// Something that falls short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shortfall {
    /// What: `training outcomes`, `test outcomes`, `cutoffs`, `history`, `exactness`, `signal`.
    pub what: String,
    /// How much there is.
    pub have: f64,
    /// How much is advised.
    pub need: f64,
    /// What to do.
    pub advice: String,
}

/// What a part holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Cutoffs.
    pub cutoffs: u64,
    /// People at cutoffs.
    pub examples: u64,
    /// Different people.
    pub people: u64,
    /// Examples that attained.
    pub outcomes: u64,
    /// Different people who attained.
    pub people_attained: u64,
}

/// How exactly an AUC can be known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exactness {
    /// The AUC that is expected of a model: that of a scorecard of the signals.
    pub auc: f64,
    /// Half the width of its 95 % interval on the test part.
    pub half_width: f64,
    /// How much wider it is because people repeat: a ratio of variances.
    pub repeated: f64,
    /// What narrower intervals need.
    pub wanted: Vec<Wanted>,
}

/// What a narrower interval needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// Half the width.
    pub half_width: f64,
    /// So many outcomes more in the test part, at the same rate.
    pub outcomes_more: u64,
}

/// Looks whether there is enough to learn from.
#[must_use]
pub fn enough(
    examples: &Examples,
    signals: &[Signal],
    data: &Data,
    stays: &Stays,
    spec: &Spec,
    prediction: &Prediction,
) -> Enough {
    let parts = parts(examples);
    let part = |name: &str| parts.get(name).copied().unwrap_or_default();
    let (learning, ranked) = curve(examples, signals);
    let first = data.events.time.iter().min().copied().filter(|_| !examples.snapshot);
    let history_days = first.map(|first| data.end.days_since(Time(first)));
    let horizon_days = prediction.horizon.map(crate::time::Duration::in_days);
    let exactness = ranked.and_then(|(auc, error, of)| exactness(auc, error, of, part("test")));
    let horizon = if examples.snapshot { None } else { horizon::horizon(data, stays, spec, prediction) };
    let found = Found {
        parts: &parts,
        history_days,
        horizon_days,
        exactness: exactness.as_ref(),
        learning: &learning,
        is_snapshot: examples.snapshot,
    };
    let shortfalls = found.shortfalls();
    Enough {
        format_version: 1,
        prediction: prediction.name.clone(),
        is_enough: shortfalls.is_empty(),
        shortfalls,
        parts,
        history_days,
        horizon_days,
        exactness,
        learning,
        horizon,
    }
}

fn parts(examples: &Examples) -> BTreeMap<String, Part> {
    let names = [(Split::Train, "train"), (Split::Validation, "validation"), (Split::Test, "test")];
    let part = |split: Split| {
        let (mut cutoffs, mut people, mut attained) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut part = Part::default();
        for row in (0..examples.len()).filter(|&row| examples.split[row] == split) {
            let Some(label) = examples.outcome[row].label() else { continue };
            cutoffs.insert(examples.cutoff[row]);
            people.insert(examples.person[row]);
            part.examples += 1;
            if label {
                part.outcomes += 1;
                attained.insert(examples.person[row]);
            }
        }
        Part {
            cutoffs: cutoffs.len() as u64,
            people: people.len() as u64,
            people_attained: attained.len() as u64,
            ..part
        }
    };
    names.into_iter().map(|(split, name)| (name.to_owned(), part(split))).collect()
}

/// The variance that Hanley and `McNeil` give an AUC over so many attained and others.
fn hanley_mcneil(auc: f64, n_attained: f64, n_others: f64) -> f64 {
    let (q1, q2) = (auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc));
    let square = auc * auc;
    (auc * (1.0 - auc) + (n_attained - 1.0) * (q1 - square) + (n_others - 1.0) * (q2 - square))
        / (n_attained * n_others)
}

/// `auc` and `error` were measured over `of` attained and others.
fn exactness(auc: f64, error: f64, of: (u64, u64), test: Part) -> Option<Exactness> {
    let (attained, others) = (test.outcomes as f64, (test.examples - test.outcomes) as f64);
    if attained < 1.0 || others < 1.0 {
        return None;
    }
    let auc = auc.clamp(0.5, 0.99);
    let repeated = (error * error / hanley_mcneil(auc, of.0 as f64, of.1 as f64)).clamp(1.0, 50.0);
    let ratio = others / attained;
    let half_width = |attained: f64| Z * (repeated * hanley_mcneil(auc, attained, attained * ratio)).sqrt();
    let wanted = WIDTHS.into_iter().filter(|width| half_width(attained) > *width).map(|width| {
        let mut needed = attained;
        while half_width(needed) > width {
            needed *= 1.01;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let outcomes_more = (needed - attained).ceil() as u64;
        Wanted { half_width: width, outcomes_more }
    });
    Some(Exactness { auc, half_width: half_width(attained), repeated, wanted: wanted.collect() })
}

/// What was found, to be held against what is advised.
struct Found<'a> {
    parts: &'a BTreeMap<String, Part>,
    history_days: Option<f64>,
    horizon_days: Option<f64>,
    exactness: Option<&'a Exactness>,
    learning: &'a Curve,
    is_snapshot: bool,
}

impl Found<'_> {
    fn shortfalls(&self) -> Vec<Shortfall> {
        let found = [self.training(), self.test(), self.cutoffs(), self.history(), self.signal()];
        found.into_iter().flatten().collect()
    }

    fn part(&self, name: &str) -> Part {
        self.parts.get(name).copied().unwrap_or_default()
    }

    fn more(&self) -> &'static str {
        if self.is_snapshot {
            "bring more rows"
        } else {
            "add cutoffs, lengthen the horizon, or bring an older history"
        }
    }

    fn training(&self) -> Option<Shortfall> {
        let have = self.part("train").people_attained;
        (have < ADVISED_TRAINING).then(|| Shortfall {
            what: "training outcomes".into(),
            have: have as f64,
            need: ADVISED_TRAINING as f64,
            advice: format!(
                "{} of the people that training sees made the transition, {ADVISED_TRAINING} are advised: {}",
                grouped(have),
                self.more()
            ),
        })
    }

    fn test(&self) -> Option<Shortfall> {
        let have = self.part("test").outcomes;
        let bring = self.exactness.and_then(|exactness| {
            let wanted = exactness.wanted.iter().find(|wanted| wanted.half_width < exactness.half_width)?;
            Some(format!(
                "; {} more would bring the AUC from ± {:.2} to ± {:.2}",
                grouped(wanted.outcomes_more),
                exactness.half_width,
                wanted.half_width
            ))
        });
        (have < ADVISED_TEST).then(|| Shortfall {
            what: "test outcomes".into(),
            have: have as f64,
            need: ADVISED_TEST as f64,
            advice: format!(
                "{} outcomes are in the test part, {ADVISED_TEST} are advised: {}{}",
                grouped(have),
                self.more(),
                bring.unwrap_or_default()
            ),
        })
    }

    fn cutoffs(&self) -> Option<Shortfall> {
        let have: BTreeSet<u64> = self.parts.values().map(|part| part.cutoffs).collect();
        let total: u64 = self.parts.values().map(|part| part.cutoffs).sum();
        let is_parted = have.len() > 1 || total > have.iter().max().copied().unwrap_or(0);
        let falls_short = !self.is_snapshot && (total < ADVISED_CUTOFFS || !is_parted);
        falls_short.then(|| Shortfall {
            what: "cutoffs".into(),
            have: total as f64,
            need: ADVISED_CUTOFFS as f64,
            advice: "too few cutoffs to judge out of time with something to spare: shorten the horizon or `every`, or bring an older history".into(),
        })
    }

    fn history(&self) -> Option<Shortfall> {
        let (history, horizon) = (self.history_days?, self.horizon_days?);
        let have = history / horizon;
        (have < ADVISED_HORIZONS).then(|| Shortfall {
            what: "history".into(),
            have,
            need: ADVISED_HORIZONS,
            advice: format!(
                "the history of {history:.0} days is {have:.1} horizons long, {ADVISED_HORIZONS:.0} are advised: shorten the horizon to {:.0} days, or bring {:.0} days more",
                (history / ADVISED_HORIZONS).floor(),
                (ADVISED_HORIZONS * horizon - history).ceil()
            ),
        })
    }

    fn signal(&self) -> Option<Shortfall> {
        let n = self.learning.n_features;
        (n == 0).then(|| Shortfall {
            what: "signal".into(),
            have: 0.0,
            need: 1.0,
            advice: "no feature is surely more than chance: bring attributes or events that say more about these people, or more of them".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_error_matches_hanley_and_mcneil_1982() {
        // Their example: 51 abnormal and 58 normal images, area 0.893, standard error 0.032. They took Q1 and Q2 from the
        // ratings; the formula for continuous ratings, used here, gives 0.0325.
        let error = hanley_mcneil(0.893, 51.0, 58.0).sqrt();
        assert!((error - 0.032).abs() < 0.001, "{error}");
    }

    #[test]
    fn more_outcomes_bring_the_width_that_was_wanted() {
        let test = Part { outcomes: 60, examples: 600, ..Part::default() };
        let error = hanley_mcneil(0.75, 60.0, 540.0).sqrt();
        let exactness = exactness(0.75, error, (60, 540), test).unwrap();
        assert!((exactness.repeated - 1.0).abs() < 1e-9);
        assert!((exactness.half_width - Z * error).abs() < 1e-9);
        let wanted = exactness.wanted.iter().find(|wanted| wanted.half_width > 0.04).unwrap();
        let n = 60.0 + wanted.outcomes_more as f64;
        let width = Z * hanley_mcneil(0.75, n, 9.0 * n).sqrt();
        assert!(width <= 0.05 && width > 0.0485, "{width} with {n}");
    }
}
