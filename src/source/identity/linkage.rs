//! Probabilistic linkage of records: columns in, pairs with their match weights out.
//!
//! [`super::blocking`] says which pairs are looked at, [`super::em`] learns from them what each level of likeness is worth,
//! [`super::score`] weighs each pair. Nothing is kept of a pair below the review threshold: memory is bounded by those above.

use std::collections::BTreeMap;

use super::blocking::{Blocking, Pairs};
use super::em::{Learned, Seen, learn};
use super::fields::Field;
use super::pattern::Pattern;
use super::random;
use super::score::Scorer;

/// About so many pairs are learned from.
const LEARNED_FROM: u64 = 500_000;

/// Two records that may be one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge {
    /// The record that comes first.
    pub(crate) a: u32,
    pub(crate) b: u32,
    /// Bits of the odds that they are one person.
    pub(crate) weight: f64,
    pub(crate) pattern: Pattern,
}

/// Learns what likeness is worth from the pairs of the blocks.
pub(crate) fn learned(fields: &[Field], blocking: &Blocking) -> Learned {
    let at_random = random::at_random(fields);
    let together = random::together(fields, &at_random);
    let n_records = fields.first().map_or(0, |field| field.codes.len()) as f64;
    let n_pairs: u64 = blocking.map(|pairs| count(&pairs)).into_iter().sum();
    let every = n_pairs.div_ceil(LEARNED_FROM).max(1);
    let flat = Learned { lambda: 0.5, columns: at_random.iter().map(flat).collect() };
    let scorer = Scorer::new(fields, &flat);
    let patterns = blocking.map(|pairs| seen(&pairs, every, &scorer)).into_iter().fold(
        BTreeMap::new(),
        |mut all: BTreeMap<Pattern, u64>, some| {
            for (pattern, count) in some {
                *all.entry(pattern).or_default() += count;
            }
            all
        },
    );
    learn(&Seen {
        at_random: &at_random,
        together: &together,
        patterns: &patterns,
        share: 1.0 / every as f64,
        n_pairs: n_records * (n_records - 1.0) / 2.0,
    })
}

fn flat(column: &super::em::AtRandom) -> super::em::Shares {
    let levels = column.levels.len();
    super::em::Shares { m: vec![1.0; levels], u: vec![1.0; levels], given: None }
}

fn count(pairs: &Pairs<'_>) -> u64 {
    let mut count = 0;
    pairs.each(|_, _| count += 1);
    count
}

/// The patterns of one in `every` pairs, chosen by the records so that it is the same ones whoever looks.
fn seen(pairs: &Pairs<'_>, every: u64, scorer: &Scorer<'_>) -> BTreeMap<Pattern, u64> {
    let mut patterns = BTreeMap::new();
    pairs.each(|a, b| {
        if mixed(a, b).is_multiple_of(every) {
            *patterns.entry(scorer.pattern(a, b)).or_default() += 1;
        }
    });
    patterns
}

fn mixed(a: u32, b: u32) -> u64 {
    let both = u64::from(a) << 32 | u64::from(b);
    (both ^ both >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

/// All pairs of the blocks with at least that weight, the strongest first. `may` says which pairs are to be looked at.
pub(crate) fn edges(
    blocking: &Blocking,
    scorer: &Scorer<'_>,
    least: f64,
    may: impl Fn(u32, u32) -> bool + Sync,
) -> Vec<Edge> {
    let look = |pairs: Pairs<'_>| {
        let mut edges = Vec::new();
        pairs.each(|a, b| {
            if may(a, b)
                && let Some((weight, pattern)) = scorer.score(a, b, least)
            {
                edges.push(Edge { a, b, weight, pattern });
            }
        });
        edges
    };
    let mut edges: Vec<Edge> = blocking.map(look).into_iter().flatten().collect();
    sort(&mut edges);
    edges
}

/// The strongest first.
pub(crate) fn sort(edges: &mut [Edge]) {
    use rayon::prelude::*;
    edges.par_sort_unstable_by(|a, b| b.weight.total_cmp(&a.weight).then((a.a, a.b).cmp(&(b.a, b.b))));
}
