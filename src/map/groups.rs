//! By what people are told apart: the attributes and event properties of `lifecycle.by`, and months of entry.
//!
//! An attribute's value is the latest; of a property it is the person's first. The commonest eight values stand for
//! themselves, the others together as "(other)", people without one as "(none)".

use polars::prelude::{DataType, PlSmallStr};

use super::history::Stays;
use super::transitions::n_people;
use crate::error::{Error, Result, did_you_mean};
use crate::source::events::NO_LEVEL;
use crate::source::{Data, Values};
use crate::spec::Spec;
use crate::time::Time;

/// The values that stand for themselves.
const N_LEVELS: usize = 8;
const OTHER: &str = "(other)";
const NONE: &str = "(none)";

/// People told apart by one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grouping {
    /// The attribute or property.
    pub(crate) name: String,
    /// Its values, the commonest first, then those for the others and for none, where there are such people.
    pub(crate) levels: Vec<String>,
    /// A position in `levels` for each person.
    pub(crate) of: Vec<u16>,
}

/// The groupings that the spec names.
///
/// # Errors
/// A spec error when there is no such attribute or property, or it has no classes.
pub(crate) fn groupings(data: &Data, spec: &Spec) -> Result<Vec<Grouping>> {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for (position, name) in spec.measures.by.iter().enumerate() {
        match values(data, name) {
            Ok(values) => found.push(group(name, &values)),
            Err(error) => errors.push(error.at(spec.excerpt(&format!("lifecycle.by[{position}]")))),
        }
    }
    Error::all(errors).map_or(Ok(found), Err)
}

/// The value of each person.
fn values(data: &Data, name: &str) -> Result<Vec<Option<String>>> {
    let people = &data.people;
    if let Ok(column) = people.attributes.column(name) {
        if column.dtype().is_float() || column.dtype().is_temporal() {
            return Err(no_classes(name));
        }
        let texts = column.cast(&DataType::String)?;
        let texts = texts.str()?;
        let latest = |person| people.row(person, Time::NEVER).and_then(|row| texts.get(row)).map(str::to_owned);
        return Ok((0..people.len()).map(latest).collect());
    }
    let events = &data.events;
    let Some(property) = events.properties.iter().find(|property| property.name == name) else {
        return Err(unknown(data, name));
    };
    let Values::Category { codes, levels } = &property.values else { return Err(no_classes(name)) };
    let first = |person| {
        let code = codes[events.of(person)].iter().find(|&&code| code != NO_LEVEL)?;
        Some(levels[*code as usize].clone())
    };
    Ok((0..people.len()).map(first).collect())
}

fn no_classes(name: &str) -> Error {
    Error::spec(format!("`lifecycle.by` names `{name}`, whose values are numbers or times, not classes"))
        .hint(format!("make classes of it in the source's SQL: CASE WHEN {name} < … THEN 'low' ELSE 'high' END"))
}

fn unknown(data: &Data, name: &str) -> Error {
    let attributes = data.people.attributes.get_column_names().into_iter().map(PlSmallStr::as_str);
    let known: Vec<&str> =
        attributes.chain(data.events.properties.iter().map(|property| property.name.as_str())).collect();
    let error = Error::spec(format!("`lifecycle.by` names `{name}`, and there is no such attribute or property"));
    match did_you_mean(name, known.iter().copied()) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error.hint(format!("there are {}", known.join(", "))),
    }
}

fn group(name: &str, values: &[Option<String>]) -> Grouping {
    let mut sorted: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
    sorted.sort_unstable();
    let mut counted: Vec<(usize, &str)> = sorted.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
    counted.sort_by_key(|&(n, value)| (std::cmp::Reverse(n), value));
    let n_own = if counted.len() > N_LEVELS + 1 { N_LEVELS } else { counted.len() };
    let mut levels: Vec<String> = counted[..n_own].iter().map(|(_, value)| (*value).to_owned()).collect();
    let mut own: Vec<(&str, u16)> = counted[..n_own].iter().map(|(_, value)| *value).zip(0..).collect();
    own.sort_unstable();
    let place = |levels: &mut Vec<String>, name: &str| {
        let there = levels[n_own..].iter().position(|level| level == name).map(|position| n_own + position);
        let position = there.unwrap_or_else(|| {
            levels.push(name.to_owned());
            levels.len() - 1
        });
        u16::try_from(position).expect("a grouping has few levels")
    };
    let of = values.iter().map(|value| match value {
        None => place(&mut levels, NONE),
        Some(value) => match own.binary_search_by_key(&value.as_str(), |(level, _)| level) {
            Ok(found) => own[found].1,
            Err(_) => place(&mut levels, OTHER),
        },
    });
    let of = of.collect();
    Grouping { name: name.to_owned(), levels, of }
}

/// The calendar months from the first entry to the end of observation: month `m` is `[starts[m], starts[m + 1])`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Months {
    /// Where each begins, and where the last ends.
    pub(crate) starts: Vec<i64>,
    /// Their names: `2017-03`.
    pub(crate) names: Vec<String>,
}

impl Months {
    pub(crate) fn new(stays: &Stays, end: Time) -> Self {
        let first = stays.entered.iter().min().copied().unwrap_or(end.0);
        let month = "1mo".parse().expect("a month is a duration");
        let civil = Time(first).civil().map(|at| at.date().first_of_month());
        let mut start: Time = civil.and_then(|date| date.to_string().parse().ok()).unwrap_or(Time(first));
        let (mut starts, mut names) = (vec![start.0], Vec::new());
        while start < end {
            names.push(start.to_string().chars().take(7).collect());
            start = start.plus(month);
            starts.push(start.0);
        }
        Self { starts, names }
    }

    /// The month of an instant.
    pub(crate) fn of(&self, micros: i64) -> usize {
        self.starts.partition_point(|&start| start <= micros).saturating_sub(1)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

/// The instant at which each person entered the lifecycle; `None`: never.
pub(crate) fn entries(stays: &Stays) -> Vec<Option<i64>> {
    (0..n_people(stays)).map(|person| stays.of(person).next().map(|row| stays.entered[row])).collect()
}
