//! Which columns of different tables hold the same ids, and how a table reaches the people.
//!
//! Two columns are of one space of ids when most of the smaller one's values occur in the other, and their names agree
//! (`order_id` here and there; `offer_id` and the `id` of a table of offers), or the values are long codes that do not agree
//! by chance. A table reaches people through tables in which the id between them is a key.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::look::{Column, Seen, Values};
use super::roles::person_score;
use crate::error::Result;

/// A column of a table, by position.
pub(super) type Place = (usize, usize);

/// A step of a way: from a column of the table before to a key of another table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: Place,
    pub(super) key: Place,
}

/// How a table reaches people: through which tables, and in which column of the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) steps: Vec<Step>,
    pub(super) person: Place,
}

/// The spaces of ids in some tables.
pub(super) struct Links {
    /// The space of each column that is an id.
    space: BTreeMap<Place, usize>,
    /// Whether each such column identifies its table's rows.
    keys: HashSet<Place>,
}

impl Links {
    /// Finds the columns that hold the same ids.
    pub(super) fn find(tables: &[Seen]) -> Result<Self> {
        let mut ids: Vec<(Place, HashSet<String>)> = Vec::new();
        for (table, seen) in tables.iter().enumerate() {
            for (place, column) in seen.columns.iter().enumerate().filter(|(_, column)| is_code(seen, column)) {
                ids.push(((table, place), seen.set(&column.name)?));
            }
        }
        let mut space: Vec<usize> = (0..ids.len()).collect();
        for one in 0..ids.len() {
            for other in one + 1..ids.len() {
                if ids[one].0.0 != ids[other].0.0 && is_same(tables, &ids[one], &ids[other]) {
                    let (from, to) = (space[other], space[one]);
                    space.iter_mut().filter(|space| **space == from).for_each(|space| *space = to);
                }
            }
        }
        let keys = ids.iter().map(|(place, _)| *place).filter(|&(table, column)| {
            let seen = &tables[table];
            seen.is_key(&seen.columns[column].name)
        });
        Ok(Self { keys: keys.collect(), space: ids.iter().map(|(place, _)| *place).zip(space).collect() })
    }

    pub(super) fn space(&self, place: Place) -> Option<usize> {
        self.space.get(&place).copied()
    }

    pub(super) fn is_key(&self, place: Place) -> bool {
        self.keys.contains(&place)
    }

    /// The columns of a space.
    pub(super) fn columns(&self, space: usize) -> impl Iterator<Item = Place> + '_ {
        self.space.iter().filter(move |(_, of)| **of == space).map(|(place, _)| *place)
    }

    /// The space that people are known by: the best named; of two that one table joins as key and value, the one that has
    /// fewer ids, since a person may have several of the other.
    pub(super) fn people(&self, tables: &[Seen]) -> Option<(usize, i32)> {
        let mut scores: BTreeMap<usize, i32> = BTreeMap::new();
        for (&(table, column), &space) in &self.space {
            let score = person_score(&tables[table], &tables[table].columns[column]);
            let best = scores.entry(space).or_insert(i32::MIN);
            *best = score.max(*best);
        }
        let reach = |space: usize| -> usize {
            (0..tables.len())
                .filter(|&table| self.way(tables, table, space).is_some())
                .map(|table| tables[table].n_rows)
                .sum()
        };
        let usable = scores.iter().filter(|(_, score)| **score > 0);
        let (&best, &score) =
            usable.max_by_key(|(space, score)| (**score, reach(**space), std::cmp::Reverse(**space)))?;
        let deeper = self.columns(best).filter(|place| self.is_key(*place)).find_map(|(table, key)| {
            let seen = &tables[table];
            let others = seen.columns.iter().enumerate().filter(|(place, _)| *place != key);
            let better = others.filter(|(place, column)| {
                let is_other = self.space((table, *place)).is_some_and(|space| space != best);
                is_other && person_score(seen, column) >= 12 && column.n_distinct < seen.columns[key].n_distinct
            });
            better.min_by_key(|(_, column)| column.n_distinct).and_then(|(place, _)| self.space((table, place)))
        });
        Some((deeper.unwrap_or(best), score))
    }

    /// The shortest way from a table to a space of people.
    pub(super) fn way(&self, tables: &[Seen], table: usize, people: usize) -> Option<Way> {
        let mut queue = VecDeque::from([(table, Vec::<Step>::new())]);
        let mut visited = HashSet::from([table]);
        while let Some((at, steps)) = queue.pop_front() {
            let of_people = (0..tables[at].columns.len())
                .map(|column| (at, column))
                .filter(|place| self.space(*place) == Some(people));
            let best =
                of_people.max_by_key(|&(table, column)| person_score(&tables[table], &tables[table].columns[column]));
            if let Some(person) = best {
                return Some(Way { steps, person });
            }
            if steps.len() == 3 {
                continue;
            }
            for column in 0..tables[at].columns.len() {
                let Some(space) = self.space((at, column)) else { continue };
                for key in self.columns(space).filter(|place| self.is_key(*place)) {
                    if visited.insert(key.0) {
                        let step = Step { from: (at, column), key };
                        queue.push_back((key.0, [steps.as_slice(), &[step]].concat()));
                    }
                }
            }
        }
        None
    }
}

fn is_code(seen: &Seen, column: &Column) -> bool {
    let is_named = column.words.last().is_some_and(|last| last.ends_with("id") || last == "key" || last == "code");
    let is_many = column.n_distinct >= 10 || (column.n_distinct == seen.n_rows && seen.n_rows > 1);
    let is_short = || column.top.iter().all(|(text, _)| text.len() <= 64 && !text.contains(' '));
    match column.values {
        Values::Whole => is_many && (is_named || person_score(seen, column) > 0),
        Values::Text => is_many && (is_named || person_score(seen, column) > 0 || is_short()) && is_short(),
        _ => false,
    }
}

fn is_same(
    tables: &[Seen],
    (one, ours): &(Place, HashSet<String>),
    (other, theirs): &(Place, HashSet<String>),
) -> bool {
    let column = |&(table, column): &Place| &tables[table].columns[column];
    let (a, b) = (column(one), column(other));
    let (fewer, more) = if ours.len() <= theirs.len() { (ours, theirs) } else { (theirs, ours) };
    let share = || fewer.iter().filter(|value| more.contains(*value)).count() as f64 / (fewer.len() as f64).max(1.0);
    let names_agree =
        a.words == b.words || names_table(a, b, &tables[other.0].name) || names_table(b, a, &tables[one.0].name);
    if names_agree {
        return share() >= 0.3;
    }
    let is_long = |column: &Column| column.values == Values::Text && column.top.iter().all(|(text, _)| text.len() >= 8);
    is_long(a) && is_long(b) && share() >= 0.6
}

/// Whether `reference` (`offer_id`) speaks of the `key` (`id`) of a table (`offers`).
fn names_table(reference: &Column, key: &Column, table: &str) -> bool {
    key.words == ["id"]
        && reference.words.len() == 2
        && reference.words[1] == "id"
        && table.trim_end_matches('s').starts_with(reference.words[0].trim_end_matches('s'))
}
