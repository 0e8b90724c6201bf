//! The source catalogue: for each cell of the lifecycle table (a stage, and an attribute or a kind of event that its rules
//! look at) the table and column that hold it, the system they came from, for how many of the stage's people it is there,
//! and how fresh it is.
//!
//! The column behind an attribute or a time of a query is found in the query's text: the columns in the expression before
//! `AS name`, else a column of that name in one of the query's tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::Column;
use serde::Serialize;

use crate::error::Result;
use crate::map::{self, Lifecycle, Stays};
use crate::rate::Rate;
use crate::source::{ColumnProfile, Data};
use crate::spec::{EventSource, Rows, Spec};
use crate::store;
use crate::time::Time;

/// `catalogue.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Catalogue {
    /// Version of this format.
    pub format_version: u32,
    /// The tables that were read, by name.
    pub tables: Vec<TableSource>,
    /// The cells, in the order of the stages.
    pub cells: Vec<Cell>,
}

/// A table that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableSource {
    /// Its name.
    pub table: String,
    /// The kind of system it came from, if the spec tells.
    pub system: Option<String>,
    /// The sources that read it: `people.buyers`, `events.purchase`.
    pub read_by: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// Its columns.
    pub columns: u64,
    /// The latest day or instant in it that does not lie after the end of observation.
    pub latest: Option<String>,
}

/// A cell of the lifecycle table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// The stage.
    pub stage: String,
    /// `attribute`, `entry event` or `exit event`.
    pub role: &'static str,
    /// The attribute or the kind of event.
    pub name: String,
    /// Where it is held.
    pub held_in: Vec<Place>,
    /// People who were ever in the stage.
    pub n_people: u64,
    /// Those of them who have a value, or such an event.
    pub n_covered: u64,
    /// Their share; `None` for a stage where nobody ever was.
    pub coverage: Option<f64>,
    /// When it was last seen: the last such event, or the latest time in the attribute's table.
    pub last_seen: Option<String>,
    /// Days from then to the end of observation.
    pub age_days: Option<f64>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The table.
    pub table: String,
    /// The column; `None` where the query derives it from none that could be told.
    pub column: Option<String>,
    /// The kind of system it came from, if the spec tells.
    pub system: Option<String>,
}

/// Draws up the catalogue and writes it.
///
/// # Errors
/// When the file cannot be written.
pub fn write_catalogue(path: &Path, data: &Data, spec: &Spec, stays: &Stays) -> Result<()> {
    let table = map::lifecycle::lifecycle(data, spec, stays, &[]);
    store::write_json(path, &catalogue(data, spec, stays, &table))
}

/// The catalogue of a lifecycle.
#[must_use]
pub fn catalogue(data: &Data, spec: &Spec, stays: &Stays, lifecycle: &Lifecycle) -> Catalogue {
    let finder = Finder { data, spec };
    let seen = seen(data, lifecycle);
    let mut cells = Vec::new();
    for (stage, row) in lifecycle.stages.iter().enumerate() {
        let people = ever_in(stays, stage);
        let cell = |role, name: &str, places: Vec<Place>, n_covered: usize, last_seen: Option<Time>| {
            let rate = Rate::new(n_covered, people.len());
            Cell {
                stage: row.stage.clone(),
                role,
                name: name.to_owned(),
                held_in: places,
                n_people: people.len() as u64,
                n_covered: n_covered as u64,
                coverage: rate.share(),
                last_seen: last_seen.map(|time| time.to_string()),
                age_days: last_seen.map(|time| data.end.days_since(time).max(0.0)),
            }
        };
        for name in &row.attributes {
            let places = finder.attribute(name);
            let n_covered = data.people.attributes.column(name).map_or(0, |column| n_with(column, data, &people));
            let latest = places.iter().filter_map(|place| finder.latest(&place.table)).max();
            cells.push(cell("attribute", name, places, n_covered, latest));
        }
        for (role, kinds) in [("entry event", &row.entry_events), ("exit event", &row.exit_events)] {
            for name in kinds {
                let Some(seen) = seen.get(name.as_str()) else { continue };
                let n_covered = people.iter().filter(|&&person| seen.by[person]).count();
                cells.push(cell(role, name, finder.kind(name), n_covered, Some(seen.last)));
            }
        }
    }
    Catalogue { format_version: 1, tables: finder.tables(), cells }
}

/// Who had an event of a kind, and when the last one was.
struct Seen {
    by: Vec<bool>,
    last: Time,
}

/// The kinds of events that the lifecycle table names, in one pass.
fn seen<'m>(data: &Data, lifecycle: &'m Lifecycle) -> BTreeMap<&'m str, Seen> {
    let stages = lifecycle.stages.iter();
    let names: BTreeSet<&str> =
        stages.flat_map(|row| row.entry_events.iter().chain(&row.exit_events)).map(String::as_str).collect();
    let mut all: Vec<Option<Seen>> = data
        .events
        .kinds
        .iter()
        .map(|kind| {
            let by = vec![false; if names.contains(kind.as_str()) { data.people.len() } else { 0 }];
            (!by.is_empty()).then_some(Seen { by, last: Time(i64::MIN) })
        })
        .collect();
    for (row, &kind) in data.events.kind.iter().enumerate() {
        if let Some(seen) = &mut all[usize::from(kind)] {
            seen.by[data.events.person[row] as usize] = true;
            seen.last = seen.last.max(Time(data.events.time[row]));
        }
    }
    let found = |name: &'m str| Some((name, all[usize::from(data.events.kind(name)?)].take()?));
    names.into_iter().filter_map(found).collect()
}

/// The people who were ever in a stage.
fn ever_in(stays: &Stays, stage: usize) -> Vec<usize> {
    let people = 0..stays.offsets.len().saturating_sub(1);
    let was = |person: &usize| stays.of(*person).any(|row| usize::from(stays.stage[row]) == stage);
    people.filter(was).collect()
}

/// How many of the people have a value in a column of attributes.
fn n_with(column: &Column, data: &Data, people: &[usize]) -> usize {
    let is_there = column.is_not_null();
    let has = |person: &&usize| {
        let rows = data.people.offsets[**person] as usize..data.people.offsets[**person + 1] as usize;
        rows.into_iter().any(|row| is_there.get(row) == Some(true))
    };
    people.iter().filter(has).count()
}

/// Finds where things are held.
struct Finder<'d> {
    data: &'d Data,
    spec: &'d Spec,
}

impl<'d> Finder<'d> {
    fn attribute(&self, name: &str) -> Vec<Place> {
        let places = self.spec.people.iter().flat_map(|people| self.column(&people.rows, name));
        sorted(places)
    }

    /// The tables that give a kind of event: those of the source of that name, else of sources that name kinds in a column.
    fn kind(&self, name: &str) -> Vec<Place> {
        let sources = || self.spec.events.iter();
        let has_own = sources().any(|source| source.event.is_none() && source.name == name);
        let gives = |source: &&EventSource| source.event.is_some() != has_own && (!has_own || source.name == name);
        sorted(sources().filter(gives).flat_map(|source| {
            let column = source.event.as_deref().unwrap_or(&source.time.column);
            self.column(&source.rows, column)
        }))
    }

    fn column(&self, rows: &Rows, name: &str) -> Vec<Place> {
        match rows {
            Rows::Table(table) => {
                let is_there = self.profiles(table).any(|profile| profile.column == name);
                is_there.then(|| self.place(table, Some(name))).into_iter().collect()
            }
            Rows::Sql(query) => {
                let tables = self.tables_of(query);
                let named = |column: &str| -> Vec<Place> {
                    let holders =
                        tables.iter().filter(|table| self.profiles(table).any(|profile| profile.column == column));
                    holders.map(|table| self.place(table, Some(column))).collect()
                };
                let behind: Vec<Place> =
                    columns_behind(query, name).into_iter().flat_map(|column| named(&column)).collect();
                let found = if behind.is_empty() { named(name) } else { behind };
                if found.is_empty() { tables.iter().map(|table| self.place(table, None)).collect() } else { found }
            }
        }
    }

    fn profiles(&self, table: &str) -> impl Iterator<Item = &'d ColumnProfile> {
        self.data.profiles.iter().filter(move |profile| profile.table == table)
    }

    fn tables_of(&self, query: &str) -> Vec<&'d String> {
        let words: BTreeSet<&str> = query.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        self.spec.tables.keys().filter(|table| words.contains(table.as_str())).collect()
    }

    fn place(&self, table: &str, column: Option<&str>) -> Place {
        let system = self.spec.tables.get(table).and_then(|table| table.system.clone());
        Place { table: table.to_owned(), column: column.map(str::to_owned), system }
    }

    /// The latest time in a table that does not lie after the end of observation: as its columns hold it, or, where their
    /// times are texts, as its events were read.
    fn latest(&self, table: &str) -> Option<Time> {
        self.latest_in_columns(table).or_else(|| self.latest_event(table))
    }

    fn latest_event(&self, table: &str) -> Option<Time> {
        let is_own = |source: &&EventSource| {
            source.event.is_none() && matches!(&source.rows, Rows::Table(name) if name == table)
        };
        let kinds: Vec<u16> =
            self.spec.events.iter().filter(is_own).filter_map(|source| self.data.events.kind(&source.name)).collect();
        let events = self.data.events.kind.iter().zip(&self.data.events.time);
        let latest = events.filter(|(kind, _)| kinds.contains(kind)).map(|(_, &time)| Time(time)).max();
        latest.filter(|_| !kinds.is_empty())
    }

    fn latest_in_columns(&self, table: &str) -> Option<Time> {
        let latest = self.profiles(table).filter_map(|profile| {
            let is_time = matches!(profile.column_type.as_str(), "date" | "datetime");
            profile.max.as_ref().filter(|_| is_time)?.parse().ok()
        });
        latest.filter(|time| *time <= self.data.end).max()
    }

    fn tables(&self) -> Vec<TableSource> {
        let mut read_by: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let people = self.spec.people.iter().map(|people| (format!("people.{}", people.name), &people.rows));
        let events = self.spec.events.iter().map(|events| (format!("events.{}", events.name), &events.rows));
        for (name, rows) in people.chain(events) {
            match rows {
                Rows::Table(table) => read_by.entry(table).or_default().push(name),
                Rows::Sql(query) => {
                    for table in self.tables_of(query) {
                        read_by.entry(table).or_default().push(name.clone());
                    }
                }
            }
        }
        let source = |(table, read_by): (&str, Vec<String>)| TableSource {
            table: table.to_owned(),
            system: self.spec.tables.get(table).and_then(|table| table.system.clone()),
            read_by,
            rows: self.data.inputs.iter().filter(|input| input.table == table).map(|input| input.rows).sum(),
            columns: self.profiles(table).count() as u64,
            latest: self.latest(table).map(|time| time.to_string()),
        };
        read_by.into_iter().map(source).collect()
    }
}

fn sorted(places: impl Iterator<Item = Place>) -> Vec<Place> {
    places.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The names in the expression that a query calls `name`.
fn columns_behind(query: &str, name: &str) -> Vec<String> {
    let words: Vec<(usize, &str)> = words(query);
    let is_called = |pair: &[(usize, &str)]| pair[0].1.eq_ignore_ascii_case("as") && pair[1].1 == name;
    let Some(at) = words.windows(2).position(is_called) else { return Vec::new() };
    // The expression begins behind the nearest comma outside of brackets, or SELECT.
    let end = words[at].0;
    let mut depth = 0_i32;
    let comma = query[..end].char_indices().rev().find(|(_, sign)| {
        depth += i32::from(*sign == ')') - i32::from(*sign == '(');
        depth < 0 || (depth == 0 && *sign == ',')
    });
    let comma = comma.map_or(0, |(at, _)| at + 1);
    let select = words[..at]
        .iter()
        .rev()
        .find(|(_, word)| word.eq_ignore_ascii_case("select"))
        .map_or(0, |(at, word)| at + word.len());
    let inside = words[..at].iter().filter(|(at, _)| *at >= comma.max(select));
    inside.map(|(_, word)| word.rsplit('.').next().unwrap_or(word).to_owned()).collect()
}

/// The words of a query (names with their dots, without their quotes) and where each begins.
fn words(query: &str) -> Vec<(usize, &str)> {
    let is_part = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '.');
    let mut words = Vec::new();
    let mut start = None;
    for (at, sign) in query.char_indices().chain([(query.len(), ' ')]) {
        match (is_part(sign), start) {
            (true, None) => start = Some(at),
            (false, Some(begun)) => {
                words.push((begun, &query[begun..at]));
                start = None;
            }
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_behind_a_name_are_found_in_the_query() {
        let query = "SELECT o.customer AS person, o.bought_at AS time, SUM(p.value * 1.1) AS amount, state FROM orders o JOIN payments p ON o.id = p.id";
        assert_eq!(columns_behind(query, "person"), ["customer"]);
        assert_eq!(columns_behind(query, "time"), ["bought_at"]);
        assert_eq!(columns_behind(query, "amount")[..2], ["SUM".to_owned(), "value".to_owned()]);
        assert_eq!(columns_behind(query, "state"), Vec::<String>::new());
    }
}
