//! Ids that are known to be one person: rows that hold two of them, and contact data that two people rows share.
//!
//! A value that stands for nobody (`null`, `anonymous`) links nobody, nor does one that is shared by more ids than a person has:
//! a device in a shop, an address that a form puts in for everybody. Both are reported.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::Kind;
use super::plain::{DateOrder, plain};
use super::{Known, Note};
use crate::error::{Error, Result};
use crate::rate::grouped;
use crate::source::batch::{Batch, Header, each_text, encode};
use crate::source::events::NO_LEVEL;
use crate::source::gather::PeopleGather;
use crate::source::intern::Interner;
use crate::spec::{ContactLink, Link};

/// The pairs of one `[[identity.links]]` so far.
pub(crate) struct LinkGather<'s> {
    pub(crate) spec: &'s Link,
    number: usize,
    pairs: Vec<[u32; 2]>,
}

impl<'s> LinkGather<'s> {
    /// Nothing gathered yet; `number` is the link's place in the spec.
    pub(crate) fn new(spec: &'s Link, number: usize) -> Self {
        Self { spec, number, pairs: Vec::new() }
    }

    /// Checks that the columns are there.
    pub(crate) fn begin(&self, header: &Header) -> std::result::Result<(), (String, Error)> {
        let missing = |error| (format!("identity.links[{}].columns", self.number), error);
        self.spec.columns.iter().try_for_each(|column| header.require(column)).map_err(missing)
    }

    /// Takes the pairs of a batch; rows that lack an id link nobody.
    pub(crate) fn take(&mut self, batch: &Batch, ids: &mut Interner) -> Result<()> {
        let mut codes = [Vec::new(), Vec::new()];
        for (column, codes) in self.spec.columns.iter().zip(&mut codes) {
            encode(batch.column(column)?, ids, NO_LEVEL, codes)?;
        }
        let [first, second] = codes;
        let pairs = first.into_iter().zip(second).map(|(first, second)| [first, second]);
        self.pairs.extend(pairs.filter(|pair| !pair.contains(&NO_LEVEL)));
        Ok(())
    }

    /// The ids in a row's two columns, by column.
    pub(super) fn ids(&self) -> [BTreeSet<u32>; 2] {
        [0, 1].map(|at| self.pairs.iter().map(|pair| pair[at]).collect())
    }

    /// The links that count, and what is to be said of the others.
    pub(super) fn known(&self, ids: &Interner, blocked: &[String]) -> (Known, Vec<Note>) {
        let [first, second] = &self.spec.columns;
        let table = &self.spec.table;
        let mut pairs: Vec<[u32; 2]> = self.pairs.clone();
        pairs.sort_unstable();
        pairs.dedup();
        let is_blocked = |code: u32| blocked.contains(&ids.text(code).to_lowercase());
        let n_all = pairs.len();
        pairs.retain(|pair| !pair.iter().any(|&code| is_blocked(code)));
        let mut notes = Vec::new();
        if n_all > pairs.len() {
            let both = format!("{first}, {second}");
            notes.push(Note::blocked(table, &both, n_all - pairs.len()));
        }
        let busy = [over(&pairs, 0, self.spec.max_ids), over(&pairs, 1, self.spec.max_people)];
        let limits = [("max_ids", self.spec.max_ids), ("max_people", self.spec.max_people)];
        for (at, (key, limit)) in limits.into_iter().enumerate() {
            if !busy[at].is_empty() {
                let n_rows = pairs.iter().filter(|pair| busy[at].contains(&pair[at])).count();
                notes.push(Note::shared(table, &self.spec.columns[at], busy[at].len(), n_rows, (key, limit)));
            }
        }
        pairs.retain(|pair| !busy[0].contains(&pair[0]) && !busy[1].contains(&pair[1]));
        (Known { why: format!("{table}.{first} = {table}.{second}"), pairs }, notes)
    }
}

/// Ids at that place of a pair that come with more than `limit` others.
fn over(pairs: &[[u32; 2]], at: usize, limit: usize) -> BTreeSet<u32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for pair in pairs {
        *counts.entry(pair[at]).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > limit).map(|(id, _)| id).collect()
}

/// The links by a contact column of people tables.
pub(super) fn by_contact(
    link: &ContactLink,
    people: &[PeopleGather<'_>],
    blocked: &[String],
) -> Result<(Known, Vec<Note>)> {
    let kind = if link.column.to_lowercase().contains("mail") { Kind::Email } else { contact_kind(&link.column) };
    let mut owners: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    let mut n_blocked = 0;
    for source in people.iter().filter(|source| link.people.is_empty() || link.people.contains(&source.spec.name)) {
        let Some(column) = source.attribute(&link.column) else { continue };
        let mut row = 0;
        each_text(column, |text| {
            let value = text.map(|text| plain(kind, DateOrder::default(), text)).filter(|text| !text.is_empty());
            if text.is_some_and(|text| blocked.contains(&text.to_lowercase())) {
                n_blocked += 1;
            } else if let Some(value) = value {
                owners.entry(value).or_default().insert(source.ids()[row]);
            }
            row += 1;
        })?;
    }
    let busy: Vec<usize> = owners.values().map(BTreeSet::len).filter(|n| *n > link.max_ids).collect();
    let mut notes = Vec::new();
    let table = link.people.first().map_or("people", String::as_str);
    if n_blocked > 0 {
        notes.push(Note::blocked(table, &link.column, n_blocked));
    }
    if !busy.is_empty() {
        notes.push(Note::shared(table, &link.column, busy.len(), busy.iter().sum(), ("max_ids", link.max_ids)));
    }
    let sharing = owners.into_values().filter(|ids| ids.len() > 1 && ids.len() <= link.max_ids);
    let pairs = sharing.flat_map(|ids| {
        let ids: Vec<u32> = ids.into_iter().collect();
        ids.windows(2).map(|pair| [pair[0], pair[1]]).collect::<Vec<_>>()
    });
    Ok((Known { why: format!("same {}", link.column), pairs: pairs.collect() }, notes))
}

fn contact_kind(column: &str) -> Kind {
    let column = column.to_lowercase();
    let is_phone = ["phone", "mobile", "tel"].iter().any(|word| column.contains(word));
    if is_phone { Kind::Phone } else { Kind::Name }
}

impl Note {
    fn blocked(table: &str, column: &str, n_rows: usize) -> Self {
        Self {
            code: "identity-blocked-value",
            table: table.to_owned(),
            column: Some(column.to_owned()),
            rows: n_rows as u64,
            advice: format!(
                "{} rows hold a value that stands for nobody (null, anonymous …): they link nobody; `identity.blocked` lists such values",
                grouped(n_rows as u64)
            ),
        }
    }

    fn shared(table: &str, column: &str, n_values: usize, n_rows: usize, (key, limit): (&str, usize)) -> Self {
        Self {
            code: "identity-shared-value",
            table: table.to_owned(),
            column: Some(column.to_owned()),
            rows: n_rows as u64,
            advice: format!(
                "{} values come with more than {limit} ids each and link nobody: shared devices, or a placeholder? If each is one person, raise `{key}` of the link",
                grouped(n_values as u64)
            ),
        }
    }
}
