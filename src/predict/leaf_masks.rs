//! Trees of few leaves on many rows, by striking out leaves in place of walking.
//!
//! The leaves of a tree are numbered from left to right, a bit for each. A row that goes right at a split cannot reach the leaves
//! on the split's left; when every split has struck out what it must, the first leaf that remains is the row's (`QuickScorer`,
//! Lucchese et al. 2015). No answer waits for another, so that many rows are asked beside each other, a byte of leaves at a time
//! (`RapidScorer`, Ye et al. 2018).
//!
//! A split compares bytes: the cuts of a feature are sorted, and a value counts how many of them it reaches. Children are swapped
//! where that leaves fewer leaves on the left, and a gap counts as what takes it the way it goes. The sums are in single precision
//! and in the order of the trees: to the bit those of [`hessboost`].

use std::collections::BTreeMap;

use hessboost::model::BoostedModel;
use hessboost::tree::{Node, RegTree};
use rayon::prelude::*;

use super::trees::{Bound, BoundColumn, weighed};

/// Rows asked together: a byte of each in eight registers of the least that a 64-bit machine has.
const BLOCK: usize = 128;
/// Leaves of a tree, at most: bits of the masks.
const LEAVES: usize = 32;
/// Cuts that a byte counts, at most.
const CUTS: usize = 255;
/// Trees whose values are added to a sum together.
const TOGETHER: usize = 4;
/// Blocks that a thread takes at a time, at least.
const BLOCKS: usize = 8;

/// Something of each row of a block.
type Lanes<T> = [T; BLOCK];

/// Trees, ready to strike out leaves.
pub(super) struct LeafMasks {
    base: f32,
    scales: Vec<Scale>,
    strikes: Vec<Strike>,
    trees: Vec<Tree>,
}

/// Cuts of a feature: all of them, or so many as a byte counts.
struct Scale {
    feature: usize,
    /// Ascending; what is behind them no value reaches.
    cuts: Box<[f32; CUTS + 1]>,
    /// The first step of a search among them: a power of two.
    first_step: usize,
    readings: Vec<Reading>,
}

/// How a split reads the count of a scale, and where a block has what it reads: so that it strikes beyond a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Reading {
    /// Whether the children are swapped: the count is turned around.
    swapped: bool,
    /// Whether a gap strikes.
    gap_strikes: bool,
    place: u16,
}

/// Rows beyond a number lose leaves.
struct Strike {
    /// The place of what is read.
    place: u16,
    beyond: i8,
    /// The leaves that are lost, of the eight that are looked at.
    lost: u8,
}

struct Tree {
    /// Where its strikes begin.
    start: u32,
    /// Where those of each eight leaves end.
    ends: [u32; LEAVES / 8],
    /// By leaf, weighed.
    values: [f32; LEAVES],
}

impl LeafMasks {
    /// Of the trees that score; `None` where they are not all of few leaves with one number each, and cut by numbers alone.
    pub(super) fn new(model: &BoostedModel) -> Option<Self> {
        let trees: Vec<(&RegTree, f32)> = weighed(model).collect();
        let fits = |tree: &RegTree| {
            let finite = |node: &Node| node.is_leaf() || !node.is_categorical && node.split_cond.is_finite();
            tree.num_leaves() <= LEAVES && tree.linear_leaves().is_none() && tree.nodes().iter().all(finite)
        };
        let plain = model.n_outputs() == 1 && !model.has_vector_leaves() && model.shrinkage().is_none();
        if !plain || model.linear().is_some() || !trees.iter().all(|(tree, _)| fits(tree)) {
            return None;
        }
        let mut planner = Planner::new(trees.iter().map(|(tree, _)| *tree));
        let trees = trees.into_iter().map(|(tree, weight)| planner.tree(tree, weight)).collect::<Option<_>>()?;
        Some(Self { base: model.base_score(), scales: planner.scales, strikes: planner.strikes, trees })
    }

    /// The sums of the trees for `rows` of the features.
    pub(super) fn sums(&self, features: &Bound<'_>, rows: &[u32]) -> Vec<f32> {
        let readers: Vec<Reader<'_>> =
            self.scales.iter().map(|scale| Reader::new(scale, &features.columns[scale.feature])).collect();
        let n_readings = self.scales.iter().map(|scale| scale.readings.len()).sum();
        let mut sums = vec![self.base; rows.len()];
        let blocks = sums.par_chunks_mut(BLOCK).zip(rows.par_chunks(BLOCK)).with_min_len(BLOCKS);
        blocks.for_each_init(
            || vec![[0; BLOCK]; n_readings],
            |readings, (sums, rows)| {
                for reader in &readers {
                    reader.read(rows, readings);
                }
                let (together, rest) = self.trees.as_chunks::<TOGETHER>();
                for trees in together {
                    self.add(trees, readings, sums);
                }
                for tree in rest {
                    self.add(std::array::from_ref(tree), readings, sums);
                }
            },
        );
        sums
    }

    /// Adds the values of some trees to the sums of a block.
    fn add<const N: usize>(&self, trees: &[Tree; N], readings: &[Lanes<i8>], sums: &mut [f32]) {
        let leaves = trees.each_ref().map(|tree| {
            let mut start = tree.start as usize;
            let planes = tree.ends.map(|end| {
                let strikes = &self.strikes[start..end as usize];
                start = end as usize;
                remaining(strikes, readings)
            });
            first(&planes)
        });
        for (row, sum) in sums.iter_mut().enumerate() {
            for (tree, leaves) in trees.iter().zip(&leaves) {
                *sum += tree.values[usize::from(leaves[row]) % LEAVES];
            }
        }
    }
}

/// Which of eight leaves remain to each row.
fn remaining(strikes: &[Strike], readings: &[Lanes<i8>]) -> Lanes<u8> {
    let mut remaining = [u8::MAX; BLOCK];
    for &Strike { place, beyond, lost } in strikes {
        for (remaining, &reading) in remaining.iter_mut().zip(&readings[usize::from(place)]) {
            *remaining &= !(lost & if reading > beyond { u8::MAX } else { 0 });
        }
    }
    remaining
}

/// The first leaf that remains to each row.
fn first(planes: &[Lanes<u8>; LEAVES / 8]) -> Lanes<u8> {
    std::array::from_fn(|row| {
        let leaves = u32::from_le_bytes([planes[0][row], planes[1][row], planes[2][row], planes[3][row]]);
        // The lowest bit as a float, whose exponent is its place: of many rows at once even where counting zeros is not.
        let lowest = (leaves & leaves.wrapping_neg()).cast_signed() as f32;
        (lowest.to_bits() >> 23).wrapping_sub(127) as u8
    })
}

/// A scale tied to the values of its feature.
struct Reader<'a> {
    scale: &'a Scale,
    values: Values<'a>,
}

enum Values<'a> {
    Numbers(&'a [f32]),
    /// Codes, and what each level counts, at last what a gap does.
    Levels(&'a [u32], Vec<Count>),
}

/// How many cuts a value reaches.
#[derive(Clone, Copy, Default)]
struct Count {
    cuts: u8,
    is_gap: bool,
}

impl<'a> Reader<'a> {
    fn new(scale: &'a Scale, column: &BoundColumn<'a>) -> Self {
        let values = match column {
            BoundColumn::Number(values) => Values::Numbers(values),
            BoundColumn::Category(codes, values) => {
                let count = |&value: &f32| Count { cuts: scale.count([value])[0], is_gap: value.is_nan() };
                Values::Levels(codes, values.iter().map(count).collect())
            }
        };
        Self { scale, values }
    }

    /// Lays what the splits read of `rows` into its places.
    fn read(&self, rows: &[u32], readings: &mut [Lanes<i8>]) {
        let (mut cuts, mut gaps) = ([0_u8; BLOCK], [false; BLOCK]);
        match &self.values {
            Values::Numbers(values) => {
                let mut block = [f32::NAN; BLOCK];
                for (value, &row) in block.iter_mut().zip(rows) {
                    *value = values[row as usize];
                }
                for (gap, value) in gaps.iter_mut().zip(&block) {
                    *gap = !value.is_finite();
                }
                for (cuts, values) in cuts.as_chunks_mut().0.iter_mut().zip(block.as_chunks::<8>().0) {
                    *cuts = self.scale.count(*values);
                }
            }
            Values::Levels(codes, counts) => {
                for ((cuts, gap), &row) in cuts.iter_mut().zip(&mut gaps).zip(rows) {
                    let level = (codes[row as usize] as usize).min(counts.len() - 1);
                    Count { cuts: *cuts, is_gap: *gap } = counts[level];
                }
            }
        }
        for reading in &self.scale.readings {
            let turn = if reading.swapped { -1 } else { 0 };
            let of_gap = if reading.gap_strikes { i8::MAX } else { i8::MIN };
            for ((read, &cuts), &gap) in readings[usize::from(reading.place)].iter_mut().zip(&cuts).zip(&gaps) {
                *read = if gap { of_gap } else { signed(cuts) ^ turn };
            }
        }
    }
}

impl Scale {
    fn new(feature: usize, some: &[f32]) -> Self {
        let mut cuts = Box::new([f32::INFINITY; CUTS + 1]);
        cuts[..some.len()].copy_from_slice(some);
        Self { feature, cuts, first_step: (some.len() + 1).next_power_of_two() / 2, readings: Vec::new() }
    }

    /// How many cuts each value reaches; none, if it is none. The searches run beside each other, and none waits for a branch that
    /// nobody can foretell.
    fn count<const N: usize>(&self, values: [f32; N]) -> [u8; N] {
        let mut reached = [0; N];
        let mut step = self.first_step;
        while step > 0 {
            for (reached, value) in reached.iter_mut().zip(values) {
                let next = *reached + step;
                let reaches = value >= self.cuts[(next - 1) % (CUTS + 1)];
                *reached = std::hint::select_unpredictable(reaches, next, *reached);
            }
            step /= 2;
        }
        reached.map(|reached| reached as u8)
    }
}

/// A count as bytes compare fastest: from the least on.
fn signed(count: u8) -> i8 {
    (count ^ 0x80).cast_signed()
}

/// Lays out trees.
struct Planner {
    /// The cuts of each feature.
    cuts: BTreeMap<u32, Vec<f32>>,
    /// Where the scales of each feature begin.
    first_scale: BTreeMap<u32, usize>,
    scales: Vec<Scale>,
    n_readings: u16,
    strikes: Vec<Strike>,
}

impl Planner {
    fn new<'t>(trees: impl Iterator<Item = &'t RegTree>) -> Self {
        let mut cuts: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
        for node in trees.flat_map(RegTree::nodes).filter(|node| !node.is_leaf()) {
            cuts.entry(node.split_feature).or_default().push(node.split_cond);
        }
        let (mut scales, mut first_scale) = (Vec::new(), BTreeMap::new());
        for (&feature, cuts) in &mut cuts {
            cuts.sort_unstable_by(f32::total_cmp);
            cuts.dedup();
            first_scale.insert(feature, scales.len());
            scales.extend(cuts.chunks(CUTS).map(|some| Scale::new(feature as usize, some)));
        }
        Self { cuts, first_scale, scales, n_readings: 0, strikes: Vec::new() }
    }

    /// Lays out a tree; `None` when there is more than can be numbered.
    fn tree(&mut self, tree: &RegTree, weight: f32) -> Option<Tree> {
        let (mut values, mut n_leaves) = ([0.0; LEAVES], 0);
        let mut of_planes: [Vec<Strike>; LEAVES / 8] = Default::default();
        // Splits that wait for their right side: the first leaf on their left comes with it.
        let mut waiting = vec![0];
        while let Some(at) = waiting.pop() {
            let node = tree.node(at);
            if node.is_leaf() {
                values[n_leaves] = weight * node.leaf_value;
                n_leaves += 1;
                continue;
            }
            let children = [node.left as usize, node.right as usize];
            let sizes = children.map(|child| leaves_below(tree, child));
            let swapped = sizes[1] < sizes[0];
            let [left, right] = if swapped { [children[1], children[0]] } else { children };
            let lost = ((1_u64 << sizes[usize::from(swapped)]) - 1) << n_leaves;
            let (place, beyond) = self.reading(node, swapped)?;
            for (strikes, lost) in of_planes.iter_mut().zip(lost.to_le_bytes()).filter(|(_, lost)| *lost != 0) {
                strikes.push(Strike { place, beyond, lost });
            }
            waiting.extend([right, left]);
        }
        let start = u32::try_from(self.strikes.len()).ok()?;
        let ends = of_planes.map(|strikes| {
            self.strikes.extend(strikes);
            start + u32::try_from(self.strikes.len() - start as usize).expect("a tree has few splits")
        });
        Some(Tree { start, ends, values })
    }

    /// The place of what a split reads, and the number beyond which it strikes out its left.
    fn reading(&mut self, node: &Node, swapped: bool) -> Option<(u16, i8)> {
        let cuts = &self.cuts[&node.split_feature];
        let cut = cuts.partition_point(|&cut| cut < node.split_cond);
        let scale = &mut self.scales[self.first_scale[&node.split_feature] + cut / CUTS];
        // Right of a cut is who reaches more cuts than lie before it; left, who does not.
        let cut = signed((cut % CUTS) as u8);
        let beyond = if swapped { !cut - 1 } else { cut };
        let gap_strikes = node.default_left == swapped;
        let known = scale.readings.iter().find(|known| (known.swapped, known.gap_strikes) == (swapped, gap_strikes));
        if let Some(known) = known {
            return Some((known.place, beyond));
        }
        let place = self.n_readings;
        scale.readings.push(Reading { swapped, gap_strikes, place });
        self.n_readings = place.checked_add(1)?;
        Some((place, beyond))
    }
}

fn leaves_below(tree: &RegTree, at: usize) -> usize {
    let (mut waiting, mut n_leaves) = (vec![at], 0);
    while let Some(at) = waiting.pop() {
        let node = tree.node(at);
        if node.is_leaf() {
            n_leaves += 1;
        } else {
            waiting.extend([node.left as usize, node.right as usize]);
        }
    }
    n_leaves
}

#[cfg(test)]
mod tests;
