//! How much each feature moved the margin of a sum of trees: exact Shapley values, in double precision.
//!
//! In: trees with their covers, and rows. Out: for each row and feature the Shapley value of the game in which features that have
//! not come are averaged over by the trees' covers (path-dependent `TreeSHAP`: Lundberg, Erion and Lee 2018; Lundberg et al. 2020,
//! algorithm 2). With [`Explainer::average`] a row's values sum to its margin in double precision, offset and all: what is left is
//! rounding, below 1e-9. How a tree is done: [`walk`].
//!
//! What a tree says of a row hangs only on which way the row goes at each split. So rows go through a tree in blocks, those that
//! answer alike are explained once, and what an earlier block has found is not found again. Rows are taken in fixed blocks and
//! trees in their order: the same bytes on any number of threads.

mod interactions;
mod quadrature;
mod tree;
mod walk;

use hessboost::model::BoostedModel;
use rayon::prelude::*;

use super::trees::weighed;
use tree::Tree;
use walk::{Scratch, Sweeps};

/// Rows that go through a tree together.
const BLOCK: usize = 1024;

/// A sum of trees, ready to explain rows.
#[derive(Debug)]
pub struct Explainer {
    n_features: usize,
    average: f64,
    trees: Vec<(Tree, Sweeps)>,
}

impl Explainer {
    /// Of the trees that score, whose sum is added to `offset`.
    #[must_use]
    pub fn new(model: &BoostedModel, offset: f64) -> Self {
        let weighed: Vec<_> = weighed(model).collect();
        let trees: Vec<Tree> =
            weighed.into_par_iter().map(|(tree, weight)| Tree::new(tree, f64::from(weight))).collect();
        let average = offset + f64::from(model.base_score()) + trees.iter().map(|tree| tree.mean).sum::<f64>();
        // A tree of one leaf says nothing of anybody.
        let trees = trees.into_iter().filter(|tree| !tree.splits.is_empty());
        let trees = trees.map(|tree| {
            let sweeps = Sweeps::new(&tree);
            (tree, sweeps)
        });
        let trees = trees.collect();
        Self { n_features: model.n_features(), average, trees }
    }

    /// The average margin of the training rows, by the trees' covers.
    #[must_use]
    pub fn average(&self) -> f64 {
        self.average
    }

    /// The contributions of every feature to the margins of the rows of `matrix` (a row after the other, NaN: no value), in the
    /// same layout.
    #[must_use]
    pub fn contributions(&self, matrix: &[f32]) -> Vec<f64> {
        let width = self.n_features.max(1);
        let mut values = vec![0.0; matrix.len()];
        values
            .par_chunks_mut(BLOCK * width)
            .zip(matrix.par_chunks(BLOCK * width))
            .for_each_init(Workshop::default, |workshop, (values, matrix)| self.add(matrix, values, workshop));
        values
    }

    /// Adds the contributions to one block of rows.
    fn add(&self, matrix: &[f32], values: &mut [f64], workshop: &mut Workshop) {
        let width = self.n_features.max(1);
        let n = matrix.len() / width;
        workshop.columns.resize(matrix.len(), 0.0);
        for (at, column) in workshop.columns.chunks_exact_mut(n.max(1)).enumerate() {
            column.iter_mut().zip(matrix[at..].iter().step_by(width)).for_each(|(cell, &value)| *cell = value);
        }
        for (tree, sweeps) in &self.trees {
            workshop.answer(tree, n);
            workshop.explain(tree, sweeps, n);
            let n_slots = tree.features.len();
            for (&kind, line) in workshop.kinds.iter().zip(values.chunks_exact_mut(width)) {
                let found = &workshop.found[kind as usize * n_slots..][..n_slots];
                for (&feature, value) in tree.features.iter().zip(found) {
                    line[feature] += value;
                }
            }
        }
    }
}

/// What a block of rows is worked on with.
#[derive(Debug, Default)]
struct Workshop {
    /// The block's values, a feature after the other.
    columns: Vec<f32>,
    /// For each row its answers to a tree, in words of 64 splits.
    bits: Vec<u64>,
    /// For each row which kind of answers it gave …
    kinds: Vec<u32>,
    /// … whose contributions stand here, a value per feature of the tree.
    found: Vec<f64>,
    /// Hashed answers → kind + 1; 0 is free.
    places: Vec<u32>,
    /// The row that was the first of each kind.
    firsts: Vec<u32>,
    scratch: Scratch,
}

impl Workshop {
    fn answer(&mut self, tree: &Tree, n: usize) {
        let words = tree.splits.len().div_ceil(64);
        self.bits.clear();
        self.bits.resize(n * words, 0);
        for (number, split) in tree.splits.iter().enumerate() {
            let column = &self.columns[tree.features[split.slot] * n..][..n];
            let (word, shift) = (number / 64, number % 64);
            for (bits, &value) in self.bits[word..].iter_mut().step_by(words).zip(column) {
                *bits |= u64::from(split.goes_left(value)) << shift;
            }
        }
    }

    /// Finds the kinds of answers among the rows, and what each kind's features contribute.
    fn explain(&mut self, tree: &Tree, sweeps: &Sweeps, n: usize) {
        let words = tree.splits.len().div_ceil(64);
        let n_slots = tree.features.len();
        self.places.clear();
        self.places.resize((2 * n).next_power_of_two(), 0);
        self.kinds.clear();
        self.firsts.clear();
        self.found.clear();
        let mask = self.places.len() - 1;
        for row in 0..n {
            let bits = &self.bits[row * words..][..words];
            let mut place = hash(bits) as usize & mask;
            let kind = loop {
                match self.places[place] {
                    0 => {
                        self.firsts.push(row as u32);
                        self.places[place] = self.firsts.len() as u32;
                        let from = self.found.len();
                        self.found.resize(from + n_slots, 0.0);
                        sweeps.add(tree, bits, &mut self.scratch, &mut self.found[from..]);
                        break self.firsts.len() as u32 - 1;
                    }
                    kind if self.bits[self.firsts[kind as usize - 1] as usize * words..][..words] == *bits => {
                        break kind - 1;
                    }
                    _ => place = (place + 1) & mask,
                }
            };
            self.kinds.push(kind);
        }
    }
}

/// An even hash of a row's answers.
fn hash(bits: &[u64]) -> u64 {
    let mixed =
        bits.iter().fold(0_u64, |hash, &word| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests;
