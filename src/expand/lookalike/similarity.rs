//! `similarity`: nearness to the seed in the space that boosted trees learn.
//!
//! Two people are as near as the share of trees in which they fall into the same leaf: trees part people by what matters for
//! being in the seed, so that a difference in anything else does not count. Someone's similarity is the mean over the
//! nearest members, 0 to 1. The trees are the first ones of the bags of [`super::ways::Lookalike`].

use rayon::prelude::*;

use super::bags::{Bagged, FOLDS, Sample};
use super::ways::Likeness;
use crate::discover::Table;
use crate::error::{Error, Result};
use crate::predict::estimator::Fitted;

/// Trees of each bag.
const TREES: usize = 16;
/// Members that others are compared with, at most.
const MOST_MEMBERS: usize = 512;
/// Nearest members that count …
const NEAREST: usize = 10;
/// … but not more than one of so many.
const OF_MEMBERS: usize = 5;
/// Rows that are compared at a time.
const ROWS: usize = 1024;

/// A learned space, and where the seed stands in it.
pub(super) struct Similarity<'a> {
    bagged: &'a Bagged,
    /// The leaves of each member, tree by tree.
    members: Vec<u8>,
    n_trees: usize,
    unseen: Vec<f64>,
}

impl<'a> Similarity<'a> {
    pub(super) fn learn(bagged: &'a Bagged, sample: &Sample) -> Result<Self> {
        let all: Vec<u32> = (0..).take(sample.table.n_rows).collect();
        let each = of_models(&bagged.models, &sample.table, &all)?;
        let unseen = unseen(&each, bagged, sample);
        let shown: Vec<usize> = (0..sample.n_seed.min(MOST_MEMBERS))
            .map(|at| at * sample.n_seed / sample.n_seed.min(MOST_MEMBERS))
            .collect();
        let n_trees: usize = each.iter().map(|leaves| leaves.n_trees).sum();
        let members =
            shown.iter().flat_map(|&row| each.iter().flat_map(move |leaves| leaves.of(row))).copied().collect();
        Ok(Self { bagged, members, n_trees, unseen })
    }
}

impl Likeness for Similarity<'_> {
    fn unseen(&self) -> &[f64] {
        &self.unseen
    }

    fn scores(&self, table: &Table, rows: &[u32]) -> Result<Vec<f64>> {
        let each = of_models(&self.bagged.models, table, rows)?;
        let members: Vec<&[u8]> = self.members.chunks_exact(self.n_trees.max(1)).collect();
        let score = |row: usize| {
            let own: Vec<u8> = each.iter().flat_map(|leaves| leaves.of(row)).copied().collect();
            nearness(&own, &members)
        };
        Ok((0..rows.len()).into_par_iter().with_min_len(ROWS).map(score).collect())
    }
}

/// The leaves that rows fall into in the first trees of one model.
struct Leaves {
    leaves: Vec<u8>,
    n_trees: usize,
}

impl Leaves {
    fn of(&self, row: usize) -> &[u8] {
        &self.leaves[row * self.n_trees..(row + 1) * self.n_trees]
    }
}

fn of_models(models: &[Fitted], table: &Table, rows: &[u32]) -> Result<Vec<Leaves>> {
    let of_model = |model: &Fitted| match model {
        Fitted::Trees(trees) => {
            let leaves = trees.leaves(TREES, table, rows)?;
            Ok(Leaves { n_trees: leaves.len() / rows.len().max(1), leaves })
        }
        Fitted::Linear(_) | Fitted::Blend(_) => Err(Error::internal("only trees have leaves")),
    };
    models.iter().map(of_model).collect()
}

/// The mean share of equal leaves over the nearest members.
fn nearness(own: &[u8], members: &[&[u8]]) -> f64 {
    let n_nearest = NEAREST.min(members.len().div_ceil(OF_MEMBERS)).max(1);
    let mut equal: Vec<u32> = members.iter().map(|other| n_equal(own, other)).collect();
    let n_nearest = n_nearest.min(equal.len());
    if n_nearest == 0 || own.is_empty() {
        return 0.0;
    }
    equal.select_nth_unstable_by(n_nearest - 1, |a, b| b.cmp(a));
    f64::from(equal[..n_nearest].iter().sum::<u32>()) / (n_nearest * own.len()) as f64
}

fn n_equal(left: &[u8], right: &[u8]) -> u32 {
    // A byte counts up to 255.
    let parts = left.chunks(128).zip(right.chunks(128));
    parts.map(|(left, right)| u32::from(left.iter().zip(right).map(|(a, b)| u8::from(a == b)).sum::<u8>())).sum()
}

/// The similarity of each row of the sample to members whom the trees have not seen next to it: fold by fold the trees of the
/// bags that hide the fold, and the members that they show.
fn unseen(each: &[Leaves], bagged: &Bagged, sample: &Sample) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0; sample.table.n_rows], vec![0_u32; sample.table.n_rows]);
    for fold in 0..FOLDS.min(bagged.hidden.len()) {
        let of_fold: Vec<&Leaves> = each.iter().skip(fold).step_by(FOLDS).collect();
        let row_of = |row: usize| of_fold.iter().flat_map(|leaves| leaves.of(row)).copied().collect::<Vec<u8>>();
        let mut is_hidden = vec![false; sample.n_seed];
        bagged.hidden[fold].iter().for_each(|&row| is_hidden[row as usize] = true);
        let shown: Vec<Vec<u8>> =
            (0..sample.n_seed).filter(|&row| !is_hidden[row]).take(MOST_MEMBERS).map(row_of).collect();
        let shown: Vec<&[u8]> = shown.iter().map(Vec::as_slice).collect();
        let judged: Vec<usize> =
            (0..sample.table.n_rows).filter(|&row| row >= sample.n_seed || is_hidden[row]).collect();
        let scores: Vec<f64> = judged.par_iter().with_min_len(64).map(|&row| nearness(&row_of(row), &shown)).collect();
        for (row, score) in judged.into_iter().zip(scores) {
            sums[row] += score;
            counts[row] += 1;
        }
    }
    sums.into_iter().zip(counts).map(|(sum, n)| if n > 0 { sum / f64::from(n) } else { 0.0 }).collect()
}
