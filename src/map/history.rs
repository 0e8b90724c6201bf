//! Stage history: one row per stay of a person in a stage.
//!
//! In: people, their events in order, the stages. Out: [`Stays`]. Over events each person goes through a state machine:
//! before an event the moves that time makes are made (silences, spans), then the event takes the person out by an exit of
//! the stage, or into the last declared stage whose rule claims it and which may be entered from there. In a snapshot each person has one stay.
//! What happens at or after the end of observation is left out.

use std::ops::Range;

use polars::prelude::{DataFrame, IdxCa, NewChunkedArray as _};
use rayon::prelude::*;

use super::claims::{Claims, Need};
use super::machine::{Heard, Machine};
use super::masks::MAX_STAGES;
use super::rules::Condition;
use super::triggers::Triggers;
use crate::error::{Error, Result};
use crate::source::Data;
use crate::spec::{Cause, Exit, Rule, Shape, Spec};
use crate::time::Time;

/// No event brought the person here: an attribute or the start did.
pub const BY_START: u16 = u16::MAX;
/// No event brought the person here: silence did.
pub const BY_SILENCE: u16 = u16::MAX - 1;
/// No event brought the person here: the stage before was left when its span was over.
pub const BY_SPAN: u16 = u16::MAX - 2;

/// How many events or people are worked on at a time.
const CHUNK: usize = 1 << 18;

/// Who stood in which stage when.
///
/// # Errors
/// A spec error when a rule cannot be read, names a column or a kind of event that is not there, or is no condition.
pub fn history(data: &Data, spec: &Spec) -> Result<Stays> {
    walk(data, spec).map(|(stays, _)| stays)
}

/// The history, and which rules claimed what on the way.
pub(crate) fn walk(data: &Data, spec: &Spec) -> Result<(Stays, Claims)> {
    let n = spec.stages.len();
    if n > MAX_STAGES {
        return Err(Error::spec(format!("a lifecycle holds at most {MAX_STAGES} stages; this one has {n}"))
            .hint("take stages together that no decision needs apart"));
    }
    match spec.shape() {
        Shape::Events => walk_events(data, spec, CHUNK),
        Shape::Snapshot => read_snapshot(data, spec),
    }
}

/// The history of events, about `chunk` of them at a time.
pub(crate) fn walk_events(data: &Data, spec: &Spec, chunk: usize) -> Result<(Stays, Claims)> {
    let (enters, exits) = triggers(data, spec)?;
    let machine = Machine::new(data, spec);
    let parts: Vec<Result<Part>> = chunks(&data.events.offsets, chunk)
        .into_par_iter()
        .map(|people| {
            let entered = enters.of(people.clone())?;
            let left = exits.as_ref().map(|exits| exits.of(people.clone())).transpose()?.unwrap_or_default();
            let mut claims = Claims::new(spec.stages.len());
            claims.exits_held = left.masks.iter().fold(0, |held, mask| held | mask);
            let first = data.events.offsets[people.start] as usize;
            let mut stays = Stays::with_capacity(2 * people.len(), people.len());
            for person in people {
                let rows = data.events.of(person);
                let here = rows.start - first..rows.end - first;
                let masks = &entered.masks[here.clone()];
                claims.count(person, masks);
                let heard = Heard {
                    times: &data.events.time[rows.clone()],
                    kinds: &data.events.kind[rows],
                    enters: masks,
                    exits: left.masks.get(here).unwrap_or_default(),
                };
                machine.walk(person, heard, &mut stays, &mut claims);
            }
            Ok(Part { stays, claims, held: [entered.held, left.held] })
        })
        .collect();
    // One after the other, so that of several errors it is always the same one that is told.
    let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
    let mut stays = Stays::with_capacity(parts.iter().map(|part| part.stays.len()).sum(), data.people.len());
    let mut claims = Claims::new(spec.stages.len());
    let mut held: [Vec<u32>; 2] = Default::default();
    for part in &parts {
        stays.append(&part.stays);
        claims.add(&part.claims);
        for (held, more) in held.iter_mut().zip(&part.held) {
            held.resize(more.len(), 0);
            held.iter_mut().zip(more).for_each(|(held, more)| *held |= more);
        }
    }
    for (triggers, held) in [Some(&enters), exits.as_ref()].into_iter().flatten().zip(&held) {
        claims.unfulfilled.extend(triggers.unfulfilled(held));
        for rules in triggers.rules() {
            claims.unknown_kinds.extend_from_slice(rules.unknown_kinds());
            claims.needs.extend_from_slice(rules.needs());
        }
    }
    Ok((stays, claims))
}

/// What came of some people.
struct Part {
    stays: Stays,
    claims: Claims,
    /// For each trigger of several events, to enter and to exit, which of its parts ever held.
    held: [Vec<u32>; 2],
}

/// The triggers that enter stages and, if there are any, those that take people out; every fault is told at once.
fn triggers<'a>(data: &'a Data, spec: &Spec) -> Result<(Triggers<'a>, Option<Triggers<'a>>)> {
    let by_event = |exit: &Exit| matches!(exit.cause, Cause::On(_));
    let has_exits = spec.stages.iter().any(|stage| stage.exits.iter().any(by_event));
    match (Triggers::enter(data, spec), has_exits.then(|| Triggers::exit(data, spec)).transpose()) {
        (Ok(enter), Ok(exit)) => Ok((enter, exit)),
        (enter, exit) => {
            let errors = [enter.err(), exit.err()].into_iter().flatten().collect();
            Err(Error::all(errors).expect("one of them failed"))
        }
    }
}

/// People who stand side by side, about `size` events or people at a time. How they are parted depends on the data alone,
/// not on the number of threads.
fn chunks(offsets: &[u32], size: usize) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for end in 1..offsets.len() {
        let n_events = (offsets[end] - offsets[start]) as usize;
        if n_events >= size || end - start >= size || end + 1 == offsets.len() {
            chunks.push(start..end);
            start = end;
        }
    }
    chunks
}

/// A stay per person: the last declared stage whose `when` holds, else the start stage.
fn read_snapshot(data: &Data, spec: &Spec) -> Result<(Stays, Claims)> {
    let attributes = &data.people.attributes;
    let mut masks = vec![0_u32; data.people.len()];
    let mut errors = Vec::new();
    let mut needs = Vec::new();
    for (stage, what) in spec.stages.iter().enumerate() {
        let Rule::When(rule) = &what.rule else { continue };
        let asked =
            Condition::new(rule, &format!("the `when` of stage `{}`", what.name), attributes).and_then(|condition| {
                let needed = condition.columns_that_must_be_known().into_iter();
                needs.extend(needed.map(|column| Need { stage, column, kinds: Vec::new() }));
                condition.holds(&of_people(data, condition.columns())?)
            });
        match asked {
            Ok(holds) => masks.iter_mut().zip(holds).for_each(|(mask, holds)| *mask |= u32::from(holds) << stage),
            Err(error) => errors.push(error.at(spec.excerpt(&format!("lifecycle.stages[{stage}].when")))),
        }
    }
    if let Some(error) = Error::all(errors) {
        return Err(error);
    }
    let start = spec.stages.iter().position(|stage| stage.rule == Rule::Start);
    let mut stays = Stays::with_capacity(masks.len(), masks.len());
    let mut claims = Claims::new(spec.stages.len());
    for (person, &mask) in masks.iter().enumerate() {
        let stage = mask.checked_ilog2().map(|stage| stage as usize).or(start);
        if let Some(stage) = stage {
            stays.enter(u16::try_from(stage).expect("there are at most 32 stages"), i64::MIN, BY_START);
        }
        stays.next_person();
        claims.count(person, &[mask]);
    }
    claims.needs = needs;
    Ok((stays, claims))
}

/// Some attributes, one row per person: the latest.
fn of_people(data: &Data, columns: &[String]) -> Result<DataFrame> {
    let people = &data.people;
    let latest = |person| {
        people.row(person, Time::NEVER).map(|row| u32::try_from(row).expect("attribute rows are counted in 32 bits"))
    };
    let rows = IdxCa::from_iter_options("row".into(), (0..people.len()).map(latest));
    let columns = columns.iter().map(|name| Ok(people.attributes.column(name)?.take(&rows)?)).collect::<Result<_>>()?;
    Ok(DataFrame::new(people.len(), columns)?)
}

/// Stays sorted by person and time. The stays of a person follow each other without a gap: the next one is entered at
/// the instant the one before is left, and the last one is not left. A person is in exactly one stage at any time: a
/// stage that one event enters and another leaves at the same instant is kept as a stay of no length, because the
/// person did reach it, and [`Stays::at`] never finds it. The start stage has no such stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stays {
    /// The stage, a position in the spec's stages.
    pub stage: Vec<u16>,
    /// When it was entered, microseconds; `i64::MIN` in a snapshot, which has no times: it has always held.
    pub entered: Vec<i64>,
    /// When it was left; `i64::MAX`: still there.
    pub left: Vec<i64>,
    /// The kind of event that brought the person here ([`crate::source::Events::kinds`]), [`BY_START`],
    /// [`BY_SILENCE`] or [`BY_SPAN`].
    pub trigger: Vec<u16>,
    /// The stays of person `p` are the rows `offsets[p]..offsets[p + 1]`. People whom no rule took in,
    /// where there is no start stage, have none, and people whose first event comes after the end.
    pub offsets: Vec<u32>,
}

impl Stays {
    /// How many stays there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stage.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stage.is_empty()
    }

    /// The rows of one person's stays, in time order.
    #[must_use]
    pub fn of(&self, person: usize) -> Range<usize> {
        self.offsets[person] as usize..self.offsets[person + 1] as usize
    }

    /// The row of the stay that a person was in just before `cutoff`: `entered < cutoff <= left`.
    #[must_use]
    pub fn at(&self, person: usize, cutoff: Time) -> Option<usize> {
        self.of(person).rev().find(|&row| self.entered[row] < cutoff.0)
    }

    /// An empty history with room.
    fn with_capacity(n_stays: usize, n_people: usize) -> Self {
        let mut offsets = Vec::with_capacity(n_people + 1);
        offsets.push(0);
        Self {
            stage: Vec::with_capacity(n_stays),
            entered: Vec::with_capacity(n_stays),
            left: Vec::with_capacity(n_stays),
            trigger: Vec::with_capacity(n_stays),
            offsets,
        }
    }

    /// Adds a stay that has not ended to the person whose stays are being written.
    pub(crate) fn enter(&mut self, stage: u16, at: i64, trigger: u16) {
        self.stage.push(stage);
        self.entered.push(at);
        self.left.push(Time::NEVER.0);
        self.trigger.push(trigger);
    }

    /// Ends the stays of one person: what follows belongs to the next.
    pub(crate) fn next_person(&mut self) {
        self.offsets.push(u32::try_from(self.len()).expect("stays are counted in 32 bits"));
    }

    /// Adds the stays of the people who come after those of this one.
    fn append(&mut self, other: &Self) {
        let before = u32::try_from(self.len()).expect("stays are counted in 32 bits");
        self.stage.extend_from_slice(&other.stage);
        self.entered.extend_from_slice(&other.entered);
        self.left.extend_from_slice(&other.left);
        self.trigger.extend_from_slice(&other.trigger);
        self.offsets.extend(other.offsets[1..].iter().map(|offset| before + offset));
    }
}
