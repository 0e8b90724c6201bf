//! Why a person's propensity is above the average, in words a marketer reads.
//!
//! In: how much each feature moved a person's margin, and the feature's value. Out: up to three phrases, the strongest
//! first, made from the feature's name by the grammar of the catalogue: `purchase.count.90d` = 3 reads "3 purchases in the
//! last 90 days". Features that pulled the propensity down are no reasons to reach somebody.
//!
//! Three reasons are three things: features that say the same are one reason, told by the one of them that pushed the most, and
//! what counts is the sum of their pushes. The same say features that go up and down together ([`crate::discover::same`], kept in the
//! bundle), and those of one topic (purchases in 30 days and in 90). Between two fits the credit moves to and fro among such
//! features while their sum stays: reasons hold.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::estimator::{Contributions, Fitted};
use crate::discover::table::NO_LEVEL;
use crate::discover::words::Meaning;
use crate::discover::{Cells, Table};
use crate::error::Result;

/// Reasons per person.
pub const REASONS: usize = 3;
/// A smaller push than this, in log odds, is no reason.
const LEAST_PUSH: f64 = 1e-3;
/// Rows explained at a time.
const CHUNK: usize = 16_384;

/// Up to three reasons for each of `rows`, the strongest first; `dates` names the attributes that are days before the cutoff, `same`
/// for each feature the first that says the same (empty: not known).
///
/// # Errors
/// When the table does not fit the model.
pub fn reasons(
    model: &Fitted,
    table: &Table,
    rows: &[u32],
    dates: &[String],
    same: &[u32],
) -> Result<Vec<[Option<String>; REASONS]>> {
    let features = Features { names: &model.features(), dates, same };
    of_contributions(features, &|rows| model.contributions(table, rows), table, rows)
}

/// The features of a model, and what reasons need to know of them.
#[derive(Debug, Clone, Copy)]
pub struct Features<'a> {
    /// Their names, in the order of contributions.
    pub names: &'a [&'a str],
    /// Names of the attributes that are days before the cutoff.
    pub dates: &'a [String],
    /// For each feature the first that says the same; empty: not known.
    pub same: &'a [u32],
}

/// As [`reasons()`], from whatever tells how much each of `features` moved rows of `table`.
///
/// # Errors
/// When the contributions cannot be told.
pub fn of_contributions(
    features: Features<'_>,
    contributions: &dyn Fn(&[u32]) -> Result<Contributions>,
    table: &Table,
    rows: &[u32],
) -> Result<Vec<[Option<String>; REASONS]>> {
    let phrases: Vec<Phrase> = features.names.iter().map(|name| Phrase::of(name, table, features.dates)).collect();
    let things = features.things();
    let mut reasons = Vec::with_capacity(rows.len());
    for rows in rows.chunks(CHUNK) {
        let contributions = contributions(rows)?;
        let told = |(pushes, &row): (&[f64], &u32)| {
            strongest(pushes, &things).map(|feature| feature.and_then(|feature| phrases[feature].told(row as usize)))
        };
        reasons.par_extend(contributions.values.par_chunks(features.names.len().max(1)).zip(rows).map(told));
    }
    Ok(reasons)
}

impl Features<'_> {
    /// For each feature the first feature that says the same, or is of the same topic: one thing to say.
    pub(super) fn things(&self) -> Vec<usize> {
        let mut first_of: BTreeMap<String, usize> = BTreeMap::new();
        let mut things: Vec<usize> = Vec::with_capacity(self.names.len());
        for (feature, name) in self.names.iter().enumerate() {
            let topic = Meaning::of(name).topic(name);
            let first = *first_of.entry(topic).or_insert(feature);
            let thing = if first < feature { things[first] } else { feature };
            things.push(thing);
            // Whoever goes with another joins it, with all that has joined before.
            let same = self.same.get(feature).map_or(feature, |&same| same as usize);
            if same < feature && things[same] != things[feature] {
                let (from, to) = (things[feature].max(things[same]), things[feature].min(things[same]));
                things.iter_mut().filter(|thing| **thing == from).for_each(|thing| *thing = to);
            }
        }
        things
    }
}

/// The features that tell the things which pushed up the most, the strongest first; of equal pushes the first feature. `things` says
/// which thing each feature tells: the first feature that tells it.
fn strongest(pushes: &[f64], things: &[usize]) -> [Option<usize>; REASONS] {
    let mut sums = vec![0.0; pushes.len()];
    for (push, &thing) in pushes.iter().zip(things) {
        sums[thing] += push;
    }
    let mut best = [None; REASONS];
    for (thing, &sum) in sums.iter().enumerate().filter(|(_, sum)| **sum >= LEAST_PUSH) {
        let place = best.iter().position(|other: &Option<usize>| other.is_none_or(|other| sum > sums[other]));
        if let Some(place) = place {
            best[place..].rotate_right(1);
            best[place] = Some(thing);
        }
    }
    best.map(|thing| {
        let thing = thing?;
        let telling = things.iter().enumerate().filter(|(_, other)| **other == thing).map(|(feature, _)| feature);
        telling.reduce(|best, next| if pushes[next] > pushes[best] { next } else { best })
    })
}

/// What each of `features` says of the person in `row` of `table`; its name where the table does not hold it.
#[must_use]
pub fn told(features: &[&str], table: &Table, row: u32, dates: &[String]) -> Vec<String> {
    let told =
        |feature: &&str| Phrase::of(feature, table, dates).told(row as usize).unwrap_or_else(|| (*feature).to_owned());
    features.iter().map(told).collect()
}

/// What a feature says about a person.
struct Phrase<'a> {
    name: &'a str,
    meaning: Meaning,
    cells: Option<&'a Cells>,
    /// How many events of its kind each person has, where the table tells.
    counts: Option<&'a Cells>,
}

impl<'a> Phrase<'a> {
    fn of(feature: &'a str, table: &'a Table, dates: &[String]) -> Self {
        let meaning = match Meaning::of(feature) {
            Meaning::Other(what) if dates.iter().any(|date| date == feature) => Meaning::Date(what),
            meaning => meaning,
        };
        let cells = |name: &str| table.column(name).map(|column| &column.cells);
        let kind = feature.split_once('.').map(|(kind, _)| format!("{kind}.count.all"));
        Self { name: feature, meaning, cells: cells(feature), counts: kind.and_then(|name| cells(&name)) }
    }

    fn told(&self, row: usize) -> Option<String> {
        match self.cells? {
            Cells::Number(values) => {
                let n_events = match self.counts {
                    Some(Cells::Number(counts)) => Some(counts[row]),
                    _ => None,
                };
                Some(self.meaning.number(self.name, values[row], n_events))
            }
            Cells::Category { codes, levels } => {
                let level = if codes[row] == NO_LEVEL { None } else { levels.get(codes[row] as usize) };
                Some(self.meaning.level(self.name, level.map(String::as_str)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_strongest_pushes_up_are_the_reasons() {
        let alone = [0, 1, 2, 3, 4];
        assert_eq!(strongest(&[0.1, -3.0, 0.5, 0.2, 0.5], &alone), [Some(2), Some(4), Some(3)]);
        assert_eq!(strongest(&[-1.0, 0.4, 0.0], &alone[..3]), [Some(1), None, None]);
    }

    #[test]
    fn what_says_the_same_is_one_reason() {
        // 0, 2 and 3 say one thing: together 0.4, told by 2; 5 takes back what 4 gave.
        let things = [0, 1, 0, 0, 4, 4];
        assert_eq!(strongest(&[0.1, 0.3, 0.2, 0.1, 0.5, -0.6], &things), [Some(2), Some(1), None]);
        let names =
            ["visit.count.30d", "attr.a", "visit.count.90d", "visit.days_since_last", "attr.b", "visit.gap_days.mean"];
        // The attributes go up and down together, and so do the days since the last visit with visits in 30 days.
        let features = Features { names: &names, dates: &[], same: &[0, 1, 2, 0, 1, 5] };
        assert_eq!(features.things(), [0, 1, 0, 0, 1, 0]);
    }
}
