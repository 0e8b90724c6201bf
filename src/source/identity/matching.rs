//! `[identity.match]`: rows of people tables to pairs that may be one person, anew or from what an earlier run kept.
//!
//! With a kept state only rows that are new or changed are compared, with all others; what the comparisons are worth stays as it was
//! learned, until the rules change or the rows are a fifth more or fewer.

use polars::prelude::{DataFrame, Float64Type, UInt64Type};
use rayon::prelude::*;

use super::blocking::Blocking;
use super::fields::{Field, Raw, fields};
use super::linkage::{self, Edge};
use super::pattern::Pattern;
use super::records::Records;
use super::score::Scorer;
use super::state::{self, Basis, State};
use crate::error::Result;
use crate::source::events::NO_LEVEL;
use crate::source::gather::PeopleGather;
use crate::source::intern::Interner;
use crate::spec::{IdentityRules, Matching};
use crate::store::Key;

/// Even odds: pairs below are not kept.
const REVIEW: f64 = 0.0;
/// Rows more or fewer than those learned from, as a share, after which is learned anew.
const GROWN: f64 = 0.2;

/// The compared rows and what came out.
pub(super) struct Matched {
    pub(super) records: Records,
    pub(super) fields: Vec<Field>,
    pub(super) basis: Basis,
    /// A hash of what was compared of each record.
    pub(super) fingerprints: Vec<u64>,
    /// Pairs at even odds or better, the strongest first.
    pub(super) edges: Vec<Edge>,
}

/// Compares the rows.
pub(super) fn matched(
    people: &[PeopleGather<'_>],
    (rules, matching): (&IdentityRules, &Matching),
    (ids, rank): (&Interner, &[u32]),
    state: &State,
) -> Result<Matched> {
    let key = Key::new("match").with("people", &matching.people).with("compare", &matching.compare);
    let key = key.with("one_to_one", &matching.one_to_one).with("blocked", &rules.blocked).finish();
    let records = Records::new(people, matching, rank);
    let mut columns = records.columns(people, matching)?;
    let kept = state.header.basis.as_ref().filter(|basis| is_usable(basis, &key, &records, &columns));
    if let Some(basis) = kept {
        let kind = |column: &Raw| basis.columns.iter().find(|(name, _)| *name == column.name).map(|(_, kind)| *kind);
        columns.retain_mut(|column| {
            column.kind = kind(column);
            column.kind.is_some()
        });
    }
    let fields = fields(columns, &records.source, &rules.blocked);
    let fingerprints = fingerprints(&fields, records.len());
    let may = |a: u32, b: u32| !matching.one_to_one || records.source[a as usize] != records.source[b as usize];
    if let Some(basis) = kept.filter(|basis| basis.columns.len() == fields.len()) {
        let (basis, finder) = (basis.clone(), Finder::new(people, ids, &records));
        let edges = continued(&fields, &basis, (&finder, &fingerprints), state, may)?;
        return Ok(Matched { records, fields, basis, fingerprints, edges });
    }
    let blocking = Blocking::new(&fields, None);
    let learned = linkage::learned(&fields, &blocking);
    let edges = linkage::edges(&blocking, &Scorer::new(&fields, &learned), REVIEW, may);
    let columns = fields.iter().map(|field| (field.name.clone(), field.kind)).collect();
    let basis = Basis { rules: key, n_records: records.len(), columns, learned };
    Ok(Matched { records, fields, basis, fingerprints, edges })
}

impl Matched {
    /// By id the first record that has it; [`NO_LEVEL`]: none.
    pub(super) fn record_of(&self, n_ids: usize) -> Vec<u32> {
        let mut record_of = vec![NO_LEVEL; n_ids];
        for (record, &id) in (0..).zip(&self.records.id) {
            let known: &mut u32 = &mut record_of[id as usize];
            *known = record.min(*known);
        }
        record_of
    }
}

fn is_usable(basis: &Basis, key: &str, records: &Records, columns: &[Raw]) -> bool {
    let grown = (records.len() as f64 - basis.n_records as f64).abs() / basis.n_records.max(1) as f64;
    let has = |name: &str| columns.iter().any(|column| column.name == name);
    basis.rules == key && grown <= GROWN && basis.columns.iter().all(|(name, _)| has(name))
}

/// The kept pairs of rows that are as they were, and the pairs of those that are not.
fn continued(
    fields: &[Field],
    basis: &Basis,
    (finder, fingerprints): (&Finder<'_>, &[u64]),
    state: &State,
    may: impl Fn(u32, u32) -> bool + Sync,
) -> Result<Vec<Edge>> {
    let mut is_fresh = vec![true; fingerprints.len()];
    let known = finder.look_up(&state.records, ["source", "id"])?;
    for (record, fingerprint) in known.iter().zip(state::numbers::<UInt64Type>(&state.records, "fingerprint")?) {
        if let Some(record) = record {
            is_fresh[*record as usize] = fingerprints[*record as usize] != fingerprint;
        }
    }
    let first = finder.look_up(&state.edges, ["source", "id"])?;
    let second = finder.look_up(&state.edges, ["other_source", "other_id"])?;
    let weights = state::numbers::<Float64Type>(&state.edges, "weight")?;
    let patterns = state::numbers::<UInt64Type>(&state.edges, "pattern")?;
    let mut edges: Vec<Edge> = Vec::new();
    for (ends, (weight, pattern)) in first.into_iter().zip(second).zip(weights.into_iter().zip(patterns)) {
        if let (Some(a), Some(b)) = ends
            && !is_fresh[a as usize]
            && !is_fresh[b as usize]
        {
            edges.push(Edge { a: a.min(b), b: a.max(b), weight, pattern: Pattern(pattern) });
        }
    }
    if is_fresh.contains(&true) {
        let blocking = Blocking::new(fields, Some(&is_fresh));
        let is_fresh = |a: u32, b: u32| is_fresh[a as usize] || is_fresh[b as usize];
        let scorer = Scorer::new(fields, &basis.learned);
        edges.extend(linkage::edges(&blocking, &scorer, REVIEW, |a, b| is_fresh(a, b) && may(a, b)));
    }
    linkage::sort(&mut edges);
    Ok(edges)
}

/// Finds records by source and id.
struct Finder<'f> {
    ids: &'f Interner,
    /// The names of the sources, and by id the record of each.
    sources: Vec<(&'f str, Vec<u32>)>,
}

impl<'f> Finder<'f> {
    fn new(people: &'f [PeopleGather<'_>], ids: &'f Interner, records: &Records) -> Self {
        let mut sources: Vec<(&str, Vec<u32>)> = people.iter().map(|p| (p.spec.name.as_str(), Vec::new())).collect();
        for (record, (&source, &id)) in (0..).zip(records.source.iter().zip(&records.id)) {
            let of_id = &mut sources[usize::from(source)].1;
            if of_id.is_empty() {
                of_id.resize(ids.len(), NO_LEVEL);
            }
            of_id[id as usize] = record;
        }
        Self { ids, sources }
    }

    /// The records that two columns of a frame name.
    fn look_up(&self, frame: &DataFrame, [source, id]: [&str; 2]) -> Result<Vec<Option<u32>>> {
        let (sources, ids) = (state::texts(frame, source)?, state::texts(frame, id)?);
        let find = |(source, id): (Option<&str>, Option<&str>)| {
            let (_, of_id) = self.sources.iter().find(|(name, _)| Some(*name) == source)?;
            of_id.get(self.ids.find(id?)? as usize).copied().filter(|record| *record != NO_LEVEL)
        };
        Ok(sources.into_par_iter().zip(ids).map(find).collect())
    }
}

/// A hash of each record's plain values.
fn fingerprints(fields: &[Field], n_records: usize) -> Vec<u64> {
    let mut all = vec![0x9E37_79B9_7F4A_7C15_u64; n_records];
    for field in fields {
        let n = u32::try_from(field.n_values()).expect("codes are 32 bits");
        let of_code: Vec<u64> = (0..n).into_par_iter().map(|code| Interner::hash(field.text(code))).collect();
        all.par_iter_mut().zip(&field.codes).for_each(|(all, &code)| {
            let value = if code == NO_LEVEL { 0 } else { of_code[code as usize] };
            *all = (all.rotate_left(23) ^ value).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        });
    }
    all
}
