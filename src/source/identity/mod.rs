//! Identity resolution: which ids are one person, why, and what they are called.
//!
//! In: the ids of all sources, the links and rows of people tables, what somebody said (`always`, `never`), and what the last run
//! kept. Out: the person of every id, each with its reason; pairs worth a look; a log of merges and splits; a new state to keep.
//!
//! 1. `links`: ids that are known to be one person.
//! 2. `matching`: rows that are likely of one person (Fellegi and Sunter): `records` and `fields` read what is compared, `blocking` says
//!    which pairs, `compare` how alike two values are, `em` with `random` learns what that is worth, `score` weighs a pair.
//! 3. `clusters`: links and likely pairs to people, with a guard against over-merging.
//! 4. `names`: people keep the ids they had (`state`).
//!
//! When the rows of a merged person contradict each other, the first row of the first people table that has a value counts, as for
//! several rows of one id; the others stand in the ledger.

mod blocking;
mod clusters;
mod compare;
mod em;
mod fields;
mod files;
mod linkage;
mod links;
mod matching;
mod names;
mod pattern;
mod plain;
mod random;
mod records;
mod score;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

pub use files::Resolved;
pub use state::State;

pub(crate) use compare::Kind;
pub(crate) use links::LinkGather;

use self::clusters::{Groups, Guard, Refusal};
use self::matching::Matched;
use self::score::{Scorer, weight_of};
use super::Identity;
use super::events::NO_LEVEL;
use super::gather::{EventGather, PeopleGather};
use super::intern::Interner;
use crate::error::Result;
use crate::spec::{IdentityRules, Rows};

/// Something about identities that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What kind of finding it is.
    pub code: &'static str,
    /// The table.
    pub table: String,
    /// The column, if one is at fault.
    pub column: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// What to do.
    pub advice: String,
}

/// Links of one rule.
struct Known {
    why: String,
    pairs: Vec<[u32; 2]>,
}

/// Where ids come from.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a, 's> {
    pub(crate) people: &'a [PeopleGather<'s>],
    pub(crate) events: &'a [EventGather<'s>],
    pub(crate) links: &'a [LinkGather<'s>],
}

/// The ids of one table, without repetition, in their order.
struct Place {
    table: String,
    ids: Vec<u32>,
}

/// Why an id is of its person.
#[derive(Debug, Clone, Copy)]
enum Why {
    /// Nobody says otherwise.
    Own,
    /// `always` says so.
    Told,
    /// A link of that number.
    Link(usize),
    /// The edge of that number.
    Edge(usize),
}

/// Groups under way, and why each id joined.
struct Joining {
    groups: Groups,
    why: Vec<Why>,
    /// Why an edge did not join.
    refused: BTreeMap<usize, Refusal>,
}

/// Who is who.
pub(crate) struct Identified {
    /// For each id's code the code of its person.
    pub(crate) person_of: Vec<u32>,
    /// For each id's code its place among the sorted ids.
    pub(crate) rank: Vec<u32>,
    /// The ids that became another.
    pub(crate) former: Vec<Identity>,
    pub(crate) resolved: Resolved,
}

/// Resolves the identities of all sources.
pub(crate) fn resolve(
    sources: Sources<'_, '_>,
    ids: &mut Interner,
    rules: &IdentityRules,
    state: &State,
) -> Result<Identified> {
    let before = before(state, ids)?;
    let rank = rank(ids);
    let places = places(sources, &rank);
    if rules.is_empty() {
        let person_of: Vec<u32> = (0..).take(ids.len()).collect();
        let resolved = Resolved::own(&places, ids)?;
        return Ok(Identified { person_of, rank, former: Vec::new(), resolved });
    }
    let mut notes = Vec::new();
    let mut known: Vec<Known> = Vec::new();
    for link in sources.links {
        let (links, said) = link.known(ids, &rules.blocked);
        known.push(links);
        notes.extend(said);
    }
    for link in &rules.contacts {
        let (links, said) = links::by_contact(link, sources.people, &rules.blocked)?;
        known.push(links);
        notes.extend(said);
    }
    let matched = match &rules.matching {
        Some(matching) => Some(matching::matched(sources.people, (rules, matching), (ids, &rank), state)?),
        None => None,
    };
    notes.extend(strangers(rules, ids));
    let scorer = matched.as_ref().map(|matched| Scorer::new(&matched.fields, &matched.basis.learned));
    let likely = matched.as_ref().zip(scorer.as_ref());
    let mut joining = join(rules, &known, likely, ids, &rank);
    let mut is_present = vec![false; ids.len()];
    places.iter().flat_map(|place| &place.ids).for_each(|&id| is_present[id as usize] = true);
    let precedence = precedence(sources, &rank);
    let facts = names::Ids { precedence: &precedence, before: &before, is_present: &is_present };
    let person_of = names::name(&mut joining.groups, &facts);
    let outcome = files::Outcome {
        words: files::words(matched.as_ref(), scorer.as_ref()),
        places: &places,
        ids,
        rank: &rank,
        people: sources.people,
        known: &known,
        matched: matched.as_ref(),
        threshold: rules.matching.as_ref().map_or(1.0, |matching| matching.threshold),
        never: codes(&rules.never, ids),
        joining: &joining,
        person_of: &person_of,
        before: &before,
    };
    let former = outcome.former();
    let resolved = outcome.resolved(notes, state)?;
    Ok(Identified { person_of, rank, former, resolved })
}

/// Whom every id was in the last run; people whose own id is gone get a code.
fn before(state: &State, ids: &mut Interner) -> Result<Vec<u32>> {
    let (known, people) = (state::texts(&state.ids, "id")?, state::texts(&state.ids, "person")?);
    let all: &Interner = ids;
    let codes: Vec<Option<u32>> = known.par_iter().map(|id| id.and_then(|id| all.find(id))).collect();
    let mut before: Vec<(u32, u32)> = Vec::new();
    for (code, person) in codes.into_iter().zip(people) {
        if let (Some(code), Some(person)) = (code, person) {
            let is_own = ids.text(code) == person;
            before.push((code, if is_own { code } else { ids.intern(person) }));
        }
    }
    let mut of_code = vec![NO_LEVEL; ids.len()];
    for (code, person) in before {
        of_code[code as usize] = person;
    }
    Ok(of_code)
}

/// The place of each id among the sorted ones.
fn rank(ids: &Interner) -> Vec<u32> {
    // The first sixteen bytes as a number: most ids are told apart by them, without a look at the text.
    let start = |code: u32| {
        let text = ids.text(code).as_bytes();
        let mut bytes = [0; 16];
        let length = text.len().min(16);
        bytes[..length].copy_from_slice(&text[..length]);
        u128::from_be_bytes(bytes)
    };
    let n = u32::try_from(ids.len()).expect("codes are 32 bits");
    let mut sorted: Vec<(u128, u32)> = (0..n).into_par_iter().map(|code| (start(code), code)).collect();
    sorted.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| ids.text(a.1).cmp(ids.text(b.1))));
    let mut rank = vec![0; sorted.len()];
    for (place, (_, code)) in (0..).zip(sorted) {
        rank[code as usize] = place;
    }
    rank
}

fn places(sources: Sources<'_, '_>, rank: &[u32]) -> Vec<Place> {
    let mut by_table: BTreeMap<(usize, String), Vec<u32>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    let mut add = |table: String, ids: &mut dyn Iterator<Item = u32>| {
        let at = order.iter().position(|known| *known == table).unwrap_or_else(|| {
            order.push(table.clone());
            order.len() - 1
        });
        by_table.entry((at, table)).or_default().extend(ids);
    };
    for people in sources.people {
        add(table_of(&people.spec.rows, &people.spec.name), &mut people.ids().iter().copied());
    }
    for link in sources.links {
        add(link.spec.table.clone(), &mut link.ids().into_iter().flatten());
    }
    for events in sources.events {
        let mut is_seen = vec![false; rank.len()];
        events.ids().iter().for_each(|&id| is_seen[id as usize] = true);
        let seen = (0..).zip(is_seen).filter(|(_, seen)| *seen).map(|(id, _)| id);
        add(table_of(&events.spec.rows, &events.spec.name), &mut seen.into_iter());
    }
    let place = |((_, table), mut ids): ((usize, String), Vec<u32>)| {
        ids.par_sort_unstable_by_key(|&id| rank[id as usize]);
        ids.dedup();
        Place { table, ids }
    };
    by_table.into_iter().map(place).collect()
}

/// The table of `[tables]`, or the source if a query makes its rows.
fn table_of(rows: &Rows, source: &str) -> String {
    match rows {
        Rows::Table(table) => table.clone(),
        Rows::Sql(_) => source.to_owned(),
    }
}

/// Which id a group is called after: one of a link's first column, then of the first people table, then the first by its text.
fn precedence(sources: Sources<'_, '_>, rank: &[u32]) -> Vec<(u8, u16, u32)> {
    let mut precedence: Vec<(u8, u16, u32)> = rank.iter().map(|&rank| (1, u16::MAX, rank)).collect();
    for link in sources.links {
        let [first, _] = link.ids();
        for id in first {
            precedence[id as usize].0 = 0;
        }
    }
    for (number, people) in (0..).zip(sources.people) {
        for &id in people.ids() {
            let known = &mut precedence[id as usize].1;
            *known = number.min(*known);
        }
    }
    if sources.links.is_empty() { precedence } else { precedence.into_iter().map(|(a, _, c)| (a, 0, c)).collect() }
}

/// Ids of `always` and `never` that no table holds.
fn strangers(rules: &IdentityRules, ids: &Interner) -> Vec<Note> {
    let named = [("always", &rules.always), ("never", &rules.never)];
    let strangers = named.into_iter().filter_map(|(key, pairs)| {
        let n = pairs.iter().flatten().filter(|id| ids.find(id).is_none()).count();
        (n > 0).then(|| Note {
            code: "identity-unknown-id",
            table: format!("identity.{key}"),
            column: None,
            rows: n as u64,
            advice: format!("{n} of its ids stand in no table: are they written as they stand there?"),
        })
    });
    strangers.collect()
}

/// The codes of pairs whose ids stand in some table.
fn codes(pairs: &[[String; 2]], ids: &Interner) -> Vec<[u32; 2]> {
    pairs.iter().filter_map(|[a, b]| Some([ids.find(a)?, ids.find(b)?])).collect()
}

/// Joins ids to people: what was said first, then links, then likely pairs from the strongest on.
fn join(
    rules: &IdentityRules,
    known: &[Known],
    likely: Option<(&Matched, &Scorer<'_>)>,
    ids: &Interner,
    rank: &[u32],
) -> Joining {
    let never: BTreeSet<(u32, u32)> =
        codes(&rules.never, ids).into_iter().flat_map(|[a, b]| [(a, b), (b, a)]).collect();
    let record_of = likely.map(|(matched, _)| matched.record_of(ids.len())).unwrap_or_default();
    let record = |id: u32| record_of.get(id as usize).copied().filter(|record| *record != NO_LEVEL);
    let weight = |a: u32, b: u32| {
        let (a, b) = (record(a)?, record(b)?);
        Some(likely?.1.weight(a.min(b), a.max(b)))
    };
    let least = weight_of(rules.matching.as_ref().map_or(1.0, |matching| matching.threshold));
    let contradict = |a: u32, b: u32| match (record(a), record(b), likely) {
        (Some(a), Some(b), Some((_, scorer))) => scorer.contradict(a.min(b), a.max(b), least),
        _ => false,
    };
    let one_to_one = rules.matching.as_ref().is_some_and(|matching| matching.one_to_one);
    let tables = |id: u32| match (record(id), likely) {
        (Some(record), Some((matched, _))) if one_to_one => 1_u64 << (matched.records.source[record as usize] % 64),
        _ => 0,
    };
    let most = rules.matching.as_ref().map_or(usize::MAX, |matching| matching.max_ids);
    let guard = Guard { never: &never, most, weight: &weight, contradict: &contradict, tables: &tables };
    let mut joining =
        Joining { groups: Groups::new(ids.len()), why: vec![Why::Own; ids.len()], refused: BTreeMap::new() };
    for [a, b] in codes(&rules.always, ids) {
        let _ = joining.join(a, b, Why::Told, &guard);
    }
    for (number, Known { pairs, .. }) in known.iter().enumerate() {
        let mut pairs = pairs.clone();
        pairs.par_sort_unstable_by_key(|pair| pair.map(|id| rank[id as usize]));
        for [a, b] in pairs {
            let _ = joining.join(a, b, Why::Link(number), &guard);
        }
    }
    let Some((matched, _)) = likely else { return joining };
    for (number, edge) in matched.edges.iter().enumerate().take_while(|(_, edge)| edge.weight >= least) {
        let [a, b] = [edge.a, edge.b].map(|record| matched.records.id[record as usize]);
        if let Err(refusal) = joining.join(a, b, Why::Edge(number), &guard) {
            joining.refused.insert(number, refusal);
        }
    }
    joining
}

impl Joining {
    fn join(&mut self, a: u32, b: u32, why: Why, guard: &Guard<'_>) -> std::result::Result<(), Refusal> {
        let sure = !matches!(why, Why::Edge(_));
        self.groups.try_join(a, b, sure, guard)?;
        for id in [a, b] {
            let known = &mut self.why[id as usize];
            if matches!(known, Why::Own) {
                *known = why;
            }
        }
        Ok(())
    }
}
