//! The lines of a list in their order.
//!
//! People's lines are made in the order in which their contacts stand in memory: in the order of rank each would be waited for.
//! They are kept one after the other, and what is sorted is their beginnings, sixteen bytes, with the place of each; lines that
//! begin alike are compared whole.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::form::{Form, Row};
use super::{Manifest, Rejected};
use crate::expand::Expanded;
use crate::expand::normalise::Unfit;

const REPEATED: Unfit = "the same after normalisation as another row";
/// People whose lines are made by one thread at a time.
const CHUNK: usize = 4096;

/// A line: how it begins, whose it is, and where it stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    begins: [u64; 2],
    row: u32,
    chunk: u32,
    start: u32,
    bytes: u32,
}

/// Lines in the order of their text, each once.
pub(super) struct Ordered {
    chunks: Vec<String>,
    places: Vec<Place>,
}

/// What became of some people.
#[derive(Default)]
struct Counted {
    lines: String,
    places: Vec<Place>,
    rejected: Vec<Rejected>,
    omitted: BTreeMap<Unfit, u64>,
    filled: Vec<u64>,
    matched: Vec<u64>,
}

impl Ordered {
    /// The lines of the people at `rows`, and who has none; counts go into the manifest. Of people with the same line the best
    /// ranked keeps it.
    pub(super) fn of(
        form: &Form<'_>,
        expanded: &Expanded,
        mut rows: Vec<u32>,
        manifest: &mut Manifest,
    ) -> (Self, Vec<Rejected>) {
        rows.par_sort_unstable_by_key(|&row| expanded.contacts.place(row as usize));
        let counted: Vec<Counted> = rows.par_chunks(CHUNK).map(|rows| Counted::of(form, expanded, rows)).collect();
        drop(rows);
        let mut all = Counted {
            filled: vec![0; form.headers.len()],
            matched: vec![0; form.rules.match_keys.len()],
            ..Counted::default()
        };
        let mut chunks = Vec::with_capacity(counted.len());
        for mut one in counted {
            let chunk = u32::try_from(chunks.len()).expect("chunks are fewer than people");
            one.places.iter_mut().for_each(|place| place.chunk = chunk);
            chunks.push(std::mem::take(&mut one.lines));
            all.add(one);
        }
        let mut ordered = Self { chunks, places: all.places };
        ordered.places.par_sort_unstable_by_key(|place| (place.begins, place.row));
        ordered.compare_whole(expanded, &mut all.rejected);
        for rejected in &all.rejected {
            *manifest.rejected.entry(rejected.why.to_owned()).or_default() += 1;
        }
        manifest.kept = ordered.places.len() as u64;
        manifest.omitted = all.omitted.into_iter().map(|(why, n)| (why.to_owned(), n)).collect();
        for (header, n) in form.headers.iter().zip(all.filled) {
            *manifest.filled.entry((*header).to_owned()).or_default() += n;
        }
        let keys = form.rules.match_keys.iter().map(|headers| headers.join(" + "));
        manifest.matched = keys.zip(all.matched).collect();
        (ordered, all.rejected)
    }

    /// Puts lines that begin alike in order, and keeps each once.
    fn compare_whole(&mut self, expanded: &Expanded, rejected: &mut Vec<Rejected>) {
        let mut places = std::mem::take(&mut self.places);
        for alike in places.chunk_by_mut(|a, b| a.begins == b.begins) {
            alike.sort_unstable_by(|a, b| (self.line(a), a.row).cmp(&(self.line(b), b.row)));
        }
        places.dedup_by(|place, before| {
            let is_same = place.begins == before.begins && self.line(place) == self.line(before);
            if is_same {
                rejected.push(Rejected { rank: expanded.chosen.rank[place.row as usize], why: REPEATED });
            }
            is_same
        });
        self.places = places;
    }

    /// How long each line is.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|place| place.bytes as usize)
    }

    /// The lines at these places.
    pub(super) fn lines(&self, part: Range<usize>) -> impl Iterator<Item = &str> {
        self.places[part].iter().map(|place| self.line(place))
    }

    fn line(&self, place: &Place) -> &str {
        &self.chunks[place.chunk as usize][place.start as usize..][..place.bytes as usize]
    }
}

impl Counted {
    fn of(form: &Form<'_>, expanded: &Expanded, rows: &[u32]) -> Self {
        let mut counted = Self {
            places: Vec::with_capacity(rows.len()),
            filled: vec![0; form.headers.len()],
            matched: vec![0; form.rules.match_keys.len()],
            ..Self::default()
        };
        let mut row = Row::default();
        for &person in rows {
            if let Err(why) = form.fill(expanded, person as usize, &mut row) {
                counted.rejected.push(Rejected { rank: expanded.chosen.rank[person as usize], why });
                continue;
            }
            let start = counted.lines.len();
            row.write(&mut counted.lines);
            counted.places.push(Place::of(&counted.lines, start, person, form));
            for why in &row.unfit {
                *counted.omitted.entry(why).or_default() += 1;
            }
            count_bits(&mut counted.filled, row.filled);
            count_bits(&mut counted.matched, row.matched);
        }
        counted.lines.shrink_to_fit();
        counted
    }

    fn add(&mut self, other: Self) {
        self.places.extend(other.places);
        self.rejected.extend(other.rejected);
        other.omitted.into_iter().for_each(|(why, n)| *self.omitted.entry(why).or_default() += n);
        self.filled.iter_mut().zip(other.filled).for_each(|(n, more)| *n += more);
        self.matched.iter_mut().zip(other.matched).for_each(|(n, more)| *n += more);
    }
}

fn count_bits(counts: &mut [u64], bits: u64) {
    counts.iter_mut().enumerate().for_each(|(at, n)| *n += bits >> at & 1);
}

impl Place {
    /// The place of the line that `lines` end with.
    fn of(lines: &str, start: usize, row: u32, form: &Form<'_>) -> Self {
        let number = |n: usize| u32::try_from(n).expect("the lines of a chunk have less than four gigabytes");
        let line = &lines[start..];
        let mut first = [0; 16];
        let text = &line.as_bytes()[form.n_same(line)..];
        let n = text.len().min(16);
        first[..n].copy_from_slice(&text[..n]);
        let begins = u128::from_be_bytes(first);
        #[expect(clippy::cast_possible_truncation, reason = "the halves of sixteen bytes")]
        let begins = [(begins >> 64) as u64, begins as u64];
        Self { begins, row, chunk: 0, start: number(start), bytes: number(line.len()) }
    }
}
