//! What identity resolution leaves: the person of every id, the pairs that were weighed, the log, and the state to keep.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::{Column, DataFrame, Float64Type, UInt32Type, UInt64Type};
use rayon::prelude::*;

use super::clusters::Refusal;
use super::linkage::Edge;
use super::matching::Matched;
use super::pattern::Pattern;
use super::score::{Scorer, probability};
use super::state::{Header, State, longer, number_column, text_column};
use super::{Joining, Known, Note, Place, Why};
use crate::error::Result;
use crate::source::Identity;
use crate::source::events::NO_LEVEL;
use crate::source::gather::PeopleGather;
use crate::source::intern::Interner;
use crate::store;

const OWN: &str = "own id";

/// Identities as files.
#[derive(Debug, Default)]
pub struct Resolved {
    /// `identities.parquet`: person, table, id, why.
    identities: DataFrame,
    /// `identity_edges.parquet`: pairs at even odds or better, and what became of them.
    edges: DataFrame,
    /// What is to be kept, if an id may become another.
    state: Option<State>,
    /// What a person can act on.
    pub notes: Vec<Note>,
}

impl Resolved {
    /// Everybody is their own id.
    pub(super) fn own(places: &[Place], ids: &Interner) -> Result<Self> {
        let own = |id: u32| (id, Cow::Borrowed(OWN));
        Ok(Self { identities: identities(places, ids, own)?, ..Self::default() })
    }

    /// Writes `identities.parquet`, and where an id may become another `identity_edges.parquet` and `identity_log.parquet`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let own = ("identities.parquet", &self.identities);
        let of_state = self.state.iter();
        let others =
            of_state.flat_map(|state| [("identity_edges.parquet", &self.edges), ("identity_log.parquet", &state.log)]);
        let files: Vec<(&str, &DataFrame)> = std::iter::once(own).chain(others).collect();
        let write = |(name, frame): &(&str, &DataFrame)| store::write_frame(&folder.join(name), &mut (*frame).clone());
        let written: Vec<Result<()>> = files.par_iter().map(write).collect();
        written.into_iter().collect()
    }

    /// Keeps who is who for the next run, in the folder that [`State::read`] reads.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn keep(&mut self, folder: &Path) -> Result<()> {
        self.state.as_mut().map_or(Ok(()), |state| state.write(folder))
    }

    /// A row per table and id: person, table, id, why.
    #[must_use]
    pub fn identities(&self) -> &DataFrame {
        &self.identities
    }

    /// The pairs that were weighed, at even odds or better.
    #[must_use]
    pub fn edges(&self) -> &DataFrame {
        &self.edges
    }
}

/// The patterns of the edges in words: they are few, and the edges may be many.
pub(super) fn words(matched: Option<&Matched>, scorer: Option<&Scorer<'_>>) -> BTreeMap<Pattern, String> {
    let Some((matched, scorer)) = matched.zip(scorer) else { return BTreeMap::new() };
    let mut patterns: Vec<Pattern> = matched.edges.iter().map(|edge| edge.pattern).collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns.into_iter().map(|pattern| (pattern, scorer.why(pattern))).collect()
}

/// All that was found out.
pub(super) struct Outcome<'o, 's> {
    pub(super) places: &'o [Place],
    pub(super) ids: &'o Interner,
    /// The place of each id among the sorted ones.
    pub(super) rank: &'o [u32],
    pub(super) people: &'o [PeopleGather<'s>],
    pub(super) known: &'o [Known],
    pub(super) matched: Option<&'o Matched>,
    /// Each pattern of the edges in words.
    pub(super) words: BTreeMap<Pattern, String>,
    pub(super) threshold: f64,
    /// Pairs that are not one person, as somebody said.
    pub(super) never: Vec<[u32; 2]>,
    pub(super) joining: &'o Joining,
    pub(super) person_of: &'o [u32],
    pub(super) before: &'o [u32],
}

impl Outcome<'_, '_> {
    /// The ids that became another, each once, with the first table that holds it.
    pub(super) fn former(&self) -> Vec<Identity> {
        let mut is_listed = vec![false; self.ids.len()];
        let mut is_first = |id: u32| !std::mem::replace(&mut is_listed[id as usize], true);
        let all = self.places.iter().flat_map(|place| place.ids.iter().map(move |&id| (place, id)));
        let former: Vec<(&Place, u32)> =
            all.filter(|&(_, id)| self.person_of[id as usize] != id && is_first(id)).collect();
        let identity = |(place, id): (&Place, u32)| Identity {
            person: self.ids.text(self.person_of[id as usize]).to_owned(),
            table: place.table.clone(),
            id: self.ids.text(id).to_owned(),
            why: self.why(id).into_owned(),
        };
        former.into_par_iter().map(identity).collect()
    }

    /// The files.
    pub(super) fn resolved(&self, mut notes: Vec<Note>, state: &State) -> Result<Resolved> {
        notes.extend(self.refusals());
        // Each table looks a million texts up one by one: side by side they take half the time.
        let ((identities, records), (kept_edges, edges)) = rayon::join(
            || {
                let of = |id: u32| (self.person_of[id as usize], self.why(id));
                rayon::join(|| identities(self.places, self.ids, of), || self.records_frame())
            },
            || rayon::join(|| self.kept_edges(), || self.edges()),
        );
        let identities = identities?;
        let (log, run) = self.log(state)?;
        let kept = State {
            header: Header { run, basis: self.matched.map(|matched| matched.basis.clone()), ..Header::default() },
            ids: self.ids_frame(&identities)?,
            records: records?,
            edges: kept_edges?,
            log,
        };
        Ok(Resolved { identities, edges: edges?, state: Some(kept), notes })
    }

    fn why(&self, id: u32) -> Cow<'_, str> {
        match self.joining.why[id as usize] {
            _ if self.person_of[id as usize] == id => Cow::Borrowed(OWN),
            Why::Own => Cow::Borrowed("the person's former id"),
            Why::Told => Cow::Borrowed("identity.always"),
            Why::Link(number) => Cow::Borrowed(&self.known[number].why),
            Why::Edge(number) => {
                let edge = self.edges_found()[number];
                Cow::Owned(format!("match weight {:.1}: {}", edge.weight, self.words(edge.pattern)))
            }
        }
    }

    fn words(&self, pattern: Pattern) -> &str {
        self.words.get(&pattern).map(String::as_str).unwrap_or_default()
    }

    fn edges_found(&self) -> &[Edge] {
        self.matched.map(|matched| matched.edges.as_slice()).unwrap_or_default()
    }

    /// Pairs that the guard held back.
    fn refusals(&self) -> Option<Note> {
        let is_doubtful = |refusal: &&Refusal| !matches!(refusal, Refusal::Never | Refusal::OneToOne);
        let n = self.joining.refused.values().filter(is_doubtful).count();
        (n > 0).then(|| Note {
            code: "identity-held-back",
            table: "identity.match".to_owned(),
            column: None,
            rows: n as u64,
            advice: format!(
                "{n} pairs that look like one person were not joined, for that would have joined people who contradict each other: see `held_back` in discover/identity_edges.parquet; `identity.always` and `identity.never` settle such pairs"
            ),
        })
    }

    /// What changed since the last run, after what changed before.
    fn log(&self, state: &State) -> Result<(DataFrame, u32)> {
        let mut is_person = vec![false; self.ids.len()];
        let present = self.present();
        for &id in &present {
            is_person[self.person_of[id as usize] as usize] = true;
        }
        let was = |id: u32| Some(self.before[id as usize]).filter(|before| *before != NO_LEVEL).unwrap_or(id);
        let changed: Vec<u32> = present.into_iter().filter(|&id| was(id) != self.person_of[id as usize]).collect();
        let run = state.header.run + u32::from(!changed.is_empty());
        let is_split = |id: u32| is_person[was(id) as usize];
        let change = |&id: &u32| if is_split(id) { "split" } else { "merged" };
        let parted = self.never.iter().filter(|[a, b]| was(*a) == was(*b));
        let parted: BTreeSet<u32> = parted.flatten().copied().collect();
        let why = |&id: &u32| match id {
            id if is_split(id) && parted.contains(&id) => Cow::Borrowed("identity.never"),
            id => self.why(id),
        };
        let text = |code: u32| self.ids.text(code);
        let whys: Vec<Cow<'_, str>> = changed.iter().map(why).collect();
        let columns = vec![
            number_column::<UInt32Type>("run", changed.iter().map(|_| run)),
            text_column("change", changed.iter().map(change)),
            text_column("id", changed.iter().map(|&id| text(id))),
            text_column("from", changed.iter().map(|&id| text(was(id)))),
            text_column("to", changed.iter().map(|&id| text(self.person_of[id as usize]))),
            text_column("why", whys.iter().map(AsRef::as_ref)),
        ];
        Ok((longer(&state.log, DataFrame::new(changed.len(), columns)?)?, run))
    }

    /// Every id of every table, in order.
    fn present(&self) -> Vec<u32> {
        if let [only] = self.places {
            return only.ids.clone();
        }
        let mut all: Vec<u32> = self.places.iter().flat_map(|place| &place.ids).copied().collect();
        all.par_sort_unstable_by_key(|&id| self.rank[id as usize]);
        all.dedup();
        all
    }

    /// Who every id is; `identities` holds the same, once for each table.
    fn ids_frame(&self, identities: &DataFrame) -> Result<DataFrame> {
        if self.places.len() == 1 {
            return Ok(identities.select(["id", "person"])?);
        }
        let all = self.present();
        let columns = vec![
            text_column("id", all.iter().map(|&id| self.ids.text(id))),
            text_column("person", all.iter().map(|&id| self.ids.text(self.person_of[id as usize]))),
        ];
        Ok(DataFrame::new(all.len(), columns)?)
    }

    fn source(&self, record: u32) -> &str {
        let matched = self.matched.expect("records are of a matching");
        &self.people[usize::from(matched.records.source[record as usize])].spec.name
    }

    fn id(&self, record: u32) -> &str {
        self.ids.text(self.matched.expect("records are of a matching").records.id[record as usize])
    }

    fn records_frame(&self) -> Result<DataFrame> {
        let n = self.matched.map_or(0, |matched| matched.records.len());
        let all = || (0_u32..).take(n);
        let fingerprints = self.matched.into_iter().flat_map(|matched| matched.fingerprints.iter().copied());
        let columns = vec![
            text_column("source", all().map(|record| self.source(record))),
            text_column("id", all().map(|record| self.id(record))),
            number_column::<UInt64Type>("fingerprint", fingerprints),
        ];
        Ok(DataFrame::new(n, columns)?)
    }

    fn edge_columns(&self) -> Vec<Column> {
        let edges = self.edges_found();
        vec![
            text_column("source", edges.iter().map(|edge| self.source(edge.a))),
            text_column("id", edges.iter().map(|edge| self.id(edge.a))),
            text_column("other_source", edges.iter().map(|edge| self.source(edge.b))),
            text_column("other_id", edges.iter().map(|edge| self.id(edge.b))),
            number_column::<Float64Type>("weight", edges.iter().map(|edge| edge.weight)),
        ]
    }

    fn kept_edges(&self) -> Result<DataFrame> {
        let edges = self.edges_found();
        let mut columns = self.edge_columns();
        columns.push(number_column::<UInt64Type>("pattern", edges.iter().map(|edge| edge.pattern.0)));
        Ok(DataFrame::new(edges.len(), columns)?)
    }

    /// The pairs for people to read.
    fn edges(&self) -> Result<DataFrame> {
        let edges = self.edges_found();
        let decision = |(number, edge): (usize, &Edge)| match self.joining.refused.get(&number) {
            Some(_) => "held_back",
            None if probability(edge.weight) >= self.threshold => "match",
            None => "review",
        };
        let held_back = |number: usize| self.joining.refused.get(&number).map_or("", |refusal| refusal.word());
        let mut columns = self.edge_columns();
        columns.extend([
            number_column::<Float64Type>("probability", edges.iter().map(|edge| probability(edge.weight))),
            text_column("decision", edges.iter().enumerate().map(decision)),
            text_column("held_back", (0..edges.len()).map(held_back)),
            text_column("why", edges.iter().map(|edge| self.words(edge.pattern))),
        ]);
        Ok(DataFrame::new(edges.len(), columns)?)
    }
}

/// A row per table and id.
fn identities<'w>(places: &[Place], ids: &Interner, of: impl Fn(u32) -> (u32, Cow<'w, str>)) -> Result<DataFrame> {
    let n = places.iter().map(|place| place.ids.len()).sum();
    let all = || places.iter().flat_map(|place| place.ids.iter().map(move |&id| (place, id)));
    let found: Vec<(u32, Cow<'w, str>)> = all().map(|(_, id)| of(id)).collect();
    let columns = vec![
        text_column("person", found.iter().map(|(person, _)| ids.text(*person))),
        text_column("table", all().map(|(place, _)| place.table.as_str())),
        text_column("id", all().map(|(_, id)| ids.text(id))),
        text_column("why", found.iter().map(|(_, why)| why.as_ref())),
    ];
    Ok(DataFrame::new(n, columns)?)
}
