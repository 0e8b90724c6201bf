//! Indices and effects as numpy and scipy give them for the same counts, by the formulas of the module.

use super::*;
use crate::discover::table::NO_LEVEL;
use crate::discover::{Cells, Column, Table};

fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

fn numbers(counts: &[u64], n_missing: u64) -> Sketch {
    let edges = (1_u8..).take(counts.len() - 1).map(f32::from).collect();
    let shape = Numbers { edges, counts: counts.to_vec(), mean: 1.0, deviation: 2.0 };
    Sketch { n: counts.iter().sum::<u64>() + n_missing, n_missing, shape: Shape::Number(shape) }
}

#[test]
fn the_index_of_a_number_is_that_of_numpy() {
    let counted = Counted { n: 80, n_missing: 5, counts: vec![10, 25, 40], sum: 75.0, ..Counted::default() };
    let moved = Moved::new("x", &numbers(&[30, 10, 40], 20), &counted);
    close(moved.psi, 0.543_083_226_721_611_8);
    close(moved.psi_expected, 0.0675);
    // scipy's quantile gives 0.36599; for few parts Wilson and Hilferty come within a fiftieth of it.
    assert!((moved.psi_limit / 0.365_990_314_4 - 1.0).abs() < 0.02, "{}", moved.psi_limit);
    close(moved.effect, 0.241_666_666_666_666_67);
    assert_eq!((moved.verdict, moved.mean_shift), (Verdict::Shifted, Some(0.5)));
    assert_eq!((moved.missing_training, moved.missing, moved.coverage), (0.2, 0.0625, None));
}

#[test]
fn levels_that_were_never_seen_are_a_part_of_their_own() {
    let sketch = Sketch { n: 100, n_missing: 0, shape: Shape::Category(vec![50, 30, 20]) };
    let counted = Counted { n: 700, n_missing: 100, n_unseen: 60, counts: vec![500, 100, 0], ..Counted::default() };
    let moved = Moved::new("plan", &sketch, &counted);
    close(moved.psi, 1.681_451_366_751_140_8);
    close(moved.psi_expected, 0.045_714_285_714_285_714);
    close(moved.effect, 0.348_484_848_484_848_5);
    close(moved.coverage.expect("rows have values"), 0.909_090_909_090_909_1);
}

#[test]
fn few_rows_prove_nothing_and_many_small_moves_do_not_matter() {
    let few = Counted { n: 4, counts: vec![4, 0, 0], ..Counted::default() };
    let moved = Moved::new("x", &numbers(&[300, 300, 400], 0), &few);
    assert!(moved.psi > SHIFTED, "{}", moved.psi);
    assert_eq!(moved.verdict, Verdict::Stable);
    let many = Counted { n: 1_000_000, counts: vec![310_000, 300_000, 390_000], ..Counted::default() };
    let moved = Moved::new("x", &numbers(&[300_000, 300_000, 400_000], 0), &many);
    assert!(moved.psi > moved.psi_limit, "{} is chance", moved.psi);
    assert_eq!(moved.verdict, Verdict::Stable);
    let none = Moved::new("x", &numbers(&[1, 2], 0), &Counted { counts: vec![0, 0], ..Counted::default() });
    assert_eq!((none.psi, none.effect, none.mean_shift, none.verdict), (0.0, 0.0, None, Verdict::Stable));
}

/// Where nothing moved, the index lies on average where the module says, and beyond its limit about once in a thousand times.
#[test]
fn the_limit_is_what_chance_does() {
    use rand::{RngExt as _, SeedableRng as _};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let mut draw = |n: usize| -> Vec<u64> {
        let mut counts = vec![0; 10];
        (0..n).for_each(|_| counts[random.random_range(0..10_usize)] += 1);
        counts
    };
    let (mut sum, mut beyond) = (0.0, 0);
    for _ in 0..2_000 {
        let cells: Vec<(u64, u64)> = draw(2_000).into_iter().zip(draw(500)).collect();
        let Index { psi, expected, limit } = index(&cells);
        sum += psi / expected;
        beyond += u32::from(psi > limit);
    }
    assert!((0.95..1.05).contains(&(sum / 2_000.0)), "{}", sum / 2_000.0);
    assert!(beyond <= 8, "{beyond} of 2,000");
}

fn table(numbers: Vec<f32>, codes: Vec<u32>, levels: &[&str]) -> Table {
    let n_rows = numbers.len();
    let levels = levels.iter().map(ToString::to_string).collect();
    let columns = vec![
        Column { name: "attr.age".into(), cells: Cells::Number(numbers) },
        Column { name: "attr.plan".into(), cells: Cells::Category { codes, levels } },
    ];
    Table { columns, n_rows }
}

#[test]
fn batches_count_as_the_whole_and_the_training_data_has_not_moved() {
    let ages: Vec<f32> = (0_u16..1_000).map(|i| f32::from(i * 7 % 97)).collect();
    let plans: Vec<u32> = (0..1_000).map(|i| if i % 10 == 0 { NO_LEVEL } else { i % 3 }).collect();
    let whole = table(ages, plans, &["basic", "family", "plus"]);
    let features = crate::predict::trees::features_of(&whole);
    let rows: Vec<u32> = (0..1_000).collect();
    let scores: Vec<f64> = (0..1_000).map(|i| f64::from(i) / 1_000.0).collect();
    let sketches = Sketches::new(&features, &whole, &rows, &scores);
    assert!(sketches.is_sound(&features));
    let mut tally = Tally::new(&sketches);
    for part in [&rows[..400], &rows[400..]] {
        tally.add_features(&sketches, &features, &whole.take(part), &[0, 0]);
        tally.add_scores(&sketches, &scores[part[0] as usize..][..part.len()]);
    }
    let drift = Drift::new(&sketches, &features, &tally);
    assert_eq!((drift.n, drift.n_drifted), (1_000, 0));
    for moved in std::iter::once(&drift.score).chain(&drift.features) {
        assert_eq!((moved.psi, moved.effect, moved.n), (0.0, 0.0, 1_000), "{moved:?}");
        assert!(moved.mean_shift.is_none_or(|shift| shift.abs() < 1e-6));
    }
}

#[test]
fn a_table_with_other_levels_tells_those_never_seen() {
    let features = [crate::predict::trees::Feature {
        name: "attr.plan".into(),
        levels: Some(vec!["basic".into(), "plus".into()]),
    }];
    let then = table(vec![0.0; 4], vec![0, 0, 1, NO_LEVEL], &["basic", "plus"]);
    let sketches = Sketches::new(&features, &then, &[0, 1, 2, 3], &[0.5; 4]);
    let mut tally = Tally::new(&sketches);
    let now = table(vec![0.0; 5], vec![1, 1, 0, NO_LEVEL, 2], &["new", "plus", "other"]);
    tally.add_features(&sketches, &features, &now, &[]);
    let expected = Counted { n: 5, n_missing: 3, n_unseen: 2, counts: vec![0, 2], ..Counted::default() };
    assert_eq!(tally.features[0], expected);
}
