//! Whether a version may take the place of the one in use: judged on the newest examples whose outcome is known.
//!
//! A version was fitted to every outcome that was known when it was made: what it says of those now proves nothing. It has an
//! **honest** score of an example where
//!
//! - the example is newer than all that the version has seen: its cutoff lies the horizon or more after the version's last one, so
//!   that no outcome the version learned from lies in the example's window. The version scores it itself;
//! - the example was in the test part when the version was made: what the fit that was judged there said of it stands in
//!   `judged.parquet`. That fit is the version's way, with fewer examples than the version has.
//!
//! Compared are examples of which both have an honest score, from the newest cutoff backwards until there are [`ENOUGH`], by
//! a paired bootstrap over people. The version is refused when its log loss is higher or its AUC lower beyond the 95 % interval,
//! and when there is nothing to judge it on.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::discover::{self, Examples};
use crate::error::{Error, Kind, Result};
use crate::predict::Bundle;
use crate::predict::compare::{Compared, compare};
use crate::predict::judged::{Judged, person_hash};
use crate::predict::metrics::Resampling;
use crate::rate::grouped;
use crate::store::{self, Layout, models};
use crate::time::{Duration, Time};

/// Examples, and examples of the rarer outcome, from which on older ones are not looked at.
const ENOUGH: [usize; 2] = [1_000, 100];
/// Examples of the rarer outcome, at least.
const FEWEST: usize = 10;
/// Resamples of the bootstrap; of many examples, fewer.
const RESAMPLES: [u64; 2] = [1_000, 200];
/// From so many examples on.
const MANY: usize = 50_000;

/// What two versions are worth on the same examples.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// Examples of which both have an honest score, and are looked at.
    pub n: usize,
    /// Those who attained among them.
    pub n_attained: usize,
    /// The first and the last cutoff, absent in a snapshot.
    pub cutoffs: Option<[String; 2]>,
    /// How many of the examples each version scored itself: of the others, the fit that was judged.
    pub n_scored_itself: [usize; 2],
    /// Metrics of both, and their difference.
    pub metrics: BTreeMap<&'static str, Option<Compared>>,
}

/// What the gate says.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// Whether the version may be put in use.
    pub passed: bool,
    /// Why, in a sentence.
    pub because: String,
    /// What it rests on, where there was any.
    pub evidence: Option<Evidence>,
}

impl Verdict {
    /// The refusal as an error of the quality gate.
    #[must_use]
    pub fn refusal(&self, prediction: &str, version: &str) -> Error {
        Error::new(Kind::Quality, format!("{version} of `{prediction}` is not put in use: {}", self.because))
            .hint("clo models diff shows both on the same examples")
            .hint("--force puts it in use all the same, and is written down with --reason")
    }
}

/// Judges whether `to` may take the place of `from`.
///
/// # Errors
/// When a version or the examples are damaged, or a version does not fit them.
pub fn gate(layout: &Layout, prediction: &str, from: &str, to: &str) -> Result<Verdict> {
    let Some(evidence) = evidence(layout, prediction, [from, to])? else {
        let because = format!(
            "there is no example whose outcome is known of which both it and {from} have an honest score; they were learned from all there is"
        );
        return Ok(Verdict { passed: false, because, evidence: None });
    };
    let (passed, because) = weigh(&evidence, from);
    Ok(Verdict { passed, because, evidence: Some(evidence) })
}

fn weigh(evidence: &Evidence, from: &str) -> (bool, String) {
    let (n, attained) = (evidence.n, evidence.n_attained);
    let counts = format!("{} of the newest examples, {} attained", grouped(n as u64), grouped(attained as u64));
    if attained.min(n - attained) < FEWEST {
        return (false, format!("{counts}: too few to judge it on"));
    }
    let of = |name: &str| evidence.metrics.get(name).copied().flatten();
    let (Some(loss), Some(auc)) = (of("log_loss"), of("roc_auc")) else {
        return (false, format!("{counts}: they cannot tell"));
    };
    let figures = format!(
        "log loss {:.4} against {:.4} (difference {:+.4}, 95 % interval {:+.4} to {:+.4}), AUC {:.4} against {:.4} ({:+.4}, {:+.4} to {:+.4})",
        loss.to,
        loss.from,
        loss.difference.value,
        loss.difference.low,
        loss.difference.high,
        auc.to,
        auc.from,
        auc.difference.value,
        auc.difference.low,
        auc.difference.high,
    );
    let worse = match (loss.difference.low > 0.0, auc.difference.high < 0.0) {
        (true, true) => "log loss and AUC are worse",
        (true, false) => "log loss is worse",
        (false, true) => "AUC is worse",
        (false, false) => return (true, format!("not worse than {from} beyond noise on {counts}: {figures}")),
    };
    (false, format!("{worse} than {from}'s beyond noise on {counts}: {figures}"))
}

/// Outcome and propensity of each example, by person and cutoff.
type Scores = BTreeMap<(u64, i64), (bool, f64)>;

/// What two versions are worth on the newest examples of which both have an honest score.
///
/// # Errors
/// As [`gate`].
pub fn evidence(layout: &Layout, prediction: &str, versions: [&str; 2]) -> Result<Option<Evidence>> {
    let folder = layout.discover(prediction);
    let examples =
        if folder.join("examples.parquet").is_file() { Some(discover::read_examples(&folder)?.0) } else { None };
    let [from, to] = versions.map(|version| Side::read(layout, prediction, version, examples.as_ref()));
    let (from, to) = (from?, to?);
    let mut paired: Vec<Paired> = from.scores.iter().filter_map(|(key, one)| to.with(*key, *one, &from)).collect();
    paired.sort_by_key(|example| (std::cmp::Reverse(example.key.1), example.key.0));
    newest(&mut paired);
    Ok((!paired.is_empty()).then(|| told(&paired)))
}

/// A version's honest scores, and from which cutoff on they are its own.
struct Side {
    scores: Scores,
    itself_from: i64,
}

/// An example of which both versions have an honest score.
struct Paired {
    key: (u64, i64),
    label: bool,
    scores: [f64; 2],
    itself: [bool; 2],
}

impl Side {
    fn read(layout: &Layout, prediction: &str, version: &str, examples: Option<&Examples>) -> Result<Self> {
        let folder = layout.models.join(prediction).join(version);
        let bundle = Bundle::load(&folder)?;
        let path = folder.join(models::JUDGED);
        let mut scores = if path.is_file() {
            let judged = store::read_frame(&path).and_then(|frame| Judged::from_frame(&frame));
            judged.map_err(|error| error.context(path.display()))?.by_example()
        } else {
            Scores::new()
        };
        let itself_from = itself_from(&bundle)?;
        if let Some(examples) = examples.filter(|examples| !examples.snapshot && itself_from < i64::MAX) {
            let newer = |&row: &u32| {
                let at = row as usize;
                examples.cutoff[at] >= itself_from && examples.outcome[at].label().is_some()
            };
            let rows: Vec<u32> = (0..).take(examples.len()).filter(newer).collect();
            let propensity =
                if rows.is_empty() { Vec::new() } else { bundle.propensities(&examples.features, &rows)? };
            for (&row, propensity) in rows.iter().zip(propensity) {
                let at = row as usize;
                let person = person_hash(&examples.ids[examples.person[at] as usize]);
                let label = examples.outcome[at].label() == Some(true);
                scores.insert((person, examples.cutoff[at]), (label, propensity));
            }
        }
        Ok(Self { scores, itself_from })
    }

    /// The example with the score of `from`, where there is one of both and they agree on what came of it.
    fn with(&self, key: (u64, i64), (label, score): (bool, f64), from: &Self) -> Option<Paired> {
        let &(same, ours) = self.scores.get(&key)?;
        let itself = [key.1 >= from.itself_from, key.1 >= self.itself_from];
        (same == label).then_some(Paired { key, label, scores: [score, ours], itself })
    }
}

/// The first cutoff that is newer than all that a bundle has seen.
fn itself_from(bundle: &Bundle) -> Result<i64> {
    let (Some((_, last)), Some(horizon)) = (&bundle.trained_on.cutoffs, &bundle.horizon) else { return Ok(i64::MAX) };
    let (last, horizon): (Time, Duration) = (last.parse()?, horizon.parse()?);
    Ok(last.plus(horizon).0)
}

/// Keeps the newest cutoffs that hold enough examples, whole.
fn newest(paired: &mut Vec<Paired>) {
    let mut counts = [0_usize; 2];
    let mut kept = 0;
    for group in paired.chunk_by(|a, b| a.key.1 == b.key.1) {
        if counts.iter().sum::<usize>() >= ENOUGH[0] && counts[0].min(counts[1]) >= ENOUGH[1] {
            break;
        }
        kept += group.len();
        for example in group {
            counts[usize::from(example.label)] += 1;
        }
    }
    paired.truncate(kept);
}

fn told(paired: &[Paired]) -> Evidence {
    let label: Vec<bool> = paired.iter().map(|example| example.label).collect();
    let [from, to] = [0, 1].map(|side| paired.iter().map(|example| example.scores[side]).collect::<Vec<f64>>());
    let mut people: Vec<u64> = paired.iter().map(|example| example.key.0).collect();
    people.sort_unstable();
    people.dedup();
    let place = |person: u64| people.binary_search(&person).expect("everybody was listed");
    let person: Vec<u32> = paired
        .iter()
        .map(|example| u32::try_from(place(example.key.0)).expect("people are counted in 32 bits"))
        .collect();
    let resamples = if paired.len() < MANY { RESAMPLES[0] } else { RESAMPLES[1] };
    let metrics = compare(&from, &to, &label, &person, Resampling { seed: 1, resamples });
    let span = paired.last().zip(paired.first()).map(|(first, last)| [first.key.1, last.key.1]);
    Evidence {
        n: paired.len(),
        n_attained: label.iter().filter(|&&label| label).count(),
        cutoffs: span.filter(|span| *span != [0, 0]).map(|span| span.map(|cutoff| Time(cutoff).to_string())),
        n_scored_itself: [0, 1].map(|side| paired.iter().filter(|example| example.itself[side]).count()),
        metrics: metrics.into_iter().collect(),
    }
}
