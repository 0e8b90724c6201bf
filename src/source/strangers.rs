//! Whether the people of the tables and those of the events are the same people.

use super::profile::shape;
use super::{Events, People};
use crate::error::{Error, Result};
use crate::spec::Spec;

/// Refuses people tables that know nobody of those who did something: the ids are written in two ways.
pub(super) fn refuse_strangers(spec: &Spec, people: &People, events: &Events) -> Result<()> {
    let known = |person: &usize| people.offsets[*person] < people.offsets[*person + 1];
    let acted = |person: &usize| events.offsets[*person] < events.offsets[*person + 1];
    let (mut someone_known, mut someone_acted) = (None, None);
    for person in 0..people.len() {
        match (known(&person), acted(&person)) {
            (true, true) => return Ok(()),
            (true, false) => _ = someone_known.get_or_insert(person),
            (false, true) => _ = someone_acted.get_or_insert(person),
            (false, false) => {}
        }
    }
    let (Some(known), Some(acted), Some(table)) = (someone_known, someone_acted, spec.people.first()) else {
        return Ok(());
    };
    let error = Error::data("nobody in the people tables has an event: the ids there and in the events are not the same")
        .hint(format!(
            "ids of people look like `{}`, those of events like `{}` (9: a digit, a: a letter)",
            shape(&people.ids[known]),
            shape(&people.ids[acted])
        ))
        .hint("name other columns in `person`, write the ids alike with sql = \"SELECT … AS person\", or join them with [[identity.links]]");
    Err(error.at(spec.excerpt(&format!("people.{}.person", table.name))))
}
