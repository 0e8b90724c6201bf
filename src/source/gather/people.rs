//! Rows of people gathered, made unique, and joined to one table.

use std::collections::BTreeMap;

use polars::prelude::{BooleanChunked, Column, DataFrame, DataType, IdxCa, NewChunkedArray};
use rayon::prelude::*;

use super::contact::reaches;
use super::join::{Rows, join};
use super::{NOBODY, Positions, only};
use crate::error::{Error, Excerpt, Result};
use crate::source::batch::{Batch, Header, each_text, encode};
use crate::source::events::NO_LEVEL;
use crate::source::intern::Interner;
use crate::source::later::NOT_YET_KNOWN;
use crate::source::ledger::{Ledger, Place, Source};
use crate::source::people::{FromSource, People};
use crate::source::times::{self, Clock, MISSING};
use crate::spec::{Order, PeopleSource, TimeReading};
use crate::time::Time;

/// Why a row is not used that identity gave to somebody who has one already.
pub(crate) const JOINED: &str = "another row of the same person, by an identity link";

/// Always: since when attributes hold that do not change.
const ALWAYS: i64 = i64::MIN;

/// The rows of one `[people.*]` so far.
pub(crate) struct PeopleGather<'s> {
    pub(crate) spec: &'s PeopleSource,
    source: Source,
    clock: Option<Clock<'s>>,
    known_clock: Option<Clock<'s>>,
    as_of: Option<Time>,
    rows_read: u64,
    person: Vec<u32>,
    valid_from: Vec<i64>,
    at: Vec<(Place, u64)>,
    attributes: Option<DataFrame>,
    /// Whose rows are left out because they were not known yet.
    later: Vec<u32>,
}

impl<'s> PeopleGather<'s> {
    /// Nothing gathered yet; rows that hold or were known only at or after `as_of` will be left out.
    pub(crate) fn new(spec: &'s PeopleSource, as_of: Option<Time>, ledger: &mut Ledger) -> Result<Self> {
        Ok(Self {
            spec,
            source: ledger.source(&format!("people.{}", spec.name)),
            clock: spec.valid_from.as_ref().map(Clock::new).transpose()?,
            known_clock: spec.known_at.as_ref().map(Clock::new).transpose()?,
            as_of,
            rows_read: 0,
            person: Vec::new(),
            valid_from: Vec::new(),
            at: Vec::new(),
            attributes: None,
            later: Vec::new(),
        })
    }

    /// Columns whose texts are to be read by a told format.
    pub(crate) fn formatted(&self) -> impl Iterator<Item = &str> {
        let columns = self.spec.valid_from.iter().chain(&self.spec.known_at);
        let told = columns.filter(|time| matches!(time.reading, TimeReading::Format(_)));
        told.map(|time| time.column.as_str())
    }

    /// Checks that the columns are there; the error's key says which line of the spec names the missing one.
    pub(crate) fn begin(&self, header: &Header) -> std::result::Result<(), (String, Error)> {
        let PeopleSource { name, person, order, valid_from, known_at, contact, .. } = self.spec;
        let mut told: Vec<_> = person.as_deref().map(|column| ("person", column)).into_iter().collect();
        told.extend(valid_from.as_ref().map(|time| ("valid_from", time.column.as_str())));
        told.extend(known_at.as_ref().map(|time| ("known_at", time.column.as_str())));
        if let Some(Order::Column(column)) = order {
            told.push(("order", column));
        }
        told.extend(contact.iter().map(|column| ("contact", column.as_str())));
        let missing = |(key, column)| header.require(column).map_err(|error| (format!("people.{name}.{key}"), error));
        told.into_iter().try_for_each(missing)
    }

    /// Takes the rows of a batch that can be used.
    pub(crate) fn take(&mut self, batch: &Batch, ids: &mut Interner, ledger: &mut Ledger) -> Result<()> {
        let height = batch.frame.height();
        self.rows_read += height as u64;
        let mut person = Vec::with_capacity(height);
        match &self.spec.person {
            Some(column) => encode(batch.column(column)?, ids, NO_LEVEL, &mut person)?,
            None => person.extend((0..height).map(|row| ids.intern(&(batch.base + batch.rows.get(row)).to_string()))),
        }
        let valid_from = match (&mut self.clock, &self.spec.valid_from) {
            (Some(clock), Some(column)) => clock.read(batch.column(&column.column)?)?,
            _ => vec![ALWAYS; height],
        };
        let known_at = match (&mut self.known_clock, &self.spec.known_at) {
            (Some(clock), Some(column)) => Some(clock.read(batch.column(&column.column)?)?),
            _ => None,
        };
        let as_of = self.as_of.map_or(i64::MAX, |as_of| as_of.0);
        let mut keep = vec![true; height];
        for row in 0..height {
            let since = self.spec.valid_from.as_ref();
            let time_fault = since.and_then(|column| times::fault(valid_from[row], column));
            let known = known_at.as_ref().map(|known| known[row]).filter(|&known| known != MISSING);
            let known_fault = known.zip(self.spec.known_at.as_ref());
            let known_fault = known_fault
                .and_then(|(known, column)| Some((Some(column.column.as_str()), times::fault(known, column)?)));
            // What a row says counts since it holds and is known.
            let counts_from = valid_from[row].max(known.unwrap_or(ALWAYS));
            let fault = if person[row] == NO_LEVEL {
                Some((self.spec.person.as_deref(), "no person"))
            } else if let Some(reason) = time_fault {
                Some((since.map(|time| time.column.as_str()), reason))
            } else {
                known_fault
            };
            if let Some((column, reason)) = fault {
                keep[row] = false;
                ledger.reject(self.source, batch.at(row), column, reason);
                continue;
            }
            if counts_from >= as_of {
                keep[row] = false;
                let source = ledger.source("lifecycle.end");
                ledger.reject(source, batch.at(row), None, NOT_YET_KNOWN);
                self.later.push(person[row]);
                continue;
            }
            self.person.push(person[row]);
            self.valid_from.push(counts_from);
            self.at.push(batch.at(row));
        }
        self.push(if keep.contains(&false) { batch.keep(&keep)?.frame } else { batch.frame.clone() })
    }

    fn push(&mut self, mut frame: DataFrame) -> Result<()> {
        let times = self.spec.valid_from.iter().chain(&self.spec.known_at).map(|time| &time.column);
        let mut own: Vec<&String> = self.spec.person.iter().chain(times).collect();
        own.sort_unstable();
        own.dedup();
        for column in own {
            frame.drop_in_place(column)?;
        }
        match &mut self.attributes {
            Some(attributes) => {
                attributes.vstack_mut(&frame)?;
            }
            None => self.attributes = Some(frame),
        }
        Ok(())
    }

    /// The id of each row, as a code.
    pub(crate) fn ids(&self) -> &[u32] {
        &self.person
    }

    /// The attributes of all rows.
    pub(crate) fn attribute_names(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().flat_map(DataFrame::columns).map(|column| column.name().as_str())
    }

    /// A column of all rows, if there is one of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Column> {
        self.attributes.as_ref()?.column(name).ok()
    }

    /// Refuses a source of which most rows were rejected.
    pub(crate) fn check(&self, ledger: &Ledger) -> Result<()> {
        ledger.check(self.source, self.rows_read)
    }

    /// Marks the ids that rows name.
    pub(crate) fn mark(&self, used: &mut [bool], person_of: &[u32]) {
        self.person.iter().for_each(|&code| used[person_of[code as usize] as usize] = true);
    }

    /// Marks the people of whom a row tells since when it holds or was known: by then, and only later.
    pub(crate) fn mark_dated(&self, (by_then, later): (&mut [bool], &mut [bool]), person_of: &[u32]) {
        let since = self.person.iter().zip(&self.valid_from).filter(|&(_, &since)| since != ALWAYS);
        since.for_each(|(&code, _)| by_then[person_of[code as usize] as usize] = true);
        self.later.iter().for_each(|&code| later[person_of[code as usize] as usize] = true);
    }

    /// Leaves out the rows of people for whom there is a reason.
    pub(crate) fn leave_out(
        &mut self,
        reason: impl Fn(u32) -> Option<&'static str>,
        ledger: &mut Ledger,
    ) -> Result<()> {
        let reasons: Vec<Option<&str>> = self.person.iter().map(|&code| reason(code)).collect();
        if reasons.iter().all(Option::is_none) {
            return Ok(());
        }
        let source = ledger.source("lifecycle.end");
        let left_out = self.at.iter().zip(&reasons).filter_map(|(&at, reason)| Some((at, (*reason)?)));
        left_out.for_each(|(at, reason)| ledger.reject(source, at, None, reason));
        let keep: Vec<bool> = reasons.iter().map(Option::is_none).collect();
        self.person = only(&self.person, &keep);
        self.valid_from = only(&self.valid_from, &keep);
        self.at = only(&self.at, &keep);
        if let Some(attributes) = &mut self.attributes {
            *attributes = attributes.filter(&BooleanChunked::from_slice("keep".into(), &keep))?;
        }
        Ok(())
    }

    /// The positions of people in the order of rows or of a column, if the spec wants one.
    fn order(&self, people: &Positions) -> Result<Option<Vec<u32>>> {
        let (Some(order), Some(attributes)) = (&self.spec.order, &self.attributes) else { return Ok(None) };
        let position = |row: u32| people.of_code[self.person[row as usize] as usize];
        let mut rows: Vec<u32> = (0..).take(self.person.len()).collect();
        if let Order::Column(name) = order {
            let ranks = ranks(attributes.column(name)?)?;
            rows.sort_by_key(|&row| (ranks[row as usize], position(row)));
        }
        let mut seen = vec![false; people.ids.len()];
        let first = |position: &u32| !std::mem::replace(&mut seen[*position as usize], true);
        let mut order: Vec<u32> = rows.into_iter().map(position).filter(first).collect();
        let named: std::collections::BTreeSet<u32> = order.iter().copied().collect();
        // People whom only other tables name come first: nothing places them in time.
        order.splice(0..0, (0..).take(people.ids.len()).filter(|position| !named.contains(position)));
        Ok(Some(order))
    }

    /// One row per person and `valid_from`: of several the first counts, the others go to the ledger.
    fn unique(self, people: &Positions, ledger: &mut Ledger) -> Result<Rows> {
        let mut attributes = self.attributes.clone().unwrap_or_default();
        attributes.rechunk_mut_par();
        let keys: Vec<(u32, i64)> = self
            .person
            .iter()
            .zip(&self.valid_from)
            .map(|(&code, &from)| (people.of_code[code as usize], from))
            .collect();
        let mut rows: Vec<((u32, i64), u32)> = keys.iter().copied().zip(0..).collect();
        rows.par_sort_unstable();
        let mut texts: Option<Vec<String>> = None;
        let mut n_different = 0;
        let mut kept: Vec<u32> = Vec::with_capacity(rows.len());
        for (_, row) in rows {
            let before = kept.last().copied().filter(|&before| keys[before as usize] == keys[row as usize]);
            let Some(before) = before else {
                kept.push(row);
                continue;
            };
            let (row, before) = (row as usize, before as usize);
            let reason = if self.person[row] == self.person[before] {
                if texts.is_none() {
                    texts = Some(row_texts(&attributes)?);
                }
                let texts = texts.as_ref().expect("just made");
                if texts[row] == texts[before] {
                    "the same person again, with the same attributes"
                } else {
                    n_different += 1;
                    "the same person again, with other attributes; the first row is used"
                }
            } else {
                JOINED
            };
            ledger.reject(self.source, self.at[row], self.spec.person.as_deref(), reason);
        }
        self.refuse_log(n_different)?;
        let index = IdxCa::from_vec("row".into(), kept.clone());
        let keys = kept.iter().map(|&row| keys[row as usize]).collect();
        Ok(Rows { keys, attributes: attributes.take(&index)? })
    }

    /// People who stand in a table again and again, differently, are a log and not a table of people.
    fn refuse_log(&self, n_different: usize) -> Result<()> {
        if n_different * 100 <= self.person.len() {
            return Ok(());
        }
        let (name, rows) = (&self.spec.name, self.person.len());
        let message = format!("people.{name}: {n_different} of {rows} rows name a person again, with other attributes");
        let error = Error::data(message);
        Err(if self.clock.is_some() || self.known_clock.is_some() {
            error.hint("two rows of a person hold from the same time on: which one is right?")
        } else {
            error
                .hint("if attributes change in time, tell since when a row holds: valid_from = \"column\"")
                .hint("or make one row per person: sql = \"SELECT id AS person, MAX(x) AS x FROM table GROUP BY id\"")
        })
    }
}

impl Rows {
    /// Whom these rows are about, and what they say.
    fn of_source(&self, name: &str) -> FromSource {
        let mut people: Vec<u32> = self.keys.iter().map(|&(person, _)| person).collect();
        people.dedup();
        let columns = self.attributes.get_column_names().into_iter().map(ToString::to_string).collect();
        FromSource { name: name.to_owned(), columns, people }
    }
}

/// Each row as one text, to tell whether two rows are the same.
fn row_texts(frame: &DataFrame) -> Result<Vec<String>> {
    let mut texts = vec![String::new(); frame.height()];
    for column in frame.columns() {
        let mut row = 0;
        each_text(column, |text| {
            texts[row].push_str(text.unwrap_or_default());
            texts[row].push('\u{1f}');
            row += 1;
        })?;
    }
    Ok(texts)
}

/// The rank of each value of a column; missing ones come first.
fn ranks(column: &Column) -> Result<Vec<u32>> {
    let sorted = match column.dtype() {
        DataType::String => {
            let mut texts: Vec<Option<String>> = Vec::with_capacity(column.len());
            each_text(column, |text| texts.push(text.map(str::to_owned)))?;
            let distinct: BTreeMap<_, _> = texts.iter().map(|text| (text.clone(), 0)).collect();
            let rank: BTreeMap<_, u32> = distinct.into_keys().zip(0..).collect();
            return Ok(texts.iter().map(|text| rank[text]).collect());
        }
        _ => column.cast(&DataType::Float64)?,
    };
    let values: Vec<f64> = sorted.f64()?.iter().map(|value| value.unwrap_or(f64::NEG_INFINITY)).collect();
    let mut rows: Vec<usize> = (0..values.len()).collect();
    rows.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0; values.len()];
    let mut rank = 0;
    for (at, &row) in rows.iter().enumerate() {
        rank += u32::from(at > 0 && values[rows[at - 1]].total_cmp(&values[row]).is_ne());
        ranks[row] = rank;
    }
    Ok(ranks)
}

/// The people table of all sources: attributes of the same name are one column, the first source that has a value wins.
pub(crate) fn merge(
    sources: Vec<PeopleGather<'_>>,
    people: Positions,
    ledger: &mut Ledger,
    place: impl Fn(&PeopleSource) -> Option<Excerpt>,
) -> Result<People> {
    let mut order = None;
    let mut told = Vec::new();
    let mut parts = Vec::new();
    let mut from = Vec::new();
    let changes = sources.iter().any(|source| source.clock.is_some() || source.known_clock.is_some());
    for source in sources {
        if order.is_none() {
            order = source.order(&people)?;
        }
        told.extend(source.spec.contact.iter().cloned());
        let spec = source.spec;
        let part = source.unique(&people, ledger).map_err(|error| error.at(place(spec)))?;
        from.push(part.of_source(&spec.name));
        parts.push(part);
    }
    let Rows { keys, attributes } = join(parts)?;
    let mut offsets = vec![0; people.ids.len() + 1];
    for (person, _) in &keys {
        debug_assert_ne!(*person, NOBODY, "every row's person was marked as used");
        offsets[*person as usize + 1] += 1;
    }
    for position in 0..people.ids.len() {
        offsets[position + 1] += offsets[position];
    }
    let contact = if told.is_empty() { guessed(&attributes)? } else { told };
    let valid_from = changes.then(|| keys.iter().map(|(_, from)| *from).collect());
    Ok(People { ids: people.ids, attributes, offsets, valid_from, contact, sources: from, order })
}

fn guessed(attributes: &DataFrame) -> Result<Vec<String>> {
    let reaches = |column: &Column| Ok(reaches(column)?.then(|| column.name().to_string()));
    attributes.columns().par_iter().map(reaches).filter_map(Result::transpose).collect()
}
