//! Against the definition, against hessboost's own, and against Python's `shap`.

use hessboost::config::{TrainingParams, TreeMethod};
use hessboost::data::{DMatrix, FeatureType};
use hessboost::model::{BoostedModel, Iterations};
use hessboost::objective::{Objective, RegLoss};
use hessboost::training::Trainer;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use super::Explainer;

/// Rows of numbers with gaps, and trees that were grown on them.
struct Grown {
    matrix: Vec<f32>,
    model: BoostedModel,
}

/// Every fourth feature holds categories, which the trees split as such when they are `native`.
fn grown(seed: u64, n: usize, width: usize, (rounds, leaves, depth): (usize, usize, usize), native: bool) -> Grown {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = move || (random.next_u32() >> 8) as f32 / 16_777_216.0;
    let mut matrix = Vec::with_capacity(n * width);
    let mut labels = Vec::with_capacity(n);
    for _ in 0..n {
        let row: Vec<f32> = (0..width)
            .map(|at| match at % 4 {
                0 => uniform(),
                1 if uniform() < 0.3 => f32::NAN,
                1 => (4.0 * uniform()).floor(),
                2 => uniform() * uniform() * 10.0,
                _ => (6.0 * uniform()).floor(),
            })
            .collect();
        let known = |at: usize| row.get(at).copied().filter(|value| !value.is_nan()).unwrap_or(0.5);
        let odd = known(3) % 2.0;
        let chance = 0.1 + 0.4 * known(0) + 0.1 * known(1) * f32::from(u8::from(known(2) > 2.0)) + 0.2 * odd;
        labels.push(f32::from(u8::from(uniform() < chance)));
        matrix.extend(row);
    }
    let params = TrainingParams::builder()
        .objective(Objective::BinaryLogistic(RegLoss::default()))
        .base_score(0.5)
        .tree_method(TreeMethod::Hist)
        .max_leaves(leaves)
        .max_depth(depth)
        .min_child_weight(0.5)
        .eta(0.3)
        .colsample_bynode(0.7)
        .seed(seed & 0xffff)
        .build()
        .unwrap();
    let kind = |at| if native && at % 4 == 3 { FeatureType::Categorical } else { FeatureType::Numerical };
    let kinds: Vec<FeatureType> = (0..width).map(kind).collect();
    let data = DMatrix::from_dense_vec(matrix.clone(), n, width).unwrap().with_labels(&labels).unwrap();
    let data = data.with_feature_types(&kinds).unwrap();
    let model = Trainer::new(&params, &data, rounds).train().unwrap().model;
    Grown { matrix, model }
}

/// The margin in double precision, tree by tree.
fn margin(model: &BoostedModel, row: &[f32]) -> f64 {
    let leaf = |tree: &hessboost::tree::RegTree| f64::from(tree.node(tree.leaf_id_dense(row, f32::NAN)).leaf_value);
    f64::from(model.base_score()) + model.trees().iter().map(leaf).sum::<f64>()
}

/// What the tree says when the features in `come` (bits) are known, and the others are averaged over by cover.
fn expected(tree: &hessboost::tree::RegTree, at: usize, row: &[f32], come: u32) -> f64 {
    let node = tree.node(at);
    if node.is_leaf() {
        return f64::from(node.leaf_value);
    }
    let [left, right] = [node.left as usize, node.right as usize];
    let below = |child: usize| expected(tree, child, row, come);
    if (come >> node.split_feature) & 1 == 1 {
        let value = row[node.split_feature as usize];
        let goes_left = if value.is_nan() {
            node.default_left
        } else if node.is_categorical {
            tree.split_categories(at).contains(&(value as u32))
        } else {
            value < node.split_cond
        };
        return below(if goes_left { left } else { right });
    }
    let share = |child: usize| f64::from(tree.node(child).sum_hess) / f64::from(node.sum_hess);
    share(left) * below(left) + share(right) * below(right)
}

fn factorial(n: u32) -> f64 {
    (1..=n).map(f64::from).product()
}

/// Shapley's formula over all sets of features.
fn shapley(model: &BoostedModel, row: &[f32], feature: usize) -> f64 {
    let width = row.len() as u32;
    let value = |come: u32| model.trees().iter().map(|tree| expected(tree, 0, row, come)).sum::<f64>();
    let sets = (0..1_u32 << width).filter(|set| (set >> feature) & 1 == 0);
    sets.map(|set| {
        let size = set.count_ones();
        let weight = factorial(size) * factorial(width - size - 1) / factorial(width);
        weight * (value(set | (1 << feature)) - value(set))
    })
    .sum()
}

/// The interaction of two features by its definition, halved as it stands in the matrix.
fn interaction(model: &BoostedModel, row: &[f32], (i, j): (usize, usize)) -> f64 {
    let width = row.len() as u32;
    let value = |come: u32| model.trees().iter().map(|tree| expected(tree, 0, row, come)).sum::<f64>();
    let sets = (0..1_u32 << width).filter(|set| (set >> i) & 1 == 0 && (set >> j) & 1 == 0);
    sets.map(|set| {
        let size = set.count_ones();
        let weight = factorial(size) * factorial(width - size - 2) / (2.0 * factorial(width - 1));
        let (with_i, with_j) = (set | (1 << i), set | (1 << j));
        weight * (value(with_i | with_j) - value(with_i) - value(with_j) + value(set))
    })
    .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn values_are_those_of_shapleys_definition(seed in any::<u64>(), width in 1_usize..7, leaves in 2_usize..24) {
        let grown = grown(seed, 200, width, (3, leaves, 7), true);
        let explainer = Explainer::new(&grown.model, 0.25);
        let rows = &grown.matrix[..4 * width];
        let values = explainer.contributions(rows);
        for (row, values) in rows.chunks(width).zip(values.chunks(width)) {
            for (feature, &value) in values.iter().enumerate() {
                let wanted = shapley(&grown.model, row, feature);
                prop_assert!((value - wanted).abs() < 1e-12, "feature {feature}: {value}, by definition {wanted}");
            }
        }
    }

    #[test]
    fn interactions_are_those_of_their_definition(seed in any::<u64>(), width in 2_usize..6) {
        let grown = grown(seed, 200, width, (2, 12, 6), true);
        let explainer = Explainer::new(&grown.model, 0.0);
        let row = &grown.matrix[..width];
        let matrix = explainer.interactions(row);
        let values = explainer.contributions(row);
        for i in 0..width {
            let sum: f64 = matrix[i * width..][..width].iter().sum();
            prop_assert!((sum - values[i]).abs() < 1e-12);
            for j in 0..i {
                let wanted = interaction(&grown.model, row, (i, j));
                prop_assert!((matrix[i * width + j] - wanted).abs() < 1e-12);
                prop_assert!((matrix[j * width + i] - wanted).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn values_sum_to_the_margin(seed in any::<u64>(), width in 1_usize..40, leaves in 2_usize..200, depth in 1_usize..30) {
        let grown = grown(seed, 400, width, (5, leaves, depth), true);
        let explainer = Explainer::new(&grown.model, -1.5);
        let values = explainer.contributions(&grown.matrix);
        for (row, values) in grown.matrix.chunks(width).zip(values.chunks(width)) {
            let sum = explainer.average() + values.iter().sum::<f64>();
            let wanted = margin(&grown.model, row) - 1.5;
            prop_assert!((sum - wanted).abs() < 1e-9, "{sum} is not {wanted}");
        }
    }
}

#[test]
fn hessboost_says_the_same_in_single_precision() {
    let grown = grown(3, 2_500, 12, (40, 16, 6), false);
    let data = DMatrix::from_dense_vec(grown.matrix.clone(), 2_500, 12).unwrap();
    let theirs = grown.model.predict_contribs(&data, Iterations::Best).unwrap();
    let ours = Explainer::new(&grown.model, 0.0).contributions(&grown.matrix);
    for (theirs, ours) in theirs.as_slice().chunks(13).zip(ours.chunks(12)) {
        for (theirs, ours) in theirs.iter().zip(ours) {
            assert!((f64::from(*theirs) - ours).abs() < 1e-4, "{theirs} is not {ours}");
        }
    }
}

#[test]
fn a_block_says_the_same_as_its_rows_alone() {
    let grown = grown(5, 3_000, 9, (10, 90, 12), false);
    let explainer = Explainer::new(&grown.model, 0.0);
    let together = explainer.contributions(&grown.matrix);
    for (row, together) in grown.matrix.chunks(9).zip(together.chunks(9)).step_by(97) {
        assert_eq!(explainer.contributions(row), together);
    }
}

/// The trees and rows of `testdata/shap_*.csv`: shallow ones, and deep ones with more features on a path than eight points
/// of single precision can tell apart.
fn peers() -> [(&'static str, Grown); 2] {
    [("shallow", grown(11, 300, 7, (8, 8, 5), false)), ("deep", grown(12, 600, 16, (2, 48, 14), false))]
}

const N_PEER_ROWS: usize = 12;

#[test]
fn values_and_interactions_are_those_of_pythons_shap() {
    for (name, grown) in peers() {
        let file = format!("{}/src/predict/testdata/shap_{name}.csv", env!("CARGO_MANIFEST_DIR"));
        let theirs = std::fs::read_to_string(file).unwrap();
        let width = grown.model.n_features();
        let explainer = Explainer::new(&grown.model, 0.0);
        let matrix = &grown.matrix[..N_PEER_ROWS * width];
        let values = explainer.contributions(matrix);
        let interactions = explainer.interactions(matrix);
        let lines: Vec<Vec<f64>> = theirs
            .lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with("row"))
            .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
            .collect();
        assert_eq!(lines.len(), N_PEER_ROWS * width);
        let mut furthest = 0.0_f64;
        for line in lines {
            let (row, feature) = (line[0] as usize, line[1] as usize);
            furthest = furthest.max((values[row * width + feature] - line[2]).abs());
            for (ours, theirs) in interactions[(row * width + feature) * width..][..width].iter().zip(&line[3..]) {
                furthest = furthest.max((ours - theirs).abs());
            }
        }
        assert!(furthest < 1e-9, "{name}: {furthest}");
    }
}

#[test]
#[ignore = "writes the trees and rows that the script explains, into the folder that PEERS names"]
fn write_peers() {
    let folder = std::path::PathBuf::from(std::env::var("PEERS").unwrap());
    for (name, grown) in peers() {
        let bytes = grown.model.encode(hessboost::model::ModelFormat::XgboostJson).unwrap();
        std::fs::write(folder.join(format!("{name}.json")), bytes).unwrap();
        let rows = grown.matrix.chunks(grown.model.n_features()).take(N_PEER_ROWS);
        let line = |row: &[f32]| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let text: Vec<String> = rows.map(line).collect();
        std::fs::write(folder.join(format!("{name}.csv")), text.join("\n")).unwrap();
    }
}

#[test]
#[ignore = "a measurement"]
fn rows_per_second() {
    // Seconds of all threads of the process: others may share the machine.
    let busy = || {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    };
    for (leaves, depth, rounds, n) in
        [(4, 2, 400, 40_000), (8, 5, 400, 20_000), (16, 7, 300, 10_000), (31, 8, 200, 10_000)]
    {
        let grown = grown(7, n, 30, (rounds, leaves, depth), false);
        let start = busy();
        let data = DMatrix::from_dense_vec(grown.matrix.clone(), n, 30).unwrap();
        let theirs = grown.model.predict_contribs(&data, Iterations::Best).unwrap();
        let before = n as f64 / (busy() - start);
        let start = busy();
        let ours = Explainer::new(&grown.model, 0.0).contributions(&grown.matrix);
        let now = n as f64 / (busy() - start);
        let apart = (f64::from(theirs.as_slice()[0]) - ours[0]).abs();
        println!("{leaves} leaves × {rounds}: {before:.0} rows a CPU second before, {now:.0} now, {apart:.1e} apart");
    }
}
