//! Batches in, people and events out.

mod columns;
mod contact;
mod events;
mod join;
mod order;
mod people;

pub(crate) use contact::is_contact_name;
pub(crate) use events::{EventGather, assemble};
pub(crate) use people::{JOINED, PeopleGather, merge};

use rayon::prelude::*;

use super::intern::Interner;

/// People in the order of their ids, and the position of each source id's person.
#[derive(Debug)]
pub(crate) struct Positions {
    /// The ids of people, sorted.
    pub(crate) ids: Vec<String>,
    /// By code of the source id: the person's position. [`NOBODY`]: the id names no person.
    pub(crate) of_code: Vec<u32>,
}

/// The id is of no use: no row that counts names it.
pub(crate) const NOBODY: u32 = u32::MAX;

impl Positions {
    /// Sorts the people whose codes are `used` by their `rank`; `person_of` says which code each code became.
    pub(crate) fn new(ids: &Interner, (person_of, rank): (&[u32], &[u32]), used: &[bool]) -> Self {
        let mut people: Vec<u32> = (0..).zip(used).filter(|(_, used)| **used).map(|(code, _)| code).collect();
        people.sort_unstable_by_key(|&code| rank[code as usize]);
        let mut of_person = vec![NOBODY; ids.len()];
        for (position, &code) in (0..).zip(&people) {
            of_person[code as usize] = position;
        }
        let of_code = person_of.iter().map(|&person| of_person[person as usize]).collect();
        Self { ids: people.into_par_iter().map(|code| ids.text(code).to_owned()).collect(), of_code }
    }
}

/// The values that `keep` keeps.
fn only<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
    values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| *value).collect()
}
