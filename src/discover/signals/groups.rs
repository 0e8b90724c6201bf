//! Which features say the same: those whose values go up and down together.
//!
//! From the strongest on, a feature joins the first representative that it goes with (Spearman's correlation of at least 0.9 in
//! either direction between numbers, Cramér's V of at least 0.9 between categories), or becomes one. Missing values stand in
//! the middle. Looked for on a few thousand examples: a correlation of 0.9 needs no more.

use super::Sample;
use crate::discover::table::{Cells, Column, NO_LEVEL};

/// From this correlation on, one of two features is enough.
const SAME: f64 = 0.9;
const MOST_ROWS: usize = 3000;
/// More levels than this are not compared.
const MOST_LEVELS: usize = 30;

/// A column in the form in which it is compared.
enum Shape {
    /// Ranks, centred and of length 1.
    Ranks(Vec<f32>),
    /// Bins; the number of them.
    Levels(Vec<u32>, usize),
    /// Not compared.
    Alone,
}

/// The representative of each of `columns`, as a position among them; they stand by strength, the strongest first.
pub(super) fn representatives(columns: &[&Column], sample: &Sample) -> Vec<usize> {
    use rayon::prelude::*;
    let step = sample.rows.len().div_ceil(MOST_ROWS).max(1);
    let rows: Vec<usize> = sample.rows.iter().copied().step_by(step).collect();
    let shapes: Vec<Shape> = columns.par_iter().map(|column| shape(&column.cells, &rows)).collect();
    let mut leaders: Vec<usize> = Vec::new();
    let mut of = Vec::with_capacity(columns.len());
    for (position, shape) in shapes.iter().enumerate() {
        let leader = leaders.par_iter().copied().find_first(|&leader| goes_with(&shapes[leader], shape));
        if leader.is_none() {
            leaders.push(position);
        }
        of.push(leader.unwrap_or(position));
    }
    of
}

#[expect(clippy::cast_possible_truncation, reason = "ranks to compare")]
fn shape(cells: &Cells, rows: &[usize]) -> Shape {
    match cells {
        Cells::Number(values) => {
            let mut order: Vec<usize> = (0..rows.len()).filter(|&place| !values[rows[place]].is_nan()).collect();
            let value = |place: usize| values[rows[place]];
            order.sort_unstable_by(|&a, &b| value(a).total_cmp(&value(b)));
            let middle = order.len() as f64 / 2.0;
            let mut ranks = vec![0.0; rows.len()];
            let mut below = 0;
            for ties in order.chunk_by(|&a, &b| value(a).total_cmp(&value(b)).is_eq()) {
                for &place in ties {
                    ranks[place] = below as f64 + ties.len() as f64 / 2.0 - middle;
                }
                below += ties.len();
            }
            let length = ranks.iter().map(|rank| rank * rank).sum::<f64>().sqrt();
            if length == 0.0 {
                return Shape::Alone;
            }
            Shape::Ranks(ranks.iter().map(|rank| (rank / length) as f32).collect())
        }
        Cells::Category { codes, levels } if levels.len() <= MOST_LEVELS => {
            let bin = |&row: &usize| if codes[row] == NO_LEVEL { 0 } else { codes[row] + 1 };
            Shape::Levels(rows.iter().map(bin).collect(), levels.len() + 1)
        }
        Cells::Category { .. } => Shape::Alone,
    }
}

fn goes_with(one: &Shape, other: &Shape) -> bool {
    match (one, other) {
        (Shape::Ranks(one), Shape::Ranks(other)) => {
            let product: f64 = one.iter().zip(other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            product.abs() >= SAME
        }
        (Shape::Levels(one, n_one), Shape::Levels(other, n_other)) => cramers_v(one, *n_one, other, *n_other) >= SAME,
        _ => false,
    }
}

/// Cramér's V: √(χ² / (n · (smaller number of levels − 1))); 0 to 1. Empty levels do not count.
fn cramers_v(one: &[u32], n_one: usize, other: &[u32], n_other: usize) -> f64 {
    let mut counts = vec![0.0; n_one * n_other];
    let (mut of_one, mut of_other) = (vec![0.0; n_one], vec![0.0; n_other]);
    for (&a, &b) in one.iter().zip(other) {
        counts[a as usize * n_other + b as usize] += 1.0;
        of_one[a as usize] += 1.0;
        of_other[b as usize] += 1.0;
    }
    let n = one.len() as f64;
    let mut sum = 0.0;
    for (at, count) in counts.iter().enumerate() {
        let expected = of_one[at / n_other] * of_other[at % n_other];
        if expected > 0.0 {
            sum += count * count / expected;
        }
    }
    let levels = |counts: &[f64]| counts.iter().filter(|count| **count > 0.0).count();
    let fewer = levels(&of_one).min(levels(&of_other));
    if fewer < 2 || n == 0.0 { 0.0 } else { ((sum - 1.0) / (fewer as f64 - 1.0)).max(0.0).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_together_is_one_group() {
        let number = |of: fn(u16) -> f32| Cells::Number((0..500).map(of).collect());
        let category = |of: fn(u32) -> u32| Cells::Category {
            codes: (0..500).map(of).collect(),
            levels: ["a", "b", "c"].map(ToOwned::to_owned).to_vec(),
        };
        let cells = [
            number(|i| f32::from(i % 97)),
            number(|i| -f32::from(i % 97).powi(3)),
            number(|i| f32::from(i * 7 % 61)),
            category(|i| i % 3),
            category(|i| 2 - i % 3),
            category(|i| i / 250),
        ];
        let columns: Vec<Column> = cells.into_iter().map(|cells| Column { name: String::new(), cells }).collect();
        let columns: Vec<&Column> = columns.iter().collect();
        let sample = Sample { rows: (0..500).collect(), ..Sample::default() };
        assert_eq!(representatives(&columns, &sample), [0, 0, 2, 3, 3, 5]);
    }
}
