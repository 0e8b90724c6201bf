//! Event rows gathered column by column, and the event table that they become.
//!
//! Texts become codes as soon as a batch is read: what is held of ten million events is some numbers each.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::columns::{Gathered, concatenate, ranks};
use super::order::{order, take};
use super::{NOBODY, Positions, only};
use crate::error::{Error, Result};
use crate::source::batch::{Batch, Header, encode};
use crate::source::events::{Events, NO_LEVEL, Property, Values};
use crate::source::intern::Interner;
use crate::source::later::{NOT_YET_KNOWN, PAST_THE_END};
use crate::source::ledger::{Ledger, Source};
use crate::source::times::{self, Clock, MISSING};
use crate::spec::{EventSource, Spec, TimeReading};
use crate::time::Time;

/// The rows of one `[events.*]` so far.
pub(crate) struct EventGather<'s> {
    pub(crate) spec: &'s EventSource,
    source: Source,
    end: Option<Time>,
    as_of: Option<Time>,
    clock: Clock<'s>,
    known_clock: Option<Clock<'s>>,
    rows_read: u64,
    person: Vec<u32>,
    time: Vec<i64>,
    known_at: Vec<i64>,
    kind: Vec<u32>,
    kinds: Interner,
    properties: Vec<(String, Gathered)>,
    /// Whose events are left out because they were not known yet.
    later: Vec<u32>,
}

impl<'s> EventGather<'s> {
    /// Nothing gathered yet; events at or after the end of `all` will be left out, and those that were known only at or
    /// after the instant that it goes back to.
    pub(crate) fn new(spec: &'s EventSource, all: &Spec, ledger: &mut Ledger) -> Result<Self> {
        Ok(Self {
            spec,
            source: ledger.source(&format!("events.{}", spec.name)),
            end: all.end,
            as_of: all.as_of,
            clock: Clock::new(&spec.time)?,
            known_clock: spec.known_at.as_ref().map(Clock::new).transpose()?,
            rows_read: 0,
            person: Vec::new(),
            time: Vec::new(),
            known_at: Vec::new(),
            kind: Vec::new(),
            kinds: Interner::default(),
            properties: Vec::new(),
            later: Vec::new(),
        })
    }

    /// Columns whose texts are to be read by a told format.
    pub(crate) fn formatted(&self) -> impl Iterator<Item = &str> {
        let columns = std::iter::once(&self.spec.time).chain(self.spec.known_at.as_ref());
        columns.filter(|time| matches!(time.reading, TimeReading::Format(_))).map(|time| time.column.as_str())
    }

    /// The columns that are needed; `None`: all.
    pub(crate) fn wanted(&self) -> Option<Vec<&str>> {
        let properties = self.spec.properties.as_ref()?;
        Some(self.own().into_iter().chain(properties.iter().map(String::as_str)).collect())
    }

    fn own(&self) -> Vec<&str> {
        let spec = self.spec;
        let known_at = spec.known_at.as_ref().map(|time| time.column.as_str());
        [Some(spec.person.as_str()), Some(spec.time.column.as_str()), spec.event.as_deref(), known_at]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Checks that the columns are there; the error's key says which line of the spec names the missing one.
    pub(crate) fn begin(&self, header: &Header) -> std::result::Result<(), (String, Error)> {
        let name = &self.spec.name;
        let spec = self.spec;
        let mut told = vec![("person", spec.person.as_str()), ("time", spec.time.column.as_str())];
        told.extend(spec.event.as_deref().map(|column| ("event", column)));
        told.extend(spec.known_at.as_ref().map(|time| ("known_at", time.column.as_str())));
        told.extend(spec.properties.iter().flatten().map(|column| ("properties", column.as_str())));
        let missing = |(key, column)| header.require(column).map_err(|error| (format!("events.{name}.{key}"), error));
        told.into_iter().try_for_each(missing)
    }

    /// Takes the rows of a batch that can be used.
    pub(crate) fn take(&mut self, batch: &Batch, ids: &mut Interner, ledger: &mut Ledger) -> Result<()> {
        self.rows_read += batch.frame.height() as u64;
        let (person, instants) = rayon::join(
            || self::codes(batch, &self.spec.person, ids),
            || {
                let time = self.clock.read(batch.column(&self.spec.time.column)?)?;
                let known_at = match (&mut self.known_clock, &self.spec.known_at) {
                    (Some(clock), Some(column)) => Some(clock.read(batch.column(&column.column)?)?),
                    _ => None,
                };
                let kind = match &self.spec.event {
                    Some(column) => self::codes(batch, column, &mut self.kinds)?,
                    None => vec![self.kinds.intern(&self.spec.name); time.len()],
                };
                Ok::<_, Error>(Rows { person: Vec::new(), time, known_at, kind })
            },
        );
        let rows = Rows { person: person?, ..instants? };
        let faults = self.faults(&rows);
        if faults.is_empty() {
            return self.push(&batch.frame, rows);
        }
        let mut keep = vec![true; rows.time.len()];
        for (row, column, reason) in &faults {
            keep[*row] = false;
            let source = if column.is_some() { self.source } else { ledger.source("lifecycle.end") };
            ledger.reject(source, batch.at(*row), *column, reason);
        }
        if self.as_of.is_some() {
            let later = faults.iter().filter(|(_, column, _)| column.is_none());
            self.later.extend(later.map(|&(row, ..)| rows.person[row]));
        }
        self.push(&batch.keep(&keep)?.frame, rows.keep(&keep))
    }

    /// The rows that cannot be used, each with its column and reason; those past the end have no column at fault.
    fn faults(&self, rows: &Rows) -> Vec<(usize, Option<&'s str>, &'static str)> {
        let spec = self.spec;
        let end = self.end.map_or(i64::MAX, |end| end.0);
        let as_of = self.as_of.map_or(i64::MAX, |as_of| as_of.0);
        let known_fault = |row: usize| {
            let known = rows.known_at.as_ref()?[row];
            let column = spec.known_at.as_ref()?;
            times::fault(known, column).filter(|_| known != MISSING).zip(Some(column))
        };
        let fault = |row: usize| {
            if rows.person[row] == NO_LEVEL {
                Some((row, Some(spec.person.as_str()), "no person"))
            } else if let Some(reason) = times::fault(rows.time[row], &spec.time) {
                Some((row, Some(spec.time.column.as_str()), reason))
            } else if rows.kind[row] == NO_LEVEL {
                Some((row, spec.event.as_deref(), "no kind of event"))
            } else if let Some((reason, column)) = known_fault(row) {
                Some((row, Some(column.column.as_str()), reason))
            } else if rows.time[row] >= end {
                Some((row, None, PAST_THE_END))
            } else {
                let known = rows.known_at.as_ref().map_or(MISSING, |known| known[row]);
                (known >= as_of).then_some((row, None, NOT_YET_KNOWN))
            }
        };
        (0..rows.time.len()).into_par_iter().filter_map(fault).collect()
    }

    fn push(&mut self, frame: &polars::prelude::DataFrame, rows: Rows) -> Result<()> {
        if self.properties.is_empty() {
            let own = self.own();
            let chosen = |name: &str| match &self.spec.properties {
                Some(told) => told.iter().any(|told| told == name),
                None => !own.contains(&name),
            };
            let columns = frame.columns().iter().filter(|column| chosen(column.name()));
            self.properties = columns.map(|column| (column.name().to_string(), Gathered::of(column.dtype()))).collect();
        }
        self.properties.par_iter_mut().try_for_each(|(name, values)| values.push(frame.column(name)?))?;
        self.person.extend(rows.person);
        self.time.extend(rows.time);
        self.kind.extend(rows.kind);
        self.known_at.extend(rows.known_at.into_iter().flatten());
        Ok(())
    }

    /// Whether no row could be used.
    pub(crate) fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// The id of each event, as a code.
    pub(crate) fn ids(&self) -> &[u32] {
        &self.person
    }

    /// Refuses a source of which most rows were rejected.
    pub(crate) fn check(&self, ledger: &Ledger) -> Result<()> {
        ledger.check(self.source, self.rows_read)
    }

    /// Marks the ids that events name.
    pub(crate) fn mark(&self, used: &mut [bool], person_of: &[u32]) {
        self.person.iter().for_each(|&code| used[person_of[code as usize] as usize] = true);
    }

    /// Marks the people whose events were not known yet.
    pub(crate) fn mark_later(&self, later: &mut [bool], person_of: &[u32]) {
        self.later.iter().for_each(|&code| later[person_of[code as usize] as usize] = true);
    }
}

/// The columns of a batch that every event has.
struct Rows {
    person: Vec<u32>,
    time: Vec<i64>,
    known_at: Option<Vec<i64>>,
    kind: Vec<u32>,
}

impl Rows {
    fn keep(self, keep: &[bool]) -> Self {
        Self {
            person: only(&self.person, keep),
            time: only(&self.time, keep),
            known_at: self.known_at.map(|known| only(&known, keep)),
            kind: only(&self.kind, keep),
        }
    }
}

fn codes(batch: &Batch, column: &str, texts: &mut Interner) -> Result<Vec<u32>> {
    let mut codes = Vec::new();
    encode(batch.column(column)?, texts, NO_LEVEL, &mut codes)?;
    Ok(codes)
}

/// The event table of all sources, in the order of the spec.
pub(crate) fn assemble(mut sources: Vec<EventGather<'_>>, people: &Positions) -> Result<Events> {
    let n_events: usize = sources.iter().map(|source| source.time.len()).sum();
    if u32::try_from(n_events).is_err() {
        return Err(Error::data(format!("{n_events} events are more than clo can hold (4,294,967,295)")));
    }
    let kinds = kinds(&mut sources)?;
    let person = renumbered(&mut sources, people);
    let known_at = known_at(&mut sources);
    let properties = properties(&mut sources);
    let time = concat(sources.iter_mut().map(|source| std::mem::take(&mut source.time)));
    let kind = concat(sources.iter_mut().map(|source| std::mem::take(&mut source.kind)));
    let kind: Vec<u16> =
        kind.into_par_iter().map(|kind| u16::try_from(kind).expect("checked with the kinds")).collect();
    drop(sources);
    let tie = |a: usize, b: usize| {
        let known = || known_at.as_ref().map_or(Ordering::Equal, |known| known[a].cmp(&known[b]));
        let by_property = |property: &Property| compare(&property.values, a, b);
        let values = || properties.iter().map(by_property).find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
        kind[a].cmp(&kind[b]).then_with(values).then_with(known)
    };
    let (rows, offsets) = order(&person, people.ids.len(), &time, tie);
    Ok(Events {
        person: take(person, &rows),
        time: take(time, &rows),
        kind: take(kind, &rows),
        known_at: known_at.map(|known| take(known, &rows)),
        properties: properties.into_iter().map(|property| sorted(property, &rows)).collect(),
        kinds,
        offsets,
    })
}

fn concat<T>(mut parts: impl Iterator<Item = Vec<T>>) -> Vec<T> {
    let mut all = parts.next().unwrap_or_default();
    parts.for_each(|part| all.extend(part));
    all
}

/// The kinds that occur: source by source as in the spec, within a source by name. Each row's kind becomes its position.
fn kinds(sources: &mut [EventGather<'_>]) -> Result<Vec<String>> {
    let mut kinds: Vec<String> = Vec::new();
    for source in sources {
        let mut occurs = vec![false; source.kinds.len()];
        source.kind.iter().for_each(|&code| occurs[code as usize] = true);
        let (ranks, names) = ranks(&source.kinds);
        let mut by_name: Vec<usize> = (0..ranks.len()).filter(|&code| occurs[code]).collect();
        by_name.sort_unstable_by_key(|&code| ranks[code]);
        let mut positions = vec![0; ranks.len()];
        for code in by_name {
            let name = &names[ranks[code] as usize];
            let position = kinds.iter().position(|kind| kind == name).unwrap_or_else(|| {
                kinds.push(name.clone());
                kinds.len() - 1
            });
            positions[code] = u32::try_from(position).expect("fewer kinds than codes");
        }
        if kinds.len() > 10_000 {
            let column = source.spec.event.clone().unwrap_or_default();
            return Err(Error::data(format!(
                "events.{}: column `{column}` names more than 10,000 kinds of events",
                source.spec.name
            ))
            .hint("`event` must name a column of few names; keep this one as a property"));
        }
        source.kind.par_iter_mut().for_each(|code| *code = positions[*code as usize]);
    }
    Ok(kinds)
}

fn renumbered(sources: &mut [EventGather<'_>], people: &Positions) -> Vec<u32> {
    let mut person = concat(sources.iter_mut().map(|source| std::mem::take(&mut source.person)));
    person.par_iter_mut().for_each(|code| {
        *code = people.of_code[*code as usize];
        debug_assert_ne!(*code, NOBODY, "every event's person was marked as used");
    });
    person
}

/// When rows were known, where some source says so; a row that does not say was known at once.
fn known_at(sources: &mut [EventGather<'_>]) -> Option<Vec<i64>> {
    if sources.iter().all(|source| source.known_clock.is_none()) {
        return None;
    }
    let known = sources.iter_mut().map(|source| {
        let told = std::mem::take(&mut source.known_at);
        if told.is_empty() {
            return source.time.clone();
        }
        told.into_iter().zip(&source.time).map(|(known, &time)| if known == MISSING { time } else { known }).collect()
    });
    Some(concat(known))
}

/// The properties of all sources by order of appearance; those of the same name share a column.
fn properties(sources: &mut [EventGather<'_>]) -> Vec<Property> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in sources.iter().flat_map(|source| &source.properties) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let gather = |name: String| {
        let parts = sources.iter_mut().map(|source| {
            let at = source.properties.iter().position(|(known, _)| *known == name);
            (at.map(|at| source.properties.swap_remove(at).1.finish()), source.time.len())
        });
        Property { values: concatenate(parts.collect()), name }
    };
    names.into_iter().map(gather).collect()
}

fn compare(values: &Values, a: usize, b: usize) -> Ordering {
    match values {
        Values::Number(values) => values[a].total_cmp(&values[b]),
        Values::Category { codes, .. } => codes[a].cmp(&codes[b]),
        Values::Time(values) => values[a].cmp(&values[b]),
    }
}

fn sorted(property: Property, rows: &[u32]) -> Property {
    let values = match property.values {
        Values::Number(values) => Values::Number(take(values, rows)),
        Values::Category { codes, levels } => Values::Category { codes: take(codes, rows), levels },
        Values::Time(values) => Values::Time(take(values, rows)),
    };
    Property { name: property.name, values }
}
