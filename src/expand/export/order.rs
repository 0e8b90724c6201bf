//! The lines of a list in their order, without holding them: ten million lines are gigabytes.
//!
//! Each person's line is made twice. First its beginning is kept, sixteen bytes, with the person's row and the line's length, and
//! sorted; lines that begin alike are made again and compared whole. Then they are made in their order, a few thousand at a time. What
//! is held is 24 bytes a line.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::form::{Form, Made};
use super::{Manifest, Rejected};
use crate::expand::Expanded;
use crate::expand::normalise::Unfit;

const REPEATED: Unfit = "the same after normalisation as another row";
/// People whose lines are made by one thread at a time …
const CHUNK: usize = 4096;
/// … and lines that are held while they are written.
const HELD: usize = 16 * CHUNK;

/// A line that is not held: how it begins, whose it is, how long it is.
#[derive(Debug, Clone, Copy)]
struct Place {
    begins: [u64; 2],
    row: u32,
    bytes: u32,
}

/// Lines in the order of their text, each once.
pub(super) struct Ordered<'a> {
    form: &'a Form<'a>,
    expanded: &'a Expanded,
    places: Vec<Place>,
}

/// What became of some people.
#[derive(Default)]
struct Counted {
    places: Vec<Place>,
    rejected: Vec<Rejected>,
    omitted: BTreeMap<Unfit, u64>,
    filled: Vec<u64>,
    matched: Vec<u64>,
}

impl<'a> Ordered<'a> {
    /// The lines of the people at `rows`, best ranked first, and who has none; counts go into the manifest. Of people with the
    /// same line the best ranked keeps it.
    pub(super) fn of(
        form: &'a Form<'a>,
        expanded: &'a Expanded,
        rows: &[u32],
        manifest: &mut Manifest,
    ) -> (Self, Vec<Rejected>) {
        let counted: Vec<Counted> = rows.par_chunks(CHUNK).map(|rows| Counted::of(form, expanded, rows)).collect();
        let mut all = Counted {
            filled: vec![0; form.headers.len()],
            matched: vec![0; form.rules.match_keys.len()],
            ..Counted::default()
        };
        for one in counted {
            all.add(one);
        }
        let mut ordered = Self { form, expanded, places: all.places };
        ordered.places.par_sort_unstable_by_key(|place| (place.begins, place.row));
        ordered.compare_whole(&mut all.rejected);
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
    fn compare_whole(&mut self, rejected: &mut Vec<Rejected>) {
        let mut kept: Vec<Place> = Vec::with_capacity(self.places.len());
        for alike in self.places.chunk_by(|a, b| a.begins == b.begins) {
            if let [only] = alike {
                kept.push(*only);
                continue;
            }
            let mut lines: Vec<(String, Place)> =
                alike.par_iter().with_min_len(64).map(|place| (self.line(place), *place)).collect();
            lines.sort_unstable_by(|a, b| (&a.0, a.1.row).cmp(&(&b.0, b.1.row)));
            for same in lines.chunk_by(|a, b| a.0 == b.0) {
                kept.push(same[0].1);
                let ranks = same[1..].iter().map(|(_, place)| self.expanded.chosen.rank[place.row as usize]);
                rejected.extend(ranks.map(|rank| Rejected { rank, why: REPEATED }));
            }
        }
        self.places = kept;
    }

    /// How long each line is.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|place| place.bytes as usize)
    }

    /// Makes the lines at these places, one after the other.
    pub(super) fn lines(
        &self,
        part: Range<usize>,
        take: &mut dyn FnMut(&str) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        for places in self.places[part].chunks(HELD) {
            let lines: Vec<String> = places.par_iter().with_min_len(256).map(|place| self.line(place)).collect();
            lines.iter().try_for_each(|line| take(line))?;
        }
        Ok(())
    }

    fn line(&self, place: &Place) -> String {
        self.form.row(self.expanded, place.row as usize).line.expect("only whoever has a line has a place")
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
        for &row in rows {
            let Made { line, unfit, filled, matched } = form.row(expanded, row as usize);
            match line {
                Err(why) => counted.rejected.push(Rejected { rank: expanded.chosen.rank[row as usize], why }),
                Ok(line) => {
                    counted.places.push(Place::of(&line, row, form));
                    for why in unfit {
                        *counted.omitted.entry(why).or_default() += 1;
                    }
                    count_bits(&mut counted.filled, filled);
                    count_bits(&mut counted.matched, matched);
                }
            }
        }
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
    fn of(line: &str, row: u32, form: &Form<'_>) -> Self {
        let mut first = [0; 16];
        let text = &line.as_bytes()[form.n_same(line)..];
        let n = text.len().min(16);
        first[..n].copy_from_slice(&text[..n]);
        let begins = u128::from_be_bytes(first);
        #[expect(clippy::cast_possible_truncation, reason = "the halves of sixteen bytes")]
        let begins = [(begins >> 64) as u64, begins as u64];
        Self { begins, row, bytes: u32::try_from(line.len()).expect("a line has less than four gigabytes") }
    }
}
