//! How much pairs of features moved a margin together: SHAP interaction values.
//!
//! Half of Owen's interaction index of the same game stands at `(i, j)` and at `(j, i)`; the diagonal is what is left of a
//! feature's own value, so that a row of the matrix sums to the feature's Shapley value, and all of it to margin − average
//! (Lundberg et al. 2020):
//!
//! ```text
//! Φᵢⱼ = ½ ∫₀¹ v · (oᵢ − zᵢ)(oⱼ − zⱼ) · Π_{k ≠ i, j} (zₖ + u (oₖ − zₖ)) du
//! ```
//!
//! (the words are those of [`super::walk`]), leaf by leaf: it costs more than the values alone, and is meant for a sample.

use rayon::prelude::*;

use super::Explainer;
use super::quadrature::gauss_legendre;
use super::tree::Tree;

impl Explainer {
    /// For each row of `matrix` (a row after the other) the interactions of all pairs of features, `n_features × n_features`.
    #[must_use]
    pub fn interactions(&self, matrix: &[f32]) -> Vec<f64> {
        let width = self.n_features.max(1);
        let everything: Vec<usize> = (0..width).collect();
        let mut values = self.interactions_among(matrix, &everything);
        values.par_chunks_mut(width * width).zip(matrix.par_chunks(width)).for_each(|(values, row)| {
            for (feature, contribution) in self.contributions(row).into_iter().enumerate() {
                let others: f64 = values[feature * width..][..width].iter().sum();
                values[feature * width + feature] = contribution - others;
            }
        });
        values
    }

    /// As [`Explainer::interactions`], of some features with each other, the diagonal left at zero: for each row
    /// `features.len() × features.len()`.
    #[must_use]
    pub fn interactions_among(&self, matrix: &[f32], features: &[usize]) -> Vec<f64> {
        let (width, n) = (self.n_features.max(1), features.len());
        let place: Vec<Option<usize>> =
            (0..width).map(|feature| features.iter().position(|&wanted| wanted == feature)).collect();
        let leaves: Vec<Leaves> = self.trees.iter().map(|(tree, _)| Leaves::new(tree)).collect();
        let mut values = vec![0.0; matrix.len() / width * n * n];
        values.par_chunks_mut((n * n).max(1)).zip(matrix.par_chunks(width)).for_each(|(values, row)| {
            for ((tree, _), leaves) in self.trees.iter().zip(&leaves) {
                leaves.add(tree, row, &place, n, values);
            }
        });
        values
    }

    /// Leaves of all trees: what a row's interactions cost grows with it.
    #[must_use]
    pub fn n_leaves(&self) -> usize {
        self.trees.iter().map(|(tree, _)| tree.splits.len() + 1).sum()
    }
}

/// A tree's leaves, each with the features on the way to it.
struct Leaves {
    leaves: Vec<(f64, Vec<Pass>)>,
    points: Vec<(f64, f64)>,
}

/// A feature on the way to a leaf: its slot, how likely it leads there by itself, and the splits and ways it has to pass.
struct Pass {
    slot: usize,
    known: f64,
    splits: Vec<(usize, usize)>,
}

impl Leaves {
    fn new(tree: &Tree) -> Self {
        let mut leaves = Vec::new();
        for (number, split) in tree.splits.iter().enumerate() {
            for (way, leaf) in split.leaves.iter().enumerate() {
                if let Some(leaf) = leaf {
                    leaves.push((*leaf, passes(tree, number, way)));
                }
            }
        }
        Self { leaves, points: gauss_legendre(tree.most_on_a_path.div_ceil(2).max(1)) }
    }

    fn add(&self, tree: &Tree, row: &[f32], place: &[Option<usize>], n: usize, values: &mut [f64]) {
        let goes: Vec<usize> =
            tree.splits.iter().map(|split| usize::from(!split.goes_left(row[tree.features[split.slot]]))).collect();
        for (leaf, passes) in &self.leaves {
            // For each feature z, and o − z.
            let moved: Vec<(f64, f64)> = passes
                .iter()
                .map(|pass| {
                    let leads = pass.splits.iter().all(|&(split, way)| goes[split] == way);
                    (pass.known, f64::from(u8::from(leads)) - pass.known)
                })
                .collect();
            for i in 0..passes.len() {
                let Some(first) = place[tree.features[passes[i].slot]] else { continue };
                for j in 0..i {
                    let Some(second) = place[tree.features[passes[j].slot]] else { continue };
                    let rest = |u: f64| {
                        let others = moved.iter().enumerate().filter(|&(k, _)| k != i && k != j);
                        others.map(|(_, (known, step))| known + u * step).product::<f64>()
                    };
                    let integral: f64 = self.points.iter().map(|&(u, weight)| weight * rest(u)).sum();
                    // Half of it stands on either side.
                    let together = 0.5 * leaf * moved[i].1 * moved[j].1 * integral;
                    values[first * n + second] += together;
                    values[second * n + first] += together;
                }
            }
        }
    }
}

/// The features on the way over split `number` by `way`.
fn passes(tree: &Tree, number: usize, way: usize) -> Vec<Pass> {
    let mut passes: Vec<Pass> = Vec::new();
    let mut at = Some((number, way));
    while let Some((number, way)) = at {
        let split = &tree.splits[number];
        match passes.iter_mut().find(|pass| pass.slot == split.slot) {
            Some(pass) => pass.splits.push((number, way)),
            // The lowest split of a feature knows the product of all above it.
            None => passes.push(Pass { slot: split.slot, known: split.known[way], splits: vec![(number, way)] }),
        }
        at = split.node.checked_sub(1).map(|edge| (edge / 2, edge % 2));
    }
    passes
}
