//! Features that look as if they knew the outcome: filled in by it, known only after it, too good to be true.
//!
//! Features of events end at the cutoff by construction. Attributes stand as they were when the file was made, which may be
//! long after: a reason for leaving, the length of the call that sold, a field that the checkout asked for. No single mark
//! tells such a column from an honest strong one, so marks are added up:
//!
//! | mark | points |
//! |---|---|
//! | it ranks almost perfectly alone (AUC at least 0.95; 0.99) | 2 (3) |
//! | a value, or having one at all, occurs with one outcome only, more often than chance can | 3; 2 if nearly only, or if it holds few of those who met it |
//! | known for nearly all of one outcome and hardly any of the other | 2 |
//! | where it is empty, or in a part of its range, the rarer outcome hardly ever happens, against 30 expected | 2; 1 |
//! | alone it says more than all other features together (and has an AUC of at least 0.75) | 1 |
//! | its name speaks of an outcome, an end, a duration, or of the outcome predicted | 1, beside other marks |
//! | an id whose order is that of the outcomes | 2 |
//! | dates after the cutoff go with the outcome | 2 |
//!
//! Two points make a suspect, three are certain enough to keep the feature out of training. An honest number may be strong too: pure at
//! its ends, empty at the other, better than all others. What tells it is that the rate climbs by degrees between the ends, where what
//! the outcome filled in jumps. Such a number is a suspect if it ranks almost perfectly, and else none, unless its name or another
//! mark speaks against it. What was planted, and what is honest, on real and on simulated data is in the tests.

use super::Sample;
use super::bins::Bins;
use super::classes::{Classes, count};
use super::rank::Ranked;
use super::scorecard::{Binned, together};
use crate::discover::catalogue::Recipe;
use crate::discover::table::{Cells, Column};

const SUSPECTED: u32 = 2;
const CERTAIN: u32 = 3;
/// A single feature that ranks like this is too good to be true …
const TOO_GOOD: f64 = 0.95;
/// … and like this it is the outcome by another name.
const THE_OUTCOME: f64 = 0.99;
/// Features of events are as of the cutoff by construction: only what ranks like this is named.
const TOO_GOOD_OF_EVENTS: f64 = 0.98;
/// Below this a feature is not strong enough for the marks that need strength.
const STRONG: f64 = 0.75;
const RATHER_STRONG: f64 = 0.7;
/// By how much more than the others together it ranks alone.
const MORE_THAN_ALL: f64 = 0.02;
/// The other features' scorecard takes the strongest so many.
const OTHERS: usize = 30;
/// Outcomes after the cutoff's date, against the others'.
const DATED_RATIO: f64 = 3.0;

/// Words of columns that are filled in when something is over.
const AFTERWARDS: [&str; 46] = [
    "duration",
    "seconds",
    "minutes",
    "length",
    "outcome",
    "result",
    "reason",
    "status",
    "closed",
    "close",
    "closing",
    "cancelled",
    "canceled",
    "cancellation",
    "cancel",
    "terminated",
    "termination",
    "resolved",
    "resolution",
    "response",
    "responded",
    "reply",
    "final",
    "exit",
    "exited",
    "end",
    "ended",
    "after",
    "post",
    "won",
    "lost",
    "converted",
    "conversion",
    "purchased",
    "churn",
    "churned",
    "left",
    "leaving",
    "settled",
    "refunded",
    "approved",
    "signed",
    "contract_end",
    "retained",
    "score",
    "label",
];
/// Words of columns that number people or contracts.
const NUMBERING: [&str; 9] = ["id", "no", "nr", "num", "number", "key", "index", "ref", "seq"];

/// How sure a leak is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// It may be honest: somebody who knows the data must say.
    Suspected,
    /// It is kept out of training unless the spec says that it can be trusted.
    Certain,
}

impl Grade {
    /// `suspected` or `certain`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Certain => "certain",
        }
    }
}

/// Why a feature looks as if it knew the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// How sure it is.
    pub grade: Grade,
    /// The marks, for a person to read.
    pub why: String,
}

/// A feature, with what was found of it.
pub(super) struct Suspect<'a> {
    pub(super) column: &'a Column,
    pub(super) ranked: Option<Ranked>,
    pub(super) bins: &'a Bins,
    pub(super) binned: &'a Binned,
    pub(super) is_date: bool,
    pub(super) q_value: Option<f64>,
    /// Position of the feature that stands for its group.
    pub(super) representative: usize,
}

/// The marks of one feature.
#[derive(Debug, Default)]
pub(super) struct Marks {
    points: u32,
    /// Those that a strong honest number earns as well.
    of_strength: u32,
    /// Whether the rate climbs by degrees along the range.
    by_degrees: bool,
    why: Vec<String>,
}

impl Marks {
    pub(super) fn add(&mut self, points: u32, why: String) {
        self.points += points;
        self.why.push(why);
    }

    pub(super) fn add_of_strength(&mut self, points: u32, why: String) {
        self.of_strength += points;
        self.add(points, why);
    }

    /// `auc`: how well the feature ranks alone.
    fn leak(self, auc: f64) -> Option<Leak> {
        let is_honest = self.by_degrees && self.points == self.of_strength && auc < THE_OUTCOME;
        let points = match self.points {
            _ if is_honest && auc < TOO_GOOD => 0,
            points if is_honest => points.min(SUSPECTED),
            points => points,
        };
        let grade = match points {
            points if points >= CERTAIN => Grade::Certain,
            SUSPECTED => Grade::Suspected,
            _ => return None,
        };
        Some(Leak { grade, why: self.why.join("; ") })
    }
}

/// The leaks among `suspects`, which stand by strength, the strongest first.
pub(super) fn leaks(suspects: &[Suspect<'_>], sample: &Sample, recipe: &Recipe) -> Vec<Option<Leak>> {
    let by_silence = recipe.to.iter().any(|&stage| recipe.stages[stage].silence.is_some());
    let words = outcome_words(recipe);
    let mut marks: Vec<Marks> = suspects.iter().map(|suspect| own(suspect, sample, by_silence)).collect();
    let dubious = |place: usize| {
        is_attribute(&suspects[place]) && (marks[place].points > 0 || strength(&suspects[place]) >= STRONG)
    };
    let others: Vec<usize> = (0..suspects.len())
        .filter(|&place| !dubious(place) && !dubious(suspects[place].representative))
        .filter(|&place| suspects[place].representative == place && suspects[place].q_value.is_some_and(|q| q < 0.05))
        .take(OTHERS)
        .collect();
    let honest_strong: Vec<usize> = (0..suspects.len())
        .filter(|&place| is_attribute(&suspects[place]) && strength(&suspects[place]) >= STRONG)
        .filter(|&place| marks[place].points == 0 && suspects[place].representative == place)
        .collect();
    for place in 0..suspects.len() {
        let suspect = &suspects[place];
        if !is_attribute(suspect) || (marks[place].points == 0 && strength(suspect) < STRONG) {
            continue;
        }
        if strength(suspect) >= STRONG {
            let rest = honest_strong.iter().copied().filter(|&other| other != place && other != suspect.representative);
            let features = others.iter().copied().chain(rest).map(|place| suspects[place].binned);
            let of_others = together(features, sample).map_or(0.5, Ranked::strength);
            if strength(suspect) >= of_others + MORE_THAN_ALL {
                let why = format!(
                    "alone it says more (AUC {:.2}) than all other features together ({of_others:.2})",
                    strength(suspect)
                );
                marks[place].add_of_strength(1, why);
            }
        }
        if (marks[place].points > 0 || strength(suspect) >= RATHER_STRONG)
            && let Some(word) = telling_word(&suspect.column.name, &words)
        {
            marks[place].add(1, format!("“{word}” in its name speaks of what is known afterwards"));
        }
    }
    marks.into_iter().zip(suspects).map(|(marks, suspect)| marks.leak(strength(suspect))).collect()
}

fn is_attribute(suspect: &Suspect<'_>) -> bool {
    suspect.column.name.starts_with("attr.")
}

fn strength(suspect: &Suspect<'_>) -> f64 {
    suspect.ranked.map_or(0.5, Ranked::strength)
}

/// The marks that a feature bears by itself.
fn own(suspect: &Suspect<'_>, sample: &Sample, by_silence: bool) -> Marks {
    let mut marks = Marks::default();
    let auc = strength(suspect);
    if !is_attribute(suspect) {
        // How long a silence has lasted decides how soon it is over: that is no leak.
        if auc >= TOO_GOOD_OF_EVENTS && !by_silence {
            marks.add(
                2,
                format!("ranks almost perfectly alone (AUC {auc:.3}): are these events written after the fact?"),
            );
        }
        return marks;
    }
    if auc >= TOO_GOOD {
        let points = if auc >= THE_OUTCOME { 3 } else { 2 };
        marks.add_of_strength(points, format!("ranks almost perfectly alone (AUC {auc:.3})"));
    }
    let classes = Classes::of(suspect, sample);
    marks.by_degrees = classes.is_by_degrees(suspect);
    classes.known(&mut marks);
    classes.only_with(suspect, &mut marks);
    classes.hardly_ever(suspect, &mut marks);
    numbering(suspect, sample, &mut marks);
    dated_later(suspect, sample, &mut marks);
    marks
}

/// An id whose order goes with the outcome.
fn numbering(suspect: &Suspect<'_>, sample: &Sample, marks: &mut Marks) {
    let Cells::Number(values) = &suspect.column.cells else { return };
    let is_named = tokens(&suspect.column.name).iter().any(|token| NUMBERING.contains(&token.as_str()));
    if !is_named || strength(suspect) < STRONG {
        return;
    }
    let mut known: Vec<(u32, f32)> =
        sample.person.iter().zip(&sample.rows).map(|(&of, &row)| (of, values[row])).collect();
    known.retain(|(_, value)| !value.is_nan());
    known.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    known.dedup();
    let mut numbers: Vec<f32> = known.iter().map(|(_, value)| *value).collect();
    numbers.sort_unstable_by(f32::total_cmp);
    numbers.dedup();
    if !known.is_empty()
        && numbers.len() as f64 >= 0.95 * known.len() as f64
        && numbers.iter().all(|n| n.fract() == 0.0)
    {
        marks.add(2, format!("an id whose order is that of the outcomes (AUC {:.2})", strength(suspect)));
    }
}

/// Dates that lie after the cutoff and go with the outcome.
fn dated_later(suspect: &Suspect<'_>, sample: &Sample, marks: &mut Marks) {
    let (Cells::Number(values), true) = (&suspect.column.cells, suspect.is_date) else { return };
    let (mut later, mut attained_later, mut attained) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (&row, &label) in sample.rows.iter().zip(&sample.labels) {
        let is_later = f64::from(u8::from(values[row] < 0.0));
        let y = f64::from(u8::from(label));
        (later, attained_later, attained) = (later + is_later, attained_later + is_later * y, attained + y);
    }
    let n = sample.rows.len() as f64;
    if later < 1.0 || later >= n || attained < 1.0 {
        return;
    }
    let (of_later, of_rest) = (attained_later / later, (attained - attained_later) / (n - later));
    let base = attained / n;
    let z = (of_later - of_rest) / (base * (1.0 - base) * (1.0 / later + 1.0 / (n - later))).sqrt();
    let goes_with = of_later >= DATED_RATIO * of_rest || of_rest >= DATED_RATIO * of_later;
    if z.abs() > 5.0 && goes_with {
        let why = format!(
            "{} of its dates lie after the cutoff, and {:.1} % of those people attained against {:.1} % of the others",
            count(later),
            100.0 * of_later,
            100.0 * of_rest
        );
        marks.add(2, why);
    }
}

/// The words of the stages to be reached and of the columns that stage rules name.
fn outcome_words(recipe: &Recipe) -> Vec<String> {
    let stages = recipe.to.iter().map(|&stage| recipe.stages[stage].name.as_str());
    stages
        .chain(recipe.outcome_columns.iter().map(String::as_str))
        .flat_map(tokens)
        .filter(|word| word.len() >= 4)
        .collect()
}

/// A word of the name that speaks of what is known afterwards.
pub(super) fn telling_word(name: &str, outcome: &[String]) -> Option<String> {
    let name = name.strip_prefix("attr.").unwrap_or(name);
    let stem = |word: &str| word.chars().take(5).collect::<String>();
    let tells = |token: &String| {
        AFTERWARDS.contains(&token.as_str()) || token.len() >= 4 && outcome.iter().any(|word| stem(word) == stem(token))
    };
    // What was before is known before: the outcome of the previous campaign.
    let tokens = tokens(name);
    let is_past = tokens.iter().any(|token| ["previous", "prev", "last", "prior", "past"].contains(&token.as_str()));
    tokens.into_iter().find(|token| !is_past && tells(token))
}

/// The words of a name in lower case: `ChurnReason`, `churn_reason` → `churn`, `reason`.
fn tokens(name: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        let begins = !character.is_alphanumeric() || (character.is_uppercase() && was_lower);
        if begins && tokens.last().is_some_and(|last| !last.is_empty()) {
            tokens.push(String::new());
        }
        was_lower = character.is_lowercase() || character.is_numeric();
        if character.is_alphanumeric() {
            tokens.last_mut().expect("there is one").extend(character.to_lowercase());
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}
