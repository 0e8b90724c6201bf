//! What SQL rules say of events: for each event a mask with a bit per rule that holds.
//!
//! A rule that names only `event` is asked once per kind of event; one that adds `nth` once per kind and number; only
//! one that names properties or attributes is asked per event, and then only for the kinds for which it can hold, over
//! a table of the columns that it names.

use std::ops::Range;

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, IdxCa, IntoColumn as _, IntoSeries as _, NamedFrom as _,
    NewChunkedArray as _, PlSmallStr, Series, TimeUnit,
};

use super::rules::{Condition, listed};
use crate::error::{Error, Result, did_you_mean};
use crate::source::events::NO_LEVEL;
use crate::source::{Data, Values};
use crate::spec::Spec;
use crate::time::Time;

/// How many stages a mask can tell apart.
pub(crate) const MAX_STAGES: usize = 32;

const EVENT: &str = "event";
const NTH: &str = "nth";

/// A SQL rule over events.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'s> {
    /// Its bit in the masks.
    pub(crate) bit: u32,
    /// The stage that it is about.
    pub(crate) stage: usize,
    /// The SQL.
    pub(crate) rule: &'s str,
    /// What messages call it: "the `enter` rule of stage `x`".
    pub(crate) what: String,
    /// Where the spec says it.
    pub(crate) at: String,
}

/// A column that a rule looks at, and the kinds of events for which it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// The stage that the rule is about.
    pub(crate) stage: usize,
    /// The column.
    pub(crate) column: String,
    /// For each kind, whether the rule can hold for it.
    pub(crate) kinds: Vec<bool>,
}

/// Rules ready to be asked about the events of some data.
#[derive(Debug)]
pub(crate) struct Masks<'a> {
    data: &'a Data,
    /// What rules over `event` alone say of each kind.
    by_kind: Vec<u32>,
    by_nth: Vec<Enter>,
    by_row: Vec<Enter>,
    /// The kinds' names, to look up.
    kinds: Series,
    /// The levels of category properties, to look up; by position of the property.
    levels: Vec<Option<Series>>,
    /// Texts compared with `event`, beside known ones, that no event has.
    unknown_kinds: Vec<(usize, String)>,
    /// Columns of which it matters whether they are known.
    needs: Vec<Need>,
}

/// A rule and its bit.
#[derive(Debug)]
struct Enter {
    bit: u32,
    condition: Condition,
    /// The kinds for which it can hold.
    kinds: Vec<bool>,
}

impl<'a> Masks<'a> {
    /// Reads and checks rules; every fault is told at once.
    pub(crate) fn new(data: &'a Data, spec: &Spec, rules: &[Asked<'_>]) -> Result<Self> {
        let kinds = Series::new(EVENT.into(), &data.events.kinds);
        let levels = data.events.properties.iter().map(|property| levels(&property.values)).collect();
        let mut masks = Self {
            data,
            by_kind: vec![0; data.events.kinds.len()],
            by_nth: Vec::new(),
            by_row: Vec::new(),
            kinds,
            levels,
            unknown_kinds: Vec::new(),
            needs: Vec::new(),
        };
        let columns = masks.all_columns()?;
        let mut errors = Vec::new();
        for asked in rules {
            masks.add(asked, &columns).unwrap_or_else(|error| errors.push(error.at(spec.excerpt(&asked.at))));
        }
        Error::all(errors).map_or(Ok(masks), Err)
    }

    /// Kinds that a rule's list names beside others, and that no event has; with the stage.
    pub(crate) fn unknown_kinds(&self) -> &[(usize, String)] {
        &self.unknown_kinds
    }

    /// The masks of all events of some people who stand side by side.
    pub(crate) fn of(&self, people: Range<usize>) -> Result<Vec<u32>> {
        let events = &self.data.events;
        let rows = events.offsets[people.start] as usize..events.offsets[people.end] as usize;
        let mut masks: Vec<u32> = events.kind[rows.clone()].iter().map(|&kind| self.by_kind[kind as usize]).collect();
        let asks_nth = |enter: &Enter| enter.condition.columns().iter().any(|name| name == NTH);
        let mut nths = Vec::new();
        if !self.by_nth.is_empty() || self.by_row.iter().any(asks_nth) {
            nths = self.nths(people);
        }
        for enter in &self.by_nth {
            self.ask_by_nth(enter, rows.clone(), &nths, &mut masks)?;
        }
        for enter in &self.by_row {
            self.ask_by_row(enter, rows.clone(), &nths, &mut masks)?;
        }
        Ok(masks)
    }

    /// Columns of which it matters whether they are known.
    pub(crate) fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn add(&mut self, asked: &Asked<'_>, columns: &DataFrame) -> Result<()> {
        let condition = Condition::new(asked.rule, &asked.what, columns)?;
        self.check_kinds(asked.stage, &condition, &asked.what)?;
        let each_kind = DataFrame::new(self.kinds.len(), vec![self.kinds.clone().into_column()])?;
        let kinds = condition.may_hold(&each_kind)?;
        let bit = asked.bit;
        let names_only = |some: &[&str]| condition.columns().iter().all(|name| some.contains(&name.as_str()));
        if names_only(&[EVENT]) {
            for (mask, holds) in self.by_kind.iter_mut().zip(&kinds) {
                *mask |= if *holds { bit } else { 0 };
            }
        } else if names_only(&[EVENT, NTH]) {
            self.by_nth.push(Enter { bit, condition, kinds });
        } else {
            let needed = condition.columns_that_must_be_known().into_iter();
            let needed = needed.filter(|column| column != EVENT && column != NTH);
            self.needs.extend(needed.map(|column| Need { stage: asked.stage, column, kinds: kinds.clone() }));
            self.by_row.push(Enter { bit, condition, kinds });
        }
        Ok(())
    }

    /// Refuses a text compared with `event` that is no kind of event: a rule that could never hold.
    fn check_kinds(&mut self, stage: usize, condition: &Condition, what: &str) -> Result<()> {
        let known: Vec<&str> = self.data.events.kinds.iter().map(String::as_str).collect();
        let mut errors = Vec::new();
        for (texts, in_list) in condition.texts_compared_with(EVENT) {
            let (found, unknown): (Vec<_>, Vec<_>) = texts.into_iter().partition(|text| known.contains(&text.as_str()));
            if in_list && !found.is_empty() {
                self.unknown_kinds.extend(unknown.into_iter().map(|text| (stage, text)));
                continue;
            }
            errors.extend(unknown.iter().map(|text| {
                let mut error = Error::spec(format!("{what} asks for event '{text}', and no event is of that kind"));
                if let Some(meant) = did_you_mean(text, known.iter().copied()) {
                    error = error.hint(format!("did you mean '{meant}'?"));
                }
                error.hint(format!("the events are {}", listed(&known)))
            }));
        }
        Error::all(errors).map_or(Ok(()), Err)
    }

    /// Every column that a rule can name, without rows. A property hides an attribute of the same name.
    fn all_columns(&self) -> Result<DataFrame> {
        let mut names = vec![EVENT.to_owned(), NTH.to_owned()];
        let properties = self.data.events.properties.iter().map(|property| property.name.as_str());
        let attributes = self.data.people.attributes.get_column_names().into_iter().map(PlSmallStr::as_str);
        for name in properties.chain(attributes) {
            if names.iter().all(|known| known != name) {
                names.push(name.to_owned());
            }
        }
        let columns = names.iter().map(|name| self.column(name, &[], 0, &[])).collect::<Result<_>>()?;
        Ok(DataFrame::new(0, columns)?)
    }

    /// For each event of some people: the how-manieth of its kind it is for its person, from 1.
    fn nths(&self, people: Range<usize>) -> Vec<u32> {
        let events = &self.data.events;
        let mut nths = Vec::with_capacity((events.offsets[people.end] - events.offsets[people.start]) as usize);
        let mut seen = vec![0_u32; events.kinds.len()];
        for person in people {
            let kinds = &events.kind[events.of(person)];
            for &kind in kinds {
                seen[kind as usize] += 1;
                nths.push(seen[kind as usize]);
            }
            for &kind in kinds {
                seen[kind as usize] = 0;
            }
        }
        nths
    }

    /// Asks a rule over `event` and `nth` about each pair of them up to the highest `nth` there is.
    fn ask_by_nth(&self, enter: &Enter, rows: Range<usize>, nths: &[u32], masks: &mut [u32]) -> Result<()> {
        let kinds = &self.data.events.kind[rows];
        let mut highest = vec![0_u32; enter.kinds.len()];
        for (&kind, &nth) in kinds.iter().zip(nths) {
            if enter.kinds[kind as usize] {
                highest[kind as usize] = highest[kind as usize].max(nth);
            }
        }
        let mut starts = Vec::with_capacity(highest.len());
        let (mut kind_of, mut nth_of) = (Vec::new(), Vec::new());
        for (kind, &highest) in (0_u32..).zip(&highest) {
            starts.push(nth_of.len());
            kind_of.resize(kind_of.len() + highest as usize, kind);
            nth_of.extend(1..=i64::from(highest));
        }
        let nth = Series::new(NTH.into(), &nth_of).into_column();
        let pairs = DataFrame::new(nth_of.len(), vec![self.kinds.take_slice(&kind_of)?.into_column(), nth])?;
        let holds = enter.condition.holds(&pairs)?;
        for ((mask, &kind), &nth) in masks.iter_mut().zip(kinds).zip(nths) {
            let kind = kind as usize;
            if enter.kinds[kind] && holds[starts[kind] + nth as usize - 1] {
                *mask |= enter.bit;
            }
        }
        Ok(())
    }

    /// Asks a rule about each event of the kinds for which it can hold.
    fn ask_by_row(&self, enter: &Enter, rows: Range<usize>, nths: &[u32], masks: &mut [u32]) -> Result<()> {
        let first = rows.start;
        let asked: Vec<usize> = rows.filter(|&row| enter.kinds[self.data.events.kind[row] as usize]).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let names = enter.condition.columns().iter();
        let columns = names.map(|name| self.column(name, &asked, first, nths)).collect::<Result<_>>()?;
        let holds = enter.condition.holds(&DataFrame::new(asked.len(), columns)?)?;
        for (row, _) in asked.into_iter().zip(holds).filter(|(_, holds)| *holds) {
            masks[row - first] |= enter.bit;
        }
        Ok(())
    }

    /// A column that rules can name, for some events. `nths[0]` is that of the event in row `first`.
    fn column(&self, name: &str, rows: &[usize], first: usize, nths: &[u32]) -> Result<Column> {
        let events = &self.data.events;
        if name == EVENT {
            let kinds: Vec<u32> = rows.iter().map(|&row| u32::from(events.kind[row])).collect();
            return Ok(self.kinds.take_slice(&kinds)?.into_column());
        }
        if name == NTH {
            let nths: Vec<i64> = rows.iter().map(|&row| i64::from(nths[row - first])).collect();
            return Ok(Series::new(NTH.into(), nths).into_column());
        }
        match events.properties.iter().position(|property| property.name == name) {
            Some(property) => self.property(property, rows),
            None => self.attribute(name, rows),
        }
    }

    fn property(&self, property: usize, rows: &[usize]) -> Result<Column> {
        let name = self.data.events.properties[property].name.as_str();
        let values = match &self.data.events.properties[property].values {
            Values::Number(values) => {
                let present = |&row: &usize| Some(values[row]).filter(|value| !value.is_nan());
                rows.iter().map(present).collect::<polars::prelude::Float64Chunked>().into_series()
            }
            Values::Time(values) => {
                let present = |&row: &usize| Some(values[row]).filter(|&value| value != i64::MIN);
                let micros = rows.iter().map(present).collect::<polars::prelude::Int64Chunked>().into_series();
                micros.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?
            }
            Values::Category { codes, .. } => {
                let present = |&row: &usize| Some(codes[row]).filter(|&code| code != NO_LEVEL);
                let codes = IdxCa::from_iter_options(name.into(), rows.iter().map(present));
                self.levels[property].as_ref().expect("a category has levels").take(&codes)?
            }
        };
        Ok(values.with_name(name.into()).into_column())
    }

    /// An attribute as it was when the event happened.
    fn attribute(&self, name: &str, rows: &[usize]) -> Result<Column> {
        let Data { people, events, .. } = self.data;
        let of_event = |&row: &usize| {
            let at = Time(events.time[row].saturating_add(1));
            let row = people.row(events.person[row] as usize, at)?;
            Some(u32::try_from(row).expect("attribute rows are counted in 32 bits"))
        };
        let rows = IdxCa::from_iter_options(name.into(), rows.iter().map(of_event));
        Ok(people.attributes.column(name)?.take(&rows)?)
    }
}

/// The levels of a category, to be looked up by code. What the source read as true or false is that again.
fn levels(values: &Values) -> Option<Series> {
    let Values::Category { levels, .. } = values else { return None };
    let truth = |level: &String| match level.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let truths: Option<Vec<bool>> = levels.iter().map(truth).collect();
    Some(match truths {
        Some(truths) if !truths.is_empty() => BooleanChunked::from_slice("".into(), &truths).into_series(),
        _ => Series::new("".into(), levels),
    })
}
