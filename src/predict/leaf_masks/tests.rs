//! The sums are those of hessboost, which grew the trees, to the bit.

use hessboost::config::{GrowPolicy, TrainingParams, TreeMethod};
use hessboost::data::DMatrix;
use hessboost::model::{BoostedModel, Iterations};
use hessboost::training::Trainer;
use hessboost::tree::RegTree;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{CUTS, LeafMasks};
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Column, Table};
use crate::predict::trees::{Bound, Feature};

const ROWS: u32 = 3_000;
const LEVELS: [&str; 4] = ["a", "b", "c", "d"];

struct Data {
    table: Table,
    features: Vec<Feature>,
    codes: Vec<Vec<f32>>,
    random: ChaCha8Rng,
}

/// Numbers with gaps, numbers of few values with zeros of both signs, a constant, and a category whose gap counts as none.
fn data(seed: u64) -> Data {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut numbers = |value: &mut dyn FnMut(f32) -> f32| {
        let of_row = |_| {
            let at = random.random::<f32>();
            if random.random::<f32>() < 0.1 { f32::NAN } else { value(at) }
        };
        Cells::Number((0..ROWS).map(of_row).collect())
    };
    let mut cells = vec![
        numbers(&mut |at| at),
        numbers(&mut |at| (at - 0.5) * 1e30),
        numbers(&mut |at| [-1.0, -0.0, 0.0, 1.0][(at * 4.0) as usize]),
        numbers(&mut |_| 7.0),
        numbers(&mut |at| if at < 0.01 { f32::INFINITY } else { at.powi(8) }),
    ];
    let code = |at: f32| if at < 0.2 { NO_LEVEL } else { (at * 4.0) as u32 };
    let levels = LEVELS.map(String::from).to_vec();
    cells.push(Cells::Category { codes: (0..ROWS).map(|_| code(random.random())).collect(), levels: levels.clone() });
    let name = |at: usize| format!("attr.{at}");
    let columns: Vec<Column> = (0..).map(name).zip(cells).map(|(name, cells)| Column { name, cells }).collect();
    let mut features: Vec<Feature> = (0..6).map(|at| Feature { name: name(at), levels: None }).collect();
    features[5].levels = Some(levels);
    let mut codes = vec![Vec::new(); 5];
    codes.push(vec![0.5, -2.0, 0.25, 3.0, f32::NAN]);
    Data { table: Table { columns, n_rows: ROWS as usize }, features, codes, random }
}

impl Data {
    fn grown(&mut self, leaves: usize, bins: usize, rounds: usize) -> BoostedModel {
        let rows: Vec<u32> = (0..ROWS).collect();
        let matrix = self.bound().matrix(&rows);
        let signal = |row: &[f32]| Some(row[0] * row[4]).filter(|signal| signal.is_finite()).unwrap_or_default();
        let labels: Vec<f32> = matrix.chunks(6).map(|row| signal(row) + self.random.random::<f32>()).collect();
        let matrix = DMatrix::from_dense_vec(matrix, rows.len(), 6).unwrap().with_labels(&labels).unwrap();
        let params = TrainingParams::builder()
            .tree_method(TreeMethod::Hist)
            .grow_policy(GrowPolicy::LossGuide)
            .max_leaves(leaves)
            .max_depth(20)
            .min_child_weight(1.0)
            .max_bin(bins)
            .build();
        Trainer::new(&params.unwrap(), &matrix, rounds).train().unwrap().model
    }

    fn bound(&self) -> Bound<'_> {
        Bound::new(&self.features, &self.codes, &self.table).unwrap()
    }

    /// Whether the trees are of few leaves; if they are, their sums must be those of hessboost.
    fn compares(&self, model: &BoostedModel) -> bool {
        let Some(masks) = LeafMasks::new(model) else { return false };
        // Not whole blocks, and not in the order of the table.
        let rows: Vec<u32> = (0..ROWS - 5).map(|row| row * 1_009 % ROWS).collect();
        let bound = self.bound();
        let sums = model.predict_margin_rows(&bound.matrix(&rows), Iterations::Best).unwrap();
        let bits = |sums: &[f32]| -> Vec<u32> { sums.iter().map(|sum| sum.to_bits()).collect() };
        assert_eq!(bits(&masks.sums(&bound, &rows)), bits(sums.as_slice()));
        true
    }
}

#[test]
fn sums_of_small_trees_are_those_of_hessboost() {
    for (seed, leaves) in (1..).zip([1, 2, 3, 8, 9, 17, 31, 32]) {
        let mut data = data(seed);
        let model = data.grown(leaves, 64, 21);
        assert_eq!(model.trees().iter().map(RegTree::num_leaves).max(), Some(leaves));
        assert!(data.compares(&model), "trees of {leaves} leaves");
    }
}

#[test]
fn a_feature_may_have_more_cuts_than_a_byte_counts() {
    let mut data = data(20);
    let model = data.grown(32, 2_000, 120);
    let masks = LeafMasks::new(&model).unwrap();
    let cuts = |scale: &super::Scale| scale.cuts.iter().filter(|cut| cut.is_finite()).count();
    assert!(masks.scales.iter().any(|scale| cuts(scale) == CUTS), "a scale is full");
    assert!(data.compares(&model));
}

#[test]
fn larger_trees_are_left_to_hessboost() {
    let mut data = data(30);
    let model = data.grown(33, 64, 3);
    assert!(!data.compares(&model));
}
