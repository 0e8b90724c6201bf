//! Categories as numbers for trees: the log odds of each level, smoothed towards the base rate.
//!
//! A tree cuts an order, and the order in which a category is best cut is that of its rates (Fisher 1958). The number of a level
//! is `ln (a + m·r) / (n − a + m·(1 − r))` for `a` of `n` who attained, the base rate `r` and `m` = [`SMOOTHING`] (Micci-Barreca
//! 2001). A gap is a level like any other; a level that the rows do not hold counts as a gap.
//!
//! A row of a small level would see its own label in its number. So where levels are small, the rows that are learned from get
//! the number of the level among the *other* folds of rows; whoever is scored gets the number of all.

use rayon::prelude::*;

use super::estimator::Data;
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Column};

/// Examples at the base rate that every level is thought to have had before.
const SMOOTHING: f64 = 10.0;
/// Folds that do not see their own labels …
const FOLDS: u64 = 5;
/// … where levels have fewer rows than this on average: in larger ones a row's own label does not show.
const LARGE_LEVEL: usize = 250;

/// What the levels of one column count as.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Encoded {
    /// For each sorted level, and at last for a gap; empty for numbers.
    pub(super) codes: Vec<f32>,
    /// For each of the rows that are learned from, where it is not what `codes` says.
    pub(super) learned: Option<Vec<f32>>,
}

/// The encoding of each column, learned from `rows`; `levels` are the sorted levels of each category.
pub(super) fn encode(data: Data<'_>, levels: &[Option<&Vec<String>>], rows: &[u32]) -> Vec<Encoded> {
    let columns: Vec<(&Column, Option<&Vec<String>>)> = data.table.columns.iter().zip(levels.iter().copied()).collect();
    columns.into_par_iter().map(|(column, levels)| encode_column(data, column, levels, rows)).collect()
}

fn encode_column(data: Data<'_>, column: &Column, levels: Option<&Vec<String>>, rows: &[u32]) -> Encoded {
    let (Cells::Category { codes, levels: texts }, Some(levels)) = (&column.cells, levels) else {
        return Encoded::default();
    };
    // A table may list its levels in any order; the model's are sorted.
    let gap = levels.len();
    let place: Vec<usize> = texts.iter().map(|text| levels.binary_search(text).unwrap_or(gap)).collect();
    let level = |row: u32| match codes[row as usize] {
        NO_LEVEL => gap,
        code => place[code as usize],
    };
    let mut all = vec![Counts::default(); gap + 1];
    let fold = |row: u32| (data.key[row as usize].rotate_left(41) % FOLDS) as usize;
    let mut by_fold = vec![vec![Counts::default(); gap + 1]; FOLDS as usize];
    for &row in rows {
        let weight = data.weight.map_or(1.0, |weight| weight[row as usize]);
        by_fold[fold(row)][level(row)].add(data.label[row as usize], weight);
    }
    for counts in &by_fold {
        all.iter_mut().zip(counts).for_each(|(all, counts)| all.join(counts, 1.0));
    }
    let n_levels = all.iter().filter(|counts| counts.n > 0.0).count().max(1);
    let numbers = numbers(&all);
    let learned = (rows.len() / n_levels < LARGE_LEVEL).then(|| {
        let others: Vec<Vec<f32>> = by_fold
            .iter()
            .map(|held_out| {
                let mut others = all.clone();
                others.iter_mut().zip(held_out).for_each(|(others, held_out)| others.join(held_out, -1.0));
                self::numbers(&others)
            })
            .collect();
        rows.iter().map(|&row| others[fold(row)][level(row)]).collect()
    });
    Encoded { codes: numbers, learned }
}

/// Weights of all and of those who attained.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    n: f64,
    attained: f64,
}

impl Counts {
    fn add(&mut self, attained: bool, weight: f64) {
        self.n += weight;
        self.attained += if attained { weight } else { 0.0 };
    }

    fn join(&mut self, other: &Self, sign: f64) {
        self.n += sign * other.n;
        self.attained += sign * other.attained;
    }
}

/// The smoothed log odds of each level.
fn numbers(counts: &[Counts]) -> Vec<f32> {
    let mut total = Counts::default();
    for counts in counts {
        total.join(counts, 1.0);
    }
    let base = (total.attained + 0.5) / (total.n + 1.0);
    let number = |counts: &Counts| {
        let attained = counts.attained.max(0.0) + SMOOTHING * base;
        let others = (counts.n - counts.attained).max(0.0) + SMOOTHING * (1.0 - base);
        libm::log(attained / others) as f32
    };
    counts.iter().map(number).collect()
}
