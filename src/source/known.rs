//! What was known at an instant: the part of the data that had reached it by then.

use polars::prelude::{DataFrame, IdxCa};

use super::events::{Events, Property, Values};
use super::identity::Resolved;
use super::people::People;
use super::{Data, FromSource};
use crate::error::Result;
use crate::time::Time;

impl Data {
    /// The data of some people (positions, ascending) as they were known just before `cutoff`, which ends them: events
    /// that had happened and were known, rows of attributes that held. Person `i` of the result is `people[i]`; kinds and
    /// properties keep their positions.
    ///
    /// # Errors
    /// When a column of attributes cannot be cut.
    pub fn known_before(&self, cutoff: Time, people: &[u32]) -> Result<Self> {
        Ok(Self {
            people: self.people_known(cutoff, people)?,
            events: self.events_known(cutoff, people),
            spend: self.spend.clone(),
            end: cutoff,
            inputs: Vec::new(),
            rejected: Vec::new(),
            identities: Vec::new(),
            resolved: Resolved::default(),
            profiles: Vec::new(),
            suspicions: Vec::new(),
        })
    }

    fn people_known(&self, cutoff: Time, chosen: &[u32]) -> Result<People> {
        let people = &self.people;
        let mut rows: Vec<u32> = Vec::new();
        let mut offsets = vec![0];
        for &person in chosen {
            let of_person = people.offsets[person as usize]..people.offsets[person as usize + 1];
            let holds = |row: &u32| people.valid_from.as_ref().is_none_or(|since| since[*row as usize] < cutoff.0);
            rows.extend(of_person.filter(holds));
            offsets.push(u32::try_from(rows.len()).expect("rows are counted in 32 bits"));
        }
        let valid_from = people.valid_from.as_ref();
        let valid_from = valid_from.map(|since| rows.iter().map(|&row| since[row as usize]).collect());
        let attributes = match people.attributes.width() {
            0 => DataFrame::empty(),
            _ => people.attributes.take(&IdxCa::from_vec("row".into(), rows))?,
        };
        let ids = chosen.iter().map(|&person| people.ids[person as usize].clone()).collect();
        let sources: Vec<FromSource> = Vec::new();
        Ok(People { ids, attributes, offsets, valid_from, contact: people.contact.clone(), sources, order: None })
    }

    fn events_known(&self, cutoff: Time, chosen: &[u32]) -> Events {
        let events = &self.events;
        let mut rows: Vec<usize> = Vec::new();
        let mut person = Vec::new();
        let mut offsets = vec![0];
        for (position, &of) in (0..).zip(chosen) {
            rows.extend(events.of(of as usize).filter(|&row| events.known(row) < cutoff));
            person.resize(rows.len(), position);
            offsets.push(u32::try_from(rows.len()).expect("events are counted in 32 bits"));
        }
        Events {
            person,
            time: only(&events.time, &rows),
            known_at: events.known_at.as_ref().map(|known| only(known, &rows)),
            kind: only(&events.kind, &rows),
            kinds: events.kinds.clone(),
            properties: events.properties.iter().map(|property| property.only(&rows)).collect(),
            offsets,
        }
    }
}

impl Property {
    fn only(&self, rows: &[usize]) -> Self {
        let values = match &self.values {
            Values::Number(values) => Values::Number(only(values, rows)),
            Values::Time(values) => Values::Time(only(values, rows)),
            Values::Category { codes, levels } => Values::Category { codes: only(codes, rows), levels: levels.clone() },
        };
        Self { name: self.name.clone(), values }
    }
}

fn only<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}
