//! How alike records are that have nothing to do with each other: what chance does.
//!
//! How often two values are equal is counted, for every pair there is: Σ c(c − 1) over the values' counts c. How alike unequal
//! ones are is seen on pairs drawn at random, or on all of them when they are few. That two texts stand in each other's column is too rare
//! to be seen: it is told from how often the columns share values.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::compare::SWAPPED;
use super::em::{AtRandom, Together};
use super::fields::Field;
use crate::source::events::NO_LEVEL;

/// Pairs drawn.
const PAIRS: u64 = 400_000;
/// Pairs that one task compares.
const TASK: usize = 1 << 14;
/// Records on which dependence is counted.
const SAMPLE: usize = 1 << 17;
/// Random choices of linkage are the same in every project: an identity does not hang on a seed.
const SEED: u64 = 0x1DE7;

/// The shares of every level of every column.
pub(crate) fn at_random(fields: &[Field]) -> Vec<AtRandom> {
    let pairs = pairs(fields.first().map_or(0, |field| field.codes.len()));
    fields.iter().map(|field| column(field, fields, &pairs)).collect()
}

/// How likely the value of one record's column is to stand in another column of another record.
fn swapped(field: &Field, fields: &[Field]) -> f64 {
    let share = |count: u32, field: &Field| f64::from(count) / field.n_present.max(1) as f64;
    let met_in = |other: &Field| -> f64 {
        let met = (0..).zip(&field.counts).map(|(code, &count)| {
            let there = other.code(field.text(code)).map_or(0, |code| other.counts[code as usize]);
            share(count, field) * share(there, other)
        });
        met.sum()
    };
    let others = fields.iter().filter(|other| other.name != field.name && other.kind.swaps());
    others.map(met_in).fold(0.0, f64::max)
}

fn column(field: &Field, fields: &[Field], pairs: &[(u32, u32)]) -> AtRandom {
    let n_levels = usize::from(field.kind.same()) + 1;
    let count = |pairs: &[(u32, u32)]| {
        let mut levels = vec![0_u64; n_levels];
        for &(a, b) in pairs {
            let (a, b) = (field.codes[a as usize], field.codes[b as usize]);
            if a != NO_LEVEL && b != NO_LEVEL && a != b {
                levels[usize::from(field.kind.compare(field.text(a), field.text(b)))] += 1;
            }
        }
        levels
    };
    let counted: Vec<Vec<u64>> = pairs.par_chunks(TASK).map(count).collect();
    let total = |level: usize| counted.iter().map(|levels| levels[level]).sum::<u64>() as f64;
    let mut levels: Vec<f64> = (0..n_levels).map(total).collect();
    let n_pairs = of_pairs(field.n_present as u64);
    let same = field.counts.iter().map(|&count| of_pairs(u64::from(count))).sum::<f64>() / n_pairs.max(1.0);
    let unequal: f64 = levels.iter().sum::<f64>().max(1.0);
    for share in &mut levels {
        *share *= (1.0 - same) / unequal;
    }
    levels[n_levels - 1] = same;
    if field.kind.swaps() {
        levels[usize::from(SWAPPED)] = swapped(field, fields);
    }
    AtRandom { kind: field.kind, levels, n_pairs: n_pairs.max(1.0) }
}

/// Pairs among `n`.
fn of_pairs(n: u64) -> f64 {
    (n as f64) * (n.saturating_sub(1) as f64) / 2.0
}

fn pairs(n_records: usize) -> Vec<(u32, u32)> {
    let n = u32::try_from(n_records).expect("records are counted in 32 bits");
    if of_pairs(u64::from(n)) <= PAIRS as f64 {
        return (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect();
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut draw = || (random.random_range(0..n), random.random_range(0..n));
    (0..PAIRS).map(|_| draw()).filter(|(a, b)| a != b).collect()
}

/// Pairs of columns, the more telling one as the parent of the other.
pub(crate) fn together(fields: &[Field], at_random: &[AtRandom]) -> Vec<Together> {
    let n_records = fields.first().map_or(0, |field| field.codes.len());
    let every = n_records.div_ceil(SAMPLE).max(1);
    let same = |column: usize| at_random[column].levels[usize::from(fields[column].kind.same())];
    let pairs = (0..fields.len()).flat_map(|a| (a + 1..fields.len()).map(move |b| (a, b)));
    let pairs: Vec<(usize, usize)> = pairs.map(|(a, b)| if same(b) < same(a) { (b, a) } else { (a, b) }).collect();
    pairs.into_par_iter().map(|(parent, child)| count(fields, parent, child, every)).collect()
}

fn count(fields: &[Field], parent: usize, child: usize, every: usize) -> Together {
    let codes = fields[parent].codes.iter().zip(&fields[child].codes).step_by(every);
    let mut values: Vec<(u32, u32)> =
        codes.map(|(a, b)| (*a, *b)).filter(|(a, b)| *a != NO_LEVEL && *b != NO_LEVEL).collect();
    values.sort_unstable();
    let same = |by: fn(&(u32, u32), &(u32, u32)) -> bool| -> f64 {
        values.chunk_by(by).map(|block| of_pairs(block.len() as u64)).sum()
    };
    // Counted on some records, told for all pairs.
    let scale = (every * every) as f64;
    Together { parent, child, n_parent_same: same(|a, b| a.0 == b.0) * scale, n_both_same: same(|a, b| a == b) * scale }
}
