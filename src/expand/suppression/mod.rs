//! Who must not be contacted, whatever their score.
//!
//! In: the files that an audience names, of ids or contact data in any form. Out: for each candidate, whether a list
//! means them. Entries and people are compared after normalisation, as keyed hashes ([`keys`]); the person's id, the ids
//! they had before identity resolution and all their contact columns count, in every attribute row they ever had. An id
//! on a list brings the person's own e-mail and phone along, so that nobody else's row carries them out.
//!
//! A list that is missing or not wholly understood refuses the export. An empty one is allowed, with a warning.

mod keys;
mod list;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use self::keys::{Form, Key, Keyed, ListKeys, Wanted};
use self::list::Meaning;
use super::contact::Contacts;
use super::normalise::cleaned;
use super::summary::ListUsed;
use crate::error::{Error, Kind, Result};
use crate::source::{Identity, People};
use crate::spec::{Audience, Spec};

/// Everyone, and all that is known about who they are.
pub(super) struct Who<'a> {
    pub people: &'a People,
    /// Contact columns, a value per attribute row.
    pub contacts: &'a Contacts,
    /// Ids that a person had before identity resolution.
    former: HashMap<u32, Vec<&'a str>>,
    /// Those ids, and whose they are.
    formerly: HashMap<&'a str, Vec<u32>>,
}

impl<'a> Who<'a> {
    pub(super) fn new(people: &'a People, contacts: &'a Contacts, identities: &'a [Identity]) -> Self {
        let mut former: HashMap<u32, Vec<&str>> = HashMap::new();
        let mut formerly: HashMap<&str, Vec<u32>> = HashMap::new();
        for identity in identities {
            let Some(person) = people.find(&identity.person).map(position) else { continue };
            former.entry(person).or_default().push(&identity.id);
            formerly.entry(&identity.id).or_default().push(person);
        }
        Self { people, contacts, former, formerly }
    }

    /// The people whose id this is, exactly.
    fn named(&self, id: &str) -> Vec<u32> {
        let now = self.people.find(id).or_else(|| self.people.find(&cleaned(id))).map(position);
        let before = self.formerly.get(&*cleaned(id)).into_iter().flatten().copied();
        now.into_iter().chain(before).collect()
    }

    fn rows(&self, person: u32) -> std::ops::Range<usize> {
        let person = person as usize;
        self.people.offsets[person] as usize..self.people.offsets[person + 1] as usize
    }
}

fn position(person: usize) -> u32 {
    u32::try_from(person).expect("people are counted in 32 bits")
}

/// The lists of an audience, read and understood.
pub(super) struct Suppression {
    keyed: Keyed,
    lists: Vec<List>,
    wanted: Wanted,
}

struct List {
    used: ListUsed,
    keys: HashSet<Key>,
}

impl Suppression {
    /// Reads all lists of an audience.
    ///
    /// # Errors
    /// [`Kind::Refused`], one error for each list that is missing, unreadable or not understood.
    pub(super) fn read(audience: &Audience, spec: &Spec, who: &Who<'_>) -> Result<Self> {
        let mut all = Self { keyed: Keyed::new(spec.seed), lists: Vec::new(), wanted: Wanted::default() };
        let id_columns = id_columns(spec);
        let mut errors = Vec::new();
        for path in &audience.suppress {
            match list::read(&spec.root.join(Path::new(path)), &id_columns) {
                Ok(file) => {
                    let (mut keys, named) = all.understood(&file, who);
                    for row in named.into_iter().flat_map(|person| who.rows(person)) {
                        all.keyed.of_entries(who.contacts, row, &mut keys);
                    }
                    all.take(path, &file, keys);
                }
                Err(fault) => errors.push(
                    Error::new(
                        Kind::Refused,
                        format!("audience `{}` is not exported: suppression list {path}: {}", audience.name, fault.why),
                    )
                    .hint(fault.advice),
                ),
            }
        }
        Error::all(errors).map_or(Ok(all), Err)
    }

    /// The keys of a list's entries, and the people whose ids it holds.
    fn understood(&self, file: &list::File, who: &Who<'_>) -> (ListKeys, Vec<u32>) {
        let mut keys = ListKeys { with_hashes: who.contacts.may_be_hashed(), ..ListKeys::default() };
        let mut named: Vec<u32> = Vec::new();
        let mut loose: HashSet<Key> = HashSet::new();
        for column in &file.columns {
            for text in &column.texts {
                if matches!(column.meaning, Meaning::Id | Meaning::Any) {
                    self.keyed.of_id(text, &mut keys);
                    let people = who.named(text);
                    if people.is_empty() {
                        loose.insert(self.keyed.loose_id(text));
                    }
                    named.extend(people);
                }
                if column.meaning != Meaning::Id || text.contains('@') {
                    self.keyed.of_entry(text, (column.meaning, None), &mut keys);
                }
            }
        }
        if !loose.is_empty() {
            let ids = who.people.ids.par_iter().enumerate();
            let meant = ids.filter(|(_, id)| loose.contains(&self.keyed.loose_id(id)));
            named.extend(meant.map(|(person, _)| position(person)).collect::<Vec<_>>());
        }
        keys.add_loose(loose);
        (keys, named)
    }

    fn take(&mut self, path: &str, file: &list::File, keys: ListKeys) {
        self.wanted.extend(keys.wanted);
        let (path, blake3) = (path.to_owned(), file.blake3.clone());
        self.lists.push(List {
            used: ListUsed { path, blake3, n_entries: file.n_rows as u64, n_people: 0 },
            keys: keys.keys,
        });
    }

    /// Which candidates, at these positions among people, a list means.
    pub(super) fn stops(&self, candidates: &[u32], who: &Who<'_>) -> (Vec<bool>, Vec<ListUsed>) {
        if self.lists.is_empty() {
            return (vec![false; candidates.len()], Vec::new());
        }
        if self.wanted.has(Form::HashOfOther) {
            who.contacts.read_numbers();
        }
        let counts: Vec<AtomicU64> = self.lists.iter().map(|_| AtomicU64::new(0)).collect();
        let stops = |keys: &mut Vec<Key>, &person: &u32| {
            keys.clear();
            self.keys(person, who, keys);
            let mut is_stopped = false;
            for (list, count) in self.lists.iter().zip(&counts) {
                if keys.iter().any(|key| list.keys.contains(key)) {
                    count.fetch_add(1, Ordering::Relaxed);
                    is_stopped = true;
                }
            }
            is_stopped
        };
        // Candidates come in the order of rank, in which memory is read slowly.
        let mut people = candidates.to_vec();
        people.par_sort_unstable();
        let stopped: Vec<bool> = people.par_iter().with_min_len(1024).map_init(Vec::new, stops).collect();
        let mut is_stopped = vec![false; who.people.len()];
        people.iter().zip(stopped).for_each(|(&person, stopped)| is_stopped[person as usize] = stopped);
        let stopped = candidates.iter().map(|&person| is_stopped[person as usize]).collect();
        let used = self.lists.iter().zip(counts);
        (stopped, used.map(|(list, n)| ListUsed { n_people: n.into_inner(), ..list.used.clone() }).collect())
    }

    /// Every form in which a list could mean a person.
    fn keys(&self, person: u32, who: &Who<'_>, keys: &mut Vec<Key>) {
        let former = who.former.get(&person).into_iter().flatten().copied();
        for id in std::iter::once(who.people.ids[person as usize].as_str()).chain(former) {
            self.keyed.of_person(id, &self.wanted, keys);
        }
        if self.wanted.has_contacts() {
            for row in who.rows(person) {
                self.keyed.of_contacts(who.contacts, row, &self.wanted, keys);
            }
        }
    }
}

/// Whom a file names by id or contact data, compared as suppression lists are: for each person whether it means them. But an id
/// means one person here, and nobody who shares that person's number.
///
/// # Errors
/// When the file is missing or not wholly understood.
pub(super) fn named_in(path: &str, spec: &Spec, who: &Who<'_>) -> Result<(Vec<bool>, ListUsed)> {
    let file = list::read(&spec.root.join(Path::new(path)), &id_columns(spec))
        .map_err(|fault| Error::data(format!("{path}: {}", fault.why)).hint(fault.advice))?;
    let mut all = Suppression { keyed: Keyed::new(spec.seed), lists: Vec::new(), wanted: Wanted::default() };
    let (keys, _) = all.understood(&file, who);
    all.take(path, &file, keys);
    let everyone: Vec<u32> = (0..).take(who.people.len()).collect();
    let (is_named, mut lists) = all.stops(&everyone, who);
    let used = lists.pop().ok_or_else(|| Error::internal("the list that was read is gone"))?;
    Ok((is_named, used))
}

/// The columns that hold ids of people, as the spec says.
fn id_columns(spec: &Spec) -> Vec<&str> {
    let people = spec.people.iter().filter_map(|source| source.person.as_deref());
    let events = spec.events.iter().map(|source| source.person.as_str());
    let links = spec.identity.links.iter().flat_map(|link| link.columns.iter().map(String::as_str));
    people.chain(events).chain(links).collect()
}
