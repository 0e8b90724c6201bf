//! The lift in parts of a list: its tiers, or else fifths by rank, and the values of an attribute.
//!
//! People were drawn into groups one by one, so that each part has its own fair comparison. But of twenty parts in which
//! nothing happened, one will show a lift by chance: a part is a question for the next campaign, not an answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::List;
use super::intervals::{Estimate, difference};
use crate::expand::chosen::Group;
use crate::rate::Rate;

/// Parts by rank.
const TIERS: usize = 5;
/// The largest parts of an attribute that are told apart.
const MOST_VALUES: usize = 20;

/// An attribute of the people of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its name.
    pub attribute: String,
    /// A value per person, as text.
    pub values: Vec<Option<String>>,
}

/// The lift in a part of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What parts people: `tier`, `rank`, or an attribute.
    pub by: String,
    /// The part: a tier without the one within it, `1–20 %`, or a value.
    pub part: String,
    /// The target group.
    pub target: Rate,
    /// The holdout.
    pub holdout: Rate,
    /// The lift in points (Newcombe); absent when one group is empty here.
    pub lift: Option<Estimate>,
}

/// The tiers of the list, or fifths of it, best first.
pub(super) fn tiers(list: &List, converted: &[bool]) -> Vec<Part> {
    let n = list.person.len();
    let mut tiers: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, tier) in list.tier.iter().enumerate().filter_map(|(at, tier)| Some((at, tier.as_deref()?))) {
        match tiers.iter_mut().find(|(known, _)| *known == tier) {
            Some((_, rows)) => rows.push(at),
            None => tiers.push((tier, vec![at])),
        }
    }
    if !tiers.is_empty() {
        return tiers.iter().map(|(tier, rows)| self::part(("tier", tier), rows, list, converted)).collect();
    }
    let part = |tier: usize| {
        let rows = (tier * n / TIERS..(tier + 1) * n / TIERS).collect::<Vec<_>>();
        let name = format!("{}–{} %", 100 * tier / TIERS + 1, 100 * (tier + 1) / TIERS);
        self::part(("rank", &name), &rows, list, converted)
    };
    (0..TIERS).map(part).filter(|part| part.target.n_eligible + part.holdout.n_eligible > 0).collect()
}

/// The values of each attribute, the commonest first.
pub(super) fn segments(segments: &[Segment], list: &List, converted: &[bool]) -> Vec<Part> {
    let parts = |segment: &Segment| {
        let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, value) in segment.values.iter().enumerate() {
            rows.entry(value.as_deref().unwrap_or("(missing)")).or_default().push(at);
        }
        let mut by_size: Vec<(&str, Vec<usize>)> = rows.into_iter().collect();
        by_size.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
        by_size.truncate(MOST_VALUES);
        let part = |(value, rows): (&str, Vec<usize>)| part((&segment.attribute, value), &rows, list, converted);
        by_size.into_iter().map(part).collect::<Vec<_>>()
    };
    segments.iter().flat_map(parts).collect()
}

fn part((by, part): (&str, &str), rows: &[usize], list: &List, converted: &[bool]) -> Part {
    let rate = |group: Group| {
        let members = || rows.iter().filter(|&&at| list.group[at] == group);
        Rate::new(members().filter(|&&at| converted[at]).count(), members().count())
    };
    let (target, holdout) = (rate(Group::Target), rate(Group::Holdout));
    Part { by: by.to_owned(), part: part.to_owned(), target, holdout, lift: difference(target, holdout) }
}
