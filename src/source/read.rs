//! From a spec to people and events: each table is read once and its batches are handed to all who want them; then the
//! queries run, and each table is dropped after the last query that names it.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::DataFrame;

use super::batch::{Batch, Header, RowNumbers};
use super::files::OpenTable;
use super::gather::{EventGather, PeopleGather, Positions, assemble, merge};
use super::identity::{self, LinkGather, State, resolve};
use super::intern::Interner;
use super::ledger::Ledger;
use super::profile::{ColumnProfile, FULL_UP_TO, ProfileGather, Suspicion};
use super::spend::{self, Spend};
use super::strangers::refuse_strangers;
use super::{Data, Input, later, places, sql};
use crate::error::{Error, Result, did_you_mean};
use crate::spec::{Rows, Spec};
use crate::time::Time;

/// Reads everything that the spec's people and events come from.
///
/// # Errors
/// When a file, a column or a query is not as the spec says, when times are ambiguous, or when most rows of a source
/// cannot be used. Single bad rows are no error: they stand in the ledger.
pub fn read(spec: &Spec) -> Result<Data> {
    read_with(spec, &State::default())
}

/// As [`read`], with the identities that an earlier run kept: who was known keeps their id.
///
/// # Errors
/// As [`read`].
pub fn read_with(spec: &Spec, state: &State) -> Result<Data> {
    Reading::new(spec)?.all(state)
}

/// As [`read_with`], without a look at what the columns hold: there are no profiles and suspicions.
///
/// # Errors
/// As [`read`].
pub fn read_unprofiled(spec: &Spec, state: &State) -> Result<Data> {
    Reading { is_profiled: false, ..Reading::new(spec)? }.all(state)
}

struct Reading<'s> {
    spec: &'s Spec,
    people: Vec<PeopleGather<'s>>,
    events: Vec<EventGather<'s>>,
    links: Vec<LinkGather<'s>>,
    ids: Interner,
    ledger: Ledger,
    inputs: Vec<Input>,
    is_profiled: bool,
    profiles: Vec<ColumnProfile>,
    spend: Option<Spend>,
    suspicions: Vec<Suspicion>,
    /// Tables that queries still to run name.
    frames: BTreeMap<String, DataFrame>,
}

/// A `[people.*]` or `[events.*]` by its place in the spec.
#[derive(Clone, Copy)]
enum Target {
    People(usize),
    Events(usize),
    /// `[spend]`.
    Spend,
}

impl<'s> Reading<'s> {
    fn new(spec: &'s Spec) -> Result<Self> {
        let mut ledger = Ledger::default();
        let people = spec.people.iter().map(|people| {
            PeopleGather::new(people, spec.as_of, &mut ledger)
                .map_err(|error| at(spec, &format!("people.{}", people.name), error))
        });
        let people = people.collect::<Result<_>>()?;
        let events = spec.events.iter().map(|events| {
            let gather = EventGather::new(events, spec, &mut ledger);
            gather.map_err(|error| at(spec, &format!("events.{}.time", events.name), error))
        });
        let events = events.collect::<Result<_>>()?;
        let links =
            spec.identity.links.iter().enumerate().map(|(number, link)| LinkGather::new(link, number)).collect();
        Ok(Self {
            spec,
            people,
            events,
            links,
            ledger,
            ids: Interner::default(),
            inputs: Vec::new(),
            is_profiled: true,
            profiles: Vec::new(),
            spend: None,
            suspicions: Vec::new(),
            frames: BTreeMap::new(),
        })
    }

    fn all(mut self, state: &State) -> Result<Data> {
        self.check_queries()?;
        for name in self.tables_used_directly() {
            self.table(&name)?;
        }
        self.queries()?;
        self.finish(state)
    }

    fn sources(&self) -> impl Iterator<Item = (Target, &'s Rows)> + use<'s> {
        let people = self.spec.people.iter().enumerate().map(|(at, people)| (Target::People(at), &people.rows));
        people.chain(self.spec.events.iter().enumerate().map(|(at, events)| (Target::Events(at), &events.rows)))
    }

    /// The queries in the order of the spec.
    fn sources_by_query(&self) -> Vec<(Target, &'s str)> {
        let query = |(target, rows): (Target, &'s Rows)| match rows {
            Rows::Sql(query) => Some((target, query.as_str())),
            Rows::Table(_) => None,
        };
        let spend = self.spec.measures.spend.iter().map(|spend| (Target::Spend, spend.sql.as_str()));
        self.sources().filter_map(query).chain(spend).collect()
    }

    fn key(&self, target: Target) -> String {
        match target {
            Target::People(at) => format!("people.{}", self.spec.people[at].name),
            Target::Events(at) => format!("events.{}", self.spec.events[at].name),
            Target::Spend => "spend".to_owned(),
        }
    }

    fn tables_of(&self, target: Target, query: &str) -> Result<Vec<&'s str>> {
        sql::tables(query, self.spec.tables.keys()).map_err(|error| self.in_query(target, error))
    }

    fn in_query(&self, target: Target, error: Error) -> Error {
        let key = self.key(target);
        at(self.spec, &format!("{key}.sql"), error.context(&key))
    }

    /// Refuses wrong queries before any file is read.
    fn check_queries(&self) -> Result<()> {
        let check = |(target, query)| self.tables_of(target, query).err();
        Error::all(self.sources_by_query().into_iter().filter_map(check).collect()).map_or(Ok(()), Err)
    }

    fn tables_used_directly(&self) -> BTreeSet<String> {
        let rows = self.sources().filter_map(|(_, rows)| match rows {
            Rows::Table(name) => Some(name.clone()),
            Rows::Sql(_) => None,
        });
        rows.chain(self.spec.identity.links.iter().map(|link| link.table.clone())).collect()
    }

    /// Whether a query names the table.
    fn is_queried(&self, name: &str) -> Result<bool> {
        for (target, query) in self.sources_by_query() {
            if self.tables_of(target, query)?.contains(&name) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a table for everyone who wants it.
    fn table(&mut self, name: &str) -> Result<()> {
        let spec = self.spec;
        let key = format!("tables.{name}");
        let (name, table) = spec
            .tables
            .get_key_value(name)
            .ok_or_else(|| Error::spec(format!("there is no table `{name}` in [tables]")))?;
        let keep = self.is_queried(name)?;
        let is_own = |rows: &Rows| matches!(rows, Rows::Table(table) if table == name);
        let mut people: Vec<_> = self.people.iter_mut().filter(|people| is_own(&people.spec.rows)).collect();
        let mut events: Vec<_> = self.events.iter_mut().filter(|events| is_own(&events.spec.rows)).collect();
        let mut links: Vec<_> = self.links.iter_mut().filter(|link| link.spec.table == *name).collect();

        let formatted = people.iter().flat_map(|people| people.formatted());
        let as_text: Vec<String> =
            formatted.chain(events.iter().flat_map(|events| events.formatted())).map(str::to_owned).collect();
        let open = OpenTable::open(&spec.root, name, table, &as_text).map_err(|error| at(spec, &key, error))?;
        let header = open.header();
        let begun = people.iter().try_for_each(|people| people.begin(&header));
        let begun = begun.and_then(|()| events.iter().try_for_each(|events| events.begin(&header)));
        let begun = begun.and_then(|()| links.iter().try_for_each(|link| link.begin(&header)));
        begun.map_err(|(key, error)| at(spec, &key, error))?;

        let all = keep || !people.is_empty() || open.n_rows() <= FULL_UP_TO;
        let wanted = wanted(&header, all, &events, &links);
        let country = country(spec)?;
        let mut profile = self.is_profiled.then(|| ProfileGather::new(name, open.n_rows(), country));
        let mut frame: Option<DataFrame> = None;
        let ids = &mut self.ids;
        open.read(&wanted, &mut self.ledger, &mut |batch, ledger| {
            let mut gather = || {
                for people in &mut people {
                    let taken = people.take(batch, ids, ledger);
                    taken.map_err(|error| at(spec, &format!("people.{}", people.spec.name), error))?;
                }
                for events in &mut events {
                    let taken = events.take(batch, ids, ledger);
                    taken.map_err(|error| at(spec, &format!("events.{}.time", events.spec.name), error))?;
                }
                links.iter_mut().try_for_each(|link| link.take(batch, ids))
            };
            let (profiled, gathered) =
                rayon::join(|| profile.as_mut().map_or(Ok(()), |profile| profile.take(batch)), &mut gather);
            profiled.and(gathered)?;
            if keep {
                stack(&mut frame, &batch.frame)?;
            }
            Ok(())
        })
        .map_err(|error| at(spec, &key, error))?;
        if let Some(frame) = frame {
            self.frames.insert(name.clone(), frame);
        }
        let (profiles, suspicions) = profile.map(ProfileGather::finish).unwrap_or_default();
        self.profiles.extend(profiles);
        self.suspicions.extend(suspicions);
        self.inputs.extend(open.inputs()?);
        Ok(())
    }

    fn queries(&mut self) -> Result<()> {
        let queries = self.sources_by_query();
        for (number, (target, query)) in queries.iter().enumerate() {
            let named = self.tables_of(*target, query)?;
            for name in named {
                if !self.frames.contains_key(name) {
                    self.table(name)?;
                }
            }
            let frame = sql::run(query, &self.frames).map_err(|error| self.in_query(*target, error))?;
            let mut later = BTreeSet::new();
            for (target, query) in &queries[number + 1..] {
                later.extend(self.tables_of(*target, query)?);
            }
            self.frames.retain(|name, _| later.contains(name.as_str()));
            self.result(*target, frame)?;
        }
        Ok(())
    }

    /// Hands a query's result to the source that asked.
    fn result(&mut self, target: Target, mut frame: DataFrame) -> Result<()> {
        frame.rechunk_mut_par();
        let spec = self.spec;
        let key = self.key(target);
        let names = frame.get_column_names().iter().map(ToString::to_string).collect();
        let header = Header { holder: format!("the query of {key}"), names, unread: Vec::new() };
        let batch = Batch { frame, place: self.ledger.place(&key), rows: RowNumbers::From(1), base: 0 };
        let (ids, ledger) = (&mut self.ids, &mut self.ledger);
        let begun = match target {
            Target::People(number) => self.people[number].begin(&header),
            Target::Events(number) => self.events[number].begin(&header),
            Target::Spend => spec.measures.spend.iter().try_for_each(|spend| spend::begin(spend, &header)),
        };
        begun.map_err(|(key, error)| at(spec, &key, error))?;
        let taken = match target {
            Target::People(number) => self.people[number].take(&batch, ids, ledger),
            Target::Events(number) => self.events[number].take(&batch, ids, ledger),
            Target::Spend => {
                let of = spec.measures.spend.as_ref().map(|spend| spend::take(spend, &batch, ledger));
                of.transpose().map(|spend| self.spend = spend)
            }
        };
        taken.map_err(|error| at(spec, &key, error))
    }

    /// Refuses a lifecycle of events of which none is left.
    fn refuse_no_event(&mut self) -> Result<()> {
        if self.events.is_empty() || self.events.iter().any(|events| !events.is_empty()) {
            return Ok(());
        }
        let past_the_end = self.ledger.source("lifecycle.end");
        let n_late = self.ledger.rejected_by(past_the_end);
        let Some(end) = self.spec.end.filter(|_| n_late > 0) else {
            let names: Vec<String> =
                self.spec.events.iter().map(|events| format!("[events.{}]", events.name)).collect();
            return Err(Error::data(format!("{} give no event at all", names.join(", ")))
                .hint("look at the tables, and at the WHERE of the queries"));
        };
        let error = Error::data(format!("all {n_late} events are at or after the end of observation, {end}")).hint(
            "`lifecycle.end` (or --as-of) says until when the data is complete; without it, that is the last event",
        );
        Err(at(self.spec, "lifecycle.end", error))
    }

    /// Refuses a link by a contact column that no people table has: it would link nobody, and say nothing.
    fn refuse_unknown_contacts(&self) -> Result<()> {
        let identity = &self.spec.identity;
        let n_links = identity.links.len() + identity.contacts.len();
        let places = (0..n_links).filter_map(|n| self.spec.excerpt(&format!("identity.links[{n}].contact")));
        let mut places = places.map(Some).chain(std::iter::repeat(None));
        for link in &identity.contacts {
            let place = places.next().flatten();
            let is_asked =
                |people: &&PeopleGather<'_>| link.people.is_empty() || link.people.contains(&people.spec.name);
            let asked: Vec<&PeopleGather<'_>> = self.people.iter().filter(is_asked).collect();
            if asked.iter().any(|people| people.attribute(&link.column).is_some()) {
                continue;
            }
            let known: Vec<&str> = asked.iter().flat_map(|people| people.attribute_names()).collect();
            let error =
                Error::spec(format!("identity.links: no people table has a column `{}`", link.column)).at(place);
            return Err(match did_you_mean(&link.column, known.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None if known.is_empty() => error.hint("no people table was read: declare [people.*] with that column"),
                None => error.hint(format!("they have {}", known.join(", "))),
            });
        }
        Ok(())
    }

    fn finish(mut self, state: &State) -> Result<Data> {
        let spec = self.spec;
        for people in &self.people {
            people.check(&self.ledger).map_err(|error| at(spec, &format!("people.{}", people.spec.name), error))?;
        }
        for events in &self.events {
            events.check(&self.ledger).map_err(|error| at(spec, &format!("events.{}", events.spec.name), error))?;
        }
        self.refuse_no_event()?;
        self.refuse_unknown_contacts()?;
        let sources = identity::Sources { people: &self.people, events: &self.events, links: &self.links };
        let resolved = resolve(sources, &mut self.ids, &spec.identity, state);
        let identified = resolved.map_err(|error| at(spec, "identity.match", error))?;
        let identity::Identified { person_of, rank, former: identities, resolved } = identified;
        if spec.as_of.is_some() && !spec.keeps_undated {
            later::leave_out(&mut self.people, &self.events, &person_of, &mut self.ledger)?;
        }
        let mut used = vec![false; self.ids.len()];
        self.people.iter().for_each(|people| people.mark(&mut used, &person_of));
        self.events.iter().for_each(|events| events.mark(&mut used, &person_of));
        let positions = Positions::new(&self.ids, (&person_of, &rank), &used);
        drop(std::mem::take(&mut self.ids));
        let events = assemble(self.events, &positions)?;
        let people =
            merge(self.people, positions, &mut self.ledger, |people| spec.excerpt(&format!("people.{}", people.name)))?;
        refuse_strangers(spec, &people, &events)?;
        let last = events
            .time
            .iter()
            .max()
            .copied()
            .or_else(|| people.valid_from.as_ref().and_then(|from| from.iter().max().copied()));
        let end = spec.end.unwrap_or(Time(last.map_or(0, |last| last.saturating_add(1))));
        let rejected = self.ledger.close(&mut self.inputs);
        let (inputs, profiles, suspicions, spend) = (self.inputs, self.profiles, self.suspicions, self.spend);
        Ok(Data { people, events, spend, end, inputs, rejected, identities, resolved, profiles, suspicions })
    }
}

/// The country that the spec tells, as its alpha-2 code.
fn country(spec: &Spec) -> Result<Option<&'static str>> {
    let Some(told) = &spec.discover.country else { return Ok(None) };
    let unknown = || {
        let error = Error::spec(format!("`{told}` is not a country"));
        at(spec, "discover.country", error.hint("write its two letters (DE) or its name (Germany)"))
    };
    places::country(told).map(Some).ok_or_else(unknown)
}

/// The columns to read: all, or those that somebody names.
fn wanted(header: &Header, all: bool, events: &[&mut EventGather<'_>], links: &[&mut LinkGather<'_>]) -> Vec<String> {
    let named: Option<Vec<Vec<&str>>> = events.iter().map(|events| events.wanted()).collect();
    let Some(named) = named.filter(|_| !all) else { return header.names.clone() };
    let linked = links.iter().flat_map(|link| link.spec.columns.iter().map(String::as_str));
    let named: BTreeSet<&str> = named.into_iter().flatten().chain(linked).collect();
    header.names.iter().filter(|name| named.contains(name.as_str())).cloned().collect()
}

fn stack(frame: &mut Option<DataFrame>, batch: &DataFrame) -> Result<()> {
    match frame {
        Some(frame) => {
            frame.vstack_mut(batch)?;
        }
        None => *frame = Some(batch.clone()),
    }
    Ok(())
}

/// The error with the line of the spec that says `key`, unless it points somewhere already.
fn at(spec: &Spec, key: &str, error: Error) -> Error {
    error.at(spec.excerpt(key))
}
