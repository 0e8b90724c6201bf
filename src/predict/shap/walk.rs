//! What each feature of a tree contributes for a row that answers its splits in a given way.
//!
//! Feature `i` of a path leads to the leaf by itself with probability `zᵢ` (the product of the cover shares of its splits), and
//! for this row with `oᵢ` (1 when the row goes its way at all of them, else 0). The Shapley value of a leaf of value `v` is
//!
//! ```text
//! φᵢ = ∫₀¹ v · (oᵢ − zᵢ) · Π_{j ≠ i} (zⱼ + u (oⱼ − zⱼ)) du
//! ```
//!
//! (Owen 1972: every feature has come with probability `u`.) The product is a polynomial in `u`, of a degree below the number of
//! features on the path: [`super::quadrature`] integrates it exactly. All leaves are done in two sweeps over the splits, down
//! with the product and up with the sum, as in linear tree SHAP (Yu et al. 2022). A row decides only which of three columns
//! of numbers a split multiplies with, so all divisions are done beforehand.

use super::quadrature::gauss_legendre;
use super::tree::{Split, Tree};

/// The row has left the way to this split by a split above of the same feature; otherwise it goes left (1) or right (2).
const LEFT_BEFORE: u8 = 0;

/// Sweeps over one tree, each with some of the points of the integral.
#[derive(Debug, Clone)]
pub(super) enum Sweeps {
    /// Paths of few features need two points.
    Two(Vec<Sweep<2>>),
    /// Others four, eight, …
    Four(Vec<Sweep<4>>),
}

/// What splits multiply with at `N` points.
#[derive(Debug, Clone)]
pub(super) struct Sweep<const N: usize> {
    weights: [f64; N],
    /// For each split and state.
    ways: Vec<[Ways<N>; 3]>,
}

/// For the way left and the way right …
#[derive(Debug, Clone, Copy)]
struct Ways<const N: usize> {
    /// … what the product is multiplied with (the leaf's value included, where it leads to one), …
    factors: [[f64; N]; 2],
    /// … and what the sum below is multiplied with to be what the split's feature contributes.
    pushes: [[f64; N]; 2],
}

/// Memory for sweeps.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    states: Vec<u8>,
    two: Vec<[f64; 2]>,
    four: Vec<[f64; 4]>,
}

impl Sweeps {
    pub(super) fn new(tree: &Tree) -> Self {
        // Of degree m − 1 at most, which n points integrate as long as m ≤ 2n.
        let n = tree.most_on_a_path.div_ceil(2).max(1);
        if n <= 2 { Self::Two(sweeps(tree, 2)) } else { Self::Four(sweeps(tree, n.next_multiple_of(4))) }
    }

    /// Adds to `sums` (one per feature of the tree) what each feature contributes for a row whose answers are `bits`: bit `s`
    /// says whether it goes left at split `s`.
    pub(super) fn add(&self, tree: &Tree, bits: &[u64], scratch: &mut Scratch, sums: &mut [f64]) {
        scratch.states.resize(tree.splits.len(), LEFT_BEFORE);
        states(tree, bits, &mut scratch.states);
        match self {
            Self::Two(sweeps) => {
                for sweep in sweeps {
                    sweep.add(tree, &scratch.states, &mut scratch.two, sums);
                }
            }
            Self::Four(sweeps) => {
                for sweep in sweeps {
                    sweep.add(tree, &scratch.states, &mut scratch.four, sums);
                }
            }
        }
    }
}

/// For each split which way the row goes, if it has not left before.
pub(super) fn states(tree: &Tree, bits: &[u64], states: &mut [u8]) {
    for (number, split) in tree.splits.iter().enumerate() {
        let is_on = split.above.is_none_or(|(above, way)| usize::from(states[above]) == way + 1);
        let goes_left = (bits[number / 64] >> (number % 64)) & 1 == 1;
        states[number] = if is_on { 2 - u8::from(goes_left) } else { LEFT_BEFORE };
    }
}

fn sweeps<const N: usize>(tree: &Tree, n: usize) -> Vec<Sweep<N>> {
    gauss_legendre(n).chunks_exact(N).map(|points| Sweep::new(tree, points)).collect()
}

impl<const N: usize> Sweep<N> {
    fn new(tree: &Tree, points: &[(f64, f64)]) -> Self {
        let of_state = |split: &Split, state: usize| Ways {
            factors: [0, 1].map(|way| at(points, |u| factor(split, way, state, u))),
            pushes: [0, 1].map(|way| at(points, |u| push(split, way, state, u))),
        };
        let ways = tree.splits.iter().map(|split| [0, 1, 2].map(|state| of_state(split, state))).collect();
        Self { weights: std::array::from_fn(|lane| points[lane].1), ways }
    }

    fn add(&self, tree: &Tree, states: &[u8], nodes: &mut Vec<[f64; N]>, sums: &mut [f64]) {
        nodes.resize(2 * tree.splits.len() + 1, [0.0; N]);
        nodes[0] = self.weights;
        for (number, ((split, ways), &state)) in tree.splits.iter().zip(&self.ways).zip(states).enumerate() {
            let here = nodes[split.node];
            let [left, right] = &ways[usize::from(state)].factors;
            nodes[2 * number + 1] = std::array::from_fn(|lane| here[lane] * left[lane]);
            nodes[2 * number + 2] = std::array::from_fn(|lane| here[lane] * right[lane]);
        }
        // On the way up a node holds the sum of the leaves below it.
        for (number, ((split, ways), &state)) in tree.splits.iter().zip(&self.ways).zip(states).enumerate().rev() {
            let (left, right) = (nodes[2 * number + 1], nodes[2 * number + 2]);
            let [to_left, to_right] = &ways[usize::from(state)].pushes;
            let lanes: [f64; N] = std::array::from_fn(|lane| left[lane] * to_left[lane] + right[lane] * to_right[lane]);
            sums[split.slot] += lanes.iter().sum::<f64>();
            nodes[split.node] = std::array::from_fn(|lane| left[lane] + right[lane]);
        }
    }
}

fn at<const N: usize>(points: &[(f64, f64)], value: impl Fn(f64) -> f64) -> [f64; N] {
    std::array::from_fn(|lane| value(points[lane].0))
}

/// `z + u (1 − z)`: of a feature that has come with probability `u` and then surely leads on.
fn comes(known: f64, u: f64) -> f64 {
    known + u * (1.0 - known)
}

fn factor(split: &Split, way: usize, state: usize, u: f64) -> f64 {
    let factor = match state {
        0 => split.shares[way],
        _ if state == way + 1 => comes(split.known[way], u) / comes(split.before, u),
        _ => split.known[way] * (1.0 - u) / comes(split.before, u),
    };
    factor * split.leaves[way].unwrap_or(1.0)
}

/// `(o − z) / (z + u (o − z))` below the split, less what it was above.
fn push(split: &Split, way: usize, state: usize, u: f64) -> f64 {
    let stays = |known: f64| (1.0 - known) / comes(known, u);
    match state {
        0 => 0.0,
        _ if state == way + 1 => stays(split.known[way]) - stays(split.before),
        _ => -1.0 / (1.0 - u) - stays(split.before),
    }
}
