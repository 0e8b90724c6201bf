//! A tree as its explanation needs it: splits, each with the share of the training rows that went either way.

use hessboost::tree::{Node, RegTree};

/// A tree whose splits stand in an order in which parents come first. Node 0 is the root; split `s` leads to the nodes
/// `2s + 1` (left) and `2s + 2` (right), each of them another split's or a leaf.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Tree {
    /// The features it asks, positions in the model's.
    pub(super) features: Vec<usize>,
    /// What it asks.
    pub(super) splits: Vec<Split>,
    /// The mean of the leaves over the training rows (by their cover).
    pub(super) mean: f64,
    /// Different features between root and leaf, at most.
    pub(super) most_on_a_path: usize,
}

/// One question of a tree. Of pairs, the first is the way left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Split {
    /// The node that asks.
    pub(super) node: usize,
    /// The feature asked, a position in the tree's features.
    pub(super) slot: usize,
    /// Who goes left.
    pub(super) test: Test,
    /// Whether those without a value go left.
    pub(super) gap_goes_left: bool,
    /// The last split above that asks for the same feature, and which way (0 or 1) leads here.
    pub(super) above: Option<(usize, usize)>,
    /// Share of the training rows at the split that went either way.
    pub(super) shares: [f64; 2],
    /// That share times those of all splits above of the same feature: how likely this feature alone leads there.
    pub(super) known: [f64; 2],
    /// How likely this feature alone leads to the split.
    pub(super) before: f64,
    /// The values of the leaves that the ways lead to, where they do.
    pub(super) leaves: [Option<f64>; 2],
}

/// Who goes left.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// Whose value is below.
    Below(f32),
    /// Whose value is one of these whole numbers, sorted.
    Among(Vec<u32>),
}

impl Split {
    /// Whether a row with this value (NaN: none) goes left.
    pub(super) fn goes_left(&self, value: f32) -> bool {
        if value.is_nan() {
            return self.gap_goes_left;
        }
        match &self.test {
            Test::Below(threshold) => value < *threshold,
            Test::Among(numbers) => numbers.binary_search(&(value as u32)).is_ok(),
        }
    }
}

impl Tree {
    /// `weight` times a tree of hessboost's.
    pub(super) fn new(tree: &RegTree, weight: f64) -> Self {
        let mut grown = Self::default();
        let root = tree.node(0);
        grown.mean = if root.is_leaf() {
            weight * f64::from(root.leaf_value)
        } else {
            grown.grow(tree, weight, (0, 0), &mut Vec::new())
        };
        grown
    }

    /// Adds the split at node `at` of `tree`, which is our node `own`, and all below it; `path` are the splits above and the
    /// ways taken. The mean of the leaves below.
    fn grow(&mut self, tree: &RegTree, weight: f64, (at, own): (usize, usize), path: &mut Vec<(usize, usize)>) -> f64 {
        let node = tree.node(at);
        let children = [node.left, node.right].map(|child| child as usize);
        let slot = self.slot(node.split_feature as usize);
        let above = path.iter().rev().copied().find(|&(split, _)| self.splits[split].slot == slot);
        let before = above.map_or(1.0, |(split, way)| self.splits[split].known[way]);
        let shares = shares(node, children.map(|child| tree.node(child)));
        let leaf = |child: usize| {
            let child = tree.node(child);
            child.is_leaf().then(|| weight * f64::from(child.leaf_value))
        };
        let number = self.splits.len();
        self.splits.push(Split {
            node: own,
            slot,
            test: test(tree, at),
            gap_goes_left: node.default_left,
            above,
            shares,
            known: shares.map(|share| before * share),
            before,
            leaves: children.map(leaf),
        });
        let mut mean = 0.0;
        for way in [0, 1] {
            path.push((number, way));
            let below = if let Some(leaf) = self.splits[number].leaves[way] {
                self.most_on_a_path = self.most_on_a_path.max(self.n_features_on(path));
                leaf
            } else {
                self.grow(tree, weight, (children[way], 2 * number + 1 + way), path)
            };
            mean += shares[way] * below;
            path.pop();
        }
        mean
    }

    fn slot(&mut self, feature: usize) -> usize {
        self.features.iter().position(|&known| known == feature).unwrap_or_else(|| {
            self.features.push(feature);
            self.features.len() - 1
        })
    }

    fn n_features_on(&self, path: &[(usize, usize)]) -> usize {
        path.iter().filter(|&&(split, _)| self.splits[split].above.is_none()).count()
    }
}

/// How probable each way is: by cover, and evenly where there is none. Covers are kept in single precision, so that the two may
/// miss 1 by its rounding; the peers divide in the same way.
fn shares(node: &Node, children: [&Node; 2]) -> [f64; 2] {
    let cover = f64::from(node.sum_hess);
    if cover > 0.0 { children.map(|child| f64::from(child.sum_hess).max(0.0) / cover) } else { [0.5, 0.5] }
}

fn test(tree: &RegTree, at: usize) -> Test {
    let node = tree.node(at);
    if !node.is_categorical {
        return Test::Below(node.split_cond);
    }
    let mut numbers = tree.split_categories(at).to_vec();
    numbers.sort_unstable();
    Test::Among(numbers)
}
