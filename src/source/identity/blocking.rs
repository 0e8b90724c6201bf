//! Which pairs of records are worth a look: those that agree on some key.
//!
//! A pass sorts the records by a key (one column, or two) and looks at the pairs within each block of equal keys. Which passes
//! are made follows from the data: every column alone whose blocks are small, then pairs of columns, with names also by
//! their consonants, the most selective first, until the pairs are as many as the records allow. Blocks that are too large
//! are left out: what a value shared by thousands says is said better together with another column.
//!
//! A pair is looked at in the first pass that finds it: whether an earlier one did is read off that pass's blocks, so that
//! nothing is remembered per pair. Memory: four bytes per record and pass.

use std::ops::Range;

use rayon::prelude::*;

use super::compare::Kind;
use super::fields::Field;
use crate::source::events::NO_LEVEL;
use crate::source::intern::Interner;

/// In no block, or alone in one.
const ALONE: u32 = u32::MAX;
/// At most so many passes.
const MAX_PASSES: usize = 24;
/// Records on which passes are tried out.
const SAMPLE: usize = 1 << 17;
/// About so many pairs are one task.
const TASK: u64 = 1 << 16;

/// A key: what its blocks share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    field: usize,
    /// The consonants of a name in place of the name.
    by_sound: bool,
}

/// One way of cutting the records into blocks.
#[derive(Debug)]
struct Pass {
    /// The block of each record.
    block_of: Vec<u32>,
    /// The records of all blocks, one block after the other.
    members: Vec<u32>,
    /// Where the blocks end in `members`.
    ends: Vec<u32>,
}

/// All passes over the records.
#[derive(Debug)]
pub(crate) struct Blocking {
    passes: Vec<Pass>,
}

/// How many pairs may be looked at: the time is theirs.
#[derive(Debug, Clone, Copy)]
struct Budget {
    per_pass: u64,
    all: u64,
}

impl Budget {
    /// A few million pairs for small tables, a few dozen for each record of large ones.
    fn of(n_records: usize) -> Self {
        let n = n_records as u64;
        Self { per_pass: 4 * n + 250_000, all: 16 * n + 2_500_000 }
    }
}

impl Blocking {
    /// The passes that the fields allow; told which records are fresh, of their blocks only those that have one.
    pub(crate) fn new(fields: &[Field], fresh: Option<&[bool]>) -> Self {
        let n_records = fields.first().map_or(0, |field| field.codes.len());
        let budget = Budget::of(n_records);
        let keys: Vec<(Part, Vec<u64>)> =
            parts(fields).into_par_iter().map(|part| (part, keys(fields, part))).collect();
        let chosen = choose(&keys, fields, budget);
        let pass = |parts: &Vec<usize>| {
            let mut keys = joined(parts, &keys, fields);
            if let Some(fresh) = fresh {
                keep_fresh(&mut keys, fresh);
            }
            Pass::new(&keys, budget.per_pass)
        };
        Self { passes: chosen.par_iter().map(pass).collect() }
    }

    /// Calls `look` with runs of blocks in parallel, each with about as many pairs; the results come in the order of the runs.
    pub(crate) fn map<T: Send>(&self, look: impl Fn(Pairs<'_>) -> T + Sync) -> Vec<T> {
        let tasks: Vec<(usize, Range<usize>)> = self
            .passes
            .iter()
            .enumerate()
            .flat_map(|(at, pass)| pass.tasks().into_iter().map(move |run| (at, run)))
            .collect();
        tasks.into_par_iter().map(|(pass, blocks)| look(Pairs { blocking: self, pass, blocks })).collect()
    }
}

/// The pairs of a run of blocks.
#[derive(Debug)]
pub(crate) struct Pairs<'b> {
    blocking: &'b Blocking,
    pass: usize,
    blocks: Range<usize>,
}

impl Pairs<'_> {
    /// Calls `each` with every pair that no earlier pass has found, the smaller record first.
    pub(crate) fn each(&self, mut each: impl FnMut(u32, u32)) {
        let (earlier, rest) = self.blocking.passes.split_at(self.pass);
        let pass = &rest[0];
        let is_found = |a: u32, b: u32| {
            let together = |pass: &Pass| {
                let block = pass.block_of[a as usize];
                block != ALONE && block == pass.block_of[b as usize]
            };
            earlier.iter().any(together)
        };
        for block in self.blocks.clone() {
            let members = pass.members_of(block);
            for (at, &a) in members.iter().enumerate() {
                for &b in &members[at + 1..] {
                    if !is_found(a, b) {
                        each(a, b);
                    }
                }
            }
        }
    }
}

impl Pass {
    fn new(keys: &[u64], most_pairs: u64) -> Self {
        let mut sorted: Vec<(u64, u32)> = keys.iter().copied().zip(0..).filter(|(key, _)| *key != 0).collect();
        sorted.par_sort_unstable();
        let mut blocks: Vec<&[(u64, u32)]> =
            sorted.chunk_by(|a, b| a.0 == b.0).filter(|block| block.len() > 1).collect();
        let largest = largest_block(&blocks, most_pairs);
        blocks.retain(|block| block.len() <= largest);
        // In the order of their first records: the keys are hashes, and say nothing.
        blocks.par_sort_unstable_by_key(|block| block[0].1);
        let mut pass = Self { block_of: vec![ALONE; keys.len()], members: Vec::new(), ends: Vec::new() };
        for (number, block) in (0..).zip(blocks) {
            for (_, record) in block {
                pass.block_of[*record as usize] = number;
                pass.members.push(*record);
            }
            pass.ends.push(u32::try_from(pass.members.len()).expect("records are counted in 32 bits"));
        }
        pass
    }

    fn members_of(&self, block: usize) -> &[u32] {
        let start = block.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.members[start as usize..self.ends[block] as usize]
    }

    fn tasks(&self) -> Vec<Range<usize>> {
        let mut tasks = Vec::new();
        let (mut start, mut pairs) = (0, 0);
        for block in 0..self.ends.len() {
            pairs += n_pairs(self.members_of(block).len());
            if pairs >= TASK || block + 1 == self.ends.len() {
                tasks.push(start..block + 1);
                (start, pairs) = (block + 1, 0);
            }
        }
        tasks
    }
}

/// Takes the key from records that share it with no fresh one.
fn keep_fresh(keys: &mut [u64], fresh: &[bool]) {
    let mut wanted: Vec<u64> = keys.iter().zip(fresh).filter(|(_, fresh)| **fresh).map(|(key, _)| *key).collect();
    wanted.sort_unstable();
    wanted.dedup();
    // Most keys are not among them: one bit of many says so without a search.
    let bits = (wanted.len() * 16).next_power_of_two().max(64);
    let place = |key: u64| usize::try_from(key >> 20).unwrap_or_default() & (bits - 1);
    let mut maybe = vec![0_u64; bits / 64];
    for &key in &wanted {
        maybe[place(key) / 64] |= 1 << (place(key) % 64);
    }
    keys.par_iter_mut().for_each(|key| {
        if maybe[place(*key) / 64] & 1 << (place(*key) % 64) == 0 || wanted.binary_search(key).is_err() {
            *key = 0;
        }
    });
}

/// The largest size of blocks at which all that are not larger have at most so many pairs.
fn largest_block(blocks: &[&[(u64, u32)]], most_pairs: u64) -> usize {
    let mut sizes: Vec<usize> = blocks.iter().map(|block| block.len()).collect();
    sizes.sort_unstable();
    let mut pairs = 0;
    let mut largest = 0;
    for same in sizes.chunk_by(|a, b| a == b) {
        pairs += n_pairs(same[0]) * same.len() as u64;
        if pairs > most_pairs {
            break;
        }
        largest = same[0];
    }
    largest
}

fn n_pairs(n: usize) -> u64 {
    (n as u64 * (n as u64).saturating_sub(1)) / 2
}

/// Each column, and names also by their sound.
fn parts(fields: &[Field]) -> Vec<Part> {
    let exact = (0..fields.len()).map(|field| Part { field, by_sound: false });
    let names = (0..fields.len()).filter(|&field| fields[field].kind == Kind::Name);
    exact.chain(names.map(|field| Part { field, by_sound: true })).collect()
}

/// The key of each record by one column; 0: none. Equal texts have equal keys in every column.
fn keys(fields: &[Field], part: Part) -> Vec<u64> {
    let field = &fields[part.field];
    let n = u32::try_from(field.n_values()).expect("codes are 32 bits");
    let of_code: Vec<u64> = (0..n)
        .into_par_iter()
        .map(|code| {
            let text = field.text(code);
            if part.by_sound { consonants(text).map_or(0, |sound| hash(&sound)) } else { hash(text) }
        })
        .collect();
    field.codes.iter().map(|&code| if code == NO_LEVEL { 0 } else { of_code[code as usize] }).collect()
}

fn hash(text: &str) -> u64 {
    Interner::hash(text) | 1
}

/// The first letter and the next three different consonants.
fn consonants(text: &str) -> Option<String> {
    let mut letters = text.chars().filter(|letter| letter.is_alphabetic());
    let mut sound = String::from(letters.next()?);
    for letter in letters.filter(|letter| !matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h' | 'w')) {
        if !sound.ends_with(letter) && sound.len() < 4 {
            sound.push(letter);
        }
    }
    Some(sound)
}

/// The key of each record by several parts. Two names make the same key in either order.
fn joined(parts: &[usize], keys: &[(Part, Vec<u64>)], fields: &[Field]) -> Vec<u64> {
    let [first, second] = parts else { return keys[parts[0]].1.clone() };
    let swaps = |part: usize| fields[keys[part].0.field].kind == Kind::Name && !keys[part].0.by_sound;
    let either_order = swaps(*first) && swaps(*second);
    let join = |a: u64, b: u64| {
        if a == 0 || b == 0 {
            0
        } else if either_order {
            a.wrapping_add(b).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
        } else {
            (a.rotate_left(17) ^ b).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
        }
    };
    keys[*first].1.iter().zip(&keys[*second].1).map(|(&a, &b)| join(a, b)).collect()
}

/// Chooses the parts of each pass.
fn choose(keys: &[(Part, Vec<u64>)], fields: &[Field], budget: Budget) -> Vec<Vec<usize>> {
    let n_records = keys.first().map_or(0, |(_, keys)| keys.len());
    let estimate = |parts: &[usize]| estimate(&joined(parts, keys, fields), n_records);
    let alone: Vec<(Vec<usize>, u64)> =
        (0..keys.len()).into_par_iter().map(|part| (vec![part], estimate(&[part]))).collect();
    let is_small = |pairs: u64| pairs <= budget.per_pass;
    let small: Vec<bool> = alone.iter().map(|(_, pairs)| is_small(*pairs)).collect();
    let mut all: Vec<(Vec<usize>, u64)> =
        alone.into_iter().filter(|(_, pairs)| *pairs > 0 && is_small(*pairs)).collect();
    let together = (0..keys.len()).flat_map(|a| (a + 1..keys.len()).map(move |b| vec![a, b]));
    let together: Vec<Vec<usize>> = together
        .filter(|both| keys[both[0]].0.field != keys[both[1]].0.field && !both.iter().any(|&part| small[part]))
        .collect();
    let mut both: Vec<(Vec<usize>, u64)> = together
        .into_par_iter()
        .map(|parts| (parts.clone(), estimate(&parts)))
        .filter(|(_, pairs)| *pairs > 0)
        .collect();
    all.sort_by_key(|(parts, pairs)| (*pairs, parts.clone()));
    both.sort_by_key(|(parts, pairs)| (*pairs, parts.clone()));
    all.extend(both);
    let mut chosen = Vec::new();
    let mut pairs = 0;
    for (parts, estimated) in all {
        let taken = estimated.min(budget.per_pass);
        if chosen.len() == MAX_PASSES || pairs + taken > budget.all {
            break;
        }
        pairs += taken;
        chosen.push(parts);
    }
    chosen
}

/// About how many pairs share a key, from some of the records.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate of a count")]
fn estimate(keys: &[u64], n_records: usize) -> u64 {
    let every = n_records.div_ceil(SAMPLE).max(1);
    // Records stand in the order of their ids: neighbours may well be one person, those a prime apart are not.
    let mut sample: Vec<u64> = keys.iter().step_by(every).copied().filter(|key| *key != 0).collect();
    sample.sort_unstable();
    let pairs: u64 = sample.chunk_by(|a, b| a == b).map(|block| n_pairs(block.len())).sum();
    (pairs as f64 * (every * every) as f64) as u64
}
